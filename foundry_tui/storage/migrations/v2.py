"""Version 2: the queue of downloads, and the licence texts that were agreed to."""

import sqlite3

__all__ = ["make_download_tables"]

_STATEMENTS = (
    """
    CREATE TABLE download (
        id TEXT NOT NULL PRIMARY KEY,
        model TEXT NOT NULL,
        added_unix_ms INTEGER NOT NULL,
        place INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (
            state IN ('queued', 'running', 'verifying', 'retrying', 'paused', 'done', 'failed', 'cancelled')
        ),
        size_bytes INTEGER,
        not_before_unix_ms INTEGER,
        attempts INTEGER NOT NULL,
        problem TEXT,
        remedy TEXT,
        outlives_app INTEGER NOT NULL CHECK (outlives_app IN (0, 1)),
        ended_unix_ms INTEGER
    )
    """,
    # The text is in the catalog, or with the model: what counts is which one was read.
    """
    CREATE TABLE accepted_license (
        text_sha256 TEXT NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        at_unix_ms INTEGER NOT NULL
    )
    """,
)


def make_download_tables(connection: sqlite3.Connection) -> None:
    """Make them."""
    for statement in _STATEMENTS:
        connection.execute(statement)

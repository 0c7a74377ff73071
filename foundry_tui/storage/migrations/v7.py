"""Version 7: what people mark at answers besides scores, and which of two answers they prefer."""

import sqlite3

__all__ = ["make_annotation_tables"]

_STATEMENTS = (
    """
    CREATE TABLE answer_mark (
        run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
        request INTEGER NOT NULL,
        annotator TEXT NOT NULL,
        occasion INTEGER NOT NULL,
        kind TEXT NOT NULL,
        aspect TEXT NOT NULL,
        at_unix_ms INTEGER NOT NULL,
        PRIMARY KEY (run, request, annotator, occasion, kind, aspect)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE preference (
        run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
        first INTEGER NOT NULL,
        second INTEGER NOT NULL,
        annotator TEXT NOT NULL,
        occasion INTEGER NOT NULL,
        left_one INTEGER NOT NULL,
        chosen TEXT NOT NULL,
        at_unix_ms INTEGER NOT NULL,
        PRIMARY KEY (run, first, second, annotator, occasion)
    ) WITHOUT ROWID
    """,
)


def make_annotation_tables(connection: sqlite3.Connection) -> None:
    """Make them, empty."""
    for statement in _STATEMENTS:
        connection.execute(statement)

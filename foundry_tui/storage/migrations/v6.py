"""Version 6: the scores that people give to answers, and the rubrics that they give them by."""

import sqlite3

__all__ = ["make_score_tables"]

_STATEMENTS = (
    "CREATE TABLE rubric (sha256 TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, criteria TEXT NOT NULL)",
    """
    CREATE TABLE score (
        run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
        request INTEGER NOT NULL,
        annotator TEXT NOT NULL,
        occasion INTEGER NOT NULL,
        rubric TEXT NOT NULL REFERENCES rubric,
        criterion TEXT NOT NULL,
        value INTEGER NOT NULL,
        at_unix_ms INTEGER NOT NULL,
        PRIMARY KEY (run, request, annotator, occasion, rubric, criterion)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE score_note (
        run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
        request INTEGER NOT NULL,
        annotator TEXT NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (run, request, annotator)
    ) WITHOUT ROWID
    """,
)


def make_score_tables(connection: sqlite3.Connection) -> None:
    """Make them, empty."""
    for statement in _STATEMENTS:
        connection.execute(statement)

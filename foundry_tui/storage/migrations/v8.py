"""Step 8: what a judge gives to answers, apart from the scores of people."""

import sqlite3

__all__ = ["make_judge_tables"]

# `scores` and `verdict` are NULL for a refusal.
_STATEMENTS = (
    """
    CREATE TABLE judge_score (
        run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
        request INTEGER NOT NULL,
        judge TEXT NOT NULL,
        rubric TEXT NOT NULL REFERENCES rubric,
        prompt TEXT NOT NULL,
        scores TEXT,
        attempts INTEGER NOT NULL,
        reply TEXT NOT NULL,
        same_family INTEGER NOT NULL,
        at_unix_ms INTEGER NOT NULL,
        PRIMARY KEY (run, request, judge, rubric, prompt)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE judge_preference (
        run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
        first INTEGER NOT NULL,
        second INTEGER NOT NULL,
        judge TEXT NOT NULL,
        rubric TEXT NOT NULL REFERENCES rubric,
        prompt TEXT NOT NULL,
        verdict TEXT,
        attempts INTEGER NOT NULL,
        reply TEXT NOT NULL,
        same_family INTEGER NOT NULL,
        at_unix_ms INTEGER NOT NULL,
        PRIMARY KEY (run, first, second, judge, rubric, prompt)
    ) WITHOUT ROWID
    """,
)


def make_judge_tables(connection: sqlite3.Connection) -> None:
    """Make them, empty."""
    for statement in _STATEMENTS:
        connection.execute(statement)

"""Version 3: benchmarks with their models, and each request with its readings."""

import sqlite3

__all__ = ["make_run_tables"]

_STATEMENTS = (
    # All that a list of runs shows stands in the row: nothing is counted or looked up for it.
    """
    CREATE TABLE run (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        status TEXT NOT NULL,
        started_unix_ms INTEGER NOT NULL,
        ended_unix_ms INTEGER,
        path TEXT NOT NULL,
        models TEXT NOT NULL,
        planned INTEGER NOT NULL,
        requests INTEGER NOT NULL,
        tags TEXT NOT NULL
    )
    """,
    "CREATE INDEX run_by_start ON run (started_unix_ms)",
    # Apart from the runs, so that a list of them does not wade through prompts.
    """
    CREATE TABLE run_plan (
        run INTEGER NOT NULL PRIMARY KEY REFERENCES run ON DELETE CASCADE,
        plan TEXT NOT NULL,
        environment TEXT NOT NULL,
        note TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE run_model (
        run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
        place INTEGER NOT NULL,
        model TEXT NOT NULL,
        model_id TEXT,
        outcome TEXT,
        reason TEXT,
        load_ns INTEGER,
        rss_before_bytes INTEGER,
        rss_loaded_bytes INTEGER,
        rss_after_bytes INTEGER,
        facts TEXT NOT NULL,
        warnings TEXT NOT NULL,
        PRIMARY KEY (run, place),
        UNIQUE (run, model)
    )
    """,
    # With a hidden number of its own: rows lie in the file as they came, one run's beside each other.
    """
    CREATE TABLE run_request (
        run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
        number INTEGER NOT NULL,
        model TEXT NOT NULL,
        model_id TEXT NOT NULL,
        prompt TEXT NOT NULL,
        round INTEGER NOT NULL,
        phase TEXT NOT NULL,
        begun_unix_ms INTEGER NOT NULL,
        peak_rss_bytes INTEGER,
        peak_vram_bytes INTEGER,
        energy_j REAL,
        text TEXT NOT NULL,
        reasoning TEXT NOT NULL,
        readings BLOB NOT NULL,
        PRIMARY KEY (run, number)
    )
    """,
)


def make_run_tables(connection: sqlite3.Connection) -> None:
    """Make them."""
    for statement in _STATEMENTS:
        connection.execute(statement)

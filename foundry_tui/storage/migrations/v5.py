"""Version 5: marked rounds of a benchmark that are measured again, and what was expected of its models."""

import sqlite3

__all__ = ["make_room_for_attempts"]


def make_room_for_attempts(connection: sqlite3.Connection) -> None:
    """Make it; every request that is there is a first attempt, and nothing was expected of any model."""
    connection.execute("ALTER TABLE run_request ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1")
    connection.execute("ALTER TABLE run_plan ADD COLUMN reruns TEXT NOT NULL DEFAULT '[]'")
    connection.execute("ALTER TABLE run_model ADD COLUMN prediction TEXT")

"""Version 4: what the engine took of the machine while a benchmark ran, and why one ended early.

With it goes what was read around each request, and of memory that only the engine has and of the GPU's.
"""

import sqlite3

__all__ = ["make_resource_table"]

# A row is a batch of readings, of a second or two: they are only ever read all together.
_STATEMENT = """
    CREATE TABLE run_resource (
        run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
        place INTEGER NOT NULL,
        readings BLOB NOT NULL,
        PRIMARY KEY (run, place)
    )
    """


_LEVELS = (
    *("uss_before_bytes", "uss_loaded_bytes", "uss_after_bytes"),
    *("vram_before_bytes", "vram_loaded_bytes", "vram_after_bytes"),
)


def make_resource_table(connection: sqlite3.Connection) -> None:
    """Make it, and room for a reason, for further memory of a model and for the conditions of a request."""
    connection.execute(_STATEMENT)
    connection.execute("ALTER TABLE run ADD COLUMN reason TEXT")
    for name in _LEVELS:
        connection.execute(f"ALTER TABLE run_model ADD COLUMN {name} INTEGER")
    connection.execute("ALTER TABLE run_request ADD COLUMN conditions TEXT")

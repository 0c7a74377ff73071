"""Version 1: conversations with their turns and readings, saved prompts, and what was typed."""

import sqlite3

from foundry_tui.domain.errors import StorageProblem

__all__ = ["make_first_tables"]

_STATEMENTS = (
    # The head refers to a turn, which refers to its conversation: only one of the two can be declared.
    """
    CREATE TABLE conversation (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        created_unix_ms INTEGER NOT NULL,
        updated_unix_ms INTEGER NOT NULL,
        options TEXT NOT NULL,
        head INTEGER
    )
    """,
    "CREATE INDEX conversation_by_use ON conversation (updated_unix_ms)",
    # The number says conversation and place, see tables.py.
    """
    CREATE TABLE turn (
        number INTEGER PRIMARY KEY,
        conversation INTEGER NOT NULL REFERENCES conversation ON DELETE CASCADE,
        id TEXT NOT NULL UNIQUE,
        parent INTEGER REFERENCES turn,
        role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
        begun_unix_ms INTEGER NOT NULL,
        model TEXT,
        text TEXT NOT NULL,
        reasoning TEXT NOT NULL
    )
    """,
    "CREATE INDEX turn_by_model ON turn (conversation, model)",
    "CREATE INDEX turn_by_parent ON turn (parent)",
    # An answer grows by pieces, because adding to a long text would write all of it again each time.
    """
    CREATE TABLE piece (
        number INTEGER PRIMARY KEY,
        turn INTEGER NOT NULL REFERENCES turn ON DELETE CASCADE,
        text TEXT NOT NULL,
        reasoning TEXT NOT NULL
    )
    """,
    "CREATE INDEX piece_by_turn ON piece (turn)",
    # Apart from the turns, so that lists and scans of texts do not wade through clock readings.
    """
    CREATE TABLE reading (
        turn INTEGER PRIMARY KEY REFERENCES turn ON DELETE CASCADE,
        trace TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE tag (
        conversation INTEGER NOT NULL REFERENCES conversation ON DELETE CASCADE,
        folded TEXT NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (conversation, folded)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX tag_by_name ON tag (folded)",
    """
    CREATE TABLE prompt (
        id TEXT NOT NULL PRIMARY KEY,
        folded TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        text TEXT NOT NULL,
        tags TEXT NOT NULL,
        used_unix_ms INTEGER
    )
    """,
    "CREATE TABLE entry (number INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    # The words come cut and folded (words.py), one space between them.  A copy of them is kept, so that a row
    # can be removed by any version of Python, whose Unicode may fold a rare character differently.
    "CREATE VIRTUAL TABLE words USING fts5 (tokens, tokenize = 'ascii', prefix = '1 2', columnsize = 0)",
    """
    CREATE TRIGGER turn_removed AFTER DELETE ON turn BEGIN
        DELETE FROM words WHERE rowid = old.number;
    END
    """,
    """
    CREATE TRIGGER conversation_removed AFTER DELETE ON conversation BEGIN
        DELETE FROM words WHERE rowid = old.number << 24;
    END
    """,
)


def make_first_tables(connection: sqlite3.Connection) -> None:
    """Make them.

    Raises:
        StorageProblem: This SQLite cannot search texts.
    """
    for statement in _STATEMENTS:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            if "fts5" not in str(error):
                raise
            raise StorageProblem(
                f"the SQLite {sqlite3.sqlite_version} of this Python has no full-text search (FTS5)",
                remedy="use a Python whose SQLite has it, such as those of python.org",
            ) from error

"""What SQLite complains of, in words with a remedy; never with SQL or with what the user wrote."""

import sqlite3
from pathlib import Path

from foundry_tui.domain.errors import StorageProblem

__all__ = ["BUSY_CODES", "leaves_sound", "not_a_database", "primary_code", "storage_problem"]

BUSY_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
"""Primary codes of a file that is in use."""

_PUT_BACK = "quit and move it away to begin anew, or put a copy of it in its place; it was left as it is"
_OUR_FAULT = ("{path} refused a request ({name})", "report this: it is a fault of this program")
_MESSAGES = {
    sqlite3.SQLITE_FULL: ("{path} cannot grow: the disk is full", "free some space on that disk"),
    sqlite3.SQLITE_BUSY: ("{path} is in use by another program", "close that program, or try again"),
    sqlite3.SQLITE_LOCKED: ("{path} is in use by another program", "close that program, or try again"),
    sqlite3.SQLITE_READONLY: (
        "{path} cannot be written",
        "give yourself permission to write it and its folder, or name another folder with --data-dir",
    ),
    sqlite3.SQLITE_PERM: ("{path} may not be opened", "give yourself permission to read and write it"),
    sqlite3.SQLITE_CANTOPEN: (
        "{path} cannot be opened",
        "check that its folder is there and can be written, or name another one with --data-dir",
    ),
    sqlite3.SQLITE_IOERR: (
        "reading or writing {path} failed ({name})",
        "check that its disk is there and has free space",
    ),
    sqlite3.SQLITE_CORRUPT: ("{path} is damaged", _PUT_BACK),
    sqlite3.SQLITE_NOTADB: ("{path} is no database", _PUT_BACK),
}


def primary_code(error: BaseException | None) -> int:
    """Which kind of failure it was; ``SQLITE_ERROR`` where the driver does not say."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else sqlite3.SQLITE_ERROR


def leaves_sound(error: BaseException | None) -> bool:
    """Whether the connection that raised ``error`` is as good as before."""
    return primary_code(error) in {*BUSY_CODES, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CONSTRAINT}


def not_a_database(path: Path) -> StorageProblem:
    """Something else has the file's name."""
    message, remedy = _MESSAGES[sqlite3.SQLITE_NOTADB]
    return StorageProblem(message.format(path=path), remedy=remedy)


def storage_problem(path: Path, error: BaseException | None) -> StorageProblem:
    """``error``, raised by the driver, as what a user can read and act on."""
    name = str(getattr(error, "sqlite_errorname", type(error).__name__))
    message, remedy = _MESSAGES.get(primary_code(error), _OUR_FAULT)
    return StorageProblem(message.format(path=path, name=name), remedy=remedy)

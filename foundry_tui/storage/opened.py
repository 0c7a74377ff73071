"""The open file: one connection, transactions that wait for other programs, and failures in words."""

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.storage.migrations import STEPS, Step, migrate
from foundry_tui.storage.migrations.runner import check_ours
from foundry_tui.storage.problems import (
    BUSY_CODES,
    leaves_sound,
    not_a_database,
    primary_code,
    storage_problem,
)

__all__ = ["OpenFile"]

_LOG = logging.getLogger(__name__)

T = TypeVar("T")

_PRAGMAS = (
    # Each commit is on the disk before it is answered; see docs/decisions/0010-database.md for what it costs.
    "synchronous = FULL",
    # macOS alone: without it a checkpoint may reach the disk in another order than it was written.
    "checkpoint_fullfsync = ON",
    "foreign_keys = ON",
    # What is deleted is overwritten, not only forgotten.
    "secure_delete = ON",
)
_LEAST_BYTES = 512
_PAUSE_S = 0.02
_BEGIN = "foundry_tui_begin"


class OpenFile:
    """One connection to the file; made, used and closed in one thread.

    Attributes:
        is_sound: Whether the connection is as good as new; after some failures only another one is.

    Raises:
        StorageProblem: The file cannot be used; it was left as it is.
    """

    def __init__(self, path: Path, *, busy_s: float, steps: Sequence[Step] = STEPS) -> None:
        self._path = path
        self.is_sound = True
        try:
            _make_private(path)
            self._connection = _connect(path, busy_s, steps)
            self._identity = _identity(path)
        except sqlite3.Error as error:
            raise storage_problem(path, error) from error
        except OSError as error:
            raise StorageProblem(
                f"{path} cannot be opened: {error.strerror}",
                remedy="check that its folder is there and can be written, or name another with --data-dir",
            ) from error
        self._engine = sa.create_engine(
            "sqlite://", creator=lambda: self._connection, poolclass=StaticPool, hide_parameters=True
        )
        sa.event.listen(self._engine, "begin", _begin)
        self._writing = self._engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """What ``work`` finds; all of it as the file was at one moment.

        Raises:
            StorageProblem: It cannot be read.
        """
        return self._run(self._engine, work)

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Do ``work`` whole or not at all.

        Raises:
            StorageProblem: It cannot be written, or another program is writing for too long.
        """
        return self._run(self._writing, work)

    @property
    def is_in_place(self) -> bool:
        """Whether the path still leads to this file: SQLite would go on writing to one that was deleted."""
        try:
            return _identity(self._path) == self._identity
        except OSError:
            return False

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()
        try:
            self._connection.close()
        except sqlite3.Error as error:
            _LOG.warning("%s", storage_problem(self._path, error))

    def _run(self, engine: sa.Engine, work: Callable[[sa.Connection], T]) -> T:
        try:
            with engine.begin() as connection:
                return work(connection)
        except DBAPIError as error:
            self.is_sound = leaves_sound(error.orig)
            # Not from the outer error, whose text has the statement.
            raise storage_problem(self._path, error.orig) from _harmless(error.orig)
        except OverflowError as error:
            raise BadInput(
                "a number is too large to be kept", remedy="whole numbers of up to 18 digits are"
            ) from error


def _connect(path: Path, busy_s: float, steps: Sequence[Step]) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=busy_s, isolation_level=None)
    try:
        check_ours(connection, path, steps)
        _use_wal(connection, path, busy_s)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        migrate(connection, path, steps)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_private(path: Path) -> None:
    """A file that only its owner can read; the files that SQLite puts beside it take after it."""
    try:
        # Only ever a file that was not there: closing a second handle would drop the locks of a first one.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        if 0 < path.stat().st_size < _LEAST_BYTES:
            # SQLite would take it for an empty one, and write over it.
            raise not_a_database(path) from None
        with suppress(OSError):  # somebody else's, or a file system without permissions
            path.chmod(0o600)


def _use_wal(connection: sqlite3.Connection, path: Path, busy_s: float) -> None:
    """Let readers and a writer work side by side, where the file system can; it stays so."""
    patience_s = time.monotonic() + busy_s
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if primary_code(error) not in BUSY_CODES or time.monotonic() > patience_s:
                raise
            # Of two programs that make the file at once one is refused; SQLite does not wait here by itself.
            time.sleep(_PAUSE_S)
            continue
        if mode != "wal":
            _LOG.info("%s is kept in journal mode %s: its file system cannot do better", path, mode)
        return


def _begin(connection: sa.Connection) -> None:
    # A transaction that begins by reading and then writes would be refused at once, not wait, if another
    # program had written in between; so one that will write says so.
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _harmless(error: BaseException | None) -> BaseException | None:
    """``error``, unless it may quote what is kept, as those do that are not SQLite's own."""
    return error if hasattr(error, "sqlite_errorcode") else None

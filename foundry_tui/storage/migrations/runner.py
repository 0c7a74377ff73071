"""Runs the steps that a file still needs, each in a transaction of its own, after a copy was put by."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import TypeAlias

from foundry_tui.domain.errors import StorageProblem

__all__ = ["APPLICATION_ID", "Step", "check_ours", "migrate"]

APPLICATION_ID = 0x46545549
"""In the file's header, so that no other program's database is taken for ours."""

Step: TypeAlias = Callable[[sqlite3.Connection], None]


def check_ours(connection: sqlite3.Connection, path: Path, steps: Sequence[Step]) -> None:
    """Make sure, by reading alone, that the file is empty, or ours and of a version that we know.

    Raises:
        StorageProblem: It is another program's, or a newer one of ours wrote it.
    """
    with _transaction(connection, "BEGIN"):
        application, version = _number(connection, "application_id"), _number(connection, "user_version")
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (application or version or tables):
        raise StorageProblem(
            f"{path} belongs to another program",
            remedy="move it away, or name another folder with --data-dir",
        )
    if version > len(steps):
        raise StorageProblem(
            f"{path} was written by a newer version of this program (format {version}, known: {len(steps)})",
            remedy="update this program, or name another folder with --data-dir; the file was left as it is",
        )


def migrate(connection: sqlite3.Connection, path: Path, steps: Sequence[Step]) -> None:
    """Take the steps that are missing.  Several programs may try at once: one does it, the others wait.

    Before data is changed a copy is put beside the file, named for the version that it has.

    Raises:
        StorageProblem: The copy could not be made; nothing was changed.
        sqlite3.Error: A step failed; the file is as it was after the step before.
    """
    copy: Path | None = None
    is_new = has_changed = False
    try:
        for version in range(_number(connection, "user_version") + 1, len(steps) + 1):
            with _transaction(connection, "BEGIN IMMEDIATE"):
                before = _number(connection, "user_version")
                if before >= version:
                    continue  # another program was faster
                is_new = is_new or before == 0
                if not is_new and copy is None:
                    copy = _put_copy_by(path, before)
                steps[version - 1](connection)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {version}")
            has_changed = True
    except BaseException:
        if copy is not None and not has_changed:
            copy.unlink(missing_ok=True)  # it would be one more with each try
        raise


def _put_copy_by(path: Path, version: int) -> Path:
    """Copy what is committed; the lock that we hold sees to it that nothing is added meanwhile."""
    copy = _new_file(path, version)
    try:
        # Connections of their own: SQLite does not copy what is in the middle of a transaction.
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    except sqlite3.Error as error:
        copy.unlink(missing_ok=True)
        raise StorageProblem(
            f"no copy of {path} could be made, so it was not brought to the new format",
            remedy="free as much space on that disk as the file takes",
        ) from error
    return copy


def _new_file(path: Path, version: int) -> Path:
    for number in count(1):
        copy = path.with_name(f"{path.name}.v{version}" + (f"-{number}" if number > 1 else "") + ".bak")
        try:
            os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            continue  # of a time when this file, or one that was put back, had that version: kept
        except OSError as error:
            raise StorageProblem(
                f"{copy} cannot be made: {error.strerror}", remedy="give yourself permission to write there"
            ) from error
        return copy
    raise AssertionError("numbers do not end")


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])

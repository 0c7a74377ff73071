"""Locks among processes: an advisory lock on a file, which the system takes from whoever dies."""

import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from foundry_tui.domain.errors import StorageProblem

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["FileLock"]

_LABEL_BYTES = 512
# Where Windows locks a byte nobody can read it either, so it is one far behind the label.
_LOCKED_AT = 1 << 30
# Whoever looks for a holder has the lock for some microseconds.
_TRIES = 5
_PAUSE_S = 0.002


class FileLock:
    """A lock that at most one process has; its file stays when it is given back.

    It is safe to use from several threads.  Of two in one process only one has the lock, as of two processes.

    Args:
        path: The file; its folder must be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._label = ""
        self._mutex = threading.Lock()

    def acquire(self, label: str) -> bool:
        """Take it and leave ``label`` for others to read; False if another process has it.

        Raises:
            StorageProblem: The file cannot be made or written.
        """
        with self._mutex:
            if self._descriptor is not None:
                return True
            try:
                descriptor = self._locked()
                if descriptor is None:
                    return False
                _write_label(descriptor, label)
            except OSError as error:
                raise self._problem(error) from error
            self._descriptor, self._label = descriptor, label
            return True

    def release(self) -> None:
        """Give it back; no error if it was not held."""
        with self._mutex:
            descriptor, self._descriptor = self._descriptor, None
            if descriptor is not None:
                _unlock(descriptor)
                os.close(descriptor)

    def holder(self) -> str | None:
        """The label of the process that has it; None if nobody does.

        Raises:
            StorageProblem: The file cannot be read.
        """
        with self._mutex:
            if self._descriptor is not None:
                return self._label
            try:
                descriptor = os.open(self._path, os.O_RDWR)
            except FileNotFoundError:
                return None
            except OSError as error:
                raise self._problem(error) from error
            try:
                if _try_to_lock(descriptor):
                    _unlock(descriptor)
                    return None
                return _read_label(descriptor)
            finally:
                os.close(descriptor)

    def _locked(self) -> int | None:
        """The open file with the lock on it; None if another has that."""
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_PAUSE_S)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            is_ours = False
            try:
                # A file that was removed meanwhile would be locked by nobody else.
                is_ours = _try_to_lock(descriptor) and self._is_in_place(descriptor)
            finally:
                if not is_ours:
                    os.close(descriptor)
            if is_ours:
                return descriptor
        return None

    def _is_in_place(self, descriptor: int) -> bool:
        with suppress(OSError):
            return os.path.samestat(self._path.stat(), os.fstat(descriptor))
        return False

    def _problem(self, error: OSError) -> StorageProblem:
        return StorageProblem(
            f"{self._path} cannot be used as a lock: {error.strerror}",
            remedy="check that its folder is there and can be written, or name another with --data-dir",
        )


# flock and not POSIX locks on Unix: those are lost as soon as any part of the process closes the file.


def _try_to_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, _LOCKED_AT, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _unlock(descriptor: int) -> None:
    if sys.platform == "win32":
        os.lseek(descriptor, _LOCKED_AT, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _write_label(descriptor: int, label: str) -> None:
    try:
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, label.encode(errors="replace")[:_LABEL_BYTES])
    except OSError:
        # On a full disk too the lock is one; who has it is then not known.
        with suppress(OSError):
            os.ftruncate(descriptor, 0)


def _read_label(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, _LABEL_BYTES).decode(errors="replace")

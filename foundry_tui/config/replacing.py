"""A file rewritten whole or not at all, with what it was before kept beside it."""

import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from foundry_tui.config.documents import read_bytes

__all__ = ["BACKUP_SUFFIX", "rewrite"]

BACKUP_SUFFIX = ".bak"
_TRIES = 5


def rewrite(path: Path, change: Callable[[bytes | None], bytes | None]) -> None:
    """Let ``path`` say what ``change`` makes of what it says.

    By the return it is on the disk, not only in a cache.  Permissions stay, and where ``path`` is a link, its
    target is replaced and not the link.  Whoever wrote the file meanwhile is not overwritten: ``change`` is
    asked again.  Only between the last look and the rename, some microseconds, could a write be lost.

    Args:
        path: Its folder is made if it is missing.
        change: Is given None where there is no file; gives the same, or None, to leave it as it is.

    Raises:
        BadInput: The file cannot be read.
        OSError: It cannot be written; what was there is there.
    """
    real = path.resolve()
    for _ in range(_TRIES):
        before = _read(path)
        after = change(before)
        if after is None or after == before or _replaced(path, real, before, after):
            return
    raise OSError(None, "somebody else keeps writing it")


def _read(path: Path) -> bytes | None:
    return read_bytes(path) if path.exists() or path.is_symlink() else None


def _replaced(path: Path, real: Path, before: bytes | None, after: bytes) -> bool:
    """Put ``after`` in the place of ``before``; False, and nothing changed, where that is no longer there."""
    real.parent.mkdir(parents=True, exist_ok=True)
    mode: int | None = None
    if before is not None:
        if not os.access(real, os.W_OK):
            # The rename would get around it, but whoever protects a file means it.
            raise PermissionError(None, "it is write-protected")
        mode = stat.S_IMODE(real.stat().st_mode)
    temporary = _temporary(real, after, mode)
    try:
        if _read(path) != before:
            return False
        if before is not None:
            _write(path.with_name(path.name + BACKUP_SUFFIX), before, mode)
        temporary.replace(real)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(real.parent)
    return True


def _write(path: Path, data: bytes, mode: int | None) -> None:
    temporary = _temporary(path, data, mode)
    try:
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _temporary(path: Path, data: bytes, mode: int | None) -> Path:
    """A file beside ``path`` with ``data`` on the disk; ``mode`` None leaves it to the user's mask."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    # Never open to more eyes than the file that it becomes, not even for a moment.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, 0o666 if mode is None else mode | stat.S_IWUSR)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        if mode is not None:
            temporary.chmod(mode)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _sync_folder(folder: Path) -> None:
    """Bring the rename to the disk, where a system can."""
    with suppress(OSError):  # the file is replaced all the same; Windows opens no folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

"""Downloads that were left in the middle: where they lie, who is at work on them, and their removal.

The runtime marks a folder with ``download.tmp`` until all is here, and holds ``.download.lock`` (``flock`` on
Linux, measured) for as long as it works in it.  Names of folders come from the network.
"""

import os
import re
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from foundry_tui.domain.downloads import Partial
from foundry_tui.domain.errors import ModelRefused, StorageProblem
from foundry_tui.engines.downloads.allocated import allocated_bytes, files_below

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = [
    "LOCK_FILE",
    "find_partials",
    "is_plain",
    "is_unfinished",
    "lock_owner",
    "model_place",
    "remove_partial",
    "unfinished_place",
]

LOCK_FILE: Final = ".download.lock"
_MARK_FILE: Final = "download.tmp"
# Only what is finished has these; what lies below them came from a server, whatever it is called.
_FINISHED_FILES: Final = ("inference_model.json", "genai_config.json")
_NAME = re.compile(r"(?P<name>.+)-(?P<version>\d{1,9})")
_OWNER = re.compile(rb"PID:(\d{1,10})\b")
_IN_USE = "a process is at work on it"


def model_place(publisher: str | None, model_id: str) -> tuple[str, ...]:
    """Publisher (if it has one) and folder of a model below the cache, as the runtime names them.

    Empty where these names would lead out of it; the runtime refuses such.
    """
    parts = (*filter(None, [publisher]), model_id.replace(":", "-"))
    return parts if all(is_plain(part) for part in parts) else ()


def is_plain(part: str) -> bool:
    """Whether a name from the network stays in its folder: no separator, no way up."""
    return part not in {"", ".", ".."} and not any(sign in part for sign in "/\\\0")


def unfinished_place(cache_dir: Path, model_id: str) -> tuple[str, ...]:
    """Where below the cache an unfinished download of that variant lies; empty if there is none."""
    name = model_id.replace(":", "-")
    found = (folder for folder in _unfinished_below(cache_dir) if folder.name == name)
    return next((folder.relative_to(cache_dir).parts for folder in found), ())


def find_partials(cache_dir: Path) -> tuple[Partial, ...]:
    """All unfinished downloads below ``cache_dir``, the most recently touched first."""
    found = [_partial(folder) for folder in _unfinished_below(cache_dir)]
    return tuple(sorted(found, key=lambda partial: -partial.touched_unix))


def is_unfinished(folder: Path) -> bool:
    """Whether the runtime has begun to fill ``folder`` and has not finished."""
    return _is_a(folder / _MARK_FILE, stat.S_ISREG)


def lock_owner(folder: Path) -> int | None:
    """Number of the process that is at work on ``folder``, 0 if it tells none; None if there is none."""
    path = folder / LOCK_FILE
    try:
        with _locked(path, is_made=False):
            return None
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return _owner(path)
    except OSError:
        # A link in its place, or a file system without locks: the runtime cannot hold one there either.
        return None


def remove_partial(cache_dir: Path, path: str) -> int:
    """See ``ports.DownloadRunner``."""
    folder = Path(path)
    if not _is_real_below(cache_dir, folder):
        raise ModelRefused(f"{path} is no folder of the model cache {cache_dir}")
    if not is_unfinished(folder):
        raise ModelRefused(f"{path} holds no unfinished download")
    try:
        # A download that starts now waits for us.
        with _locked(folder / LOCK_FILE, is_made=True):
            if not is_unfinished(folder):
                (folder / LOCK_FILE).unlink(missing_ok=True)
                raise ModelRefused(f"{path} has been finished meanwhile")
            before = allocated_bytes(folder)
            _empty(folder)
            if sys.platform != "win32":
                _finish(folder)
    except BlockingIOError as error:
        raise ModelRefused(f"{path}: {_IN_USE}", remedy="cancel that download first") from error
    except OSError as error:
        raise StorageProblem(
            f"{path} cannot be deleted: {error.strerror or error}", remedy="check the folder's permissions"
        ) from error
    if sys.platform == "win32":
        _finish_quietly(folder)  # a file that is open cannot be deleted there
    return max(0, before - allocated_bytes(folder))


def _empty(folder: Path) -> None:
    """Delete all but the two marks: what a failure leaves must never look like a finished model."""
    with os.scandir(folder) as entries:
        found = [entry for entry in entries if entry.name not in (_MARK_FILE, LOCK_FILE)]
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            Path(entry.path).unlink(missing_ok=True)


def _finish(folder: Path) -> None:
    (folder / LOCK_FILE).unlink(missing_ok=True)
    (folder / _MARK_FILE).unlink(missing_ok=True)
    folder.rmdir()


def _finish_quietly(folder: Path) -> None:
    with suppress(OSError):
        _finish(folder)


def _unfinished_below(cache_dir: Path) -> Iterator[Path]:
    for each in _folders_in(cache_dir):
        if is_unfinished(each):
            yield each
        elif not _is_model(each):
            yield from filter(is_unfinished, _folders_in(each))


def _folders_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [path for path in map(Path, entries) if _is_a(path, stat.S_ISDIR)]
    except OSError:
        return []


def _is_model(folder: Path) -> bool:
    return is_unfinished(folder) or any(_is_a(folder / name, stat.S_ISREG) for name in _FINISHED_FILES)


def _partial(folder: Path) -> Partial:
    named = _NAME.fullmatch(folder.name)
    return Partial(
        model_id=None if named is None else f"{named['name']}:{named['version']}",
        path=str(folder),
        disk_bytes=allocated_bytes(folder),
        touched_unix=max(_touched(folder)),
        is_locked=lock_owner(folder) is not None,
    )


def _touched(folder: Path) -> Iterator[float]:
    yield 0.0
    for entry in files_below(folder):
        with suppress(OSError):
            yield entry.stat(follow_symlinks=False).st_mtime


def _is_real_below(cache_dir: Path, folder: Path) -> bool:
    """Whether a model can lie there: a folder in ``cache_dir`` or in a publisher's, no link on the way."""
    try:
        steps = folder.relative_to(cache_dir).parts
    except ValueError:
        return False
    if not 1 <= len(steps) <= 2 or ".." in steps:
        return False
    publisher = cache_dir / steps[0]
    is_publisher = len(steps) == 1 or (_is_a(publisher, stat.S_ISDIR) and not _is_model(publisher))
    return is_publisher and _is_a(folder, stat.S_ISDIR)


def _is_a(path: Path, is_kind: Callable[[int], bool]) -> bool:
    try:
        facts = path.lstat()
    except (OSError, ValueError):
        return False
    # A junction of Windows is a folder to stat and a link to everybody else.
    return is_kind(facts.st_mode) and not getattr(facts, "st_reparse_tag", 0)


def _owner(path: Path) -> int:
    try:
        with path.open("rb") as file:
            found = _OWNER.search(file.read(200))
    except OSError:
        return 0  # Windows: locked against reading too
    return 0 if found is None else int(found[1])


@contextmanager
def _locked(path: Path, *, is_made: bool) -> Iterator[None]:
    """Hold the lock at ``path``.

    Raises:
        BlockingIOError: Another process has it.
        OSError: There is none, or it cannot be opened.
    """
    flags = (
        os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | (os.O_CREAT if is_made else 0)
    )
    try:
        descriptor = os.open(path, flags, 0o644)
    except PermissionError as error:
        if sys.platform == "win32":
            raise BlockingIOError(_IN_USE) from error  # opened by another who shares it with nobody
        raise
    try:
        _take(descriptor)
        yield
    finally:
        os.close(descriptor)  # lets go of the lock too


def _take(descriptor: int) -> None:
    if sys.platform == "win32":
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(_IN_USE) from error
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

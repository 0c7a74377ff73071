"""Brings a folder of models to another place; interrupted anywhere, one whole copy is in force.

First everything is copied, then everything is compared, then the program is told to use the copy, and only
then the old files go, each only if the copy of it was found equal.  Everything here blocks.
"""

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from foundry_tui.domain.cache import DiskSpace, MovePhase, MoveProgress
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.domain.quantities import bytes_in_words

__all__ = ["MARKER", "CacheMove"]

MARKER: Final = ".foundry-tui-move.json"
"""In the new folder while a move is not complete: whose copy this is.  Only such a folder is ever emptied."""

_PART: Final = ".foundry-tui-part"
_CHUNK_BYTES: Final = 1_048_576
_SPARE_BYTES: Final = 16 * 1_048_576
_ROUNDS: Final = 3
_UNHARMED: Final = "free some space or its permissions; the old folder is as it was and in force"
_LATER: Final = "the new folder is complete and in force; what is left of the old one can be removed later"


@dataclass(frozen=True, slots=True)
class _Stamp:
    """By which a file is known to be as it was: kind, size and time of writing; a link by what it says."""

    mode: int
    size_bytes: int
    mtime_ns: int
    link: str | None = None


class CacheMove:
    """One move of ``source`` to ``target``; ``bring_over``, then the switch, then ``remove_source``.

    Args:
        source: The folder in force.
        target: A folder that is missing or empty, or holds what an interrupted move from ``source`` left.
        space: What a disk has left.
        step: Told of every megabyte and every file; an error that it raises ends the move where it is.
        may_link: Whether files may be hard-linked where both folders lie on one file system, which takes
            neither room nor time.
    """

    def __init__(
        self,
        source: Path,
        target: Path,
        *,
        space: Callable[[Path], DiskSpace | None],
        step: Callable[[MoveProgress], None],
        may_link: bool = True,
    ) -> None:
        self._source = source
        self._target = target
        self._space = space
        self._step = step
        self._may_link = may_link
        self._copied: dict[str, _Stamp] = {}
        self._hashes: dict[str, str] = {}
        self._linked: dict[tuple[int, int], Path] = {}
        self._done = self._total = 0

    def bring_over(self) -> int:
        """Make the copy and compare it; the bytes that it holds.  ``source`` is only read.

        Raises:
            BadInput: ``target`` cannot be used; nothing was changed.
            StorageProblem: No room, a file cannot be read or written, or files keep changing.
        """
        self._examine()
        try:
            self._target.mkdir(parents=True, exist_ok=True)
            (self._target / MARKER).write_text(json.dumps({"source": str(self._source)}), encoding="utf-8")
            for _ in range(_ROUNDS):
                wanted = {
                    name: stamp for name, stamp in _walk(self._source) if self._copied.get(name) != stamp
                }
                if not wanted and set(self._copied) == {name for name, _ in _walk(self._source)}:
                    return sum(stamp.size_bytes for stamp in self._copied.values())
                self._copy_all(wanted)
                self._compare_all(wanted)
        except OSError as error:
            raise _problem(error, self._target, _UNHARMED) from error
        raise StorageProblem(
            f"{self._source} keeps changing while it is copied", remedy="stop what writes to it and try again"
        )

    def remove_source(self) -> tuple[str, ...]:
        """Delete the old files that the new folder has; names of those that it has not, which stay.

        Raises:
            StorageProblem: A file cannot be deleted; the rest can be removed later.
        """
        left: list[str] = []
        try:
            entries = dict(_walk(self._source))
            self._done, self._total = 0, sum(stamp.size_bytes for stamp in entries.values())
            for name, stamp in entries.items():
                self._done += stamp.size_bytes
                self._step(self._progress(MovePhase.REMOVING))
                if self._copied.get(name) == stamp or self._is_equal(name, stamp):
                    (self._source / name).unlink()
                else:
                    left.append(name)
            with suppress(FileNotFoundError):
                (self._source / MARKER).unlink()
            _remove_empty_folders(self._source)
            (self._target / MARKER).unlink(missing_ok=True)
        except OSError as error:
            raise _problem(error, self._source, _LATER) from error
        return tuple(left)

    def undo(self) -> None:
        """Take back what was copied so far; must not be called once ``target`` is in force.

        Deletes only in a folder that is marked as the copy of ``source``, and only what ``source`` has too.
        """
        if not self._is_ours():
            return
        names = {name for name, _ in _walk(self._source)}
        for name, _ in list(_walk(self._target)):
            if name in names or name.endswith(_PART):
                with suppress(OSError):
                    (self._target / name).unlink()
        with suppress(OSError):
            (self._target / MARKER).unlink()
            _remove_empty_folders(self._target)

    def _examine(self) -> None:
        """See that the target can be used, before anything is written."""
        source, target = self._source.resolve(), self._target.resolve()
        if not source.is_dir():
            raise BadInput(f"{source} is no folder", remedy="there is nothing to move")
        if source == target or source in target.parents or target in source.parents:
            raise BadInput(
                f"{target} and {source} lie within each other", remedy="name a folder outside the old one"
            )
        try:
            if target.exists() and not target.is_dir():
                raise BadInput(
                    f"{target} is no folder", remedy="name an empty folder, or one that is not there"
                )
            if target.is_dir() and any(target.iterdir()) and not self._is_ours():
                raise BadInput(
                    f"{target} is not empty", remedy="name an empty folder, or one that is not there"
                )
        except OSError as error:
            raise _problem(error, target, _UNHARMED) from error
        self._check_room()

    def _check_room(self) -> None:
        anchor = next(folder for folder in (self._target, *self._target.parents) if folder.exists())
        if self._may_link and anchor.stat().st_dev == self._source.stat().st_dev:
            return
        space = self._space(self._target)
        there = {name for name, _ in _walk(self._target)} if self._target.is_dir() else set()
        missing = sum(
            min(stamp.size_bytes, _allocated(self._source / name))
            for name, stamp in _walk(self._source)
            if name not in there
        )
        need = missing + missing // 50 + _SPARE_BYTES
        if space is not None and space.free_bytes < need:
            free = bytes_in_words(space.free_bytes)
            raise StorageProblem(
                f"{self._target} has {free} free, {bytes_in_words(need)} are needed",
                remedy="free some space there, remove models first, or name a folder on another disk",
            )

    def _is_ours(self) -> bool:
        try:
            content: object = json.loads((self._target / MARKER).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return False
        return isinstance(content, dict) and content.get("source") == str(self._source)

    def _copy_all(self, wanted: dict[str, _Stamp]) -> None:
        self._done, self._total = 0, sum(stamp.size_bytes for stamp in wanted.values())
        self._step(self._progress(MovePhase.COPYING))
        for folder in _folders(self._source):
            (self._target / folder).mkdir(parents=True, exist_ok=True)
        for name, stamp in wanted.items():
            source, target = self._source / name, self._target / name
            if stamp.link is not None:
                _copy_link(source, target, stamp.link, root=self._source)
            elif not self._link(source, target) and not self._is_there(target, stamp):
                self._hashes[name] = self._copy(source, target)
            self._copied[name] = stamp
            self._step(self._progress(MovePhase.COPYING))

    def _is_there(self, target: Path, stamp: _Stamp) -> bool:
        """Whether an interrupted move got as far as this file; it is compared with the rest."""
        if not target.exists() or _stamp(target) != stamp:
            return False
        self._done += stamp.size_bytes
        return True

    def _link(self, source: Path, target: Path) -> bool:
        """Give the file its second name, or the copy of it that another name has already; False if not."""
        facts = source.stat()
        key = (facts.st_dev, facts.st_ino)
        first = source if self._may_link and facts.st_dev == target.parent.stat().st_dev else None
        first = first or (self._linked.get(key) if facts.st_nlink > 1 else None)
        if first is not None:
            try:
                target.unlink(missing_ok=True)
                os.link(first, target)
            except OSError:  # this file system has no links: a copy does as well
                first = None
        if first is not None:
            self._done += facts.st_size
            return True
        self._linked[key] = target
        return False

    def _copy(self, source: Path, target: Path) -> str:
        """Copy contents, permissions and times; the hash of what was read.  Zeros become holes again."""
        part = target.with_name(target.name + _PART)
        digest, size = hashlib.sha256(), 0
        with source.open("rb", buffering=0) as old, part.open("wb", buffering=0) as new:
            while chunk := old.read(_CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
                if chunk.strip(b"\0"):
                    _write_all(new.fileno(), chunk)
                else:
                    new.seek(size)
                self._done += len(chunk)
                self._step(self._progress(MovePhase.COPYING))
            new.truncate(size)
            os.fsync(new.fileno())
        with suppress(OSError):  # not every file system keeps permissions
            shutil.copystat(source, part)
        part.replace(target)
        return digest.hexdigest()

    def _compare_all(self, wanted: dict[str, _Stamp]) -> None:
        self._done = 0
        for name, stamp in wanted.items():
            if not self._is_equal(name, stamp):
                if _stamp(self._source / name) != stamp:
                    self._copied.pop(name)  # it was written meanwhile: once more
                    continue
                raise StorageProblem(
                    f"the copy of {name} is not like it", remedy="the disk may be failing: try another one"
                )
            self._step(self._progress(MovePhase.COMPARING))
        for folder in _folders(self._target):
            _sync(self._target / folder)

    def _is_equal(self, name: str, stamp: _Stamp) -> bool:
        """Whether the new folder has that file with the same contents."""
        old, new = self._source / name, self._target / name
        try:
            facts = new.lstat()
        except OSError:
            return False
        if stamp.link is not None:
            return stat.S_ISLNK(facts.st_mode)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size != stamp.size_bytes:
            return False
        if facts.st_ino and os.path.samestat(facts, old.lstat()):
            self._done += facts.st_size
            return True
        known = self._hashes.get(name) if self._copied.get(name) == stamp else None
        return self._hash(new, counts=True) == (known or self._hash(old, counts=False))

    def _hash(self, path: Path, *, counts: bool) -> str:
        digest = hashlib.sha256()
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
                if counts:
                    self._done = min(self._total, self._done + len(chunk))
                self._step(self._progress(MovePhase.COMPARING))
        return digest.hexdigest()

    def _progress(self, phase: MovePhase) -> MoveProgress:
        return MoveProgress(phase=phase, done_bytes=min(self._done, self._total), total_bytes=self._total)


def _walk(root: Path) -> Iterator[tuple[str, _Stamp]]:
    """Every file and link below ``root`` with its stamp; links are not followed, pipes left out."""
    for parent, folders, names in os.walk(root):
        folders.sort()
        links = [name for name in folders if Path(parent, name).is_symlink()]
        for name in sorted([*names, *links]):
            path = Path(parent, name)
            if path == root / MARKER:
                continue
            try:
                stamp = _stamp(path)
            except FileNotFoundError:
                continue
            if stat.S_ISREG(stamp.mode) or stamp.link is not None:
                yield str(path.relative_to(root)), stamp


def _stamp(path: Path) -> _Stamp:
    facts = path.lstat()
    if stat.S_ISLNK(facts.st_mode):
        return _Stamp(stat.S_IFMT(facts.st_mode), 0, 0, str(path.readlink()))
    return _Stamp(stat.S_IFMT(facts.st_mode), facts.st_size, facts.st_mtime_ns)


def _folders(root: Path) -> list[Path]:
    """``root`` and every folder below it, relative to it, outer ones first; links are none."""
    return [Path(parent).relative_to(root) for parent, _, _ in os.walk(root)]


def _remove_empty_folders(root: Path) -> None:
    for folder in reversed(_folders(root)):
        with suppress(OSError):  # something is in it that is not ours to remove
            (root / folder).rmdir()


def _copy_link(source: Path, target: Path, says: str, *, root: Path) -> None:
    """A link that leads out of the folder by a relative path must go on leading there."""
    leads_to = Path(os.path.normpath(source.parent / says))
    is_inside = leads_to.is_relative_to(root)
    target.unlink(missing_ok=True)
    target.symlink_to(says if is_inside or Path(says).is_absolute() else leads_to)


def _write_all(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def _allocated(path: Path) -> int:
    facts = path.lstat()
    blocks = getattr(facts, "st_blocks", None)
    return facts.st_size if blocks is None else int(blocks) * 512


def _sync(folder: Path) -> None:
    """Bring the names to the disk, where a system can; Windows opens no folders."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _problem(error: OSError, place: Path, remedy: str) -> StorageProblem:
    where = error.filename or place
    return StorageProblem(f"{where} cannot be used: {error.strerror or error}", remedy=remedy)

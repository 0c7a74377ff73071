"""What a disk has left and what folders take on it.  Everything here blocks."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from foundry_tui.domain.cache import DiskSpace

__all__ = ["LocalDisk", "allocated_bytes", "disk_space", "freed_bytes"]

_BLOCK_BYTES = 512  # the unit of st_blocks, whatever the file system's own is


class LocalDisk:
    """Implements ``services.cache.Disk`` on this machine's disks."""

    def space(self, path: Path) -> DiskSpace | None:
        return disk_space(path)

    def allocated(self, folder: Path) -> int | None:
        return allocated_bytes(folder)

    def freed(self, folder: Path) -> int | None:
        return freed_bytes(folder)


def disk_space(path: Path) -> DiskSpace | None:
    """The disk that ``path`` lies on, or would lie on once it is made; None if that cannot be read."""
    for folder in (path, *path.parents):
        try:
            usage = shutil.disk_usage(folder)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError):
            return None
        return DiskSpace(total_bytes=usage.total, free_bytes=usage.free)
    return None


def allocated_bytes(folder: Path) -> int | None:
    """Bytes that everything below ``folder`` takes on disk, hard links once; None if it is no folder.

    Blocks where the platform tells them, else sizes.  What symbolic links lead to is not counted.
    """
    if not os.path.isdir(folder):  # noqa: PTH112 - no error for a name that no file system takes
        return None
    seen: set[tuple[int, int]] = set()
    total = 0
    for facts in _entries(folder):
        key = (facts.st_dev, facts.st_ino)
        if facts.st_ino and key in seen:
            continue
        seen.add(key)
        total += _taken(facts)
    return total


def freed_bytes(folder: Path) -> int | None:
    """What removing ``folder`` would give back: files that have a further hard link elsewhere stay."""
    if not os.path.isdir(folder):  # noqa: PTH112 - no error for a name that no file system takes
        return None
    found: dict[tuple[int, int], tuple[int, os.stat_result]] = {}
    total = 0
    for facts in _entries(folder):
        if facts.st_nlink < 2 or not facts.st_ino:
            total += _taken(facts)
            continue
        key = (facts.st_dev, facts.st_ino)
        found[key] = (found.get(key, (0, facts))[0] + 1, facts)
    return total + sum(_taken(facts) for links, facts in found.values() if links >= facts.st_nlink)


def _entries(folder: Path) -> Iterator[os.stat_result]:
    """Every file and link below ``folder``, at every depth."""
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    try:
                        facts = entry.stat(follow_symlinks=False)
                    except OSError:
                        continue  # gone between listing and looking
                    if stat.S_ISDIR(facts.st_mode):
                        waiting.append(Path(entry.path))
                    else:
                        yield facts
        except OSError:
            continue  # gone, or closed to us


def _taken(facts: os.stat_result) -> int:
    blocks = getattr(facts, "st_blocks", None)
    return facts.st_size if blocks is None else int(blocks) * _BLOCK_BYTES

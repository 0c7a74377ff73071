"""The memory limit that Linux control groups put on us, read from their files (versions 1 and 2)."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from foundry_tui.domain.control_groups import memory_groups

__all__ = ["MemoryGroups", "MemoryLimit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryLimit:
    """The limit of one control group.

    Attributes:
        used_bytes: What the group holds, without the page cache that the kernel drops first.
    """

    limit_bytes: int
    used_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """What the files of one version are called."""

    limit: str
    usage: str
    cache: str


_LIMITS_S = 5.0
"""Between two looks at the limits, which somebody sets once; how full a group is, is read each time."""
_V1 = _Names(limit="memory.limit_in_bytes", usage="memory.usage_in_bytes", cache="total_inactive_file")
_V2 = _Names(limit="memory.max", usage="memory.current", cache="inactive_file")


class MemoryGroups:
    """The groups this process is in, from its own up to the root; an outer limit binds the inner groups.

    Args:
        root: Where the control groups are mounted.
        membership: The kernel's list of our groups, one ``number:controllers:path`` a line.
        clock_s: Of the looks at the limits.
    """

    def __init__(
        self,
        root: Path = Path("/sys/fs/cgroup"),
        membership: Path = Path("/proc/self/cgroup"),
        *,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folders = tuple(_folders(root, membership))
        self._clock_s = clock_s
        self._looked_s: float | None = None
        self._limits: list[tuple[int, Path, _Names]] = []

    def lowest(self, *, below_bytes: int) -> MemoryLimit | None:
        """The lowest limit below that, with the use of its group; None where no group has one."""
        now_s = self._clock_s()
        if self._looked_s is None or now_s - self._looked_s >= _LIMITS_S:
            self._looked_s, self._limits = now_s, _limits(self._folders)
        for limit_bytes, folder, names in self._limits:
            # Its statistics are the dearest file of a sample: only that of a group that binds is read.
            if limit_bytes < below_bytes and (used_bytes := _used_bytes(folder, names)) is not None:
                return MemoryLimit(limit_bytes=limit_bytes, used_bytes=used_bytes)
        return None


def _folders(root: Path, membership: Path) -> list[tuple[Path, _Names]]:
    try:
        listed = membership.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return []
    found: list[tuple[Path, _Names]] = []
    for version, path in memory_groups(listed):
        top, names = (root, _V2) if version == 2 else (root / "memory", _V1)
        # Inside a container the path can be the host's, which is not mounted: then only the top has files.
        own = top / path
        found += [(folder, names) for folder in (own, *own.parents) if folder.is_relative_to(top)]
    return [(folder, names) for folder, names in found if (folder / names.limit).is_file()]


def _limits(folders: Iterable[tuple[Path, _Names]]) -> list[tuple[int, Path, _Names]]:
    """Those that are set, lowest first."""
    found: list[tuple[int, Path, _Names]] = []
    for folder, names in folders:
        # "max" is no number: version 2 says so where there is no limit.
        with suppress(OSError, ValueError):
            found.append((int((folder / names.limit).read_text(encoding="ascii")), folder, names))
    return sorted(found, key=lambda each: each[0])


def _used_bytes(folder: Path, names: _Names) -> int | None:
    try:
        usage_bytes = int((folder / names.usage).read_text(encoding="ascii"))
        pairs = (line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
        cache_bytes = next((int(value) for name, value in pairs if name == names.cache), 0)
    except (OSError, ValueError):
        return None
    return max(0, usage_bytes - cache_bytes)

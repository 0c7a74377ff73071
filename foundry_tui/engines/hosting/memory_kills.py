"""How many processes the kernel ended for want of memory: the evidence behind a SIGKILL.  Linux only."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path

from foundry_tui.domain.control_groups import memory_groups

__all__ = ["MemoryKills"]

_WORD = "oom_kill"


class MemoryKills:
    """Follows the kernel's own counts, of the control groups of one process and of the whole machine.

    The kernel counts in the group that the victim is in, whoever's limit it was.

    Args:
        pid: The process; which groups it is in can be read only while it lives.
        proc: Where the kernel shows its processes; elsewhere it does not exist.
        groups: Where the control groups are mounted.
    """

    def __init__(
        self, pid: int, *, proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")
    ) -> None:
        self._membership = proc / str(pid) / "cgroup"
        self._machine = proc / "vmstat"
        self._groups = groups
        # Of the last two looks: one may fall between the kill and the moment when that is seen.
        self._looks: deque[dict[Path, int]] = deque(maxlen=2)

    def look(self) -> None:
        """Note the counts as they are now, so that kills long before are not taken for this one.  Blocks."""
        self._looks.append(_counts([*self._files(), self._machine]))

    def since(self) -> int | None:
        """How many there were since the look before the last; None where nobody counts.  Blocks."""
        if not self._looks or not self._looks[0]:
            return None
        before = {path: count for look in reversed(self._looks) for path, count in look.items()}
        now = _counts(before)
        return max((now[path] - before[path] for path in now), default=None)

    def _files(self) -> Iterator[Path]:
        """``memory.events`` of version 2, ``memory.oom_control`` of version 1, as far as they are there."""
        try:
            listed = self._membership.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return
        for version, path in memory_groups(listed):
            top = self._groups if version == 2 else self._groups / "memory"
            name = "memory.events" if version == 2 else "memory.oom_control"
            # Inside a container the path can be the host's, which is not mounted: its top is our own group.
            own = top / path / name
            yield own if own.is_file() else top / name


def _counts(files: "list[Path] | dict[Path, int]") -> dict[Path, int]:
    counts: dict[Path, int] = {}
    for path in files:
        try:
            lines = path.read_text(encoding="ascii", errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            name, _, value = line.partition(" ")
            if name == _WORD and value.isdecimal():
                counts[path] = int(value)
    return counts

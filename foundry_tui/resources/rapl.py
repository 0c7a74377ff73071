"""Energy of the processors, as they count it and Linux shows it (RAPL; AMD's under Intel's name, too)."""

import time
from collections.abc import Callable
from pathlib import Path

from foundry_tui.resources.missing import Unreadable

__all__ = ["PackageEnergy"]

_POWERCAP = Path("/sys/class/powercap")
_UJ_PER_J = 1_000_000
_NS_PER_S = 1_000_000_000
_MOST_W = 2_000
"""More than any package draws: a counter that would have risen faster over its end began anew instead."""
_FOR_ROOT = "the counter of the processor's energy is for root alone"


class PackageEnergy:
    """Adds up what all packages have drawn since the first reading's counter began, over its wraparounds.

    A counter wraps after some minutes to an hour of hard work: read it more often than that.  One that begins
    anew, as after a sleep of the machine, steps back here too: over that nothing can be told.

    Args:
        powercap: Where Linux lists the counters; elsewhere it does not exist.
        clock_ns: Tells a wraparound from a beginning.
    """

    def __init__(
        self, powercap: Path = _POWERCAP, *, clock_ns: Callable[[], int] = time.perf_counter_ns
    ) -> None:
        self._powercap = powercap
        self._clock_ns = clock_ns
        self._packages: list[_Package] | None = None

    def read_j(self) -> float:
        """Joules of all packages; only differences mean something.

        Raises:
            Unreadable: The system counts none, or lets nobody but root see it.
        """
        if self._packages is None:
            self._packages = self._find()
        if not self._packages:
            raise Unreadable("the system counts no energy of the processor")
        try:
            now_ns = self._clock_ns()
            return sum(package.read_uj(now_ns) for package in self._packages) / _UJ_PER_J
        except PermissionError:
            raise Unreadable(_FOR_ROOT) from None

    def _find(self) -> "list[_Package]":
        # intel-rapl:0 is a package, intel-rapl:0:1 a part of one; psys is the whole board, packages included.
        found: list[_Package] = []
        for folder in sorted(self._powercap.glob("intel-rapl:*")):
            if folder.name.count(":") != 1:
                continue
            try:
                name = (folder / "name").read_text(errors="replace")
                most_uj = int((folder / "max_energy_range_uj").read_text())
            except (OSError, ValueError):
                continue
            if name.startswith("package"):
                found.append(_Package(folder / "energy_uj", most_uj))
        return found


class _Package:
    def __init__(self, file: Path, most_uj: int) -> None:
        self._file = file
        self._most_uj = most_uj
        self._last_uj = 0
        self._last_ns = 0
        self._wrapped_uj = 0

    def read_uj(self, now_ns: int) -> int:
        now_uj = int(self._file.read_text())
        if now_uj < self._last_uj:
            risen_uj = self._most_uj - self._last_uj + now_uj
            is_wrapped = risen_uj * _NS_PER_S <= _MOST_W * _UJ_PER_J * (now_ns - self._last_ns)
            self._wrapped_uj = self._wrapped_uj + self._most_uj if is_wrapped else 0
        self._last_uj, self._last_ns = now_uj, now_ns
        return self._wrapped_uj + now_uj

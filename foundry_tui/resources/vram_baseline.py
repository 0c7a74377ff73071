"""What a GPU had in use before a process began, for drivers that do not tell memory by process."""

import time
from collections import deque
from collections.abc import Callable

from foundry_tui.resources.missing import Unreadable

__all__ = ["VramBaseline"]

_KEPT = 600
"""Readings of one device: a minute of the densest grid."""
_YOUNG_S = 2.0
"""A process as young as that has nothing on a GPU yet: it still loads its libraries."""


class VramBaseline:
    """Remembers readings of devices and which of them was the last before the watched process.

    Args:
        began_unix_s: When a process began; None where that cannot be read.
        unix_s: The same clock.
    """

    def __init__(
        self, began_unix_s: Callable[[int], float | None], *, unix_s: Callable[[], float] = time.time
    ) -> None:
        self._began_unix_s = began_unix_s
        self._unix_s = unix_s
        self._read: dict[int, deque[tuple[float, int]]] = {}
        self._pid: int | None = None
        self._before: dict[int, int | None] = {}

    def above(self, device: int, used_bytes: int, pid: int | None) -> int:
        """Note a reading of ``device``; what it is above the one from before ``pid`` began, never below 0.

        Raises:
            Unreadable: There is no such reading.
        """
        now_s = self._unix_s()
        history = self._read.setdefault(device, deque(maxlen=_KEPT))
        if pid != self._pid:
            self._pid, self._before = pid, {}
        if pid is not None and device not in self._before:
            self._before[device] = self._baseline(history, now_s, used_bytes, pid)
        history.append((now_s, used_bytes))
        before_bytes = self._before.get(device)
        if before_bytes is None:
            raise Unreadable("the GPU was not read before the engine began")
        return max(0, used_bytes - before_bytes)

    def _baseline(
        self, history: deque[tuple[float, int]], now_s: float, used_bytes: int, pid: int
    ) -> int | None:
        began_s = self._began_unix_s(pid)
        if began_s is None:
            return None
        earlier = [used for at_s, used in history if at_s <= began_s]
        if earlier:
            return earlier[-1]
        first_s, first_bytes = history[0] if history else (now_s, used_bytes)
        return first_bytes if first_s - began_s <= _YOUNG_S else None

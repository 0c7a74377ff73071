"""How busy others than the engine keep an NVIDIA GPU."""

import time
from collections.abc import Callable, Collection

from foundry_tui.resources.missing import Unreadable
from foundry_tui.resources.nvml_library import NOT_FOUND, NvmlLibrary, code_of

__all__ = ["OthersLoad"]

_PERIOD_US = 1_000_000
_LOOK_BACK_US = 2 * _PERIOD_US
"""Drivers take a sample every sixth of a second to every second, and show it somewhat later."""
_US_PER_NS = 1_000
_WHOLE = 100
# pynvml raises what the driver said, even where it said that all went well and there are no samples.
_NO_SAMPLES = frozenset({0, NOT_FOUND})
_EMPTY_AND_BUSY = "the driver samples no process of this GPU, although it is busy"
_WINDOWS = "on Windows the driver's binding misreads the load of processes"


class OthersLoad:
    """Reads one device, once a second at most: the driver has no new samples sooner, and each question costs.

    Args:
        unix_us: The time of day in microseconds, as the driver stamps its samples.
        is_misread: Whether the driver's binding takes a sample to be smaller than it is, as pynvml does on
            Windows: the driver would write beyond its end, so it is not asked.
    """

    def __init__(
        self,
        *,
        unix_us: Callable[[], int] = lambda: time.time_ns() // _US_PER_NS,
        is_misread: bool = False,
    ) -> None:
        self._unix_us = unix_us
        self._is_misread = is_misread
        self._own: frozenset[int] = frozenset()
        self._read_us: int | None = None
        self._known: float | Unreadable | None = None

    def share(
        self, library: NvmlLibrary, handle: object, own: Collection[int], busy_share: float | None
    ) -> float:
        """Share of the last two seconds in which others ran: each one's mean, added up, at most 1.

        Args:
            library: The driver's.
            handle: Of the device.
            own: Pids that are not others.
            busy_share: Of everybody, as just read: whether it is so that no process has a sample.

        Raises:
            Unreadable: The driver tells nothing by process.
            Exception: pynvml's, where it does not answer.
        """
        if self._is_misread:
            raise Unreadable(_WINDOWS)
        now_us, pids = self._unix_us(), frozenset(own)
        is_due = self._read_us is None or not 0 <= now_us - self._read_us < _PERIOD_US
        if is_due or pids != self._own or self._known is None:
            self._own, self._read_us, self._known = pids, now_us, None
            self._known = self._read(library, handle, now_us, busy_share)
        if isinstance(self._known, Unreadable):
            raise self._known
        return self._known

    def _read(
        self, library: NvmlLibrary, handle: object, now_us: int, busy_share: float | None
    ) -> float | Unreadable:
        try:
            samples = library.nvmlDeviceGetProcessUtilization(handle, now_us - _LOOK_BACK_US)
        except Exception as error:  # border: pynvml raises its own and ctypes' errors
            if code_of(error) not in _NO_SAMPLES:
                raise
            samples = ()
        of_process: dict[int, list[int]] = {}
        for sample in samples:
            if 0 <= sample.smUtil <= _WHOLE and sample.timeStamp > now_us - _LOOK_BACK_US:
                of_process.setdefault(sample.pid, []).append(sample.smUtil)
        if not of_process:
            return Unreadable(_EMPTY_AND_BUSY) if busy_share else 0.0
        means = (sum(shares) / len(shares) for pid, shares in of_process.items() if pid not in self._own)
        return min(1.0, sum(means) / _WHOLE)

"""What it costs to read the machine: processor time of the threads that do, told by themselves."""

import threading
import time
from collections.abc import Callable

from foundry_tui.domain.resources import Conditions, GpuSamples, HostSample
from foundry_tui.ports.machine import ConditionsProbe, GpuProbe, HostProbe

__all__ = ["SamplerCost"]

_NS_PER_S = 1_000_000_000
_MARK_NS = _NS_PER_S
_MARKS = 16
"""Of a second each: several rounds of what is read every five seconds are in the mean."""


class SamplerCost:
    """Wraps probes so that their threads say after each reading how much they have spent.

    That takes half a microsecond.  What the event loop does with a sample is not in it, nor what drivers do
    in threads of their own, nor each probe's first reading, for which libraries are loaded.

    Args:
        clock_ns: What the share is of.
        spent_ns: Processor time of the thread that asks, since it began.
    """

    def __init__(
        self,
        *,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
        spent_ns: Callable[[], int] = time.thread_time_ns,
    ) -> None:
        self._clock_ns = clock_ns
        self._spent_ns = spent_ns
        self._lock = threading.Lock()
        self._total_ns = 0
        self._marks: tuple[tuple[int, int], ...] = ()

    @property
    def share(self) -> float | None:
        """Processor time per time over the last quarter of a minute, 1.0 is one core; None for a second."""
        marks = self._marks  # one that is complete: it is replaced as a whole
        if len(marks) < 2:
            return None
        (begin_ns, before_ns), (end_ns, after_ns) = marks[0], marks[-1]
        return (after_ns - before_ns) / (end_ns - begin_ns)

    def of_probes(
        self, make: Callable[[], tuple[HostProbe, GpuProbe]]
    ) -> Callable[[], tuple[HostProbe, GpuProbe]]:
        """What makes the two probes, which count from then on; a stretch without readings is in no share."""

        def made() -> tuple[HostProbe, GpuProbe]:
            self._marks = ()
            host, gpu = make()
            return _Host(host, self._meter(), self._mark), _Gpu(gpu, self._meter())

        return made

    def of_conditions(self, make: Callable[[], ConditionsProbe]) -> Callable[[], ConditionsProbe]:
        """What makes the probe of what changes slowly, which counts from then on."""
        return lambda: _Slow(make(), self._meter())

    def _meter(self) -> Callable[[], None]:
        """To be called in one thread, after each reading."""
        before_ns: int | None = None

        def note() -> None:
            nonlocal before_ns
            spent_ns = self._spent_ns()
            if before_ns is not None:
                with self._lock:
                    self._total_ns += spent_ns - before_ns
            before_ns = spent_ns

        return note

    def _mark(self) -> None:
        now_ns = self._clock_ns()
        if not self._marks or now_ns - self._marks[-1][0] >= _MARK_NS:
            self._marks = (*self._marks[1 - _MARKS :], (now_ns, self._total_ns))


class _Host:
    def __init__(self, probe: HostProbe, note: Callable[[], None], mark: Callable[[], None]) -> None:
        self._probe = probe
        self._note = note
        self._mark = mark

    def sample(self, pid: int | None) -> HostSample:
        sample = self._probe.sample(pid)
        self._note()
        self._mark()
        return sample


class _Gpu:
    def __init__(self, probe: GpuProbe, note: Callable[[], None]) -> None:
        self._probe = probe
        self._note = note

    def sample(self, pid: int | None) -> GpuSamples:
        sample = self._probe.sample(pid)
        self._note()
        return sample

    def close(self) -> None:
        self._probe.close()


class _Slow:
    def __init__(self, probe: ConditionsProbe, note: Callable[[], None]) -> None:
        self._probe = probe
        self._note = note

    def sample(self, pid: int | None) -> Conditions:
        found = self._probe.sample(pid)
        self._note()
        return found

"""One process and those below it, read through psutil and, on Linux, from the kernel's own files."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from foundry_tui.domain.resources import ProcessSample
from foundry_tui.resources.missing import Reasons, Unreadable

__all__ = ["ProcessTree", "UniqueMemory", "began_unix_s", "process_sample", "unique_bytes"]

_PROC = Path("/proc")
_TREE_S = 15.0
"""Between two looks for children, for which the system lists all its processes: some milliseconds."""
_UNIQUE_SHARE = 0.002
"""Of a core, at most, for walking the pages of a large process."""


class ProcessTree:
    """Which processes a process has started, looked for from time to time.

    Args:
        period_s: Between two looks.
        clock_s: Of that time.
    """

    def __init__(self, *, period_s: float = _TREE_S, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._period_s = period_s
        self._clock_s = clock_s
        self._pid: int | None = None
        self._looked_s = 0.0
        self._below: tuple[int, ...] = ()

    def below(self, pid: int) -> tuple[int, ...]:
        """The pids of all that ``pid`` has started, at every depth, as of the last look."""
        now_s = self._clock_s()
        if pid != self._pid or now_s - self._looked_s >= self._period_s:
            self._pid, self._looked_s, self._below = pid, now_s, _below(pid)
        return self._below


class UniqueMemory:
    """Memory that only one process has (USS): exact, and the dearer the more it has, so read the more rarely.

    Args:
        period_s: Between two readings, at least.
        clock_ns: Of the readings.
    """

    def __init__(self, *, period_s: float = 5.0, clock_ns: Callable[[], int] = time.perf_counter_ns) -> None:
        self._period_ns = int(period_s * 1_000_000_000)
        self._clock_ns = clock_ns
        self._pid: int | None = None
        self._due_ns = 0
        self._known: tuple[int, int] | None = None

    def read(self, pid: int) -> tuple[int, int]:
        """Bytes, and when they were read; those of before where it is too early for new ones.

        Raises:
            Exception: psutil's, of a process that cannot be read or has ended.
        """
        import psutil

        at_ns = self._clock_ns()
        if pid == self._pid and self._known is not None and at_ns < self._due_ns:
            return self._known
        self._pid, self._known = pid, None
        self._known = int(psutil.Process(pid).memory_full_info().uss), at_ns
        took_ns = self._clock_ns() - at_ns
        self._due_ns = at_ns + max(self._period_ns, int(took_ns / _UNIQUE_SHARE))
        return self._known


def began_unix_s(pid: int) -> float | None:
    """When ``pid`` began, by the wall clock; None where that cannot be read."""
    import psutil

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def unique_bytes(pid: int) -> int | None:
    """Memory that only ``pid`` has (USS), now; None where it cannot be read.  Walks all of its pages."""
    import psutil

    try:
        return int(psutil.Process(pid).memory_full_info().uss)
    except (psutil.Error, OSError, AttributeError):
        return None


def process_sample(pid: int, tree: ProcessTree) -> ProcessSample:
    """What can be read quickly of ``pid`` and of those below it.

    Raises:
        Exception: It has ended, or cannot be read at all.
    """
    import psutil

    missing = Reasons()
    process = psutil.Process(pid)
    with process.oneshot():
        memory = process.memory_info()
        if not memory.rss:
            # One that has ended and still waits for its parent reads as 0.
            raise Unreadable("the process has ended")
        spent = missing.take(process.cpu_times, "cpu_s")
        threads = missing.take(process.num_threads, "threads")
    peak_bytes = missing.take(lambda: _peak_bytes(pid, memory), "peak_rss_bytes")
    below = [rss for child in tree.below(pid) if (rss := _rss_bytes(child)) is not None]
    return ProcessSample(
        pid=pid,
        rss_bytes=int(memory.rss),
        peak_rss_bytes=peak_bytes,
        threads=threads,
        cpu_s=None if spent is None else spent.user + spent.system,
        children=len(below),
        children_rss_bytes=sum(below),
        missing=missing.all(),
    )


def _peak_bytes(pid: int, memory: object) -> int:
    if sys.platform == "win32":
        return int(memory.peak_wset)  # type: ignore[attr-defined]  # psutil's, on this system alone
    if sys.platform != "linux":
        raise Unreadable("this system does not tell the peak of another process")
    for line in (_PROC / str(pid) / "status").read_bytes().splitlines():
        if line.startswith(b"VmHWM:"):
            return int(line.split()[1]) * 1024
    raise Unreadable("the process has ended")


def _rss_bytes(pid: int) -> int | None:
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss) or None
    except psutil.Error:
        return None


def _below(pid: int) -> tuple[int, ...]:
    import psutil

    try:
        return tuple(child.pid for child in psutil.Process(pid).children(recursive=True))
    except (psutil.Error, OSError):
        return ()

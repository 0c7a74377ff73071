"""How late this process's own event loop runs: the self-diagnosis that travels with each answer."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["LoopDelay"]

# Often enough for an answer of seconds, and seldom enough not to be felt by it.
_TICK_S = 0.05
_KEPT = 4096


class LoopDelay:
    """Measures the overshoot of a 50 ms timer while somebody is interested, and idles otherwise."""

    def __init__(self) -> None:
        self._samples_ns: list[int] = []
        self._watchers = 0
        self._handle: asyncio.TimerHandle | None = None
        self._due_ns = 0

    @contextmanager
    def watching(self) -> Iterator["DelayWindow"]:
        """Keep the timer running for the block; must be entered on the event loop."""
        self._watchers += 1
        if self._handle is None:
            self._samples_ns.clear()
            self._arm()
        try:
            yield DelayWindow(self, len(self._samples_ns))
        finally:
            self._watchers -= 1
            if not self._watchers and self._handle is not None:
                self._handle.cancel()
                self._handle = None

    def p99_ns(self, since: int) -> int | None:
        """99th percentile of the samples from number ``since`` on; None below two samples."""
        samples = sorted(self._samples_ns[since:])
        return samples[min(len(samples) - 1, int(len(samples) * 0.99))] if len(samples) >= 2 else None

    def _arm(self) -> None:
        self._due_ns = time.perf_counter_ns() + int(_TICK_S * 1e9)
        self._handle = asyncio.get_running_loop().call_later(_TICK_S, self._tick)

    def _tick(self) -> None:
        if len(self._samples_ns) < _KEPT:
            self._samples_ns.append(max(0, time.perf_counter_ns() - self._due_ns))
        self._arm()


class DelayWindow:
    """The samples from one moment on."""

    def __init__(self, delay: LoopDelay, since: int) -> None:
        self._delay = delay
        self._since = since

    def p99_ns(self) -> int | None:
        """See ``LoopDelay.p99_ns``."""
        return self._delay.p99_ns(self._since)

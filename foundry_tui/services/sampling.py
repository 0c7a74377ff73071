"""Readings of machine and engine on a fixed grid, off the event loop."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from foundry_tui.aio import Feed
from foundry_tui.domain.resources import ResourceSample
from foundry_tui.ports.machine import GpuProbe, HostProbe

__all__ = ["ResourceSampler"]

_NS_PER_S = 1_000_000_000


class ResourceSampler:
    """Publishes a sample at each grid point; one that was missed is skipped, so the grid never drifts.

    Args:
        probes: Makes the two probes; called in a worker thread, since drivers take their time to load.
        pid: The process to watch, asked anew at every tick; None while there is none.
        period_s: Distance of the grid points.
        clock_ns: What the grid lies on, and each sample's ``at_ns``.
        sleep: Waits that many seconds of the same clock.
    """

    def __init__(
        self,
        probes: Callable[[], tuple[HostProbe, GpuProbe]],
        *,
        pid: Callable[[], int | None],
        period_s: float = 0.5,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._probes = probes
        self._pid = pid
        self._period_ns = int(period_s * _NS_PER_S)
        self._clock_ns = clock_ns
        self._sleep = sleep
        self.samples: Feed[ResourceSample | None] = Feed(None)

    async def run(self) -> None:
        """Sample until cancelled."""
        # A thread of its own: a driver is opened, read and closed by one thread, one call at a time.
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sampler")
        loop = asyncio.get_running_loop()
        host, gpu = await loop.run_in_executor(thread, self._probes)
        origin_ns = self._clock_ns()
        tick = 0
        try:
            while True:
                due_ns = origin_ns + tick * self._period_ns
                await self._sleep(max(0.0, (due_ns - self._clock_ns()) / _NS_PER_S))
                sample = await loop.run_in_executor(thread, self._take, host, gpu, due_ns, self._pid())
                self.samples.publish(sample)
                tick = max(tick + 1, (self._clock_ns() - origin_ns) // self._period_ns + 1)
        finally:
            await loop.run_in_executor(thread, gpu.close)
            thread.shutdown(wait=False)

    def _take(self, host: HostProbe, gpu: GpuProbe, due_ns: int, pid: int | None) -> ResourceSample:
        at_ns = self._clock_ns()
        return ResourceSample(
            at_ns=at_ns, late_ns=max(0, at_ns - due_ns), host=host.sample(pid), gpu=gpu.sample(pid)
        )

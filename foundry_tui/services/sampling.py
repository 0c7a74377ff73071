"""Readings of machine and engine on a fixed grid, off the event loop."""

import asyncio
import time
from collections.abc import Callable

from foundry_tui.aio import Feed
from foundry_tui.domain.resources import ResourceSample
from foundry_tui.ports import GpuProbe, HostProbe

__all__ = ["ResourceSampler"]

_NS_PER_S = 1_000_000_000


class ResourceSampler:
    """Publishes a sample at each grid point; one that was missed is skipped, so the grid never drifts.

    Args:
        probes: Makes the two probes; called in a worker thread, since drivers take their time to load.
        pid: The process to watch, asked anew at every tick; None while there is none.
        period_s: Distance of the grid points.
    """

    def __init__(
        self,
        probes: Callable[[], tuple[HostProbe, GpuProbe]],
        *,
        pid: Callable[[], int | None],
        period_s: float = 0.5,
    ) -> None:
        self._probes = probes
        self._pid = pid
        self._period_ns = int(period_s * _NS_PER_S)
        self.samples: Feed[ResourceSample | None] = Feed(None)

    async def run(self) -> None:
        """Sample until cancelled."""
        host, gpu = await asyncio.to_thread(self._probes)
        origin_ns = time.perf_counter_ns()
        tick = 0
        try:
            while True:
                due_ns = origin_ns + tick * self._period_ns
                await asyncio.sleep(max(0.0, (due_ns - time.perf_counter_ns()) / _NS_PER_S))
                self.samples.publish(await asyncio.to_thread(self._take, host, gpu, due_ns, self._pid()))
                tick = max(tick + 1, (time.perf_counter_ns() - origin_ns) // self._period_ns + 1)
        finally:
            gpu.close()

    @staticmethod
    def _take(host: HostProbe, gpu: GpuProbe, due_ns: int, pid: int | None) -> ResourceSample:
        at_ns = time.perf_counter_ns()
        return ResourceSample(
            at_ns=at_ns, late_ns=max(0, at_ns - due_ns), host=host.sample(pid), gpu=gpu.sample(pid)
        )

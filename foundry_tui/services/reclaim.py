"""The engine's host restarted for the memory that it holds: what that gave back is read, never reckoned."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from foundry_tui.domain.engine import Capability, EndpointKind, EngineReady
from foundry_tui.domain.errors import EngineError, EngineUnavailable, NotSupported
from foundry_tui.domain.models import LoadReport
from foundry_tui.domain.resources import ResourceSample
from foundry_tui.metrics.stays import Taken, taken_of
from foundry_tui.services.client import ClientService
from foundry_tui.services.sampling import ResourceSampler

__all__ = ["Reclaim", "Reclaimed"]

_OWN = frozenset({EndpointKind.MANAGED, EndpointKind.SCRIPTED})
"""Kinds of engines that live in a child process of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclaimed:
    """What a restart was read to give back.

    Attributes:
        before: Memory of the old process, just before it was stopped; None of a kind that was not read.
        after: Memory of the new one, once all was loaded again that was loaded before.
        reports: Of these loads.
    """

    before: Taken
    after: Taken
    reports: tuple[LoadReport, ...]


class Reclaim:
    """Restarts the host while nobody uses it, and reads its memory before and after.

    Args:
        client: Whose engine it is.
        sampler: Reads the engine's process; it is asked to run meanwhile.
        clock_ns: That of the samples.
        patience_s: So long a reading is waited for; the sampler's points are half a second apart.
    """

    def __init__(
        self,
        client: ClientService,
        sampler: ResourceSampler,
        *,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
        patience_s: float = 3.0,
    ) -> None:
        self._client = client
        self._sampler = sampler
        self._clock_ns = clock_ns
        self._patience_s = patience_s

    def obstacle(self) -> EngineError | None:
        """Why there is nothing to restart; None where there is, be it in use or not."""
        state = self._client.engine_state
        if not isinstance(state, EngineReady):
            return EngineUnavailable("the engine is not up, and holds no memory")
        info = state.info
        if info.kind not in _OWN or info.pid is None or not info.can(Capability.MEMORY):
            where = f" at {info.url}" if info.url else ""
            return NotSupported(
                f"the engine{where} is none of this app's own processes: what it holds is given back by a"
                " restart of that server, and not from here"
            )
        return None

    async def run(self) -> Reclaimed:
        """Restart it, load again what was loaded, and say what the process held before and holds after.

        Nobody else gets the engine meanwhile: what a chat would take would pass for what the restart left.

        Raises:
            NotSupported: It is not ours to restart.
            EngineBusy: Somebody uses it; nothing was done.
            StorageProblem: Other processes cannot be told; nothing was done.
            EngineError: It did not come up again, or a model did not load.
        """
        if (obstacle := self.obstacle()) is not None:
            raise obstacle
        with self._client.measuring("restarting the host, to take memory back"):
            async with self._sampler.wanted():
                before = await self._read()
                reports = await self._client.restart()
                after = await self._read()
        self._client.refresh_soon()
        return Reclaimed(before=before, after=after, reports=reports)

    async def _read(self) -> Taken:
        """Of the process that there is now, from a sample taken from now on; empty if none comes."""
        asked_ns, pid = self._clock_ns(), self._client.process_id

        def is_of_now(sample: ResourceSample) -> bool:
            process = sample.host.process
            return sample.at_ns >= asked_ns and (process is None or process.pid == pid)

        try:
            async with asyncio.timeout(self._patience_s), aclosing(self._sampler.samples.watch()) as samples:
                async for sample in samples:
                    if sample is not None and is_of_now(sample):
                        return taken_of(sample)
        except TimeoutError:
            pass
        return Taken()

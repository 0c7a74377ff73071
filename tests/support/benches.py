"""Benchmarks over a scripted engine, without a disk."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from foundry_tui.domain.bench import BenchPlan, PlannedPrompt
from foundry_tui.domain.engine import EngineInfo
from foundry_tui.domain.resources import GpuSamples, HostSample
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.ports.machine import Surroundings
from foundry_tui.services.bench.peaks import Peaks
from foundry_tui.services.bench.service import Benchmarks
from foundry_tui.services.bench.state import BenchState
from foundry_tui.services.client import ClientService
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.services.sampling import ResourceSampler
from tests.support.catalogs import offered
from tests.support.memory_runs import MemoryRuns
from tests.support.supervised import SupervisedScript

__all__ = ["OTHER_MODEL_ID", "Bench", "benches", "plan"]

OTHER_MODEL_ID = "other-generic-cpu:1"
_RSS_BYTES = 300_000_000


def plan(**changes: object) -> BenchPlan:
    """Two models, two prompts, two rounds; small."""
    small = BenchPlan(
        models=(SCRIPTED_MODEL_ID, OTHER_MODEL_ID),
        prompts=(PlannedPrompt(id="a", text="What is a hen?"), PlannedPrompt(id="b", text="And a cow?")),
        rounds=2,
        warmup=1,
        max_tokens=16,
        seed=5,
    )
    return replace(small, **changes)  # type: ignore[arg-type]  # tests name what differs


class _Host:
    def sample(self, pid: int | None) -> HostSample:
        return HostSample(
            cpu_share=0.5, ram_total_bytes=8 << 30, ram_used_bytes=1 << 30, process_rss_bytes=_RSS_BYTES
        )


class _NoGpu:
    def sample(self, pid: int | None) -> GpuSamples:
        return GpuSamples(absence="no driver")

    def close(self) -> None:
        """Nothing was opened."""


@dataclass(kw_only=True)
class Bench:
    """A service that is up, and what stands around it."""

    engine: SupervisedScript
    lease: EngineLease
    client: ClientService
    runs: MemoryRuns
    service: Benchmarks

    @property
    def state(self) -> BenchState:
        """The newest."""
        state = self.service.state.value
        assert state is not None
        return state

    async def until(self, holds: Callable[[BenchState], bool]) -> BenchState:
        """Wait for a state in which something holds."""
        async with asyncio.timeout(10):
            async for state in self.service.state.watch():
                if state is not None and holds(state):
                    return state
        raise AssertionError("the feed has ended")


@asynccontextmanager
async def benches(
    *,
    engine: SupervisedScript | None = None,
    runs: MemoryRuns | None = None,
    surroundings: Surroundings | None = None,
    peaks: Peaks | None = None,
) -> AsyncGenerator[Bench, None]:
    """A scripted engine with two models that can be loaded, and a store."""
    other = replace(offered("other"), id=OTHER_MODEL_ID, alias="other", is_cached=True)
    engine = engine or SupervisedScript(models=[other])
    lease, runs = EngineLease(), runs or MemoryRuns()
    client = ClientService(engine, lease, wants_public=False)
    numbers = itertools.count(1)

    async def environment(info: EngineInfo) -> tuple[tuple[str, str], ...]:
        return (("engine", info.kind.value), ("machine", "made up"))

    service = Benchmarks(
        client,
        runs,
        peaks or Peaks(ResourceSampler(lambda: (_Host(), _NoGpu()), pid=lambda: 1, period_s=0.005)),
        environment=environment,
        new_id=lambda: f"run{next(numbers)}",
        unix_ms=lambda: 1_780_000_000_000,
        surroundings=surroundings,
    )
    try:
        yield Bench(engine=engine, lease=lease, client=client, runs=runs, service=service)
    finally:
        await service.aclose()
        await client.aclose()

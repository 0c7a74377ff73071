"""A restart of the host for the memory that it holds: what came back, and what prevents it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from foundry_tui.domain.chat import ChatMessage, ChatOptions, Role
from foundry_tui.domain.engine import EndpointKind
from foundry_tui.domain.errors import EngineBusy, EngineUnavailable, NotSupported
from foundry_tui.domain.resources import GpuSamples
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.metrics.holding import Holding
from foundry_tui.metrics.stays import Taken
from foundry_tui.reports.reclaim import held_words, reclaimed_words
from foundry_tui.services.client import ClientService
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.services.reclaim import Reclaim
from foundry_tui.services.sampling import ResourceSampler
from foundry_tui.tui.screens.resources_rows import model_rows
from tests.support.keeping import KeepingEngine, KeepingHost
from tests.support.machine import MIB

MODEL = SCRIPTED_MODEL_ID
SOON_S = 10.0


class NoGpu:
    def sample(self, pid: int | None) -> GpuSamples:
        return GpuSamples(absence="no driver")

    def close(self) -> None:
        """Nothing was opened."""


@dataclass(frozen=True, slots=True)
class Opened:
    engine: KeepingEngine
    client: ClientService
    lease: EngineLease
    sampler: ResourceSampler
    reclaim: Reclaim

    async def read(self) -> Holding:
        """What is held once that was read."""
        async with asyncio.timeout(SOON_S):
            async for _ in self.sampler.samples.watch():
                if self.client.chronicle.holding.kinds:
                    break
        return self.client.chronicle.holding


@asynccontextmanager
async def opened(kind: EndpointKind = EndpointKind.SCRIPTED) -> AsyncGenerator[Opened, None]:
    engine, lease = KeepingEngine(kind), EngineLease()
    host = KeepingHost(engine)
    client = ClientService(engine, lease, host_probe=lambda: host, wants_public=False)
    sampler = ResourceSampler(lambda: (host, NoGpu()), pid=lambda: client.process_id, period_s=0.01)
    with sampler.heard_by(client.chronicle.take):
        async with sampler.wanted():
            try:
                yield Opened(engine, client, lease, sampler, Reclaim(client, sampler))
            finally:
                await client.aclose()


async def test_an_engine_that_keeps_200_mib_has_a_residual_row_and_so_much_is_offered() -> None:
    async with opened() as user:
        await user.client.start()
        await user.client.load(MODEL)
        await user.client.unload(MODEL)

        holding = await user.read()
        (row,) = model_rows(user.client.chronicle.stays)

    assert row.cells[2:] == ("60.0 MiB", "560 MiB", "+500 MiB", "560 MiB", "260 MiB", "+200 MiB")
    assert held_words(holding, "r restarts the host") == (
        f"{MODEL} unloaded, not freed: 200 MiB of RAM still held · r restarts the host and takes it back"
    )


async def test_what_came_back_is_what_was_read_of_both_processes() -> None:
    async with opened() as user:
        await user.client.start()
        await user.client.load(MODEL)
        await user.client.unload(MODEL)
        await user.client.load(MODEL)

        done = await user.reclaim.run()

    assert user.engine.starts == 2
    assert (done.before, done.after) == (Taken(rss_bytes=760 * MIB), Taken(rss_bytes=560 * MIB))
    assert [report.model_id for report in done.reports] == [MODEL]
    assert reclaimed_words(done.before, done.after, len(done.reports)) == (
        "the host held 760 MiB, now 560 MiB: 200 MiB back (1 model loaded again)"
    )


async def test_while_an_answer_streams_it_says_so_and_the_answer_goes_on() -> None:
    async with opened() as user:
        await user.client.start()
        await user.client.load(MODEL)
        user.engine.gate = asyncio.Event()
        asked = (ChatMessage(role=Role.USER, text="hello"),)
        request = user.client.prepare(user.client.find(MODEL), asked, ChatOptions())
        async with user.client.chat(request) as events:
            with pytest.raises(EngineBusy, match=f"the engine is in use: chat with {MODEL}"):
                await user.reclaim.run()
            user.engine.gate.set()
            count = len([event async for event in events])

    assert count > 1
    assert user.engine.starts == 1


async def test_while_something_is_measured_it_says_what_and_does_nothing() -> None:
    begun, over = asyncio.Event(), asyncio.Event()
    async with opened() as user:
        await user.client.start()

        async def measure() -> None:  # of its own task: what it starts may use the engine
            with user.lease.measure("benchmark 7"):
                begun.set()
                await over.wait()

        measuring = asyncio.create_task(measure())
        await begun.wait()
        with pytest.raises(EngineBusy, match="the engine is in use: benchmark 7"):
            await user.reclaim.run()
        over.set()
        await measuring

    assert user.engine.starts == 1


async def test_nobody_else_gets_the_engine_while_it_is_restarted() -> None:
    async with opened() as user:
        await user.client.start()
        user.engine.starting = asyncio.Event()
        restarting = asyncio.create_task(user.reclaim.run())
        async with asyncio.timeout(SOON_S):
            while not user.lease.holders:  # noqa: ASYNC110 - the lease tells nobody
                await asyncio.sleep(0)

        with pytest.raises(EngineBusy, match="restarting the host"):
            await user.client.load(MODEL)
        user.engine.starting.set()
        await restarting

    assert user.lease.holders == ()


async def test_a_server_of_somebody_else_is_not_restarted_even_where_it_can_be_read() -> None:
    async with opened(EndpointKind.FOUNDRY_V2) as user:
        await user.client.start()

        with pytest.raises(NotSupported, match="none of this app's own processes"):
            await user.reclaim.run()

    assert user.engine.starts == 1


async def test_an_engine_that_is_not_up_holds_nothing() -> None:
    async with opened() as user:
        with pytest.raises(EngineUnavailable, match="is not up"):
            await user.reclaim.run()

    assert user.engine.starts == 0


async def test_where_no_reading_comes_nothing_is_claimed() -> None:
    async with opened() as user:
        await user.client.start()
        reclaim = Reclaim(user.client, user.sampler, clock_ns=lambda: 1 << 62, patience_s=0.01)

        done = await reclaim.run()

    assert (done.before, done.after) == (Taken(), Taken())
    assert reclaimed_words(done.before, done.after, 0) == (
        "the host was restarted, and what it held or holds now could not be read (no model was loaded)"
    )

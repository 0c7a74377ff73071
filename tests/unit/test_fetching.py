"""Downloads that a server does for itself, as the client service orders, shows and stops them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from foundry_tui.domain.downloads import DownloadPhase
from foundry_tui.domain.errors import (
    EngineBusy,
    EngineDied,
    EngineUnavailable,
    ModelNotFound,
    ModelRefused,
    NotSupported,
)
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.hosting.hosted import HostedEngine
from foundry_tui.services.client import Backend, ClientService, FetchEnd, Job, JobKind
from foundry_tui.services.engine.lease import EngineLease
from tests.support.supervised import SupervisedScript

PLAIN = "plain-generic-cpu:1"
OTHER = "other-generic-cpu:1"
BROKEN = "broken-generic-cpu:1"
ENDLESS = "endless-generic-cpu:1"
SERVER = ScriptedConfig(offered=(PLAIN, OTHER, BROKEN, ENDLESS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A service that is up, and what stands around it."""

    engine: SupervisedScript
    lease: EngineLease
    client: ClientService

    def fetches(self) -> list[Job]:
        return [job for job in self.client.jobs.value if job.kind is JobKind.FETCH]

    def is_here(self, model_id: str) -> bool | None:
        return self.client.find(model_id).is_cached

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            async for _ in self.client.jobs.watch():
                if holds():
                    return

    async def half_way(self, model_id: str) -> None:
        """Wait until that much of it is shown."""

        def is_half() -> bool:
            transfers = [job.transfer for job in self.fetches() if job.model_id == model_id]
            return any(one is not None and one.progress.share == 0.5 for one in transfers)

        await self.until(is_half)


@asynccontextmanager
async def opened(script: ScriptedConfig = SERVER, *models: ModelVariant) -> AsyncGenerator[Opened, None]:
    lease, engine = EngineLease(), SupervisedScript(script, models)
    client = ClientService(engine, lease, wants_public=False)
    try:
        await client.start()
        yield Opened(engine=engine, lease=lease, client=client)
    finally:
        await client.aclose()


async def test_a_fetch_ends_with_the_model_in_the_list_and_nothing_under_way() -> None:
    async with opened() as service:
        end = await service.client.fetch(PLAIN)

        assert end is FetchEnd.DONE
        assert service.is_here(PLAIN) is True
        assert (service.client.jobs.value, service.lease.holders) == ((), ())


async def test_how_far_it_is_is_shown_while_it_goes_on() -> None:
    async with opened() as service:
        fetching = asyncio.ensure_future(service.client.fetch(ENDLESS))
        await service.half_way(ENDLESS)

        (job,) = service.fetches()
        assert job.transfer is not None
        assert job.transfer.phase is DownloadPhase.FLOWING
        assert (job.transfer.progress.done_bytes, job.transfer.progress.total_bytes) == (500_000, 1_000_000)
        assert service.lease.holders == (f"downloading {ENDLESS} onto the server",)
        service.client.stop_fetch(ENDLESS)
        await fetching


async def test_without_a_size_nothing_is_said_of_how_far_it_is() -> None:
    unsized = ModelVariant(id=PLAIN, alias="plain", catalog=CatalogKind.ENDPOINT, is_cached=False)
    async with opened(SERVER, unsized) as service:
        shown: list[Job] = []

        async def watch() -> None:
            async for jobs in service.client.jobs.watch():
                shown.extend(job for job in jobs if job.kind is JobKind.FETCH)

        watching = asyncio.ensure_future(watch())
        end = await service.client.fetch(PLAIN)
        watching.cancel()

        assert end is FetchEnd.DONE
        assert {job.transfer for job in shown} == {None}


async def test_a_stop_takes_the_order_back_and_the_server_is_left_by_the_return() -> None:
    async with opened() as service:
        fetching = asyncio.ensure_future(service.client.fetch(ENDLESS))
        await service.half_way(ENDLESS)

        was_stopped = service.client.stop_fetch(ENDLESS)
        end = await fetching

        assert (was_stopped, end) == (True, FetchEnd.STOPPED)
        assert service.engine.open_streams == 0
        assert service.is_here(ENDLESS) is False
        assert (service.client.jobs.value, service.lease.holders) == ((), ())


async def test_whoever_waits_for_it_and_is_cancelled_takes_the_order_back_too() -> None:
    async with opened() as service:
        fetching = asyncio.ensure_future(service.client.fetch(ENDLESS))
        await service.half_way(ENDLESS)

        fetching.cancel()
        await asyncio.wait([fetching])

        assert fetching.cancelled()
        assert service.engine.open_streams == 0
        assert (service.client.jobs.value, service.lease.holders) == ((), ())


async def test_a_stop_where_nothing_is_under_way_stops_nothing() -> None:
    async with opened() as service:
        assert service.client.stop_fetch(PLAIN) is False


async def test_what_was_stopped_can_be_ordered_again() -> None:
    async with opened() as service:
        service.engine.gate = asyncio.Event()
        first = asyncio.ensure_future(service.client.fetch(PLAIN))
        await service.until(service.fetches)
        service.client.stop_fetch(PLAIN)
        await first
        service.engine.gate.set()

        assert await service.client.fetch(PLAIN) is FetchEnd.DONE


async def test_a_download_that_the_server_gives_up_is_raised_with_its_reason_and_leaves_nothing() -> None:
    async with opened() as service:
        with pytest.raises(ModelRefused, match="was not downloaded: scripted") as caught:
            await service.client.fetch(BROKEN)

        assert caught.value.remedy == "try again"
        assert (service.client.jobs.value, service.lease.holders) == ((), ())


async def test_a_model_that_nobody_knows_is_not_found() -> None:
    async with opened() as service:
        with pytest.raises(ModelNotFound):
            await service.client.fetch("nobody:1")

        assert service.client.jobs.value == ()


async def test_an_engine_that_dies_in_the_middle_ends_the_fetch_with_what_to_do() -> None:
    async with opened() as service:
        fetching = asyncio.ensure_future(service.client.fetch(ENDLESS))
        await service.half_way(ENDLESS)

        await service.engine.die()
        with pytest.raises(EngineDied) as caught:
            await fetching

        assert caught.value.remedy == "restart it"
        assert (service.client.jobs.value, service.lease.holders) == ((), ())


async def test_an_engine_that_is_restarted_in_the_middle_is_not_taken_for_one_that_is_done(
    tmp_path: Path,
) -> None:
    # In a child: stopped in good order it ends its streams without an error.
    engine = HostedEngine(SERVER, log_dir=tmp_path)
    client = ClientService(engine, EngineLease(), wants_public=False)
    try:
        await client.start()
        fetching = asyncio.ensure_future(client.fetch(ENDLESS))
        async with asyncio.timeout(5):
            async for jobs in client.jobs.watch():
                if any(job.transfer is not None for job in jobs):
                    break

        await client.restart()

        assert await fetching is FetchEnd.STOPPED
        assert client.find(ENDLESS).is_cached is False
    finally:
        await client.aclose()


async def test_the_same_model_is_not_ordered_twice_and_another_may_be() -> None:
    async with opened() as service:
        first = asyncio.ensure_future(service.client.fetch(ENDLESS))
        await service.half_way(ENDLESS)

        with pytest.raises(EngineBusy, match="downloads endless-generic-cpu:1 already"):
            await service.client.fetch(ENDLESS)
        other = await service.client.fetch(OTHER)

        assert other is FetchEnd.DONE
        assert [job.model_id for job in service.fetches()] == [ENDLESS]
        service.client.stop_fetch(ENDLESS)
        await first


async def test_a_measurement_is_not_disturbed_and_begins_only_when_nothing_is_fetched() -> None:
    async with opened() as service:
        with (
            service.lease.hold("a benchmark", exclusive=True),
            pytest.raises(EngineBusy, match="a benchmark"),
        ):
            await service.client.fetch(PLAIN)
        fetching = asyncio.ensure_future(service.client.fetch(ENDLESS))
        await service.half_way(ENDLESS)

        with (
            pytest.raises(EngineBusy, match="downloading endless"),
            service.lease.hold("another", exclusive=True),
        ):
            pytest.fail("it was let in")

        service.client.stop_fetch(ENDLESS)
        await fetching


async def test_another_engine_does_not_cut_off_what_the_server_fetches() -> None:
    async with opened() as service:
        fetching = asyncio.ensure_future(service.client.fetch(ENDLESS))
        await service.half_way(ENDLESS)

        with pytest.raises(EngineBusy, match="downloading endless"):
            await service.client.switch(Backend(engine=SupervisedScript()))

        service.client.stop_fetch(ENDLESS)
        await fetching


async def test_an_engine_that_fetches_nothing_for_itself_says_so() -> None:
    async with opened(ScriptedConfig()) as service:
        with pytest.raises(NotSupported) as caught:
            await service.client.fetch(PLAIN)

        assert "own tools" in (caught.value.remedy or "")
        assert service.client.jobs.value == ()


async def test_without_an_engine_there_is_nobody_to_ask() -> None:
    async with opened() as service:
        await service.engine.stop()

        with pytest.raises(EngineUnavailable):
            await service.client.fetch(PLAIN)


async def test_leaving_the_service_leaves_the_server() -> None:
    async with opened() as service:
        fetching = asyncio.ensure_future(service.client.fetch(ENDLESS))
        await service.half_way(ENDLESS)

        await service.client.aclose()
        await asyncio.wait([fetching], timeout=5)

        assert fetching.done()
        assert service.engine.open_streams == 0
        assert fetching.exception() is None

"""The service that panes and commands talk to, over a real child process."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from foundry_tui.demo import DEMO_MODEL_ID
from foundry_tui.domain.chat import ChatMessage, ChatOptions, ChunkReceived, Role
from foundry_tui.domain.engine import EngineDead, EngineIdle, EngineReady
from foundry_tui.domain.errors import EngineBusy, EngineDied, ModelNotFound, ModelRefused
from foundry_tui.domain.models import CatalogKind, CatalogSnapshot, ModelVariant, Registration, SnapshotOrigin
from foundry_tui.engines.catalog.snapshot import read_snapshot
from foundry_tui.engines.hosting.configs import HostConfig, ScriptedConfig
from foundry_tui.engines.hosting.hosted import HostedEngine
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.resources.host import PsutilHostProbe
from foundry_tui.services.client import ClientService, Job, JobKind
from foundry_tui.services.engine.lease import EngineLease
from tests.contract.chats import ask
from tests.contract.runtime import copy_of_demo, offline_runtime
from tests.support.processes import END_S, hosts

POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
BROKEN_ID = "synthetic-broken-generic-cpu:1"
HELLO = (ChatMessage(role=Role.USER, text="hello, you"),)  # 10 characters: 4 + 8 tokens at most


class Opened:
    """A service and the parts that a test looks at."""

    def __init__(self, config: HostConfig, folder: Path, registrations: Sequence[Registration]) -> None:
        self.lease = EngineLease()
        self.engine = HostedEngine(config, log_dir=folder / "host-logs")
        self.client = ClientService(
            self.engine,
            self.lease,
            registrations=tuple(registrations),
            host_probe=PsutilHostProbe,
            wants_public=False,
        )

    def entry(self, model_id: str) -> ModelVariant:
        """The model as the published list has it."""
        return self.client.find(model_id)

    def assert_free(self) -> None:
        """Nobody holds the engine, not even in part."""
        with self.lease.hold("a test", exclusive=True):
            pass


@asynccontextmanager
async def opened(
    config: HostConfig, folder: Path, *, registrations: Sequence[Registration] = ()
) -> AsyncGenerator[Opened, None]:
    service = Opened(config, folder, registrations)
    try:
        await service.client.start()
        yield service
    finally:
        await service.client.aclose()


@pytest.fixture
async def service(tmp_path: Path) -> AsyncGenerator[Opened, None]:
    async with opened(ScriptedConfig(), tmp_path) as service:
        yield service


@pytest.fixture
async def held(tmp_path: Path) -> AsyncGenerator[Opened, None]:
    async with opened(ScriptedConfig(hold=True), tmp_path) as service:
        yield service


def the_host() -> psutil.Process:
    (process,) = hosts()
    return process


async def test_a_start_publishes_what_the_engine_lists(service: Opened) -> None:
    snapshot = service.client.catalog.value

    assert snapshot.origin is SnapshotOrigin.LIVE
    assert [model.id for model in snapshot.models] == [SCRIPTED_MODEL_ID, BROKEN_ID]


async def test_the_list_on_disk_is_shown_before_the_engine_is_up(tmp_path: Path) -> None:
    on_disk = CatalogSnapshot(models=(), origin=SnapshotOrigin.FILE, notice="from the disk")
    engine = HostedEngine(ScriptedConfig(), log_dir=tmp_path)
    client = ClientService(engine, EngineLease(), read_snapshot=lambda: on_disk)

    await client.show_snapshot()
    shown = client.catalog.value
    await client.aclose()

    assert shown == on_disk


async def test_the_list_on_disk_does_not_replace_a_fresher_one(tmp_path: Path) -> None:
    engine = HostedEngine(ScriptedConfig(), log_dir=tmp_path)
    client = ClientService(engine, EngineLease(), read_snapshot=lambda: read_snapshot(tmp_path))

    await client.start()
    await client.show_snapshot()
    shown = client.catalog.value
    await client.aclose()

    assert shown.origin is SnapshotOrigin.LIVE


async def test_a_load_and_an_unload_are_marked_at_once(service: Opened) -> None:
    await service.client.load(SCRIPTED_MODEL_ID)
    loaded = service.entry(SCRIPTED_MODEL_ID).is_loaded
    await service.client.unload(SCRIPTED_MODEL_ID)
    unloaded = service.entry(SCRIPTED_MODEL_ID).is_loaded

    assert (loaded, unloaded) == (True, False)
    service.assert_free()


async def test_a_load_report_has_the_memory_of_the_engines_process(service: Opened) -> None:
    report = await service.client.load(SCRIPTED_MODEL_ID)

    assert report.rss_before_bytes is not None
    assert report.rss_after_bytes is not None
    assert report.rss_before_bytes > 1_000_000
    assert service.client.load_reports == {SCRIPTED_MODEL_ID: report}


async def test_a_refused_load_leaves_no_mark_no_job_and_no_lease(service: Opened) -> None:
    with pytest.raises(ModelRefused):
        await service.client.load(BROKEN_ID)

    assert service.entry(BROKEN_ID).is_loaded is False
    assert service.client.jobs.value == ()
    service.assert_free()


async def test_work_under_way_is_in_the_feed_of_jobs_and_leaves_it(service: Opened) -> None:
    seen: list[tuple[Job, ...]] = []

    async def watch() -> None:
        async for jobs in service.client.jobs.watch():
            seen.append(jobs)
            if len(seen) > 1 and not jobs:
                return

    watcher = asyncio.create_task(watch())
    await asyncio.sleep(0)  # one turn, in which the watcher takes the first value
    await service.client.load(SCRIPTED_MODEL_ID)
    await asyncio.wait_for(watcher, END_S)

    assert seen[0] == ()
    assert [(job.kind, job.model_id) for job in seen[1]] == [(JobKind.LOAD, SCRIPTED_MODEL_ID)]
    assert seen[-1] == ()


async def test_a_chat_gives_the_answer_and_frees_the_lease(service: Opened) -> None:
    async with service.client.chat(ask(model=SCRIPTED_MODEL_ID)) as events:
        holders = service.lease.holders
        text = "".join([event.text async for event in events if isinstance(event, ChunkReceived)])

    assert text == "Hello, world"
    assert holders == (f"chat with {SCRIPTED_MODEL_ID}",)
    service.assert_free()


async def test_a_chat_beside_a_measurement_is_refused_at_once(service: Opened) -> None:
    with service.lease.hold("a benchmark", exclusive=True):
        with pytest.raises(EngineBusy, match="a benchmark"):
            async with service.client.chat(ask(model=SCRIPTED_MODEL_ID)):
                pass
        with pytest.raises(EngineBusy):
            await service.client.load(SCRIPTED_MODEL_ID)

    service.assert_free()


async def test_a_measurement_beside_a_chat_is_refused_at_once(held: Opened) -> None:
    async with held.client.chat(ask(model=SCRIPTED_MODEL_ID)):
        with pytest.raises(EngineBusy, match="chat with"), held.lease.hold("a benchmark", exclusive=True):
            pass

    held.assert_free()


async def test_leaving_a_chat_early_frees_lease_and_engine(held: Opened) -> None:
    async with asyncio.timeout(4):  # less than the wait for a child that does not confirm
        async with held.client.chat(ask(model=SCRIPTED_MODEL_ID)) as events:
            async for event in events:
                if isinstance(event, ChunkReceived):
                    break
        held.assert_free()
        async with held.client.chat(ask(model=SCRIPTED_MODEL_ID)) as events:
            first = await anext(events)

    assert first is not None
    held.assert_free()


async def test_leaving_a_chat_before_its_first_event_frees_it_at_once(held: Opened) -> None:
    async with asyncio.timeout(4):
        for _ in range(3):
            async with held.client.chat(ask(model=SCRIPTED_MODEL_ID)):
                await asyncio.sleep(0)  # one turn, in which the request may be on its way

    held.assert_free()


@pytest.mark.parametrize(
    ("context_tokens", "wanted", "sent"),
    [(4096, 512, 512), (100, 512, 88), (None, 512, 512), (10, 512, 1)],
)
async def test_a_request_asks_for_no_more_than_the_context_leaves(
    tmp_path: Path, context_tokens: int | None, wanted: int, sent: int
) -> None:
    client = ClientService(HostedEngine(ScriptedConfig(), log_dir=tmp_path), EngineLease())
    model = ModelVariant(id="m:1", alias="m", catalog=CatalogKind.LOCAL, context_tokens=context_tokens)

    request = client.prepare(model, HELLO, ChatOptions(max_tokens=wanted))

    assert request.max_tokens == sent


async def test_a_system_prompt_comes_first_and_costs_room(tmp_path: Path) -> None:
    client = ClientService(HostedEngine(ScriptedConfig(), log_dir=tmp_path), EngineLease())
    model = ModelVariant(id="m:1", alias="m", catalog=CatalogKind.LOCAL, context_tokens=100)

    request = client.prepare(model, HELLO, ChatOptions(system_prompt="Be short"))

    assert [message.role for message in request.messages] == [Role.SYSTEM, Role.USER]
    assert request.max_tokens == 100 - (4 + 8) - (3 + 8)


async def test_an_unknown_name_is_answered_with_those_that_are_close(service: Opened) -> None:
    with pytest.raises(ModelNotFound) as caught:
        service.client.find("broken")

    assert BROKEN_ID in (caught.value.remedy or "")


async def test_a_restart_loads_again_what_was_loaded(service: Opened) -> None:
    await service.client.load(SCRIPTED_MODEL_ID)
    before = the_host().pid

    reports = await service.client.restart()

    assert [report.model_id for report in reports] == [SCRIPTED_MODEL_ID]
    assert service.entry(SCRIPTED_MODEL_ID).is_loaded is True
    assert the_host().pid != before


@POSIX_ONLY
async def test_a_death_unmarks_what_was_loaded_and_a_restart_loads_it_again(service: Opened) -> None:
    await service.client.load(SCRIPTED_MODEL_ID)
    the_host().kill()
    async with asyncio.timeout(END_S):
        async for snapshot in service.client.catalog.watch():
            if not any(model.is_loaded for model in snapshot.models):
                break
    dead = service.client.engine_state

    reports = await service.client.restart()

    assert isinstance(dead, EngineDead)
    assert dead.death is not None
    assert dead.death.was_loaded == (SCRIPTED_MODEL_ID,)
    assert [report.model_id for report in reports] == [SCRIPTED_MODEL_ID]
    assert isinstance(service.client.engine_state, EngineReady)


@POSIX_ONLY
async def test_a_death_in_the_middle_of_a_chat_frees_the_lease(held: Opened) -> None:
    async def chat_until_killed() -> None:
        async with held.client.chat(ask(model=SCRIPTED_MODEL_ID)) as events:
            async for event in events:
                if isinstance(event, ChunkReceived):
                    for process in hosts():
                        process.kill()

    with pytest.raises(EngineDied):
        await chat_until_killed()

    held.assert_free()


async def test_closing_in_the_middle_of_a_chat_leaves_no_process(tmp_path: Path) -> None:
    async with opened(ScriptedConfig(hold=True), tmp_path) as service:
        async with service.client.chat(ask(model=SCRIPTED_MODEL_ID)) as events:
            await anext(events)
            await service.client.aclose()

        assert hosts() == []
        assert service.client.engine_state == EngineIdle()


class EngineWithABug(HostedEngine):
    """Fails at the public list as only a mistake in our own code would."""

    def __init__(self, folder: Path) -> None:
        super().__init__(ScriptedConfig(), log_dir=folder)
        self.was_asked = asyncio.Event()

    async def list_models(self, *, public: bool) -> CatalogSnapshot:
        if public:
            self.was_asked.set()
            raise RuntimeError("a bug")
        return await super().list_models(public=public)


async def test_a_bug_in_the_background_is_told_at_the_end_and_leaves_no_process(tmp_path: Path) -> None:
    engine = EngineWithABug(tmp_path)
    client = ClientService(engine, EngineLease())
    await client.start()
    client.refresh_soon()
    await engine.was_asked.wait()
    await asyncio.sleep(0)  # one turn, in which the end of the task is noticed

    with pytest.raises(RuntimeError, match="a bug"):
        await client.aclose()

    assert hosts() == []


@pytest.mark.native
async def test_a_demo_model_whose_folder_has_moved_is_registered_from_where_it_is_now(
    tmp_path: Path,
) -> None:
    config = offline_runtime(tmp_path)
    before = Registration(path=str(copy_of_demo(tmp_path / "before")), model_id=DEMO_MODEL_ID, replaces=True)
    async with opened(config, tmp_path, registrations=[before]) as service:
        first = service.entry(DEMO_MODEL_ID).path
    after = Registration(
        path=str((tmp_path / "before").rename(tmp_path / "after")), model_id=DEMO_MODEL_ID, replaces=True
    )

    async with opened(config, tmp_path, registrations=[after]) as service:
        report = await service.client.load(DEMO_MODEL_ID)
        second = service.entry(DEMO_MODEL_ID)
        restarted = await service.client.restart()

    assert first == before.path
    assert second.path == after.path
    assert report.load_ns > 0
    assert [report.model_id for report in restarted] == [DEMO_MODEL_ID]

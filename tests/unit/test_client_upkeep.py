"""What the client service does about things that change behind the engine's back."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace

import pytest

from foundry_tui.domain.chat import ChunkReceived
from foundry_tui.domain.engine import EngineDead, ExecutionProvider, ProviderProgress, ProvidersRegistered
from foundry_tui.domain.errors import EngineBusy, EngineUnavailable, ModelRefused
from foundry_tui.domain.models import ModelVariant, ProviderEvidence
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from tests.contract.chats import ask
from tests.support.catalogs import SOON_S, MadeUpCatalogs, MadeUpFolders, catalogs_over, offered
from tests.support.client_rig import loaded, opened
from tests.support.supervised import SupervisedScript

URL = "http://a.example/models"
FETCHED = replace(offered("fetched"), is_cached=True)
FOLDER = "/cache/P/fetched-generic-cpu-1"
CUDA = "CUDAExecutionProvider"


async def test_what_another_process_fetched_is_seen_and_what_was_loaded_is_loaded_again() -> None:
    async with opened() as service:
        await service.client.load(SCRIPTED_MODEL_ID)
        service.engine.put(FETCHED)

        service.client.adopt([FETCHED.id])
        await service.client.adopted()

        revived = service.client.revived.value
        assert service.engine.starts == 2
        assert service.client.find(FETCHED.id).is_cached
        assert loaded(service.client) == [SCRIPTED_MODEL_ID]
        assert revived is not None
        assert [report.model_id for report in revived.reports] == [SCRIPTED_MODEL_ID]
        assert (revived.wish.model_ids, revived.problems) == (frozenset({FETCHED.id}), ())
        assert (await service.client.load(FETCHED.id)).was_loaded is False


async def test_a_chat_under_way_is_not_interrupted_and_all_that_waits_is_one_restart() -> None:
    async with opened(SupervisedScript(ScriptedConfig(hold=True))) as service:
        async with service.client.chat(ask(model=SCRIPTED_MODEL_ID)) as events:
            for number in range(3):
                service.client.adopt([f"m{number}:1"])
            text = [event.text async for event in events_until(events, 3)]
            starts_during_the_chat = service.engine.starts
        await service.client.adopted()

        assert "".join(text) == "Hello, world"
        assert (starts_during_the_chat, service.engine.starts) == (1, 2)


async def events_until(events: object, pieces: int) -> AsyncGenerator[ChunkReceived, None]:
    """The first chunks of an answer."""
    count = 0
    async for event in events:  # type: ignore[attr-defined]
        if isinstance(event, ChunkReceived):
            count += 1
            yield event
            if count == pieces:
                return


async def test_a_measurement_is_waited_for() -> None:
    async with opened() as service:
        with service.lease.hold("a benchmark", exclusive=True):
            service.client.adopt(["m:1"])
            await service.listed(lambda catalog: catalog.models)
            starts_during_it = service.engine.starts
        await service.client.adopted()

        assert (starts_during_it, service.engine.starts) == (1, 2)


async def test_a_chat_that_begins_during_the_restart_waits_for_its_end() -> None:
    async with opened() as service:
        service.engine.starting = asyncio.Event()
        service.client.adopt(["m:1"])
        await service.begins_to_start()

        async def chat() -> str:
            async with service.client.chat(ask(model=SCRIPTED_MODEL_ID)) as events:
                return "".join([event.text async for event in events if isinstance(event, ChunkReceived)])

        answer = asyncio.ensure_future(chat())
        await asyncio.sleep(0)  # one turn, in which the chat meets the restart
        service.engine.starting.set()

        assert await answer == "Hello, world"


async def test_a_model_that_went_is_told_and_the_others_are_loaded_again() -> None:
    async with opened(SupervisedScript(models=[FETCHED])) as service:
        await service.client.load(FETCHED.id)
        await service.client.load(SCRIPTED_MODEL_ID)
        service.engine.take(FETCHED.id)

        service.client.adopt([FETCHED.id])
        await service.client.adopted()

        assert loaded(service.client) == [SCRIPTED_MODEL_ID]
        revived = service.client.revived.value
        assert revived is not None
        assert FETCHED.id in revived.problems[0]


async def test_an_engine_that_does_not_come_up_again_says_so_and_a_restart_goes_on_from_there() -> None:
    async with opened() as service:
        await service.client.load(SCRIPTED_MODEL_ID)
        service.engine.refusal = EngineUnavailable("no memory")
        service.client.adopt(["m:1"])
        await service.client.adopted()
        revived = service.client.revived.value
        assert revived is not None
        assert revived.problems == ("no memory",)
        assert isinstance(service.client.engine_state, EngineDead)

        service.engine.refusal = None
        reports = await service.client.restart()

        assert [report.model_id for report in reports] == [SCRIPTED_MODEL_ID]


async def test_what_the_engine_saw_when_it_started_needs_no_restart() -> None:
    folders = MadeUpFolders({FOLDER: 1})
    catalogs = catalogs_over(MadeUpCatalogs({URL: (FETCHED,)}), folders=folders)
    async with opened(SupervisedScript(models=[FETCHED]), catalogs=catalogs) as service:
        service.client.adopt([FETCHED.id])
        await service.client.adopted()

        assert service.engine.starts == 1


async def test_a_model_that_waits_for_the_restart_says_whom_it_waits_for() -> None:
    async with opened() as service:
        service.engine.put(FETCHED)
        with service.lease.hold("a benchmark", exclusive=True):
            service.client.adopt([FETCHED.id])
            with pytest.raises(EngineBusy, match="a benchmark") as caught:
                await service.client.load(FETCHED.id)

        assert "restart" in caught.value.message


async def test_a_model_that_was_just_fetched_loads_by_itself_once_the_engine_is_free() -> None:
    async with opened() as service:
        service.engine.put(FETCHED)
        service.client.adopt([FETCHED.id])

        report = await service.client.load(FETCHED.id)

        assert (report.model_id, report.was_loaded) == (FETCHED.id, False)


async def test_another_processs_download_is_noticed() -> None:
    folders = MadeUpFolders()
    catalogs = catalogs_over(MadeUpCatalogs({URL: (offered("fetched"),)}), folders=folders)
    async with opened(catalogs=catalogs) as service:
        service.client.refresh_soon()
        service.engine.put(FETCHED)
        folders.here[FOLDER] = 1

        revived = await service.revived()

        assert revived.wish.model_ids == {FETCHED.id}
        assert service.client.find(FETCHED.id).is_cached


async def test_the_list_comes_back_when_the_network_does() -> None:
    reader = MadeUpCatalogs({URL: (FETCHED,)}, dead={URL: "unreachable"})
    engine = SupervisedScript()
    engine.is_offline = True
    async with opened(engine, catalogs=catalogs_over(reader)) as service:
        await service.client.load(SCRIPTED_MODEL_ID)
        await service.client.refresh()
        cut_off = service.client.catalog.value

        engine.is_offline = False
        reader.dead.clear()
        service.client.refresh_soon()
        await service.listed(lambda catalog: catalog.notice is None)

        assert (cut_off.notice, cut_off.is_cut_off) == ("offline: the catalog could not be reached", True)
        assert cut_off.sources[0].problem == "unreachable"
        await service.listed(lambda catalog: catalog.sources[0].problem is None)
        revived = await service.revived()
        assert engine.starts == 2
        assert [report.model_id for report in revived.reports] == [SCRIPTED_MODEL_ID]
        assert loaded(service.client) == [SCRIPTED_MODEL_ID]


async def test_nobody_is_probed_while_the_engine_is_in_use() -> None:
    reader, folders = MadeUpCatalogs({URL: ()}, dead={URL: "unreachable"}), MadeUpFolders()
    engine = SupervisedScript()
    engine.is_offline = True
    async with opened(engine, catalogs=catalogs_over(reader, folders=folders)) as service:
        await service.client.refresh()
        with service.lease.hold("a benchmark", exclusive=True):
            service.client.refresh_soon()
            await folders.looked_at(10)  # as often a probe was due
            probed_during_it = list(reader.probed)

        await asyncio.wait_for(reader.was_probed.wait(), SOON_S)

        assert probed_during_it == []


async def test_without_the_network_by_choice_nobody_is_asked() -> None:
    reader, folders = MadeUpCatalogs({URL: (FETCHED,)}), MadeUpFolders()
    catalogs = catalogs_over(reader, folders=folders)
    async with opened(catalogs=catalogs, wants_public=False) as service:
        service.client.refresh_soon()
        await service.client.refresh()
        await folders.looked_at(10)  # as often a probe was due

        assert (reader.fetched, reader.probed) == ([], [])


class SlowFolders(MadeUpFolders):
    """Folders that are looked at only when ``gate`` is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()

    def complete(self) -> Mapping[str, int]:
        found = super().complete()
        self.gate.wait(5)
        return found


async def test_a_load_while_the_list_is_put_together_is_not_lost() -> None:
    folders = SlowFolders()
    reader = MadeUpCatalogs({URL: (offered("other"),)})
    async with opened(catalogs=catalogs_over(reader, folders=folders)) as service:
        await service.client.refresh()
        folders.gate.clear()
        looks = folders.looks
        again = asyncio.ensure_future(service.client.look_again())
        await folders.looked_at(looks + 1)
        await service.client.load(SCRIPTED_MODEL_ID)
        folders.gate.set()
        await again

        assert loaded(service.client) == [SCRIPTED_MODEL_ID]


async def test_a_damaged_model_is_marked_and_not_loaded_until_it_is_repaired() -> None:
    found = {FETCHED.id: "model.onnx is missing"}
    engine = SupervisedScript(models=[FETCHED])
    async with opened(engine, problem_of=lambda model: found.get(model.id)) as service:
        marked = service.client.find(FETCHED.id).problem
        with pytest.raises(ModelRefused, match=r"damaged: model\.onnx is missing") as caught:
            await service.client.load(FETCHED.id)

        found.clear()
        await service.client.look_again()

        assert marked == "model.onnx is missing"
        assert (caught.value.remedy or "").startswith("repair it: ")
        assert service.client.find(FETCHED.id).problem is None
        assert (await service.client.load(FETCHED.id)).was_loaded is False


async def test_the_files_are_looked_at_before_a_load_and_each_use_is_told() -> None:
    looked_at: list[str] = []
    used: list[str] = []
    damage = ModelRefused("model.onnx is missing", remedy="download it again")

    async def before_load(model: ModelVariant) -> None:
        looked_at.append(model.id)
        if len(looked_at) == 1:
            raise damage

    engine = SupervisedScript(models=[FETCHED])
    async with opened(engine, before_load=before_load, on_use=used.append) as service:
        with pytest.raises(ModelRefused, match=r"model\.onnx is missing"):
            await service.client.load(FETCHED.id)
        refused = list(used)
        await service.client.load(FETCHED.id)

    assert refused == []
    assert used == [FETCHED.id]
    assert looked_at == [FETCHED.id, FETCHED.id]


async def test_a_model_damaged_since_is_not_loaded_again_by_a_restart_for_what_is_new() -> None:
    found: dict[str, str] = {}
    engine = SupervisedScript(models=[FETCHED])
    async with opened(engine, problem_of=lambda model: found.get(model.id)) as service:
        await service.client.load(FETCHED.id)
        found[FETCHED.id] = "model.onnx is missing"
        service.client.adopt(["m:1"])
        await service.client.adopted()

        assert loaded(service.client) == []


async def test_a_removal_is_published_and_needs_no_restart() -> None:
    folders = MadeUpFolders({FOLDER: 1})
    catalogs = catalogs_over(MadeUpCatalogs({URL: (offered("fetched"),)}), folders=folders)
    async with opened(SupervisedScript(models=[FETCHED]), catalogs=catalogs) as service:
        service.client.refresh_soon()
        folders.here.clear()
        await service.client.remove(FETCHED.id)
        looks = folders.looks
        await folders.looked_at(looks + 6)

        assert service.client.find(FETCHED.id).is_cached is False
        assert service.engine.starts == 1


async def test_a_refused_removal_leaves_no_job_and_no_lease() -> None:
    async with opened(SupervisedScript(models=[FETCHED])) as service:
        await service.client.load(FETCHED.id)

        with pytest.raises(ModelRefused):
            await service.client.remove(FETCHED.id)

        assert (service.client.jobs.value, service.lease.holders) == ((), ())


async def test_registered_providers_show_their_progress_and_survive_a_restart() -> None:
    engine = SupervisedScript(ScriptedConfig(providers=(CUDA,)))
    reader = MadeUpCatalogs({URL: (offered("big", "cuda-gpu"),)})
    async with opened(engine, catalogs=catalogs_over(reader)) as service:
        await service.client.refresh()
        before = service.client.find("big").unavailable
        async with service.client.registering() as events:
            seen = [event async for event in events]
        await service.listed(lambda catalog: all(model.unavailable is None for model in catalog.models))
        await service.client.restart()

        assert before == "needs an NVIDIA GPU (CUDA execution provider)"
        assert seen[0] == ProviderProgress(CUDA, 0.0)
        assert seen[-1] == ProvidersRegistered((ExecutionProvider(CUDA, True),))
        assert await service.client.providers() == (ExecutionProvider(CUDA, True),)


async def test_a_load_says_what_runs_the_model() -> None:
    async with opened() as service:
        report = await service.client.load(SCRIPTED_MODEL_ID)

        assert report.execution_providers == ("CPUExecutionProvider",)
        assert report.provider_evidence is ProviderEvidence.DECLARED

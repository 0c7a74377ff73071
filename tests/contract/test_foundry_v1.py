"""The older Foundry Local service: its catalog, its loads, its downloads, and a whole session played back."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from foundry_tui.domain.downloads import DownloadPhase, DownloadReading
from foundry_tui.domain.errors import EngineError, EngineUnavailable, ModelNotFound, ModelRefused
from foundry_tui.domain.models import CatalogSnapshot, Device, ModelVariant
from foundry_tui.engines.endpoints.server import EndpointServer
from foundry_tui.engines.hosting.configs import EndpointConfig
from tests.contract.chats import ask, hear
from tests.support.endpoint import Endpoint, Setting, scripted_endpoint
from tests.support.foundry_v1 import PROMPT_TEMPLATE, download_script
from tests.support.record import Request
from tests.support.script import Gate, Hangup, Headers, HoldOpen, Raw, Reset, Respond, Script, answer
from tests.support.served import ServedModel, as_json, as_text

SESSION = Path(__file__).parent / "sessions" / "foundry_v1.json"
HERE = "phi-4-mini-generic-cpu:3"
CUDA = "phi-4-mini-cuda-gpu:3"
GENERIC_GPU = "phi-4-mini-generic-gpu:3"
MB = 1024 * 1024
MODELS = (
    ServedModel(id=HERE),
    ServedModel(id=CUDA, is_cached=False, device="GPU", provider="CUDAExecutionProvider", size_mb=2000),
    ServedModel(id=GENERIC_GPU, device="GPU", provider="WebGpuExecutionProvider"),
)


@asynccontextmanager
async def service(
    *models: ServedModel, setting: Setting | None = None
) -> AsyncGenerator[tuple[EndpointServer, Endpoint], None]:
    setting = setting or Setting(kind="foundry-v1", models=models or MODELS)
    async with scripted_endpoint(answer(("Hello",)), setting) as endpoint:
        server = await EndpointServer.open(EndpointConfig(url=endpoint.url))
        try:
            yield server, endpoint
        finally:
            await server.aclose()


def model_in(snapshot: CatalogSnapshot, model_id: str) -> ModelVariant:
    found = snapshot.find(model_id)
    assert found is not None
    assert found.id == model_id
    return found


def asked(endpoint: Endpoint, path: str) -> list[Request]:
    return [request for request in endpoint.requests if request.path == path]


async def readings_of(server: EndpointServer, model_id: str) -> list[DownloadReading]:
    async with aclosing(server.download(model_id)) as readings:
        return [reading async for reading in readings]


async def failure_of(server: EndpointServer, model_id: str) -> EngineError:
    with pytest.raises(EngineError) as caught:
        await readings_of(server, model_id)
    return caught.value


@pytest.mark.parametrize("form", ["bare", "models"])
async def test_the_catalog_is_told_with_what_the_service_knows_of_each_model(form: str) -> None:
    async with service() as (server, endpoint):
        endpoint.routes.v1.catalog_form = "bare" if form == "bare" else "models"

        snapshot = await server.list_models(public=True)

    assert [model.id for model in snapshot.models] == [HERE, CUDA, GENERIC_GPU]
    model = model_in(snapshot, CUDA)
    assert (model.alias, model.publisher, model.license) == ("phi-4-mini", "Scripted", "MIT")
    assert (model.license_text, model.task) == ("Permission is hereby granted", "chat-completion")
    assert (model.device, model.execution_provider) == (Device.GPU, "CUDAExecutionProvider")
    assert (model.size_bytes, model.max_output_tokens) == (2000 * MB, 2048)
    assert (model.is_cached, model.is_loaded) == (False, False)
    assert model_in(snapshot, HERE).is_cached is True


async def test_without_the_network_there_is_what_was_downloaded_and_no_question_for_the_catalog() -> None:
    async with service() as (server, endpoint):
        snapshot = await server.list_models(public=False)

    assert [model.id for model in snapshot.models] == [HERE, GENERIC_GPU]
    assert asked(endpoint, "/foundry/list") == []


async def test_a_catalog_once_seen_is_still_there_when_the_network_is_not() -> None:
    async with service() as (server, _):
        await server.list_models(public=True)

        snapshot = await server.list_models(public=False)

    assert model_in(snapshot, CUDA).size_bytes == 2000 * MB


@pytest.mark.parametrize(
    "catalog", [as_text(500, "boom"), as_text(200, "<html>"), Script((Reset(),)), as_text(404, "")]
)
async def test_without_a_catalog_what_was_downloaded_is_listed_and_the_lack_is_told(catalog: Script) -> None:
    async with service() as (server, endpoint):
        endpoint.routes.extra["/foundry/list"] = catalog

        snapshot = await server.list_models(public=True)

    assert [model.id for model in snapshot.models] == [HERE, GENERIC_GPU]
    assert snapshot.notice is not None
    assert "catalog is not available" in snapshot.notice


async def test_entries_that_make_no_sense_are_left_out_and_wrong_fields_are_unknown() -> None:
    odd = [
        7,
        None,
        "text",
        {},
        {"name": 5},
        {"NAME": "ok:1", "FileSizeMb": "big", "runtime": [], "license": 3},
    ]
    async with service() as (server, endpoint):
        endpoint.routes.extra["/foundry/list"] = as_json(odd)

        snapshot = await server.list_models(public=True)

    model = model_in(snapshot, "ok:1")
    assert (model.size_bytes, model.execution_provider, model.license) == (None, None, None)


async def test_a_load_names_the_time_to_live_and_no_other_provider_than_the_variants_own() -> None:
    async with service() as (server, endpoint):
        await server.list_models(public=True)

        await server.load(HERE)
        await server.load(GENERIC_GPU)

    assert [request.query for request in asked(endpoint, f"/openai/load/{HERE}")] == ["ttl=600"]
    assert [request.query for request in asked(endpoint, f"/openai/load/{GENERIC_GPU}")] == [
        "ttl=600&ep=webgpu"
    ]


async def test_an_unload_is_forced_and_only_sent_for_what_is_loaded() -> None:
    async with service() as (server, endpoint):
        await server.load(HERE)

        await server.unload(HERE)
        await server.unload(HERE)

    assert [request.query for request in asked(endpoint, f"/openai/unload/{HERE}")] == ["force=true"]


async def test_a_load_of_what_was_not_downloaded_says_so() -> None:
    async with service() as (server, _):
        with pytest.raises(ModelRefused, match="was not downloaded") as caught:
            await server.load(CUDA)

    assert "models pull" in (caught.value.remedy or "")


@pytest.mark.parametrize(
    "body",
    [
        '{"title":"Bad Request","status":400,"detail":"out of memory"}',
        '{"error":{"message":"out of memory"}}',
        '{"Error":"out of memory"}',
        "out of memory",
    ],
)
async def test_a_refusal_is_told_in_the_services_words_whatever_their_form(body: str) -> None:
    async with service() as (server, endpoint):
        endpoint.routes.extra[f"/openai/load/{HERE}"] = as_text(500, body)

        with pytest.raises(ModelRefused, match=f"did not load {HERE}: out of memory$") as caught:
            await server.load(HERE)

    assert "unload other models" in (caught.value.remedy or "")


async def test_a_load_that_only_seems_to_succeed_is_none() -> None:
    async with service() as (server, endpoint):
        endpoint.routes.extra[f"/openai/load/{HERE}"] = as_text(200, "")

        with pytest.raises(ModelRefused, match="does not list it as loaded"):
            await server.load(HERE)


async def test_a_download_tells_how_far_it_is_and_ends_with_the_model_there() -> None:
    async with service() as (server, _):
        readings = await readings_of(server, CUDA)
        snapshot = await server.list_models(public=False)

    assert [(reading.phase, reading.done_bytes) for reading in readings] == [
        (DownloadPhase.STARTING, 0),
        (DownloadPhase.FLOWING, 0),
        (DownloadPhase.FLOWING, round(0.4567 * 2000 * MB)),
        (DownloadPhase.FLOWING, 2000 * MB),
        (DownloadPhase.DONE, 2000 * MB),
    ]
    assert {reading.total_bytes for reading in readings} == {2000 * MB}
    assert [reading.at_ns for reading in readings] == sorted(reading.at_ns for reading in readings)
    assert model_in(snapshot, CUDA).is_cached is True


async def test_a_download_is_ordered_as_the_services_own_sdk_orders_it() -> None:
    async with service() as (server, endpoint):
        await readings_of(server, CUDA)

    assert endpoint.routes.v1.orders == [
        {
            "model": {
                "Name": CUDA,
                "Uri": "azureml://registries/azureml/models/phi-4-mini-cuda-gpu/versions/3",
                "Publisher": "Scripted",
                "ProviderType": "AzureFoundryLocal",
                "PromptTemplate": PROMPT_TEMPLATE,
            },
            "token": None,
            "IgnorePipeReport": True,
        }
    ]


async def test_what_was_downloaded_already_is_not_ordered_again() -> None:
    async with service() as (server, endpoint):
        readings = await readings_of(server, HERE)

    assert [reading.phase for reading in readings] == [DownloadPhase.DONE]
    assert endpoint.routes.v1.orders == []


async def test_a_model_that_the_catalog_does_not_have_is_not_ordered() -> None:
    async with service() as (server, endpoint):
        assert isinstance(await failure_of(server, "nobody:1"), ModelNotFound)

    assert endpoint.routes.v1.orders == []


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            download_script(["Total 5% x"], {"Success": False, "ErrorMessage": "No space left"}),
            "No space left",
        ),
        (Script((Respond(500, b"the registry is gone", "text/plain"),)), "the registry is gone"),
    ],
)
async def test_a_download_that_the_service_gave_up_has_its_reason(script: Script, words: str) -> None:
    async with service() as (server, endpoint):
        endpoint.routes.v1.downloads[CUDA] = script

        error = await failure_of(server, CUDA)

    assert isinstance(error, ModelRefused)
    assert words in error.message


@pytest.mark.parametrize("ending", [(Hangup(),), (Reset(),), ()], ids=["hangup", "reset", "no-result"])
async def test_a_download_that_breaks_off_can_be_started_again(ending: tuple[Hangup | Reset, ...]) -> None:
    begun = (Headers(content_type="text/plain"), Raw(b"Total 5.00% Downloading x\n"))
    async with service() as (server, endpoint):
        endpoint.routes.v1.downloads[CUDA] = Script((*begun, *ending))
        error = await failure_of(server, CUDA)
        del endpoint.routes.v1.downloads[CUDA]

        readings = await readings_of(server, CUDA)

    assert isinstance(error, EngineUnavailable)
    assert "start it again" in (error.remedy or "")
    assert readings[-1].phase is DownloadPhase.DONE


async def test_a_download_without_a_result_counts_if_the_model_is_there() -> None:
    there = asyncio.Event()
    there.set()
    async with service() as (server, endpoint):
        steps = (Headers(content_type="text/plain"), Raw(b"[DONE] All Completed!\n"), Gate(there))
        endpoint.routes.v1.downloads[CUDA] = Script(steps)
        stream = server.download(CUDA)
        await anext(stream)
        endpoint.routes.models[1].is_cached = True

        last = [reading async for reading in stream][-1]

    assert last.phase is DownloadPhase.DONE


async def test_leaving_a_download_leaves_the_service() -> None:
    async with service() as (server, endpoint):
        lines = (Headers(content_type="text/plain"), Raw(b"Total 5.00% Downloading x\n"), HoldOpen())
        endpoint.routes.v1.downloads[CUDA] = Script(lines)

        async with aclosing(server.download(CUDA)) as readings:
            while (await anext(readings)).phase is not DownloadPhase.FLOWING:
                continue
            assert endpoint.open_streams == 1

        await endpoint.until(lambda: endpoint.open_streams == 0)
        snapshot = await server.list_models(public=False)

    assert model_in(snapshot, CUDA).is_cached is False


async def test_a_size_that_the_catalog_does_not_tell_stays_unknown() -> None:
    model = ServedModel(id=CUDA, is_cached=False, details={"fileSizeMb": None})
    async with service(model) as (server, _):
        readings = await readings_of(server, CUDA)

    assert {(reading.done_bytes, reading.total_bytes) for reading in readings} == {(0, None)}


async def test_a_whole_session_is_played_back() -> None:
    setting = Setting(kind="foundry-v1", session=SESSION)
    async with service(setting=setting) as (server, endpoint):
        before = await server.list_models(public=True)
        wanted = before.models[0]
        readings = await readings_of(server, wanted.id)
        report = await server.load(wanted.id)
        heard = await hear(server, ask(model=wanted.id))
        after = await server.list_models(public=False)

    assert (wanted.alias, wanted.is_cached, wanted.capabilities) == ("qwen2.5-0.5b", False, ("tool-calling",))
    assert [round(reading.done_bytes / (822 * MB), 4) for reading in readings] == [0, 0, 0.0019, 0.125, 1, 1]
    assert not report.was_loaded
    assert heard.text == "Hello there"
    assert model_in(after, wanted.id).is_loaded is True
    assert server.info.cache_dir == "C:\\Users\\me\\.foundry\\cache\\models"
    assert asked(endpoint, "/openai/download")[0].body["IgnorePipeReport"] is True

"""What the control side of every engine promises."""

import asyncio
import json
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio

from foundry_tui.demo import DEMO_MODEL_ID, demo_registration
from foundry_tui.domain.engine import ExecutionProvider, ProviderEvent, ProviderProgress, ProvidersRegistered
from foundry_tui.domain.errors import EngineError, ModelNotFound, ModelRefused, NotSupported
from foundry_tui.domain.models import (
    CatalogKind,
    Device,
    ModelVariant,
    ProviderEvidence,
    Registration,
    SnapshotOrigin,
)
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.hosting.hosted import HostedEngine
from foundry_tui.engines.scripted import ScriptedServer
from foundry_tui.ports.engines import ModelKeeper, ModelManager, ProviderManager
from tests.contract.chats import ask, hear
from tests.contract.runtime import copy_of_demo, hosted, offline_runtime


class Managing(ModelManager, ModelKeeper, ProviderManager, Protocol):
    """The whole control side."""


# One runtime serves all tests here, so fixtures and tests share a loop.
pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "mine-generic-cpu:1"
PUBLIC_MODEL = "fetched-generic-cpu:1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runtime(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[HostedEngine, None]:
    folder = tmp_path_factory.mktemp("runtime")
    async with hosted(offline_runtime(folder), folder) as engine:
        yield engine


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scripted() -> ScriptedServer:
    return ScriptedServer()


@pytest_asyncio.fixture(
    loop_scope="module", params=["scripted", pytest.param("runtime", marks=pytest.mark.native)]
)
async def manager(
    request: pytest.FixtureRequest, scripted: ScriptedServer, runtime: HostedEngine
) -> AsyncGenerator[Managing, None]:
    manager: Managing = scripted if request.param == "scripted" else runtime
    yield manager
    await forget(manager, MODEL)


async def forget(manager: ModelManager, model_id: str) -> None:
    if (await manager.list_models(public=False)).find(model_id) is not None:
        await manager.unload(model_id)
        await manager.unregister(model_id)


async def entry(manager: ModelManager, model_id: str) -> ModelVariant | None:
    return (await manager.list_models(public=False)).find(model_id)


async def test_a_registered_folder_is_listed_as_a_model_of_the_users_own(
    manager: ModelManager, tmp_path: Path
) -> None:
    folder = copy_of_demo(tmp_path / "model")

    await manager.register(Registration(path=str(folder), model_id=MODEL))

    listed = await entry(manager, MODEL)
    assert listed is not None
    assert (listed.catalog, listed.path, listed.is_loaded) == (CatalogKind.LOCAL, str(folder), False)


async def test_a_list_comes_from_the_running_engine(manager: ModelManager) -> None:
    assert (await manager.list_models(public=False)).origin is SnapshotOrigin.LIVE


async def test_a_load_takes_time_and_shows(manager: ModelManager, tmp_path: Path) -> None:
    await manager.register(Registration(path=str(copy_of_demo(tmp_path / "model")), model_id=MODEL))

    report = await manager.load(MODEL)

    listed = await entry(manager, MODEL)
    assert (report.model_id, report.was_loaded) == (MODEL, False)
    assert report.load_ns > 0
    assert listed is not None
    assert listed.is_loaded is True


async def test_a_second_load_says_that_it_was_there(manager: ModelManager, tmp_path: Path) -> None:
    await manager.register(Registration(path=str(copy_of_demo(tmp_path / "model")), model_id=MODEL))
    await manager.load(MODEL)

    report = await manager.load(MODEL)

    assert report.was_loaded


async def test_an_unload_shows_and_may_be_repeated(manager: ModelManager, tmp_path: Path) -> None:
    await manager.register(Registration(path=str(copy_of_demo(tmp_path / "model")), model_id=MODEL))
    await manager.load(MODEL)

    await manager.unload(MODEL)
    await manager.unload(MODEL)

    listed = await entry(manager, MODEL)
    assert listed is not None
    assert listed.is_loaded is False


async def test_a_loaded_model_cannot_be_unregistered(manager: ModelManager, tmp_path: Path) -> None:
    await manager.register(Registration(path=str(copy_of_demo(tmp_path / "model")), model_id=MODEL))
    await manager.load(MODEL)

    with pytest.raises(ModelRefused) as caught:
        await manager.unregister(MODEL)

    assert caught.value.remedy == "unload it first"
    assert await entry(manager, MODEL) is not None


async def test_an_unregistered_folder_is_gone_from_the_list_and_not_from_the_disk(
    manager: ModelManager, tmp_path: Path
) -> None:
    folder = copy_of_demo(tmp_path / "model")
    await manager.register(Registration(path=str(folder), model_id=MODEL))

    await manager.unregister(MODEL)

    assert await entry(manager, MODEL) is None
    assert (folder / "model.onnx").is_file()


async def test_the_same_folder_may_be_registered_twice(manager: ModelManager, tmp_path: Path) -> None:
    registration = Registration(path=str(copy_of_demo(tmp_path / "model")), model_id=MODEL)
    await manager.register(registration)

    again = await manager.register(registration)

    assert again.path == registration.path


async def test_another_folder_does_not_take_a_name_that_is_in_use(
    manager: ModelManager, tmp_path: Path
) -> None:
    first, second = copy_of_demo(tmp_path / "first"), copy_of_demo(tmp_path / "second")
    await manager.register(Registration(path=str(first), model_id=MODEL))

    with pytest.raises(ModelRefused, match="registered already"):
        await manager.register(Registration(path=str(second), model_id=MODEL))

    listed = await entry(manager, MODEL)
    assert listed is not None
    assert listed.path == str(first)


async def test_another_folder_takes_the_name_if_it_is_told_to(manager: ModelManager, tmp_path: Path) -> None:
    first, second = copy_of_demo(tmp_path / "first"), copy_of_demo(tmp_path / "second")
    await manager.register(Registration(path=str(first), model_id=MODEL))

    model = await manager.register(Registration(path=str(second), model_id=MODEL, replaces=True))

    assert model.path == str(second)


async def test_a_registration_whose_folder_is_gone_is_replaced(manager: ModelManager, tmp_path: Path) -> None:
    folder = copy_of_demo(tmp_path / "before")
    await manager.register(Registration(path=str(folder), model_id=MODEL))
    moved = folder.rename(tmp_path / "after")

    model = await manager.register(Registration(path=str(moved), model_id=MODEL))

    assert model.path == str(moved)
    assert not (await manager.load(MODEL)).was_loaded


@pytest.mark.parametrize("verb", ["load", "unload", "unregister"])
async def test_a_model_that_nobody_knows_is_not_found(manager: ModelManager, verb: str) -> None:
    action = {"load": manager.load, "unload": manager.unload, "unregister": manager.unregister}[verb]

    with pytest.raises(ModelNotFound):
        await action("nobody-generic-cpu:1")


async def test_an_id_without_a_version_is_refused(manager: ModelManager, tmp_path: Path) -> None:
    folder = copy_of_demo(tmp_path / "model")

    with pytest.raises(ModelRefused) as caught:
        await manager.register(Registration(path=str(folder), model_id="mine"))

    assert caught.value.remedy


@pytest.mark.native
@pytest.mark.parametrize(
    ("lacking", "reason", "remedy"),
    [
        ("genai_config.json", "has no genai_config.json", "GenAI files"),
        ("model.onnx", "File doesn't exist", "weights"),
        ("tokenizer.json", "tokenizer", "tokenizer"),
        ("tokenizer_config.json", "tokenizer", "tokenizer"),
    ],
)
async def test_an_incomplete_folder_is_refused_in_plain_words(
    runtime: HostedEngine, tmp_path: Path, lacking: str, reason: str, remedy: str
) -> None:
    folder = copy_of_demo(tmp_path / "model", without=(lacking,))

    error = await refusal(runtime, folder)

    assert reason in error.message
    assert remedy in (error.remedy or "")


@pytest.mark.native
@pytest.mark.parametrize(
    ("damaged", "left_bytes", "remedy"),
    [
        ("model.onnx", 400_000, "weights"),
        ("model.onnx", 0, "weights"),
        ("tokenizer.json", 100, "tokenizer"),
        ("genai_config.json", 100, "genai_config.json"),
    ],
)
async def test_a_damaged_file_is_refused_in_plain_words(
    runtime: HostedEngine, tmp_path: Path, damaged: str, left_bytes: int, remedy: str
) -> None:
    folder = copy_of_demo(tmp_path / "model")
    (folder / damaged).write_bytes((folder / damaged).read_bytes()[:left_bytes])

    error = await refusal(runtime, folder)

    assert remedy in (error.remedy or "")


async def refusal(runtime: HostedEngine, folder: Path) -> EngineError:
    try:
        with pytest.raises(ModelRefused) as caught:
            await register_and_load(runtime, folder)
    finally:
        await forget(runtime, MODEL)
    assert ".cc:" not in caught.value.message
    assert "Error code" not in caught.value.message
    return caught.value


async def register_and_load(runtime: HostedEngine, folder: Path) -> None:
    await runtime.register(Registration(path=str(folder), model_id=MODEL))
    await runtime.load(MODEL)


@pytest.mark.native
@pytest.mark.parametrize("path", ["nowhere", "model/model.onnx"])
async def test_what_is_no_folder_is_refused(runtime: HostedEngine, tmp_path: Path, path: str) -> None:
    copy_of_demo(tmp_path / "model")

    with pytest.raises(ModelRefused, match="is not a folder"):
        await runtime.register(Registration(path=str(tmp_path / path), model_id=MODEL))


@pytest.mark.native
async def test_a_model_whose_folder_is_gone_is_listed_with_the_reason(
    runtime: HostedEngine, tmp_path: Path
) -> None:
    folder = copy_of_demo(tmp_path / "model")
    await runtime.register(Registration(path=str(folder), model_id=MODEL))
    shutil.rmtree(folder)

    listed = await entry(runtime, MODEL)
    with pytest.raises(ModelRefused) as caught:
        await runtime.load(MODEL)
    await runtime.unregister(MODEL)

    assert listed is not None
    assert (listed.is_cached, listed.problem) == (
        False,
        "its folder is gone: unregister it, or register it again",
    )
    assert "register it again" in (caught.value.remedy or "")


@pytest.mark.native
async def test_what_the_folder_says_is_in_the_list(runtime: HostedEngine) -> None:
    model = await runtime.register(demo_registration())

    assert (model.id, model.alias, model.context_tokens) == (DEMO_MODEL_ID, "tiny-demo", 4096)
    assert (model.license, model.publisher) == ("MIT", "foundry-tui")
    assert model.disk_bytes is not None
    assert model.disk_bytes > 900_000


async def test_a_folder_of_the_users_own_is_not_removed(manager: Managing, tmp_path: Path) -> None:
    folder = copy_of_demo(tmp_path / "model")
    await manager.register(Registration(path=str(folder), model_id=MODEL))

    with pytest.raises(ModelRefused) as caught:
        await manager.remove(MODEL)

    assert "unregister" in (caught.value.remedy or "")
    assert (folder / "model.onnx").is_file()
    assert await entry(manager, MODEL) is not None


async def test_what_nobody_knows_cannot_be_removed(manager: Managing) -> None:
    with pytest.raises(ModelNotFound):
        await manager.remove("nobody-generic-cpu:1")


async def test_a_load_says_what_runs_the_model_and_how_that_is_known(
    manager: Managing, tmp_path: Path
) -> None:
    await manager.register(Registration(path=str(copy_of_demo(tmp_path / "model")), model_id=MODEL))

    report = await manager.load(MODEL)

    assert (report.device, report.execution_providers) == (Device.CPU, ("CPUExecutionProvider",))
    assert report.provider_evidence is not None


@pytest.mark.native
async def test_the_models_own_configuration_is_the_evidence(runtime: HostedEngine) -> None:
    await runtime.register(demo_registration())

    report = await runtime.load(DEMO_MODEL_ID)
    await runtime.unload(DEMO_MODEL_ID)

    assert report.provider_evidence is ProviderEvidence.CONFIGURED


async def test_a_provider_that_cannot_be_had_here_is_refused(manager: Managing) -> None:
    with pytest.raises(NotSupported):
        await registered(manager, "NoSuchExecutionProvider")


async def test_a_registration_ends_with_all_providers_as_they_are_then(manager: Managing) -> None:
    events = await registered(manager)

    last = events[-1]
    assert all(isinstance(event, ProviderProgress) for event in events[:-1])
    assert isinstance(last, ProvidersRegistered)
    assert last.providers == await manager.providers()
    assert last.failed == ()


@pytest.mark.native
async def test_a_machine_without_an_accelerator_has_no_providers_to_register(runtime: HostedEngine) -> None:
    assert await runtime.providers() == ()
    assert await registered(runtime) == [ProvidersRegistered(())]


async def test_progress_rises_and_what_fails_is_named() -> None:
    engine = ScriptedServer(ScriptedConfig(providers=("CUDAExecutionProvider", "Broken")))

    events = await registered(engine)

    assert events == [
        ProviderProgress("CUDAExecutionProvider", 0.0),
        ProviderProgress("CUDAExecutionProvider", 50.0),
        ProviderProgress("CUDAExecutionProvider", 100.0),
        ProviderProgress("Broken", 0.0),
        ProviderProgress("Broken", 50.0),
        ProvidersRegistered(
            (ExecutionProvider("CUDAExecutionProvider", True), ExecutionProvider("Broken", False)),
            failed=("Broken",),
        ),
    ]


async def registered(manager: ProviderManager, *names: str) -> list[ProviderEvent]:
    return [event async for event in manager.register_providers(names)]


@pytest.mark.native
async def test_two_models_in_memory_both_answer(runtime: HostedEngine, tmp_path: Path) -> None:
    own = replace(demo_registration(), path=str(copy_of_demo(tmp_path / "model")), model_id=MODEL)
    for registration in (demo_registration(), own):
        await runtime.register(registration)
        await runtime.load(registration.model_id)

    texts = [(await hear(runtime, ask("What is 3 + 4?", model=m))).text for m in (DEMO_MODEL_ID, MODEL)]
    await forget(runtime, MODEL)

    assert texts == ["3 + 4 = 7.", "3 + 4 = 7."]


@pytest.mark.native
async def test_a_fetched_model_in_memory_is_listed_as_loaded_without_asking_the_network(
    tmp_path: Path,
) -> None:
    async with catalog_of_one_model() as url:
        config = replace(offline_runtime(tmp_path), catalog_urls=(url,), offline=False)
        folder = copy_of_demo(Path(config.cache_dir) / "Somebody" / PUBLIC_MODEL.replace(":", "-"))
        (folder / "inference_model.json").write_text(json.dumps({"Name": PUBLIC_MODEL}))
        async with hosted(config, tmp_path) as engine:
            await engine.load(PUBLIC_MODEL)
            loaded = await entry(engine, PUBLIC_MODEL)
            await engine.unload(PUBLIC_MODEL)
            unloaded = await entry(engine, PUBLIC_MODEL)

    assert loaded is not None
    assert unloaded is not None
    assert (loaded.catalog, loaded.is_loaded, unloaded.is_loaded) == (CatalogKind.PUBLIC, True, False)


@asynccontextmanager
async def catalog_of_one_model() -> AsyncGenerator[str, None]:
    name, _, model_version = PUBLIC_MODEL.partition(":")
    assets = "azureml://registries/azureml/models"
    record = {
        "assetId": f"{assets}/{name}/versions/{model_version}",
        "name": name,
        "alias": "fetched",
        "displayName": "Fetched",
        "version": model_version,
        "publisher": "Somebody",
        "minFLVersion": "0.1.0",
        "inferenceTasks": ["chat-completion"],
        "modelLimits": {"textLimits": {"inputContextWindow": 4096, "maxOutputTokens": 512}},
        "variantInformation": {
            "parents": [{"assetId": f"{assets}/fetched/versions/{model_version}"}],
            "variantMetadata": {
                "modelType": "ONNX",
                "device": "cpu",
                "executionProvider": "CPUExecutionProvider",
                "fileSizeBytes": 1_000_000,
            },
        },
    }
    body = json.dumps({"totalCount": 1, "continuationToken": "", "summaries": [record]}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1") as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/models"

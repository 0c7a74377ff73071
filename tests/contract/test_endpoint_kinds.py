"""What each kind of server is taken for, and what can be done with it."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from foundry_tui.domain.engine import Capability, EndpointKind
from foundry_tui.domain.errors import EngineUnavailable, ModelNotFound, ModelRefused, NotSupported
from foundry_tui.domain.models import CatalogKind, Registration
from foundry_tui.engines.endpoints.models import alias_of
from foundry_tui.engines.endpoints.server import EndpointServer
from foundry_tui.engines.hosting.configs import EndpointConfig
from tests.contract.chats import ask, hear
from tests.support.endpoint import Endpoint, Setting, scripted_endpoint
from tests.support.routes import ServedModel, ServerKind
from tests.support.script import answer

PHI_CPU = "phi-4-mini-generic-cpu:3"
PHI_GPU = "phi-4-mini-cuda-gpu:3"
NOT_HERE = "qwen-generic-cpu:1"
OWN = "mine-generic-cpu:1"
FOUNDRY: tuple[ServerKind, ...] = ("foundry-v1", "foundry-v2")
EVERY: tuple[ServerKind, ...] = (*FOUNDRY, "openai")
HELLO = answer(("Hello", ", ", "world"))


@asynccontextmanager
async def served(kind: ServerKind) -> AsyncGenerator[tuple[EndpointServer, Endpoint], None]:
    setting = Setting(
        kind=kind,
        models=(PHI_CPU, PHI_GPU, ServedModel(id=NOT_HERE, is_cached=False)),
        local_models=(OWN,) if kind == "foundry-v2" else (),
    )
    async with scripted_endpoint(HELLO, setting) as endpoint:
        server = await EndpointServer.open(EndpointConfig(url=endpoint.url))
        try:
            yield server, endpoint
        finally:
            await server.aclose()


@pytest.mark.parametrize("kind", EVERY)
async def test_a_server_is_recognised_by_what_it_answers(kind: ServerKind) -> None:
    async with served(kind) as (server, endpoint):
        info = server.info

    assert info.kind is EndpointKind(kind)
    assert info.url == endpoint.url


@pytest.mark.parametrize("kind", FOUNDRY)
async def test_a_foundry_server_loads_and_lists_and_registers_nothing(kind: ServerKind) -> None:
    async with served(kind) as (server, _):
        info = server.info

    for able in (Capability.CHAT, Capability.LIST, Capability.LOADED, Capability.LOAD, Capability.UNLOAD):
        assert info.can(able)
    assert not info.can(Capability.REGISTER)
    assert info.cache_dir == "/models"


@pytest.mark.parametrize("kind", EVERY)
async def test_only_an_older_service_downloads_for_us(kind: ServerKind) -> None:
    async with served(kind) as (server, _):
        info = server.info

    assert info.can(Capability.DOWNLOAD) is (kind == "foundry-v1")


async def test_an_openai_server_lists_and_chats_and_no_more() -> None:
    async with served("openai") as (server, _):
        assert server.info.capabilities == (Capability.CHAT, Capability.LIST)


async def test_the_memory_of_a_server_on_this_machine_can_be_read_where_it_names_its_process() -> None:
    async with served("foundry-v2") as (server, _):
        info = server.info

    assert info.pid == os.getpid()
    assert info.can(Capability.MEMORY)


@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        ("foundry-v1", [PHI_CPU, PHI_GPU, NOT_HERE]),
        ("foundry-v2", [OWN, PHI_CPU, PHI_GPU, NOT_HERE]),
        ("openai", [PHI_CPU, PHI_GPU, NOT_HERE]),
    ],
)
async def test_the_list_is_the_servers_own(kind: ServerKind, ids: list[str]) -> None:
    async with served(kind) as (server, _):
        snapshot = await server.list_models(public=True)

    assert [model.id for model in snapshot.models] == ids


async def test_a_runtimes_registered_models_are_told_from_the_catalogs() -> None:
    async with served("foundry-v2") as (server, _):
        snapshot = await server.list_models(public=True)

    kinds = {model.id: model.catalog for model in snapshot.models}
    assert (kinds[OWN], kinds[PHI_CPU]) == (CatalogKind.LOCAL, CatalogKind.ENDPOINT)


async def test_what_a_server_does_not_tell_is_unknown() -> None:
    async with served("openai") as (server, _):
        model = (await server.list_models(public=True)).models[0]

    assert (model.is_loaded, model.is_cached, model.device, model.context_tokens) == (None, None, None, None)


@pytest.mark.parametrize("kind", FOUNDRY)
async def test_a_load_and_an_unload_show_in_the_list(kind: ServerKind) -> None:
    async with served(kind) as (server, _):
        report = await server.load(PHI_CPU)
        loaded = (await server.list_models(public=True)).find(PHI_CPU)
        again = await server.load(PHI_CPU)
        await server.unload(PHI_CPU)
        unloaded = (await server.list_models(public=True)).find(PHI_CPU)

    assert report.load_ns > 0
    assert (report.was_loaded, again.was_loaded) == (False, True)
    assert loaded is not None
    assert unloaded is not None
    assert (loaded.is_loaded, unloaded.is_loaded) == (True, False)


async def test_a_registered_model_is_loaded_and_asked_under_its_own_prefix() -> None:
    async with served("foundry-v2") as (server, endpoint):
        await server.load(OWN)
        heard = await hear(server, ask(model=OWN))

    assert heard.text == "Hello, world"
    paths = [request.path for request in endpoint.requests]
    assert "/catalogs/local/models/load/mine" in paths
    assert paths[-1] == "/catalogs/local/v1/chat/completions"


async def test_a_variant_that_the_server_does_not_prefer_is_not_taken_for_loaded() -> None:
    async with served("foundry-v2") as (server, _):
        with pytest.raises(ModelRefused, match=f"acts on {PHI_CPU} only"):
            await server.load(PHI_GPU)

        snapshot = await server.list_models(public=True)

    assert not any(model.is_loaded for model in snapshot.models)


async def test_a_variant_that_cannot_be_unloaded_does_not_take_another_one_with_it() -> None:
    async with served("foundry-v2") as (server, endpoint):
        for model in endpoint.routes.models:
            model.is_loaded = model.id in (PHI_CPU, PHI_GPU)

        with pytest.raises(ModelRefused, match="nothing was changed"):
            await server.unload(PHI_GPU)

        snapshot = await server.list_models(public=True)

    assert [model.id for model in snapshot.models if model.is_loaded] == [PHI_CPU, PHI_GPU]


async def test_an_unload_of_what_is_not_in_memory_leaves_the_rest_of_its_family_there() -> None:
    async with served("foundry-v2") as (server, _):
        await server.load(PHI_CPU)

        await server.unload(PHI_GPU)

        snapshot = await server.list_models(public=True)

    assert [model.id for model in snapshot.models if model.is_loaded] == [PHI_CPU]


@pytest.mark.parametrize(
    ("model_id", "alias"),
    [
        ("Phi-3.5-mini-instruct-generic-cpu:1", "phi-3.5-mini"),
        ("qwen2.5-0.5b-instruct-generic-cpu:4", "qwen2.5-0.5b"),
        ("deepseek-r1-distill-qwen-7b-generic-cpu:3", "deepseek-r1-7b"),
    ],
)
async def test_the_catalogs_own_aliases_are_found_though_the_server_does_not_tell_them(
    model_id: str, alias: str
) -> None:
    setting = Setting(kind="foundry-v2", models=(ServedModel(id=model_id, alias=alias),))
    async with scripted_endpoint(HELLO, setting) as endpoint:
        server = await EndpointServer.open(EndpointConfig(url=endpoint.url))

        await server.load(model_id)
        loaded = (await server.list_models(public=True)).find(model_id)
        await server.unload(model_id)
        unloaded = (await server.list_models(public=True)).find(model_id)
        await server.aclose()

    assert loaded is not None
    assert unloaded is not None
    assert (loaded.is_loaded, loaded.alias, unloaded.is_loaded) == (True, alias, False)


async def test_an_alias_that_cannot_be_guessed_is_said_to_be_the_problem() -> None:
    setting = Setting(kind="foundry-v2", models=(ServedModel(id=PHI_CPU, alias="quite-another"),))
    async with scripted_endpoint(HELLO, setting) as endpoint:
        server = await EndpointServer.open(EndpointConfig(url=endpoint.url))

        with pytest.raises(ModelRefused, match="goes by another alias than phi-4-mini"):
            await server.load(PHI_CPU)
        await server.aclose()


@pytest.mark.parametrize("kind", FOUNDRY)
async def test_a_model_that_was_not_downloaded_is_refused_with_a_remedy(kind: ServerKind) -> None:
    async with served(kind) as (server, _):
        with pytest.raises(ModelRefused) as caught:
            await server.load(NOT_HERE)

    assert "download" in (caught.value.remedy or "")


async def test_a_model_that_a_runtime_does_not_know_is_not_found() -> None:
    async with served("foundry-v2") as (server, _):
        with pytest.raises(ModelNotFound):
            await server.load("nobody-generic-cpu:1")


@pytest.mark.parametrize("name", ["../status", "a/b:1", "a b:1", "a?b", ""])
async def test_a_name_that_would_leave_its_path_is_refused_unsent(name: str) -> None:
    async with served("foundry-v1") as (server, endpoint):
        with pytest.raises(ModelRefused):
            await server.unload(name)

    assert all(request.path.startswith(("/status", "/openai/status")) for request in endpoint.requests)


async def test_an_openai_server_can_neither_load_nor_unload() -> None:
    async with served("openai") as (server, _):
        with pytest.raises(NotSupported):
            await server.load(PHI_CPU)
        with pytest.raises(NotSupported):
            await server.unload(PHI_CPU)


@pytest.mark.parametrize("kind", ["foundry-v2", "openai"])
async def test_only_a_v1_service_downloads_for_us(kind: ServerKind) -> None:
    async with served(kind) as (server, _):
        with pytest.raises(NotSupported, match="download"):
            await anext(server.download(NOT_HERE))


@pytest.mark.parametrize("kind", EVERY)
async def test_no_server_registers_a_folder_for_us(kind: ServerKind) -> None:
    async with served(kind) as (server, _):
        with pytest.raises(NotSupported) as caught:
            await server.register(Registration(path="/models/mine", model_id=OWN))
        with pytest.raises(NotSupported):
            await server.unregister(OWN)

    assert "--endpoint" in (caught.value.remedy or "")


@pytest.mark.parametrize("kind", EVERY)
async def test_every_kind_chats(kind: ServerKind) -> None:
    async with served(kind) as (server, _):
        heard = await hear(server, ask(model=PHI_CPU))

    assert heard.text == "Hello, world"


async def test_a_server_that_is_none_of_these_is_refused() -> None:
    async def show_page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>")
        writer.close()

    async with await asyncio.start_server(show_page, "127.0.0.1") as router:
        url = f"http://127.0.0.1:{router.sockets[0].getsockname()[1]}"
        with pytest.raises(EngineUnavailable, match="not as an OpenAI-compatible server"):
            await EndpointServer.open(EndpointConfig(url=url))


@pytest.mark.parametrize(
    ("model_id", "alias"),
    [
        ("phi-4-mini-generic-cpu:3", "phi-4-mini"),
        ("phi-4-mini-cuda-gpu:3", "phi-4-mini"),
        ("qwen2.5-0.5b-instruct-qnn-npu:1", "qwen2.5-0.5b-instruct"),
        ("llama3.2:1b", "llama3.2"),
    ],
)
def test_an_alias_is_an_id_without_device_and_version(model_id: str, alias: str) -> None:
    assert alias_of(model_id) == alias

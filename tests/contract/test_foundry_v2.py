"""The real runtime's web service, taken for a server that somebody else runs."""

import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from foundry_tui.domain.engine import Capability, EndpointKind
from foundry_tui.domain.errors import ModelNotFound
from foundry_tui.domain.models import CatalogKind, Registration
from foundry_tui.engines.endpoints.discovery import Surroundings, find_servers
from foundry_tui.engines.endpoints.server import EndpointServer
from foundry_tui.engines.hosting.configs import EndpointConfig
from foundry_tui.engines.hosting.hosted import HostedEngine
from tests.contract.chats import ask, hear
from tests.contract.runtime import copy_of_demo, hosted, offline_runtime

# One runtime serves all tests here, so fixtures and tests share a loop.
pytestmark = [pytest.mark.native, pytest.mark.asyncio(loop_scope="module")]

MODEL = "mine-generic-cpu:1"


@dataclass(frozen=True, slots=True)
class Both:
    """The runtime as its owner has it, and as a stranger sees it."""

    owner: HostedEngine
    stranger: EndpointServer
    url: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Both, None]:
    folder = tmp_path_factory.mktemp("v2")
    async with hosted(offline_runtime(folder), folder) as owner:
        await owner.register(Registration(path=str(copy_of_demo(folder / "model")), model_id=MODEL))
        info = await owner.start()
        assert info.url is not None
        stranger = await EndpointServer.open(EndpointConfig(url=info.url))
        yield Both(owner, stranger, info.url)
        await stranger.aclose()


async def test_it_is_recognised_with_its_process_and_folder(both: Both) -> None:
    info = both.stranger.info

    assert info.kind is EndpointKind.FOUNDRY_V2
    assert info.pid not in (None, os.getpid())
    assert info.can(Capability.MEMORY)
    assert info.cache_dir is not None
    assert info.notes == ()


async def test_what_it_is_asked_to_load_is_loaded_chats_and_is_unloaded(both: Both) -> None:
    report = await both.stranger.load(MODEL)
    again = await both.stranger.load(MODEL)
    loaded = (await both.owner.list_models(public=False)).find(MODEL)
    heard = await hear(both.stranger, ask(model=MODEL, max_tokens=8))
    await both.stranger.unload(MODEL)
    await both.stranger.unload(MODEL)
    unloaded = (await both.stranger.list_models(public=True)).find(MODEL)

    assert (report.was_loaded, again.was_loaded) == (False, True)
    assert loaded is not None
    assert unloaded is not None
    assert (loaded.is_loaded, unloaded.is_loaded) == (True, False)
    assert unloaded.catalog is CatalogKind.LOCAL
    assert heard.text


@pytest.mark.parametrize("verb", ["load", "unload"])
async def test_a_model_that_it_does_not_have_is_not_found(both: Both, verb: str) -> None:
    action = {"load": both.stranger.load, "unload": both.stranger.unload}[verb]

    with pytest.raises(ModelNotFound):
        await action("nobody-generic-cpu:1")


async def test_it_is_found_by_its_port(both: Both, tmp_path: Path) -> None:
    port = int(both.url.rpartition(":")[2])
    around = Surroundings(environment={}, home=tmp_path, ports=(port,), find_program=lambda name: None)

    # Offline, the first list of the public catalog can take it seconds.
    found = await find_servers(around, limit_s=10)

    assert [(server.url, server.kind) for server in found] == [(both.url, EndpointKind.FOUNDRY_V2)]

"""Catalogs, downloads by others and the engine's restarts, with the real runtime on a hub."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.demo import DEMO_MODEL_ID, demo_registration
from foundry_tui.domain.chat import ChunkReceived
from foundry_tui.domain.errors import ModelRefused
from foundry_tui.engines.catalog.files import CatalogFiles, ModelFolders
from foundry_tui.engines.catalog.http import HttpCatalogs
from foundry_tui.engines.catalog.snapshot import read_snapshot
from foundry_tui.engines.hosting.configs import ManagedConfig, ScriptedConfig
from foundry_tui.engines.hosting.hosted import HostedEngine
from foundry_tui.services.client import ClientService
from foundry_tui.services.engine.catalogs import Catalogs
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.services.engine.watching import Pace
from tests.contract.chats import ask
from tests.contract.runtime import hosted
from tests.support.hub import DEMO_ID, Hub, Place, demo_model, managed_config, standard_models

SOON = Pace(folders_s=0.05, first_probe_s=0.05, longest_probe_s=0.2)
SECOND_ID = "second-generic-cpu:1"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    second = replace(demo_model(name="second-generic-cpu"), alias="second", catalog="second")
    with Hub([*standard_models(), second]) as hub:
        for name, value in hub.environment().items():
            monkeypatch.setenv(name, value)
        yield hub


def pull(hub: Hub, folder: Path, model_id: str, url: str | None = None) -> None:
    """Download a model in another process, to its end."""
    command = [sys.executable, "-m", "tests.support.hub.pull", str(folder), url or hub.catalog_url]
    subprocess.run([*command, hub.catalog_region, "4", model_id], check=True, stdout=subprocess.DEVNULL)


@asynccontextmanager
async def opened(config: ManagedConfig, folder: Path) -> AsyncGenerator[ClientService, None]:
    cache = Path(config.cache_dir)
    catalogs = Catalogs(
        config.catalog_urls,
        open_reader=HttpCatalogs,
        store=CatalogFiles(folder / "catalogs"),
        folders=ModelFolders(cache),
    )
    client = ClientService(
        HostedEngine(config, log_dir=folder / "host-logs"),
        EngineLease(),
        registrations=(demo_registration(),),
        catalogs=catalogs,
        read_snapshot=lambda: read_snapshot(cache),
        pace=SOON,
    )
    try:
        yield client
    finally:
        await client.aclose()


async def shown(client: ClientService, holds: Callable[[], object]) -> None:
    """Return once ``holds()`` is true; it is asked at every new list."""
    async with asyncio.timeout(60):
        async for _ in client.catalog.watch():
            if holds():
                return


async def said(client: ClientService, model_id: str) -> str:
    async with client.chat(ask("What is 3 + 4?", model=model_id)) as events:
        return "".join([event.text async for event in events if isinstance(event, ChunkReceived)])


async def test_a_long_list_comes_whole_and_in_order_through_the_pipe(tmp_path: Path) -> None:
    ids = tuple(f"m{number:04d}-generic-cpu:1" for number in range(1_050))

    async with hosted(ScriptedConfig(public=ids), tmp_path) as engine:
        listed = await engine.list_models(public=True)

    assert tuple(model.id for model in listed.models)[-1_050:] == ids


@pytest.mark.native
async def test_all_variants_are_visible_with_the_reason_why_some_cannot_run(hub: Hub, tmp_path: Path) -> None:
    async with opened(managed_config(hub, tmp_path), tmp_path) as client:
        await client.start()
        snapshot = await client.refresh()

    reasons = {model.id: model.unavailable for model in snapshot.models}
    assert reasons["granit-3b-generic-cpu:1"] is None
    assert reasons["granit-3b-cuda-gpu:1"] == "needs an NVIDIA GPU (CUDA execution provider)"
    assert reasons["granit-3b-qnn-npu:1"] == "needs a Qualcomm NPU (QNN execution provider)"
    assert (reasons["futuristic-generic-cpu:1"] or "").startswith(
        "needs a newer Foundry Local runtime (99.0.0"
    )
    assert [source.problem for source in snapshot.sources] == [None, None]


@pytest.mark.native
async def test_a_download_by_another_process_is_seen_and_what_was_loaded_is_there_again(
    hub: Hub, tmp_path: Path
) -> None:
    async with opened(managed_config(hub, tmp_path), tmp_path) as client:
        await client.start()
        await client.refresh()
        client.refresh_soon()
        await client.load(DEMO_MODEL_ID)
        await asyncio.to_thread(pull, hub, tmp_path, DEMO_ID)

        await shown(client, lambda: client.revived.value is not None)

        assert client.find(DEMO_ID).is_cached
        assert client.find(DEMO_MODEL_ID).is_loaded
        await client.load(DEMO_ID)
        assert await said(client, DEMO_ID) == "3 + 4 = 7."


@pytest.mark.native
async def test_offline_is_a_normal_state_and_ends_by_itself(hub: Hub, tmp_path: Path) -> None:
    config = managed_config(hub, tmp_path)
    async with opened(config, tmp_path) as client:
        await client.start()
        await client.refresh()
        pull(hub, tmp_path, DEMO_ID)
    hub.down()

    async with opened(config, tmp_path) as client:
        await client.show_snapshot()
        before_the_engine = client.catalog.value
        await client.start()
        await client.load(DEMO_ID)
        answer = await said(client, DEMO_ID)
        cut_off = await client.refresh()
        hub.up()
        client.refresh_soon()
        await shown(client, lambda: is_back(client))

        assert before_the_engine.find("granit-3b-cuda-gpu:1") is not None
        assert answer == "3 + 4 = 7."
        assert (cut_off.notice or "").startswith("offline")
        assert all(source.problem and source.saved_at_unix for source in cut_off.sources)


def is_back(client: ClientService) -> bool:
    """Whether the list is complete again, and what was loaded before is loaded."""
    snapshot = client.catalog.value
    is_complete = snapshot.notice is None and not any(source.problem for source in snapshot.sources)
    return is_complete and client.find(DEMO_ID).is_loaded is True


@pytest.mark.native
async def test_a_dead_catalog_hides_nothing_and_its_models_say_why_they_do_not_load(
    hub: Hub, tmp_path: Path
) -> None:
    config = managed_config(hub, tmp_path)
    async with opened(config, tmp_path) as client:
        await client.start()
        await client.refresh()
        pull(hub, tmp_path, SECOND_ID, hub.catalog_url_of("second"))
        pull(hub, tmp_path, DEMO_ID)
    hub.down(Place.CATALOG, catalog="second")

    async with opened(config, tmp_path) as client:
        await client.start()
        snapshot = await client.refresh()
        await client.load(DEMO_ID)
        with pytest.raises(ModelRefused) as caught:
            await client.load(SECOND_ID)

    second = snapshot.find(SECOND_ID)
    assert second is not None
    assert second.is_cached
    assert [source.problem is None for source in snapshot.sources] == [True, False]
    assert "cannot reach it" in caught.value.message
    assert "--offline" in (caught.value.remedy or "")


@pytest.mark.native
async def test_a_removal_frees_the_disk_and_is_shown(hub: Hub, tmp_path: Path) -> None:
    config = managed_config(hub, tmp_path)
    pull(hub, tmp_path, DEMO_ID)
    async with opened(config, tmp_path) as client:
        await client.start()
        await client.refresh()
        await client.remove(DEMO_ID)

        assert client.find(DEMO_ID).is_cached is False
    assert ModelFolders(Path(config.cache_dir)).complete() == {}

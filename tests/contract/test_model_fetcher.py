"""What every engine that fetches models for itself promises, in this process and through the pipe."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio

from foundry_tui.domain.downloads import DownloadPhase, DownloadReading
from foundry_tui.domain.errors import EngineUnavailable, ModelNotFound, ModelRefused, NotSupported
from foundry_tui.engines.endpoints.server import EndpointServer
from foundry_tui.engines.hosting.configs import EndpointConfig, ScriptedConfig
from foundry_tui.engines.scripted import ScriptedServer
from foundry_tui.ports.engines import ModelFetcher, ModelManager
from tests.contract.runtime import hosted, offline_runtime
from tests.support.endpoint import Endpoint, Setting, scripted_endpoint
from tests.support.foundry_v1 import download_script
from tests.support.script import Headers, HoldOpen, Raw, Reset, Script, answer
from tests.support.served import ServedModel

# One child serves all tests of its kind, so fixtures and tests share a loop.
pytestmark = pytest.mark.asyncio(loop_scope="module")

PLAIN = "plain-generic-cpu:1"
TWICE = "twice-generic-cpu:1"
LEFT = "left-generic-cpu:1"
BROKEN = "broken-generic-cpu:1"
RESET = "reset-generic-cpu:1"
ENDLESS = "endless-generic-cpu:1"
IDS = (PLAIN, TWICE, LEFT, BROKEN, RESET, ENDLESS)
BEGUN = (Headers(content_type="text/plain"), Raw(b"Total 5.00% Downloading model.onnx\n"))
LEFT_WITHIN_S = 2.0


class Fetching(ModelManager, ModelFetcher, Protocol):
    """As much of an engine as is needed here."""


@asynccontextmanager
async def v1_service() -> AsyncGenerator[Endpoint, None]:
    setting = Setting(kind="foundry-v1", models=tuple(ServedModel(id=name, is_cached=False) for name in IDS))
    async with scripted_endpoint(answer(("Hello",)), setting) as endpoint:
        endpoint.routes.v1.downloads |= {
            BROKEN: download_script(["Total 50% x"], {"Success": False, "ErrorMessage": "No space left"}),
            RESET: Script((*BEGUN, Reset())),
            LEFT: Script((*BEGUN, HoldOpen())),
            ENDLESS: Script((*BEGUN, HoldOpen())),
        }
        yield endpoint


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engines(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[dict[str, tuple[Fetching, Endpoint | None]], None]:
    folder = tmp_path_factory.mktemp("fetching")
    script = ScriptedConfig(offered=IDS)
    async with AsyncExitStack() as stack:
        near, far = [await stack.enter_async_context(v1_service()) for _ in range(2)]
        server = await EndpointServer.open(EndpointConfig(url=near.url))
        stack.push_async_callback(server.aclose)
        yield {
            "scripted": (ScriptedServer(script), None),
            "scripted-child": (await stack.enter_async_context(hosted(script, folder)), None),
            "v1": (server, near),
            "v1-child": (
                await stack.enter_async_context(hosted(EndpointConfig(url=far.url), folder)),
                far,
            ),
        }


EVERY = pytest.mark.parametrize("name", ["scripted", "scripted-child", "v1", "v1-child"])
SERVICES = pytest.mark.parametrize("name", ["v1", "v1-child"])


async def readings_of(engine: Fetching, model_id: str) -> list[DownloadReading]:
    async with aclosing(engine.download(model_id)) as readings:
        return [reading async for reading in readings]


async def is_there(engine: Fetching, model_id: str) -> bool | None:
    found = (await engine.list_models(public=True)).find(model_id)
    return None if found is None else found.is_cached


@EVERY
async def test_a_download_begins_flows_and_ends_with_the_model_there(
    engines: dict[str, tuple[Fetching, Endpoint | None]], name: str
) -> None:
    engine, _ = engines[name]

    readings = await readings_of(engine, PLAIN)

    phases = list(dict.fromkeys(reading.phase for reading in readings))
    assert phases == [DownloadPhase.STARTING, DownloadPhase.FLOWING, DownloadPhase.DONE]
    assert readings[0].done_bytes == 0
    assert readings[-1].done_bytes == readings[-1].total_bytes
    assert [reading.at_ns for reading in readings] == sorted(reading.at_ns for reading in readings)
    assert await is_there(engine, PLAIN) is True


@EVERY
async def test_what_is_there_already_is_done_at_once(
    engines: dict[str, tuple[Fetching, Endpoint | None]], name: str
) -> None:
    engine, _ = engines[name]
    await readings_of(engine, TWICE)

    again = await readings_of(engine, TWICE)

    assert [reading.phase for reading in again] == [DownloadPhase.DONE]


@EVERY
async def test_what_no_catalog_has_is_not_found(
    engines: dict[str, tuple[Fetching, Endpoint | None]], name: str
) -> None:
    engine, _ = engines[name]

    with pytest.raises(ModelNotFound):
        await readings_of(engine, "nobody-generic-cpu:1")


@EVERY
async def test_a_download_that_is_given_up_says_why_after_what_it_told(
    engines: dict[str, tuple[Fetching, Endpoint | None]], name: str
) -> None:
    engine, _ = engines[name]
    seen: list[DownloadPhase] = []

    async def read() -> None:
        async with aclosing(engine.download(BROKEN)) as readings:
            async for reading in readings:
                seen.append(reading.phase)

    with pytest.raises(ModelRefused) as caught:
        await read()

    assert seen == [DownloadPhase.STARTING, DownloadPhase.FLOWING]
    assert BROKEN in caught.value.message
    assert caught.value.remedy
    assert await is_there(engine, BROKEN) is False


@EVERY
async def test_a_download_that_is_left_early_brings_no_model(
    engines: dict[str, tuple[Fetching, Endpoint | None]], name: str
) -> None:
    engine, _ = engines[name]

    async with aclosing(engine.download(ENDLESS)) as readings:
        await anext(readings)

    assert await is_there(engine, ENDLESS) is False


@SERVICES
async def test_leaving_it_is_seen_by_the_service_within_two_seconds(
    engines: dict[str, tuple[Fetching, Endpoint | None]], name: str
) -> None:
    engine, service = engines[name]
    assert service is not None

    async with aclosing(engine.download(ENDLESS)) as readings:
        while (await anext(readings)).phase is not DownloadPhase.FLOWING:
            continue
        open_before = service.open_streams

    async with asyncio.timeout(LEFT_WITHIN_S):
        await service.until(lambda: service.open_streams == 0)
    assert open_before == 1


@SERVICES
async def test_a_service_that_goes_away_in_the_middle_is_told_of_with_what_to_do(
    engines: dict[str, tuple[Fetching, Endpoint | None]], name: str
) -> None:
    engine, _ = engines[name]

    with pytest.raises(EngineUnavailable, match="broke off") as caught:
        await readings_of(engine, RESET)

    assert "start it again" in (caught.value.remedy or "")


async def test_two_downloads_go_on_beside_each_other_through_one_pipe(
    engines: dict[str, tuple[Fetching, Endpoint | None]],
) -> None:
    engine, service = engines["v1-child"]
    assert service is not None

    async with aclosing(engine.download(LEFT)) as first, aclosing(engine.download(ENDLESS)) as second:
        for readings in (first, second):
            while (await anext(readings)).phase is not DownloadPhase.FLOWING:
                continue
        open_together = service.open_streams
        models = (await engine.list_models(public=False)).models  # answered meanwhile

    assert open_together == 2
    assert LEFT not in [model.id for model in models if model.is_cached]


@pytest.mark.native
async def test_our_own_runtime_refuses_through_the_pipe_for_its_downloads_go_another_way(
    tmp_path: Path,
) -> None:
    async with hosted(offline_runtime(tmp_path), tmp_path) as engine:
        with pytest.raises(NotSupported) as caught:
            await readings_of(engine, PLAIN)

    assert "models pull" in (caught.value.remedy or "")


async def test_a_server_of_another_kind_refuses_through_the_pipe(tmp_path: Path) -> None:
    async with (
        scripted_endpoint(answer(("Hello",)), Setting(kind="openai")) as endpoint,
        hosted(EndpointConfig(url=endpoint.url), tmp_path) as engine,
    ):
        with pytest.raises(NotSupported, match="openai endpoint cannot download"):
            await readings_of(engine, PLAIN)

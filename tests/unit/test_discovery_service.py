"""What is found is published one by one; our own service is no neighbour."""

import asyncio
from collections.abc import Callable

import pytest

from foundry_tui.domain.engine import EndpointKind
from foundry_tui.engines.endpoints.discovery import RunningServer
from foundry_tui.services.discovery import Discovery, FoundServer

OWN = "http://127.0.0.1:5273"


def server(url: str) -> RunningServer:
    return RunningServer(url=url, kind=EndpointKind.OPENAI, how="port 1234", models=2)


def finding(*urls: str, gate: asyncio.Event | None = None) -> Discovery:
    async def look(on_found: Callable[[FoundServer], None]) -> None:
        for url in urls:
            on_found(server(url))
        if gate is not None:
            await gate.wait()

    return Discovery(look, own_url=lambda: OWN)


async def test_what_was_found_is_told_and_published() -> None:
    discovery = finding("http://127.0.0.1:1234", "http://127.0.0.1:8080")

    found = await discovery.look()

    assert [each.url for each in found] == ["http://127.0.0.1:1234", "http://127.0.0.1:8080"]
    assert discovery.neighbours.value.servers == found
    assert not discovery.neighbours.value.is_looking


@pytest.mark.parametrize("url", [OWN, "http://localhost:5273"])
async def test_our_own_service_is_no_neighbour(url: str) -> None:
    assert await finding(url).look() == ()


async def test_a_find_shows_before_the_search_is_over_and_stays_if_it_is_left() -> None:
    discovery = finding("http://127.0.0.1:1234", gate=asyncio.Event())
    task = asyncio.create_task(discovery.look())
    async for neighbours in discovery.neighbours.watch():
        if neighbours.servers:
            assert neighbours.is_looking
            break

    task.cancel()
    await asyncio.wait([task])

    assert [each.url for each in discovery.neighbours.value.servers] == ["http://127.0.0.1:1234"]
    assert not discovery.neighbours.value.is_looking


async def test_looking_anew_forgets_what_was_found_before() -> None:
    discovery = finding("http://127.0.0.1:1234")

    await discovery.look()
    await discovery.look()

    assert len(discovery.neighbours.value.servers) == 1

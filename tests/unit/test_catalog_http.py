"""Public catalogs asked over HTTP: a hub answers, well or badly."""

import asyncio
from collections.abc import AsyncGenerator, Iterator

import pytest

from foundry_tui.domain.errors import EngineUnavailable
from foundry_tui.engines.catalog.http import HttpCatalogs
from tests.support.hub import NONSENSE, CutAt, Hub, HubModel, Place, Stalled, Status, models, standard_models


@pytest.fixture(scope="module")
def hubs() -> Iterator[Hub]:
    with Hub(standard_models()) as hub:
        yield hub


@pytest.fixture
def hub(hubs: Hub) -> Iterator[Hub]:
    yield hubs
    hubs.mend()
    hubs.up()


@pytest.fixture
async def reader() -> AsyncGenerator[HttpCatalogs, None]:
    reader = HttpCatalogs(silence_s=0.5)
    yield reader
    await reader.aclose()


def newest(models: list[HubModel]) -> set[str]:
    found = {model.name: model for model in sorted(models, key=lambda model: model.version)}
    return {model.id for model in found.values() if not model.is_archived}


async def test_every_newest_variant_is_told_whatever_it_runs_on(hub: Hub, reader: HttpCatalogs) -> None:
    found = await reader.fetch(hub.catalog_url)

    assert {model.id for model in found} == newest(hub.models)
    assert {model.execution_provider for model in found} == {
        "CPUExecutionProvider",
        "CUDAExecutionProvider",
        "QNNExecutionProvider",
        "WebGpuExecutionProvider",
    }


async def test_many_pages_are_one_list(reader: HttpCatalogs) -> None:
    with Hub(models(1_234)) as long:
        found = await reader.fetch(long.catalog_url)

        assert [model.id for model in found] == [model.id for model in long.models]


@pytest.mark.parametrize("name", list(NONSENSE))
async def test_nonsense_is_no_list(hub: Hub, reader: HttpCatalogs, name: str) -> None:
    hub.fault(Place.CATALOG, NONSENSE[name])

    with pytest.raises(EngineUnavailable, match="it answers, but"):
        await reader.fetch(hub.catalog_url)


@pytest.mark.parametrize("code", [301, 404, 429, 503])
async def test_a_refusal_is_told_with_its_number(hub: Hub, reader: HttpCatalogs, code: int) -> None:
    hub.fault(Place.CATALOG, Status(code=code))

    with pytest.raises(EngineUnavailable, match=f"HTTP {code}"):
        await reader.fetch(hub.catalog_url)


@pytest.mark.parametrize("fault", [CutAt(at_byte=0), CutAt(at_byte=900), Stalled(after_bytes=900)])
async def test_an_answer_that_breaks_off_or_stalls_is_none(
    hub: Hub, reader: HttpCatalogs, fault: CutAt | Stalled
) -> None:
    hub.fault(Place.CATALOG, fault)

    with pytest.raises(EngineUnavailable):
        await reader.fetch(hub.catalog_url)


async def test_nobody_there_is_told_and_later_asked_again(hub: Hub, reader: HttpCatalogs) -> None:
    hub.down(Place.CATALOG)
    with pytest.raises(EngineUnavailable):
        await reader.fetch(hub.catalog_url)
    gone = await reader.probe(hub.catalog_url)

    hub.up(Place.CATALOG)

    assert not gone
    assert await reader.probe(hub.catalog_url)
    assert await reader.fetch(hub.catalog_url)


async def test_an_answer_that_is_too_long_is_left(hub: Hub) -> None:
    short_of_room = HttpCatalogs(page_bytes=2_000)

    with pytest.raises(EngineUnavailable, match="more than 2000 bytes"):
        await short_of_room.fetch(hub.catalog_url)

    await short_of_room.aclose()


async def test_too_many_models_are_none() -> None:
    few = HttpCatalogs(most_models=100)

    with Hub(models(200)) as long, pytest.raises(EngineUnavailable, match="more than 100 models"):
        await few.fetch(long.catalog_url)

    await few.aclose()


async def test_what_takes_too_long_in_all_is_left(hub: Hub) -> None:
    hurried = HttpCatalogs(silence_s=60, within_s=0.2)
    hub.fault(Place.CATALOG, Stalled())

    with pytest.raises(EngineUnavailable, match=r"not done after 0\.2 s"):
        await hurried.fetch(hub.catalog_url)

    await hurried.aclose()


async def test_loopback_is_never_asked_by_way_of_a_proxy(
    hub: Hub, reader: HttpCatalogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert await reader.fetch(hub.catalog_url)


async def test_other_hosts_are_asked_by_way_of_the_proxy(
    reader: HttpCatalogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []

    async def answer(incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        asked.append(await incoming.readline())
        outgoing.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        outgoing.close()
        await outgoing.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1") as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")

        with pytest.raises(EngineUnavailable, match="HTTP 502"):
            await reader.fetch("http://catalog.invalid/models")

    assert asked == [b"POST http://catalog.invalid/models HTTP/1.1\r\n"]

"""Public catalogs beside the engine's own list."""

import asyncio
from dataclasses import replace

import pytest

from foundry_tui.domain.models import (
    CatalogListing,
    CatalogSnapshot,
    CatalogSource,
    ModelVariant,
    SnapshotOrigin,
)
from foundry_tui.services.engine.catalogs import Catalogs
from tests.support.catalogs import MadeUpCatalogs, MadeUpFolders, MadeUpStore, catalogs_over, offered

A, B = "https://user@a.example:8443/models?key=secret", "http://b.example/models"
ONE, TWO, BIG = offered("one"), offered("two"), offered("two", "cuda-gpu")
TOLD = CatalogSnapshot(models=(replace(ONE, is_cached=True, is_loaded=True),), origin=SnapshotOrigin.LIVE)
NOTHING = CatalogSnapshot(models=(), origin=SnapshotOrigin.LIVE, saved_at_unix=5)


async def merged(catalogs: Catalogs, told: CatalogSnapshot = TOLD) -> CatalogSnapshot:
    return await catalogs.merged(told, usable=frozenset(), runtime_version="2.2.1")


def ids(snapshot: CatalogSnapshot) -> list[str]:
    return [model.id for model in snapshot.models]


def entry(snapshot: CatalogSnapshot, wanted: ModelVariant) -> ModelVariant:
    found = snapshot.find(wanted.id)
    assert found is not None
    return found


async def test_what_the_engine_leaves_out_is_listed_with_the_reason() -> None:
    catalogs = catalogs_over(MadeUpCatalogs({A: (ONE, TWO, BIG)}))

    await catalogs.ask()
    snapshot = await merged(catalogs)

    assert ids(snapshot) == [ONE.id, TWO.id, BIG.id]
    assert entry(snapshot, TWO).unavailable is None
    assert entry(snapshot, BIG).unavailable == "needs an NVIDIA GPU (CUDA execution provider)"


async def test_the_engine_decides_what_is_here_and_what_runs() -> None:
    catalogs = catalogs_over(MadeUpCatalogs({A: (ONE, BIG, offered("other", "cuda-gpu"))}))
    told = replace(TOLD, models=(*TOLD.models, replace(BIG, is_cached=False)))

    await catalogs.ask()
    snapshot = await merged(catalogs, told)

    assert snapshot.models[:2] == told.models
    assert snapshot.models[2].unavailable is None  # its provider runs another one


async def test_a_dead_catalog_takes_nothing_from_the_others_and_says_why_it_is_dead() -> None:
    reader = MadeUpCatalogs({A: (ONE,), B: (TWO,)}, dead={B: "connection refused"})
    catalogs = catalogs_over(reader)

    await catalogs.ask()
    snapshot = await merged(catalogs, NOTHING)

    assert ids(snapshot) == [ONE.id]
    assert snapshot.sources == (
        CatalogSource(host="a.example:8443", saved_at_unix=1000),
        CatalogSource(host="b.example", problem="connection refused"),
    )


async def test_what_a_dead_catalog_said_before_stays_with_its_age_and_what_is_here_of_it() -> None:
    reader = MadeUpCatalogs({A: (ONE,), B: (TWO,)}, dead={B: "gone"})
    store = MadeUpStore({B: CatalogListing(models=(TWO, BIG), saved_at_unix=100)})
    folders = MadeUpFolders({"/cache/P/two-generic-cpu-1": 7})
    catalogs = catalogs_over(reader, store, folders)

    await catalogs.recall()
    await catalogs.ask()
    snapshot = await merged(catalogs, TOLD)

    assert ids(snapshot) == [ONE.id, TWO.id, BIG.id]
    assert snapshot.sources[1] == CatalogSource(host="b.example", saved_at_unix=100, problem="gone")
    assert snapshot.saved_at_unix == 100  # as old as its oldest part
    assert (entry(snapshot, TWO).is_cached, entry(snapshot, TWO).path) == (True, "/cache/P/two-generic-cpu-1")
    assert (entry(snapshot, BIG).is_cached, entry(snapshot, BIG).path) == (False, None)


async def test_what_was_said_is_there_at_the_next_start_without_asking() -> None:
    reader, store = MadeUpCatalogs({A: (ONE, TWO)}), MadeUpStore()
    await catalogs_over(reader, store).ask()

    snapshot = await merged(catalogs_over(reader, store), NOTHING)

    assert ids(snapshot) == [ONE.id, TWO.id]
    assert reader.fetched == [A]


async def test_a_full_disk_costs_only_the_next_start() -> None:
    catalogs = catalogs_over(MadeUpCatalogs({A: (ONE,)}), MadeUpStore(is_full=True))

    await catalogs.ask()

    assert ids(await merged(catalogs, NOTHING)) == [ONE.id]


async def test_nothing_known_leaves_the_engines_list_and_its_age() -> None:
    reader = MadeUpCatalogs({A: ()}, dead={A: "gone"})
    catalogs = catalogs_over(reader)

    await catalogs.ask()

    assert await merged(catalogs, NOTHING) == replace(
        NOTHING, sources=(CatalogSource(host="a.example:8443", problem="gone"),)
    )


async def test_who_answers_first_is_not_held_up_by_the_others() -> None:
    class SlowForB(MadeUpCatalogs):
        async def fetch(self, url: str) -> tuple[ModelVariant, ...]:
            if url == B:
                await asyncio.Event().wait()
            return await super().fetch(url)

    answered = asyncio.Event()

    async def on_answer() -> None:
        answered.set()

    catalogs = catalogs_over(SlowForB({A: (ONE,), B: (TWO,)}))
    asking = asyncio.ensure_future(catalogs.ask(on_answer))
    async with asyncio.timeout(5):
        await answered.wait()
    snapshot = await merged(catalogs, NOTHING)
    asking.cancel()

    assert ids(snapshot) == [ONE.id]


@pytest.mark.parametrize(("is_dead_again", "is_back"), [(True, False), (False, True)])
async def test_only_those_that_failed_are_probed(is_dead_again: bool, is_back: bool) -> None:
    reader = MadeUpCatalogs({A: (ONE,), B: (TWO,)}, dead={B: "gone"})
    catalogs = catalogs_over(reader)
    await catalogs.ask()
    if not is_dead_again:
        reader.dead.clear()

    assert await catalogs.is_one_back() is is_back
    assert reader.probed == [B]


async def test_closing_closes_the_reader_if_it_was_ever_opened() -> None:
    unused, used = MadeUpCatalogs({A: ()}), MadeUpCatalogs({A: ()})
    await catalogs_over(unused).aclose()
    catalogs = catalogs_over(used)
    await catalogs.ask()

    await catalogs.aclose()

    assert (unused.is_closed, used.is_closed) == (False, True)

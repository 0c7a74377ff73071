"""The catalog and the cache: finding a model, reading about it, loading it."""

import asyncio

import pytest
from textual.widgets import Input

from foundry_tui.domain.models import Registration
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.tui.screens.download_offer import DownloadOfferScreen
from foundry_tui.tui.screens.overlay import DetailScreen
from tests.tui.harness import HUGE, MEDIUM, NARROW, WIDE, Driven, driven

BROKEN_MODEL_ID = "synthetic-broken-generic-cpu:1"
SMALL = "small-instruct-generic-cpu:1"
LARGE = "large-instruct-qnn-npu:3"
ALL = [SCRIPTED_MODEL_ID, BROKEN_MODEL_ID, MEDIUM, SMALL, LARGE]


def listed(user: Driven) -> list[str]:
    return [row.key for row in user.catalog.table.rows]


def cells(user: Driven, model_id: str) -> str:
    return " | ".join(next(row.cells for row in user.catalog.table.rows if row.key == model_id))


async def stand_on(user: Driven, model_id: str) -> None:
    await user.up()
    await user.until(lambda: user.catalog.table.has_focus)
    assert user.catalog.table.move_cursor_to(model_id)


async def click_heading(user: Driven, label: str) -> None:
    table = user.catalog.table
    assert await user.pilot.click(table, offset=(table.render_line(0).text.index(label), 0))


@pytest.mark.parametrize("size", [NARROW, WIDE, HUGE])
async def test_every_variant_is_listed_in_the_catalogs_order(size: tuple[int, int]) -> None:
    async with driven(size=size) as user:
        await user.up()
        await user.until(lambda: user.shows("5 variants"))

        assert listed(user) == ALL
        for model_id in ALL:
            assert user.shows(model_id[:18])


async def test_the_filter_narrows_with_every_key() -> None:
    async with driven() as user:
        await stand_on(user, SCRIPTED_MODEL_ID)

        await user.pilot.press("slash", "m", "i")
        assert listed(user) == [MEDIUM, LARGE]
        await user.pilot.press("t", "space", "g", "p", "u")

        assert listed(user) == [MEDIUM]
        assert user.shows("1 of 5")


async def test_escape_clears_the_filter_and_goes_back_to_the_table() -> None:
    async with driven() as user:
        await stand_on(user, SCRIPTED_MODEL_ID)
        await user.pilot.press("slash", "m", "i", "t")

        await user.pilot.press("escape")
        await user.until(lambda: user.catalog.table.has_focus)

        assert listed(user) == ALL
        assert user.catalog.query_one(Input).value == ""


async def test_a_filter_that_matches_nothing_says_so() -> None:
    async with driven() as user:
        await stand_on(user, SCRIPTED_MODEL_ID)

        await user.pilot.press("slash", "q", "q")

        assert listed(user) == []
        assert user.shows("“qq”")


async def test_enter_in_the_filter_goes_to_the_rows_that_are_left() -> None:
    async with driven() as user:
        await stand_on(user, SCRIPTED_MODEL_ID)

        await user.pilot.press("slash", "g", "p", "u", "enter")
        await user.until(lambda: user.catalog.table.has_focus)

        assert user.catalog.table.cursor_key == MEDIUM


async def test_s_sorts_by_the_first_column_and_shift_s_turns_the_order_round() -> None:
    async with driven() as user:
        await stand_on(user, SCRIPTED_MODEL_ID)

        await user.pilot.press("s")
        ascending = listed(user)
        await user.pilot.press("S")

        assert ascending == sorted(ALL)
        assert listed(user) == sorted(ALL, reverse=True)


async def test_the_cursor_stays_with_its_model_through_a_sort() -> None:
    async with driven() as user:
        await stand_on(user, SMALL)

        await user.pilot.press("s")

        assert user.catalog.table.cursor_key == SMALL


async def test_a_click_on_a_heading_sorts_and_a_second_one_turns_round_with_the_unknown_last() -> None:
    async with driven() as user:
        await stand_on(user, SCRIPTED_MODEL_ID)

        await click_heading(user, "Size")
        ascending = listed(user)
        await click_heading(user, "Size")

        assert ascending == [SMALL, MEDIUM, LARGE, SCRIPTED_MODEL_ID, BROKEN_MODEL_ID]
        assert listed(user) == [LARGE, MEDIUM, SMALL, SCRIPTED_MODEL_ID, BROKEN_MODEL_ID]


@pytest.mark.parametrize("size", [NARROW, WIDE, HUGE])
async def test_i_opens_all_that_is_known_and_escape_closes_it(size: tuple[int, int]) -> None:
    async with driven(size=size) as user:
        await stand_on(user, MEDIUM)

        await user.pilot.press("i")
        await user.until(lambda: isinstance(user.app.screen, DetailScreen) and user.shows("Device"))
        shown = "\n".join(user.lines())
        await user.pilot.press("escape")

        for words in (MEDIUM, "Some Lab", "gpu", "32,768", "4.66 GiB"):
            assert words in shown
        assert user.app.screen is user.workspace
        assert user.catalog.table.has_focus


async def test_enter_chooses_the_model_and_goes_to_the_prompt() -> None:
    async with driven() as user:
        await stand_on(user, MEDIUM)

        await user.pilot.press("enter")
        await user.until(lambda: user.prompt.has_focus)

        assert user.workspace.active_model == MEDIUM
        assert user.shows(f"Ask {MEDIUM}")


async def test_a_double_click_chooses_the_model_too() -> None:
    async with driven() as user:
        await stand_on(user, SCRIPTED_MODEL_ID)

        await user.pilot.double_click(user.catalog.table, offset=(3, 1 + ALL.index(MEDIUM)))
        await user.until(lambda: user.prompt.has_focus)

        assert user.workspace.active_model == MEDIUM


@pytest.mark.parametrize("key", ["enter", "d"])
async def test_a_model_that_is_not_here_is_offered_for_download_and_not_chosen(key: str) -> None:
    async with driven() as user:
        await stand_on(user, LARGE)

        await user.pilot.press(key)
        await user.until(lambda: isinstance(user.app.screen, DownloadOfferScreen))

        assert user.shows(LARGE)
        assert user.workspace.active_model is None


async def test_l_loads_and_says_how_long_it_took() -> None:
    async with driven() as user:
        user.engine.loading = asyncio.Event()
        await stand_on(user, MEDIUM)

        await user.pilot.press("l")
        await user.until(lambda: "loading" in cells(user, MEDIUM))
        user.engine.loading.set()
        await user.until(lambda: bool(user.told))

        assert "loaded in 10.0 ms" in user.words_told
        assert user.is_loaded(MEDIUM)
        await user.until(lambda: "● loaded" in cells(user, MEDIUM))
        assert user.lease.holders == ()


async def test_the_cache_shows_what_is_here_and_how_long_it_took_to_load() -> None:
    async with driven(size=HUGE) as user:
        await stand_on(user, MEDIUM)
        await user.client.load(MEDIUM)

        await user.until(lambda: "1 loaded" in "\n".join(user.lines()))

        rows = {row.key: row.cells for row in user.cache.table.rows}
        assert sorted(rows) == sorted([SCRIPTED_MODEL_ID, BROKEN_MODEL_ID, MEDIUM, SMALL])
        assert "10.0 ms" in rows[MEDIUM]


async def test_u_unloads() -> None:
    async with driven() as user:
        await stand_on(user, MEDIUM)
        await user.client.load(MEDIUM)

        await user.pilot.press("u")
        await user.until(lambda: bool(user.told))

        assert "unloaded" in user.words_told
        assert user.is_loaded(MEDIUM) is False


async def test_u_on_a_model_that_is_not_loaded_says_so() -> None:
    async with driven() as user:
        await stand_on(user, MEDIUM)

        await user.pilot.press("u")
        await user.until(lambda: bool(user.told))

        assert "not loaded" in user.words_told


async def test_l_on_a_model_that_is_not_here_says_so_and_loads_nothing() -> None:
    async with driven() as user:
        await stand_on(user, LARGE)

        await user.pilot.press("l")
        await user.until(lambda: bool(user.told))

        assert "not on this machine" in user.words_told
        assert not user.is_loaded(LARGE)


async def test_a_model_that_does_not_load_says_why_and_what_to_do() -> None:
    async with driven() as user:
        await stand_on(user, BROKEN_MODEL_ID)

        await user.pilot.press("l")
        await user.until(lambda: bool(user.told))

        assert "does not load: scripted" in user.words_told
        assert "choose the other one" in user.words_told
        assert user.is_loaded(BROKEN_MODEL_ID) is False
        assert user.lease.holders == ()


async def test_r_asks_the_engine_again() -> None:
    async with driven() as user:
        await stand_on(user, MEDIUM)
        # Behind the service's back, as another program may do it.
        await user.engine.register(Registration(path="/models/mine", model_id="mine:1"))
        assert "mine:1" not in listed(user)

        await user.pilot.press("r")

        await user.until(lambda: "mine:1" in listed(user))


async def test_the_room_taken_on_disk_is_unknown_where_no_folder_could_be_measured() -> None:
    async with driven(size=HUGE, has_disk=False) as user:
        await user.up()

        await user.until(lambda: user.shows("4 here"))

        line = next(line for line in user.lines() if "4 here" in line)
        assert "0 B" not in line
        assert "n/a" in line

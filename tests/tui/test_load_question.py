"""The question before a load that would take more memory than the limit, in the whole app."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from foundry_tui.tui.screens.load_question import LoadQuestionScreen
from foundry_tui.tui.widgets.row_table import RowTable
from tests.support.scales import GIB, Scales
from tests.support.supervised import SupervisedScript
from tests.tui.harness import NARROW, SHELF, WIDE, Driven, driven

SMALL = "small-instruct-generic-cpu:1"
TINY = "small-instruct-generic-cpu:9"
LITTLE = replace(next(model for model in SHELF if model.id == SMALL), id=TINY, size_bytes=50_000_000)


@asynccontextmanager
async def crowded(
    *, size: tuple[int, int] = NARROW, used_gib: float = 13.5, loaded: str | None = None
) -> AsyncGenerator[tuple[Driven, Scales], None]:
    """The app on a machine of 16 GiB with so much in use; nothing is in memory but ``loaded``."""
    scales = Scales(used_bytes=int(used_gib * GIB))
    engine = SupervisedScript(models=(*SHELF, LITTLE))
    async with driven(engine, size=size, memory=scales.sources()) as user:
        await user.until(lambda: user.client.engine_info is not None and user.shows(SMALL[:12]))
        if loaded is not None:
            await user.client.load(loaded)
        yield user, scales


async def on_row(user: Driven, model_id: str) -> None:
    """Put the cursor of the catalog on the row of that model."""
    await user.pilot.press("1")
    table = user.workspace.catalog.query_one(RowTable)
    await user.pilot.press("home")
    for _ in range(20):
        if table.cursor_key == model_id:
            return
        await user.pilot.press("down")
    raise AssertionError(f"no row of {model_id}")


def asks(user: Driven) -> bool:
    return isinstance(user.app.screen, LoadQuestionScreen)


def is_loaded(user: Driven, model_id: str) -> bool:
    return bool(user.client.find(model_id).is_loaded)


async def test_a_load_beyond_the_limit_asks_first_and_shows_the_arithmetic() -> None:
    async with crowded(size=WIDE) as (user, _):
        await on_row(user, SMALL)
        await user.pilot.press("l")
        await user.until(lambda: asks(user))

        assert user.shows("more than the limit of 14.4 GiB")
        assert user.shows("weights packed for the processor")
        assert user.shows(f"{TINY}, 47.7 MiB, here")
        assert user.shows("no other model is in memory")
        assert not user.shows("u  Unload and load")
        assert not is_loaded(user, SMALL)


async def test_escape_does_not_load_it_and_the_next_time_it_asks_again() -> None:
    async with crowded() as (user, _):
        await on_row(user, SMALL)
        await user.pilot.press("l")
        await user.until(lambda: asks(user))

        await user.pilot.press("escape")
        await user.until(lambda: not asks(user))
        await user.pilot.press("l")
        await user.until(lambda: asks(user))

        assert not is_loaded(user, SMALL)


async def test_a_yes_loads_it_and_is_not_asked_for_again_in_this_session() -> None:
    async with crowded() as (user, _):
        await on_row(user, SMALL)
        await user.pilot.press("l")
        await user.until(lambda: asks(user))

        await user.pilot.press("y")
        await user.until(lambda: is_loaded(user, SMALL))
        await user.client.unload(SMALL)
        await user.pilot.press("l")
        await user.until(lambda: is_loaded(user, SMALL))

        assert not asks(user)


async def test_what_is_in_the_way_is_unloaded_on_one_key() -> None:
    async with crowded(loaded=TINY) as (user, _):
        await on_row(user, SMALL)
        await user.pilot.press("l")
        await user.until(lambda: asks(user) and user.shows("u  Unload and load"))

        await user.pilot.press("u")
        await user.until(lambda: is_loaded(user, SMALL))

        assert not is_loaded(user, TINY)


async def test_a_question_to_a_model_that_does_not_fit_asks_before_it_is_loaded() -> None:
    async with crowded(size=WIDE) as (user, _):
        await on_row(user, SMALL)
        await user.pilot.press("enter")
        await user.until(lambda: user.prompt.has_focus)
        await user.send("hello")
        await user.until(lambda: asks(user))

        await user.pilot.press("escape")
        await user.until(lambda: user.shows("was not loaded"))

        assert user.engine.seen == []


async def test_with_enough_room_nothing_is_asked() -> None:
    async with crowded(used_gib=4) as (user, _):
        await on_row(user, SMALL)
        await user.pilot.press("l")
        await user.until(lambda: is_loaded(user, SMALL))

        assert not asks(user)


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_the_details_of_a_model_say_what_it_needs_and_how_good_the_estimate_is(
    size: tuple[int, int],
) -> None:
    async with crowded(size=size, used_gib=4) as (user, _):
        await on_row(user, SMALL)
        await user.pilot.press("i")
        await user.until(lambda: user.shows("fits: needs"))

        await user.pilot.press("end")

        await user.until(lambda: user.shows("no load on this machine has checked"))

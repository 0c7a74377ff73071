"""Keys that come faster than what they open: a soak found that one left half open could end the app."""

import asyncio

import pytest
from textual import events
from textual.command import CommandList

from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from tests.tui.harness import Driven, driven

OPENING_KEYS = (
    *("f1", "f2", "f3", "f4", "f5", "alt+4", "alt+5", "alt+7", "f8", "f9", "f10", "f12"),
    *("ctrl+g", "ctrl+l", "ctrl+o", "ctrl+p", "ctrl+t"),
)
TURNS = (0, 1, 2, 3, 5, 8, 13, 21, 34)


async def open_and_leave(user: Driven, key: str, *, turns: int) -> None:
    """Press ``key``, let the event loop make so many turns, and press Esc until nothing is open."""
    user.app.post_message(events.Key(key, None))
    for _ in range(turns):
        await asyncio.sleep(0)
    user.app.post_message(events.Key("escape", None))
    await user.pilot.pause()
    if len(user.app.screen_stack) > 2:
        await user.pilot.press("escape")
    await user.until(lambda: len(user.app.screen_stack) == 2)


@pytest.mark.parametrize("key", OPENING_KEYS)
async def test_what_opens_can_be_left_at_any_moment_of_its_opening(key: str) -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.ask("hi")

        for turns in TURNS:
            await open_and_leave(user, key, turns=turns)

        assert user.app.is_running


@pytest.mark.parametrize(("opens", "closes"), [("ctrl+g", "z"), ("f1", "escape"), ("ctrl+o", "escape")])
async def test_two_keys_that_both_close_something_close_it_once(opens: str, closes: str) -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.pilot.press(opens)
        await user.until(lambda: len(user.app.screen_stack) == 3)
        for _ in range(3):
            user.app.screen.post_message(events.Key(closes, None))
            user.app.post_message(events.Key(closes, None))
        await user.pilot.pause()

        assert len(user.app.screen_stack) == 2
        assert user.app.is_running


@pytest.mark.parametrize("height", [1, 2, 3, 4, 5, 6])
async def test_the_palette_takes_keys_while_its_list_has_no_place(height: int) -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID, size=(80, height)) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.pilot.press("ctrl+p")
        await user.until(lambda: user.app.screen.query_one(CommandList).option_count > 0)
        await user.pilot.press("pagedown", "pageup")

        assert user.app.is_running

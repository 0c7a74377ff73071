"""The workspace as a whole: its start, its panes and keys, its size, and its end."""

import asyncio

import pytest
from textual.widgets import Input

from foundry_tui.domain.engine import EngineDead, EngineReady, EngineStarting
from foundry_tui.domain.errors import EngineUnavailable
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.tui.screens.help import HelpScreen
from foundry_tui.tui.screens.overlay import ConfirmScreen
from tests.support.supervised import SupervisedScript
from tests.tui.harness import HUGE, NARROW, WIDE, Driven, driven

BROKEN_MODEL_ID = "synthetic-broken-generic-cpu:1"
OPEN_ENDED = ScriptedConfig(pieces=("The capital", " of"), hold=True)
ALL_PANES = {"catalog", "cache", "chat"}


async def answering(user: Driven) -> None:
    """An answer is being made and does not end by itself."""
    user.engine.script = OPEN_ENDED
    await user.talking_to(SCRIPTED_MODEL_ID)
    await user.send("one")
    await user.arrived("The capital of")


async def resize(user: Driven, size: tuple[int, int]) -> None:
    await user.pilot.resize_terminal(*size)
    await user.until(lambda: (len(user.lines()[0]), len(user.lines())) == size)


@pytest.mark.parametrize("size", [NARROW, WIDE, HUGE])
async def test_the_first_frame_needs_no_engine(size: tuple[int, int]) -> None:
    engine = SupervisedScript()
    engine.starting = asyncio.Event()

    async with driven(engine, size=size) as user:
        await user.until(lambda: isinstance(engine.state, EngineStarting))
        await user.until(lambda: user.shows("starting"))

        assert user.shows("Catalog")
        assert engine.starts == 0


async def test_the_machine_and_the_engine_stand_at_the_top() -> None:
    async with driven() as user:
        await user.until(lambda: "RAM 2.00 GiB of 8.00 GiB" in user.lines()[0])

        assert "CPU 25%" in user.lines()[0]
        assert "no driver" in user.lines()[0]
        await user.until(lambda: "scripted" in user.lines()[0])


async def test_a_model_to_start_with_is_loaded_and_the_prompt_has_the_focus() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        assert user.is_loaded(SCRIPTED_MODEL_ID)
        assert user.prompt.has_focus
        assert "loaded in 10.0 ms" in user.conversation


async def test_a_model_to_start_with_that_does_not_load_says_why_and_what_to_do() -> None:
    async with driven(start_with=BROKEN_MODEL_ID) as user:
        await user.until(lambda: bool(user.told))

        assert "does not load: scripted" in user.words_told
        assert "choose the other one" in user.words_told
        assert user.prompt.has_focus


async def test_an_engine_that_does_not_come_up_says_why_and_ctrl_r_tries_again() -> None:
    engine = SupervisedScript()
    engine.refusal = EngineUnavailable("the library is missing", remedy="install it")
    async with driven(engine) as user:
        await user.until(lambda: isinstance(engine.state, EngineDead) and bool(user.told))
        assert "the library is missing" in user.words_told
        assert "install it" in user.words_told
        engine.refusal = None

        await user.pilot.press("ctrl+r")
        await user.up()

        assert engine.starts == 1


async def test_ctrl_r_after_a_refused_start_still_begins_with_the_wanted_model() -> None:
    engine = SupervisedScript()
    engine.refusal = EngineUnavailable("the library is missing")
    async with driven(engine, start_with=SCRIPTED_MODEL_ID) as user:
        await user.until(lambda: isinstance(engine.state, EngineDead))
        engine.refusal = None

        await user.pilot.press("ctrl+r")
        await user.up()
        await user.arrived("restarted")

        assert user.workspace.active_model == SCRIPTED_MODEL_ID


async def test_ctrl_r_in_mid_answer_ends_it_and_starts_the_engine_anew() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await answering(user)

        await user.pilot.press("ctrl+r")
        await user.until(lambda: user.engine.starts == 2 and isinstance(user.engine.state, EngineReady))
        await user.talking_to(SCRIPTED_MODEL_ID)

        assert user.engine.open_streams == 0
        assert "The capital of" in user.conversation
        assert user.lease.holders == ()


async def test_digits_go_to_the_panes() -> None:
    async with driven() as user:
        await user.up()

        await user.pilot.press("2")
        await user.until(lambda: user.cache.table.has_focus)
        await user.pilot.press("1")
        await user.until(lambda: user.catalog.table.has_focus)
        await user.pilot.press("3")
        await user.until(lambda: user.prompt.has_focus)


async def test_digits_and_the_question_mark_are_text_in_a_text_field() -> None:
    async with driven() as user:
        await user.up()
        await user.pilot.press("slash", "1", "2", "question_mark")
        await user.until(lambda: user.catalog.query_one(Input).value == "12?")
        await user.pilot.press("alt+3")
        await user.until(lambda: user.prompt.has_focus)

        await user.pilot.press("1", "2", "question_mark")

        assert user.prompt.text == "12?"
        assert user.app.screen is user.workspace
        assert user.prompt.has_focus


async def test_alt_and_a_digit_goes_to_a_pane_from_within_a_text_field() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.pilot.press("alt+1")
        await user.until(lambda: user.catalog.table.has_focus)
        await user.pilot.press("slash", "alt+2")
        await user.until(lambda: user.cache.table.has_focus)


async def test_the_digit_of_the_current_pane_gives_it_the_screen_and_takes_it_back() -> None:
    async with driven() as user:
        await user.up()
        await user.until(lambda: user.catalog.table.has_focus)
        assert user.panes == ALL_PANES

        await user.pilot.press("1")
        await user.until(lambda: user.panes == {"catalog"})
        await user.pilot.press("1")
        await user.until(lambda: user.panes == ALL_PANES)


async def test_escape_restores_a_pane_that_has_the_screen() -> None:
    async with driven() as user:
        await user.up()
        await user.until(lambda: user.catalog.table.has_focus)
        await user.pilot.press("1")
        await user.until(lambda: user.panes == {"catalog"})

        await user.pilot.press("escape")

        await user.until(lambda: user.panes == ALL_PANES)


async def test_escape_stops_first_then_closes_what_is_open_then_restores_the_panes() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await answering(user)
        await user.pilot.press("alt+3")
        await user.until(lambda: user.panes == {"chat"})
        await user.pilot.press("f1")
        await user.until(lambda: isinstance(user.app.screen, HelpScreen))

        await user.pilot.press("escape")
        await user.until(lambda: not user.chat.is_generating)
        assert user.engine.open_streams == 0
        assert isinstance(user.app.screen, HelpScreen)
        await user.pilot.press("escape")
        await user.until(lambda: user.app.screen is user.workspace)
        assert user.panes == {"chat"}
        await user.pilot.press("escape")

        await user.until(lambda: user.panes == ALL_PANES)


async def test_a_narrow_screen_shows_one_pane_at_a_time_and_the_digits_change_it() -> None:
    async with driven(size=NARROW) as user:
        await user.up()
        assert user.panes == {"catalog"}

        await user.pilot.press("2")
        await user.until(lambda: user.panes == {"cache"} and user.cache.table.has_focus)
        await user.pilot.press("3")
        await user.until(lambda: user.panes == {"chat"} and user.prompt.has_focus)
        await user.pilot.press("alt+1")
        await user.until(lambda: user.panes == {"catalog"} and user.catalog.table.has_focus)


async def test_resizing_in_mid_answer_loses_neither_text_nor_focus() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID, size=HUGE) as user:
        await answering(user)
        await user.pilot.press("d", "r", "a", "f", "t")

        for size in (NARROW, WIDE):
            await resize(user, size)
            await user.until(lambda: user.shows("draft") and user.shows("The capital of"))

            assert user.prompt.text == "draft"
            assert user.prompt.has_focus
            assert user.chat.is_generating
            assert "chat" in user.panes
        await user.stop()


async def test_a_filter_being_typed_survives_a_resize() -> None:
    async with driven(size=HUGE) as user:
        await user.up()
        await user.pilot.press("slash", "g", "p")

        await resize(user, NARROW)

        assert user.catalog.query_one(Input).has_focus
        assert user.catalog.query_one(Input).value == "gp"
        assert user.panes == {"catalog"}


async def test_ctrl_q_quits_with_0_without_a_question() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.pilot.press("h", "i")
        await user.leave("ctrl+q")

        assert user.app.return_code == 0


async def test_ctrl_q_asks_while_an_answer_is_being_made_and_enter_stays() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await answering(user)

        await user.pilot.press("ctrl+q")
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen))
        await user.pilot.press("ctrl+q", "enter")
        await user.until(lambda: user.app.screen is user.workspace)

        assert user.app.return_code is None
        assert user.chat.is_generating
        await user.stop()


async def test_leaving_in_mid_answer_after_the_question_exits_with_0() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await answering(user)
        await user.pilot.press("ctrl+q")
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen))

        await user.pilot.press("shift+tab")
        await user.leave("enter")

    assert user.app.return_code == 0
    assert user.engine.open_streams == 0
    assert user.lease.holders == ()

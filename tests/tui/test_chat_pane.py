"""The conversation: asking, reading, stopping, and what is left when something goes wrong."""

import asyncio

import pytest

from foundry_tui.domain.chat import ChatMessage, ChatOptions, Outcome, Role
from foundry_tui.domain.engine import EngineReady, EngineStarting
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from tests.support.supervised import SupervisedScript
from tests.tui.harness import HUGE, NARROW, WIDE, driven

BROKEN_MODEL_ID = "synthetic-broken-generic-cpu:1"
OPEN_ENDED = ScriptedConfig(pieces=("The capital", " of"), hold=True)


def said(*turns: str) -> tuple[ChatMessage, ...]:
    roles = (Role.USER, Role.ASSISTANT)
    return tuple(ChatMessage(role=roles[n % 2], text=text) for n, text in enumerate(turns))


@pytest.mark.parametrize("size", [NARROW, WIDE, HUGE])
async def test_a_typed_question_is_answered_with_its_numbers_below(size: tuple[int, int]) -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID, size=size) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.pilot.press("h", "i", "enter")
        await user.arrived("in all")

        assert user.shows("Hello, world")
        for words in ("TTFT 10.0 ms", "100 tok/s", "7 in", "3 out", "stop"):
            assert words in user.conversation
        assert user.prompt.text == ""


async def test_the_answer_shows_while_it_is_being_made() -> None:
    engine = SupervisedScript(OPEN_ENDED)
    async with driven(engine, start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.send("What is the capital of France?")
        await user.until(lambda: user.shows("The capital of") and user.shows("chunks"))

        assert user.chat.is_generating
        await user.stop()


async def test_the_second_question_carries_the_first_and_its_answer() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.ask("one")
        await user.ask("two")

        assert user.engine.seen[0].messages == said("one")
        assert user.engine.seen[1].messages == said("one", "Hello, world", "two")


async def test_ctrl_j_makes_a_new_line_and_enter_sends_all_lines() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.pilot.press("a", "ctrl+j", "b")
        assert user.prompt.text == "a\nb"
        assert user.engine.seen == []
        await user.pilot.press("enter")
        await user.until(lambda: len(user.engine.seen) == 1)

        assert user.engine.seen[0].messages == said("a\nb")


async def test_blanks_alone_are_not_sent() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.pilot.press("space", "ctrl+j", "enter")

        assert user.engine.seen == []
        assert user.prompt.text == " \n"


async def test_escape_stops_the_engine_and_keeps_what_had_arrived() -> None:
    engine = SupervisedScript(OPEN_ENDED)
    async with driven(engine, start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.send("What is the capital of France?")
        await user.arrived("The capital of")
        assert engine.open_streams == 1

        await user.stop()

        assert engine.open_streams == 0
        assert user.shows("The capital of")
        assert "stopped" in user.conversation
        with user.lease.hold("a measurement", exclusive=True):
            pass


async def test_a_stopped_answer_stays_part_of_the_conversation() -> None:
    engine = SupervisedScript(OPEN_ENDED)
    async with driven(engine, start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.send("one")
        await user.arrived("The capital of")
        await user.stop()
        engine.script = ScriptedConfig()

        await user.ask("two")

        assert engine.seen[-1].messages == said("one", "The capital of", "two")


async def test_an_answer_stopped_before_its_first_word_leaves_no_trace_in_the_next_request() -> None:
    engine = SupervisedScript()
    engine.gate = asyncio.Event()
    async with driven(engine, start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.send("one")
        await user.until(lambda: engine.open_streams == 1)
        await user.stop()
        engine.gate = None

        await user.ask("two")

        assert engine.seen[-1].messages == said("two")
        assert "TTFT n/a" in user.conversation


async def test_the_engine_stays_taken_until_it_has_confirmed_the_stop() -> None:
    engine = SupervisedScript(OPEN_ENDED)
    engine.stopping = asyncio.Event()
    async with driven(engine, start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.send("one")
        await user.arrived("The capital of")

        await user.pilot.press("escape")
        assert user.lease.holders == (f"chat with {SCRIPTED_MODEL_ID}",)
        engine.stopping.set()
        await user.until(lambda: not user.chat.is_generating)

        assert not user.lease.holders


async def test_a_second_escape_does_not_free_an_engine_that_is_still_stopping() -> None:
    engine = SupervisedScript(OPEN_ENDED)
    engine.stopping = asyncio.Event()
    async with driven(engine, start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.send("one")
        await user.arrived("The capital of")

        await user.pilot.press("escape", "escape")
        holders = user.lease.holders
        engine.stopping.set()
        await user.until(lambda: not user.chat.is_generating)

        assert holders == (f"chat with {SCRIPTED_MODEL_ID}",)


async def test_a_question_during_an_answer_is_refused_and_kept() -> None:
    engine = SupervisedScript(OPEN_ENDED)
    async with driven(engine, start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.send("one")
        await user.arrived("The capital of")

        await user.send("two")
        await user.until(lambda: bool(user.told))

        assert user.prompt.text == "two"
        assert "Esc" in user.words_told
        assert len(engine.seen) == 1
        await user.stop()


async def test_a_question_without_a_model_says_where_to_find_one_and_is_kept() -> None:
    async with driven() as user:
        await user.up()
        await user.pilot.press("3")

        await user.send("hello")
        await user.until(lambda: bool(user.told))

        assert user.prompt.text == "hello"
        assert "model" in user.words_told
        assert "catalog" in user.words_told
        assert user.engine.seen == []


async def test_a_question_to_a_dead_engine_says_how_to_restart_and_is_kept() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.engine.die()

        await user.send("hello")
        await user.until(lambda: bool(user.told))

        assert user.prompt.text == "hello"
        assert "Ctrl+R" in user.words_told


async def test_a_question_to_an_engine_that_is_starting_waits_for_it() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        user.engine.starting = asyncio.Event()
        await user.pilot.press("ctrl+r")
        await user.until(lambda: isinstance(user.engine.state, EngineStarting))

        await user.send("hello")
        await user.until(lambda: user.chat.is_generating)
        asked_early = len(user.engine.seen)
        user.engine.starting.set()
        await user.until(lambda: not user.chat.is_generating)

        assert asked_early == 0
        assert [request.messages[-1].text for request in user.engine.seen] == ["hello"]


async def test_a_death_in_mid_answer_keeps_the_text_and_says_once_what_happened() -> None:
    engine = SupervisedScript(OPEN_ENDED)
    async with driven(engine, start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.send("one")
        await user.arrived("The capital of")

        await engine.die(last_log=("the last words",))
        await user.until(lambda: not user.chat.is_generating)
        await user.arrived("Ctrl+R")

        assert "The capital of" in user.conversation
        assert "engine died" in user.conversation
        assert "the last words" in user.conversation
        assert user.conversation.count("SIGKILL") == 1
        assert not user.is_loaded(SCRIPTED_MODEL_ID)
        assert not user.lease.holders


async def test_ctrl_r_after_a_death_restarts_and_loads_again() -> None:
    engine = SupervisedScript(OPEN_ENDED)
    async with driven(engine, start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.send("one")
        await user.arrived("The capital of")
        await engine.die()
        await user.until(lambda: not user.chat.is_generating)
        engine.script = ScriptedConfig()

        await user.pilot.press("ctrl+r")
        await user.until(lambda: isinstance(engine.state, EngineReady))
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.ask("two")

        assert engine.starts == 2
        assert "restarted" in user.conversation
        assert "Hello, world" in user.conversation
        assert engine.seen[-1].messages == said("one", "The capital of", "two")


async def test_a_death_between_answers_is_told() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.engine.die()
        await user.arrived("SIGKILL")

        assert SCRIPTED_MODEL_ID in user.conversation
        assert "Ctrl+R" in user.conversation


async def test_a_death_while_the_question_loads_its_model_is_told_once() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.client.unload(SCRIPTED_MODEL_ID)
        user.engine.loading = asyncio.Event()
        await user.send("one")
        await user.until(lambda: bool(user.client.jobs.value))

        await user.engine.die()
        await user.until(lambda: not user.chat.is_generating)
        await user.pilot.pause()  # whoever else watches the engine has been told by now

        assert user.conversation.count("SIGKILL") == 1


async def test_the_first_question_loads_the_model_it_is_put_to() -> None:
    async with driven() as user:
        await user.up()
        user.catalog.table.move_cursor_to(SCRIPTED_MODEL_ID)
        await user.pilot.press("enter")
        assert not user.is_loaded(SCRIPTED_MODEL_ID)

        await user.ask("hi")

        assert user.is_loaded(SCRIPTED_MODEL_ID)
        assert "Hello, world" in user.conversation


async def test_a_model_that_does_not_load_says_why_and_what_to_do() -> None:
    async with driven() as user:
        await user.up()
        user.catalog.table.move_cursor_to(BROKEN_MODEL_ID)
        await user.pilot.press("enter")

        await user.send("hi")
        await user.arrived("choose the other one")

        assert "does not load: scripted" in user.conversation
        assert not user.chat.is_generating
        assert not user.lease.holders


async def test_a_failure_in_mid_answer_keeps_the_text_and_names_the_failure() -> None:
    engine = SupervisedScript(ScriptedConfig(fail_with=Outcome.STREAM_ERROR))
    async with driven(engine, start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.ask("hi")

        assert "Hello, world" in user.conversation
        assert "stream error" in user.conversation
        assert "scripted failure" in user.conversation.lower()


async def test_ctrl_n_begins_a_new_conversation() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.ask("one")

        await user.pilot.press("ctrl+n")
        assert "Hello, world" not in user.conversation
        await user.ask("two")

        assert user.engine.seen[-1].messages == said("two")


async def test_ctrl_n_does_not_throw_away_an_answer_that_is_being_made() -> None:
    engine = SupervisedScript(OPEN_ENDED)
    async with driven(engine, start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.send("one")
        await user.arrived("The capital of")

        await user.pilot.press("ctrl+n")
        await user.until(lambda: bool(user.told))

        assert "The capital of" in user.conversation
        assert user.chat.is_generating
        await user.stop()


async def test_the_options_stand_above_the_prompt() -> None:
    options = ChatOptions(temperature=0.3, max_tokens=77, seed=5, system_prompt="Be brief.")
    async with driven(start_with=SCRIPTED_MODEL_ID, chat=options, size=HUGE) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.until(lambda: user.shows("temperature 0.3"))

        line = next(line for line in user.lines() if "temperature 0.3" in line)
        for words in (SCRIPTED_MODEL_ID, "77", "seed 5", "system prompt"):
            assert words in line

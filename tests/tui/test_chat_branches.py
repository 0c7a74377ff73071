"""Conversations that are kept, reopened and branched, by keys."""

from dataclasses import replace

import pytest

from foundry_tui.domain.chat import ChatOptions, Role
from foundry_tui.domain.conversations import Conversation, Turn
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from tests.support.memory_store import MemoryStore
from tests.support.services import SETUP
from tests.support.supervised import SupervisedScript
from tests.tui.harness import SHELF, Driven, driven

KEPT = Conversation(
    id="kept",
    title="Yesterday",
    created_unix_ms=1,
    updated_unix_ms=2,
    options=ChatOptions(seed=4),
    turns=(
        Turn(id="u1", parent_id=None, role=Role.USER, text="What was that?", at_unix_ms=1),
        Turn(
            id="a1",
            parent_id="u1",
            role=Role.ASSISTANT,
            text="The first answer.",
            at_unix_ms=1,
            model_id=SCRIPTED_MODEL_ID,
        ),
        Turn(
            id="a2",
            parent_id="u1",
            role=Role.ASSISTANT,
            text="The second answer.",
            at_unix_ms=2,
            model_id=SCRIPTED_MODEL_ID,
        ),
    ),
    head_id="a2",
)


def answers(*pieces: str) -> SupervisedScript:
    return SupervisedScript(ScriptedConfig(pieces=pieces), models=SHELF)


async def reading(user: Driven) -> None:
    """Put the focus on the transcript, where letters are keys."""
    user.chat.transcript.focus()
    await user.pilot.pause()  # the focus moves with the next message


async def said(user: Driven) -> list[str]:
    await user.services.recorder.settled()
    kept = await user.store.load(user.services.dialogue.conversation.id)
    return [] if kept is None else [turn.text for turn in kept.path()]


async def test_what_is_said_is_kept_as_it_is_said() -> None:
    async with driven(answers("Hello"), start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.ask("Hi")

        assert await said(user) == ["Hi", "Hello"]


async def test_g_asks_again_and_both_answers_are_there_to_go_between() -> None:
    async with driven(answers("Hello"), start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.ask("Hi")
        user.engine.script = ScriptedConfig(pieces=("Good day",))
        await reading(user)

        await user.pilot.press("g")
        await user.until(lambda: len(user.engine.seen) == 2 and not user.chat.is_generating)
        again = user.conversation
        await user.pilot.press("less_than_sign")
        before = user.conversation
        await user.pilot.press("greater_than_sign")

        assert "Good day" in again
        assert "Hello" not in again
        assert "branch 2 of 2" in again
        assert "Hello" in before
        assert "branch 1 of 2" in before
        assert "Good day" in user.conversation


async def test_keys_that_come_before_the_answer_has_begun_find_it_under_way() -> None:
    async with driven(answers("Hello"), start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.ask("Hi")

        # All in one turn of the loop, as keys arrive that were typed quickly.
        user.chat.action_regenerate()
        user.chat.action_regenerate()
        user.chat.action_new_conversation()
        await user.until(lambda: len(user.engine.seen) == 2 and not user.chat.is_generating)

        assert user.words_told.count("Stop the answer first") == 2
        assert "branch 2 of 2" in user.conversation


async def test_an_answer_that_is_stopped_before_it_has_begun_leaves_the_chat_free() -> None:
    async with driven(answers("Hello"), start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.ask("Hi")

        user.chat.action_regenerate()
        user.chat.stop()
        await user.until(lambda: not user.chat.is_generating)
        await user.ask("Again")

        assert [request.messages[-1].text for request in user.engine.seen] == ["Hi", "Again"]


async def test_e_edits_a_prompt_and_sends_it_as_another_branch() -> None:
    async with driven(answers("Hello"), start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.ask("First")
        await user.ask("Second")
        await reading(user)
        await user.pilot.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
        while user.chat.transcript.cursor_key != user.chat.transcript.keys[1]:  # after the note of the load
            await user.pilot.press("left_square_bracket")

        await user.pilot.press("e")
        offered = user.prompt.text
        user.prompt.text = "Other"
        await user.pilot.press("enter")
        await user.until(lambda: len(user.engine.seen) == 3 and not user.chat.is_generating)

        assert offered == "First"
        assert "Second" not in user.conversation
        assert await said(user) == ["Other", "Hello"]
        assert [message.text for message in user.engine.seen[2].messages] == ["Other"]


async def test_escape_leaves_an_edit_and_nothing_has_changed() -> None:
    async with driven(answers("Hello"), start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.ask("First")
        await reading(user)
        await user.pilot.press("e")
        assert user.shows("editing")

        await user.pilot.press("escape")

        assert user.prompt.text == ""
        assert not user.shows("editing")
        assert await said(user) == ["First", "Hello"]


async def test_a_kept_conversation_is_opened_from_the_list_and_gone_on_with() -> None:
    store = MemoryStore()
    await store.create(KEPT)
    async with driven(answers("Hello"), start_with=SCRIPTED_MODEL_ID, store=store) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.pilot.press("ctrl+l")
        await user.until(lambda: user.shows("Yesterday"))
        await user.pilot.press("enter")
        await user.until(lambda: "The second answer." in user.conversation)
        await user.until(lambda: user.prompt.has_focus)
        await user.ask("And then?")

        assert "The first answer." not in user.conversation
        assert "branch 2 of 2" in user.conversation
        assert [message.text for message in user.engine.seen[0].messages] == [
            "What was that?",
            "The second answer.",
            "And then?",
        ]
        assert user.engine.seen[0].seed == 4


async def test_an_answer_that_a_crash_cut_off_says_so() -> None:
    store = MemoryStore()
    await store.create(KEPT)
    async with driven(start_with=SCRIPTED_MODEL_ID, store=store) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        user.chat.open_conversation("kept")
        await user.until(lambda: "The second answer." in user.conversation)

        assert "cut off" in user.conversation


async def test_a_search_hit_on_another_branch_is_shown_on_that_branch() -> None:
    store = MemoryStore()
    await store.create(KEPT)
    async with driven(start_with=SCRIPTED_MODEL_ID, store=store) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        user.chat.open_conversation("kept", "a1")
        await user.until(lambda: "The first answer." in user.conversation)

        assert "The second answer." not in user.conversation


async def test_a_conversation_that_was_deleted_meanwhile_is_told() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        user.chat.open_conversation("never was")
        await user.until(lambda: bool(user.told))

        assert "gone" in user.words_told


async def test_a_full_disk_is_told_and_the_chat_goes_on() -> None:
    store = MemoryStore()
    async with driven(answers("Hello"), start_with=SCRIPTED_MODEL_ID, store=store) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        store.fail_with = StorageProblem("the disk is full", remedy="free some space")

        await user.ask("Hi")
        await user.until(lambda: "the disk is full" in user.words_told)
        store.fail_with = None
        await user.ask("Again")
        await user.until(lambda: user.services.recorder.problem.value is None)

        assert await said(user) == ["Hi", "Hello", "Again", "Hello"]


async def test_nothing_is_kept_where_the_settings_say_so() -> None:
    setup = replace(SETUP, keeps_conversations=False)
    async with driven(answers("Hello"), start_with=SCRIPTED_MODEL_ID, setup=setup) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.ask("Hi")

        assert user.store.kept == {}
        assert "Hello" in user.conversation


async def test_another_model_goes_on_with_the_same_conversation() -> None:
    async with driven(answers("Hello"), start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.ask("Hi")
        user.workspace.active_model = "small-instruct-generic-cpu:1"

        await user.ask("And you?")

        assert user.engine.seen[1].model == "small-instruct-generic-cpu:1"
        assert [message.text for message in user.engine.seen[1].messages] == ["Hi", "Hello", "And you?"]


@pytest.mark.parametrize("key", ["e", "g", "less_than_sign"])
async def test_with_nothing_said_the_keys_say_that(key: str) -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await reading(user)

        await user.pilot.press(key)
        await user.until(lambda: bool(user.told))

        assert "There is" in user.words_told


async def test_the_ribbon_shows_the_answer_that_is_read() -> None:
    async with driven(answers("a", "b", "c"), start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.ask("One")
        user.engine.script = ScriptedConfig(pieces=("a", "b", "c", "d", "e"))
        await user.ask("Two")
        newest = user.shows("n=4")
        await reading(user)

        while user.chat.transcript.cursor_key != user.chat.transcript.keys[2]:
            await user.pilot.press("left_square_bracket")
        await user.until(lambda: user.shows("n=2"))

        assert newest

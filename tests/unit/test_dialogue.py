"""The conversation under way: what is said and answered is kept as it happens, and nothing is replaced."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from foundry_tui.domain.chat import ChatMessage, ChatOptions, ChunkReceived, Outcome, PhaseTimeouts, Role
from foundry_tui.domain.conversations import Conversation, Turn
from foundry_tui.domain.errors import EngineDied, EngineError, GenerationFailed, ModelNotFound
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.services.client import ClientService
from foundry_tui.services.dialogue import AnswerEvent, Dialogue, ModelLoaded, ModelLoading
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.services.recorder import Recorder
from tests.support.memory_store import MemoryStore
from tests.support.supervised import SupervisedScript

MODEL = "synthetic-generic-cpu:1"
SOON_S = 5.0


@dataclass(kw_only=True)
class Talk:
    """A dialogue and everything behind it."""

    dialogue: Dialogue
    engine: SupervisedScript
    store: MemoryStore
    recorder: Recorder

    async def ask(self, text: str) -> list[AnswerEvent]:
        self.dialogue.say(text)
        return await self.answer()

    async def answer(self, model: str = MODEL) -> list[AnswerEvent]:
        async with self.dialogue.answer(model) as events:
            return [event async for event in events]

    async def arrives(self, text: str) -> "asyncio.Task[None]":
        """Have the head answered, in the background; by the return ``text`` has come."""
        arrived = asyncio.Event()

        async def listen() -> None:
            async with self.dialogue.answer(MODEL) as events:
                async for event in events:
                    if isinstance(event, ChunkReceived) and event.text == text:
                        arrived.set()

        listening = asyncio.ensure_future(listen())
        async with asyncio.timeout(SOON_S):
            await arrived.wait()
        return listening

    async def kept(self) -> Conversation:
        await self.recorder.settled()
        kept = await self.store.load(self.dialogue.conversation.id)
        assert kept is not None
        return kept


@asynccontextmanager
async def talk(*pieces: str, keeps: bool = True) -> AsyncGenerator[Talk, None]:
    engine = SupervisedScript(ScriptedConfig(pieces=pieces or ("Hel", "lo")))
    client = ClientService(engine, EngineLease(), wants_public=False)
    store, recorder = MemoryStore(), Recorder()
    dialogue = Dialogue(client, store, recorder if keeps else None, ChatOptions(max_tokens=64))
    try:
        yield Talk(dialogue=dialogue, engine=engine, store=store, recorder=recorder)
    finally:
        await recorder.aclose()
        await client.aclose()


def said(conversation: Conversation) -> list[str]:
    return [turn.text for turn in conversation.path()]


async def test_a_prompt_and_its_answer_are_kept_with_its_readings() -> None:
    async with talk("Hel", "lo") as it:
        await it.ask("Hi there")

        kept = await it.kept()
        assert said(kept) == ["Hi there", "Hello"]
        assert kept.title == "Hi there"
        trace = kept.turns[1].trace
        assert trace is not None
        assert trace.outcome is Outcome.COMPLETED
        assert [chunk.text for chunk in trace.chunks] == ["Hel", "lo"]
        assert kept.turns[1].model_id == MODEL


async def test_the_model_is_loaded_first_and_that_is_told() -> None:
    async with talk() as it:
        first = await it.ask("one")
        second = await it.ask("two")

        assert [type(event) for event in first[:2]] == [ModelLoading, ModelLoaded]
        assert not any(isinstance(event, ModelLoading) for event in second)


async def test_an_engine_that_is_not_up_yet_is_waited_for() -> None:
    async with talk() as it:
        it.engine.starting = asyncio.Event()
        it.dialogue.say("early")
        asked = asyncio.ensure_future(it.answer())
        while it.engine.starts == 0 and not it.engine.starting.is_set():
            await asyncio.sleep(0)  # a turn for the answer to begin waiting
            it.engine.starting.set()

        events = await asked

        assert any(isinstance(event, ChunkReceived) for event in events)


async def test_the_next_request_carries_what_was_said_before() -> None:
    async with talk("A") as it:
        await it.ask("one")
        await it.ask("two")

        assert it.engine.seen[1].messages == (
            ChatMessage(role=Role.USER, text="one"),
            ChatMessage(role=Role.ASSISTANT, text="A"),
            ChatMessage(role=Role.USER, text="two"),
        )


async def test_what_has_arrived_is_kept_while_the_answer_still_streams() -> None:
    async with talk("Hel", "lo") as it:
        it.engine.script = ScriptedConfig(pieces=("Hel", "lo"), hold=True)
        it.dialogue.say("Hi")
        listening = await it.arrives("lo")

        async with asyncio.timeout(SOON_S):
            async for _ in it.recorder.changes.watch():
                drafts = [turn.text for turn in (await it.kept()).path()]
                if drafts == ["Hi", "Hello"]:
                    break

        assert (await it.kept()).turns[1].trace is None
        listening.cancel()
        await asyncio.wait([listening])


async def test_an_answer_that_was_left_keeps_what_came_and_says_so() -> None:
    async with talk("Hel", "lo") as it:
        it.engine.script = ScriptedConfig(pieces=("Hel",), hold=True)
        it.dialogue.say("Hi")
        listening = await it.arrives("Hel")

        listening.cancel()
        await asyncio.wait([listening])

        kept = await it.kept()
        assert it.engine.open_streams == 0
        assert said(kept) == ["Hi", "Hel"]
        assert kept.turns[1].trace is not None
        assert kept.turns[1].trace.outcome is Outcome.CANCELLED
        assert it.dialogue.trace is None


@pytest.mark.parametrize(
    ("script", "error", "outcome"),
    [
        (
            ScriptedConfig(pieces=("Hel",), fail_with=Outcome.STREAM_ERROR),
            GenerationFailed,
            Outcome.STREAM_ERROR,
        ),
        (ScriptedConfig(pieces=(), fail_with=Outcome.TIMEOUT), GenerationFailed, Outcome.TIMEOUT),
    ],
)
async def test_a_failure_is_raised_and_kept(
    script: ScriptedConfig, error: type[EngineError], outcome: Outcome
) -> None:
    async with talk() as it:
        it.engine.script = script

        with pytest.raises(error):
            await it.ask("Hi")

        trace = (await it.kept()).turns[1].trace
        assert trace is not None
        assert trace.outcome is outcome


async def test_a_prompt_that_got_no_text_is_not_carried_on() -> None:
    async with talk("A") as it:
        it.engine.script = ScriptedConfig(pieces=(), fail_with=Outcome.TIMEOUT)
        with pytest.raises(GenerationFailed):
            await it.ask("lost")
        it.engine.script = ScriptedConfig(pieces=("A",))

        await it.ask("found")

        assert [message.text for message in it.engine.seen[-1].messages] == ["found"]


async def test_an_engine_that_dies_in_mid_answer_leaves_the_text() -> None:
    async with talk("Hel") as it:
        it.engine.script = ScriptedConfig(pieces=("Hel",), hold=True)
        it.dialogue.say("Hi")
        asked = await it.arrives("Hel")

        await it.engine.die()

        with pytest.raises(EngineDied):
            await asked
        assert said(await it.kept()) == ["Hi", "Hel"]


async def test_an_unknown_model_is_told_and_the_prompt_stays() -> None:
    async with talk() as it:
        it.dialogue.say("Hi")

        with pytest.raises(ModelNotFound):
            await it.answer("nobody")

        assert said(await it.kept())[0] == "Hi"


async def test_asking_again_keeps_both_answers_and_carries_neither() -> None:
    async with talk("A") as it:
        await it.ask("Hi")
        first = it.dialogue.conversation.path()[1]
        it.engine.script = ScriptedConfig(pieces=("B",))

        it.dialogue.step_before(first.id)
        await it.answer()

        kept = await it.kept()
        assert said(kept) == ["Hi", "B"]
        assert [turn.text for turn in kept.siblings(kept.turns[1])] == ["A", "B"]
        assert [message.text for message in it.engine.seen[1].messages] == ["Hi"]


async def test_an_edited_prompt_is_another_branch_and_one_can_go_back() -> None:
    async with talk("A") as it:
        await it.ask("one")
        await it.ask("two")
        first = it.dialogue.conversation.path()[0]

        it.dialogue.step_before(first.id)
        await it.ask("other")
        edited = it.dialogue.conversation.path()
        went = it.dialogue.switch(edited[0].id, -1)

        assert [turn.text for turn in edited] == ["other", "A"]
        assert went
        assert said(it.dialogue.conversation) == ["one", "A", "two", "A"]
        assert said(await it.kept()) == ["one", "A", "two", "A"]


async def test_past_the_last_branch_there_is_none() -> None:
    async with talk("A") as it:
        await it.ask("one")

        assert not it.dialogue.switch(it.dialogue.conversation.path()[0].id, 1)


async def test_a_new_conversation_is_kept_only_once_something_is_said() -> None:
    async with talk("A") as it:
        await it.ask("one")
        it.dialogue.new()
        await it.recorder.settled()

        assert len(it.store.kept) == 1
        assert it.dialogue.options.max_tokens == 64


async def test_a_kept_conversation_is_taken_up_with_its_options_and_the_time_outs_of_today() -> None:
    async with talk("A") as it:
        old = Conversation(
            id="c",
            title="old",
            created_unix_ms=1,
            updated_unix_ms=1,
            options=ChatOptions(max_tokens=9, seed=3, timeouts=PhaseTimeouts(connect_s=77)),
            turns=(Turn(id="t", parent_id=None, role=Role.USER, text="before", at_unix_ms=1),),
            head_id="t",
        )

        it.dialogue.adopt(old)

        assert it.dialogue.options == ChatOptions(max_tokens=9, seed=3)


async def test_options_and_title_of_what_is_kept_are_kept() -> None:
    async with talk("A") as it:
        await it.ask("one")

        it.dialogue.options = ChatOptions(max_tokens=5, system_prompt="Be brief.")
        it.dialogue.rename("Another\ntitle")

        kept = await it.kept()
        assert kept.options.system_prompt == "Be brief."
        assert kept.title == "Another"


async def test_settings_that_change_reach_a_conversation_only_while_it_is_empty() -> None:
    async with talk("A") as it:
        it.dialogue.begin_with(ChatOptions(max_tokens=7))
        before = it.dialogue.options.max_tokens
        await it.ask("one")
        it.dialogue.begin_with(ChatOptions(max_tokens=8))

        assert before == 7
        assert it.dialogue.options.max_tokens == 7


async def test_nothing_is_kept_where_the_user_wants_that() -> None:
    async with talk("A", keeps=False) as it:
        await it.ask("secret")

        assert it.store.kept == {}
        assert not it.dialogue.is_kept
        assert said(it.dialogue.conversation) == ["secret", "A"]


async def test_nothing_else_can_be_said_while_an_answer_is_made() -> None:
    async with talk("A") as it:
        it.dialogue.say("one")

        async with it.dialogue.answer(MODEL) as events:
            async for _ in events:
                with pytest.raises(RuntimeError):
                    it.dialogue.say("two")

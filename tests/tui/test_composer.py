"""What is written and attached before it is sent."""

from dataclasses import replace
from pathlib import Path

from textual import events

from foundry_tui.domain.chat import ChatOptions
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from tests.support.memory_store import MemoryStore
from tests.support.services import SETUP
from tests.support.supervised import SupervisedScript
from tests.tui.harness import driven

TIGHT = "tight-generic-cpu:1"
SHELF = (
    ModelVariant(
        id=TIGHT, alias="tight", catalog=CatalogKind.LOCAL, context_tokens=100, is_cached=True, path="x"
    ),
)


async def test_up_brings_back_what_was_sent_and_down_what_was_being_written() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.ask("first")
        await user.ask("second")
        user.prompt.text = "draft"

        seen = []
        await user.pilot.press("up")
        await user.until(lambda: user.prompt.text == "second")
        for key in ("up", "up", "down", "down"):
            await user.pilot.press(key)
            seen.append(user.prompt.text)

        assert seen == ["first", "first", "second", "draft"]


async def test_what_was_sent_in_earlier_sessions_comes_back_too() -> None:
    store = MemoryStore()
    await store.remember_input("long ago", keep=10)
    async with driven(start_with=SCRIPTED_MODEL_ID, store=store) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.pilot.press("up")
        await user.until(lambda: user.prompt.text == "long ago")


async def test_the_history_is_as_long_as_the_settings_say() -> None:
    store = MemoryStore()
    setup = replace(SETUP, history_size=1)
    async with driven(start_with=SCRIPTED_MODEL_ID, store=store, setup=setup) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.ask("first")
        await user.ask("second")
        await user.services.recorder.settled()

        assert await store.inputs(10) == ("second",)


async def test_up_within_a_text_of_several_lines_moves_the_cursor() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.ask("first")
        user.prompt.put("one\ntwo")

        await user.pilot.press("up")

        assert user.prompt.text == "one\ntwo"


async def test_a_large_paste_becomes_an_attachment_that_is_sent_along() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        user.prompt.post_message(events.Paste("line\n" * 2000))
        await user.until(lambda: user.shows("attached: pasted text 1"))
        await user.ask("Sum this up")

        sent = user.engine.seen[0].messages[0].text
        assert sent.startswith("Sum this up\n\nFile: pasted text 1\n```\nline\n")
        assert sent.count("line\n") == 2000
        assert not user.shows("attached: pasted")


async def test_backspace_in_the_empty_field_takes_an_attachment_away() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        user.prompt.post_message(events.Paste("x" * 9000))
        await user.until(lambda: user.shows("attached: pasted"))

        await user.pilot.press("backspace")

        assert not user.shows("attached: pasted")


async def test_f5_attaches_a_file(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("The cow says moo.\n")
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.pilot.press("f5")
        await user.until(lambda: user.shows("Attach a text file"))
        user.app.screen.query_one("#path").value = str(file)  # type: ignore[attr-defined]  # an Input
        await user.pilot.press("enter")
        await user.until(lambda: user.shows("attached: notes.txt"))
        await user.until(lambda: user.prompt.has_focus)
        await user.ask("What does it say?")

        assert "File: notes.txt\n```\nThe cow says moo.\n```" in user.engine.seen[0].messages[0].text


async def test_the_line_tells_how_much_of_the_context_the_prompt_would_take() -> None:
    engine = SupervisedScript(ScriptedConfig(pieces=("ok",)), models=SHELF)
    async with driven(engine, chat=ChatOptions(max_tokens=20)) as user:
        await user.up()
        user.workspace.active_model = TIGHT
        user.chat.focus_prompt()

        user.prompt.text = "x" * 60

        await user.until(lambda: user.shows("~28 of 100 tokens"))
        assert not user.chat.query_one("#chat-line").has_class("-warning")


async def test_a_prompt_that_nearly_fills_the_context_is_warned_of() -> None:
    engine = SupervisedScript(ScriptedConfig(pieces=("ok",)), models=SHELF)
    async with driven(engine, chat=ChatOptions(max_tokens=20)) as user:
        await user.up()
        user.workspace.active_model = TIGHT
        user.chat.focus_prompt()

        user.prompt.text = "x" * 255

        await user.until(lambda: user.shows("~93 of 100 tokens: 7 left for the answer"))
        assert user.chat.query_one("#chat-line").has_class("-warning")


async def test_what_cannot_fit_is_sent_only_when_it_is_asked_for_twice() -> None:
    engine = SupervisedScript(ScriptedConfig(pieces=("ok",)), models=SHELF)
    async with driven(engine) as user:
        await user.up()
        user.workspace.active_model = TIGHT
        user.chat.focus_prompt()
        await user.until(lambda: user.prompt.has_focus)

        await user.send("x" * 900)
        await user.until(lambda: "would take about 308" in user.words_told)
        kept = user.prompt.text
        await user.pilot.press("enter")
        await user.until(lambda: bool(user.engine.seen) and not user.chat.is_generating)

        assert kept == "x" * 900
        assert len(user.engine.seen) == 1

"""Every pane and every overlay in each of its states, at the two sizes that matter, as text.

``pytest --snapshot-update`` writes what is shown now; look at each file that it changes.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.widgets import Input

from foundry_tui.domain.chat import ChatOptions, Outcome
from foundry_tui.domain.conversations import SavedPrompt
from foundry_tui.domain.errors import EngineUnavailable, StorageProblem
from foundry_tui.domain.models import CatalogKind, CatalogSnapshot, Device, ModelVariant, SnapshotOrigin
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.services.files import TextFile
from foundry_tui.tui.screens.jump import JumpScreen
from tests.support.memory_store import MemoryStore
from tests.support.services import SETUP
from tests.support.supervised import SupervisedScript
from tests.tui.frames import FrameExtension, frame, resized
from tests.tui.harness import MEDIUM, NARROW, SHELF, WIDE, Driven, driven
from tests.tui.kept import LONG_AGO_UNIX_MS, MARKDOWN, SORTING, conversation, turn

OFTEN_READ = replace(SETUP, strip_hz=50)  # or each test would wait a second for its first reading


class Take(Protocol):
    """Compares the screen at both sizes; ``again`` opens it anew at the other one."""

    async def __call__(
        self, user: Driven, state: str, again: Callable[[], Awaitable[None]] | None = None
    ) -> None: ...


@pytest.fixture(autouse=True)
def short_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Paths that show are the same in every run: relative ones, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOUNDRY_TUI_DATA_DIR", "kept")


@pytest.fixture
def take(snapshot: SnapshotAssertion) -> Take:
    """Compare the screen with what it was, at the size it has and at the other one, which stays."""
    frames = snapshot.use_extension(FrameExtension)

    async def take(user: Driven, state: str, again: Callable[[], Awaitable[None]] | None = None) -> None:
        for size in (NARROW, WIDE) if user.app.size == NARROW else (WIDE, NARROW):
            if user.app.size != size:
                await resized(user, size)
                if again is not None:
                    await again()
            assert await frame(user) == frames(name=f"{state}-{size[0]}x{size[1]}")

    return take


def variant(model_id: str, **known: object) -> ModelVariant:
    base = ModelVariant(id=model_id, alias=model_id.partition("-")[0], catalog=CatalogKind.PUBLIC)
    return replace(base, **known)  # type: ignore[arg-type] # each by its name, as the tests give them


FULL = (
    *SHELF,
    variant(
        "phi-4-mini-reasoning-with-a-name-that-does-not-end-cuda-gpu:12",
        display_name="Phi 4 mini reasoning",
        publisher="Microsoft",
        license="MIT",
        device=Device.GPU,
        size_bytes=3_200_000_000,
        disk_bytes=3_210_000_000,
        context_tokens=131_072,
        advertised_context_tokens=4096,
        capabilities=("reasoning", "tools"),
        task="chat-completion",
        execution_provider="CUDAExecutionProvider",
        quantization="int4",
        license_text="Permission is hereby granted, free of charge.",
        is_cached=True,
        is_loaded=True,
        path="/models/phi-4-mini-reasoning",
    ),
    variant("模型-七-generic-cpu:1", display_name="七", is_cached=False, size_bytes=1_000_000_000),
    variant(
        "torn-cpu:1",
        catalog=CatalogKind.LOCAL,
        is_cached=True,
        problem="its folder is gone: /models/torn",
        path="/models/torn",
    ),
    *(
        variant(f"filler-{number:02}-generic-cpu:1", is_cached=False, size_bytes=number * 10**8)
        for number in range(1, 40)
    ),
)


async def shelf_of_conversations() -> MemoryStore:
    store = MemoryStore()
    for number in range(1, 31):
        text = f"This is what was said in number {number}."
        one = conversation(f"c{number}", f"Conversation {number}", turn(f"u-c{number}", None, text))
        await store.create(one)
    await store.create(
        conversation(
            "wide",
            "一个很长的标题 and then some words that go on for longer than any column is wide",
            turn("u-wide", None, "A question about 标题."),
            turn("a-wide", "u-wide", "An answer."),
            tags=("a rather long tag", "work"),
        )
    )
    await store.create(SORTING)
    return store


@asynccontextmanager
async def watched(
    engine: SupervisedScript | None = None,
    *,
    start_with: str | None = None,
    store: MemoryStore | None = None,
    chat: ChatOptions | None = None,
) -> AsyncGenerator[Driven, None]:
    """The app in a small terminal, with a reading of the machine on the screen."""
    async with driven(
        engine, start_with=start_with, size=NARROW, store=store, chat=chat, setup=OFTEN_READ
    ) as user:
        await user.until(lambda: user.shows("CPU 25%"))
        yield user


@asynccontextmanager
async def talking(
    script: ScriptedConfig | None = None, *, store: MemoryStore | None = None, chat: ChatOptions | None = None
) -> AsyncGenerator[Driven, None]:
    """The same, with a model that is loaded and the cursor where one writes."""
    engine = SupervisedScript(script, models=SHELF)
    async with watched(engine, start_with=SCRIPTED_MODEL_ID, store=store, chat=chat) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        yield user


async def opened(user: Driven, *keys: str, shows: str) -> None:
    """Press ``keys`` and wait until what they open has its words."""
    await user.pilot.press(*keys)
    await user.until(lambda: user.shows(shows))


async def read(user: Driven) -> None:
    user.chat.transcript.focus()
    await user.until(lambda: user.chat.transcript.has_focus)


# --- catalog and cache


async def test_without_models(take: Take) -> None:
    engine = SupervisedScript(models=SHELF)
    engine.starting = asyncio.Event()
    async with watched(engine) as user:
        await user.until(lambda: user.shows("starting"))
        await take(user, "catalog-starting")
        await user.pilot.press("2")
        await take(user, "cache-empty")

        await user.pilot.press("1")
        offline = "offline: the public catalog cannot be reached"
        user.client.catalog.publish(CatalogSnapshot(models=(), origin=SnapshotOrigin.LIVE, notice=offline))
        await user.until(lambda: user.shows("foundry-tui demo"))
        await take(user, "catalog-offline")


async def test_engine_down(take: Take) -> None:
    engine = SupervisedScript()
    engine.refusal = EngineUnavailable("the Foundry Local runtime is not installed", remedy="install it")
    async with watched(engine) as user:
        await user.until(lambda: user.shows("down"))
        await user.until(lambda: bool(user.told))
        await take(user, "catalog-engine-down")


def has_looked_for(user: Driven, model_id: str) -> bool:
    report = user.cache.report
    return report is not None and any(model.model_id == model_id for model in report.models)


async def test_models(take: Take) -> None:
    engine = SupervisedScript(models=SHELF)
    async with watched(engine) as user:
        await user.up()
        snapshot = CatalogSnapshot(models=FULL, origin=SnapshotOrigin.LIVE)
        user.client.catalog.publish(snapshot)
        await user.until(lambda: user.shows("45 variants"))
        # What it says of a model's size is what it has found on the disk.
        await user.until(lambda: has_looked_for(user, FULL[3].id))
        await take(user, "catalog-full")

        user.catalog.table.move_cursor_to(MEDIUM)
        await user.pilot.press("space", "down", "space", "s", "s")
        await user.until(lambda: user.shows("2 marked"))
        await take(user, "catalog-marked-and-sorted")

        await opened(user, "c", shows="Compare")
        await take(user, "compare")
        await user.pilot.press("escape")

        await opened(user, "o", shows="Columns")
        await take(user, "columns")
        await user.pilot.press("escape")

        await opened(user, "slash", *"gpu size<4gb", shows="of 45")
        await take(user, "catalog-filtered")
        user.workspace.query_one("#catalog-filter", Input).value = "size<"
        await take(user, "catalog-filter-not-understood")
        user.workspace.query_one("#catalog-filter", Input).value = "unheard-of"
        await user.until(lambda: user.shows("No variant"))
        await take(user, "catalog-no-hit")
        await user.pilot.press("escape")

        user.catalog.table.move_cursor_to(FULL[3].id)
        await opened(user, "i", shows="Publisher")
        await take(user, "detail")
        await user.pilot.press("escape", "2")
        await user.until(lambda: user.cache.table.has_focus)
        await take(user, "cache-full")


async def test_loading(take: Take) -> None:
    engine = SupervisedScript(models=SHELF)
    async with watched(engine) as user:
        await user.up()
        engine.loading = asyncio.Event()
        user.catalog.table.move_cursor_to(MEDIUM)
        await opened(user, "l", shows="loading")
        await take(user, "catalog-loading")
        await user.pilot.press("2")
        await take(user, "cache-loading")
        engine.loading.set()


# --- chat


async def test_chat_without_a_model(take: Take) -> None:
    async with watched() as user:
        await user.up()
        await user.pilot.press("3")
        await take(user, "empty-without-a-model")


async def test_chat(take: Take) -> None:
    async with talking(ScriptedConfig(pieces=tuple(MARKDOWN.splitlines(keepends=True)), hold=True)) as user:
        await take(user, "empty")

        user.chat.composer.attach(TextFile(name="notes 笔记.md", text="one\ntwo\n" * 300))
        user.prompt.put("What does it say?\nIn a few words.")
        await user.until(lambda: user.shows("attached:"))
        await take(user, "attachment")

        user.engine.gate = asyncio.Event()
        await user.pilot.press("enter")
        await user.until(lambda: user.shows("waiting for the first token"))
        await take(user, "waiting")

        user.engine.gate.set()
        await user.until(lambda: user.shows("18 chunks") or user.shows("19 chunks"))
        await take(user, "streaming")

        await opened(user, "ctrl+q", shows="still being made")
        await take(user, "confirm")
        await user.pilot.press("enter")
        await user.stop()
        await take(user, "stopped")


async def test_chat_failing(take: Take) -> None:
    failing = ScriptedConfig(pieces=("It is",), fail_with=Outcome.HTTP_ERROR)
    async with talking(failing) as user:
        await user.ask("What is it?")
        await user.until(lambda: user.shows("Scripted failure"))
        await take(user, "request-failed")

        await user.engine.die(last_log=("out of memory",))
        await user.until(lambda: user.shows("out of memory"))
        await take(user, "engine-dead")


async def test_chat_reopened(take: Take) -> None:
    store = MemoryStore()
    await store.create(SORTING)
    async with talking(store=store) as user:
        user.chat.open_conversation(SORTING.id)
        await user.until(lambda: "stays in its order" in user.conversation)
        await take(user, "reopened")

        await read(user)
        await user.pilot.press("left_square_bracket")
        await take(user, "reading")
        await user.pilot.press("t")
        await take(user, "thoughts-folded")
        await user.pilot.press("t", "Z")
        await take(user, "folded")
        await user.pilot.press("Z")

        await opened(user, "ctrl+f", *"sort", shows="matches")
        await user.pilot.press("enter")
        await take(user, "searching")
        user.workspace.query_one("#find-text", Input).value = "unheard-of"
        await user.until(lambda: user.shows("no match") or user.shows("0 match"))
        await take(user, "search-without-a-hit")
        await user.pilot.press("escape")

        await read(user)
        await opened(user, "e", shows="editing")
        await take(user, "editing")
        await user.pilot.press("escape")

        user.prompt.put("word " * 2_250)
        await user.until(lambda: user.shows("left for the answer"))
        await take(user, "context-nearly-full")
        user.prompt.put("word " * 2_500)
        await user.until(lambda: user.shows("too long"))
        await take(user, "context-too-full")


async def test_ribbon(take: Take) -> None:
    async with talking(ScriptedConfig(pieces=("word ",) * 60)) as user:
        await user.ask("Sixty words?")
        await take(user, "after-an-answer")

        user.chat.ribbon.focus()
        await user.pilot.press("left", "left")
        await take(user, "cursor")
        await user.pilot.press("p")
        await take(user, "plain")
        await user.pilot.press("f6")
        await user.until(lambda: not user.chat.ribbon.display)
        await take(user, "hidden")


# --- overlays


async def test_help_palette_and_jump(take: Take) -> None:
    async with talking() as user:
        await opened(user, "f1", shows="Prompt (here)")
        await take(user, "help")
        await user.pilot.press("escape")

        async def jump() -> None:
            await user.pilot.press("escape", "ctrl+g")
            await user.until(lambda: isinstance(user.app.screen, JumpScreen))

        await jump()
        await take(user, "jump", again=jump)
        await user.pilot.press("escape")

        await opened(user, "ctrl+p", shows="Cache: ")
        await take(user, "palette")


async def test_options(take: Take) -> None:
    async with talking(chat=ChatOptions(system_prompt="Be brief.", temperature=0.5, seed=7)) as user:
        await opened(user, "ctrl+o", shows="Chat options")
        await take(user, "full")
        user.app.screen.query_one("#temperature", Input).value = "hot"
        await opened(user, "ctrl+s", shows="please")
        await take(user, "refused")


async def test_conversations(take: Take) -> None:
    store = MemoryStore()
    async with talking(store=store) as user:
        await opened(user, "ctrl+l", shows="No conversation is kept")
        await take(user, "empty")
        await user.pilot.press("escape")

        store.kept = (await shelf_of_conversations()).kept
        await opened(user, "ctrl+l", shows="32 conversations")
        await take(user, "full")
        await opened(user, "slash", *"stable", shows="1 conversation for")
        await take(user, "hit")
        user.app.screen.query_one("#conversations-filter", Input).value = "unheard-of"
        await user.until(lambda: user.shows("Nothing was found"))
        await take(user, "no-hit")
        await user.pilot.press("escape")
        await user.until(lambda: user.shows("32 conversations"))

        await opened(user, "t", shows="Enter accepts")
        await take(user, "tags")
        await user.pilot.press("escape")
        await opened(user, "m", shows="Title")
        await take(user, "rename")
        await user.pilot.press("escape")
        await opened(user, "d", shows="cannot be brought back")
        await take(user, "delete")
        await user.pilot.press("escape")

        store.fail_with = StorageProblem("the disk is full", remedy="free some space")
        await opened(user, "r", shows="the disk is full")
        await take(user, "error")


async def test_prompts(take: Take) -> None:
    store = MemoryStore()
    async with talking(store=store) as user:
        await opened(user, "ctrl+t", shows="No prompt is saved")
        await take(user, "empty")
        await user.pilot.press("escape")

        text = "Translate into {{language}}:\n\n{{text}}"
        used = LONG_AGO_UNIX_MS
        await store.save_prompt(
            SavedPrompt(id="p1", name="Translate", text=text, tags=("language",), used_unix_ms=used)
        )
        await store.save_prompt(SavedPrompt(id="p2", name="一个很长的名字 " * 8, text="x " * 900))
        await opened(user, "ctrl+t", shows="2 prompts")
        await take(user, "full")
        await opened(user, "e", shows="Ctrl+S saves")
        await take(user, "form")
        user.app.screen.query_one("#prompt-name", Input).value = ""
        await opened(user, "ctrl+s", shows="name")
        await take(user, "form-refused")
        await user.pilot.press("escape")
        await user.until(lambda: user.shows("2 prompts"))
        user.app.clear_notifications()
        await opened(user, "enter", shows="As it stands")
        await take(user, "gaps")
        await user.pilot.press("escape")
        await opened(user, "slash", *"unheard-of", shows="No prompt has")
        await take(user, "no-hit")


async def test_path(take: Take, tmp_path: Path) -> None:
    for name in ("notes.md", "notes 2.md", "笔记.txt"):
        (tmp_path / name).write_text("one\n")
    async with talking() as user:
        await opened(user, "f5", shows="notes 2.md")
        await take(user, "empty")
        await user.pilot.press(*"notes.md")
        await user.until(lambda: user.shows("a file of"))
        await take(user, "found")
        await user.pilot.press("backspace", "enter")
        await user.until(lambda: user.shows("Not yet"))
        await take(user, "refused")


async def test_settings(take: Take) -> None:
    async with talking() as user:
        await opened(user, "f2", shows="temperature")
        await take(user, "full")
        await opened(user, "slash", *"temperature", shows="chat")
        await user.pilot.press("enter", "enter")
        await user.pilot.press(*"hot")
        await user.until(lambda: user.shows("number"))
        await take(user, "refused")
        await user.pilot.press("escape", "escape")
        await opened(user, "slash", *"unheard-of", shows="no setting has")
        await take(user, "no-hit")


async def test_log(take: Take) -> None:
    async with talking() as user:
        await opened(user, "f4", shows="Nothing has been logged")
        await take(user, "empty")

        logger = logging.getLogger("foundry_tui.services.recorder")
        for number in range(1, 60):
            logger.warning("line number %d of the log", number)
        logger.warning("a long line: %s", "the disk is nearly full " * 9)
        logger.error("it did not work\nTraceback (most recent call last):\n  ...\nOSError: no space")
        await user.until(lambda: user.shows("OSError"))
        await take(user, "full")
        await user.pilot.press("3")
        await opened(user, "slash", *"disk", shows="1 of")
        await take(user, "filtered")
        user.app.screen.query_one("#log-filter", Input).value = "unheard-of"
        await user.until(lambda: user.shows("0 of"))
        await take(user, "no-hit")

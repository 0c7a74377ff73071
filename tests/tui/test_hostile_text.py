"""Names, answers and errors written to harm a terminal: they are shown, and do nothing."""

import asyncio
import time
import unicodedata

import pytest
from rich.cells import cell_len
from textual import events

from foundry_tui.domain.chat import Role
from foundry_tui.domain.conversations import Conversation, SavedPrompt, Turn
from foundry_tui.domain.errors import EngineUnavailable
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.tui.screens.overlay import DetailScreen
from tests.support.hostile import (
    CORPUS,
    Payload,
    bidirectional,
    controls,
    floods,
    harm_in,
    long_lines,
    markup,
    no_characters,
    odd_pieces,
    sequences,
)
from tests.support.memory_store import MemoryStore
from tests.support.supervised import SupervisedScript
from tests.tui.harness import HUGE, NARROW, WIDE, Driven, driven

# A title, a cleared screen, a clipboard write, C0 and C1 controls, an override, a separator, a surrogate and
# a tag character.
CONTROLS = "\x1b]0;owned\x07\x1b[2J\x1b]52;c;eA==\x1b\\\x9b31m\x00\x08\x7f\u202egnp\u2028\ud800\U000e0041"
MARKUP = "[b]x[/b][/]y["
LINK = "[@click=app.leave]x[/]"
# One of each family is enough where every other name has to be painted.
SOME = [
    *[*sequences()][::20],
    *[*controls()][::8],
    *bidirectional(),
    *floods(300),
    *no_characters(),
    *markup(),
]
attacked = pytest.mark.parametrize("attack", [CONTROLS, MARKUP], ids=["controls", "markup"])


def hostile_id(attack: str) -> str:
    return f"m{attack}:1"


def engine_with(attack: str, *, is_cached: bool = True) -> SupervisedScript:
    evil = f"v{attack}"
    model = ModelVariant(
        id=hostile_id(attack),
        alias=evil,
        catalog=CatalogKind.PUBLIC,
        display_name=evil,
        publisher=evil,
        license=evil,
        license_text=evil,
        task=evil,
        execution_provider=evil,
        quantization=evil,
        capabilities=(evil,),
        is_cached=is_cached,
        is_loaded=False,
        path=f"/models/{attack}",
        problem=None,
    )
    return SupervisedScript(models=(model,))


def assert_harmless(lines: list[str], attack: str) -> None:
    """No control reaches the screen, and what looks like markup is read as text."""
    text = "".join(lines)
    left = {f"U+{ord(c):04X}" for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs"}}
    assert not left, sorted(left)
    assert "\u2028" not in text
    if attack == MARKUP:
        assert MARKUP in text


@attacked
async def test_in_the_tables(attack: str) -> None:
    async with driven(engine_with(attack), size=HUGE) as user:
        await user.up()
        await user.until(lambda: user.shows("3 variants"))

        assert_harmless(user.lines(), attack)


@attacked
async def test_in_the_details_of_a_model(attack: str) -> None:
    async with driven(engine_with(attack), size=HUGE) as user:
        await user.up()
        user.catalog.table.move_cursor_to(hostile_id(attack))
        user.catalog.action_detail()
        await user.until(lambda: isinstance(user.app.screen, DetailScreen))
        await user.until(lambda: user.shows("Licence text"))

        assert_harmless(user.lines(), attack)


@attacked
async def test_in_the_chat_with_a_model_of_that_name(attack: str) -> None:
    async with driven(engine_with(attack), size=HUGE) as user:
        await user.up()
        user.catalog.table.move_cursor_to(hostile_id(attack))
        user.catalog.table.action_activate()
        await user.until(lambda: user.prompt.has_focus)
        await user.until(lambda: user.shows("Ask m"))
        before = user.lines()

        await user.ask("hi")
        await user.arrived("in all")

        assert_harmless(before, attack)
        assert_harmless(user.lines(), attack)


@attacked
async def test_in_what_is_told_of_a_load_and_an_unload(attack: str) -> None:
    async with driven(engine_with(attack), size=HUGE) as user:
        await user.up()
        user.catalog.table.move_cursor_to(hostile_id(attack))
        user.catalog.action_load()
        await user.until(lambda: user.is_loaded(hostile_id(attack)) is True and bool(user.told))
        user.catalog.action_load()
        user.catalog.action_unload()
        await user.until(lambda: len(user.told) == 3 and user.shows("loaded already"))

        assert_harmless(user.lines(), attack)


@attacked
async def test_in_a_refusal_of_the_engine(attack: str) -> None:
    engine = SupervisedScript()
    engine.refusal = EngineUnavailable(f"it says {attack}", remedy=f"do {attack}")

    async with driven(engine, size=HUGE) as user:
        await user.until(lambda: user.shows("It did not work"))

        assert_harmless(user.lines(), attack)


@attacked
async def test_in_the_log_of_an_engine_that_died(attack: str) -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID, size=HUGE) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.engine.die(last_log=(f"it said {attack}",))
        await user.until(lambda: user.shows("it said"))

        assert_harmless(user.lines(), attack)


@attacked
async def test_in_an_answer(attack: str) -> None:
    engine = SupervisedScript(ScriptedConfig(pieces=("before ", *attack, " after")))
    async with driven(engine, start_with=SCRIPTED_MODEL_ID, size=HUGE) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.ask("hi")
        await user.until(lambda: user.shows("before") and user.shows("after"))

        assert_harmless(user.lines(), attack)


@attacked
async def test_in_an_answer_that_still_streams(attack: str) -> None:
    engine = SupervisedScript(ScriptedConfig(pieces=("before ", attack, " after"), hold=True))
    async with driven(engine, start_with=SCRIPTED_MODEL_ID, size=HUGE) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.send("hi")
        await user.until(lambda: user.shows("before") and user.shows("after"))

        assert_harmless(user.lines(), attack)
        await user.stop()


async def test_in_a_pasted_question() -> None:
    attack = "\x9b31m\x07\u202e"  # no escape: Textual's reader lets none into a paste
    async with driven(start_with=SCRIPTED_MODEL_ID, size=HUGE) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        user.app.post_message(events.Paste(f"before{attack}after"))
        await user.until(lambda: user.shows("before"))

        assert_harmless(user.lines(), attack)


async def test_a_name_that_looks_like_an_action_does_not_act_when_it_is_clicked() -> None:
    attack = LINK
    engine = engine_with(attack)
    engine.gate = asyncio.Event()
    async with driven(engine, size=HUGE) as user:
        await user.up()
        user.catalog.table.move_cursor_to(hostile_id(attack))
        user.catalog.action_detail()
        await user.until(lambda: isinstance(user.app.screen, DetailScreen) and user.shows(attack))
        row = next(y for y, line in enumerate(user.lines()) if attack in line)
        column = user.lines()[row].index(attack) + len(attack) - 4

        await user.pilot.click(offset=(column, row))

        assert user.app.return_code is None


def assert_painted_well(user: Driven) -> None:
    """Nothing harmful is on the screen, and every row of it is as wide as the screen."""
    rows = user.lines()
    assert harm_in("".join(rows)) == set()
    assert {cell_len(row) for row in rows} == {user.app.size.width}


def named(payload: Payload, number: int) -> ModelVariant:
    evil = f"m{number} {payload.text}"
    return ModelVariant(
        id=f"{evil}:1",
        alias=evil,
        catalog=CatalogKind.PUBLIC,
        publisher=evil,
        license=evil,
        is_cached=True,
        is_loaded=False,
        path=evil,
    )


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_of_all_hostile_text_in_an_answer_only_pictures_are_shown(size: tuple[int, int]) -> None:
    text = "\n\n".join(payload.text for payload in CORPUS)
    engine = SupervisedScript(ScriptedConfig(pieces=tuple(odd_pieces(text))))
    async with driven(engine, start_with=SCRIPTED_MODEL_ID, size=size) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.ask("hi")
        rows = user.transcript.split("\n")

        assert_painted_well(user)
        assert harm_in("".join(rows)) == set()
        width = user.chat.transcript.scrollable_content_region.width
        assert [row for row in rows if cell_len(row) > width] == []
        # A row is also no longer than its cells allow: what takes none cannot fill it up without end.
        assert [row for row in rows if len(row) > 10 * width] == []
        # What is kept is what came.
        assert user.chat.messages[-1].text == text


async def test_in_a_catalog_full_of_hostile_names() -> None:
    engine = SupervisedScript(models=[named(payload, n) for n, payload in enumerate(SOME)])
    async with driven(engine, size=HUGE) as user:
        await user.up()
        user.catalog.table.focus()
        user.catalog.table.action_move_first()

        for _ in range(0, len(SOME), 20):
            await user.pilot.press("pagedown")
            assert_painted_well(user)


async def test_in_the_command_palette() -> None:
    engine = SupervisedScript(models=[named(payload, n) for n, payload in enumerate(SOME)])
    async with driven(engine, size=HUGE) as user:
        await user.up()
        await user.pilot.press("ctrl+p")
        await user.until(lambda: user.shows("Search for commands"))

        await user.pilot.press(*"talk to m")
        await user.until(lambda: user.shows("Talk to m"))
        for _ in range(len(SOME)):
            await user.pilot.press("down")
            assert_painted_well(user)

        assert user.app.return_code is None


@attacked
async def test_in_the_command_palette_a_name_is_read_as_it_is(attack: str) -> None:
    async with driven(engine_with(attack), size=HUGE) as user:
        await user.up()
        await user.pilot.press("ctrl+p")
        await user.until(lambda: user.shows("Search for commands"))

        await user.pilot.press(*"talk to m")
        await user.until(lambda: user.shows("Talk to m"))

        assert_harmless(user.lines(), attack)


@attacked
async def test_in_the_list_of_conversations(attack: str) -> None:
    store = MemoryStore()
    turn = Turn(id="t", parent_id=None, role=Role.USER, text=f"said {attack}", at_unix_ms=0, model_id=attack)
    await store.create(
        Conversation(
            id="c",
            title=f"title {attack}",
            created_unix_ms=0,
            updated_unix_ms=0,
            tags=("tag",),
            turns=(turn,),
            head_id="t",
        )
    )
    async with driven(store=store, size=HUGE) as user:
        await user.up()

        await user.pilot.press("ctrl+l")
        await user.until(lambda: user.shows("title"))
        assert_harmless(user.lines(), attack)

        await user.pilot.press("enter")
        await user.until(lambda: user.shows("said"))
        assert_harmless(user.lines(), attack)


@attacked
async def test_in_a_saved_prompt_and_its_gaps(attack: str) -> None:
    store = MemoryStore()
    await store.save_prompt(SavedPrompt(id="p", name=f"name {attack}", text=f"text {attack} {{{{gap}}}}"))
    async with driven(store=store, start_with=SCRIPTED_MODEL_ID, size=HUGE) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.pilot.press("ctrl+t")
        await user.until(lambda: user.shows("name"))
        assert_harmless(user.lines(), attack)

        await user.pilot.press("enter")
        await user.until(lambda: user.shows("gap") and user.shows("As it stands"))
        assert_harmless(user.lines(), attack)


async def test_in_a_question_pasted_with_every_control() -> None:
    # Not so long that it goes along as a file.
    text = "".join(payload.text for payload in [*[*controls()][::2], *bidirectional()])[:400]
    async with driven(start_with=SCRIPTED_MODEL_ID, size=WIDE) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        user.app.post_message(events.Paste(f"before {text} after"))
        await user.until(lambda: user.shows("after"))

        assert_painted_well(user)
        assert harm_in(user.prompt.text.replace("\n", "").replace("\t", "")) == set()


@pytest.mark.parametrize("payload", tuple(long_lines()), ids=lambda payload: payload.name)
async def test_a_line_of_a_megabyte_is_shown_while_the_app_goes_on(payload: Payload) -> None:
    pieces = tuple(payload.text[n : n + 4_096] for n in range(0, len(payload.text), 4_096))
    async with driven(
        SupervisedScript(ScriptedConfig(pieces=pieces)), start_with=SCRIPTED_MODEL_ID, size=NARROW
    ) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        began_s = time.process_time()

        await user.ask("hi")
        user.prompt.text = ""
        await user.pilot.press("x")

        # Seconds, where the whole of it drawn in one go, or again for each piece, takes minutes.
        assert time.process_time() - began_s < 5
        assert user.prompt.text == "x"
        assert_painted_well(user)

"""Palette, jump mode, contextual help, other keys, themes and the remembered layout."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from textual.app import SystemCommand
from textual.widget import Widget

from foundry_tui.domain.conversations import SavedPrompt
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.launching import default_data_dir
from foundry_tui.tui.actions import every_action
from foundry_tui.tui.screens.conversations import ConversationsScreen
from foundry_tui.tui.screens.help import HelpScreen
from foundry_tui.tui.screens.jump import JumpScreen
from foundry_tui.tui.screens.log import LogScreen
from foundry_tui.tui.screens.paths import PathScreen
from foundry_tui.tui.screens.prompts import PromptsScreen
from foundry_tui.tui.screens.settings import SettingsScreen
from tests.support.memory_store import MemoryStore
from tests.support.services import SETUP
from tests.tui.harness import MEDIUM, NARROW, WIDE, Driven, driven


def offers(user: Driven) -> list[SystemCommand]:
    return list(user.app.get_system_commands(user.app.screen))


def commands(user: Driven) -> dict[str, str]:
    return {command.title: command.help for command in offers(user)}


@pytest.mark.parametrize(
    ("key", "screen"),
    [
        ("f1", HelpScreen),
        ("f2", SettingsScreen),
        ("f4", LogScreen),
        ("f5", PathScreen),
        ("ctrl+g", JumpScreen),
        ("ctrl+l", ConversationsScreen),
        ("ctrl+t", PromptsScreen),
    ],
)
@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_a_key_opens_and_escape_closes_from_within_the_prompt(
    key: str, screen: type[Widget], size: tuple[int, int]
) -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID, size=size) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        user.prompt.text = "draft"

        await user.pilot.press(key)
        await user.until(lambda: isinstance(user.app.screen, screen))
        await user.pilot.press("escape")
        await user.until(lambda: user.app.screen is user.workspace)

        assert user.prompt.text == "draft"
        assert user.prompt.has_focus


async def test_every_action_is_in_the_palette_with_its_keys() -> None:
    async with driven() as user:
        await user.up()

        offered = commands(user)
        overlays = tuple(
            f"{name}."
            for name in (
                "beside",
                "bench",
                "choose",
                "plan",
                "request",
                "requests",
                "runs",
                "options",
                "columns",
                "compare",
                "connect",
                "conversations",
                "downloads",
                "endpoints",
                "gaps",
                "history",
                "load",
                "log",
                "offer",
                "path",
                "prompts",
                "providers",
                "replay",
                "resources",
                "scoring",
                "settings",
                "validation",
                "table",
                "tags",
            )
        )

        for action in every_action():
            if not action.id.startswith(overlays):
                assert any(title.endswith(f": {action.label}") for title in offered), action
        assert offered["Chat: New"] == "Ctrl+N"
        assert offered["Catalog: Filter"] == "/"


async def test_an_action_from_the_palette_happens_at_its_place() -> None:
    async with driven() as user:
        await user.up()
        filter_it = next(command for command in offers(user) if command.title == "Catalog: Filter")

        await filter_it.callback()
        await user.pilot.pause()  # the focus moves with the next message

        assert user.workspace.query_one("#catalog-filter").has_focus


async def test_the_palette_makes_a_model_the_active_one() -> None:
    async with driven() as user:
        await user.up()
        talk = next(command for command in offers(user) if command.title == f"Talk to {MEDIUM}")

        talk.callback()
        await user.until(lambda: user.workspace.active_model == MEDIUM)


def test_no_two_actions_share_an_id_and_every_one_has_a_label() -> None:
    actions = [(action.id, action.label, action.place) for action in every_action()]

    for action_id, label, place in actions:
        owners = {other for name, other_label, other in actions if name == action_id and other_label != label}
        assert not owners, (action_id, place, owners)
        assert label.strip()


async def test_a_letter_leads_to_its_place() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.pilot.press("ctrl+g")
        await user.until(lambda: isinstance(user.app.screen, JumpScreen))

        await user.pilot.press("s")
        await user.until(lambda: user.catalog.table.has_focus)

        assert user.app.screen is user.workspace


async def test_a_key_without_a_place_leaves_jump_mode_and_does_nothing() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.pilot.press("ctrl+g")
        await user.until(lambda: isinstance(user.app.screen, JumpScreen))

        await user.pilot.press("7")
        await user.until(lambda: user.app.screen is user.workspace)

        assert user.prompt.has_focus
        assert user.prompt.text == ""


async def test_letters_leave_when_the_places_under_them_move() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.pilot.press("ctrl+g")
        await user.until(lambda: isinstance(user.app.screen, JumpScreen))

        await user.pilot.resize_terminal(100, 30)
        await user.until(lambda: user.app.screen is user.workspace)

        assert user.prompt.has_focus


async def test_help_begins_with_the_place_one_is_at() -> None:
    async with driven() as user:
        await user.up()

        sections = user.workspace.help_sections({})

        assert sections[0].title == "Catalog (here)"
        assert sections[-1].title == "This engine"
        assert {"Transcript", "Prompt", "Everywhere"} < {section.title for section in sections}


async def test_another_key_from_the_settings_does_what_the_old_one_did_and_help_says_so() -> None:
    setup = replace(SETUP, keys=(("app.log", "f9"), ("chat.new", "")))
    async with driven(start_with=SCRIPTED_MODEL_ID, setup=setup) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.ask("Hi")

        await user.pilot.press("f4", "ctrl+n")
        stayed = user.app.screen is user.workspace and "Hi" in user.conversation
        await user.pilot.press("f9")
        await user.until(lambda: isinstance(user.app.screen, LogScreen))

        assert stayed
        assert commands(user)["Workspace: Log"] == "F9"


async def test_another_key_to_send_leaves_enter_for_a_new_line() -> None:
    setup = replace(SETUP, keys=(("prompt.send", "ctrl+s"),))
    async with driven(start_with=SCRIPTED_MODEL_ID, setup=setup) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        user.prompt.put("one")

        await user.pilot.press("enter")
        broken = user.prompt.text
        await user.pilot.press("ctrl+s")
        await user.until(lambda: bool(user.engine.seen) and not user.chat.is_generating)

        assert broken == "one\n"
        assert user.engine.seen[0].messages[0].text == "one\n"


async def test_a_key_for_an_action_that_does_not_exist_is_told() -> None:
    setup = replace(SETUP, keys=(("chat.fly", "f9"),))
    async with driven(setup=setup) as user:
        await user.until(lambda: "chat.fly" in user.words_told)


@pytest.mark.parametrize(
    "theme",
    [
        "foundry-dark",
        "foundry-light",
        "foundry-high-contrast",
        "foundry-colour-blind",
        "ansi-dark",
        "ansi-light",
    ],
)
async def test_a_theme_from_the_settings_is_shown(theme: str) -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID, setup=replace(SETUP, theme=theme)) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.ask("Hi")

        assert user.app.theme == theme
        assert not user.told


async def test_a_theme_that_does_not_exist_is_told_and_the_default_taken() -> None:
    async with driven(setup=replace(SETUP, theme="nonsense")) as user:
        await user.until(lambda: "nonsense" in user.words_told)

        assert user.app.theme == "foundry-dark"


async def test_a_theme_that_was_picked_is_written_to_the_settings() -> None:
    async with driven() as user:
        await user.up()
        written = await user.services.settings.target()

        user.app.theme = "foundry-light"
        await user.until(written.exists)

        assert 'theme = "foundry-light"' in written.read_text()


def remembered() -> dict[str, object]:
    path = Path(default_data_dir()) / "screen.json"
    read: dict[str, object] = json.loads(path.read_text()) if path.exists() else {}
    return read


async def test_the_layout_is_remembered_and_comes_back() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        user.catalog.table.focus()
        await user.pilot.press("s", "f6", "ctrl+right")
        await user.until(lambda: remembered().get("left_percent") == 50)
        await user.until(lambda: user.workspace.query_one("#left").size.width == WIDE[0] // 2)

    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.until(lambda: not user.chat.ribbon.display)
        await user.until(lambda: user.workspace.query_one("#left").size.width == WIDE[0] // 2)

        assert user.catalog.view.sort is not None


async def test_a_width_that_was_chosen_does_not_narrow_the_only_pane() -> None:
    async with driven(size=NARROW) as user:
        await user.up()
        await user.pilot.press("ctrl+left", "ctrl+left")
        await user.until(lambda: remembered().get("left_percent") == 38)

        assert user.workspace.query_one("#left").size.width == NARROW[0]


async def test_a_saved_prompt_is_put_into_the_field() -> None:
    store = MemoryStore()
    await store.save_prompt(SavedPrompt(id="p", name="Cow", text="What does the cow say?"))
    async with driven(start_with=SCRIPTED_MODEL_ID, store=store) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.pilot.press("ctrl+t")
        await user.until(lambda: user.shows("Cow"))
        await user.pilot.press("enter")
        await user.until(lambda: user.prompt.text == "What does the cow say?")

        assert user.prompt.has_focus


async def test_ctrl_f_searches_the_conversation_and_escape_leaves_it() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.ask("capital one")
        await user.ask("capital two")

        await user.pilot.press("ctrl+f", *"capital")
        await user.until(lambda: user.shows("2 matches"))
        await user.pilot.press("enter")
        await user.until(lambda: user.shows("1 of 2") or user.shows("2 of 2"))
        first = user.chat.transcript.search_state.current
        await user.pilot.press("enter")
        await user.until(lambda: user.chat.transcript.search_state.current != first)
        await user.pilot.press("escape")
        await user.until(lambda: user.chat.transcript.has_focus)

        assert not user.shows("of 2")

"""What opens over the workspace: keys and chat options."""

import pytest
from textual.widgets import Input, TextArea

from foundry_tui.domain.chat import ChatOptions, Role
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.tui.screens.help import HelpScreen
from foundry_tui.tui.screens.overlay import ChatOptionsScreen
from tests.tui.harness import HUGE, NARROW, WIDE, Driven, driven


async def open_options(user: Driven) -> None:
    await user.talking_to(SCRIPTED_MODEL_ID)
    await user.pilot.press("ctrl+o")
    await user.until(lambda: isinstance(user.app.screen, ChatOptionsScreen))
    await user.until(lambda: user.app.screen.query_one("#system-prompt").has_focus)


def fill(user: Driven, **fields: str) -> None:
    for name, text in fields.items():
        user.app.screen.query_one(f"#{name.replace('_', '-')}", Input).value = text


@pytest.mark.parametrize("size", [NARROW, WIDE, HUGE])
async def test_f1_shows_the_keys_from_within_the_prompt_and_escape_closes_them(size: tuple[int, int]) -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID, size=size) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.pilot.press("f1")
        await user.until(lambda: user.shows("Prompt (here)"))
        await user.pilot.press("escape")
        await user.until(lambda: user.app.screen is user.workspace)

        assert user.prompt.has_focus
        assert user.prompt.text == ""


async def test_the_question_mark_shows_the_keys_outside_a_text_field() -> None:
    async with driven() as user:
        await user.up()

        await user.pilot.press("question_mark")

        await user.until(lambda: isinstance(user.app.screen, HelpScreen))


async def test_f1_again_opens_no_second_list_of_keys() -> None:
    async with driven() as user:
        await user.up()

        await user.pilot.press("f1", "f1", "escape")

        await user.until(lambda: user.app.screen is user.workspace)


async def test_good_options_reach_the_next_request() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await open_options(user)
        await user.pilot.press("B", "e")
        fill(user, temperature="0.3", max_tokens="77", seed="-5")

        await user.pilot.press("ctrl+s")
        await user.until(lambda: user.app.screen is user.workspace)
        await user.ask("hi")

        request = user.engine.seen[-1]
        assert (request.temperature, request.max_tokens, request.seed) == (0.3, 77, -5)
        assert [(message.role, message.text) for message in request.messages] == [
            (Role.SYSTEM, "Be"),
            (Role.USER, "hi"),
        ]


async def test_emptied_options_leave_it_to_the_engine() -> None:
    options = ChatOptions(system_prompt="Be brief.", temperature=0.3, seed=5, max_tokens=77)
    async with driven(start_with=SCRIPTED_MODEL_ID, chat=options) as user:
        await open_options(user)
        fill(user, temperature="", max_tokens="", seed=" ")
        user.app.screen.query_one(TextArea).text = " "

        await user.pilot.press("ctrl+s")
        await user.until(lambda: user.app.screen is user.workspace)

        assert user.chat.options == ChatOptions(max_tokens=77)


@pytest.mark.parametrize("seed", ["7", "seven"])
async def test_the_buttons_of_the_options_are_in_sight_on_the_smallest_screen_also_below_a_problem(
    seed: str,
) -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID, size=NARROW) as user:
        await open_options(user)
        fill(user, seed=seed, temperature="hot")
        await user.pilot.press("ctrl+s")
        await user.until(lambda: user.shows("please"))

        assert user.shows("System prompt")
        assert user.shows("Save             Cancel")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("temperature", "warm"),
        ("temperature", "2.1"),
        ("temperature", "-0.1"),
        ("temperature", "nan"),
        ("max_tokens", "0"),
        ("max_tokens", "many"),
        ("seed", "1.5"),
    ],
)
async def test_a_bad_value_is_named_and_nothing_changes(field: str, text: str) -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await open_options(user)
        fill(user, **{field: text})

        await user.pilot.press("ctrl+s")
        name = field.replace("_", "-")
        await user.until(lambda: user.shows(f"{name}:") or user.shows(f"{name.replace('-', ' ')}:"))

        assert isinstance(user.app.screen, ChatOptionsScreen)
        assert user.chat.options == ChatOptions()


async def test_escape_leaves_the_options_as_they_were() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await open_options(user)
        fill(user, temperature="0.3")

        await user.pilot.press("escape")
        await user.until(lambda: user.app.screen is user.workspace)

        assert user.chat.options == ChatOptions()
        assert user.prompt.has_focus


async def test_enter_in_a_field_saves() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await open_options(user)
        user.app.screen.query_one("#seed").focus()

        await user.pilot.press("7", "enter")
        await user.until(lambda: user.app.screen is user.workspace)

        assert user.chat.options == ChatOptions(seed=7)


async def test_the_fields_hold_the_numbers_in_full() -> None:
    options = ChatOptions(temperature=0.1234567, seed=123456789)
    async with driven(start_with=SCRIPTED_MODEL_ID, chat=options) as user:
        await open_options(user)

        assert user.app.screen.query_one("#seed", Input).value == "123456789"
        assert user.app.screen.query_one("#temperature", Input).value == "0.1234567"


async def test_the_fields_are_all_in_reach_on_a_small_screen() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID, size=NARROW) as user:
        await open_options(user)

        for name in ("temperature", "max-tokens", "seed", "save"):
            await user.pilot.press("tab")
            await user.pilot.pause()  # the box scrolls to the field after it has the focus
            field = user.app.focused
            assert field is not None
            assert field.id == name
            assert field.region.bottom <= NARROW[1]

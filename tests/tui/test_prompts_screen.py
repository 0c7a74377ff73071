"""The prompt library: chosen, filled in, written, deleted."""

import pytest
from textual import events
from textual.widgets import Button, Input, Static, TextArea

from foundry_tui.domain.conversations import SavedPrompt
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.tui.placeholders import fill, placeholders
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.screens.prompt_form import GapsScreen, PromptForm
from foundry_tui.tui.screens.prompts import PromptsScreen
from tests.support.memory_store import MemoryStore
from tests.tui.overlay_host import NARROW, WIDE, Opened, opened

FULL = StorageProblem("the database cannot be written: disk full", remedy="free some space")
EVIL = "\x1b]0;owned\x07[b]x[/b] \u202e"
Listed = Opened[SavedPrompt]


async def library(*prompts: SavedPrompt) -> MemoryStore:
    store = MemoryStore()
    for prompt in prompts:
        await store.save_prompt(prompt)
    return store


def saved(name: str, text: str, *tags: str) -> SavedPrompt:
    return SavedPrompt(id=name, name=name, text=text, tags=tags)


async def three() -> MemoryStore:
    return await library(
        saved("Bread", "How is bread made?", "food"),
        saved("Greeting", "Greet {{name}} in {{ language }}, and {{name}} again.", "letters"),
        saved("Hens", "Two hens\nlay eggs.", "farm"),
    )


def names(user: Listed) -> list[str]:
    assert isinstance(user.screen, PromptsScreen)
    return [row.cells[0] for row in user.screen.table.rows]


async def listed(user: Listed, count: int) -> None:
    await user.until(lambda: len(names(user)) == count)


async def over(user: Listed, kind: type[object]) -> None:
    await user.until(lambda: isinstance(user.app.screen, kind))
    await user.pilot.pause()  # what opened has its focus


async def back(user: Listed) -> None:
    await user.until(lambda: user.app.screen is user.screen)
    await user.app.workers.wait_for_complete()


def fill_form(user: Listed, *, name: str | None = None, text: str | None = None) -> None:
    if name is not None:
        user.app.screen.query_one("#prompt-name", Input).value = name
    if text is not None:
        user.app.screen.query_one("#prompt-text", TextArea).text = text


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_the_list_has_names_and_tags_and_the_text_of_the_one_under_the_cursor(
    size: tuple[int, int],
) -> None:
    async with opened(PromptsScreen(await three(), ""), size=size) as user:
        await listed(user, 3)

        await user.pilot.press("end")
        await user.until(lambda: user.shows("lay eggs."))

        assert names(user) == ["Bread", "Greeting", "Hens"]
        assert user.shows("#farm")
        assert user.shows("3 prompts")


async def test_enter_closes_with_the_prompt_and_remembers_that_it_was_used() -> None:
    store = await three()
    async with opened(PromptsScreen(store, "")) as user:
        await listed(user, 3)

        await user.pilot.press("end", "enter")
        chosen = await user.result()

        assert chosen is not None
        assert chosen.text == "Two hens\nlay eggs."
        assert [prompt.name for prompt in await store.prompts()] == ["Hens", "Bread", "Greeting"]


async def test_a_prompt_is_used_even_if_that_cannot_be_written_down() -> None:
    store = await three()
    async with opened(PromptsScreen(store, "")) as user:
        await listed(user, 3)
        store.fail_with = FULL

        await user.pilot.press("enter")

        assert await user.result() is not None
        assert "disk full" in user.told[0]


@pytest.mark.parametrize(
    ("words", "found"),
    [("bread", ["Bread"]), ("#farm", ["Hens"]), ("LAY two", ["Hens"]), ("hens bread", [])],
)
async def test_the_filter_looks_at_name_tags_and_text(words: str, found: list[str]) -> None:
    async with opened(PromptsScreen(await three(), ""), size=NARROW) as user:
        await listed(user, 3)

        user.screen.query_one("#prompts-filter", Input).value = words
        await listed(user, len(found))

        assert names(user) == found
        assert user.shows(f"{len(found)} of 3 prompts")


async def test_gaps_are_asked_for_one_by_one_and_filled_everywhere() -> None:
    async with opened(PromptsScreen(await three(), ""), size=NARROW) as user:
        await listed(user, 3)
        await user.pilot.press("down", "enter")
        await over(user, GapsScreen)
        assert user.shows("name")
        assert user.shows("language")

        await user.pilot.press(*"Ada", "enter", *"{{name}}", "enter")
        chosen = await user.result()

        assert chosen is not None
        assert chosen.text == "Greet Ada in {{name}}, and Ada again."


async def test_what_is_pasted_into_a_gap_keeps_its_lines() -> None:
    store = await library(saved("Sum up", "{{text}}"))
    async with opened(PromptsScreen(store, "")) as user:
        await listed(user, 1)
        await user.pilot.press("enter")
        await over(user, GapsScreen)
        field = user.app.screen.query_one(TextArea)
        field.post_message(events.Paste("a\nb\x1b"))
        await user.until(lambda: field.text != "")

        await user.pilot.press("ctrl+j", "c", "enter")
        chosen = await user.result()

        assert chosen is not None
        assert chosen.text == "a\nb␛\nc"


async def test_braces_that_were_meant_can_stay() -> None:
    async with opened(PromptsScreen(await three(), "")) as user:
        await listed(user, 3)
        await user.pilot.press("down", "enter")
        await over(user, GapsScreen)

        await user.pilot.press("ctrl+t")
        chosen = await user.result()

        assert chosen is not None
        assert chosen.text == "Greet {{name}} in {{ language }}, and {{name}} again."


async def test_a_prompt_of_which_nothing_is_left_is_not_used() -> None:
    async with opened(PromptsScreen(await library(saved("All", "{{text}}")), "")) as user:
        await listed(user, 1)
        await user.pilot.press("enter")
        await over(user, GapsScreen)

        await user.pilot.press("enter")
        await back(user)

        assert user.told == ["Nothing is left of it without a value"]
        assert user.results == []


async def test_leaving_the_gaps_goes_back_to_the_list() -> None:
    async with opened(PromptsScreen(await three(), "")) as user:
        await listed(user, 3)
        await user.pilot.press("down", "enter")
        await over(user, GapsScreen)

        await user.pilot.press("escape")
        await back(user)

        assert user.results == []


async def test_a_new_prompt_is_written_with_name_tags_and_lines() -> None:
    store = await three()
    async with opened(PromptsScreen(store, ""), size=NARROW) as user:
        await listed(user, 3)
        await user.pilot.press("n")
        await over(user, PromptForm)

        await user.pilot.press(*"New one", "enter", *"fa", "tab", "enter", *"a", "enter", "b", "ctrl+s")
        await back(user)

        new = next(prompt for prompt in await store.prompts() if prompt.name == "New one")
        assert (new.text, new.tags) == ("a\nb", ("farm",))
        assert isinstance(user.screen, PromptsScreen)
        assert user.screen.table.cursor_key == new.id


async def test_what_stands_in_the_field_can_be_saved() -> None:
    store = await three()
    async with opened(PromptsScreen(store, "my draft\nof two lines")) as user:
        await listed(user, 3)
        await user.pilot.press("s")
        await over(user, PromptForm)

        await user.pilot.press(*"Draft", "ctrl+s")
        await back(user)

        assert next(p.text for p in await store.prompts() if p.name == "Draft") == "my draft\nof two lines"


async def test_an_empty_field_has_nothing_to_save() -> None:
    async with opened(PromptsScreen(await three(), " \n")) as user:
        await listed(user, 3)

        await user.pilot.press("s")
        await user.until(lambda: bool(user.told))

        assert user.told == ["The prompt field is empty: n writes a new prompt"]


async def test_a_prompt_is_changed_and_what_was_not_touched_stays_exactly() -> None:
    store = await library(saved("Evil", f"keep {EVIL}", EVIL))
    async with opened(PromptsScreen(store, "")) as user:
        await listed(user, 1)
        await user.pilot.press("e")
        await over(user, PromptForm)

        fill_form(user, name="Good")
        await user.pilot.press("ctrl+s")
        await back(user)

        (prompt,) = await store.prompts()
        assert (prompt.id, prompt.name, prompt.text) == ("Evil", "Good", f"keep {EVIL}")


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("", "text", "give it a name"),
        ("name", " \n", "write a text"),
        ("bread", "text", "a saved prompt has that name already"),
    ],
)
async def test_what_cannot_be_saved_is_told_and_stays_in_the_form(name: str, text: str, problem: str) -> None:
    store = await three()
    async with opened(PromptsScreen(store, "")) as user:
        await listed(user, 3)
        await user.pilot.press("n")
        await over(user, PromptForm)
        fill_form(user, name=name, text=text)

        await user.pilot.press("ctrl+s")
        await user.until(lambda: user.shows(problem))

        assert user.app.screen.query_one("#prompt-text", TextArea).text == text
        assert len(await store.prompts()) == 3


async def test_a_full_disk_is_told_in_the_form_with_its_remedy_and_nothing_is_lost() -> None:
    store = await three()
    async with opened(PromptsScreen(store, "")) as user:
        await listed(user, 3)
        await user.pilot.press("n")
        await over(user, PromptForm)
        fill_form(user, name="New", text="text")

        store.fail_with = FULL
        await user.pilot.press("ctrl+s")
        await user.until(lambda: user.shows("→ free some space"))
        store.fail_with = None
        await user.pilot.press("ctrl+s")
        await back(user)

        assert "New" in names(user)


async def test_what_was_written_and_left_unsaved_comes_back_with_the_same_key() -> None:
    async with opened(PromptsScreen(await three(), "")) as user:
        await listed(user, 3)
        await user.pilot.press("n")
        await over(user, PromptForm)
        fill_form(user, text="a long text")
        await user.pilot.press("escape")
        await back(user)
        assert user.told == ["It was not saved; n brings back what you wrote, as long as this list is open"]

        await user.pilot.press("n")
        await over(user, PromptForm)

        assert user.app.screen.query_one("#prompt-text", TextArea).text == "a long text"


async def test_leaving_a_form_in_which_nothing_was_written_says_nothing() -> None:
    async with opened(PromptsScreen(await three(), "")) as user:
        await listed(user, 3)
        await user.pilot.press("e")
        await over(user, PromptForm)

        await user.pilot.press("escape")
        await back(user)

        assert user.told == []


async def test_deleting_asks_by_name_first() -> None:
    store = await three()
    async with opened(PromptsScreen(store, "")) as user:
        await listed(user, 3)
        await user.pilot.press("d")
        await over(user, ConfirmScreen)
        assert user.shows("“Bread”")
        assert len(await store.prompts()) == 3

        user.app.screen.query_one("#yes", Button).press()
        await back(user)

        assert names(user) == ["Greeting", "Hens"]
        assert [prompt.name for prompt in await store.prompts()] == ["Greeting", "Hens"]


async def test_an_empty_library_says_how_it_fills() -> None:
    async with opened(PromptsScreen(MemoryStore(), ""), size=NARROW) as user:
        await user.until(lambda: user.shows("No prompt is saved yet."))

        await user.pilot.press("enter", "e", "d")  # on nothing

        assert user.app.screen is user.screen


async def test_a_library_that_cannot_be_read_is_told_and_can_be_tried_again() -> None:
    store = await three()
    store.fail_with = FULL
    async with opened(PromptsScreen(store, ""), size=NARROW) as user:
        await user.until(lambda: user.shows("→ free some space"))

        store.fail_with = None
        await user.pilot.press("r")

        await listed(user, 3)


async def test_a_hostile_prompt_is_shown_and_does_nothing() -> None:
    store = await library(saved(f"n{EVIL}", f"{EVIL} {{{{gap}}}}", EVIL))
    async with opened(PromptsScreen(store, "")) as user:
        await listed(user, 1)
        screens = list(user.lines())
        for key in ("e", "escape", "d", "escape", "enter", "escape"):
            await user.pilot.press(key)
            await user.pilot.pause()  # what opened is painted
            screens += user.lines()

        assert any("␛]0;owned␇[b]x[/b]" in line for line in screens)
        assert not any(character < " " or character in "\x7f\u202e" for line in screens for character in line)
        assert str(user.screen.query_one("#prompts-text", Static).content).startswith("␛]0;owned␇[b]x[/b] ")


def test_gaps_are_named_once_in_their_order_and_nothing_else_is_a_gap() -> None:
    text = "{{a}} {{ b c }} {{a}} {{}} {{ }} {x} {{a.b}} {{-}} {{{d}}} {{\nname}} {{ünd}}"

    assert placeholders(text) == ("a", "b c", "d", "ünd")


def test_a_gap_in_a_value_is_text_and_one_without_a_value_stays() -> None:
    assert fill("{{a}}-{{ b }}-{{c}}", {"a": "{{b}}", "b": "\\1"}) == "{{b}}-\\1-{{c}}"


@pytest.mark.timeout(10)
def test_a_hostile_template_is_read_in_good_time() -> None:
    assert placeholders("{{" * 200_000 + "a " * 200_000) == ()

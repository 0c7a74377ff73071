"""Tags, titles and removals from the list of conversations."""

import pytest
from textual.widgets import Button, Input

from foundry_tui.tui.screens.conversations import ConversationsScreen
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.screens.tagging import LineScreen, TagsScreen
from tests.tui.conversation_lists import FULL, back, farm, listed, over, titles
from tests.tui.overlay_host import NARROW, opened


async def test_tags_are_edited_with_those_that_are_known_at_hand() -> None:
    store = farm()
    async with opened(ConversationsScreen(store)) as user:
        await listed(user, 3)
        await user.pilot.press("down", "t")
        await over(user, TagsScreen)
        assert user.shows("farm (1)   hens (1)")

        await user.pilot.press("f", "tab", *"new", "enter")
        await back(user)

        assert store.kept["c2"].tags == ("farm", "food", "new")
        assert user.shows("#farm #food #new")
        assert ConversationsScreen.Retagged("c2", ("farm", "food", "new")) in user.posted


@pytest.mark.parametrize(
    ("tags", "typed", "result"),
    [
        ((), ("f", "tab"), ("farm",)),
        (("farm",), ("f", "tab"), ("farm", "food")),
        ((), (*"new ", "f", "tab"), ("farm", "new")),
        ((), (*"#FO", "tab"), ("food",)),
        ((), ("t", "tab", *"x"), ("two words", "x")),
        (("two words",), (), ("two words",)),
        (("odd\x1b",), (*"b",), ("b", "odd\x1b")),
        ((), ("z", "tab"), ("z",)),
    ],
)
async def test_tags_are_completed_and_kept_as_they_are_known(
    tags: tuple[str, ...], typed: tuple[str, ...], result: tuple[str, ...]
) -> None:
    known = (("farm", 3), ("food", 2), ("two words", 1))
    async with opened(TagsScreen("Bread", tags, known)) as user:
        await user.pilot.press(*typed, "enter")

        assert await user.result() == result


async def test_a_title_is_changed_in_place() -> None:
    store = farm()
    async with opened(ConversationsScreen(store)) as user:
        await listed(user, 3)
        await user.pilot.press("down", "m")
        await over(user, LineScreen)
        assert user.app.screen.query_one(Input).value == "Bread"

        user.app.screen.query_one(Input).value = "Bread and butter"
        await user.pilot.press("enter")
        await back(user)

        assert store.kept["c2"].title == "Bread and butter"
        assert titles(user) == ["untitled", "Bread and butter", "Two hens"]
        assert ConversationsScreen.Renamed("c2", "Bread and butter") in user.posted


async def test_deleting_asks_by_name_and_the_harmless_answer_is_the_first() -> None:
    store = farm()
    async with opened(ConversationsScreen(store), size=NARROW) as user:
        await listed(user, 3)
        await user.pilot.press("down", "d")
        await over(user, ConfirmScreen)
        assert user.shows("Delete this conversation with its 3 turns?")
        assert user.shows(" “Bread” ")

        await user.pilot.press("enter")
        await back(user)

        assert "c2" in store.kept


async def test_a_deleted_conversation_leaves_the_list_and_the_chat_is_told() -> None:
    store = farm()
    async with opened(ConversationsScreen(store)) as user:
        await listed(user, 3)
        await user.pilot.press("down", "delete")
        await over(user, ConfirmScreen)

        user.app.screen.query_one("#yes", Button).press()
        await back(user)

        assert "c2" not in store.kept
        assert titles(user) == ["untitled", "Two hens"]
        assert user.shows("2 conversations")
        assert ConversationsScreen.Deleted("c2") in user.posted


async def test_the_one_in_which_an_answer_is_being_made_is_not_deleted() -> None:
    store = farm()
    async with opened(ConversationsScreen(store, open_id="c3", is_answering=True)) as user:
        await listed(user, 3)
        assert user.shows("● untitled")

        await user.pilot.press("d")
        await user.until(lambda: bool(user.told))

        assert user.told == ["An answer is being made in it: stop it first"]
        assert "c3" in store.kept


async def test_a_change_that_cannot_be_written_is_told_and_nothing_seems_changed() -> None:
    store = farm()
    async with opened(ConversationsScreen(store)) as user:
        await listed(user, 3)
        await user.pilot.press("down", "m")
        await over(user, LineScreen)

        store.fail_with = FULL
        await user.pilot.press("x", "enter")
        await user.until(lambda: bool(user.told))

        assert "disk I/O error" in user.told[0]
        assert titles(user)[1] == "Bread"

"""The list of conversations: what it shows, how it is read page by page, and how it is left."""

import asyncio
from dataclasses import replace

import pytest
from textual.widgets import Input

from foundry_tui.aio import Feed
from foundry_tui.domain.conversations import ConversationSummary
from foundry_tui.reports.conversation_json import conversation_json, parse_conversation_json
from foundry_tui.tui.screens.conversation_pages import ConversationPages, Query
from foundry_tui.tui.screens.conversations import ConversationChosen, ConversationsScreen
from tests.tui.conversation_lists import FULL, WatchedStore, farm, kept, listed, text_of, titles
from tests.tui.overlay_host import NARROW, WIDE, opened

EVIL = "\x1b]0;owned\x07[b]x[/b] \u202e"


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_the_newest_stands_first_with_title_turns_and_tags(size: tuple[int, int]) -> None:
    async with opened(ConversationsScreen(farm()), size=size) as user:
        await listed(user, 3)
        await user.until(lambda: user.shows("3 conversations"))

        assert titles(user) == ["untitled", "Bread", "Two hens"]
        assert any("Bread" in line and " 3 " in line and "#food" in line for line in user.lines())
        assert user.shows("#farm #hens")


async def test_the_row_under_the_cursor_shows_what_was_said_last() -> None:
    async with opened(ConversationsScreen(farm())) as user:
        await listed(user, 3)

        await user.pilot.press("down")

        assert text_of(user, "snippet") == "And eggs?"


async def test_enter_closes_with_the_conversation() -> None:
    async with opened(ConversationsScreen(farm())) as user:
        await listed(user, 3)

        await user.pilot.press("down", "enter")

        assert await user.result() == ConversationChosen(conversation_id="c2", turn_id=None)


async def test_an_empty_store_says_how_it_fills() -> None:
    async with opened(ConversationsScreen(WatchedStore()), size=NARROW) as user:
        await user.until(lambda: user.shows("No conversation is kept yet."))

        await user.pilot.press("enter", "t", "m", "e", "d")  # on nothing

        assert user.shows("i imports one from a file.")
        assert user.app.screen is user.screen


async def test_while_the_first_page_is_read_the_list_says_so() -> None:
    store = farm()
    store.held[""] = asyncio.Event()
    async with opened(ConversationsScreen(store)) as user:
        await user.until(lambda: user.shows("Looking …"))

        store.held[""].set()

        await listed(user, 3)


async def test_a_store_that_cannot_be_read_is_told_with_its_remedy_and_can_be_tried_again() -> None:
    store = farm()
    store.fail_with = FULL
    async with opened(ConversationsScreen(store), size=NARROW) as user:
        await user.until(lambda: user.shows("the database cannot be read: disk I/O error"))
        assert user.shows("→ look at the disk")

        store.fail_with = None
        await user.pilot.press("r")

        await listed(user, 3)


async def test_a_search_that_fails_leaves_no_rows_of_an_older_one() -> None:
    store = farm()
    async with opened(ConversationsScreen(store)) as user:
        await listed(user, 3)

        store.fail_with = FULL
        user.screen.query_one("#conversations-filter", Input).value = "#farm"

        await user.until(lambda: user.shows("r tries again."))
        assert titles(user) == []
        assert user.shows("│ the conversations could not be read ")


async def test_a_list_that_can_be_read_again_says_how_many_there_are() -> None:
    store = farm()
    store.fail_with = FULL
    async with opened(ConversationsScreen(store)) as user:
        await user.until(lambda: user.shows("the conversations could not be read"))
        store.fail_with = None

        await user.pilot.press("r")

        await user.until(lambda: user.shows("│ 3 conversations "))


class TornStore(WatchedStore):
    """Its second page ends in ``error``."""

    def __init__(self, error: Exception) -> None:
        super().__init__(*(kept(number, f"No. {number}") for number in range(250)))
        self._error = error

    async def find(
        self, *, text: str = "", tag: str | None = None, limit: int = 500, offset: int = 0
    ) -> tuple[ConversationSummary, ...]:
        if offset:
            raise self._error
        return await super().find(text=text, tag=tag, limit=limit, offset=offset)


@pytest.mark.parametrize(("error", "is_complete"), [(FULL, True), (ZeroDivisionError("a bug"), False)])
async def test_only_a_page_that_cannot_be_read_is_the_last(error: Exception, is_complete: bool) -> None:
    pages = ConversationPages(TornStore(error))
    await pages.look(Query())

    with pytest.raises(type(error)):
        await pages.more()

    assert pages.is_complete is is_complete


async def test_five_thousand_come_page_by_page_as_one_scrolls() -> None:
    store = WatchedStore(*(kept(number, f"No. {number}") for number in range(5_000)))
    async with opened(ConversationsScreen(store)) as user:
        await listed(user, 200)
        await user.until(lambda: user.shows("5,000 conversations"))
        assert store.asked == [("", 200, 0)]

        await user.pilot.press("end")
        await listed(user, 400)

        assert store.asked[1:] == [("", 200, 200)]
        assert titles(user)[:2] == ["No. 4999", "No. 4998"]
        assert titles(user)[-1] == "No. 4600"


async def test_the_last_page_ends_the_scrolling() -> None:
    store = WatchedStore(*(kept(number, f"No. {number}") for number in range(250)))
    async with opened(ConversationsScreen(store)) as user:
        await listed(user, 200)
        await user.pilot.press("end")
        await listed(user, 250)

        await user.pilot.press("end")
        await user.app.workers.wait_for_complete()

        assert store.asked == [("", 200, 0), ("", 200, 200)]
        assert user.shows("250 conversations")


async def test_the_list_looks_again_when_something_was_written() -> None:
    store, changes = farm(), Feed(0)
    async with opened(ConversationsScreen(store, changes=changes)) as user:
        await listed(user, 3)
        await user.pilot.press("down", "down")

        store.kept["c4"] = kept(4, "New")
        changes.publish(1)
        await listed(user, 4)

        assert isinstance(user.screen, ConversationsScreen)
        assert user.screen.table.cursor_key == "c1"


@pytest.mark.parametrize("turns", range(6, 20, 2))
async def test_what_is_found_while_the_list_is_being_closed_is_harmless(turns: int) -> None:
    store = farm()
    store.held[""] = asyncio.Event()
    async with opened(ConversationsScreen(store)) as user:
        user.screen.dismiss(None)
        for _ in range(turns):  # of the event loop: there is a moment with a screen and no list
            await asyncio.sleep(0)
        store.held[""].set()

        assert await user.result() is None


async def test_hostile_titles_tags_and_texts_are_shown_and_do_nothing() -> None:
    hostile = replace(kept(1, EVIL, f"eggs {EVIL}", EVIL), tags=(EVIL,))
    async with opened(ConversationsScreen(WatchedStore(hostile))) as user:
        await listed(user, 1)
        user.screen.query_one("#conversations-filter", Input).value = "eggs"
        await user.until(lambda: user.shows("for “eggs”"))
        screens = list(user.lines())
        for key in ("t", "escape", "m", "escape", "d", "escape"):
            await user.pilot.press(key)
            await user.pilot.pause()  # what opened is painted
            screens += user.lines()

        assert any("␛]0;owned␇[b]x[/b]" in line for line in screens)
        assert not any(character < " " or character in "\x7f\u202e" for line in screens for character in line)


async def test_escape_closes_without_a_choice() -> None:
    async with opened(ConversationsScreen(farm())) as user:
        await listed(user, 3)

        await user.pilot.press("escape")

        assert await user.result() is None


async def test_escape_first_leaves_the_search_where_the_app_asks_the_screen() -> None:
    screen = ConversationsScreen(farm())
    async with opened(screen) as user:
        await listed(user, 3)
        await user.pilot.press("slash", *"bread")
        await listed(user, 1)

        assert screen.escape()
        await listed(user, 3)

        assert screen.table.has_focus
        assert not screen.escape()


def test_an_exported_conversation_can_be_imported_again() -> None:
    conversation = farm().kept["c1"]

    assert parse_conversation_json(conversation_json(conversation), "c.json") == conversation

"""Words and tags that are looked for in the list of conversations."""

import asyncio

import pytest
from textual.widgets import Input

from foundry_tui.domain.conversations import ConversationSummary
from foundry_tui.tui.screens.conversation_pages import ConversationPages, Query
from foundry_tui.tui.screens.conversations import ConversationChosen, ConversationsScreen, snippet
from tests.tui.conversation_lists import Listed, farm, listed, text_of, titles
from tests.tui.overlay_host import NARROW, opened


async def test_a_search_shows_the_hits_and_opens_at_the_turn_that_was_hit() -> None:
    async with opened(ConversationsScreen(farm())) as user:
        await listed(user, 3)

        await user.pilot.press("slash", *"eggs l")
        await user.until(lambda: user.shows("1 conversation for “eggs l”"))
        found, hits = titles(user), snippet_spans(user)
        await user.pilot.press("enter", "enter")

        assert found == ["Two hens"]
        assert hits == ["lay", "eggs"]
        assert await user.result() == ConversationChosen(conversation_id="c1", turn_id="t1-1")


def snippet_spans(user: Listed) -> list[str]:
    """The pieces of the snippet that are bold and underlined."""
    strips = user.app.screen._compositor.render_strips()  # what goes to the terminal
    region = user.screen.query_one("#conversations-snippet").region
    return [
        segment.text
        for strip in strips[region.y : region.bottom]
        for segment in strip
        if segment.style is not None and segment.style.bold and segment.style.underline
    ]


async def test_typing_quickly_asks_once() -> None:
    store = farm()
    async with opened(ConversationsScreen(store)) as user:
        await listed(user, 3)
        store.asked.clear()

        await user.pilot.press("slash", *"bread")
        await user.until(lambda: user.shows("1 conversation for “bread”"))

        assert [text for text, _, _ in store.asked] == ["bread"]


async def test_the_newest_search_wins_however_late_an_older_one_is_answered() -> None:
    store = farm()
    store.held["hens"] = asyncio.Event()
    async with opened(ConversationsScreen(store)) as user:
        await listed(user, 3)
        field = user.screen.query_one("#conversations-filter", Input)
        field.value = "hens"
        await user.until(lambda: store.asked[-1][0] == "hens")

        field.value = "bread"
        await user.until(lambda: user.shows("1 conversation for “bread”"))
        store.held["hens"].set()
        await user.app.workers.wait_for_complete()

        assert titles(user) == ["Bread"]


async def test_an_answer_that_was_overtaken_is_not_shown() -> None:
    store = farm()
    store.held["hens"] = asyncio.Event()
    pages = ConversationPages(store)
    older = asyncio.ensure_future(pages.look(Query(text="hens")))
    await asyncio.sleep(0)  # it asks

    newer = await pages.look(Query(text="bread"))
    store.held["hens"].set()

    assert (newer, await older) == (True, False)
    assert [summary.title for summary in pages.shown.values()] == ["Bread"]
    assert not pages.is_busy


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("#farm", ["Two hens"]),
        ("#FAR", ["Two hens"]),
        ("eggs #food", ["Bread"]),
        ("#farm #hens", ["Two hens"]),
        ("#farm #food", []),
        ("#nothing", []),
    ],
)
async def test_a_word_with_a_sharp_is_a_tag(typed: str, found: list[str]) -> None:
    pages = ConversationPages(farm())

    await pages.look(await pages.understood(typed))

    assert [summary.title for summary in pages.shown.values()] == found


async def test_a_tag_is_looked_for_while_it_is_being_typed() -> None:
    async with opened(ConversationsScreen(farm())) as user:
        await listed(user, 3)

        await user.pilot.press("slash", *"#fa")
        await listed(user, 1)

        assert user.shows("1 conversation for the tag #farm")


async def test_without_a_hit_the_list_says_what_was_looked_for() -> None:
    async with opened(ConversationsScreen(farm()), size=NARROW) as user:
        await listed(user, 3)

        user.screen.query_one("#conversations-filter", Input).value = "zebra #food"
        await listed(user, 0)

        assert user.shows("Nothing was found for “zebra” and the tag #food.")
        assert text_of(user, "snippet") == ""


def test_hits_are_marked_where_they_are_even_if_the_snippet_is_not_clean() -> None:
    found = ConversationSummary(
        id="c", title="", updated_unix_ms=0, turns=1, snippet="a\x1b\r\n two  hens", hits=((5, 8), (10, 14))
    )

    shown = snippet(found)

    assert shown.plain == "a␛ two hens"
    assert [shown.plain[start:end] for start, end, style in shown.spans if style] == ["two", "hens"]

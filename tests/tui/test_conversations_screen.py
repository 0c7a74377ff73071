"""The list of kept conversations: found, opened, changed, exported, imported."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Button, Input, Static

from foundry_tui.aio import Feed
from foundry_tui.domain.chat import Role
from foundry_tui.domain.conversations import Conversation, ConversationSummary, Turn
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.reports.conversation_json import conversation_json, parse_conversation_json
from foundry_tui.reports.conversation_markdown import conversation_markdown
from foundry_tui.tui.screens.conversation_pages import ConversationPages, Query
from foundry_tui.tui.screens.conversations import ConversationChosen, ConversationsScreen, snippet
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.screens.paths import PathScreen
from foundry_tui.tui.screens.tagging import LineScreen, TagsScreen
from tests.support.memory_store import MemoryStore
from tests.tui.overlay_host import NARROW, WIDE, Opened, opened

AT = 1_780_000_000_000
FULL = StorageProblem("the database cannot be read: disk I/O error", remedy="look at the disk")
EVIL = "\x1b]0;owned\x07[b]x[/b] \u202e"


class WatchedStore(MemoryStore):
    """Remembers what was looked for, and lets a test hold an answer back.

    Attributes:
        asked: Text, limit and offset of each ``find``.
        held: ``find`` of a text in it waits for its event.
    """

    def __init__(self, *conversations: Conversation) -> None:
        super().__init__()
        self.kept = {conversation.id: conversation for conversation in conversations}
        self.asked: list[tuple[str, int, int]] = []
        self.held: dict[str, asyncio.Event] = {}

    async def find(
        self, *, text: str = "", tag: str | None = None, limit: int = 500, offset: int = 0
    ) -> tuple[ConversationSummary, ...]:
        self.asked.append((text, limit, offset))
        if text in self.held:
            await self.held[text].wait()
        return await super().find(text=text, tag=tag, limit=limit, offset=offset)

    async def count(self, *, text: str = "", tag: str | None = None) -> int:
        return len(await super().find(text=text, tag=tag, limit=len(self.kept)))


def kept(number: int, title: str, *texts: str, tags: tuple[str, ...] = ()) -> Conversation:
    """A conversation; the higher its number, the later it was used."""
    turns: list[Turn] = []
    for place, text in enumerate(texts):
        turns.append(
            Turn(
                id=f"t{number}-{place}",
                parent_id=turns[-1].id if turns else None,
                role=Role.ASSISTANT if place % 2 else Role.USER,
                text=text,
                at_unix_ms=AT + number,
                model_id="small-instruct-generic-cpu:1" if place % 2 else None,
            )
        )
    return Conversation(
        id=f"c{number}",
        title=title,
        created_unix_ms=AT,
        updated_unix_ms=AT + number,
        tags=tags,
        turns=tuple(turns),
        head_id=turns[-1].id if turns else None,
    )


def farm() -> WatchedStore:
    return WatchedStore(
        kept(1, "Two hens", "How many hens?", "Two hens lay eggs.", tags=("farm", "hens")),
        kept(2, "Bread", "How is bread made?", "From flour.", "And eggs?", tags=("food",)),
        kept(3, "", "hi"),
    )


Listed = Opened[ConversationChosen]


def titles(user: Listed) -> list[str]:
    assert isinstance(user.screen, ConversationsScreen)
    return [row.cells[0] for row in user.screen.table.rows]


def text_of(user: Listed, name: str) -> str:
    return str(user.screen.query_one(f"#conversations-{name}", Static).content)


async def listed(user: Listed, count: int) -> None:
    await user.until(lambda: len(titles(user)) == count)


async def over(user: Listed, kind: type[object]) -> None:
    await user.until(lambda: isinstance(user.app.screen, kind))
    await user.pilot.pause()  # what opened has its focus


async def back(user: Listed) -> None:
    await user.until(lambda: user.app.screen is user.screen)
    await user.app.workers.wait_for_complete()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    was = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(was)


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


@pytest.mark.parametrize("suffix", [".md", ".json"])
async def test_an_export_is_written_under_the_title_in_the_format_of_its_suffix(
    folder: Path, suffix: str
) -> None:
    store = farm()
    (folder / "Bread.md").write_text("mine")
    async with opened(ConversationsScreen(store)) as user:
        await listed(user, 3)
        await user.pilot.press("down", "e")
        await over(user, PathScreen)
        field = user.app.screen.query_one("#path", Input)
        assert field.value == "Bread-2.md"

        field.value = f"Bread-2{suffix}"
        await user.pilot.press("enter")
        await back(user)

        written = (folder / f"Bread-2{suffix}").read_text()
        expected = conversation_json if suffix == ".json" else conversation_markdown
        assert written == expected(store.kept["c2"])
        assert (folder / "Bread.md").read_text() == "mine"
        assert user.told == [f"“Bread” written to {folder / f'Bread-2{suffix}'}"]


async def test_an_export_never_overwrites(folder: Path) -> None:
    (folder / "mine.md").write_text("mine")
    async with opened(ConversationsScreen(farm())) as user:
        await listed(user, 3)
        await user.pilot.press("e")
        await over(user, PathScreen)

        user.app.screen.query_one("#path", Input).value = "mine.md"
        await user.pilot.press("enter")
        await user.until(lambda: user.shows("nothing is overwritten"))

        assert (folder / "mine.md").read_text() == "mine"


async def import_file(user: Listed, name: str) -> None:
    await user.pilot.press("i")
    await over(user, PathScreen)
    user.app.screen.query_one("#path", Input).value = name
    await user.pilot.press("enter")


async def test_an_import_is_kept_and_shown(folder: Path) -> None:
    store = farm()
    new = kept(9, "Cheese", "How?", "Milk.")
    (folder / "c.json").write_text(conversation_json(new))
    async with opened(ConversationsScreen(store)) as user:
        await listed(user, 3)
        user.screen.query_one("#conversations-filter", Input).value = "bread"
        await listed(user, 1)

        await import_file(user, "c.json")
        await back(user)

        assert store.kept["c9"] == new
        assert titles(user)[0] == "Cheese"
        assert user.screen.query_one("#conversations-filter", Input).value == ""
        assert user.told == ["“Cheese” imported, 2 turns"]


async def test_what_an_import_leaves_out_is_told(folder: Path) -> None:
    (folder / "log.md").write_text("from my notes\n\n## User\n\nhi\n")
    async with opened(ConversationsScreen(farm())) as user:
        await listed(user, 3)

        await import_file(user, "log.md")
        await back(user)

        assert user.told == ["“hi” imported, 1 turn\nLeft out: line 1 before the first speaker: left out"]


async def test_one_that_is_here_already_is_imported_as_a_copy_if_one_wants_that(folder: Path) -> None:
    store = farm()
    (folder / "c.json").write_text(conversation_json(store.kept["c2"]))
    async with opened(ConversationsScreen(store)) as user:
        await listed(user, 3)
        await import_file(user, "c.json")
        await over(user, ConfirmScreen)

        user.app.screen.query_one("#yes", Button).press()
        await back(user)

        assert sorted(titles(user)) == ["Bread", "Bread", "Two hens", "untitled"]
        assert len({turn.id for one in store.kept.values() for turn in one.turns}) == 9


async def test_a_file_that_is_no_conversation_is_told_with_its_place(folder: Path) -> None:
    (folder / "c.json").write_text('{"schema": "foundry-tui/conversation@1"}')
    store = farm()
    async with opened(ConversationsScreen(store)) as user:
        await listed(user, 3)

        await import_file(user, "c.json")
        await user.until(lambda: bool(user.told))

        assert "c.json: /turns: expected this key, found nothing" in user.told[0]
        assert len(store.kept) == 3


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


def test_hits_are_marked_where_they_are_even_if_the_snippet_is_not_clean() -> None:
    found = ConversationSummary(
        id="c", title="", updated_unix_ms=0, turns=1, snippet="a\x1b\r\n two  hens", hits=((5, 8), (10, 14))
    )

    shown = snippet(found)

    assert shown.plain == "a␛ two hens"
    assert [shown.plain[start:end] for start, end, style in shown.spans if style] == ["two", "hens"]


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

"""The conversations that were kept: found, opened, tagged, renamed, deleted, exported and imported."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from foundry_tui.aio import Feed
from foundry_tui.domain.conversations import ConversationSummary
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.domain.quantities import count_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.ports.storage import ConversationStore
from foundry_tui.reports.conversation import when_in_words
from foundry_tui.reports.errors import error_words
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.screens.conversation_files import called, export_conversation, import_conversation
from foundry_tui.tui.screens.conversation_pages import ConversationPages, Query
from foundry_tui.tui.screens.kept_overlay import KeptOverlay
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.screens.tagging import LineScreen, TagsScreen
from foundry_tui.tui.widgets.fields import LineField
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import Align, Column, Row, RowTable
from foundry_tui.tui.widgets.table_parts import cut

__all__ = ["ConversationChosen", "ConversationsScreen"]

# The next page is asked for this many rows before the last one comes into sight.
_AHEAD = 40
_DEBOUNCE_S = 0.15
# What is being said changes the list several times a second; nobody reads faster than this.
_FOLLOW_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationChosen:
    """What the user wants to go on with.

    Attributes:
        turn_id: Where the search hit it; None without a search, or where only title or tags were hit.
    """

    conversation_id: str
    turn_id: str | None


class _Table(RowTable):
    """Its Enter is shown, for it is what one comes for."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "activate", "Open", id="conversations.open")]


class ConversationsScreen(KeptOverlay[ConversationChosen]):
    """Lists what was kept, the most recently used first; closes with the one that is to be opened.

    Args:
        store: Where they are.
        open_id: The one that is open in the chat; it is marked.
        is_answering: Whether an answer is being made in that one; it is not deleted meanwhile.
        changes: Grows when something was written, so that the list looks again.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Search", id="conversations.search", key_display="/"),
        Binding("t", "tags", "Tags", id="conversations.tags"),
        Binding("m", "rename", "Rename", id="conversations.rename"),
        Binding("e", "export", "Export", id="conversations.export"),
        Binding("i", "import", "Import", id="conversations.import"),
        Binding("d,delete", "delete", "Delete", id="conversations.delete"),
        Binding("r", "reload", "Look again", show=False, id="conversations.reload"),
    ]
    FIELD = "#conversations-filter"
    LIST = "#conversations-table"
    DEFAULT_CSS = """
    ConversationsScreen #conversations-filter { height: 1; }
    ConversationsScreen #conversations-snippet { height: 3; border-top: solid $panel; color: $text-muted; }
    ConversationsScreen #conversations-state {
        height: 1; color: $text-muted; text-overflow: ellipsis; text-wrap: nowrap;
    }
    """
    COLUMNS = (
        Column(key="title", label="Title", width=24, weight=3, priority=100),
        Column(key="when", label="Used", width=10, priority=90),
        Column(key="turns", label="Turns", width=5, align=Align.RIGHT, priority=70),
        Column(key="tags", label="Tags", width=12, weight=1, priority=80),
        Column(key="models", label="Models", width=16, weight=2, priority=60),
    )

    @dataclass
    class Deleted(Message):
        """A conversation is gone; where it is open in the chat, the chat begins another."""

        conversation_id: str

    @dataclass
    class Renamed(Message):
        """A conversation has another title."""

        conversation_id: str
        title: str

    @dataclass
    class Retagged(Message):
        """A conversation has other tags."""

        conversation_id: str
        tags: tuple[str, ...]

    def __init__(
        self,
        store: ConversationStore,
        *,
        open_id: str | None = None,
        is_answering: bool = False,
        changes: Feed[int] | None = None,
    ) -> None:
        super().__init__()
        self._store = store
        self._open_id = open_id
        self._is_answering = is_answering
        self._changes = changes
        self._pages = ConversationPages(store)
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="conversations-box", classes="full") as box:
            box.border_title = "Conversations"
            box.border_subtitle = "Esc closes"
            yield LineField(
                placeholder="/ searches all that was said; #word a tag",
                id="conversations-filter",
                compact=True,
            )
            yield _Table(self.COLUMNS, empty_text="Looking …", id="conversations-table")
            yield Static(id="conversations-snippet", markup=False)
            yield Static(id="conversations-state", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show the newest; look again whenever something was written."""
        self.table.focus()
        self.watch(self.table, "scroll_y", self._scrolled, init=False)
        self._search()
        if self._changes is not None:
            self._follow(self._changes)

    def action_reload(self) -> None:
        """Ask the store again."""
        self._search()

    def action_tags(self) -> None:
        """Give the conversation under the cursor other tags."""
        self.act(self._on_current(self._edit_tags))

    def action_rename(self) -> None:
        """Give the conversation under the cursor another title."""
        self.act(self._on_current(self._rename))

    def action_delete(self) -> None:
        """Delete the conversation under the cursor, after a question."""
        self.act(self._on_current(self._delete))

    def action_export(self) -> None:
        """Write the conversation under the cursor to a new file."""
        self.act(self._on_current(self._export))

    def action_import(self) -> None:
        """Read a conversation from a file."""
        self.act(self._import)

    # --- the list

    @on(Input.Changed, "#conversations-filter")
    def _typed(self, message: Input.Changed) -> None:
        message.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_DEBOUNCE_S, self._search)

    @work(exclusive=True, group="look")
    async def _search(self) -> None:
        typed = self.query_one("#conversations-filter", Input).value
        try:
            query = await self._pages.understood(typed)
        except StorageProblem as error:
            self._fail(error)
            return
        await self._look(query, at_top=query != self._pages.query)

    async def _look(self, query: Query, *, at_top: bool) -> None:
        pages = self._pages
        try:
            self._say("looking …")
            if not await pages.look(query):
                return
            self._show_rows(at_top=at_top)
            if not pages.is_complete:
                await pages.count_all()
                self._show_state()
        except StorageProblem as error:
            self._fail(error)

    def _fail(self, error: StorageProblem) -> None:
        self._pages.forget()
        self.table.empty_text = f"{error_words(error)}\n\nr tries again."
        self._show_rows(at_top=True, is_failed=True)

    @work(group="more")
    async def _more(self) -> None:
        try:
            if await self._pages.more():
                self._show_rows(at_top=False)
        except StorageProblem as error:
            complain(self, error)

    @work(group="follow")
    async def _follow(self, changes: Feed[int]) -> None:
        seen = changes.value
        async for value in changes.watch():
            if value != seen:
                seen = value
                await asyncio.sleep(_FOLLOW_S)  # what comes meanwhile is one change
                self._search()

    def _scrolled(self) -> None:
        if not self.is_open:
            return
        table = self.table
        last_in_sight = table.scroll_offset.y + table.size.height
        pages = self._pages
        if not pages.is_complete and not pages.is_busy and last_in_sight + _AHEAD >= len(pages.shown):
            self._more()

    @on(RowTable.RowHighlighted)
    def _moved(self, message: RowTable.RowHighlighted) -> None:
        message.stop()
        self._show_snippet()

    @on(RowTable.RowActivated)
    def _open(self, message: RowTable.RowActivated) -> None:
        message.stop()
        if (summary := self._pages.shown.get(message.key)) is not None:
            self.dismiss(ConversationChosen(conversation_id=summary.id, turn_id=summary.hit_id))

    def _show_rows(self, *, at_top: bool, is_failed: bool = False) -> None:
        table = self.table
        if not is_failed:
            table.empty_text = self._empty_words()
        now = time.time_ns() // 1_000_000
        table.set_rows([self._row(summary, now) for summary in self._pages.shown.values()])
        if at_top and table.rows:
            table.move_cursor_to(table.rows[0].key)
        self._show_snippet()
        self._show_state()
        self.call_after_refresh(self._scrolled)  # what was scrolled to meanwhile may lie beyond these rows

    def _row(self, summary: ConversationSummary, now_unix_ms: int) -> Row:
        mark = "● " if summary.id == self._open_id else ""
        return Row(
            key=summary.id,
            cells=(
                f"{mark}{summary.title or 'untitled'}",
                when_in_words(summary.updated_unix_ms, now_unix_ms),
                count_in_words(summary.turns),
                " ".join(f"#{tag}" for tag in summary.tags),
                ", ".join(summary.models),
            ),
        )

    def _empty_words(self) -> str:
        if not self._pages.query.words:
            return (
                "No conversation is kept yet.\n\n"
                "What is said in the chat is kept from the first word on.\n\n"
                "i imports one from a file."
            )
        return (
            f"Nothing was found for {self._pages.query.words}.\n\n"
            "Every word must stand in it; of the last one the beginning is enough.\n\n"
            "/ goes back to the search."
        )

    def _show_snippet(self) -> None:
        summary = self._current()
        self.query_one("#conversations-snippet", Static).update(
            Content("") if summary is None else snippet(summary)
        )

    def _show_state(self) -> None:
        pages = self._pages
        if pages.is_busy:
            self._say("looking …")
            return
        if pages.count is None and not pages.shown:
            self._say("the conversations could not be read")
            return
        many = f"more than {len(pages.shown):,}" if pages.count is None else f"{pages.count:,}"
        words = f"{many} {'conversation' if pages.count == 1 else 'conversations'}"
        words += f" for {pages.query.words}" if pages.query.words else ""
        self._say(words + (" · ● is open in the chat" if self._open_id in pages.shown else ""))

    def _say(self, words: str) -> None:
        self.query_one("#conversations-state", Static).update(words)

    def _current(self) -> ConversationSummary | None:
        key = self.table.cursor_key
        return None if key is None else self._pages.shown.get(key)

    # --- what is done to one of them

    def _on_current(
        self, do: Callable[[ConversationSummary], Awaitable[None]]
    ) -> Callable[[], Awaitable[None]]:
        """``do`` with the conversation under the cursor as it is now."""
        summary = self._current()

        async def done() -> None:
            if summary is not None:
                await do(summary)

        return done

    async def _edit_tags(self, summary: ConversationSummary) -> None:
        known = await self._store.tags()
        tags = await self.app.push_screen_wait(TagsScreen(called(summary), summary.tags, known))
        if tags is not None:
            await self._store.set_tags(summary.id, tags)
            self._replace(replace(summary, tags=tags))
            self.post_message(self.Retagged(summary.id, tags))

    async def _rename(self, summary: ConversationSummary) -> None:
        title = await self.app.push_screen_wait(LineScreen("Rename", "Title", summary.title))
        if title is not None:
            await self._store.set_title(summary.id, title)
            self._replace(replace(summary, title=title))
            self.post_message(self.Renamed(summary.id, title))

    async def _delete(self, summary: ConversationSummary) -> None:
        if summary.id == self._open_id and self._is_answering:
            tell(self, "An answer is being made in it: stop it first", is_warning=True)
            return
        turns = "its one turn" if summary.turns == 1 else f"its {summary.turns:,} turns"
        # A line each, for no line of the question is wrapped.
        question = (
            f"Delete this conversation with {turns}?\n{cut(called(summary), 50)}\nIt cannot be brought back."
        )
        if await self.app.push_screen_wait(ConfirmScreen(question, "Delete")):
            await self._store.delete(summary.id)
            self._pages.drop(summary.id)
            self._show_rows(at_top=False)
            self.post_message(self.Deleted(summary.id))

    async def _export(self, summary: ConversationSummary) -> None:
        await export_conversation(self, self._store, summary)

    async def _import(self) -> None:
        conversation_id = await import_conversation(self, self._store)
        if conversation_id is None:
            return
        field = self.query_one("#conversations-filter", Input)
        with field.prevent(Input.Changed):
            field.value = ""
        await self._look(Query(), at_top=True)
        self.table.move_cursor_to(conversation_id)

    def _replace(self, summary: ConversationSummary) -> None:
        self._pages.put(summary)
        self._show_rows(at_top=False)


def snippet(summary: ConversationSummary) -> Content:
    """The words around the hits, harmless; hits are bold and underlined besides their colour."""
    parts: list[tuple[str, str]] = []
    end = 0
    for start, stop in (*summary.hits, (len(summary.snippet), len(summary.snippet))):
        parts.append((_harmless(summary.snippet[end:start]), ""))
        parts.append((_harmless(summary.snippet[start:stop]), "$accent bold underline"))
        end = stop
    return Content.assemble(*(part for part in parts if part[0]))


def _harmless(piece: str) -> str:
    # Blanks at its ends part it from its neighbours.
    before = " " if piece[:1].isspace() else ""
    after = " " if piece[-1:].isspace() and piece.strip() else ""
    return f"{before}{clean_line(piece)}{after}"

"""The queue of downloads: what comes, how fast, what waits for what, and what was left on disk."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from foundry_tui.domain.downloads import ENDED_STATES, Download, DownloadPhase, DownloadState, Partial
from foundry_tui.domain.errors import BadInput, FoundryTuiError
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.ports.downloads import DownloadRunner
from foundry_tui.reports.downloads import detail_lines, download_facts, progress_line
from foundry_tui.reports.errors import error_words
from foundry_tui.reports.facts import Fact, quoted
from foundry_tui.services.downloads.facade import DownloadQueue, Downloads
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.presenters import age_in_words
from foundry_tui.tui.screens.download_offer import DownloadOfferScreen
from foundry_tui.tui.screens.download_pages import CancelDownloadScreen, CancelWish, DownloadDetailScreen
from foundry_tui.tui.screens.download_rows import (
    COLUMNS,
    HEADING,
    QueueView,
    counts_in_words,
    rows_of,
    view_of,
)
from foundry_tui.tui.screens.overlay import ConfirmScreen, Overlay
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import RowTable
from foundry_tui.tui.widgets.table_parts import cut, cut_within

__all__ = ["DownloadsScreen"]

_REDRAW_S = 0.25
_COUNTDOWN_S = 1.0
_NAME_CELLS = 56
_EMPTY = (
    "Nothing is being downloaded.\n\n"
    "Esc closes this; in the catalog, d offers the variant under the cursor for download."
)


class _Table(RowTable):
    """Its Enter is shown: what does not fit into the lines below is behind it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,v", "activate", "Details", key_display="v", id="downloads.detail")
    ]


class DownloadsScreen(Overlay[None]):
    """Lists the queue and what was left on disk, and follows it at most four times a second.

    Args:
        downloads: The queue.
        runner: Finds and removes what was left on disk.
        find: The variant of an id, as catalogs list it now; None if none does.
        offer: Asks before a download that is not in the queue goes on.
        unix_ms: The time of day.
    """

    DEFAULT_CSS = """
    DownloadsScreen #downloads-detail { height: 5; border-top: solid $panel; }
    DownloadsScreen #downloads-state {
        height: 1; color: $text-muted; text-overflow: ellipsis; text-wrap: nowrap;
    }
    DownloadsScreen #downloads-state.-warning { color: $text-error; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause/resume", id="downloads.pause"),
        Binding("x,delete", "cancel", "Cancel", key_display="x", id="downloads.cancel"),
        Binding("r", "retry", "Retry", id="downloads.retry"),
        Binding("n", "at_night", "At night", id="downloads.quiet"),
        Binding("o", "outlive", "Outlive", id="downloads.outlive"),
        Binding("c", "clear", "Clear", id="downloads.clear"),
        Binding("shift+up,K", "move(-1)", "Earlier", show=False, id="downloads.up"),
        Binding("shift+down,J", "move(1)", "Later", show=False, id="downloads.down"),
    ]

    def __init__(
        self,
        downloads: Downloads,
        *,
        runner: DownloadRunner,
        find: Callable[[str], ModelVariant | None],
        offer: Callable[[ModelVariant], DownloadOfferScreen],
        unix_ms: Callable[[], int],
    ) -> None:
        super().__init__()
        self._downloads = downloads
        self._runner = runner
        self._find = find
        self._offer = offer
        self._unix_ms = unix_ms
        self._partials: tuple[Partial, ...] = ()
        self._view: QueueView = view_of(downloads.queue.value, ())
        self._states: tuple[tuple[str, str], ...] | None = None
        self._has_looked = False
        self._is_acting = False

    @property
    def table(self) -> RowTable:
        """The list, what has the focus."""
        return self.query_one(RowTable)

    def compose(self) -> ComposeResult:
        with Vertical(id="downloads-box", classes="full") as box:
            box.border_title = "Downloads"
            box.border_subtitle = "Shift+↑ ↓ or K J moves · Esc closes"
            yield _Table(COLUMNS, empty_text="Looking …", id="downloads-table")
            yield Static(id="downloads-detail", markup=False)
            yield Static(id="downloads-state", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show what is known, and follow it."""
        self.table.focus()
        self._countdown = self.set_interval(_COUNTDOWN_S, self._redraw, pause=True)
        self._follow()

    def action_pause(self) -> None:
        """Pause the download under the cursor, or let it go on."""
        self._act(self._pause)

    def action_cancel(self) -> None:
        """Cancel the download under the cursor, and ask what becomes of what is here."""
        self._act(self._cancel)

    def action_retry(self) -> None:
        """Try the download under the cursor again now."""
        self._act(self._retry)

    def action_at_night(self) -> None:
        """Let the download under the cursor wait for the quiet hour, or no longer."""
        self._act(self._at_night)

    def action_outlive(self) -> None:
        """Let the download under the cursor go on when the app is quit."""
        self._act(self._outlive)

    def action_clear(self) -> None:
        """Take the entries that have ended out of the list."""
        self._act(self._clear)

    @work(group="move")
    async def action_move(self, places: int) -> None:
        """Move the download under the cursor down by ``places``, up if negative."""
        if (entry := self._entry()) is None:
            return
        try:
            await self._downloads.move(entry.id, places)
        except FoundryTuiError as error:
            complain(self, error)
        self._redraw()

    # --- what is shown

    @work(group="follow")
    async def _follow(self) -> None:
        async with self._downloads.watching() as values:
            async for queue in values:
                states = tuple((entry.id, entry.state.value) for entry in queue.entries)
                if states != self._states:
                    self._states = states
                    self._look_at_disk()
                self._redraw()
                await asyncio.sleep(_REDRAW_S)  # what comes meanwhile is one change

    @work(exclusive=True, group="disk")
    async def _look_at_disk(self) -> None:
        """Find what was left on disk: whenever an entry came, went or stands in another state."""
        try:
            self._partials = await asyncio.to_thread(self._runner.partials)
        except FoundryTuiError as error:
            complain(self, error)
        self._has_looked = True
        self._redraw()

    def _redraw(self) -> None:
        if len(self.query("RowTable, #downloads-detail, #downloads-state")) < 3:
            return  # the app is being left, and its parts go one by one
        queue = self._downloads.queue.value
        self._view = view_of(queue, self._partials)
        now = self._unix_ms()
        waits = any(
            entry.state is DownloadState.RETRYING and (entry.not_before_unix_ms or 0) > now
            for entry in queue.entries
        )
        if waits:
            self._countdown.resume()
        else:
            self._countdown.pause()
        table = self.table
        table.empty_text = self._empty_words(queue)
        rows = tuple(rows_of(self._view, now))
        if rows != table.rows:
            table.set_rows(rows)
        self._show_detail()
        self._show_state(queue)

    def _empty_words(self, queue: DownloadQueue) -> str:
        if queue.problem is not None:
            return error_words(queue.problem)
        return _EMPTY if self._has_looked else "Looking …"

    @on(RowTable.RowHighlighted)
    def _moved(self, message: RowTable.RowHighlighted) -> None:
        message.stop()
        self._show_detail()

    @on(RowTable.RowActivated)
    def _open(self, message: RowTable.RowActivated) -> None:
        message.stop()
        entry, partial = self._view.entry(message.key), self._view.partial(message.key)
        if entry is not None:
            running, here = self._view.running.get(entry.id), self._view.here.get(entry.model_id)
            facts = download_facts(entry, running, here, self._unix_ms())
        elif partial is not None:
            facts = (
                quoted("Model", partial.model_id),
                Fact("On disk", bytes_in_words(partial.disk_bytes)),
                Fact("Last written", self._age(partial)),
                Fact("In use", "by another process" if partial.is_locked else "no"),
                quoted("Folder", partial.path),
            )
        else:
            return
        self.app.push_screen(DownloadDetailScreen(facts))

    def _show_detail(self) -> None:
        key, lines = self.table.cursor_key, []
        entry, partial = self._view.entry(key), self._view.partial(key)
        width = max(20, self.table.size.width - 2)
        if entry is not None:
            running = self._view.running.get(entry.id)
            name = clean_line(entry.model_id)
            here_bytes, is_runner = self._view.here_bytes(entry), self._downloads.queue.value.is_runner
            lines = detail_lines(entry, running, self._unix_ms(), here_bytes=here_bytes, is_runner=is_runner)
            if running is not None and running.phase is DownloadPhase.FLOWING:
                lines[0] = progress_line(running, cells=width)
            lines.insert(0, name)
        elif partial is not None:
            lines = [clean_line(partial.model_id or partial.path), self._partial_words(partial)]
        elif key == HEADING:
            lines = ["Downloads that were left in the middle.", "p resumes one of them, x removes it."]
        text = "\n".join(
            [*(cut_within(line, width) for line in lines[:1]), *(cut(line, width) for line in lines[1:4])]
        )
        self.query_one("#downloads-detail", Static).update(text, layout=False)

    def _partial_words(self, partial: Partial) -> str:
        size = f"{bytes_in_words(partial.disk_bytes)}, last written {self._age(partial)}"
        if partial.is_locked:
            return f"{size}; a process that is not ours is at work on it"
        can = "p resumes it, x removes it" if self._variant_of(partial) is not None else "x removes it"
        return f"{size}; {can}"

    def _show_state(self, queue: DownloadQueue) -> None:
        words = counts_in_words(queue.entries)
        is_busy = any(
            entry.state in (DownloadState.RUNNING, DownloadState.VERIFYING) for entry in queue.entries
        )
        if is_busy and not queue.is_runner:
            words += " · another process of the app does the work"
        if queue.problem is not None:
            words = clean_line(error_words(queue.problem))
        line = self.query_one("#downloads-state", Static)
        line.set_class(queue.problem is not None, "-warning")
        line.update(words, layout=False)

    def _age(self, partial: Partial) -> str:
        return f"{age_in_words(self._unix_ms() / 1000 - partial.touched_unix)} ago"

    def _variant_of(self, partial: Partial) -> ModelVariant | None:
        return None if partial.model_id is None else self._find(partial.model_id)

    def _entry(self) -> Download | None:
        return self._view.entry(self.table.cursor_key)

    # --- what is done to one of them

    @work(group="act")
    async def _act(self, do: Callable[[], Awaitable[None]]) -> None:
        if self._is_acting:
            return  # a second press, before the question has come
        self._is_acting = True
        self._redraw()  # what is asked about is as it is now
        try:
            await do()
        except FoundryTuiError as error:
            complain(self, error)
        finally:
            self._is_acting = False
        self._redraw()

    async def _pause(self) -> None:
        entry, partial = self._entry(), self._view.partial(self.table.cursor_key)
        if partial is not None:
            await self._resume_partial(partial)
        elif entry is None:
            return
        elif entry.state in ENDED_STATES:
            tell(self, _ended(entry), is_warning=True)
        elif entry.state is DownloadState.PAUSED:
            await self._downloads.resume(entry.id)
        else:
            await self._downloads.pause(entry.id)

    async def _retry(self) -> None:
        entry, partial = self._entry(), self._view.partial(self.table.cursor_key)
        if partial is not None:
            await self._resume_partial(partial)
        elif entry is None:
            return
        elif entry.state in (DownloadState.RUNNING, DownloadState.VERIFYING):
            tell(self, f"{_name(entry.model_id)} is under way")
        else:
            await self._downloads.retry(entry.id)

    async def _cancel(self) -> None:
        entry, partial = self._entry(), self._view.partial(self.table.cursor_key)
        if partial is not None:
            await self._remove_partial(partial)
        elif entry is not None:
            await self._cancel_entry(entry)

    async def _cancel_entry(self, entry: Download) -> None:
        here_bytes = self._view.here_bytes(entry)
        if entry.state in ENDED_STATES:
            if entry.state is DownloadState.DONE or not here_bytes:
                tell(self, _ended(entry), is_warning=True)
                return
            question = (
                f"Remove what is here of\n{_name(entry.model_id)}?\n{bytes_in_words(here_bytes)} become free."
            )
            if await self.app.push_screen_wait(ConfirmScreen(question, "Remove")):
                self._freed(await self._downloads.cancel(entry.id, removes_partial=True))
            return
        if not here_bytes:
            await self._downloads.cancel(entry.id)
            return
        name = _name(entry.model_id)
        match await self.app.push_screen_wait(CancelDownloadScreen(name, here_bytes)):
            case CancelWish.KEEP:
                await self._downloads.cancel(entry.id)
            case CancelWish.REMOVE:
                self._freed(await self._downloads.cancel(entry.id, removes_partial=True))

    async def _at_night(self) -> None:
        if (entry := self._entry()) is None:
            return
        now = self._unix_ms()
        if entry.state is DownloadState.QUEUED and (entry.not_before_unix_ms or 0) > now:
            await self._downloads.resume(entry.id)
            return
        if entry.state in ENDED_STATES:
            tell(self, _ended(entry), is_warning=True)
            return
        model = self._find(entry.model_id)
        if model is None:
            raise BadInput(
                f"no catalog lists {clean_line(entry.model_id)} right now, so it cannot be put off",
                remedy="p pauses it",
            )
        if entry.state is not DownloadState.PAUSED:
            await self._downloads.pause(entry.id)
        await self._downloads.add(model, not_before_unix_ms=self._downloads.next_quiet_unix_ms())

    async def _outlive(self) -> None:
        entry = self._entry()
        if entry is None:
            return
        if entry.outlives_app and entry.state not in ENDED_STATES:
            tell(self, f"{_name(entry.model_id)} goes on when the app is quit; x cancels it")
            return
        await self._downloads.let_live(entry.id)

    async def _clear(self) -> None:
        if all(entry.state not in ENDED_STATES for entry in self._view.entries):
            tell(self, "nothing has ended yet")
            return
        await self._downloads.clear_ended()

    async def _resume_partial(self, partial: Partial) -> None:
        name = _name(partial.model_id or partial.path)
        model = self._variant_of(partial)
        if partial.is_locked:
            tell(self, f"another process downloads {name} already")
        elif model is None:
            tell(self, f"no catalog lists {name} right now: x removes what is here", is_warning=True)
        else:
            await self.app.push_screen_wait(self._offer(model))

    async def _remove_partial(self, partial: Partial) -> None:
        if partial.is_locked:
            tell(self, "another process is at work on it: end that one first", is_warning=True)
            return
        name = _name(partial.model_id or partial.path)
        question = f"Remove what is here of\n{name}?\n{bytes_in_words(partial.disk_bytes)} become free."
        if await self.app.push_screen_wait(ConfirmScreen(question, "Remove")):
            try:
                self._freed(await asyncio.to_thread(self._runner.remove_partial, partial.path))
            finally:
                self._look_at_disk()

    def _freed(self, count: int) -> None:
        tell(self, f"{bytes_in_words(count)} became free")
        self._look_at_disk()


def _name(text: str) -> str:
    return cut_within(clean_line(text), _NAME_CELLS)


def _ended(entry: Download) -> str:
    if entry.state is DownloadState.DONE:
        return f"{_name(entry.model_id)} is here: c takes it out of the list"
    return f"{_name(entry.model_id)} has ended: r retries it, c takes it out of the list"

"""What a server downloads for itself at this moment: how far each is, and a key that stops it."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from foundry_tui.domain.downloads import Download, DownloadPhase, DownloadState
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.downloads import progress_line
from foundry_tui.reports.fetching import server_words
from foundry_tui.services.client import ClientService, Job, JobKind
from foundry_tui.services.downloads.facade import RunningDownload
from foundry_tui.tui.screens.download_rows import COLUMNS, QueueView, rows_of
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import RowTable

__all__ = ["FetchesScreen"]

_EMPTY = (
    "The server downloads nothing that was asked for here.\n\n"
    "Esc closes this; in the catalog, d offers the variant under the cursor for download."
)


class FetchesScreen(Overlay[None]):
    """Follows the downloads that were ordered of the server; the queue for this machine is elsewhere.

    Args:
        client: Knows them, and takes orders back.
        model_id: Where the cursor begins; None for the first.
        unix_ms: The time of day.
    """

    DEFAULT_CSS = """
    FetchesScreen #fetches-table { height: 1fr; min-height: 4; }
    FetchesScreen #fetches-detail { height: 3; border-top: solid $panel; }
    FetchesScreen #fetches-state {
        height: 1; color: $text-muted; text-overflow: ellipsis; text-wrap: nowrap;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x,delete", "cancel", "Cancel", key_display="x", id="downloads.cancel")
    ]

    def __init__(self, client: ClientService, *, model_id: str | None, unix_ms: Callable[[], int]) -> None:
        super().__init__()
        self._client = client
        self._model_id = model_id
        self._unix_ms = unix_ms
        self._view = _view_of(client.jobs.value)

    @property
    def table(self) -> RowTable:
        """The list, what has the focus."""
        return self.query_one(RowTable)

    def compose(self) -> ComposeResult:
        with Vertical(id="fetches-box", classes="full") as box:
            box.border_title = "Downloads of the server"
            box.border_subtitle = "Esc closes"
            yield RowTable(COLUMNS, empty_text=_EMPTY, id="fetches-table")
            yield Static(id="fetches-detail", markup=False)
            yield Static(id="fetches-state", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show what is known, and follow it."""
        self.table.focus()
        self._redraw()
        if self._model_id is not None:
            self.table.move_cursor_to(self._model_id)
        self._follow()

    def action_cancel(self) -> None:
        """Take the order under the cursor back; the server keeps what it has."""
        if (key := self.table.cursor_key) is not None:
            self._client.stop_fetch(key)

    @on(RowTable.RowHighlighted)
    def _moved(self, message: RowTable.RowHighlighted) -> None:
        message.stop()
        self._show_detail()

    @work(group="follow")
    async def _follow(self) -> None:
        async for jobs in self._client.jobs.watch():
            self._view = _view_of(jobs)
            self._redraw()

    def _redraw(self) -> None:
        if not self.is_open:
            return
        rows = tuple(rows_of(self._view, self._unix_ms()))
        if rows != self.table.rows:
            self.table.set_rows(rows)
        self._show_detail()
        info = self._client.engine_info
        words = "" if info is None else server_words(info)
        self.query_one("#fetches-state", Static).update(words, layout=False)

    def _show_detail(self) -> None:
        entry = self._view.entry(self.table.cursor_key)
        lines = [] if entry is None else [clean_line(entry.model_id)]
        running = None if entry is None else self._view.running.get(entry.id)
        if running is not None and running.phase is DownloadPhase.FLOWING:
            lines.append(progress_line(running, cells=max(20, self.table.size.width - 2)))
        elif entry is not None:
            lines.append("the server was asked, and has not said how far it is")
        self.query_one("#fetches-detail", Static).update("\n".join(lines), layout=False)


def _view_of(jobs: Sequence[Job]) -> QueueView:
    """Shown as the queue is shown, for it is the same to look at."""
    fetches = [(job.model_id, job.transfer) for job in jobs if job.kind is JobKind.FETCH and job.model_id]
    return QueueView(
        entries=tuple(
            Download(id=name, model_id=name, added_unix_ms=0, place=place, state=DownloadState.RUNNING)
            for place, (name, _) in enumerate(fetches)
        ),
        running={
            name: RunningDownload(
                download_id=name, model_id=name, phase=transfer.phase, progress=transfer.progress
            )
            for name, transfer in fetches
            if transfer is not None
        },
        here={},
    )

"""The runs that were kept: to be looked at again, or resumed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from foundry_tui.domain.bench import RunStatus, RunSummary
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.errors import error_words
from foundry_tui.services.bench.service import Benchmarks
from foundry_tui.tui.notices import tell
from foundry_tui.tui.presenters import age_in_words
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import RowTable
from foundry_tui.tui.widgets.table_parts import Align, Column, Emphasis, Row

__all__ = ["RunChosen", "RunsScreen"]

_COLUMNS = (
    Column(key="name", label="Run", width=16, weight=2, priority=5),
    Column(key="age", label="Begun", width=12, align=Align.RIGHT, priority=4),
    Column(key="status", label="Status", width=11, priority=6),
    Column(key="done", label="Requests", width=8, align=Align.RIGHT, priority=3),
    Column(key="models", label="Models", width=22, weight=3, priority=2),
)
_MOST = 500
_EMPTY = "No run was kept yet.\n\nEsc goes back; n there plans the first one."


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChosen:
    """A run of the list, to be shown or, if ``resumes``, to be gone on with."""

    run_id: str
    resumes: bool


class _Table(RowTable):
    """Its Enter is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,v", "activate", "Show", key_display="⏎", id="runs.open")
    ]


class RunsScreen(Overlay[RunChosen]):
    """Lists runs, the newest first; closes with the one that was chosen.

    Args:
        bench: Has them.
        unix_ms: The time of day.
    """

    DEFAULT_CSS = """
    RunsScreen #runs-state { height: 1; color: $text-muted; text-overflow: ellipsis; text-wrap: nowrap; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("r", "resume", "Resume", id="runs.resume")]

    def __init__(
        self, bench: Benchmarks, *, unix_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        super().__init__()
        self._bench = bench
        self._unix_ms = unix_ms
        self._runs: dict[str, RunSummary] = {}

    @property
    def table(self) -> RowTable:
        """The list, what has the focus."""
        return self.query_one(RowTable)

    def compose(self) -> ComposeResult:
        with Vertical(id="runs-box", classes="full") as box:
            box.border_title = "Runs"
            box.border_subtitle = "Enter shows a run · r resumes it · Esc goes back"
            yield _Table(_COLUMNS, empty_text="Reading …", id="runs-table")
            yield Static(id="runs-state", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Read the list."""
        self.table.focus()
        self._read()

    def action_resume(self) -> None:
        """Do what is left of the run under the cursor."""
        run = self._runs.get(self.table.cursor_key or "")
        if run is None:
            return
        if self._bench.is_running:
            tell(self, "a benchmark is under way: wait until it ends, or stop it", is_warning=True)
        elif run.status is RunStatus.COMPLETED:
            tell(self, "this run is complete: nothing is left of it", is_warning=True)
        else:
            self.dismiss(RunChosen(run_id=run.id, resumes=True))

    @on(RowTable.RowActivated)
    def _chosen(self, message: RowTable.RowActivated) -> None:
        message.stop()
        self.dismiss(RunChosen(run_id=message.key, resumes=False))

    @on(RowTable.RowHighlighted)
    def _moved(self, message: RowTable.RowHighlighted) -> None:
        message.stop()
        run = self._runs.get(message.key or "")
        words = "" if run is None else f"{run.id[:8]} · {clean_line(', '.join(run.models), 300)}"
        self.query_one("#runs-state", Static).update(words, layout=False)

    @work(group="read")
    async def _read(self) -> None:
        try:
            runs = await self._bench.store.runs(limit=_MOST)
        except FoundryTuiError as error:
            self.table.empty_text = error_words(error)
            return
        self._runs = {run.id: run for run in runs}
        self.table.empty_text = _EMPTY
        self.table.set_rows([self._row(run) for run in runs])

    def _row(self, run: RunSummary) -> Row:
        state = self._bench.state.value
        is_here = self._bench.is_running and state is not None and state.run.id == run.id
        status = run.status.value
        if run.status is RunStatus.RUNNING and not is_here:
            status = "not ended"  # its process died, or is another one
        emphasis = Emphasis.PROBLEM if run.status is RunStatus.FAILED else Emphasis.NORMAL
        return Row(
            key=run.id,
            cells=(
                run.name or run.id[:8],
                f"{age_in_words((self._unix_ms() - run.started_unix_ms) / 1000)} ago",
                status,
                f"{run.requests}",
                ", ".join(run.models),
            ),
            emphasis=emphasis,
        )

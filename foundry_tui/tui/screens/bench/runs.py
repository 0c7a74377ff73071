"""The runs that were kept: to be looked at again, or resumed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from foundry_tui.domain.bench import ModelRun, RunStatus, RunSummary
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.errors import error_words
from foundry_tui.services.bench.service import Benchmarks
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.presenters import age_in_words
from foundry_tui.tui.screens.bench.describing import Describing, ask_to_describe
from foundry_tui.tui.screens.bench.history import HistoryScreen
from foundry_tui.tui.screens.bench.replay import ReplayScreen, first_to_play
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.screens.tagging import tags_in_words
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
_MARK = "✓ "
_EMPTY = "No run was kept yet.\n\nEsc goes back; n there plans the first one."


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChosen:
    """A run of the list, to be shown or, if ``resumes``, to be gone on with."""

    run_id: str
    resumes: bool


class _Table(RowTable):
    """Its Enter is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,v", "activate", "Show", key_display="⏎", id="runs.open"),
        Binding("space", "screen.mark", "Mark", key_display="␣", id="runs.mark"),
    ]


class RunsScreen(Overlay[RunChosen]):
    """Lists runs, the newest first; closes with the one that was chosen.

    Args:
        bench: Has them.
        choose: Opens the page on which one chooses among the models of the runs with these ids.
        is_plain: Whether what it plays does without colours and blocks.
        unix_ms: The time of day.
    """

    DEFAULT_CSS = """
    RunsScreen #runs-state { height: 1; color: $text-muted; text-overflow: ellipsis; text-wrap: nowrap; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "resume", "Resume", id="runs.resume"),
        Binding("p", "play", "Play", id="runs.play"),
        Binding("d", "choose", "Decide", id="runs.choose"),
        Binding("h", "history", "History", id="runs.history"),
        Binding("t", "describe('tags')", "Tags", id="runs.tags"),
        Binding("n", "describe('note')", "Note", id="runs.note"),
        Binding("m", "describe('name')", "Rename", id="runs.rename"),
    ]

    def __init__(
        self,
        bench: Benchmarks,
        *,
        choose: Callable[[Sequence[str]], None],
        is_plain: bool = False,
        unix_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        super().__init__()
        self._bench = bench
        self._choose = choose
        self._is_plain = is_plain
        self._unix_ms = unix_ms
        self._runs: dict[str, RunSummary] = {}
        self._marked: dict[str, None] = {}

    @property
    def table(self) -> RowTable:
        """The list, what has the focus."""
        return self.query_one(RowTable)

    def compose(self) -> ComposeResult:
        with Vertical(id="runs-box", classes="full") as box:
            box.border_title = "Runs"
            box.border_subtitle = "Enter shows a run · p plays it · r resumes it · Esc goes back"
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

    def action_mark(self) -> None:
        """Mark the run under the cursor for a choice, or take its mark away."""
        key = self.table.cursor_key
        if key in self._marked:
            del self._marked[key]
        elif key is not None:
            self._marked[key] = None
        self.table.set_rows([self._row(run) for run in self._runs.values()])

    def action_choose(self) -> None:
        """Choose among the models of the marked runs, or of the one under the cursor, by limits."""
        if self.table.cursor_key is not None:
            self._choose(tuple(self._marked) or (self.table.cursor_key,))

    def action_history(self) -> None:
        """Show how the models of the run under the cursor stood in the runs before and after it."""
        if (run := self._runs.get(self.table.cursor_key or "")) is not None:
            # Of every version: that is what a history is for.
            models = dict.fromkeys(ModelRun(model=name).variant for name in run.models)
            self.app.push_screen(HistoryScreen(self._bench.store, tuple(models)))

    def action_describe(self, what: str) -> None:
        """Write tags, a note or a name to the run under the cursor."""
        if (key := self.table.cursor_key) is not None:
            self._describe(key, Describing(what))

    @work(exclusive=True, group="describe")
    async def _describe(self, run_id: str, what: Describing) -> None:
        try:
            if await ask_to_describe(self, self._bench.store, run_id, what, self._runs.values()):
                self._read()
        except FoundryTuiError as error:
            complain(self, error)

    def action_play(self) -> None:
        """Play the answers of the run under the cursor, one after the other."""
        if (key := self.table.cursor_key) is not None:
            self._play(key)

    @work(exclusive=True, group="play")
    async def _play(self, run_id: str) -> None:
        try:
            run = await self._bench.store.run(run_id)
            requests = await self._bench.store.requests(run_id)
            resources = await self._bench.store.resources(run_id)
        except FoundryTuiError as error:
            complain(self, error)
            return
        if run is None or not requests:
            tell(self, "nothing of this run can be played: no request of it was kept", is_warning=True)
            return
        if not self.is_current:
            return  # a second key was quicker than the disk
        screen = ReplayScreen(
            requests,
            first_to_play(requests),
            prompts=run.plan.prompts,
            resources=resources,
            goes_on=True,
            is_plain=self._is_plain,
            is_measuring=lambda: self._bench.is_running,
        )
        self.app.push_screen(screen)

    @on(RowTable.RowActivated)
    def _chosen(self, message: RowTable.RowActivated) -> None:
        message.stop()
        self.dismiss(RunChosen(run_id=message.key, resumes=False))

    @on(RowTable.RowHighlighted)
    def _moved(self, message: RowTable.RowHighlighted) -> None:
        message.stop()
        self._say(message.key)

    def _say(self, key: str | None) -> None:
        run = self._runs.get(key or "")
        words = "" if run is None else f"{run.id[:8]} · {clean_line(', '.join(run.models), 300)}"
        if run is not None and run.tags:
            words = f"{words} · tags: {clean_line(tags_in_words(run.tags), 100)}"
        self.query_one("#runs-state", Static).update(words, layout=False)

    @work(group="read")
    async def _read(self) -> None:
        try:
            runs = await self._bench.store.runs(limit=_MOST)
        except FoundryTuiError as error:
            self.table.empty_text = error_words(error)
            return
        self._runs = {run.id: run for run in runs}
        self._marked = {key: None for key in self._marked if key in self._runs}
        self.table.empty_text = _EMPTY
        self.table.set_rows([self._row(run) for run in runs])
        self._say(self.table.cursor_key)  # the same run, but its tags may be others

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
                f"{_MARK if run.id in self._marked else ''}{run.name or run.id[:8]}",
                f"{age_in_words((self._unix_ms() - run.started_unix_ms) / 1000)} ago",
                status,
                f"{run.requests}",
                ", ".join(run.models),
            ),
            emphasis=emphasis,
        )

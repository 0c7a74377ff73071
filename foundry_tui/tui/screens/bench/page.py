"""A run as the benchmark page shows it: state, models, what is drawn of them, the request in flight."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from foundry_tui.domain.bench import ModelRun, ResourceReading
from foundry_tui.domain.bench_reruns import RoundAgain
from foundry_tui.domain.text import clean_line
from foundry_tui.services.bench.state import BenchState, Step
from foundry_tui.tui.screens.bench.canvas import BenchCanvas
from foundry_tui.tui.screens.bench.flight import BenchFlight
from foundry_tui.tui.screens.bench.rows import (
    TIGHT_COLUMNS,
    blank_words,
    columns_for,
    detail_lines,
    rows_of,
    state_words,
)
from foundry_tui.tui.screens.bench.summary import BenchSummary
from foundry_tui.tui.screens.bench.tally import RunTally
from foundry_tui.tui.screens.bench.views import BenchViews
from foundry_tui.tui.widgets.row_table import RowTable

__all__ = ["BenchPage"]

_EMPTY = (
    "No benchmark runs.\n\n"
    "n plans one: models, prompts and rounds.\n"
    "r lists the runs that were kept; one that was stopped can be resumed."
)
_LEAVES = "Esc leaves; a run goes on"
_LEAST_CELLS = 20


class _Table(RowTable):
    """Its Enter is shown: the requests are behind it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,v", "activate", "Requests", key_display="⏎", id="bench.requests"),
        Binding("space", "screen.mark", "Mark", key_display="␣", id="bench.mark"),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what is behind a row only where there is one."""
        return action != "activate" or bool(self.rows)


class BenchPage(Vertical):
    """Shows one moment of a run; only what has changed is painted."""

    DEFAULT_CSS = """
    BenchPage .bench-line { height: 1; text-overflow: ellipsis; text-wrap: nowrap; }
    BenchPage #bench-state { color: $text; text-style: bold; }
    BenchPage.-problem #bench-state { color: $text-error; }
    BenchPage #bench-detail { height: 3; border-top: solid $panel; color: $text-muted; }
    BenchPage #bench-blank { display: none; color: $text-muted; }
    BenchPage.-empty #bench-state, BenchPage.-empty BenchViews { display: none; }
    BenchPage.-empty #bench-detail, BenchPage.-empty BenchFlight { display: none; }
    BenchPage.-blank > * { display: none; }
    BenchPage.-blank > #bench-blank { display: block; }
    """

    def __init__(self, *, is_plain: bool, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="full")
        self.border_title = "Benchmark"
        self._subtitle = self.border_subtitle = _LEAVES
        self._is_plain = is_plain
        self._tally = RunTally()
        self._shown: BenchState | None = None
        self._resources: Sequence[ResourceReading] = ()
        self._words: dict[str, str] = {}
        self._marked: dict[str, None] = {}

    @property
    def marked(self) -> tuple[str, ...]:
        """Names in the plan of the models that were marked, in that order."""
        return tuple(self._marked)

    @property
    def table(self) -> RowTable:
        """One row for each model, what has the focus."""
        return self.query_one(RowTable)

    @property
    def views(self) -> BenchViews:
        """What is drawn below the table."""
        return self.query_one(BenchViews)

    @property
    def marked_rounds(self) -> tuple[RoundAgain, ...]:
        """Rounds of an ended run that can be measured again, as soon as they are known."""
        return self.query_one(BenchSummary).marked

    @property
    def flight(self) -> BenchFlight:
        """The request in flight, or the last one."""
        return self.query_one(BenchFlight)

    @property
    def is_blank(self) -> bool:
        """Whether it was told to paint nothing."""
        return self.has_class("-blank")

    def compose(self) -> ComposeResult:
        yield Static(id="bench-blank", classes="bench-line", markup=False)
        yield Static(id="bench-state", classes="bench-line", markup=False)
        yield BenchSummary(id="bench-summary")
        yield _Table(TIGHT_COLUMNS, empty_text=_EMPTY, id="bench-table")
        yield BenchViews(is_plain=self._is_plain, id="bench-views")
        yield Static(id="bench-detail", markup=False)
        yield BenchFlight(id="bench-flight")

    def on_mount(self) -> None:
        """Do without colours and blocks where the ribbon does, by wish or because of the terminal."""
        self.call_after_refresh(self._take_signs)

    def show(self, state: BenchState | None, resources: Sequence[ResourceReading], lag: str) -> None:
        """Show this moment.

        Args:
            state: Of the run; None where none was begun.
            resources: What was read of the machine over it.
            lag: How late the screen is, in words; "" for nothing to tell.
        """
        is_new = state is not self._shown
        if state is None or self._shown is None or state.run.id != self._shown.run.id:
            self._marked.clear()
        self._shown, self._resources = state, resources
        if self.is_blank:
            self._put("bench-blank", blank_words(state))
            return
        self.set_class(state is None, "-empty")
        if is_new and state is not None:
            self._tally.take(state)
        self.query_one(BenchSummary).show(state, is_low=self.screen.has_class("-short"))
        self._show_table(state)
        self._show_state(state, lag)
        self._show_detail()
        self._show_drawn()

    def mark(self) -> None:
        """Mark the model under the cursor, or take its mark away."""
        key = self.table.cursor_key
        if key in self._marked:
            del self._marked[key]
        elif key is not None:
            self._marked[key] = None
        self._show_table(self._shown)

    def set_blank(self, is_blank: bool) -> None:
        """Show nothing but a line that says so from the next ``show`` on, or all again."""
        self.set_class(is_blank, "-blank")

    def _take_signs(self) -> None:
        ribbon = self.flight.ribbon
        ribbon.plain = self.views.is_plain = ribbon.plain or self._is_plain
        self._show_drawn()

    def _show_table(self, state: BenchState | None) -> None:
        table = self.table
        width = table.scrollable_content_region.width
        rows = () if state is None else tuple(rows_of(state, self._tally, width=width, marked=self.marked))
        if len(rows) != len(table.rows):
            table.refresh(layout=True)  # it is as high as its rows
        if table.columns is not (columns := columns_for(width)):
            table.set_columns(columns, rows)
        elif rows != table.rows:
            table.set_rows(rows)

    def _show_state(self, state: BenchState | None, lag: str) -> None:
        words = "" if state is None else state_words(state)
        if state is not None and state.run.name:
            words = f"{clean_line(state.run.name, 40)} · {words}"
        self._put("bench-state", words)
        leaves = _LEAVES if len(lag) + len(_LEAVES) < self.size.width - 8 else "Esc leaves"
        subtitle = f"{lag} · {leaves}" if lag else _LEAVES
        if subtitle != self._subtitle:
            self._subtitle = self.border_subtitle = subtitle
        self.set_class(state is not None and state.problem is not None, "-problem")
        self.set_class(state is not None and state.step is Step.ENDED, "-ended")

    def _show_detail(self) -> None:
        state, model = self._shown, self._model()
        lines: list[str] = []
        if state is not None and model is not None:
            width = max(_LEAST_CELLS, self.table.size.width - 2)
            lines = detail_lines(state, model, self._tally.of(model.model), cells=width)
        self._put("bench-detail", "\n".join(lines))

    def _show_drawn(self) -> None:
        state, chosen = self._shown, self.table.cursor_key
        self.flight.show(state, chosen)
        if state is not None:
            track = self.flight.track
            self.views.show(state, self._tally, track=track, chosen=chosen, resources=self._resources)

    def _model(self) -> ModelRun | None:
        state, key = self._shown, self.table.cursor_key
        if state is None or key is None:
            return None
        return next((model for model in state.run.models if model.model == key), None)

    @on(RowTable.RowHighlighted)
    def _moved(self, message: RowTable.RowHighlighted) -> None:
        message.stop()
        if not self.is_blank:
            self._show_detail()
            self._show_drawn()

    @on(BenchCanvas.Pressed)
    def _pressed(self, message: BenchCanvas.Pressed) -> None:
        message.stop()
        self.table.move_cursor_to(message.key)

    def _put(self, name: str, words: str) -> None:
        """Write a line, if it is another one."""
        if self._words.get(name) != words:
            self._words[name] = words
            self.query_one(f"#{name}", Static).update(words, layout=False)

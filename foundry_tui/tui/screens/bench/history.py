"""One model over its runs: a chart, a table, and what changed between two of them."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.measures import Measure
from foundry_tui.ports.storage import RunStore
from foundry_tui.reports.comparison_words import MEASURE_WORDS
from foundry_tui.reports.errors import error_words
from foundry_tui.reports.run_history import (
    HistoryPoint,
    chart_lines,
    history,
    history_rows,
    since_lines,
)
from foundry_tui.services.bench.history import model_history
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import RowTable
from foundry_tui.tui.widgets.table_parts import Align, Column, Emphasis, Row

__all__ = ["HistoryScreen"]

_MEASURES = (Measure.DECODE_RATE, Measure.TTFT, Measure.LATENCY)
_MOST = 20
"""Runs that are read: as many as a chart can be read of."""
_COLUMNS = (
    Column(key="run", label="Run", width=8, priority=9),
    Column(key="begun", label="Begun (UTC)", width=16, priority=5),
    Column(key="variant", label="Variant", width=12, weight=2, priority=2),
    Column(key="version", label="Version", width=18, weight=2, priority=6),
    Column(key="driver", label="Driver", width=8, weight=1, priority=1),
    Column(key="provider", label="EP", width=8, weight=1, priority=4),
    Column(key="device", label="Device", width=6, priority=3),
    Column(key="median", label="Median", width=10, align=Align.RIGHT, priority=8),
    Column(key="interval", label="95 %", width=18, align=Align.RIGHT, priority=7),
    Column(key="n", label="n", width=4, align=Align.RIGHT, priority=8),
)
_FIRST = "The first run of it that is shown: what is below is held against the one above."


class HistoryScreen(Overlay[None]):
    """Shows how a model stood in each run that measured it, the oldest first.

    Args:
        store: Has the runs.
        models: By any name; the first is shown, the others by key.
    """

    DEFAULT_CSS = """
    HistoryScreen #history-table { height: 1fr; min-height: 4; }
    HistoryScreen #history-chart { height: auto; max-height: 45%; }
    HistoryScreen #history-since { height: 3; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "measure", "Measure", id="history.measure"),
        Binding("o", "model", "Other model", id="history.model"),
    ]

    def __init__(self, store: RunStore, models: Sequence[str]) -> None:
        super().__init__()
        self._store = store
        self._models = tuple(models)
        self._place = 0
        self._is_new = True
        self._measure = _MEASURES[0]
        self._points: tuple[HistoryPoint, ...] = ()
        self._since: dict[str, str] = {}

    @property
    def table(self) -> RowTable:
        """The runs, what has the focus."""
        return self.query_one(RowTable)

    def compose(self) -> ComposeResult:
        with Vertical(id="history-box", classes="full") as box:
            box.border_subtitle = "m another measure · Esc goes back"
            yield RowTable(_COLUMNS, empty_text="Reading …", id="history-table")
            with VerticalScroll(id="history-chart", can_focus=False):
                yield Static(id="history-drawing", markup=False)
            yield Static(id="history-since", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Read the runs of the first model."""
        self.table.focus()
        self._read()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer another model only where there is one."""
        return action != "model" or len(self._models) > 1

    def action_measure(self) -> None:
        """Show the next of decode rate, time to first token and latency."""
        self._measure = _MEASURES[(_MEASURES.index(self._measure) + 1) % len(_MEASURES)]
        self._read()

    def action_model(self) -> None:
        """Show the next model of the run that this was opened from."""
        self._place = (self._place + 1) % len(self._models)
        self._is_new = True
        self._read()

    @on(RowTable.RowHighlighted)
    def _moved(self, message: RowTable.RowHighlighted) -> None:
        message.stop()
        self._say(message.key)

    @on(Resize)
    def _draw(self) -> None:
        chart = self.query_one("#history-chart")
        # Two cells are left for the bar that a long list brings.
        lines = chart_lines(self._points, cells=max(20, chart.content_size.width - 2))
        self.query_one("#history-drawing", Static).update("\n".join(lines))

    @work(exclusive=True, group="read")
    async def _read(self) -> None:
        model, measure = self._models[self._place], self._measure
        title = f"History of {clean_line(model, 60)}: {MEASURE_WORDS[measure]}"
        self.query_one("#history-box").border_title = Content(title)
        try:
            measured = await model_history(self._store, model, limit=_MOST)
        except FoundryTuiError as error:
            self.table.empty_text = error_words(error)
            return
        # In a thread: the comparisons draw thousands of samples.
        self._points = await asyncio.to_thread(history, measured, measure)
        self._show()

    def _show(self) -> None:
        keys = [f"{point.side.run.id}/{point.side.model.model}" for point in self._points]
        behind_first = [
            key for key, point in zip(keys, self._points, strict=True) if point.before is not None
        ]
        self._since = dict(zip(behind_first, since_lines(self._points), strict=True))
        self.table.empty_text = "No run has measured it."
        self.table.set_rows(
            [
                Row(key=key, cells=cells, emphasis=Emphasis.DIM if point.refused else Emphasis.NORMAL)
                for key, point, cells in zip(keys, self._points, history_rows(self._points), strict=True)
            ]
        )
        if keys and self._is_new:
            self.table.move_cursor_to(keys[-1])
        self._is_new = False
        self._draw()
        self._say(self.table.cursor_key)

    def _say(self, key: str | None) -> None:
        words = "" if key is None else self._since.get(key, _FIRST)
        self.query_one("#history-since", Static).update(words, layout=False)

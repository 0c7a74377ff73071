"""Choosing among the models of kept runs: limits, what was measured, the Pareto list, and a chart."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label, Static

from foundry_tui.domain.errors import BadInput, FoundryTuiError
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.candidate import COMPARED, Dimension, Unknown, worth
from foundry_tui.metrics.selection import Asked, value_of
from foundry_tui.ports.storage import RunStore, ScoreStore
from foundry_tui.reports.choice import Choice, choice
from foundry_tui.reports.choice_points import choice_points
from foundry_tui.reports.choice_tables import letters
from foundry_tui.reports.errors import error_words
from foundry_tui.reports.limit_line import Wanted, just_kept, limit_line, read_limit_line, with_limit
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.screens.choose.chart import ChoiceChart
from foundry_tui.tui.screens.choose.files import write_decision
from foundry_tui.tui.screens.choose.reading import Field, read_field
from foundry_tui.tui.screens.choose.rows import columns_for, rows_of
from foundry_tui.tui.screens.choose.words import (
    BUSY,
    EMPTY,
    LIMITS_HINT,
    detail_words,
    paragraphs,
    state_words,
    title_words,
)
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.fields import LineField
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import RowTable
from foundry_tui.tui.widgets.sheet import Sheet

__all__ = ["ChooseScreen"]

_LIMIT_OF = {
    Dimension.LATENCY: Asked.LATENCY,
    Dimension.THROUGHPUT: Asked.RATE,
    Dimension.MEMORY: Asked.MEMORY,
    Dimension.QUALITY: Asked.QUALITY,
    Dimension.FOOTPRINT: Asked.FOOTPRINT,
    Dimension.LICENSE: Asked.LICENSES,
}
"""Which limit the keys set; that of the first token is typed."""
_DIMENSIONS = tuple(Dimension)
_HAS_CHOICE = frozenset({"take", "clear", "weigh", "decide", "pick"})


class _Table(RowTable):
    """Left and right pick the column that the keys work on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "screen.pick(-1)", "Column to the left", show=False, id="choose.left"),
        Binding("right", "screen.pick(1)", "Column to the right", show=False, id="choose.right"),
    ]


class ChooseScreen(Overlay[None]):
    """Judges the candidates anew whenever a limit changes; the resamples are drawn in a thread.

    Args:
        runs: Where runs are kept.
        scores: Where their scores are.
        run_ids: Whose models one chooses among; the newest run where none is named.
        is_plain: Whether it does without colours.
        unix_ms: The time of day.
    """

    HELP = (
        "Nothing is folded into one number. Limits say who fits; what is not known neither passes nor fails. "
        "The rest is the Pareto list: whom no other one beats, and in which share of 1,000 resamples of the "
        "measured answers that holds. Limits are typed (l), or taken from the row under the cursor (t) for "
        "the column between the marks, which the arrows move."
    )
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - as the base class declares it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012 - likewise
    # The style sheet of the app is stronger than what a class says by default.
    CSS = """
    ChooseScreen #choose-table { height: auto; max-height: 45%; scrollbar-size-horizontal: 0; }
    ChooseScreen.-short #choose-table { max-height: 7; }
    ChooseScreen.-empty #choose-table { height: 1fr; max-height: 100%; }
    """
    DEFAULT_CSS = """
    ChooseScreen #choose-asked { height: 1; }
    ChooseScreen #choose-asked Label { width: 8; color: $text-muted; }
    ChooseScreen #choose-limits { width: 1fr; }
    ChooseScreen #choose-state { height: 1; text-style: bold; text-overflow: ellipsis; text-wrap: nowrap; }
    ChooseScreen #choose-state.-problem { color: $text-error; }
    ChooseScreen #choose-state.-busy { color: $text-muted; }
    ChooseScreen #choose-detail { height: 6; border-top: solid $panel; color: $text-muted; }
    ChooseScreen.-short #choose-detail { height: 5; }
    ChooseScreen #choose-below { height: 1fr; min-height: 4; }
    ChooseScreen #choose-list { width: 1fr; border-top: solid $panel; border-title-color: $text-muted; }
    ChooseScreen #choose-chart { width: 1fr; }
    ChooseScreen.-wide #choose-list { margin-right: 1; }
    ChooseScreen.-narrow #choose-chart { display: none; }
    ChooseScreen.-narrow.-drawn #choose-chart { display: block; }
    ChooseScreen.-narrow.-drawn #choose-list { display: none; }
    ChooseScreen.-short.-narrow.-drawn #choose-detail { display: none; }
    ChooseScreen.-empty #choose-detail, ChooseScreen.-empty #choose-below { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "limits", "Limits", id="choose.limits"),
        Binding("t", "take", "Take as limit", id="choose.take"),
        Binding("x", "clear", "No limit", id="choose.clear"),
        Binding("g", "weigh", "Weights", id="choose.weights"),
        Binding("w", "view", "Chart", id="choose.view"),
        Binding("d", "decide", "Decision record", id="choose.decide"),
    ]

    def __init__(
        self,
        runs: RunStore,
        scores: ScoreStore,
        run_ids: Sequence[str] = (),
        *,
        is_plain: bool = False,
        unix_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        super().__init__()
        self._runs = runs
        self._scores = scores
        self._run_ids = tuple(run_ids)
        self._is_plain = is_plain
        self._unix_ms = unix_ms
        self._field: Field | None = None
        self._wanted = Wanted()
        self._found: Choice | None = None
        self._weighs = False
        self._picked = Dimension.LATENCY

    @property
    def table(self) -> RowTable:
        """The candidates, what has the focus."""
        return self.query_one(RowTable)

    @property
    def line(self) -> Input:
        """Where limits are typed."""
        return self.query_one("#choose-limits", Input)

    @property
    def found(self) -> Choice | None:
        """What is shown; None before it was reckoned."""
        return self._found

    def compose(self) -> ComposeResult:
        with Vertical(id="choose-box", classes="full") as box:
            box.border_title = "Choose a model"
            with Horizontal(id="choose-asked"):
                yield Label("Limits")
                yield LineField(placeholder=LIMITS_HINT, id="choose-limits", compact=True)
            yield Static("Reading …", id="choose-state", classes="-busy", markup=False)
            yield _Table(columns_for(0, self._picked), empty_text="Reading …", id="choose-table")
            yield Static(id="choose-detail", markup=False)
            with Horizontal(id="choose-below"):
                yield Sheet(id="choose-list")
                yield ChoiceChart(id="choose-chart")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Read what there is."""
        self.query_one("#choose-list").border_title = " Pareto list "
        self.query_one(ChoiceChart).is_plain = self._is_plain
        self.add_class("-empty")
        self.table.focus()
        self._read()

    def on_resize(self) -> None:
        """Other columns find room, and the chart has another size."""
        self.call_after_refresh(self._show)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        if action in _HAS_CHOICE:
            return self._found is not None
        return action != "view" or not self.has_class("-wide")

    def escape(self) -> bool:
        """Leave the line as it was before; False where nobody types."""
        if not self.line.has_focus:
            return False
        self._show_line()
        self.table.focus()
        return True

    def action_limits(self) -> None:
        """Type limits."""
        self.line.focus()

    def action_pick(self, columns: int) -> None:
        """Let the keys work on another column."""
        place = (_DIMENSIONS.index(self._picked) + columns) % len(_DIMENSIONS)
        self._picked = _DIMENSIONS[place]
        self._show_table()

    def action_take(self) -> None:
        """Ask of all what the candidate under the cursor just keeps to, in the column that was picked."""
        if self._found is None or self._place is None:
            return
        asked = _LIMIT_OF[self._picked]
        value = value_of(self._found.judged[self._place].candidate, asked)
        if isinstance(value, Unknown):
            tell(self, f"nothing to take: {self._picked.value} is n/a here, {value.why}", is_warning=True)
            return
        self._want(with_limit(self._wanted, asked, just_kept(asked, value)))

    def action_clear(self) -> None:
        """Ask nothing any more in the column that was picked."""
        self._want(with_limit(self._wanted, _LIMIT_OF[self._picked], None))

    def action_weigh(self) -> None:
        """Print an order by weights beside the Pareto list, or no more."""
        if self._found is None:
            return
        self._weighs = not self._weighs
        self._found = self._weighed(self._found)
        self._show_below()

    def action_view(self) -> None:
        """Draw the chart in place of the list, or list again, where there is no room for both."""
        self.toggle_class("-drawn")
        self.call_after_refresh(self._show_below)

    @work(exclusive=True, group="ask")
    async def action_decide(self) -> None:
        """Write a decision record of what is shown."""
        found, field = self._found, self._field
        if found is None or field is None:
            return
        try:
            await write_decision(self, found, field.runs, made_unix_ms=self._unix_ms())
        except FoundryTuiError as error:
            complain(self, error)

    # --- what is shown

    @property
    def _place(self) -> int | None:
        key = self.table.cursor_key
        return None if key is None else int(key)

    @work(exclusive=True, group="read")
    async def _read(self) -> None:
        try:
            field = await read_field(self._runs, self._scores, self._run_ids)
        except FoundryTuiError as error:
            self.table.empty_text = error_words(error)
            self._say("Nothing could be read", is_problem=True)
            return
        if not field.candidates:
            self.table.empty_text = EMPTY
            self._say("")
            return
        self._field = field
        self.query_one("#choose-box").border_title = title_words(field)
        self._reckon()

    def _want(self, wanted: Wanted) -> None:
        """Ask this from now on."""
        self._wanted = wanted
        self._show_line()
        self._reckon()

    @work(exclusive=True, group="reckon")
    async def _reckon(self) -> None:
        if (field := self._field) is None:
            return
        self._say(BUSY, is_busy=True)
        limits = self._wanted.limits
        found = await asyncio.to_thread(choice, field.candidates, limits, unlike=field.unlike)
        self._found = self._weighed(found)
        self.remove_class("-empty")
        self.refresh_bindings()
        self._say(state_words(found))
        self.call_after_refresh(self._show)

    def _weighed(self, found: Choice) -> Choice:
        """With the weights that were typed, else with all alike; without any while nobody asks for them."""
        return found.weighed((self._wanted.weights or _alike(found)) if self._weighs else {})

    def _say(self, words: str, *, is_busy: bool = False, is_problem: bool = False) -> None:
        state = self.query_one("#choose-state", Static)
        state.set_class(is_busy, "-busy")
        state.set_class(is_problem, "-problem")
        state.update(words, layout=False)

    def _show_line(self) -> None:
        self.line.value = clean_line(limit_line(self._wanted))

    def _show(self) -> None:
        self._show_table()
        self._show_detail()
        self._show_below()

    def _show_table(self) -> None:
        if self._found is None:
            return
        subtitle = f"← → limit on {self._picked.value} · t takes it from the row · Esc goes back"
        self.query_one("#choose-box").border_subtitle = subtitle
        table = self.table
        width = table.scrollable_content_region.width
        rows = rows_of(self._found, width)
        if len(rows) != len(table.rows):
            table.refresh(layout=True)  # it is as high as its rows
        table.set_columns(columns_for(width, self._picked), rows)

    def _show_detail(self) -> None:
        found, place = self._found, self._place
        words = "" if found is None or place is None else detail_words(found, place)
        self.query_one("#choose-detail", Static).update(words, layout=False)

    def _show_below(self) -> None:
        if self._found is None or self._field is None:
            return
        self.query_one("#choose-list", Sheet).set_paragraphs(paragraphs(self._found, self._field))
        chart = self.query_one(ChoiceChart)
        place = self._place
        chosen = None if place is None else letters(place + 1)[place]
        chart.show_points(choice_points(self._found), chosen)

    @on(RowTable.RowHighlighted)
    def _moved(self, message: RowTable.RowHighlighted) -> None:
        message.stop()
        self._show_detail()
        self._show_below()

    @on(RowTable.HeaderPressed)
    def _header_pressed(self, message: RowTable.HeaderPressed) -> None:
        message.stop()
        if message.column_key in set(Dimension):
            self._picked = Dimension(message.column_key)
            self._show_table()

    @on(Input.Submitted)
    def _typed(self, message: Input.Submitted) -> None:
        message.stop()
        try:
            wanted = read_limit_line(message.value)
        except BadInput as error:
            self._say(str(error), is_problem=True)
            return
        self._weighs = self._weighs or bool(wanted.weights)
        self._want(wanted)
        self.table.focus()


def _alike(found: Choice) -> dict[Dimension, float]:
    """Weight 1 for whatever is known of all that fit."""
    fitting = [standing.candidate for standing in found.standings]
    return {
        dimension: 1.0
        for dimension in COMPARED
        if all(worth(each, dimension) is not None for each in fitting)
    }

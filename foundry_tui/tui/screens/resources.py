"""The machine as it goes on: what is used of it, what happened meanwhile, and which model took what."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import ClassVar

from rich.cells import cell_len
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from foundry_tui.domain.engine import EngineState
from foundry_tui.domain.errors import EngineError
from foundry_tui.domain.quantities import span_in_words
from foundry_tui.domain.resources import ResourceSample
from foundry_tui.domain.timeline import Happening
from foundry_tui.reports.machine import (
    absence_lines,
    cost_words,
    happening_words,
    share_words,
    shared_note,
    trouble_words,
)
from foundry_tui.services.chronicle import Chronicle
from foundry_tui.services.reclaim import Reclaimed
from foundry_tui.tui.paint_budget import PaintBudget
from foundry_tui.tui.screens.overlay import ConfirmScreen, Overlay
from foundry_tui.tui.screens.resources_held import HeldLine
from foundry_tui.tui.screens.resources_picture import Stretch, lines_of, picture
from foundry_tui.tui.screens.resources_rows import EVENT_COLUMNS, MODEL_COLUMNS, event_rows, model_rows
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import RowTable
from foundry_tui.tui.widgets.table_parts import Column
from foundry_tui.tui.widgets.time_plot import Plot, TimePlot

__all__ = ["ResourcesScreen"]

_NS_PER_S = 1_000_000_000
_ZOOMS: tuple[tuple[int | None, str], ...] = (
    (15, "15 s"),
    (60, "1 min"),
    (300, "5 min"),
    (1800, "30 min"),
    (None, "all of the session"),
)
_FIRST_ZOOM = 1
_LEAST_SPAN_NS = 10 * _NS_PER_S
_PERIODS = 2
"""Of the budget: its four drawings a second are two here."""
_MARKS_ROWS = 1
_JUMP_CELLS = 10
_NEAR_CELLS = 1
_NO_MODEL = (
    "No model was loaded so far. 1 leads to the catalog, l loads there: what each takes before, loaded, at "
    "most and after stands here then."
)
_NO_EVENT = "Nothing has happened so far: loads, requests and whatever befalls the engine are listed here."
_NO_READING = "The machine is being read …"

_first = partial(Binding, priority=True)


def _time_of_day(at_ns: int) -> str:
    ago_ns = time.perf_counter_ns() - at_ns
    return time.strftime("%H:%M:%S", time.localtime((time.time_ns() - ago_ns) / _NS_PER_S))


class ResourcesScreen(Overlay[None]):
    """Draws twice a second, once while a benchmark measures, half of that where its loop is late.

    It draws nothing while another screen hides it or while it is paused; what is read and what happens is
    taken note of all the same, by the chronicle.

    Args:
        chronicle: Takes note of everything.
        sample: The newest readings.
        state: Of the engine.
        is_measuring: Whether a benchmark runs.
        obstacle: Why there is no host to restart; None where there is one.
        reclaim: Restarts the host, and says what that gave back.
        cost: What the readings take of a core; None while that is not known.
        is_plain: Whether it does without colours and Braille.
        clock_s: A monotonic clock, for how late the screen is.
        wait: Waits that many seconds, from one drawing to the next.
        wall: The time of day of a moment.
    """

    HELP = (
        "Memory of machine and GPU, and how busy both are, reach from nothing to all there is; the engine's"
        " own, below the whole that it is part of, and power up to their largest: GPU power "
        "is that of the boards, CPU power that of the processors' packages. On the line of events: E "
        "engine started, R restarted, e stopped, X died, ? silent, a answers again; l to L a model is "
        "loaded, x it was not, U unloaded; S stall; T to t throttled; D to d a download. Below it requests:"
        " [ begun, ] ended, ! failed, # several. Space makes the picture stand still, and the readings go "
        "on; arrows look back."
    )
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012 - as the base class declares it
    # The style sheet of the app is stronger than what a class says by default.
    CSS = """
    ResourcesScreen TimePlot { height: 1fr; min-height: 4; }
    ResourcesScreen RowTable { height: auto; min-height: 4; max-height: 6; border-top: solid $panel; }
    ResourcesScreen.-tall RowTable { max-height: 35%; }
    ResourcesScreen .resources-line { height: 1; text-overflow: ellipsis; text-wrap: nowrap; }
    ResourcesScreen #resources-shares { height: auto; max-height: 3; }
    ResourcesScreen #resources-state { color: $text-muted; }
    ResourcesScreen.-paused #resources-state { color: $text-warning; text-style: bold; }
    ResourcesScreen #resources-trouble { display: none; color: $text-warning; }
    ResourcesScreen.-trouble #resources-trouble { display: block; }
    ResourcesScreen #resources-event { color: $text-muted; }
    ResourcesScreen #resources-empty { display: none; height: 1fr; color: $text-muted; }
    ResourcesScreen.-empty #resources-empty { display: block; }
    ResourcesScreen.-empty TimePlot { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "Pause", key_display="␣", id="resources.pause"),
        Binding("plus,equals_sign", "zoom(-1)", "Zoom in", key_display="+", id="resources.zoom_in"),
        Binding("minus", "zoom(1)", "Zoom out", key_display="-", id="resources.zoom_out"),
        # Before the table, which would scroll aside: all its columns have room.
        _first("left", "look(-1)", "Earlier", key_display="←", id="resources.earlier"),
        _first("right", "look(1)", "Later", key_display="→", id="resources.later"),
        _first(
            "shift+left", f"look(-{_JUMP_CELLS})", "Much earlier", show=False, id="resources.much_earlier"
        ),
        _first("shift+right", f"look({_JUMP_CELLS})", "Much later", show=False, id="resources.much_later"),
        Binding("N", "event(-1)", "Event before", show=False, id="resources.previous_event"),
        Binding("n", "event(1)", "Next event", show=False, id="resources.next_event"),
        Binding("v", "view", "Models / events", id="resources.view"),
        Binding("r", "reclaim", "Restart host", id="resources.reclaim"),
    ]

    def __init__(
        self,
        chronicle: Chronicle,
        *,
        sample: Callable[[], ResourceSample | None],
        state: Callable[[], EngineState],
        is_measuring: Callable[[], bool],
        obstacle: Callable[[], EngineError | None],
        reclaim: Callable[[], Awaitable[Reclaimed]],
        cost: Callable[[], float | None] = lambda: None,
        is_plain: bool = False,
        clock_s: Callable[[], float] = time.monotonic,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        wall: Callable[[int], str] = _time_of_day,
    ) -> None:
        super().__init__()
        self._chronicle = chronicle
        self._sample = sample
        self._state = state
        self._is_measuring = is_measuring
        self._held = HeldLine(lambda: chronicle.holding, obstacle=obstacle, reclaim=reclaim)
        self._cost = cost
        self._is_plain = is_plain
        self._clock_s = clock_s
        self._wait = wait
        self._wall = wall
        self._budget = PaintBudget()
        self._zoom = _FIRST_ZOOM
        self._shown: ResourceSample | None = None
        self._paused_ns: int | None = None
        self._end_ns = 0
        self._cursor_ns: int | None = None
        self._cells = 1
        self._shows_events = False
        self._happenings: list[Happening] = []
        self._listed: tuple[int, bool] | None = None
        self._stays: Sequence[object] | None = None
        self._words: dict[str, str] = {}

    @property
    def plot(self) -> TimePlot:
        """What is used over time."""
        return self.query_one(TimePlot)

    @property
    def table(self) -> RowTable:
        """Models or events, what has the focus."""
        return self.query_one(RowTable)

    @property
    def keeps_still(self) -> bool:
        """Always: it covers what lies below, whose every change would paint all of this anew."""
        return True

    @property
    def is_paused(self) -> bool:
        """Whether the picture stands still."""
        return self._paused_ns is not None

    def compose(self) -> ComposeResult:
        with Vertical(id="resources-box", classes="full") as box:
            box.border_title = "Resources"
            box.border_subtitle = "Esc leaves; the readings go on"
            yield Static(id="resources-shares", markup=False)
            yield Static(id="resources-trouble", classes="resources-line", markup=False)
            yield Static(id="resources-state", classes="resources-line", markup=False)
            yield Static(_NO_READING, id="resources-empty", markup=False)
            yield TimePlot(id="resources-plot")
            yield RowTable(MODEL_COLUMNS, empty_text=_NO_MODEL, id="resources-table")
            yield self._held
            yield Static(id="resources-event", classes="resources-line", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show what is known, and go on."""
        self.plot.plain = self.plot.plain or self._is_plain
        self.table.focus()
        self._redraw()
        self._follow()

    def on_resize(self) -> None:
        """Words are put where there is room."""
        self.call_after_refresh(self._redraw)

    def on_screen_resume(self) -> None:
        """Catch up with what went on while another screen was shown."""
        if self.is_mounted:
            self._budget.forget()
            self._follow()

    def action_pause(self) -> None:
        """Have the picture stand still, or go on with the present."""
        if self.is_paused:
            self._paused_ns = self._cursor_ns = None
            self.remove_class("-paused")
            self._redraw()
            self._follow()
        else:
            self._pause()
            self._redraw()

    def action_zoom(self, steps: int) -> None:
        """Show less time in more detail, or more of it."""
        self._zoom = max(0, min(len(_ZOOMS) - 1, self._zoom + steps))
        if self._cursor_ns is not None:
            self._show_moment(self._cursor_ns)
        self._redraw()

    def action_look(self, cells: int) -> None:
        """Look at the moment so many cells later; it pauses."""
        if not self._pause():
            return
        stretch = self._stretch()
        cell_ns = max(1, (stretch.end_ns - stretch.begin_ns) // self._cells)
        at_ns = stretch.end_ns - cell_ns // 2 if self._cursor_ns is None else self._cursor_ns
        self._show_moment(at_ns + cells * cell_ns)
        self._redraw()

    def action_event(self, steps: int) -> None:
        """Look at the next thing that has happened, or at the one before."""
        if not self._pause():
            return
        self._take_happenings()
        at_ns = self._end_ns if self._cursor_ns is None else self._cursor_ns
        if steps > 0:
            found = next((one for one in self._happenings if one.at_ns > at_ns), None)
        else:
            found = next((one for one in reversed(self._happenings) if one.at_ns < at_ns), None)
        if found is not None:
            self._show_moment(found.at_ns)
        self._redraw()

    def action_view(self) -> None:
        """List models, or what has happened."""
        self._shows_events = not self._shows_events
        self._listed = None
        self._redraw()

    def action_reclaim(self) -> None:
        """Restart the host, to take back what unloaded models have left in it."""
        self._held.restart()

    @on(RowTable.RowActivated)
    def _activated(self, message: RowTable.RowActivated) -> None:
        """Look at the event under the cursor, or at the moment from which a model was loaded."""
        message.stop()
        at_ns, _, _ = message.key.partition(" ")
        if at_ns.isdecimal() and self._pause():
            self._show_moment(int(at_ns))
            self._redraw()

    # --- what is looked at

    def _pause(self) -> bool:
        """Stand still, if there is anything to look at."""
        if self._paused_ns is None and (newest := self._chronicle.history.newest) is not None:
            self._paused_ns = self._end_ns = max(newest.at_ns, self._chronicle.now_ns())
            self._shown = self._sample()
            self.add_class("-paused")
        return self.is_paused

    def _show_moment(self, at_ns: int) -> None:
        """Put the cursor there, and move the stretch if it lies outside."""
        begin_ns, paused_ns = self._chronicle.history.begin_ns, self._paused_ns
        if begin_ns is None or paused_ns is None:
            return
        self._cursor_ns = at_ns = max(begin_ns, min(paused_ns, at_ns))
        stretch = self._stretch()
        if at_ns < stretch.begin_ns:
            self._end_ns -= stretch.begin_ns - at_ns
        elif at_ns >= stretch.end_ns:
            self._end_ns = min(paused_ns, self._end_ns + at_ns - stretch.end_ns + 1)

    def _stretch(self) -> Stretch:
        begin_ns = self._chronicle.history.begin_ns or 0
        seconds, _ = _ZOOMS[self._zoom]
        now_ns = self._chronicle.now_ns() if self._paused_ns is None else self._paused_ns
        if seconds is None:
            span_ns = max(_LEAST_SPAN_NS, now_ns - begin_ns)
            return Stretch(begin_ns=now_ns - span_ns, end_ns=now_ns, now_ns=now_ns, cursor_ns=self._cursor_ns)
        span_ns = seconds * _NS_PER_S
        end_ns = now_ns if self._paused_ns is None else self._end_ns
        if self._paused_ns is None:
            # On a grid of columns: what is drawn moves by whole ones, and does not shimmer.
            column_ns = max(1, span_ns // self._cells)
            end_ns = now_ns = (now_ns // column_ns + 1) * column_ns
        return Stretch(begin_ns=end_ns - span_ns, end_ns=end_ns, now_ns=now_ns, cursor_ns=self._cursor_ns)

    # --- what is shown

    @property
    def _is_in_sight(self) -> bool:
        """Whether it is on top; a question leaves most of it to be seen."""
        return self.is_open and (self.app.screen is self or isinstance(self.app.screen, ConfirmScreen))

    @work(exclusive=True, group="follow")
    async def _follow(self) -> None:
        while self._is_in_sight and not self.is_paused:
            asked_s = self._budget.period_s * _PERIODS * (2 if self._is_measuring() else 1)
            began_s = self._clock_s()
            await self._wait(asked_s)
            self._budget.slept(asked_s, self._clock_s() - began_s)
            if not self.is_paused:
                self._redraw()

    def _take_happenings(self) -> None:
        self._happenings = self._chronicle.happenings()

    def _redraw(self) -> None:
        if not self._is_in_sight or not self.is_mounted:
            return
        if not self.is_paused:
            self._shown = self._sample()
        self._take_happenings()
        history, sample = self._chronicle.history, self._shown
        lines = lines_of(history)
        self.set_class(not lines, "-empty")
        notes = absence_lines(sample, history, self._state())
        self.plot.show(
            (lambda cells: self._picture(cells, notes)) if lines else None,
            lines=len(lines),
            more=_MARKS_ROWS + len(notes),
        )
        self._show_words(sample)
        self._show_table()

    def _picture(self, cells: int, notes: Sequence[str]) -> Plot:
        self._cells = cells
        return picture(
            self._chronicle.history,
            self._happenings,
            self._shown,
            self._stretch(),
            cells=cells,
            across=self.plot.across,
            notes=notes,
        )

    def _show_words(self, sample: ResourceSample | None) -> None:
        shares = [] if sample is None else share_words(sample)
        joined = " · ".join(shares)
        fits = cell_len(joined) <= self.size.width - 4
        self._put("resources-shares", joined if fits else "\n".join(shares), layout=True)
        troubles = trouble_words(sample)
        self.set_class(bool(troubles), "-trouble")
        self._put("resources-trouble", "! " + " · ".join(troubles) if troubles else "")
        self._put("resources-state", self._state_words())
        self._put("resources-event", self._event_words())
        self._held.show()

    def _state_words(self) -> str:
        _, name = _ZOOMS[self._zoom]
        if self._paused_ns is None:
            return " · ".join(filter(None, (f"{name}, as it goes", cost_words(self._cost()))))
        words = f"{name} · paused at {self._wall(self._paused_ns)}"
        if self._cursor_ns is None:
            return f"{words}, the readings go on"
        ago_s = (self._paused_ns - self._cursor_ns) / _NS_PER_S
        return f"{words} · values of {self._wall(self._cursor_ns)}, {span_in_words(ago_s)} before"

    def _event_words(self) -> str:
        """The newest event, or the one that the cursor stands on."""
        found: Happening | None = None
        if self._cursor_ns is None:
            found = self._happenings[-1] if self._happenings else None
        else:
            stretch = self._stretch()
            cell_ns = (stretch.end_ns - stretch.begin_ns) // self._cells * _NEAR_CELLS
            near = [one for one in self._happenings if abs(one.at_ns - self._cursor_ns) <= cell_ns]
            found = min(near, key=lambda one: abs(one.at_ns - (self._cursor_ns or 0)), default=None)
        if found is not None:
            return f"{self._wall(found.at_ns)} {happening_words(found)}"
        return shared_note(self._chronicle.stays) or "" if self._cursor_ns is None else ""

    def _show_table(self) -> None:
        listed = (self._chronicle.noted, self._shows_events)
        stays = self._chronicle.stays
        if listed == self._listed and (self._shows_events or stays == self._stays):
            return
        self._listed, self._stays = listed, stays
        rows = event_rows(self._happenings, self._wall) if self._shows_events else model_rows(stays)
        columns: tuple[Column, ...] = EVENT_COLUMNS if self._shows_events else MODEL_COLUMNS
        self.table.empty_text = _NO_EVENT if self._shows_events else _NO_MODEL
        if len(rows) != len(self.table.rows):
            self.table.refresh(layout=True)  # it is as high as its rows
        if self.table.columns != columns:
            self.table.set_columns(columns, rows)
        else:
            self.table.set_rows(rows)

    def _put(self, name: str, words: str, *, layout: bool = False) -> None:
        """Write a line, if it is another one."""
        if self._words.get(name) != words:
            has_other_height = layout and words.count("\n") != self._words.get(name, "\n\n\n").count("\n")
            self._words[name] = words
            self.query_one(f"#{name}", Static).update(words, layout=has_other_height)

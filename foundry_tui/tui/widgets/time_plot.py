"""Several lines over one axis of time, each with its present and its largest value in words."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from foundry_tui.domain.text import clean_line
from foundry_tui.tui.widgets.time_plot_signs import BRAILLE, PLAIN, PlotSigns, lane_cells, line_rows

__all__ = ["Plot", "PlotLane", "PlotLine", "PlotMarks", "TimePlot"]

_WORDS_CELLS = 21
_WIDE_WORDS_CELLS = 27
"""Where each line has one row, both values stand in it."""
_LEAST_COLUMNS = 10
_FRAME_ROWS = 2
_CELLS_FOR_A_TICK = 9
_TICK_STEPS_S = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 14_400, 21_600, 43_200, 86_400),
)
_HOUR_S = 3600
_NOW = "now"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotLine:
    """One line.

    Attributes:
        name: What it is of; the unit too, if the values have none.
        when: What ``now`` is: ``now``, ``last`` …
        now: The present value in words; ``""`` for none.
        most: The largest one in words.
        values: From the left edge to the right one, from 0 up; None where it is not known.
        top: What the upper edge stands for; None is the largest of ``values``.
    """

    name: str
    when: str = "now"
    now: str
    most: str
    values: Sequence[float | None]
    top: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotLane:
    """Where requests begin and end, a number for each cell.

    Attributes:
        words: What it is, and how many.
        begins: Of requests.
        ends: Likewise.
        failures: Those of the ends that were none as it should be.
        is_busy: Whether one is under way.
    """

    words: str
    begins: Sequence[int]
    ends: Sequence[int]
    failures: Sequence[int]
    is_busy: Sequence[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotMarks:
    """What else has happened, a sign for each cell.

    Attributes:
        words: What it is.
        cells: The signs, a blank where nothing was.
        troubles: Cells whose sign is bad news.
    """

    words: str
    cells: str
    troubles: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """All that is drawn.

    Attributes:
        span_s: From the left edge to the right one.
        lines: From above.
        lane: Below them.
        seams: Cells in which another time begins; ``seam_words`` say which.
        marks: Above the lane; None for none.
        ago_s: How long ago the right edge is; time is counted back from there.  None counts it from the left.
        cursor: The cell that is looked at; None for none.
        notes: What stands below the lines, in words.
    """

    span_s: float
    lines: Sequence[PlotLine]
    lane: PlotLane
    seams: Sequence[int] = ()
    seam_words: str = ""
    marks: PlotMarks | None = None
    ago_s: float | None = None
    cursor: int | None = None
    notes: Sequence[str] = ()


class TimePlot(Widget):
    """Shows lines below each other over one axis of time.

    What is drawn is made for the size that there is: all lines share its rows, each from 0 at the bottom to
    its largest value at the top.  Signs and words tell things apart, colours only help.

    Attributes:
        plain: ASCII and no colour; set by itself for NO_COLOR and on a dumb terminal.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"time-plot--{name}" for name in ("name", "value", "line", "lane", "failed", "axis", "seam", "cursor")
    }
    DEFAULT_CSS = """
    TimePlot {
        height: 1fr;
        background: $surface;
        color: $foreground;
        & > .time-plot--name { color: $foreground; text-style: bold; }
        & > .time-plot--value { color: $foreground; }
        & > .time-plot--line { color: $text-primary; }
        & > .time-plot--lane { color: $text-muted; }
        & > .time-plot--failed { color: $text-error; text-style: bold; }
        & > .time-plot--axis { color: $text-muted; }
        & > .time-plot--seam { color: $text-warning; text-style: bold; }
        & > .time-plot--cursor { color: $foreground; background: $primary 60%; text-style: bold; }
    }
    """

    plain: reactive[bool] = reactive(False)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._make: Callable[[int], Plot] | None = None
        self._lines = 0
        self._more = 0
        self._rows: list[list[tuple[str, str]]] = []
        self._rows_for: tuple[int, int, bool] | None = None

    def show(self, make: Callable[[int], Plot] | None, *, lines: int, more: int = 0) -> None:
        """Draw what ``make`` gives for a number of cells; None draws nothing.

        Args:
            make: Called when it is painted, and again at another size; a line has ``across`` values a cell.
            lines: How many it gives.
            more: Rows of marks and notes that it gives beside lines, lane and axis.
        """
        self._make = make
        self._lines = lines
        self._more = more
        self._rows_for = None
        self.refresh()

    @property
    def across(self) -> int:
        """Values on a line that stand in one cell of it; a lane has one for each cell."""
        return self._signs.across

    def on_mount(self) -> None:
        """Do without dots and colours where they were declined or cannot be drawn."""
        if self.app.no_color or os.environ.get("TERM") == "dumb":
            self.plain = True

    def render_line(self, y: int) -> Strip:
        width, ground = self.content_size.width, self.rich_style
        rows = self._drawn_rows()
        if y >= len(rows):
            return Strip.blank(width, ground)
        segments = [
            Segment(
                text,
                ground if self.plain or not name else self.get_component_rich_style(f"time-plot--{name}"),
            )
            for text, name in rows[y]
        ]
        return Strip(segments).crop_extend(0, width, ground)

    @property
    def _signs(self) -> PlotSigns:
        return PLAIN if self.plain else BRAILLE

    def _drawn_rows(self) -> list[list[tuple[str, str]]]:
        """Made once for all rows of a painting."""
        wanted = (self.content_size.width, self.content_size.height, self.plain)
        if wanted != self._rows_for:
            self._rows = self._drawn(self.content_size.width, self.content_size.height)
            self._rows_for = wanted
        return self._rows

    def _drawn(self, width: int, height: int) -> list[list[tuple[str, str]]]:
        if self._make is None or width < 1 or height < 1:
            return []
        signs = self._signs
        has_frame = height >= self._lines + _FRAME_ROWS
        more = max(0, min(self._more, height - self._lines - _FRAME_ROWS))
        taken = _FRAME_ROWS * has_frame + more
        shown = min(self._lines, height)
        each, higher = divmod(height - taken, max(1, shown))
        words_cells = _WORDS_CELLS if each > 1 else _WIDE_WORDS_CELLS
        columns = width - words_cells
        plot = self._make(max(1, columns))
        if columns < _LEAST_COLUMNS:
            return [_words_row(line, width) for line in plot.lines]
        rows: list[list[tuple[str, str]]] = []
        for place, line in enumerate(plot.lines[:shown]):
            rows += _line_rows(line, each + (place < higher), words_cells, signs)
        # Where there is not room for all, what happened goes before what there is no line of.
        marks = plot.marks if more else None
        told = plot.notes[: more - (marks is not None)]
        rows += [[(_fitted(clean_line(note), width), "axis")] for note in told]
        notes = range(len(rows) - len(told), len(rows))
        if marks is not None:
            rows.append(_marks_row(marks, words_cells))
        if has_frame:
            rows += [_lane_row(plot.lane, words_cells, signs), _axis_row(plot, words_cells, columns, signs)]
        if plot.cursor is None:
            return rows
        cell = words_cells + plot.cursor
        drawn = [row if place in notes else _with_cursor(row, cell) for place, row in enumerate(rows)]
        if has_frame:
            drawn[-1] = _with_cursor(rows[-1], cell, signs.cursor)
        return drawn


def _words_row(line: PlotLine, width: int) -> list[tuple[str, str]]:
    return [(_fitted(f"{clean_line(line.name)} {_both(line)}", width), "value")]


def _line_rows(line: PlotLine, rows: int, words_cells: int, signs: PlotSigns) -> list[list[tuple[str, str]]]:
    name, most = clean_line(line.name), clean_line(line.most)
    now = clean_line(f"{line.when} {line.now}") if line.now else ""
    room = words_cells - 1
    if rows == 1:
        words = [(f"{name} ", "name"), (_fitted(_both(line), room - cell_len(name)), "value")]
        heads = [words]
    else:
        values = [now, f"max {most}"] if now else [f"max {most}", ""]
        first = _right(values[0], room - cell_len(name))
        heads = [[(name, "name"), (f"{first} ", "value")], [(f"{_right(values[1], room)} ", "value")]]
        heads += [[(" " * words_cells, "")]] * (rows - 2)
    largest = max((value for value in line.values if value is not None), default=0.0)
    top = largest if line.top is None else line.top
    drawn = line_rows(line.values, rows=rows, top=top or 1.0, signs=signs)
    return [[*head, (row, "line")] for head, row in zip(heads, drawn, strict=True)]


def _both(line: PlotLine) -> str:
    """The present and the largest value side by side, their unit once if it is one."""
    now, most = clean_line(line.now), clean_line(line.most)
    number, _, unit = now.rpartition(" ")
    if number and unit == most.rpartition(" ")[2]:
        now = number
    return f"{now} max {most}" if now else f"max {most}"


def _lane_row(lane: PlotLane, words_cells: int, signs: PlotSigns) -> list[tuple[str, str]]:
    cells = lane_cells(
        begins=lane.begins, ends=lane.ends, failures=lane.failures, is_busy=lane.is_busy, signs=signs
    )
    parts = [(_fitted(clean_line(lane.words), words_cells - 1) + " ", "name")]
    for place, part in enumerate(cells.split(signs.failed)):
        if place:
            parts.append((signs.failed, "failed"))
        parts.append((part, "lane"))
    return parts


def _marks_row(marks: PlotMarks, words_cells: int) -> list[tuple[str, str]]:
    parts = [(_fitted(clean_line(marks.words), words_cells - 1) + " ", "name")]
    for place, sign in enumerate(marks.cells):
        name = "failed" if place in marks.troubles else "lane"
        if parts[-1][1] == name:
            parts[-1] = (parts[-1][0] + sign, name)
        else:
            parts.append((sign, name))
    return parts


def _with_cursor(row: list[tuple[str, str]], cell: int, sign: str = "") -> list[tuple[str, str]]:
    """The row with one of its cells lit, and perhaps with another sign in it."""
    parts: list[tuple[str, str]] = []
    at = 0
    for text, name in row:
        # Signs of a plot are one cell wide; the words before them are not looked into.
        place = cell - at
        at += cell_len(text)
        if 0 <= place < len(text) and at > cell:
            parts += [(text[:place], name), (sign or text[place], "cursor"), (text[place + 1 :], name)]
        else:
            parts.append((text, name))
    return [part for part in parts if part[0]]


def _ago_row(
    plot: Plot, ago_s: float, words_cells: int, columns: int, signs: PlotSigns
) -> list[tuple[str, str]]:
    """Time counted back from the present."""
    step_s = _step_s(plot.span_s, columns)
    is_long = plot.span_s + ago_s >= _HOUR_S
    row = [" "] * columns
    taken_from = columns
    if ago_s == 0 and (plot.cursor is None or plot.cursor < columns - len(_NOW)):
        row[-len(_NOW) :] = _NOW
        taken_from -= len(_NOW) + 1
    for number in range(int(ago_s // step_s) + 1, int((ago_s + plot.span_s) // step_s) + 1):
        column = columns - round((number * step_s - ago_s) * columns / plot.span_s)
        words = f"{signs.tick}-{_moment(number * step_s, is_long=is_long)}"
        if column >= 0 and column + len(words) <= taken_from:
            row[column : column + len(words)] = words
            taken_from = column - 1
    name = f"time ago, {'h:min' if is_long else 'min:s'}"
    return [(_fitted(name, words_cells - 1) + " ", "axis"), ("".join(row), "axis")]


def _axis_row(plot: Plot, words_cells: int, columns: int, signs: PlotSigns) -> list[tuple[str, str]]:
    if plot.ago_s is not None:
        return _ago_row(plot, plot.ago_s, words_cells, columns, signs)
    step_s = _step_s(plot.span_s, columns)
    is_long = plot.span_s >= _HOUR_S
    row = [" "] * columns
    free_from = 0
    for number in range(int(plot.span_s // step_s) + 1):
        column = round(number * step_s * columns / plot.span_s)
        words = signs.tick + _moment(number * step_s, is_long=is_long)
        if column >= free_from and column + len(words) <= columns:
            row[column : column + len(words)] = words
            free_from = column + len(words) + 1
    unit = "h:min" if is_long else "min:s"
    name = f"time, {unit}"
    if plot.seams and plot.seam_words:
        name = f"{unit}, {signs.seam} {clean_line(plot.seam_words)}"
    parts: list[tuple[str, str]] = [(_fitted(name, words_cells - 1) + " ", "axis")]
    begin = 0
    for seam in sorted(set(plot.seams)):
        parts += [("".join(row[begin:seam]), "axis"), (signs.seam, "seam")]
        begin = seam + 1
    parts.append(("".join(row[begin:]), "axis"))
    return parts


def _step_s(span_s: float, columns: int) -> int:
    most = max(1, columns // _CELLS_FOR_A_TICK)
    return next((step for step in _TICK_STEPS_S if span_s / step <= most), _TICK_STEPS_S[-1])


def _moment(seconds: int, *, is_long: bool) -> str:
    whole, part = divmod(seconds // 60 if is_long else seconds, 60)
    return f"{whole}:{part:02d}"


def _right(words: str, cells: int) -> str:
    fitted = _fitted(words, cells)
    bare = fitted.rstrip()
    return " " * (cells - cell_len(bare)) + bare


def _fitted(words: str, cells: int) -> str:
    return set_cell_size(words, max(0, cells))

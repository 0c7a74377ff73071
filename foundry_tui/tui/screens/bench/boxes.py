"""How the readings of each model spread, drawn in cells on one scale: points, boxes or bars."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from rich.cells import cell_len

from foundry_tui.metrics.percentiles import percentile
from foundry_tui.metrics.spread import median_interval
from foundry_tui.tui.screens.bench.axis import Axis, axis_of
from foundry_tui.tui.screens.bench.ink import Ink, Line, joined
from foundry_tui.tui.widgets.table_parts import Align, cut_within, fit, plain

__all__ = ["LEAST_FOR_BOX", "Drawing", "Group", "Shape", "drawing_of"]

LEAST_FOR_BOX = 5
"""Quartiles of fewer readings would be made up of the same few points."""
_REACH = 1.5
"""Whiskers go to the last reading within so many interquartile ranges of the box (Tukey)."""
_NAME_SHARE = 3
_MOST_NAME_CELLS = 30
_LEAST_PLOT_CELLS = 12
_MOST_BAR_ROWS = 4
_GROUPED = 1000


class Shape(StrEnum):
    """How readings are drawn."""

    BOX = "box"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The readings of one model.

    Attributes:
        key: Its name in the plan.
        name: The same as it is shown; whatever is in it.
        values: In the unit of the scale, in any order; finite.
        is_estimate: Whether one of them rests on an estimate.
    """

    key: str
    name: str
    values: Sequence[float]
    is_estimate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What is to be painted.

    Attributes:
        lines: From the top; the last one has the numbers of the common scale, if there is one.
        keys: Of each line, whose it is; None for nobody's.
        hidden: Models that there was no room for.
        axis: The common scale; None while there is no reading, and where each has its own.
    """

    lines: tuple[Line, ...] = ()
    keys: tuple[str | None, ...] = ()
    hidden: int = 0
    axis: Axis | None = None


@dataclass(frozen=True, slots=True)
class _Signs:
    point: str
    beyond: str
    left: str
    right: str
    whisker: str
    box: str
    begins: str
    ends: str
    median: str
    grid: str
    bars: str
    mark: str


_GRAPHIC = _Signs("●", "∘", "├", "┤", "─", "▒", "(", ")", "┃", "┊", "▁▂▃▄▅▆▇█", "▌")
_PLAIN = _Signs("*", "o", "|", "|", "-", "=", "(", ")", "M", ":", "12345678", ">")
_MOST_DIGIT = 9


def drawing_of(
    groups: Sequence[Group],
    *,
    shape: Shape,
    width: int,
    height: int,
    chosen: str | None = None,
    is_plain: bool = False,
) -> Drawing:
    """All groups that find room, around the chosen one: boxes above one common scale, bars each on its own.

    Below 5 readings each of them is a point; a digit counts those that share a cell.  A box goes from the
    first to the third quartile with the median in it, and the 95 % interval of the median, known from 6 on,
    between brackets; whiskers go to the last readings within 1.5 boxes, and what lies beyond is drawn
    itself.  Bars go from a model's least reading to its greatest, both in numbers beside them, and are as
    high as the part of its readings that fell into a cell.
    """
    signs = _PLAIN if is_plain else _GRAPHIC
    is_common = shape is Shape.BOX
    room = height - is_common  # the scale
    if not groups or room < 1:
        return Drawing(hidden=len(groups))
    rows = 1 if is_common else max(1, min(_MOST_BAR_ROWS, room // len(groups)))
    first = _first_shown([group.key for group in groups], chosen, room // rows)
    shown = groups[first : first + max(1, room // rows)]
    margins = _margins(shown, width, has_ends=not is_common)
    common = axis_of([group.values for group in groups], margins.cells) if is_common else None
    lines: list[Line] = []
    keys: list[str | None] = []
    for group in shown:
        axis = common if is_common else axis_of([group.values], margins.cells)
        plots = _plot(group.values, axis, shape, rows, signs, cells=margins.cells)
        for place, drawn in enumerate(plots):
            is_last = place == len(plots) - 1
            mark = signs.mark if group.key == chosen else " "
            head = margins.head(group, mark) if is_last else " " * margins.left
            tail = margins.tail(group) if is_last else ""
            ink = Ink.CHOSEN if group.key == chosen else Ink.NAME
            lines.append(((head, ink), *drawn, (tail, Ink.NOTE)))
            keys.append(group.key)
    if common is not None:
        lines.append(((" " * margins.left + _scale(common), Ink.GRID),))
        keys.append(None)
    return Drawing(lines=tuple(lines), keys=tuple(keys), hidden=len(groups) - len(shown), axis=common)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Margins:
    """What stands on both sides of a plot: names and, if they are wanted, ends at the left, notes right.

    Attributes:
        cells: What is left between them; 0 where that would be too little.
    """

    name: int
    end: int
    note: int
    cells: int

    @property
    def left(self) -> int:
        """Cells before the plot."""
        return self.name + 2 + (self.end + 1 if self.end else 0)

    def head(self, group: Group, mark: str) -> str:
        name = fit(cut_within(plain(group.name), self.name), self.name, Align.LEFT)
        low = f"{_end(min(group.values)) if group.values else '':>{self.end}} " if self.end else ""
        return f"{mark}{name} {low}"

    def tail(self, group: Group) -> str:
        high = f" {_end(max(group.values)) if group.values else '':<{self.end}}" if self.end else ""
        return f"{high}{_note(group):>{self.note + 1}}"


def _margins(shown: Sequence[Group], width: int, *, has_ends: bool) -> _Margins:
    note = max(len(_note(group)) for group in shown)
    name = max(cell_len(plain(group.name)) for group in shown)
    name = min(name, _MOST_NAME_CELLS, max(1, width // _NAME_SHARE))
    ends = [_end(pick(group.values)) for group in shown if group.values for pick in (min, max)]
    end = max(map(len, ends), default=0) if has_ends else 0
    cells = width - name - note - 3 - (2 * end + 2 if end else 0)  # the mark, and a cell on either side
    return _Margins(name=name, end=end, note=note, cells=cells if cells >= _LEAST_PLOT_CELLS else 0)


def _end(value: float) -> str:
    """Of a model's own scale."""
    return f"{value:,.0f}" if abs(value) >= _GROUPED else f"{value:.3g}"


def _first_shown(keys: Sequence[str], chosen: str | None, room: int) -> int:
    """So that the chosen one is in the middle where not all have room."""
    if len(keys) <= room or chosen not in keys:
        return 0
    return max(0, min(keys.index(chosen) - room // 2, len(keys) - max(1, room)))


def _note(group: Group) -> str:
    if not group.values:
        return "no reading"
    return f"{'~' if group.is_estimate else ''}n={len(group.values)}"


def _plot(
    values: Sequence[float], axis: Axis | None, shape: Shape, rows: int, signs: _Signs, *, cells: int
) -> list[Line]:
    """From the top, ``rows`` of them."""
    ground: list[tuple[str, Ink]] = [(" ", Ink.SPACE)] * cells
    if axis is None:
        return [joined(ground)] * rows
    if shape is Shape.BOX:
        for cell, _ in axis.ticks():
            ground[cell] = (signs.grid, Ink.GRID)
    if shape is Shape.HISTOGRAM and len(values) >= LEAST_FOR_BOX:
        return [joined(row) for row in _bars(values, axis, rows, ground, signs)]
    drawn = list(ground)
    if len(values) < LEAST_FOR_BOX:
        _put_points(drawn, values, axis, signs.point)
    else:
        _put_box(drawn, sorted(values), axis, signs)
    return [joined(ground)] * (rows - 1) + [joined(drawn)]


def _put_points(cells: list[tuple[str, Ink]], values: Sequence[float], axis: Axis, sign: str) -> None:
    places = sorted(axis.cell(value) for value in values)
    for cell, same in groupby(places):
        count = sum(1 for _ in same)
        cells[cell] = (sign if count == 1 else str(min(count, _MOST_DIGIT)), Ink.POINT)


def _put_box(cells: list[tuple[str, Ink]], ordered: Sequence[float], axis: Axis, signs: _Signs) -> None:
    low, middle, high = (percentile(ordered, share) for share in (0.25, 0.5, 0.75))
    reach = _REACH * (high - low)
    within = [value for value in ordered if low - reach <= value <= high + reach]
    for value in ordered:
        if not low - reach <= value <= high + reach:
            cells[axis.cell(value)] = (signs.beyond, Ink.POINT)
    left, right = axis.cell(within[0]), axis.cell(within[-1])
    _fill(cells, left, right, signs.whisker, Ink.WHISKER)
    cells[left], cells[right] = (signs.left, Ink.WHISKER), (signs.right, Ink.WHISKER)
    _fill(cells, axis.cell(low), axis.cell(high), signs.box, Ink.BOX)
    if (known := median_interval(ordered)) is not None:
        cells[axis.cell(known.low)] = (signs.begins, Ink.INTERVAL)
        cells[axis.cell(known.high)] = (signs.ends, Ink.INTERVAL)
    cells[axis.cell(middle)] = (signs.median, Ink.MEDIAN)


def _fill(cells: list[tuple[str, Ink]], first: int, last: int, sign: str, ink: Ink) -> None:
    cells[first : last + 1] = [(sign, ink)] * (last + 1 - first)


def _bars(
    values: Sequence[float], axis: Axis, rows: int, ground: list[tuple[str, Ink]], signs: _Signs
) -> Iterator[list[tuple[str, Ink]]]:
    """Rows of bars from the top; the highest one is as high as there are rows.

    About 2·√n of them side by side: more would show where single readings fell, and no shape.
    """
    bins = min(axis.cells, max(LEAST_FOR_BOX, round(2 * math.sqrt(len(values)))))
    in_bins = [0] * bins
    for value in values:
        in_bins[axis.cell(value) * bins // axis.cells] += 1
    counts = [in_bins[cell * bins // axis.cells] for cell in range(axis.cells)]
    most, steps = max(counts), len(signs.bars)
    heights = [-(-count * steps * rows // most) for count in counts]  # upwards: one reading is seen
    for row in reversed(range(rows)):
        below = row * steps
        yield [
            (signs.bars[min(height - below, steps) - 1], Ink.BAR) if height > below else ground[cell]
            for cell, height in enumerate(heights)
        ]


def _scale(axis: Axis) -> str:
    """The numbers below their cells; one that has no room is left out."""
    line, taken = [" "] * axis.cells, -1
    for cell, words in axis.ticks():
        start = max(0, min(cell - len(words) // 2, axis.cells - len(words)))
        if start > taken and len(words) <= axis.cells:
            line[start : start + len(words)] = words
            taken = start + len(words)
    return "".join(line).rstrip()

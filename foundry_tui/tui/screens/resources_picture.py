"""The machine over time as a plot: which lines there are, and where what happened stands on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foundry_tui.domain.quantities import UNKNOWN
from foundry_tui.domain.resources import ResourceSample
from foundry_tui.domain.timeline import Happening, HappeningKind
from foundry_tui.metrics.machine_history import MachineHistory, Series
from foundry_tui.reports.machine import value_words
from foundry_tui.tui.widgets.time_plot import Plot, PlotLane, PlotLine, PlotMarks

__all__ = ["SIGNS", "Stretch", "lines_of", "picture"]

_NS_PER_S = 1_000_000_000
_NAMES: Mapping[Series, str] = {
    Series.CPU: "CPU",
    Series.RAM: "RAM",
    Series.ENGINE_RAM: "engine",
    Series.VRAM: "VRAM",
    Series.ENGINE_VRAM: "engine",
    Series.GPU: "GPU",
    Series.POWER: "GPU power",
    Series.PACKAGE_POWER: "CPU power",
}
"""The engine's part stands below the whole that it is of; a power names the scope that it is of."""
SIGNS: Mapping[HappeningKind, str] = {
    HappeningKind.ENGINE_DIED: "X",
    HappeningKind.NOT_LOADED: "x",
    HappeningKind.ENGINE_SILENT: "?",
    HappeningKind.THROTTLED: "T",
    HappeningKind.STALLED: "S",
    HappeningKind.LOADED: "L",
    HappeningKind.UNLOADED: "U",
    HappeningKind.ENGINE_STARTED: "E",
    HappeningKind.ENGINE_RESTARTED: "R",
    HappeningKind.ENGINE_STOPPED: "e",
    HappeningKind.ENGINE_ANSWERS: "a",
    HappeningKind.UNTHROTTLED: "t",
    HappeningKind.DOWNLOAD_ENDED: "d",
    HappeningKind.LOADING: "l",
    HappeningKind.DOWNLOADING: "D",
    HappeningKind.NOT_ANSWERED: "!",
    HappeningKind.ANSWERED: "]",
    HappeningKind.ASKED: "[",
}
"""What stands on the plot; where several share a cell the first of this order."""
_RANKS = {kind: rank for rank, kind in enumerate(SIGNS)}
_IN_LANE = (HappeningKind.ASKED, HappeningKind.ANSWERED, HappeningKind.NOT_ANSWERED)
_SPAN_BEGINS = frozenset({HappeningKind.LOADING, HappeningKind.DOWNLOADING})
_SPAN_ENDS = frozenset(
    {HappeningKind.LOADED, HappeningKind.NOT_LOADED, HappeningKind.DOWNLOAD_ENDED, HappeningKind.ENGINE_DIED}
)
_UNDER_WAY = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What is looked at.

    Attributes:
        begin_ns: The left edge.
        end_ns: The right edge.
        now_ns: What time is counted back from.
        cursor_ns: The moment whose values are told; None for the newest.
    """

    begin_ns: int
    end_ns: int
    now_ns: int
    cursor_ns: int | None = None

    def cell_of(self, at_ns: int, cells: int) -> int:
        """The cell of a moment; beyond the edges it is none of them."""
        return (at_ns - self.begin_ns) * cells // max(1, self.end_ns - self.begin_ns)


def lines_of(history: MachineHistory) -> list[Series]:
    """What there is a line of: all that was ever known."""
    return [series for series in Series if history.has(series)]


def picture(
    history: MachineHistory,
    happenings: Sequence[Happening],
    sample: ResourceSample | None,
    stretch: Stretch,
    *,
    cells: int,
    across: int,
    notes: Sequence[str],
) -> Plot:
    """All that stands on the plot.

    Args:
        history: What was read.
        happenings: In order of time.
        sample: Says what there is at most.
        stretch: What is looked at.
        cells: How wide it is.
        across: Values in a cell.
        notes: What there is no line of, and why.
    """
    columns = history.columns(stretch.begin_ns, stretch.end_ns, cells * across)
    cursor = None
    if stretch.cursor_ns is not None:
        cursor = min(cells - 1, max(0, stretch.cell_of(stretch.cursor_ns, cells)))
    newest = history.newest
    lines: list[PlotLine] = []
    for series in lines_of(history):
        values = columns[series]
        at_cursor = None if cursor is None else _value_in(values[cursor * across : (cursor + 1) * across])
        now = at_cursor if cursor is not None else (None if newest is None else newest.of(series))
        known = [value for value in values if value is not None]
        lines.append(
            PlotLine(
                name=_NAMES[series],
                when="at" if cursor is not None else "now",
                now=value_words(series, now),
                most=value_words(series, max(known)) if known else UNKNOWN,
                values=values,
                top=_top(series, sample),
            )
        )
    return Plot(
        span_s=(stretch.end_ns - stretch.begin_ns) / _NS_PER_S,
        lines=lines,
        lane=_lane(happenings, stretch, cells),
        marks=_marks(happenings, stretch, cells),
        ago_s=max(0, stretch.now_ns - stretch.end_ns) / _NS_PER_S,
        cursor=cursor,
        notes=notes,
    )


def _value_in(values: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _top(series: Series, sample: ResourceSample | None) -> float | None:
    """What is all there is of it; None where nobody knows, or where it would be too little to be seen."""
    if series in (Series.CPU, Series.GPU):
        return 1.0
    if sample is None:
        return None
    if series is Series.RAM:
        return float(sample.host.ram_total_bytes) or None
    if series is Series.VRAM:
        return float(sum(gpu.total_bytes for gpu in sample.gpu.gpus)) or None
    return None


def _lane(happenings: Sequence[Happening], stretch: Stretch, cells: int) -> PlotLane:
    begins, ends, failures = [0] * cells, [0] * cells, [0] * cells
    is_busy = [False] * cells
    asked = under_way = busy_from = 0
    for one in happenings:
        if one.kind not in _IN_LANE:
            continue
        cell = stretch.cell_of(one.at_ns, cells)
        is_inside = 0 <= cell < cells
        if one.kind is HappeningKind.ASKED:
            if not under_way:
                busy_from = cell
            under_way += 1
            if is_inside:
                begins[cell] += 1
                asked += 1
            continue
        under_way = max(0, under_way - 1)
        if not under_way:
            _fill(is_busy, busy_from, cell)
        if is_inside:
            ends[cell] += 1
            failures[cell] += one.kind is HappeningKind.NOT_ANSWERED
    if under_way:
        _fill(is_busy, busy_from, stretch.cell_of(stretch.now_ns, cells))
    return PlotLane(
        words=f"{asked} request{'s' * (asked != 1)}",
        begins=begins,
        ends=ends,
        failures=failures,
        is_busy=is_busy,
    )


def _marks(happenings: Sequence[Happening], stretch: Stretch, cells: int) -> PlotMarks:
    kinds: list[HappeningKind | None] = [None] * cells
    is_filled = [False] * cells
    begun: dict[str | None, int] = {}
    for one in happenings:
        if one.kind in _IN_LANE:
            continue
        cell = stretch.cell_of(one.at_ns, cells)
        if one.kind in _SPAN_BEGINS:
            begun[one.model_id] = cell
        elif one.kind in _SPAN_ENDS and one.model_id in begun:
            _fill(is_filled, begun.pop(one.model_id), cell)
        if 0 <= cell < cells:
            there = kinds[cell]
            if there is None or _RANKS[one.kind] < _RANKS[there]:
                kinds[cell] = one.kind
    for cell in begun.values():
        _fill(is_filled, cell, stretch.cell_of(stretch.now_ns, cells))
    signs = [
        SIGNS[kind] if kind is not None else _UNDER_WAY if filled else " "
        for kind, filled in zip(kinds, is_filled, strict=True)
    ]
    troubles = {cell for cell, kind in enumerate(kinds) if kind is not None and kind.is_trouble}
    return PlotMarks(words="events", cells="".join(signs), troubles=frozenset(troubles))


def _fill(cells: list[bool], first: int, last: int) -> None:
    for cell in range(max(0, first), min(len(cells) - 1, last) + 1):
        cells[cell] = True

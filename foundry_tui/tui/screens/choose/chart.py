"""Quality against latency in cells: a bubble for each candidate, as wide as its memory is large."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from foundry_tui.domain.scoring import HIGHEST, LOWEST
from foundry_tui.metrics.selection import Fit
from foundry_tui.reports.choice_points import (
    ChoicePoint,
    ChoicePoints,
    left_out_lines,
    size_of,
    sizes,
)
from foundry_tui.tui.screens.bench.axis import Axis, axis_of
from foundry_tui.tui.screens.bench.canvas import BenchCanvas
from foundry_tui.tui.screens.bench.ink import Ink, Line, joined

__all__ = ["ChoiceChart", "chart_lines"]

_LEFT = 6
_NOT_FOLDED = "\N{NO-BREAK SPACE}"
_LEAST_CELLS, _LEAST_ROWS = 24, 6
_ROOM_FOR_INTERVALS = 50, 8
_INKS = {Fit.FITS: Ink.BOX, Fit.DOES_NOT: Ink.STALL, Fit.NOT_KNOWN: Ink.POINT}
_SIGNS = {Fit.FITS: "", Fit.DOES_NOT: "!", Fit.NOT_KNOWN: "?"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bubble:
    """What is written at one place; of several candidates where they are too near to be told apart.

    Attributes:
        column: Of its middle, in cells from the axis.
        row: From above.
    """

    column: int
    row: int
    letters: str
    size: int
    ink: Ink

    @property
    def text(self) -> str:
        """``(A)``, ``( A )``, ``(  A  )``; without brackets where no memory is known."""
        if not self.size:
            return self.letters
        blank = " " * (self.size - 1)
        return f"({blank}{self.letters}{blank})"

    @property
    def begin(self) -> int:
        return self.column - len(self.text) // 2

    def touches(self, other: "_Bubble") -> bool:
        """Whether both would be written into one cell."""
        return (
            self.row == other.row
            and self.begin <= other.begin + len(other.text)
            and other.begin <= self.begin + len(self.text)
        )

    def with_(self, other: "_Bubble") -> "_Bubble":
        """Both as one."""
        return replace(
            self,
            column=(self.column + other.column) // 2,
            letters=f"{self.letters},{other.letters}",
            size=max(self.size, other.size),
            ink=self.ink if self.ink is other.ink else Ink.NAME,
        )


def chart_lines(points: ChoicePoints, cells: int, rows: int, chosen: str | None) -> list[Line]:
    """The chart in so many cells, with its legend below; words where nothing can be drawn.

    Args:
        points: What is drawn.
        cells: The width.
        rows: The height.
        chosen: The letter of the candidate under the cursor.
    """
    notes = [*_legend(points), *left_out_lines(points)]
    folded = [part for note in notes for part in _folded(note, cells)]
    if not points.drawn:
        return _words(["Nothing can be drawn: it takes a quality and a latency of a model.", *folded], cells)
    plot_rows = rows - 2 - len(folded)
    if plot_rows < _LEAST_ROWS:  # the legend gives way first
        folded = folded[: max(0, rows - 2 - _LEAST_ROWS)]
        plot_rows = rows - 2 - len(folded)
    if cells < _LEAST_CELLS or plot_rows < 3:
        return _words(["There is no room for the chart: make the terminal larger."], cells)
    plot = _Plot(points.drawn, cells - _LEFT, plot_rows)
    return [*plot.lines(chosen), *_words(folded, cells)]


class ChoiceChart(BenchCanvas):
    """Draws the points that it was handed, anew for each size that it is given."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._points = ChoicePoints(drawn=(), left_out=())
        self._chosen: str | None = None

    def show_points(self, points: ChoicePoints, chosen: str | None) -> None:
        """Show these; ``chosen`` is the letter of the candidate under the cursor."""
        self._points, self._chosen = points, chosen
        self._draw()

    def on_resize(self) -> None:
        """The same in another size."""
        self._draw()

    def _draw(self) -> None:
        size = self.content_size
        self.show("Quality against latency", chart_lines(self._points, size.width, size.height, self._chosen))


class _Plot:
    """A field of cells with both axes."""

    def __init__(self, points: Sequence[ChoicePoint], cells: int, rows: int) -> None:
        self._points = points
        self._cells = cells
        self._rows = rows
        self._has_intervals = cells >= _ROOM_FOR_INTERVALS[0] and rows >= _ROOM_FOR_INTERVALS[1]
        latencies = [value for point in points for value in self._reach(point, is_latency=True)]
        least, most = min(latencies), max(latencies)
        # Half a bubble of room on either side.
        spare = (most - least) * 0.08 or most * 0.1
        across = axis_of([[max(least - spare, least / 2), most + spare]], cells)
        assert across is not None
        self._across = across
        qualities = [value for point in points for value in self._reach(point, is_latency=False)]
        low = max(float(LOWEST), (min(qualities) - 0.1) // 0.5 * 0.5)
        high = min(float(HIGHEST), -((-max(qualities) - 0.1) // 0.5) * 0.5)
        self._up = Axis(low=low, high=high if high > low else low + 0.5, cells=rows)

    def lines(self, chosen: str | None) -> list[Line]:
        """From above: the field, the axis, its ticks with the unit."""
        field = [[(" ", Ink.SPACE)] * self._cells for _ in range(self._rows)]
        if self._has_intervals:
            for point in self._points:
                self._draw_intervals(field, point)
        for bubble in self._bubbles(chosen):
            begin = max(0, min(bubble.begin, self._cells - len(bubble.text)))
            for offset, sign in enumerate(bubble.text):
                if begin + offset < self._cells:
                    field[bubble.row][begin + offset] = (sign, bubble.ink)
        labels = self._labels()
        lines: list[Line] = [
            (
                (f"{labels.get(row, ''):>{_LEFT - 1}}", Ink.NOTE),
                ("┤" if row in labels else "│", Ink.GRID),
                *joined(cells),
            )
            for row, cells in enumerate(field)
        ]
        return [*lines, *self._foot()]

    def _reach(self, point: ChoicePoint, *, is_latency: bool) -> list[float]:
        value = point.latency_s if is_latency else point.quality
        interval = point.latency_interval if is_latency else point.quality_interval
        ends = [] if interval is None or not self._has_intervals else [interval.low, interval.high]
        return [value, *ends]

    def _row(self, quality: float) -> int:
        return self._rows - 1 - self._up.cell(quality)

    def _bubbles(self, chosen: str | None) -> list[_Bubble]:
        most = max((point.memory_bytes or 0 for point in self._points), default=0)
        found: list[_Bubble] = []
        for point in self._points:
            bubble = _Bubble(
                column=self._across.cell(point.latency_s),
                row=self._row(point.quality),
                letters=f"{point.letter}{_SIGNS[point.fit]}",
                size=size_of(point.memory_bytes, most),
                ink=self._ink(point, chosen),
            )
            while (near := next((one for one in found if one.touches(bubble)), None)) is not None:
                found.remove(near)
                bubble = near.with_(bubble)
            found.append(bubble)
        return found

    def _ink(self, point: ChoicePoint, chosen: str | None) -> Ink:
        if point.letter == chosen:
            return Ink.CHOSEN
        return Ink.INTERVAL if point.is_on_front else _INKS[point.fit]

    def _draw_intervals(self, field: list[list[tuple[str, Ink]]], point: ChoicePoint) -> None:
        row, column = self._row(point.quality), self._across.cell(point.latency_s)
        if (up := point.quality_interval) is not None:
            for place in range(self._row(up.high), self._row(up.low) + 1):
                field[place][column] = ("│", Ink.WHISKER)
        if (across := point.latency_interval) is not None:
            for place in range(self._across.cell(across.low), self._across.cell(across.high) + 1):
                field[row][place] = ("─", Ink.WHISKER)

    def _labels(self) -> dict[int, str]:
        """Every half point that has a row of its own, or every whole one."""
        halves = [half / 2 for half in range(round(self._up.low * 2), round(self._up.high * 2) + 1)]
        step = 1 if self._rows >= len(halves) * 2 - 1 else 2
        kept = halves[::step] if step == 1 else [each for each in halves if each == int(each)]
        return {self._row(value): f"{value:.1f}" for value in kept or halves[:: len(halves) - 1]}

    def _foot(self) -> list[Line]:
        axis, labels = ["─"] * self._cells, [" "] * self._cells
        is_short = self._across.high < 1
        unit = "ms" if is_short else "s"
        factor = 1000 if is_short else 1
        scaled = Axis(
            low=self._across.low * factor,
            high=self._across.high * factor,
            cells=self._cells,
            is_log=self._across.is_log,
        )
        free = 0
        for column, words in scaled.ticks():
            text = f"{words} {unit}"
            begin = min(max(0, column - len(text) // 2), self._cells - len(text))
            axis[column] = "┴"
            if begin >= free:
                labels[begin : begin + len(text)] = text
                free = begin + len(text) + 1
        corner = " " * (_LEFT - 1)
        return [
            ((corner, Ink.NOTE), (f"└{''.join(axis)}", Ink.GRID)),
            ((f"{corner} ", Ink.NOTE), ("".join(labels), Ink.NOTE)),
        ]


def _legend(points: ChoicePoints) -> list[str]:
    known = [point.memory_bytes for point in points.drawn if point.memory_bytes is not None]
    said = [
        # Each is folded as a whole.
        f"{_Bubble(column=0, row=0, letters='A', size=size, ink=Ink.NOTE).text} {words}".replace(
            " ", _NOT_FOLDED
        )
        for size, words in sizes(known)
    ]
    if len(known) < len(points.drawn):
        said.append("without brackets: memory not known")
    return [f"quality above, latency below; memory {' · '.join(said)}"] if points.drawn else []


def _folded(text: str, cells: int) -> list[str]:
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > cells:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def _words(texts: Sequence[str], cells: int) -> list[Line]:
    return [((part, Ink.NOTE),) for text in texts for part in _folded(text, cells)]

"""Tables of Markdown: how wide the columns are, and the rows they make."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from itertools import zip_longest

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from foundry_tui.tui.widgets.transcript_rows import Run, Sketch, wrapped

__all__ = ["Cell", "Side", "draw_table"]

_GAP = 2
# Below this no column is legible: the cells of a row then follow one another.
_LEAST_CELLS = 4
_BETWEEN = " | "


class Side(StrEnum):
    """Where in its column a text stands."""

    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"


Cell = list[Run]


def draw_table(
    sketch: Sketch,
    head: Sequence[Cell],
    body: Sequence[Sequence[Cell]],
    sides: Sequence[Side],
    width: int,
    rule_style: Style,
    before: Callable[[], Sequence[Segment]],
) -> None:
    """Add the rows of a table at most ``width`` cells wide.

    Each row of ``body`` has as many cells as ``head``, and so has ``sides``.  ``before`` gives what stands
    left of the next row.
    """
    columns = len(head)
    if columns * (_LEAST_CELLS + _GAP) - _GAP > width:
        _draw_lines(sketch, [head, *body], width, rule_style, before)
        return
    widths = _column_widths([head, *body], width - _GAP * (columns - 1))
    _draw_row(sketch, head, widths, sides, before)
    rule = (" " * _GAP).join("─" * cells for cells in widths)
    sketch.blank([*before(), Segment(rule, rule_style)])
    for row in body:
        _draw_row(sketch, row, widths, sides, before)


def _draw_row(
    sketch: Sketch,
    row: Sequence[Cell],
    widths: Sequence[int],
    sides: Sequence[Side],
    before: Callable[[], Sequence[Segment]],
) -> None:
    cells = [list(wrapped(cell, cells)) for cell, cells in zip(row, widths, strict=True)]
    first_row = len(sketch.rows)
    columns: list[list[int]] = [[] for _ in cells]  # where the text of each cell begins, row by row
    for pieces in zip_longest(*cells):
        segments = [*before()]
        at = sum(len(segment.text) for segment in segments)
        gap = 0
        for piece, wide, side, begins in zip(pieces, widths, sides, columns, strict=True):
            runs = [] if piece is None else piece[0]
            spare = wide - sum(cell_len(run.text) for run in runs)
            left = gap + (spare if side is Side.RIGHT else spare // 2 if side is Side.CENTER else 0)
            if left:
                segments.append(Segment(" " * left))
            begins.append(at + left)
            segments.extend(Segment(run.text, run.style) for run in runs)
            at += left + sum(len(run.text) for run in runs)
            gap = spare - left + gap + _GAP
        sketch.rows.append(segments)
    for cell, begins in zip(cells, columns, strict=True):
        for row_number, ((runs, joint), column) in enumerate(zip(cell, begins, strict=False), first_row):
            sketch.read(row_number, column, runs, joint)


def _draw_lines(
    sketch: Sketch,
    rows: Sequence[Sequence[Cell]],
    width: int,
    rule_style: Style,
    before: Callable[[], Sequence[Segment]],
) -> None:
    for row in rows:
        line: list[Run] = []
        for cell in row:
            line += [Run(_BETWEEN, rule_style), *cell] if line else cell
        for runs, joint in wrapped(line, width):
            sketch.put(runs, joint, before())


def _column_widths(rows: Sequence[Sequence[Cell]], width: int) -> list[int]:
    """Cells of each column, together at most ``width``: what is asked for, else the widest ones give."""
    texts = [["".join(run.text for run in cell) for cell in column] for column in zip(*rows, strict=True)]
    wanted = [max(1, *(cell_len(text) for text in column)) for column in texts]
    if sum(wanted) <= width:
        return wanted
    # No word is cut unless there is no room even for the longest word of each column.
    words = [max((cell_len(w) for text in column for w in text.split()), default=1) for column in texts]
    for least in (words, [_LEAST_CELLS] * len(wanted)):
        floor = [min(cells, wish) for cells, wish in zip(least, wanted, strict=True)]
        if sum(floor) <= width:
            return _shrunk(wanted, floor, width)
    return [_LEAST_CELLS] * len(wanted)


def _shrunk(wanted: Sequence[int], floor: Sequence[int], width: int) -> list[int]:
    """``wanted``, cut to the highest common limit that fits into ``width``; none is cut below its floor."""

    def limited(limit: int) -> list[int]:
        return [max(least, min(cells, limit)) for cells, least in zip(wanted, floor, strict=True)]

    low, high = 1, max(wanted)  # the first fits, the second does not
    while high - low > 1:
        middle = (low + high) // 2
        if sum(limited(middle)) <= width:
            low = middle
        else:
            high = middle
    widths = limited(low)
    for n, cells in enumerate(widths):  # the few cells that are left over
        if cells < wanted[n] and cells == low and sum(widths) < width:
            widths[n] += 1
    return widths

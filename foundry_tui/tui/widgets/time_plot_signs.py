"""Lines and lanes of a plot over time, in signs: Braille, or ASCII where that cannot be drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["BRAILLE", "PLAIN", "PlotSigns", "lane_cells", "line_rows"]

_DOTS_HIGH = 4
_LEFT, _RIGHT = (0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08)
"""Bits of a Braille cell's dots, from the lowest up."""
_BRAILLE_FROM = 0x2800
_PLAIN_LEVELS = "_-'"
_TALL = "|"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotSigns:
    """What a plot is drawn with.

    Attributes:
        across: Values that stand side by side in a cell.
        is_ascii: Whether nothing but ASCII is used.
        under_way: A request is under way.
        begins: One begins; several at once, or one that ends where another begins, are ``several``.
        ends: One ends well.
        failed: One ends otherwise.
        tick: Before the words of a moment.
        seam: Where another life of the run begins.
        cursor: On the axis, below what is looked at.
    """

    across: int
    is_ascii: bool
    under_way: str
    begins: str = "["
    ends: str = "]"
    several: str = "#"
    failed: str = "!"
    tick: str
    seam: str
    cursor: str


BRAILLE = PlotSigns(across=2, is_ascii=False, under_way="─", tick="╵", seam="≈", cursor="▲")
PLAIN = PlotSigns(across=1, is_ascii=True, under_way="-", tick="'", seam="~", cursor="^")


def line_rows(values: Sequence[float | None], *, rows: int, top: float, signs: PlotSigns) -> list[str]:
    """A line through ``values``, from 0 at the bottom to ``top``, as rows from above.

    Neighbours are joined; what is None is left out, and nothing is drawn across it.

    Args:
        values: ``signs.across`` for each cell.
        rows: Of cells, at least one.
        top: Above 0.
        signs: What it is drawn with.
    """
    high = (3 if signs.is_ascii else _DOTS_HIGH) * rows
    # A line is kept apart from the one above, if only by a dot.
    highest = high - 1 if rows == 1 else high - 2
    levels = [None if value is None else _level(value / top, highest) for value in values]
    reaches = [_reach(levels, place) for place in range(len(levels))]
    if signs.is_ascii:
        return [_plain_row(reaches, row) for row in reversed(range(rows))]
    return [_braille_row(reaches, row) for row in reversed(range(rows))]


def lane_cells(
    *,
    begins: Sequence[int],
    ends: Sequence[int],
    failures: Sequence[int],
    is_busy: Sequence[bool],
    signs: PlotSigns,
) -> str:
    """A sign for each column: where requests begin and end, and where one is under way."""
    cells: list[str] = []
    for begun, ended, failed, busy in zip(begins, ends, failures, is_busy, strict=True):
        if failed:
            cells.append(signs.failed)
        elif begun + ended > 1:
            cells.append(signs.several)
        elif begun:
            cells.append(signs.begins)
        elif ended:
            cells.append(signs.ends)
        else:
            cells.append(signs.under_way if busy else " ")
    return "".join(cells)


def _level(share: float, highest: int) -> int:
    return max(0, min(highest, round(share * highest)))


def _reach(levels: Sequence[int | None], place: int) -> tuple[int, int] | None:
    """From where to where the line stands there: its own level, and up or down to the one before."""
    level = levels[place]
    if level is None:
        return None
    before = levels[place - 1] if place else None
    if before is None or abs(before - level) <= 1:
        return level, level
    return (before + 1, level) if before < level else (level, before - 1)


def _braille_row(reaches: Sequence[tuple[int, int] | None], row: int) -> str:
    bits = [0] * (len(reaches) + len(reaches) % 2)
    lowest, highest = row * _DOTS_HIGH, (row + 1) * _DOTS_HIGH - 1
    for place, reach in enumerate(reaches):
        if reach is None or reach[0] > highest or reach[1] < lowest:
            continue
        dots = _RIGHT if place % 2 else _LEFT
        bits[place] = sum(dots[max(0, reach[0] - lowest) : reach[1] - lowest + 1])
    pairs = (left + right for left, right in zip(bits[::2], bits[1::2], strict=True))
    return "".join(chr(_BRAILLE_FROM + pair) if pair else " " for pair in pairs)


def _plain_row(reaches: Sequence[tuple[int, int] | None], row: int) -> str:
    cells: list[str] = []
    for reach in reaches:
        low, high = (1, 0) if reach is None else (reach[0] - row * 3, reach[1] - row * 3)
        inside = range(max(0, low), min(2, high) + 1)
        cells.append(" " if not inside else _PLAIN_LEVELS[inside[0]] if len(inside) == 1 else _TALL)
    return "".join(cells)

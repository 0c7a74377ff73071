"""The time before each token of one answer, as bars in cells: what waits, where, and how long."""

import math
from dataclasses import dataclass

from foundry_tui.metrics.gaps import GapTrack, WaitKind
from foundry_tui.tui.screens.bench.axis import number_words
from foundry_tui.tui.screens.bench.ink import Ink, Line, joined

__all__ = ["Timing", "timing_of"]

_NS_PER_MS = 1_000_000
_LABEL_CELLS = 6
_LEAST_CELLS = 10
_SHORTEST_MS = 0.1
"""Lower the scale does not go: what is shorter is as long as a read takes."""
_BARS = "▁▂▃▄▅▆▇█"
_PLAIN_BARS = "12345678"
_UNKNOWN = "·"
_PLAIN_UNKNOWN = "."


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What is to be painted of one answer.

    Attributes:
        lines: From the top; the last one counts the chunks.
        for_each: Chunks that share a column, which shows the longest wait of them.
    """

    lines: tuple[Line, ...] = ()
    for_each: int = 1


@dataclass(frozen=True, slots=True)
class _Column:
    """The longest wait before one of some chunks; None where all came in a read with others."""

    wait_ms: float | None
    is_stall: bool


def timing_of(track: GapTrack, *, width: int, height: int, is_plain: bool = False) -> Timing:
    """The gaps of an answer from its second chunk on, on a logarithmic scale of whole decades in ms.

    Where there are more chunks than cells, as many share one cell as are needed, and it shows the longest
    wait of them: no stall is lost by it.
    """
    cells, rows = width - _LABEL_CELLS - 1, height - 1
    count = len(track.chunks) - 1
    if cells < _LEAST_CELLS or rows < 1 or count < 1:
        return Timing()
    for_each = -(-count // cells)
    columns = [_column(track, 1 + first, min(for_each, count - first)) for first in range(0, count, for_each)]
    waits = [column.wait_ms for column in columns if column.wait_ms is not None]
    low, high = _decades(waits)
    lines = [_row(columns, row, rows, low=low, high=high, is_plain=is_plain) for row in reversed(range(rows))]
    last = f"{count + 1:,}"
    foot = "2" + last.rjust(len(columns) - 1) if len(columns) > len(last) + 1 else last
    lines.append(((" " * (_LABEL_CELLS + 1) + foot, Ink.GRID),))
    return Timing(lines=tuple(lines), for_each=for_each)


def _column(track: GapTrack, first: int, count: int) -> _Column:
    longest, place = -1, first
    for index in range(first, first + count):
        wait_ns = track.wait_ns(index)
        if wait_ns is not None and wait_ns > longest:
            longest, place = wait_ns, index
    if longest < 0:
        return _Column(None, is_stall=False)
    return _Column(longest / _NS_PER_MS, track.kind_of(place) is WaitKind.STALL)


def _decades(waits_ms: list[float]) -> tuple[int, int]:
    """Powers of ten around all waits, at least one apart."""
    if not waits_ms:
        return 0, 1
    low = math.floor(math.log10(max(min(waits_ms), _SHORTEST_MS)))
    return low, max(low + 1, math.ceil(math.log10(max(*waits_ms, _SHORTEST_MS))))


def _row(columns: list[_Column], row: int, rows: int, *, low: int, high: int, is_plain: bool) -> Line:
    bars, unknown = (_PLAIN_BARS, _PLAIN_UNKNOWN) if is_plain else (_BARS, _UNKNOWN)
    steps = len(bars)
    parts: list[tuple[str, Ink]] = [(_label(row, rows, low, high), Ink.GRID)]
    for column in columns:
        sign, ink = " ", Ink.SPACE
        if column.wait_ms is None:
            if row == 0:
                sign, ink = unknown, Ink.NOTE
        else:
            share = (math.log10(max(column.wait_ms, 10.0**low)) - low) / (high - low)
            level = max(1, min(round(share * rows * steps), rows * steps)) - row * steps
            if level > 0:
                sign, ink = bars[min(level, steps) - 1], Ink.STALL if column.is_stall else Ink.BAR
        parts.append((sign, ink))
    return joined(parts)


def _label(row: int, rows: int, low: int, high: int) -> str:
    """The decade that begins in this row, and the highest one at the top."""
    if row == rows - 1 and rows > 1:
        words = number_words(10.0**high)
    else:
        edges = {(power - low) * rows // (high - low): power for power in reversed(range(low, high))}
        words = number_words(10.0 ** edges[row]) if row in edges else ""
    return words.rjust(_LABEL_CELLS)[:_LABEL_CELLS] + " "

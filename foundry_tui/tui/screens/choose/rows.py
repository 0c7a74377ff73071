"""The table of the candidates: which columns there is room for, and what stands in their cells."""

from collections.abc import Sequence

from foundry_tui.domain.quantities import UNKNOWN, bytes_in_words, seconds_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.candidate import Candidate, Dimension, Memory, Unknown
from foundry_tui.metrics.selection import Fit, Judged, State
from foundry_tui.reports.choice import Choice
from foundry_tui.reports.choice_tables import STATE_SIGNS, letters, value_lines
from foundry_tui.reports.choice_words import share_words
from foundry_tui.tui.screens.bench.names import names_within
from foundry_tui.tui.widgets.table_parts import Align, Column, Emphasis, Row, place

__all__ = ["columns_for", "rows_of"]

_ROOMY_FROM, _WHOLE_FROM = 112, 170
_LABELS = {
    Dimension.LATENCY: "Latency",
    Dimension.THROUGHPUT: "tok/s",
    Dimension.MEMORY: "Memory",
    Dimension.QUALITY: "Quality",
    Dimension.FOOTPRINT: "Disk",
    Dimension.LICENSE: "License",
}
_WIDTHS = {
    Dimension.LATENCY: (8, 24, 31),
    Dimension.THROUGHPUT: (7, 18, 25),
    Dimension.MEMORY: (9, 9, 24),
    Dimension.QUALITY: (7, 18, 24),
    Dimension.FOOTPRINT: (9, 9, 9),
    Dimension.LICENSE: (7, 7, 10),
}
"""By how much room there is: the value, the value with its interval, and with all besides."""
_FIT_SIGNS = {Fit.FITS: "", Fit.DOES_NOT: "!", Fit.NOT_KNOWN: "?"}
_DIMENSIONS = tuple(Dimension)
_RUN_CHARACTERS = 4


def columns_for(width: int, picked: Dimension) -> tuple[Column, ...]:
    """Those of a table so many cells wide; that of ``picked`` in capitals, for keys work on it."""
    size = _size(width)
    columns = [
        Column(key="who", label="", width=2, priority=9),
        Column(key="model", label="Model", width=11, weight=3, priority=8),
    ]
    for dimension in Dimension:
        label = _LABELS[dimension]
        columns.append(
            Column(
                key=dimension.value,
                label=label.upper() if dimension is picked else label,
                width=_WIDTHS[dimension][size],
                weight=1 if dimension is Dimension.LICENSE else 0,
                priority=7,
            )
        )
    columns += [
        Column(key="good", label="Good answer", width=11, priority=2),
        Column(key="front", label="On front", width=8, align=Align.RIGHT, priority=3),
        Column(key="answers", label="Answers", width=7, align=Align.RIGHT, priority=1),
    ]
    return tuple(columns)


def rows_of(found: Choice, width: int) -> list[Row]:
    """A row for each candidate, its place in the choice as its key."""
    size, judged = _size(width), found.judged
    cells = next(one.width for one in place(columns_for(width, _DIMENSIONS[0]), width) if one.index == 1)
    names = names_within(_names(judged), cells)
    return [
        _row(found, each, number, letter, name, size)
        for number, (each, letter, name) in enumerate(zip(judged, letters(len(judged)), names, strict=True))
    ]


def _names(judged: Sequence[Judged]) -> list[str]:
    """Of variants; with the begin of the run's id behind them, which is kept, where there are several."""
    has_several = len({each.candidate.run_id for each in judged}) > 1
    return [
        clean_line(
            f"{each.candidate.model_id or each.candidate.model}"
            f"{f' {each.candidate.run_id[:_RUN_CHARACTERS]}' if has_several else ''}"
        )
        for each in judged
    ]


def _row(found: Choice, judged: Judged, number: int, letter: str, name: str, size: int) -> Row:
    candidate = judged.candidate
    held = found.stability_of(candidate)
    cells = [_cell(judged, dimension, size) for dimension in Dimension]
    good = candidate.time_to_good
    return Row(
        key=str(number),
        cells=(
            f"{letter}{_FIT_SIGNS[judged.fit]}",
            name,
            *cells,
            UNKNOWN if isinstance(good, Unknown) else seconds_in_words(good.value),
            UNKNOWN if held is None else share_words(held.on_front),
            f"{candidate.answers}/{candidate.tried}",
        ),
        emphasis=Emphasis.DIM if judged.fit is not Fit.FITS else Emphasis.NORMAL,
        problems=frozenset(
            2 + column
            for column, dimension in enumerate(_DIMENSIONS)
            if judged.of(dimension).state is State.FAILS
        ),
    )


def _cell(judged: Judged, dimension: Dimension, size: int) -> str:
    sign = STATE_SIGNS[judged.of(dimension).state].strip()
    return f"{sign}{_value(judged.candidate, dimension, size)}"


def _value(candidate: Candidate, dimension: Dimension, size: int) -> str:
    if dimension is Dimension.MEMORY and size < 2 and isinstance(candidate.memory, Memory):
        return bytes_in_words(candidate.memory.total_bytes)
    lines: Sequence[str] = value_lines(candidate, dimension)
    if dimension is Dimension.THROUGHPUT:
        lines = [line.replace(" tok/s", "") for line in lines if "char/s" not in line]
    if dimension is Dimension.MEMORY:
        return " ".join(lines)
    return " ".join(lines[: 1 + size])


def _size(width: int) -> int:
    return (width >= _ROOMY_FROM) + (width >= _WHOLE_FROM)

"""A choice as two tables that fit into 80 columns; what had to be cut stands in full on a line of its own.

The first says who a candidate is, the second what was measured of it, with the 95 % interval and the number
of readings below each value.
"""

from collections.abc import Callable, Sequence
from itertools import zip_longest

from foundry_tui.domain.quantities import UNKNOWN, bytes_in_words, rate_in_words, seconds_in_words
from foundry_tui.domain.text import clean_line, shorten
from foundry_tui.metrics.candidate import Candidate, Dimension, Figure, Unknown
from foundry_tui.metrics.selection import Fit, Judged, State
from foundry_tui.reports.choice import Choice
from foundry_tui.reports.choice_words import characters_words, mean_words, namer

__all__ = [
    "FIT_SIGNS",
    "SIGNS_LINE",
    "STATE_SIGNS",
    "VALUES_HEADER",
    "WHO_HEADER",
    "WHO_RIGHT",
    "cut_lines",
    "letters",
    "value_lines",
    "values_rows",
    "who_rows",
]

WHO_HEADER = ("", "MODEL", "FITS", "ANSWERS", "DISK", "LICENSE")
WHO_RIGHT = frozenset({3})
VALUES_HEADER = ("", "LATENCY", "THROUGHPUT", "MEMORY", "QUALITY", "GOOD ANSWER IN")
SIGNS_LINE = "! breaks a limit · ? is asked for and not known · in brackets: 95 %"
FIT_SIGNS = {Fit.FITS: "yes", Fit.DOES_NOT: "no", Fit.NOT_KNOWN: "?"}
STATE_SIGNS = {State.FAILS: "! ", State.UNKNOWN: "? ", State.PASSES: "", State.NOT_ASKED: ""}

_COLUMNS = 80
_GAP = 2
_LICENSE_CELLS = 16
_VALUE_CELLS = 16
_LEAST_NAME_CELLS = 12
_MEASURED = (Dimension.LATENCY, Dimension.THROUGHPUT, Dimension.MEMORY, Dimension.QUALITY)


def letters(count: int) -> list[str]:
    """``A`` to ``Z``, then ``AA`` and on: what candidates are called in tables and charts, by place."""
    return [_letters(place) for place in range(count)]


def who_rows(found: Choice) -> list[tuple[str, ...]]:
    """A row for each candidate under ``WHO_HEADER``."""
    rows = _whole_rows(found)
    room = _room_for_names(rows)
    return [
        (key, _cut_within(name, room), *others, shorten(license_, _LICENSE_CELLS))
        for key, name, *others, license_ in rows
    ]


def cut_lines(found: Choice) -> list[str]:
    """``A: qwen2.5-…-cpu:4; license apache-2.0 …``: what ``who_rows`` shows not all of."""
    rows = _whole_rows(found)
    room = _room_for_names(rows)
    lines = []
    for key, name, *_, license_ in rows:
        parts = [name] if len(name) > room else []
        parts += [f"license {license_}"] if len(license_) > _LICENSE_CELLS else []
        if parts:
            lines.append(f"{key}: {'; '.join(parts)}")
    return lines


def values_rows(found: Choice) -> list[tuple[str, ...]]:
    """Under ``VALUES_HEADER`` as many rows for each candidate as its longest cell has lines."""
    rows: list[tuple[str, ...]] = []
    for key, judged in zip(letters(len(found.judged)), found.judged, strict=True):
        cells = [_signed(judged, dimension) for dimension in _MEASURED]
        cells.append(_figure_lines(judged.candidate.time_to_good, seconds_in_words))
        folded = [[part for line in cell for part in _folded(line)] for cell in cells]
        for number, parts in enumerate(zip_longest(*folded, fillvalue="")):
            rows.append(("" if number else key, *parts))
    return rows


def value_lines(candidate: Candidate, dimension: Dimension) -> list[str]:
    """The value, then its interval, then of how many readings it is; each on a line of its own."""
    match dimension:
        case Dimension.LATENCY:
            waits = candidate.latency
            if isinstance(waits, Unknown):
                return [UNKNOWN]
            tail = [] if waits.p95_s is None else [f"p95 {seconds_in_words(waits.p95_s)}"]
            return [*_figure_lines(waits.e2e_s, seconds_in_words), *tail]
        case Dimension.THROUGHPUT:
            rates = candidate.throughput
            if isinstance(rates, Unknown):
                return [UNKNOWN]
            lines = _figure_lines(rates.tokens_per_s, rate_in_words, lambda rate: f"{rate:,.1f}")
            characters = rates.characters_per_s
            return lines if isinstance(characters, Unknown) else [*lines, characters_words(characters.value)]
        case Dimension.MEMORY:
            memory = candidate.memory
            if isinstance(memory, Unknown):
                return [UNKNOWN]
            vram = [] if memory.vram_bytes is None else ["+ VRAM", bytes_in_words(memory.vram_bytes)]
            return [bytes_in_words(memory.rss_bytes), *vram]
        case Dimension.QUALITY:
            return _figure_lines(candidate.quality, mean_words)
        case Dimension.FOOTPRINT:
            size = candidate.footprint_bytes
            return [UNKNOWN if isinstance(size, Unknown) else bytes_in_words(size)]
        case Dimension.LICENSE:
            return [UNKNOWN if isinstance(candidate.license, Unknown) else clean_line(candidate.license, 200)]


def _whole_rows(found: Choice) -> list[tuple[str, ...]]:
    name = namer([judged.candidate for judged in found.judged])
    return [
        (
            key,
            name(judged.candidate),
            FIT_SIGNS[judged.fit],
            f"{judged.candidate.answers}/{judged.candidate.tried}",
            _signed(judged, Dimension.FOOTPRINT)[0],
            _signed(judged, Dimension.LICENSE)[0],
        )
        for key, judged in zip(letters(len(found.judged)), found.judged, strict=True)
    ]


def _room_for_names(rows: Sequence[tuple[str, ...]]) -> int:
    others = [
        max(len(WHO_HEADER[column]), *(min(len(row[column]), _LICENSE_CELLS) for row in rows))
        for column in range(len(WHO_HEADER))
        if WHO_HEADER[column] != "MODEL"
    ]
    return max(_LEAST_NAME_CELLS, _COLUMNS - sum(others) - _GAP * len(others))


def _signed(judged: Judged, dimension: Dimension) -> list[str]:
    first, *others = value_lines(judged.candidate, dimension)
    return [f"{STATE_SIGNS[judged.of(dimension).state]}{first}", *others]


def _figure_lines(
    figure: Figure | Unknown, words: Callable[[float], str], bare: Callable[[float], str] | None = None
) -> list[str]:
    if isinstance(figure, Unknown):
        return [UNKNOWN]
    lines = [f"{'~' if figure.is_estimate else ''}{words(figure.value)}"]
    if figure.interval is not None:
        low, high = ((bare or words)(end) for end in (figure.interval.low, figure.interval.high))
        lines.append(f"[{low}, {high}]")
    return lines if figure.n is None else [*lines, f"n={figure.n}"]


def _folded(line: str) -> list[str]:
    """An interval that is too wide on two lines."""
    low, comma, high = line.partition(", ")
    return [f"{low},", f" {high}"] if comma and len(line) > _VALUE_CELLS else [line]


def _cut_within(text: str, width: int) -> str:
    """Its begin and its end, which tell variants apart."""
    if len(text) <= width:
        return text
    head = (width - 1) // 3
    return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}"


def _letters(place: int) -> str:
    before, last = divmod(place, 26)
    return (_letters(before - 1) if before else "") + chr(ord("A") + last)

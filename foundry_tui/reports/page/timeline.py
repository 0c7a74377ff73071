"""The time line of a run: its requests as lanes of each model, and under them what its engine took."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from foundry_tui.domain.bench import Phase, ResourceReading
from foundry_tui.domain.quantities import UNKNOWN, bytes_in_words, plural, seconds_in_words, span_in_words
from foundry_tui.reports.page.parts import Row, figure, paragraph
from foundry_tui.reports.page.svg import (
    bar,
    curve,
    drawing,
    grid,
    label,
    linear_axis,
    steps,
    stretched,
    upright,
)
from foundry_tui.reports.page.text import Markup, joined, line, tag
from foundry_tui.reports.page.time import Piece, Placed, RunTime
from foundry_tui.reports.run_results import ModelResult

__all__ = ["time_chart"]

_LANE, _MOST_LANES = 14, 8
_BAND = 70
_BAND_TOP, _BAND_BOTTOM = 16, 68
# Up to here each bar has a title; above, bars that touch are drawn as one.
_MOST_TITLED = 600
# So many places along are told apart; a screen has hardly more.
_PLACES = 1500
_POINTS = 600
_TICKS = 6
_ROUND_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)
_NO_READINGS = (
    "Memory, GPU memory and processor time of the engine over the run: n/a, none were kept of this run."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quantity:
    """Something that was read again and again.

    Attributes:
        what: Of what.
        words: A value of it.
    """

    name: str
    what: str
    of: Callable[[ResourceReading], float | None]
    words: Callable[[float], str]


_QUANTITIES = (
    _Quantity(
        name="Memory (RSS)",
        what="resident set of the engine's process",
        of=lambda reading: reading.rss_bytes,
        words=lambda value: bytes_in_words(round(value)),
    ),
    _Quantity(
        name="GPU memory",
        what="of the engine's process",
        of=lambda reading: reading.vram_bytes,
        words=lambda value: bytes_in_words(round(value)),
    ),
    _Quantity(
        name="Processor",
        what="cores that the engine's process kept busy",
        of=lambda reading: reading.cpu_share,
        words=lambda value: f"{value:.2f} cores",
    ),
    _Quantity(
        name="Free memory",
        what="of the machine, or of our share of it",
        of=lambda reading: reading.available_bytes,
        words=lambda value: bytes_in_words(round(value)),
    ),
)


def time_chart(key: str, results: Sequence[ModelResult], time: RunTime | None) -> Markup:
    """Requests over time, and on the same axis below them memory, GPU memory and processor of the engine."""
    if time is None:
        return paragraph("There is no time line: no request was made.")
    ticks = [tick for piece in time.pieces for tick in _ticks(piece)]
    cuts = [
        (earlier.end + later.begin) / 2 for earlier, later in zip(time.pieces, time.pieces[1:], strict=False)
    ]
    frame = _Frame(time=time, places=tuple(place for place, _ in ticks), cuts=tuple(cuts))
    rows = [
        _lane_row(f"{key}-lane{index}", result, frame)
        for index, result in enumerate(results)
        if result.requests
    ]
    rows += [
        _band_row(f"{key}-band{index}", quantity, frame)
        for index, quantity in enumerate(_QUANTITIES if time.readings else ())
    ]
    shapes = [label(place, 14, words) for place, words in ticks]
    shapes += [label(cut, 14, "⋯", "cut") for cut in cuts]
    shapes += [upright(place, 0, 4, "mark") for place, _ in ticks]
    hours = "hours:" if time.pieces[-1].end_s >= 3600 else ""
    unit = f"time since the run began, in {hours}minutes:seconds"
    length = f"{plural(len(time.pieces), 'piece')}, {span_in_words(_busy_s(time))} in all"
    axis = drawing(f"{key}-time", "Axis: time", length, 34, *shapes, label(0.5, 30, unit, "unit"))
    return figure("Requests over time, and what the engine took", rows, axis, _notes(time))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """The axis that all rows share.

    Attributes:
        places: Of its ticks, from 0 to 1 along.
        cuts: Where a pause is left out.
    """

    time: RunTime
    places: tuple[float, ...]
    cuts: tuple[float, ...]

    def drawn(self, height: float) -> Iterator[Markup]:
        yield grid(self.places, height)
        yield from (upright(cut, 0, height, "cut") for cut in self.cuts)


def _notes(time: RunTime) -> list[str]:
    notes = [
        "A bar is a request: its pale part is the wait for the first text, its full part the text itself."
        " Outlined: not timed (probe, calibration, certificate, warm-up). Crossed through: it failed."
    ]
    for number, piece in enumerate(time.pieces[1:], 2):
        if piece.pause_s is None:
            continue
        pause = f"after a pause of {span_in_words(piece.pause_s)}"
        if piece.is_other_clock:
            pause = f"{pause}, under another clock: the machine slept or was started anew"
            if piece.pause_s <= 0:
                pause = "under another clock, which was set back"
        notes.append(f"Part {number} goes on {pause}; the pause is left out (⋯).")
    if not time.readings:
        notes.append(_NO_READINGS)
    if time.strays:
        notes.append(
            f"{plural(time.strays, 'reading')} of memory and processor are left out: they are of a life of"
            " the run in which no request was made."
        )
    return notes


def _busy_s(time: RunTime) -> float:
    return sum(piece.end_s - piece.begin_s for piece in time.pieces)


def _ticks(piece: Piece) -> list[tuple[float, str]]:
    """Round moments of a piece; of a narrow one its beginning."""
    count = round(_TICKS * (piece.end - piece.begin))
    length_s = piece.end_s - piece.begin_s
    if count < 1 or length_s <= 0:
        return [(piece.begin, _clock(piece.begin_s, 60))]
    rough = length_s / count
    step = next((float(each) for each in _ROUND_S if each >= rough > 1), steps(length_s, count))
    first = -(-piece.begin_s // step)
    moments = [(first + index) * step for index in range(2 * _TICKS)]
    return [(piece.at(at_s), _clock(at_s, step)) for at_s in moments if at_s <= piece.end_s] or [
        (piece.begin, _clock(piece.begin_s, 60))
    ]


def _clock(at_s: float, step: float) -> str:
    if step < 1:
        return f"0:{at_s:06.3f}".rstrip("0").rstrip(".") if at_s < 60 else f"{at_s:,.2f} s"
    minutes, seconds = divmod(round(at_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _lane_row(key: str, result: ModelResult, frame: _Frame) -> Row:
    numbers = {request.number for request in (*result.requests, *result.superseded)}
    placed = [one for one in frame.time.placed if one.request.number in numbers]
    lanes = _lanes(placed)
    height = _LANE * (max(lane for lane, _ in lanes) + 1) + 8
    failed = sum(not one.request.trace.outcome.is_timed for one in placed)
    told = plural(len(placed), "request") + (f", {failed} of them failed" if failed else "")
    told += f", {len(result.superseded)} measured again" if result.superseded else ""
    bars = _bars(lanes, frame.time) if len(frame.time.placed) <= _MOST_TITLED else _runs(lanes, frame.time)
    drawn = drawing(key, f"Requests over time: {result.name}", told, height, *frame.drawn(height), *bars)
    return Row(name=result.name, told=told, drawn=drawn)


def _lanes(placed: Sequence[Placed]) -> list[tuple[int, Placed]]:
    """Each with the first lane that is free: as many lanes as requests were under way at once."""
    free = list(range(_MOST_LANES))
    taken: list[tuple[float, int]] = []
    lanes = []
    for one in sorted(placed, key=lambda one: (one.begin_s, one.request.number)):
        while taken and taken[0][0] <= one.begin_s:
            heappush(free, heappop(taken)[1])
        lane = heappop(free) if free else _MOST_LANES - 1
        if lane < _MOST_LANES - 1 or not any(other == lane for _, other in taken):
            heappush(taken, (one.end_s, lane))
        lanes.append((lane, one))
    return lanes


def _class_of(one: Placed) -> str:
    if not one.request.trace.outcome.is_timed:
        return "failed"
    return "done" if one.request.phase is Phase.TIMED else "aside"


def _bars(lanes: Iterable[tuple[int, Placed]], time: RunTime) -> Iterator[Markup]:
    for lane, one in lanes:
        request = one.request
        took = seconds_in_words(one.end_s - one.begin_s)
        title = tag(
            "title",
            line(
                f"request {request.number}, {request.prompt_id}, {request.phase.value} round {request.round}:"
                f" {request.trace.outcome.words} after {took}",
                200,
            ),
        )
        y = 4 + lane * _LANE
        begin, end = time.at(one.begin_s), time.at(one.end_s)
        first = end if one.first_s is None else time.at(one.first_s)
        class_ = _class_of(one)
        shapes = [title, bar(begin, first, y, _LANE - 4, "wait"), bar(first, end, y, _LANE - 4, "flow")]
        if class_ == "failed":
            shapes.append(bar(begin, end, y + (_LANE - 4) / 2 - 1, 2, "through"))
        yield tag("g", *shapes, class_=f"request {class_}")


def _runs(lanes: Iterable[tuple[int, Placed]], time: RunTime) -> Iterator[Markup]:
    """The same of very many: what would touch on a screen is one bar."""
    spans: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for lane, one in lanes:
        begin, end = (int(time.at(at_s) * _PLACES) for at_s in (one.begin_s, one.end_s))
        of_lane = spans.setdefault((lane, _class_of(one)), [])
        if of_lane and begin <= of_lane[-1][1]:
            of_lane[-1] = (of_lane[-1][0], max(end, of_lane[-1][1]))
        else:
            of_lane.append((begin, end))
    for (lane, class_), of_lane in sorted(spans.items()):
        # A failure lies as a line above the others, which may hide it.
        down, height, shape = (4, 2, "through") if class_ == "failed" else (0, _LANE - 4, "flow")
        shapes = [
            bar(begin / _PLACES, (end + 1) / _PLACES, 4 + lane * _LANE + down, height, shape)
            for begin, end in of_lane
        ]
        yield tag("g", *shapes, class_=f"request {class_}")


def _band_row(key: str, quantity: _Quantity, frame: _Frame) -> Row:
    read = [
        (at_s, value) for at_s, reading in frame.time.readings if (value := quantity.of(reading)) is not None
    ]
    title = f"{quantity.name} over time"
    if not read:
        told = f"{UNKNOWN}: {quantity.what}, it could not be read"
        return Row(
            name=quantity.name, told=told, drawn=drawing(key, title, told, 24, label(0, 16, UNKNOWN, "none"))
        )
    values = [value for _, value in read]
    axis = linear_axis(0, max(values) or 1, ticks=2)
    told = (
        f"{quantity.what}: {quantity.words(min(values))} to {quantity.words(max(values))},"
        f" {plural(len(values), 'reading')}"
    )
    lines = [
        curve([(frame.time.at(at_s), axis.share(value)) for at_s, value in part], "line")
        for part in _parts(read, frame.time)
    ]
    drawn = drawing(
        key,
        title,
        told,
        _BAND,
        *frame.drawn(_BAND),
        stretched(joined(lines), high=100, top=_BAND_TOP, height=_BAND_BOTTOM - _BAND_TOP),
        label(0, 12, f"{quantity.words(max(values))} at most; the axis begins at 0"),
    )
    return Row(name=quantity.name, told=told, drawn=drawn)


def _parts(read: Sequence[tuple[float, float]], time: RunTime) -> Iterator[list[tuple[float, float]]]:
    """The readings of each piece, where there are many the least and the most of every few."""
    parts: dict[float, list[tuple[float, float]]] = {}
    for at_s, value in read:
        parts.setdefault(time.piece(at_s).begin_s, []).append((at_s, value))
    every = max(1, -(-2 * len(read) // _POINTS))
    for part in parts.values():
        if every == 1:
            yield part
            continue
        kept: list[tuple[float, float]] = []
        for index in range(0, len(part), every):
            few = part[index : index + every]
            ends = {min(few, key=lambda entry: entry[1]), max(few, key=lambda entry: entry[1])}
            kept += sorted(ends)
        yield kept

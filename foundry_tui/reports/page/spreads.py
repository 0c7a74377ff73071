"""How the requests of each model are spread, and whether they drift: every reading as a point."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from foundry_tui.domain.quantities import UNKNOWN, plural, rate_in_words, seconds_in_words
from foundry_tui.metrics.measures import Measure, is_counted, read
from foundry_tui.metrics.percentiles import percentile
from foundry_tui.metrics.spread import Spread
from foundry_tui.reports.page.parts import Row, ends_words, figure, paragraph
from foundry_tui.reports.page.svg import (
    Axis,
    across,
    axis_of,
    bar,
    curve,
    dot,
    drawing,
    grid,
    label,
    linear_axis,
    percent,
    scale,
    stretched,
    tick_numbers,
    upright,
)
from foundry_tui.reports.page.text import Markup, joined, line, tag
from foundry_tui.reports.run_results import ModelResult

__all__ = ["drift_chart", "spread_charts"]

_TITLES = {
    Measure.TTFT: "Time to first token",
    Measure.LATENCY: "Latency",
    Measure.DECODE_RATE: "Decode rate",
}
_STRIP, _PLOT = 52, 140
_PLOT_TOP, _PLOT_BOTTOM = 18, 132
# A cloud of points says no more with more of them.
_MOST_POINTS = 300
_LEAST_FOR_A_BOX = 5
_SIGNS = (
    "A point is a request, a diamond one that stands out in latency, a ring one with an estimated count. The"
    f" thick line is the median; from {_LEAST_FOR_A_BOX} requests on the box holds the middle half of them;"
    " the bar below it is the 95 % interval of the median, from 6 requests on."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    number: int
    round: int
    value: float
    is_estimate: bool
    is_outlier: bool


def spread_charts(key: str, results: Sequence[ModelResult]) -> Markup:
    """Time to first token, latency and decode rate: a box and a point for each request that is counted."""
    return joined([paragraph(_SIGNS, "soft"), *(_spread_chart(key, results, measure) for measure in _TITLES)])


def drift_chart(key: str, results: Sequence[ModelResult]) -> Markup:
    """Latency against the round, model by model."""
    rows, notes = [], []
    most_rounds = 1
    for index, result in enumerate(results):
        points = _points(result, Measure.LATENCY)
        rounds = {point.round for point in points}
        if len(rounds) < 2:
            why = "one round shows no drift" if rounds else _no_reading_words(result)
            notes.append(f"{result.name}: {why}.")
            continue
        most_rounds = max(most_rounds, *rounds)
        rows.append((f"{key}-drift{index}", result, points))
    if not rows:
        return joined([paragraph(note) for note in notes])
    axis = linear_axis(1, most_rounds, ticks=min(6, most_rounds - 1))
    whole = [tick for tick in axis.ticks if tick == round(tick) and 1 <= tick <= most_rounds]
    axis = Axis(low=1, high=most_rounds, ticks=tuple(dict.fromkeys((1, *whole, most_rounds))))
    return figure(
        "Latency against the round",
        [_drift_row(row_key, result, points, axis) for row_key, result, points in rows],
        scale(f"{key}-drift", axis, "round", lambda value: f"{value:.0f}"),
        [
            "A point is a request, the line goes through the median of each round. Each model has a scale of"
            " its own, which need not begin at 0.",
            *_drawn_notes([points for _, _, points in rows]),
            *notes,
        ],
    )


def _told_spread(measure: Measure, values: Spread, *, is_estimate: bool = False) -> str:
    """``median 1.20 s, 1.10 s to 1.41 s, n=24``."""
    middle = (
        seconds_in_words(values.median)
        if measure.is_time
        else rate_in_words(values.median, is_estimate=is_estimate)
    )
    return f"median {middle}, {ends_words(measure, values)}"


def _no_reading_words(result: ModelResult) -> str:
    """Why a model has no number at all."""
    if result.summary.rounds_ok:
        return f"{UNKNOWN}, it is undefined for each of its {plural(result.summary.rounds_ok, 'answer')}"
    return f"{UNKNOWN}, no timed request ended well ({result.status.words})"


def _spread_chart(key: str, results: Sequence[ModelResult], measure: Measure) -> Markup:
    points = [_points(result, measure) for result in results]
    values = [point.value for of_model in points for point in of_model]
    title = _TITLES[measure]
    if not values:
        said = "; ".join(f"{result.name}: {_no_reading_words(result)}" for result in results)
        return joined([tag("h3", line(title)), paragraph(f"{said}.")])
    axis = axis_of(values)
    unit, tick = _unit(measure, axis)
    rows = [
        _spread_row(f"{key}-{measure.value}-{index}", title, result, measure, of_model, axis)
        for index, (result, of_model) in enumerate(zip(results, points, strict=True))
    ]
    notes = _drawn_notes(points)
    return figure(title, rows, scale(f"{key}-{measure.value}", axis, unit, tick), notes)


def _unit(measure: Measure, axis: Axis) -> tuple[str, Callable[[float], str]]:
    if not measure.is_time:
        return "output tokens per second", tick_numbers(axis)
    if axis.high < 1:
        return "milliseconds", tick_numbers(axis, 1000)
    return "seconds", tick_numbers(axis)


def _spread_row(
    key: str, title: str, result: ModelResult, measure: Measure, points: Sequence[_Point], axis: Axis
) -> Row:
    values = result.summary.spread_of(measure)
    if values is None:
        said = _no_reading_words(result)
        drawn = drawing(key, f"{title}: {result.name}", said, 24, label(0, 16, UNKNOWN, "none"))
        return Row(name=result.name, told=said, drawn=drawn)
    told = _told_spread(measure, values, is_estimate=measure in result.summary.estimated)
    ordered = sorted(point.value for point in points)
    shapes = [grid((axis.share(tick) for tick in axis.ticks), _STRIP)]
    if len(ordered) >= _LEAST_FOR_A_BOX:
        low, high = (axis.share(percentile(ordered, share)) for share in (0.25, 0.75))
        shapes.append(bar(low, high, 6, 32, "box"))
    shapes += list(_strip(points, axis, measure))
    shapes.append(upright(axis.share(values.median), 3, 41, "median"))
    if values.median_interval is not None:
        low, high = axis.share(values.median_interval.low), axis.share(values.median_interval.high)
        shapes.append(bar(low, high, 44, 4, "interval"))
    return Row(
        name=result.name,
        told=told,
        drawn=drawing(key, f"{title}: {result.name}", told, _STRIP, *shapes),
    )


def _strip(points: Sequence[_Point], axis: Axis, measure: Measure) -> Iterator[Markup]:
    for point in _thinned(points):
        # Side by side where they would lie on each other; always the same for the same request.
        y = 22 + (point.number * 7 % 11 - 5) * 2.4 if len(points) > 1 else 22
        yield _shape(point, axis.share(point.value), y, measure)


def _shape(point: _Point, place: float, y: float, measure: Measure) -> Markup:
    told = (
        seconds_in_words(point.value)
        if measure.is_time
        else rate_in_words(point.value, is_estimate=point.is_estimate)
    )
    title = tag("title", line(f"request {point.number}: {told}"))
    if point.is_outlier:
        diamond = tag("path", d="M0-5L5 0L0 5L-5 0z")
        inner = tag("svg", diamond, x=percent(place), y=y, overflow="visible")
        return tag("g", title, inner, class_="point out")
    return dot(place, y, "point about" if point.is_estimate else "point", title)


def _drift_row(key: str, result: ModelResult, points: Sequence[_Point], rounds: Axis) -> Row:
    axis = axis_of([point.value for point in points], ticks=3)
    unit, tick = _unit(Measure.LATENCY, axis)
    by_round: dict[int, list[float]] = {}
    for point in points:
        by_round.setdefault(point.round, []).append(point.value)
    medians = [(number, median(values)) for number, values in sorted(by_round.items())]
    (first, begun), (last, ended) = medians[0], medians[-1]
    told = f"median of round {first}: {seconds_in_words(begun)}, of round {last}: {seconds_in_words(ended)}"
    shapes = [
        joined(
            [
                tag("line", x1=percent(0), x2=percent(1), y1=y, y2=y, class_="grid"),
                label(0, y - 3, f"{tick(value)} {unit if value == axis.ticks[-1] else ''}"),
            ]
        )
        for value in axis.ticks
        for y in [across(axis, value, _PLOT_TOP, _PLOT_BOTTOM)]
    ]
    shapes.append(
        stretched(
            curve([(rounds.share(number), axis.share(value)) for number, value in medians], "line"),
            high=100,
            top=_PLOT_TOP,
            height=_PLOT_BOTTOM - _PLOT_TOP,
        )
    )
    shapes += [
        _shape(
            point,
            rounds.share(point.round),
            across(axis, point.value, _PLOT_TOP, _PLOT_BOTTOM),
            Measure.LATENCY,
        )
        for point in _thinned(points)
    ]
    drawn = drawing(key, f"Latency against the round: {result.name}", told, _PLOT, *shapes)
    return Row(name=result.name, told=told, drawn=drawn)


def _points(result: ModelResult, measure: Measure) -> list[_Point]:
    marked = {outlier.number for outlier in result.outliers}
    return [
        _Point(
            number=request.number,
            round=request.round,
            value=reading.value,
            is_estimate=reading.is_estimate,
            is_outlier=request.number in marked,
        )
        for request in result.requests
        if is_counted(request) and (reading := read(request.trace, measure)) is not None
    ]


def _thinned(points: Sequence[_Point]) -> list[_Point]:
    """At most so many as are drawn: by rank, the ends and those that stand out among them."""
    if len(points) <= _MOST_POINTS:
        return list(points)
    ranked = sorted(points, key=lambda point: (point.value, point.number))
    last = len(ranked) - 1
    kept = {round(index * last / (_MOST_POINTS - 1)) for index in range(_MOST_POINTS)}
    return [point for rank, point in enumerate(ranked) if rank in kept or point.is_outlier]


def _drawn_notes(of_models: Sequence[Sequence[_Point]]) -> list[str]:
    most = max((len(points) for points in of_models), default=0)
    if most <= _MOST_POINTS:
        return []
    return [
        f"Of a model with more than {_MOST_POINTS} requests that many are drawn, evenly by rank, the ends and"
        " all that stand out among them; every number is of all."
    ]

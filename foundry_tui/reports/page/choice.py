"""The chart of quality against latency: a bubble for each model, its area by the memory that it took."""

import math
from collections.abc import Iterator

from foundry_tui.domain.quantities import UNKNOWN, bytes_in_words, seconds_in_words
from foundry_tui.domain.scoring import HIGHEST, LOWEST
from foundry_tui.reports.choice_points import ChoicePoint, ChoicePoints, left_out_lines
from foundry_tui.reports.choice_words import mean_words
from foundry_tui.reports.page.parts import Row, figure
from foundry_tui.reports.page.svg import (
    Axis,
    across,
    axis_of,
    bar,
    dot,
    drawing,
    label,
    linear_axis,
    percent,
    scale,
    tick_numbers,
    upright,
)
from foundry_tui.reports.page.text import NOTHING, Markup, line, tag

__all__ = ["bubble_chart"]

_HEIGHT, _TOP, _BOTTOM = 300, 24, 284
_LARGEST = 22
_SMALLEST = 3.5
_HOLDS_A_LETTER = 8
_TITLE = "Quality against latency"


def bubble_chart(key: str, points: ChoicePoints) -> Markup:
    """Every model that has both; nothing where none has.  ``key`` is an id that no other has."""
    if not points.drawn:
        return NOTHING
    latencies = [value for point in points.drawn for value in _reach(point)]
    axis = axis_of(latencies)
    qualities = linear_axis(LOWEST, HIGHEST, ticks=HIGHEST - LOWEST)
    is_short = axis.high < 1
    unit, tick = ("milliseconds", tick_numbers(axis, 1000)) if is_short else ("seconds", tick_numbers(axis))
    told = "; ".join(_told(point) for point in points.drawn)
    shapes = [*_grid(axis, qualities), *_bubbles(points, axis, qualities)]
    drawn = drawing(f"{key}-bubbles", _TITLE, told, _HEIGHT, *shapes)
    rows = [Row(name="Quality, 1 to 5", told=told, drawn=drawn)]
    notes = [
        "A bubble is a model, by the letter of the table; its area is its memory, and one that is dashed has"
        " none that is known. Its lines are the 95 % intervals.",
        *(f"{each[:1].upper()}{each[1:]}." for each in left_out_lines(points)),
    ]
    return figure(_TITLE, rows, scale(f"{key}-latency", axis, f"latency, {unit}", tick), notes)


def _grid(axis: Axis, qualities: Axis) -> Iterator[Markup]:
    for value in qualities.ticks:
        y = across(qualities, value, _TOP, _BOTTOM)
        yield tag("line", x1=percent(0), x2=percent(1), y1=y, y2=y, class_="grid")
        yield label(0, y - 3, f"{value:.0f} of {HIGHEST}")
    for value in axis.ticks:
        yield upright(axis.share(value), _TOP, _BOTTOM, "grid")


def _bubbles(points: ChoicePoints, axis: Axis, qualities: Axis) -> Iterator[Markup]:
    most = max((point.memory_bytes or 0 for point in points.drawn), default=0)
    # The large ones first, so that none hides a smaller one.
    for point in sorted(points.drawn, key=lambda each: -(each.memory_bytes or 0)):
        place, y = axis.share(point.latency_s), across(qualities, point.quality, _TOP, _BOTTOM)
        if (reach := point.latency_interval) is not None:
            yield bar(axis.share(reach.low), axis.share(reach.high), y - 1, 2, "interval")
        if (up := point.quality_interval) is not None:
            high, low = (across(qualities, end, _TOP, _BOTTOM) for end in (up.high, up.low))
            yield upright(place, high, low, "whisker")
        yield dot(
            place,
            y,
            "bubble" if point.memory_bytes is not None else "bubble unsized",
            tag("title", line(_told(point))),
            radius=_radius(point.memory_bytes, most),
        )
    for point in points.drawn:
        radius = _radius(point.memory_bytes, most)
        # A letter that finds no room in its bubble stands above it.
        y = across(qualities, point.quality, _TOP, _BOTTOM) + (
            4 if radius >= _HOLDS_A_LETTER else -radius - 4
        )
        yield label(axis.share(point.latency_s), y, point.letter, "of")


def _radius(memory_bytes: int | None, most: int) -> float:
    """By area; of unknown memory that of a middling one."""
    if memory_bytes is None or not most:
        return _LARGEST / 2
    return max(_SMALLEST, round(_LARGEST * math.sqrt(memory_bytes / most), 1))


def _reach(point: ChoicePoint) -> list[float]:
    interval = point.latency_interval
    return [point.latency_s, *([] if interval is None else [interval.low, interval.high])]


def _told(point: ChoicePoint) -> str:
    memory = UNKNOWN if point.memory_bytes is None else bytes_in_words(point.memory_bytes)
    return (
        f"{point.letter} {point.name}: quality {mean_words(point.quality)},"
        f" latency {seconds_in_words(point.latency_s)}, memory {memory}"
    )

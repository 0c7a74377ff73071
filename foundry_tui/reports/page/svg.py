"""Drawings as SVG inside a page: scales, axes, points, boxes and lines, by hand and without a library.

Places along are shares of the width in per cent, so that a drawing is as wide as its page while letters and
points keep their size; places across are pixels.  Curves stand in a drawing of their own within, which is
stretched.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from foundry_tui.reports.page.text import Attribute, Markup, joined, line, number, tag

__all__ = [
    "Axis",
    "across",
    "axis_of",
    "bar",
    "curve",
    "dot",
    "drawing",
    "grid",
    "label",
    "linear_axis",
    "log_axis",
    "percent",
    "scale",
    "steps",
    "stretched",
    "tick_numbers",
    "upright",
]

# So much of the width is left free on either side, for half a point.
_MARGIN_SHARE = 0.015
_TICKS = 5
# From here on values lie so far apart that on a linear axis all but one would be at its beginning.
_LOG_RATIO = 30
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_STRETCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """From ``low`` to ``high``, which are different; on a logarithmic one both are above 0."""

    low: float
    high: float
    ticks: tuple[float, ...]
    is_log: bool = False

    def share(self, value: float) -> float:
        """Where ``value`` lies, from 0 to 1; what is outside lies on the edge."""
        if self.is_log:
            low, high = math.log(self.low), math.log(self.high)
            place = (math.log(max(value, self.low)) - low) / (high - low)
        else:
            place = (value - self.low) / (self.high - self.low)
        return min(max(place, 0.0), 1.0)


def axis_of(values: Sequence[float], *, ticks: int = _TICKS) -> Axis:
    """An axis that has room for ``values``: from 0 where that is near, logarithmic where they lie far apart.

    Raises:
        ValueError: There are none, or one is no finite number.
    """
    if not all(map(math.isfinite, values)):
        raise ValueError("an axis is of finite values")
    low, high = min(values), max(values)
    if low > 0 and high / low > _LOG_RATIO:
        return log_axis(low, high)
    return linear_axis(0.0 if 0 < low < high / 2 else low, high, ticks=ticks)


def linear_axis(low: float, high: float, *, ticks: int = _TICKS) -> Axis:
    """An axis whose ends are ticks; of a single value one that has it in its middle."""
    if high - low <= abs(high) * 1e-9:
        reach = abs(low) * 0.1 or 1.0
        low, high = low - reach, high + reach
    step = steps(high - low, ticks)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    marks = tuple(index * step for index in range(first, last + 1))
    return Axis(low=marks[0], high=marks[-1], ticks=marks)


def log_axis(low: float, high: float) -> Axis:
    """An axis from power of ten to power of ten; at most eight of them are marked."""
    first, last = max(math.floor(math.log10(low)), -300), min(math.ceil(math.log10(high)), 308)
    every = math.ceil((last - first) / 8)
    marks = tuple(10.0**power for power in range(first, last + 1, every))
    return Axis(low=10.0**first, high=10.0**last, ticks=marks, is_log=True)


def steps(length: float, count: int) -> float:
    """A round step of which about ``count`` make up ``length``, which is above 0."""
    rough = length / count
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in _STEPS if step * power >= rough * 0.999)


def percent(share: float) -> str:
    """A place along, from 0 to 1, as an attribute."""
    return f"{number(100 * (_MARGIN_SHARE + (1 - 2 * _MARGIN_SHARE) * share))}%"


def across(axis: Axis, value: float, top: float, bottom: float) -> float:
    """A place across, in pixels from above; more is higher."""
    return bottom - (bottom - top) * axis.share(value)


def drawing(key: str, title: str, description: str, height: int, *content: Markup) -> Markup:
    """A drawing as wide as its place; ``key`` is an id that no other has."""
    return tag(
        "svg",
        tag("title", line(title), id=f"{key}-t"),
        tag("desc", line(description), id=f"{key}-d"),
        *content,
        width="100%",
        height=height,
        role="img",
        aria_labelledby=f"{key}-t {key}-d",
    )


def stretched(content: Markup, *, wide: float = _STRETCH, high: float, top: float, height: float) -> Markup:
    """``content``, drawn on ``wide`` × ``high``, pulled to the width of the drawing it is in."""
    share = 100 * _MARGIN_SHARE
    return tag(
        "svg",
        content,
        x=f"{number(share)}%",
        y=top,
        width=f"{number(100 - 2 * share)}%",
        height=height,
        viewBox=f"0 0 {number(wide)} {number(high)}",
        preserveAspectRatio="none",
    )


def bar(begin: float, end: float, top: float, height: float, class_: str, *content: Markup) -> Markup:
    """A bar from one place along to another; one that has no length is drawn as the least that is seen."""
    width = max(100 * (1 - 2 * _MARGIN_SHARE) * (end - begin), 0.08)
    shape: dict[str, Attribute] = {"x": percent(begin), "y": top, "width": f"{number(width)}%"}
    if not content:
        return tag("rect", **shape, height=height, class_=class_)
    return tag("g", *content, tag("rect", **shape, height=height), class_=class_)


def dot(place: float, y: float, class_: str, *content: Markup, radius: float = 3) -> Markup:
    """A point; ``content`` is its title."""
    if not content:
        return tag("circle", cx=percent(place), cy=y, r=radius, class_=class_)
    return tag("g", *content, tag("circle", cx=percent(place), cy=y, r=radius), class_=class_)


def upright(place: float, top: float, bottom: float, class_: str) -> Markup:
    """A line from above to below."""
    return tag("line", x1=percent(place), x2=percent(place), y1=top, y2=bottom, class_=class_)


def label(place: float, y: float, text: str, class_: str = "tick") -> Markup:
    """A word at a place along, at either edge kept inside of the drawing unless it is a single sign."""
    is_edge = len(text) > 1
    anchor = "start" if is_edge and place < 0.04 else "end" if is_edge and place > 0.96 else "middle"
    return tag("text", line(text), x=percent(place), y=y, text_anchor=anchor, class_=class_)


def grid(places: Iterable[float], height: float) -> Markup:
    """Faint lines at these places along."""
    return joined(upright(place, 0, height, "grid") for place in places)


def scale(key: str, axis: Axis, unit: str, tick: Callable[[float], str]) -> Markup:
    """The axis below drawings: its ticks and its unit."""
    content = [label(axis.share(value), 14, tick(value)) for value in axis.ticks]
    content += [upright(axis.share(value), 0, 4, "mark") for value in axis.ticks]
    told = f"{unit}, logarithmic" if axis.is_log else unit
    content.append(label(0.5, 30, told, "unit"))
    ends = f"from {tick(axis.low)} to {tick(axis.high)}"
    return drawing(key, f"Axis: {told}", ends, 34, *content)


def curve(points: Sequence[tuple[float, float]], class_: str) -> Markup:
    """A line through points, from 0 to 1 along and upwards, for ``stretched`` with ``high`` 100."""
    told = "L".join(f"{number(_STRETCH * x)} {number(100 - 100 * y)}" for x, y in points)
    # A line of one point would not be seen.
    return tag("path", d=f"M{told}" if len(points) > 1 else f"M{told}h2", class_=class_)


def tick_numbers(axis: Axis, factor: float = 1.0) -> Callable[[float], str]:
    """How the ticks of ``axis`` are written: with as many decimals as they need to be told apart."""
    if axis.is_log:
        return lambda value: f"{value * factor:,.10g}"
    step = (axis.ticks[1] - axis.ticks[0]) * factor if len(axis.ticks) > 1 else 1.0
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    if digits < 6 and abs(step * 10**digits - round(step * 10**digits)) > 1e-6:
        digits += 1
    return lambda value: f"{value * factor:,.{digits}f}"

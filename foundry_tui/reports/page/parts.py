"""What the charts and tables of the HTML report are put together from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from foundry_tui.domain.quantities import UNKNOWN, seconds_in_words
from foundry_tui.metrics.measures import Measure
from foundry_tui.metrics.spread import Spread
from foundry_tui.reports.page.text import NOTHING, Markup, joined, line, tag

__all__ = [
    "NAME_CHARACTERS",
    "Row",
    "bullets",
    "ends_words",
    "figure",
    "fold",
    "paragraph",
    "scrolling",
    "section",
    "table",
]

NAME_CHARACTERS = 80
"""So much of a name stands beside a drawing; all of it stands in the tables."""
_NUMBER_CHARACTERS = 24
_NUMBER_STARTS = ("~", "-", "max ", UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a chart.

    Attributes:
        name: What it is of; not cleaned.
        told: Its numbers in words; not cleaned.
    """

    name: str
    told: str
    drawn: Markup


def figure(title: str, rows: Iterable[Row], axis: Markup, notes: Sequence[str]) -> Markup:
    """A chart: a title, rows of a name beside a drawing, an axis below them, and what else is to be said."""
    lines = [
        tag(
            "div",
            tag("div", tag("b", line(row.name, NAME_CHARACTERS)), tag("small", line(row.told)), class_="of"),
            tag("div", row.drawn, class_="drawn"),
            class_="row",
        )
        for row in rows
    ]
    below = tag("div", tag("div", class_="of"), tag("div", axis, class_="drawn"), class_="row axis")
    said = joined(tag("p", line(note)) for note in notes)
    caption = tag("figcaption", tag("h3", line(title)), said)
    return tag("figure", caption, *lines, below if axis else NOTHING)


def ends_words(measure: Measure, values: Spread) -> str:
    """From where to where, and of how many: ``1.10 s to 1.41 s, n=24``."""
    if measure.is_time:
        return f"{seconds_in_words(values.min)} to {seconds_in_words(values.max)}, n={values.n}"
    return f"{values.min:,.1f} to {values.max:,.1f}, n={values.n}"


def section(key: str, title: str, *content: Markup) -> Markup:
    """A part of a report with its heading; ``key`` is an id that no other has."""
    return tag("section", tag("h2", line(title)), *content, id=key)


def paragraph(text: str, class_: str | None = None) -> Markup:
    """One paragraph."""
    return tag("p", line(text), class_=class_)


def bullets(items: Iterable[str]) -> Markup:
    """A list."""
    return tag("ul", *(tag("li", line(item)) for item in items))


def fold(summary: str, *content: Markup, is_open: bool = False) -> Markup:
    """Something that is folded in until it is asked for."""
    return tag("details", tag("summary", line(summary)), *content, open="" if is_open else None)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """A table that scrolls by itself where the page is narrow."""
    written = [list(row) for row in rows]
    are_numbers = [all(map(_is_number, column)) and bool(written) for column in zip(*written, strict=True)]
    marks = ["n" if is_number else None for is_number in are_numbers] or [None] * len(header)
    head = [tag("th", line(name), scope="col", class_=mark) for name, mark in zip(header, marks, strict=True)]
    body = [
        tag("tr", *(tag("td", line(cell), class_=mark) for cell, mark in zip(row, marks, strict=True)))
        for row in written
    ]
    return scrolling(tag("table", tag("thead", tag("tr", *head)), tag("tbody", *body)))


def scrolling(content: Markup) -> Markup:
    """``content`` in a box of its own, which can be scrolled by keys too."""
    return tag("div", content, class_="wide", tabindex="0", role="group")


def _is_number(text: str) -> bool:
    # A number with a sentence behind it is no number in a column.
    is_begun = text[:1].isdigit() or text.startswith(_NUMBER_STARTS)
    return is_begun and len(text) <= _NUMBER_CHARACTERS

"""Somebody's text inside our HTML and SVG: harmless, escaped, never where it would do anything.

What is escaped has a type of its own, ``Markup``, so that a text which is not cannot be put in its place.
"""

import re
from collections.abc import Iterable
from html import escape
from typing import Final, NewType, TypeAlias

from foundry_tui.domain.text import clean_line, clean_text

__all__ = ["NOTHING", "Attribute", "Markup", "joined", "line", "number", "tag", "words"]

Markup = NewType("Markup", str)
"""HTML or SVG, well-formed as XML too; only this module makes it."""
Attribute: TypeAlias = str | float | None
"""What an attribute may be; None leaves it out.  A text in it is ours, and escaped all the same."""

NOTHING: Final = Markup("")
# They have no content, so XML and HTML agree on how they are closed.
_EMPTY = frozenset({"br", "circle", "line", "meta", "path", "rect"})
_TRAILING_ZEROS = re.compile(r"\.?0+$")


def words(text: str) -> Markup:
    """``text`` on its own lines, cleaned and escaped."""
    return Markup(escape(clean_text(text)))


def line(text: str, limit: int | None = None) -> Markup:
    """``text`` on a single line, cleaned, cut to ``limit`` characters and escaped."""
    return Markup(escape(clean_line(text, limit)))


def tag(element: str, /, *content: Markup, **attributes: Attribute) -> Markup:
    """One element; ``class_`` is ``class``, and other underlines in names of attributes are hyphens."""
    told = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if element in _EMPTY:
        return Markup(f"<{element}{told}/>")
    return Markup(f"<{element}{told}>{''.join(content)}</{element}>")


def joined(parts: Iterable[Markup], between: str = "") -> Markup:
    """``parts`` one after another; ``between`` is white space."""
    return Markup(between.join(parts))


def number(value: float) -> str:
    """``value`` with two decimals at most, as coordinates need no more."""
    if isinstance(value, int):
        return str(value)
    return _TRAILING_ZEROS.sub("", f"{value:.2f}") or "0"


def _value(value: str | float) -> str:
    return escape(clean_line(value)) if isinstance(value, str) else number(value)

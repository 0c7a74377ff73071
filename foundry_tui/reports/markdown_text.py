"""Somebody's text inside our Markdown: readable as it is shown, and the same again when it is read.

Most texts stand as they are.  One that would look like ours, or run on into what follows it, is quoted; one
with live HTML stands in a fence; one that a text file cannot carry is escaped in a fence besides.
"""

import json
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import pairwise

from foundry_tui.domain.text import clean_line

__all__ = [
    "MARK",
    "Enclosure",
    "cell_words",
    "enclose",
    "escaped_line",
    "is_fence_line",
    "open_up",
    "plain_words",
    "quoted_scalar",
    "table_lines",
]

MARK = "<!-- foundry-tui:"
"""What begins a line of ours; a text's own line begins with it only in a fence."""

# Controls but tab and line feed, line ends that only some know, overrides of the direction of writing, byte
# order marks, halves of surrogate pairs: a file, an editor or a terminal would change them, or obey them.
_FRAGILE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_ESCAPE = re.compile(r"\\(?:\\|u([0-9a-f]{4}))")
# Possessive, for a line can be a megabyte of blanks.
_CONTAINERS = r"(?P<prefix>[ \t>]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)*+[ \t>]*+)"
_FENCE = re.compile(_CONTAINERS + r"(?P<fence>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)$")
_HEADING = re.compile(r"[ \t>]*+#{1,2}(\s|$)")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_WEB_ADDRESS = re.compile(r"<https?://[^<>\s]*>")
_TAG = re.compile(r"<[A-Za-z/!?]")
# Looking for code spans takes the square of a line's length.
_SPANS_SOUGHT = 2_000
_FREE_INDENT = 3  # more spaces make code of a line
_RUN = re.compile("`{3,}")
_PUNCTUATION = re.compile(r"([\\`*_{}\[\]<>#|~&$])")
_STARTS_BLOCK = re.compile(r"^(\d{1,9})([.)])|^([-+=>])")


class Enclosure(StrEnum):
    """How a text stands in a document."""

    PLAIN = "plain"
    QUOTED = "quoted"
    FENCED = "fenced"
    ESCAPED = "escaped"


def enclose(text: str) -> tuple[Enclosure, list[str]]:
    """The lines that stand for ``text``, and how."""
    if _FRAGILE.search(text):
        escaped = _FRAGILE.sub(lambda match: f"\\u{ord(match[0]):04x}", text.replace("\\", "\\\\"))
        return Enclosure.ESCAPED, _fenced(escaped, "text escaped")
    lines = text.split("\n")
    outside, is_closed = _outside_fences(lines)
    if any(_has_tag(line) for line in outside):
        return Enclosure.FENCED, _fenced(text, "markdown")
    if MARK in text or not is_closed or _has_heading(outside):
        return Enclosure.QUOTED, [f"> {line}" if line else ">" for line in lines]
    return Enclosure.PLAIN, lines


def open_up(enclosure: Enclosure, lines: list[str]) -> str:
    """The text that ``enclose`` was given.

    Raises:
        ValueError: The lines do not stand for a text in that way.
    """
    match enclosure:
        case Enclosure.PLAIN:
            return "\n".join(lines)
        case Enclosure.QUOTED:
            if not all(line.startswith("> ") or line == ">" for line in lines):
                raise ValueError("every line of a quoted text begins with >")
            return "\n".join(line[2:] for line in lines)
        case Enclosure.FENCED:
            return _unfenced(lines)
        case Enclosure.ESCAPED:
            return _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else "\\", _unfenced(lines))


def escaped_line(text: str) -> str:
    """A line of words in which nothing is Markdown; ``text`` is clean already."""
    escaped = _PUNCTUATION.sub(r"\\\1", text)
    return _STARTS_BLOCK.sub(
        lambda match: f"{match[1]}\\{match[2]}" if match[1] else f"\\{match[3]}", escaped
    )


def plain_words(text: str) -> str:
    """Somebody's words on one line of ours: cleaned, and nothing in them is Markdown."""
    return escaped_line(clean_line(text))


def cell_words(text: str) -> str:
    """The same in a cell of a table, where a number at the beginning begins no list."""
    return escaped_line(f"|{clean_line(text)}").removeprefix("\\|")


def table_lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table; the cells are escaped already."""
    lines = ["|" + "|".join(header) + "|", "|" + "|".join("---" for _ in header) + "|"]
    return [*lines, *("|" + "|".join(row) + "|" for row in rows)]


def quoted_scalar(text: str) -> str:
    """``text`` in quotes, as JSON and YAML both read it."""
    quoted = json.dumps(text, ensure_ascii=False)
    return _FRAGILE.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def is_fence_line(line: str, opener: str | None) -> str | None:
    """The opener of the fence that is open behind ``line``; None where none is.

    Args:
        line: The next line of a document.
        opener: The line that opened the fence which is open before it; None where none is.
    """
    if opener is None:
        return line if _FENCE.match(line) else None
    return None if _closes(line, opener) else opener


def _fenced(text: str, info: str) -> list[str]:
    longest = max((len(run) for run in _RUN.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return [f"{fence}{info}", *text.split("\n"), fence]


def _unfenced(lines: list[str]) -> str:
    run = _RUN.match(lines[0]) if lines else None
    if run is None or len(lines) < 3 or lines[-1] != run[0]:
        raise ValueError("a fenced text stands between a line that begins with ``` and one of as many")
    return "\n".join(lines[1:-1])


def _outside_fences(lines: list[str]) -> tuple[list[str], bool]:
    """The lines that are no code, and whether every fence is closed."""
    outside: list[str] = []
    opener: str | None = None
    for line in lines:
        was_open = opener is not None
        opener = is_fence_line(line, opener)
        if not was_open and opener is None:
            outside.append(line)
        elif not was_open or opener is None:
            outside.append("")  # a fence parts what stands before it from what follows
    return outside, opener is None


def _closes(line: str, opener: str) -> bool:
    opened = _FENCE.match(opener)
    match = _FENCE.match(line)
    if opened is None or match is None or match["info"].strip(" \t"):
        return False
    fence = opened["fence"]
    if match["fence"][0] != fence[0] or len(match["fence"]) < len(fence):
        return False
    prefix = match["prefix"]
    if prefix == opened["prefix"]:
        return True
    if prefix.strip(" ") or ">" in opened["prefix"]:
        return False
    if not opened["prefix"].strip(" ") and len(opened["prefix"]) <= _FREE_INDENT:
        return len(prefix) <= _FREE_INDENT
    # In a list.  Where it is not clear that it closes, it is taken as open.
    return len(opened["prefix"]) <= len(prefix) <= len(opened["prefix"]) + _FREE_INDENT


def _has_tag(line: str) -> bool:
    if "<" not in line:
        return False
    if len(line) <= _SPANS_SOUGHT and "\\`" not in line:
        line = _CODE_SPAN.sub("", line)
    return _TAG.search(_WEB_ADDRESS.sub("", line)) is not None


def _has_heading(lines: list[str]) -> bool:
    return any(_HEADING.match(line) for line in lines) or any(
        _UNDERLINE.match(line) and before.strip() for before, line in pairwise(lines)
    )

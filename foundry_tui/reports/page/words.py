"""The words of the Markdown report, read back, so that no other report says the same in other words.

Only what ``run_markdown`` writes is read: headings, bullets, tables, quotes and paragraphs, each on its own
lines, with somebody's text escaped in them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeAlias, assert_never

from foundry_tui.reports.page.parts import bullets, paragraph, table
from foundry_tui.reports.page.text import Markup, tag, words

__all__ = ["Block", "Bullets", "Paragraph", "Part", "Quote", "Table", "blocks", "parts_of"]

_CELL = re.compile(r"((?:[^|\\]|\\.)*+)\|")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_STRONG = re.compile(r"^\*\*(.*?)\*\* ")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One line of words.

    Attributes:
        is_strong: Whether it begins with a strong word, as what the numbers say does.
    """

    text: str
    is_strong: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of the user's."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block: TypeAlias = Paragraph | Quote | Bullets | Table


@dataclass(slots=True)
class Part:
    """A heading and what is below it."""

    title: str
    blocks: list[Block] = field(default_factory=list[Block])


def parts_of(markdown: str) -> list[Part]:
    """Its parts; the first one has the title of the whole."""
    parts: list[Part] = []
    for start, group in groupby(markdown.split("\n"), _kind):
        lines = list(group)
        match start:
            case "":
                continue
            case "#":
                parts += [Part(_text(each.lstrip("#"))) for each in lines]
                continue
            case "-":
                block: Block = Bullets(tuple(_text(each[2:]) for each in lines))
            case ">":
                block = Quote(" ".join(_text(each[1:]) for each in lines))
            case "|":
                block = _table(lines)
            case _:
                block = Paragraph(" ".join(map(_text, lines)), _STRONG.match(lines[0]) is not None)
        parts[-1].blocks.append(block)
    return parts


def blocks(given: Sequence[Block]) -> list[Markup]:
    """Them as HTML."""
    return [_block(block) for block in given]


def _block(block: Block) -> Markup:
    match block:
        case Paragraph():
            return paragraph(block.text)
        case Quote():
            return tag("blockquote", words(block.text))
        case Bullets():
            return bullets(block.items)
        case Table():
            return table(block.header, block.rows)
        case _:
            assert_never(block)


def _kind(written: str) -> str:
    """What a line begins, by its first character: an escaped one begins a paragraph."""
    if not written:
        return ""
    if written.startswith(("# ", "## ")):
        return "#"
    return written[0] if written.startswith(("- ", ">", "|")) else "words"


def _table(lines: Sequence[str]) -> Table:
    header, _, *rows = (tuple(map(_text, _CELL.findall(each[1:]))) for each in lines)
    return Table(header, tuple(rows))


def _text(written: str) -> str:
    return _ESCAPED.sub(r"\1", _STRONG.sub(r"\1: ", written.strip()))

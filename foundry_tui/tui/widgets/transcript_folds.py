"""What of a message is shown: all of it, or its beginning and a row that says how much is hidden."""

from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from foundry_tui.tui.widgets.transcript_messages import Message, Section

__all__ = [
    "Band",
    "BandKind",
    "bands_of",
    "fold_words",
    "hidden_sections",
    "hides_anything",
    "is_long",
    "is_long_thought",
    "thought_words",
    "thoughts_words",
]

# Rows of the text that a folded message keeps.
_KEPT_ROWS = 2
# A message is long, and worth folding with all others, from this number of rows on.
_LONG_ROWS = 8
# More reasoning than this folds itself once the answer is there.
_THOUGHT_ROWS = 6


class BandKind(Enum):
    """What stands on a run of rows."""

    ABOVE = auto()  # between two messages
    GAP = auto()
    PARTS = auto()
    FOLD = auto()  # the row in place of what a folded message hides
    THOUGHT = auto()  # the row in place of the reasoning
    THOUGHTS = auto()  # the row above the reasoning, where that is shown


class Band(NamedTuple):
    """Rows of a message that belong together.

    Attributes:
        height: Rows, at least 1.
        section: Whose first rows stand here; None where none do.
        hidden: Rows that are hidden here.
    """

    kind: BandKind
    height: int
    section: Section | None = None
    hidden: int = 0


def bands_of(message: Message) -> tuple[Band, ...]:
    """What of ``message`` is shown, from top to bottom, by the heights measured last."""
    bands = [*_of_section(message.heading), *_body(message), *_of_section(message.footer)]
    if bands and message.index:
        bands.insert(0, Band(BandKind.ABOVE, 1))
    return tuple(bands)


def _body(message: Message) -> Iterator[Band]:
    reasoning, text = message.reasoning.heights.total, message.text.heights.total
    between = int(bool(reasoning and text))
    kept = min(_KEPT_ROWS, text or reasoning)
    hidden = reasoning + between + text - kept
    if message.is_folded and hidden > 1:
        yield Band(BandKind.PARTS, kept, message.text if text else message.reasoning)
        yield Band(BandKind.FOLD, 1, hidden=hidden)
        return
    if message.hides_reasoning and reasoning:
        yield Band(BandKind.THOUGHT, 1, hidden=reasoning)
    elif reasoning:
        yield Band(BandKind.THOUGHTS, 1)
        yield from _of_section(message.reasoning)
    if between:
        yield Band(BandKind.GAP, 1)
    yield from _of_section(message.text)


def _of_section(section: Section) -> Iterator[Band]:
    if height := section.heights.total:
        yield Band(BandKind.PARTS, height, section)


def hides_anything(message: Message) -> bool:
    """Whether there is something to unfold."""
    return any(band.hidden for band in bands_of(message))


def hidden_sections(message: Message, kind: BandKind) -> Iterator[tuple[Section, int]]:
    """What the row of ``kind`` stands for: sections, each with the number of its rows that are shown."""
    if kind is BandKind.THOUGHT:
        yield message.reasoning, 0
    elif kind is BandKind.FOLD:
        if message.text.heights.total:
            yield message.reasoning, 0
            yield message.text, _KEPT_ROWS
        else:
            yield message.reasoning, _KEPT_ROWS


def is_long(message: Message) -> bool:
    """Whether folding ``message`` saves more than a glance."""
    return message.reasoning.heights.total + message.text.heights.total >= _LONG_ROWS


def is_long_thought(message: Message, width: int) -> bool:
    """Whether the reasoning, on rows of ``width`` cells, is in the way of the answer.

    Counted without drawing it: it may have come in one piece, and may never be shown.
    """
    rows = 0
    for part in message.reasoning.parts:
        for line in part.source.removesuffix("\n").split("\n"):
            rows += max(1, -(-len(line) // width))
            if rows > _THOUGHT_ROWS:
                return True
    return False


def fold_words(hidden: int, key: str) -> str:
    """The row in place of what a folded message hides."""
    return f"▸ {hidden:,} more {'row' if hidden == 1 else 'rows'} · {key} unfolds"


def thought_words(hidden: int, key: str) -> str:
    """The row in place of the reasoning."""
    return f"▸ thought for {_rows(hidden)} · {key} unfolds"


def thoughts_words(message: Message, key: str) -> str:
    """The row above the reasoning; while nothing else has come, nobody knows how long it will be."""
    if message.is_open and not message.text.heights.total:
        return f"▾ thinking … · {key} folds"
    return f"▾ thought for {_rows(message.reasoning.heights.total)} · {key} folds"


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"

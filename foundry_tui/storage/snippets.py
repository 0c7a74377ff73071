"""A few words of a long text, as a list of conversations shows them: one clean line."""

import unicodedata

from foundry_tui.domain.text import clean_line
from foundry_tui.storage.words import Query

__all__ = ["beginning", "words_around"]

_CHARACTERS = 200
_BEFORE = 60
# What is cut out of the text, so that enough is left when runs of white space have become one space each.
_REACH = 4 * _CHARACTERS


def beginning(text: str) -> str:
    """The first words of ``text``."""
    return clean_line(_composed(text[:_REACH]), _CHARACTERS)


def words_around(query: Query, text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The words around the first hit, and where the hits stand among them.

    The line is clean already: cleaned once more it stays as it is, so that the places stay right.
    """
    at = query.first_in(text)
    start = _word_start(text, at - _BEFORE, at)
    line = clean_line(_composed(text[start : at + _REACH]))
    before = "…" if start > 0 else ""
    is_cut = len(before) + len(line) > _CHARACTERS or at + _REACH < len(text)
    if is_cut:
        line = line[: _CHARACTERS - 1 - len(before)]
    hits = tuple((len(before) + start, len(before) + end) for start, end in query.hits(line))
    return f"{before}{line}{'…' if is_cut else ''}", hits


def _word_start(text: str, start: int, end: int) -> int:
    """The first beginning of a word from ``start`` on; ``start`` where there is none before ``end``."""
    if start <= 0:
        return 0
    space = next((place for place in range(start, end) if text[place].isspace()), start - 1)
    return space + 1


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)

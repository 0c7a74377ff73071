"""One JSON object read entry by entry, so that a long list never holds the interpreter for long.

``json.loads`` of some megabytes runs in one piece, and no other thread gets its turn meanwhile.
"""

import codecs
import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final

__all__ = ["LIST_BEGINS", "entries_of", "text_in"]

LIST_BEGINS: Final = object()
"""Told under the name of a list before its first element, so that an empty one is told too."""

_PIECE_BYTES: Final = 1 << 20
_SPACE = re.compile(r"[ \t\n\r]*")
_decode = json.JSONDecoder().raw_decode


def text_in(path: Path) -> str:
    """The text of a file, read at once and decoded piece by piece.

    Measured: a thread that reads a file in many small pieces keeps the others waiting for a tenth of a
    second, for with each piece their wait for the interpreter begins anew.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no UTF-8.
    """
    data = memoryview(path.read_bytes())
    pieces = (bytes(data[at : at + _PIECE_BYTES]) for at in range(0, len(data), _PIECE_BYTES))
    return "".join(codecs.iterdecode(pieces, "utf-8"))


def entries_of(text: str, *, lists: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Each entry of the object that ``text`` is; an array under a name of ``lists`` comes element by element.

    Raises:
        ValueError: It is no JSON object; what came before the fault has been told.
        RecursionError: It is nested too deeply.
    """
    at = _expect(text, _after_space(text, 0), "{")
    while text[at : at + 1] != "}":
        key, at = _decode(text, at)
        if not isinstance(key, str):
            raise ValueError(f"no name at character {at}")
        at = _after_space(text, _expect(text, _after_space(text, at), ":"))
        if key in lists and text[at : at + 1] == "[":
            yield key, LIST_BEGINS
            at = _after_space(text, at + 1)
            while text[at : at + 1] != "]":
                value, at = _decode(text, at)
                yield key, value
                at = _to_next(text, at, "]")
            at += 1
        else:
            value, at = _decode(text, at)
            yield key, value
        at = _to_next(text, at, "}")
    if _after_space(text, at + 1) != len(text):
        raise ValueError(f"more text at character {at + 1}")


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found is not None else at


def _expect(text: str, at: int, sign: str) -> int:
    """The place after ``sign``, and after the space that follows it."""
    if text[at : at + 1] != sign:
        raise ValueError(f"{sign!r} expected at character {at}")
    return _after_space(text, at + 1)


def _to_next(text: str, at: int, end: str) -> int:
    """The place of the next element, or of ``end``."""
    at = _after_space(text, at)
    if text[at : at + 1] == end:
        return at
    at = _expect(text, at, ",")
    if text[at : at + 1] == end:
        raise ValueError(f"an element expected at character {at}")
    return at

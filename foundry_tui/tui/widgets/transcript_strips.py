"""Rows of a transcript as Textual paints them, and what is laid over them: selections, matches, marks."""

from collections.abc import Hashable, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.strip import Strip

__all__ = ["Strips", "char_at", "laid_over", "with_offsets"]

# Some screens full.  A strip that is painted again has its caches filled and costs next to nothing.
_KEPT = 300


class Strips:
    """The strips painted last, by what they show."""

    def __init__(self) -> None:
        self._kept: LRUCache[Hashable, Strip] = LRUCache(_KEPT)

    def strip(
        self, key: Hashable, segments: Sequence[Segment], mark: Segment | None, width: int, style: Style
    ) -> Strip:
        """``segments`` behind ``mark``, ``width`` cells wide, over ``style``.

        Args:
            key: Says what the segments are; the same key with others is a mistake.
            segments: Of one row.
            mark: What stands in the margin, if there is one.
            width: Of the strip; what is too long for it is cut.
            style: Of what has no style, and beneath all that has.
        """
        whole_key = (key, mark, width, style)
        if (strip := self._kept.get(whole_key)) is None:
            styled = [Segment(text, style + own if own else style) for text, own, _ in segments]
            left = [] if mark is None else [Segment(mark.text, style + mark.style if mark.style else style)]
            strip = Strip([*left, *styled]).adjust_cell_length(width, style)
            self._kept[whole_key] = strip
        return strip


def laid_over(strip: Strip, start: int, end: int, style: Style) -> Strip:
    """``strip`` with the characters from ``start`` to before ``end``, -1 being the last, in ``style``."""
    text = strip.text
    end = len(text) if end == -1 else min(end, len(text))
    first = cell_len(text[:start])
    last = first + cell_len(text[start:end])
    before, within, after = (strip.crop(0, first), strip.crop(first, last), strip.crop(last))
    lit = Strip([Segment(t, (s or Style.null()) + style) for t, s, _ in within], within.cell_length)
    return Strip.join([before, lit, after])


def with_offsets(strip: Strip, margin: int, row: int) -> Strip:
    """``strip`` with what a selection by mouse asks for: which character of which row each one is.

    One that begins on the margin begins with the text.
    """
    mark, text = strip.crop(0, margin), strip.crop(margin)
    return Strip.join([mark.apply_style(Style.from_meta({"offset": (0, row)})), text.apply_offsets(0, row)])


def char_at(text: str, cell: int) -> int:
    """The index of the character at ``cell``; the length of ``text`` behind its end."""
    for index in range(len(text)):
        cell -= cell_len(text[index])
        if cell < 0:
            return index
    return len(text)

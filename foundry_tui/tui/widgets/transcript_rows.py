"""Rows as they are drawn, and how the text on them reads: what belongs together, and where links lead."""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style

from foundry_tui.tui.widgets.folding import breaks

__all__ = ["Drawing", "Fragment", "Joint", "Link", "Run", "Sketch", "Span", "with_addresses", "wrapped"]

# What a browser fetches; nothing else is ever offered to be opened.
_ADDRESS = re.compile('https?://[^\\s<>"`|\u2400-\u2421\ufffd]+', re.IGNORECASE)
_LONGEST_ADDRESS = 2_048
# Rather the end of the sentence than of the address.
_SENTENCE_END = ".,;:!?'\"*_"


class Joint(IntEnum):
    """What stands between a fragment and the one before it."""

    LINE = 0  # another line of the source
    SPACE = 1  # white space at which the line was wrapped
    CUT = 2  # nothing: a word was cut


_JOINTS = {Joint.LINE: "\n", Joint.SPACE: " ", Joint.CUT: ""}


class Run(NamedTuple):
    """Characters of one look on one line.

    Attributes:
        url: Where a click on them leads.
    """

    text: str
    style: Style
    url: str | None = None


class Fragment(NamedTuple):
    """Text that stands on one row without a break; ``column`` and ``length`` count characters."""

    row: int
    column: int
    length: int
    joint: Joint


class Span(NamedTuple):
    """Characters of one row, from ``start`` to before ``end``."""

    row: int
    start: int
    end: int


class Link(NamedTuple):
    """Where a link stands in the text as it reads, and where it leads."""

    start: int
    end: int
    url: str


class Drawing:
    """Rows drawn together.

    The segments are many and can be made again, so they are dropped where nobody looks; what is said here
    about the text stays.  No strips: each of those brings eight caches, and thousands of them make the
    collector stop the program for 50 ms.

    Attributes:
        rows: None once dropped.
        height: Rows, dropped or not.
        text: The rows as text, without the white space at their ends, joined by line feeds.
        codes: First row and number of rows of each code block.
        unlit: Language and text of the code blocks that could be highlighted and are not.
    """

    __slots__ = ("_fragments", "_links", "codes", "height", "rows", "text", "unlit")

    def __init__(
        self,
        rows: list[list[Segment]],
        fragments: Iterable[Fragment] = (),
        links: Sequence[Link] = (),
        codes: Sequence[tuple[int, int]] = (),
        unlit: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.rows: list[list[Segment]] | None = rows
        self.height = len(rows)
        self.text = "\n".join(["".join([segment.text for segment in row]).rstrip() for row in rows])
        self.codes = tuple(codes)
        self.unlit = tuple(unlit)
        self._links = tuple(links)
        # An array: lists of tuples would be the most numerous objects of a long conversation.
        self._fragments = array("I", [number for fragment in fragments for number in fragment])

    def row_texts(self) -> list[str]:
        """The text of each row."""
        return self.text.split("\n") if self.height else []

    def fragments(self) -> Iterator[Fragment]:
        """The fragments in the order in which they are read."""
        numbers = iter(self._fragments)
        for row, column, length, joint in zip(numbers, numbers, numbers, numbers, strict=True):
            yield Fragment(row, column, length, Joint(joint))

    def reading(self) -> str:
        """The text as it reads: lines that were wrapped are whole again."""
        rows = self.row_texts()
        pieces: list[str] = []
        for row, column, length, joint in self.fragments():
            pieces.append(_JOINTS[joint])
            pieces.append(rows[row][column : column + length])
        return "".join(pieces)

    @property
    def reading_length(self) -> int:
        """Characters of the reading."""
        return sum(fragment.length + len(_JOINTS[fragment.joint]) for fragment in self.fragments())

    def spans(self, ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, Span]]:
        """Where ``ranges`` of the reading, which do not go back, stand: the number of each and its spans."""
        fragments = list(self.fragments())
        starts = _starts(fragments)
        for n, (start, end) in enumerate(ranges):
            index = max(0, bisect_right(starts, start) - 1)
            while index < len(fragments) and starts[index] < end:
                row, column, length, _ = fragments[index]
                first = max(0, start - starts[index])
                last = min(length, end - starts[index])
                if first < last:
                    yield n, Span(row, column + first, column + last)
                index += 1

    def url_at(self, row: int, column: int) -> str | None:
        """Where a click on the character at ``column`` of ``row`` leads; None if nowhere."""
        fragments = list(self.fragments())
        for fragment, start in zip(fragments, _starts(fragments), strict=True):
            if fragment.row == row and fragment.column <= column < fragment.column + fragment.length:
                position = start + column - fragment.column
                break
        else:
            return None
        links = (*self._links, *_addresses(self.reading()))
        return next((link.url for link in links if link.start <= position < link.end), None)


class Sketch:
    """A drawing that is being made, row by row."""

    def __init__(self) -> None:
        self.rows: list[list[Segment]] = []
        self.codes: list[tuple[int, int]] = []
        self.unlit: list[tuple[str, str]] = []
        self._fragments: list[Fragment] = []
        self._links: list[Link] = []
        self._length = 0  # of the reading

    def finished(self) -> Drawing:
        """What was drawn."""
        return Drawing(self.rows, self._fragments, self._links, self.codes, self.unlit)

    def blank(self, before: Sequence[Segment] = ()) -> None:
        """Leave a row empty but for ``before``."""
        self.rows.append(list(before))

    def put(
        self, runs: Sequence[Run], joint: Joint, before: Sequence[Segment] = (), after: Sequence[Segment] = ()
    ) -> None:
        """Add a row of text, with what stands before and after it on the row but is not read."""
        column = sum([len(segment.text) for segment in before])
        self.read(len(self.rows), column, runs, joint)
        self.rows.append([*before, *[Segment(text, style) for text, style, _ in runs], *after])

    def read(self, row: int, column: int, runs: Sequence[Run], joint: Joint) -> None:
        """Say that ``runs``, which stand at ``column`` of ``row``, are what is read next."""
        start = at = self._length + len(_JOINTS[joint])
        for run in runs:
            at += len(run.text)
            if run.url is not None:
                self._link(at - len(run.text), at, run.url)
        self._fragments.append(Fragment(row, column, at - start, joint))
        self._length = at

    def _link(self, start: int, end: int, url: str) -> None:
        if self._links and self._links[-1].url == url and self._links[-1].end + 1 >= start:
            start = self._links.pop().start
        self._links.append(Link(start, end, url))


def wrapped(runs: Sequence[Run], width: int) -> Iterator[tuple[list[Run], Joint]]:
    """The rows of one line, each with how it follows the one before."""
    text = runs[0].text if len(runs) == 1 else "".join([run.text for run in runs])
    before = -1
    first, first_start = 0, 0  # the run in which the next row begins
    for start, end in breaks(text, width):
        joint = Joint.LINE if before < 0 else Joint.SPACE if start > before else Joint.CUT
        before = end
        row: list[Run] = []
        while first < len(runs):
            run_text, style, url = runs[first]
            piece = run_text[max(0, start - first_start) : max(0, end - first_start)]
            if piece:
                row.append(Run(piece, style, url))
            if first_start + len(run_text) > end:
                break
            first_start += len(run_text)
            first += 1
        yield row, joint


def with_addresses(text: str, style: Style, address_style: Style) -> Iterator[Run]:
    """``text`` in ``style``, but its web addresses in ``address_style`` as well."""
    at = 0
    if "://" in text:
        for start, end, _ in _addresses(text):
            if start > at:
                yield Run(text[at:start], style)
            yield Run(text[start:end], style + address_style)
            at = end
    if at < len(text):
        yield Run(text[at:], style)


def _addresses(text: str) -> Iterator[Link]:
    for match in _ADDRESS.finditer(text):
        if len(match[0]) > _LONGEST_ADDRESS:
            continue
        url = match[0].rstrip(_SENTENCE_END)
        while url.endswith((")", "]")) and url.count(url[-1]) > url.count("(" if url[-1] == ")" else "["):
            url = url[:-1].rstrip(_SENTENCE_END)
        if len(url) > len("https://"):
            yield Link(match.start(), match.start() + len(url), url)


def _starts(fragments: Sequence[Fragment]) -> list[int]:
    """Where the reading of each fragment begins."""
    starts: list[int] = []
    at = 0
    for fragment in fragments:
        at += len(_JOINTS[fragment.joint])
        starts.append(at)
        at += fragment.length
    return starts

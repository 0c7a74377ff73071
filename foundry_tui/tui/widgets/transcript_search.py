"""Finds a text in the parts of a transcript, as they read and not as they are wrapped."""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

from foundry_tui.tui.widgets.folding import shown
from foundry_tui.tui.widgets.transcript_messages import Part
from foundry_tui.tui.widgets.transcript_rows import Drawing, Span

__all__ = ["Lit", "Match", "Search", "SearchState"]

# Parts whose matches are known by row: about what a big screen shows.
_PARTS_BY_ROW = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchState:
    """How far a search has come.

    Attributes:
        text: What is looked for; "" if nothing is.
        current: The match that was gone to, counted from 0; None as long as none was.
        total: Matches found; grows while there is text that was not looked through.
    """

    text: str
    current: int | None
    total: int


class Match(NamedTuple):
    """One place: the ``number``-th match that begins in ``part``."""

    part: Part
    number: int


class Lit(NamedTuple):
    """Characters of a row that belong to a match."""

    start: int
    end: int
    is_current: bool


class Search:
    """The matches of one text, kept up to date part by part.

    Attributes:
        current: Where the reader was led last.
    """

    def __init__(self) -> None:
        self.current: Match | None = None
        self._text = ""
        self._pattern: re.Pattern[str] | None = None
        self._reach = 0  # characters of the next part that a match may run into
        self._matches: dict[Part, array[int]] = {}  # starts and ends in the reading of each part that has any
        self._total = 0
        self._before = 0  # matches in the parts before the current one
        self._unread: deque[Part] = deque()
        self._ordered: list[Part] | None = None
        self._by_row: dict[Part, dict[int, list[tuple[Span, Match]]]] = {}

    @property
    def state(self) -> SearchState:
        """What is looked for and found."""
        current = None if self.current is None else self._before + self.current.number
        return SearchState(text=self._text, current=current, total=self._total)

    @property
    def has_unread(self) -> bool:
        """Whether parts are left to look through."""
        return bool(self._unread)

    def begin(self, text: str, parts: Iterable[Part]) -> None:
        """Look for ``text``, whatever the case of its letters, in ``parts`` and all that are updated."""
        words = [re.escape(word) for word in re.split(r"\s+", shown(text))]
        self.current = None
        self._text = text if any(words) else ""
        self._pattern = re.compile(r"\s+".join(words), re.IGNORECASE) if self._text else None
        self._reach = len(text) * 2 if self._pattern is not None else 0
        self._matches.clear()
        self._by_row.clear()
        self._ordered = None
        self._total = self._before = 0
        self._unread = deque(parts if self._pattern is not None else ())

    def read_on(self, until_s: float) -> None:
        """Look through parts that were not yet, one at least, until ``until_s`` of ``perf_counter``.

        One in any case: on a machine that is never given its time in one piece a search ends all the same.
        """
        while self._unread:
            self._read(self._unread.popleft())
            if perf_counter() >= until_s:
                break

    def update(self, part: Part) -> None:
        """Look through ``part`` again, for its text was drawn anew."""
        if self._pattern is None:
            return
        self._read(part)
        # What was found at the end of the part before may reach into this one.
        if part.continues and part.previous is not None and part.previous.is_cut:
            self._read(part.previous)

    def forget(self, parts: Iterable[Part]) -> None:
        """``parts`` are gone."""
        gone = set(parts)
        self._unread = deque(part for part in self._unread if part not in gone)
        for part in gone & self._matches.keys():
            self._put(part, array("I"))

    def lit(self, part: Part, row: int) -> list[Lit]:
        """What of a row of ``part`` belongs to matches."""
        if self._pattern is None:
            return []
        if part not in self._by_row:
            if len(self._by_row) >= _PARTS_BY_ROW:
                self._by_row.pop(next(iter(self._by_row)))
            self._by_row[part] = self._rows_of(part)
        spans = self._by_row[part].get(row, [])
        return [Lit(span.start, span.end, match == self.current) for span, match in spans]

    def row_of(self, match: Match) -> int:
        """The row of its part on which ``match`` begins."""
        return self._rows(match.part).get(match.number, 0)

    def step(self, direction: int, part: Part | None, row: int) -> Match | None:
        """Go to the next match, or to the one before if ``direction`` is -1, around the end if need be.

        Args:
            direction: 1 or -1.
            part: Where to begin if no match is current: at the ``row`` of this part.
            row: Within ``part``.

        Returns:
            The match that is current now; None if there is none.
        """
        if not self._matches:
            return None
        if self.current is not None:
            self._go(direction)
        else:
            self._go_from(direction, part, row)
        assert self.current is not None
        at = bisect_left(self._parts(), self.current.part.order, key=_order)
        self._before = sum(len(self._matches[other]) // 2 for other in self._parts()[:at])
        return self.current

    def _go(self, direction: int) -> None:
        assert self.current is not None
        part, number = self.current
        if 0 <= number + direction < len(self._matches[part]) // 2:
            self.current = Match(part, number + direction)
            return
        parts = self._parts()
        other = parts[(bisect_left(parts, part.order, key=_order) + direction) % len(parts)]
        self.current = self._outermost(other, direction)

    def _go_from(self, direction: int, part: Part | None, row: int) -> None:
        parts = self._parts()
        if part is not None and part in self._matches:
            fitting = [n for n, at in self._rows(part).items() if (at >= row if direction > 0 else at <= row)]
            if fitting:
                self.current = Match(part, fitting[0] if direction > 0 else fitting[-1])
                return
        order = (0, 0, 0) if part is None else part.order
        if direction > 0:
            at = bisect_right(parts, order, key=_order)
        else:
            at = bisect_left(parts, order, key=_order) - 1
        self.current = self._outermost(parts[at % len(parts)], direction)

    def _rows(self, part: Part) -> dict[int, int]:
        """The row on which each match of ``part`` begins."""
        if part.drawing is None:
            return {}
        rows: dict[int, int] = {}
        for number, span in part.drawing.spans(self._ranges(part)):
            rows.setdefault(number, span.row)
        return rows

    def _ranges(self, part: Part) -> list[tuple[int, int]]:
        found = self._matches.get(part, ())
        return list(zip(found[::2], found[1::2], strict=True))

    def _outermost(self, part: Part, direction: int) -> Match:
        return Match(part, 0 if direction > 0 else len(self._matches[part]) // 2 - 1)

    def _parts(self) -> list[Part]:
        """The parts with matches, from top to bottom; sorted when somebody steps and not with each flush."""
        if self._ordered is None:
            self._ordered = sorted(self._matches, key=_order)
        return self._ordered

    def _read(self, part: Part) -> None:
        if self._pattern is None or part.drawing is None:
            return
        text = part.drawing.reading()
        length = len(text)
        if part.is_cut and part.next is not None and part.next.drawing is not None:
            text += _joint(part) + part.next.drawing.reading()[1 : 1 + self._reach]
        found = array("I")
        for match in self._pattern.finditer(text):
            if match.start() >= length:
                break
            found.extend(match.span())
        self._put(part, found)

    def _put(self, part: Part, found: "array[int]") -> None:
        before = len(self._matches.get(part, ())) // 2
        count = len(found) // 2
        self._by_row.pop(part, None)
        if part.next is not None:
            self._by_row.pop(part.next, None)
        if bool(before) != bool(count):
            self._ordered = None
        if count:
            self._matches[part] = found
        else:
            self._matches.pop(part, None)
        self._total += count - before
        if self.current is None:
            return
        if part is self.current.part:
            self.current = Match(part, min(self.current.number, count - 1)) if count else None
        elif part.order < self.current.part.order:
            self._before += count - before

    def _rows_of(self, part: Part) -> dict[int, list[tuple[Span, Match]]]:
        rows: dict[int, list[tuple[Span, Match]]] = {}
        if part.drawing is None:
            return rows
        before = part.previous
        if part.continues and before is not None and before.drawing is not None and before in self._matches:
            # Only the last match can reach over the end, and only if the part's last line goes on here.
            over = self._matches[before][-1] - before.drawing.reading_length - len(_joint(before))
            if over > 0:
                self._note(
                    rows, part.drawing, [(1, 1 + over)], Match(before, len(self._matches[before]) // 2 - 1)
                )
        self._note(rows, part.drawing, self._ranges(part), Match(part, 0))
        return rows

    @staticmethod
    def _note(
        rows: dict[int, list[tuple[Span, Match]]],
        drawing: Drawing,
        ranges: list[tuple[int, int]],
        first: Match,
    ) -> None:
        for n, span in drawing.spans(ranges):
            rows.setdefault(span.row, []).append((span, Match(first.part, first.number + n)))


def _order(part: Part) -> tuple[int, int, int]:
    return part.order


def _joint(part: Part) -> str:
    """What stands between ``part``, which is cut, and the next one."""
    return " " if part.source[-1:].isspace() else ""

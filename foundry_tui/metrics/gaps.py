"""The waits between the chunks of one answer, and which of them are stalls.

A gap is t(k) − t(k−1), in ns.  Where the chunks k and k−1 came in one socket read it is None: nothing was
seen between them, and 0 ms would be a reading that nobody took.  Such pairs are counted, and enter no other
number.  The wait for the first chunk is no gap either; it counts from ``sent`` and is TTFT.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from foundry_tui.domain.chat import ChatEvent, ChunkReceived, ClockRead, GenerationFinished, Moment
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.percentiles import P95_COUNT, percentile
from foundry_tui.metrics.trust import DELAY_LIMIT_NS, MERGED_LIMIT, is_token_for_chunk

__all__ = ["CLASS_EDGES_MS", "GapSummary", "GapTrack", "GapUnit", "WaitKind", "gap_class", "gap_ns"]

_NS_PER_MS = 1_000_000
CLASS_EDGES_MS = (5, 10, 20, 40, 80, 160, 320)
"""Lower edges of the classes 1 to 7 of gaps, in ms: fixed, so that a class is the same in every answer."""

# A stall is a gap above both: so many medians, and what a reader feels as a halt.
_STALL_MEDIANS = 3
_STALL_FLOOR_NS = 250 * _NS_PER_MS


class WaitKind(StrEnum):
    """What the time before a chunk was."""

    FIRST = "first"
    """From the sent request to the first chunk."""
    GAP = "gap"
    STALL = "stall"
    SAME_READ = "same-read"
    """Unknown: the chunk came in one socket read with the one before."""


class GapUnit(StrEnum):
    """What lies between two gaps."""

    TOKEN = "token"
    CHUNK = "chunk"


@dataclass(frozen=True, slots=True, kw_only=True)
class GapSummary:
    """The gaps of one answer in a few numbers; times in ns, None where undefined.

    Attributes:
        chunks: m, all of them.
        count: n, the gaps that were measured.
        same_read: Chunks that came in one read with the chunk before; ``count + same_read`` is m − 1.
        unit: TOKEN only where m/C lies within 0.98 to 1/0.98, C as the engine reported it.
        median_ns: Of the measured gaps; None without any.
        p95_ns: Linear between the two nearest gaps.  None below n = 59, where more than 1 % of the pairs
            shared a read, and where the measuring process itself was more than 5 ms late.
        max_ns: None without any gap.
        stalls: How many gaps are stalls.
        stalled_ns: Their sum.
        delay_p99_ns: The measuring process's own delay; None if unknown, as it is until the end.
    """

    chunks: int
    count: int
    same_read: int
    unit: GapUnit
    median_ns: float | None
    p95_ns: float | None
    max_ns: int | None
    stalls: int
    stalled_ns: int
    delay_p99_ns: int | None

    @property
    def is_late(self) -> bool:
        """Whether the measuring process was too late for its percentiles to be believed."""
        return self.delay_p99_ns is not None and self.delay_p99_ns > DELAY_LIMIT_NS


def gap_ns(earlier: ChunkReceived, later: ChunkReceived) -> int | None:
    """The time from one chunk to the next; None if they shared a read (read 0 is an unknown one)."""
    if later.read == earlier.read and later.read != 0:
        return None
    return later.at_ns - earlier.at_ns


def gap_class(gap: int) -> int:
    """The class of a gap in ns, 0 to 7; ``CLASS_EDGES_MS`` are the lower edges from class 1 on."""
    return bisect_right(CLASS_EDGES_MS, gap / _NS_PER_MS)


class GapTrack:
    """The gaps of one answer, taken as they come or all at once.

    A gap is a stall if it is above max(3 × median gap, 250 ms), and that median moves while an answer
    streams.  So no verdict is kept: what is asked is judged by the gaps known at that moment, all of them
    anew.  After the last event the verdicts are therefore those of ``of(trace)``, whatever was said before.

    ``observe`` costs O(1).  The gaps are put in order when a statistic is asked for: the few new ones are
    merged into those in order already, in time linear in their number with the constant of a copy.
    """

    def __init__(self) -> None:
        self._chunks: list[ChunkReceived] = []
        self._gaps: list[int | None] = []  # of chunk k at k; None for the first
        self._same_read = 0
        self._ordered: list[int] = []
        self._unordered: list[int] = []
        # Places and lengths of all that can be a stall, in order of arrival.
        self._long_places: list[int] = []
        self._long_gaps: list[int] = []
        self._sent_ns: int | None = None
        self._reported_tokens: int | None = None
        self._delay_p99_ns: int | None = None

    @classmethod
    def of(cls, trace: GenerationTrace) -> "GapTrack":
        """The gaps of a recorded answer."""
        track = cls()
        track._sent_ns = trace.sent_ns
        for chunk in trace.chunks:
            track._take(chunk)
        if trace.usage is not None and trace.usage.completion_tokens is not None:
            track._reported_tokens = trace.usage.completion_tokens
        track._delay_p99_ns = trace.delay_p99_ns
        return track

    @property
    def chunks(self) -> Sequence[ChunkReceived]:
        """All chunks so far; read only."""
        return self._chunks

    def observe(self, event: ChatEvent) -> None:
        """Take one event in the order in which the engine gave it."""
        match event:
            case ClockRead():
                if event.moment is Moment.SENT and self._sent_ns is None:
                    self._sent_ns = event.at_ns
            case ChunkReceived():
                self._take(event)
            case GenerationFinished():
                if event.usage is not None and event.usage.completion_tokens is not None:
                    self._reported_tokens = event.usage.completion_tokens
                self._delay_p99_ns = event.delay_p99_ns
            case _:
                assert_never(event)

    def kind_of(self, index: int) -> WaitKind:
        """What the time before chunk ``index`` was, as far as can be told now."""
        if index == 0:
            return WaitKind.FIRST
        gap = self._gaps[index]
        if gap is None:
            return WaitKind.SAME_READ
        if gap <= _STALL_FLOOR_NS:
            return WaitKind.GAP
        return WaitKind.STALL if gap > self._stall_limit_ns() else WaitKind.GAP

    def wait_ns(self, index: int) -> int | None:
        """The time before chunk ``index``: a gap, for the first the wait since sent; None if unknown."""
        return self.since_sent_ns(0) if index == 0 else self._gaps[index]

    def since_sent_ns(self, index: int) -> int | None:
        """From the sent request to chunk ``index``; None if the sending was not read."""
        return None if self._sent_ns is None else self._chunks[index].at_ns - self._sent_ns

    def next_stall(self, after: int) -> int | None:
        """The first stall behind chunk ``after``; None if there is none."""
        limit_ns = self._stall_limit_ns()
        for n in range(bisect_right(self._long_places, after), len(self._long_places)):
            if self._long_gaps[n] > limit_ns:
                return self._long_places[n]
        return None

    def previous_stall(self, before: int) -> int | None:
        """The last stall ahead of chunk ``before``; None if there is none."""
        limit_ns = self._stall_limit_ns()
        for n in reversed(range(bisect_left(self._long_places, before))):
            if self._long_gaps[n] > limit_ns:
                return self._long_places[n]
        return None

    def summary(self) -> GapSummary:
        """The numbers of all gaps so far."""
        ordered = self._in_order()
        first_stall = bisect_right(ordered, self._stall_limit_ns())
        numbers = GapSummary(
            chunks=len(self._chunks),
            count=len(ordered),
            same_read=self._same_read,
            unit=self._unit(),
            median_ns=_percentile(ordered, 0.5),
            p95_ns=None,
            max_ns=ordered[-1] if ordered else None,
            stalls=len(ordered) - first_stall,
            stalled_ns=sum(ordered[first_stall:]),
            delay_p99_ns=self._delay_p99_ns,
        )
        pairs = numbers.count + numbers.same_read
        if numbers.count < P95_COUNT or numbers.same_read > MERGED_LIMIT * pairs or numbers.is_late:
            return numbers
        return replace(numbers, p95_ns=_percentile(ordered, 0.95))

    def _take(self, chunk: ChunkReceived) -> None:
        gap = gap_ns(self._chunks[-1], chunk) if self._chunks else None
        if gap is not None:
            self._unordered.append(gap)
            if gap > _STALL_FLOOR_NS:
                self._long_places.append(len(self._chunks))
                self._long_gaps.append(gap)
        elif self._chunks:
            self._same_read += 1
        self._gaps.append(gap)
        self._chunks.append(chunk)
        if chunk.tokens is not None:
            self._reported_tokens = chunk.tokens

    def _in_order(self) -> list[int]:
        if self._unordered:
            self._ordered += self._unordered
            self._ordered.sort()
            self._unordered.clear()
        return self._ordered

    def _stall_limit_ns(self) -> float:
        """max(3 × median gap, 250 ms): the one place of the rule.  A gap equal to it is no stall."""
        median_ns = _percentile(self._in_order(), 0.5)
        return _STALL_FLOOR_NS if median_ns is None else max(_STALL_MEDIANS * median_ns, _STALL_FLOOR_NS)

    def _unit(self) -> GapUnit:
        is_token = is_token_for_chunk(len(self._chunks), self._reported_tokens)
        return GapUnit.TOKEN if is_token else GapUnit.CHUNK


def _percentile(ordered: Sequence[int], share: float) -> float | None:
    return percentile(ordered, share) if ordered else None

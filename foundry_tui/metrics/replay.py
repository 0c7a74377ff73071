"""A recorded answer as it was at any moment of it, and the clock by which it is played again.

Positions are in ns since the request was sent; where nobody read that, since it was called, or else since the
first reading there is.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from foundry_tui.domain.bench import ResourceReading
from foundry_tui.domain.chat import ChunkReceived
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.gaps import GapTrack, WaitKind
from foundry_tui.metrics.latency import Rate, live_rate

__all__ = ["SPEEDS", "Playback", "Replay", "ReplayMoment", "ReplayPhase", "Stall"]

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 16.0, 64.0)
"""How many times as fast as it was."""

_NS_PER_S = 1_000_000_000
# Ten readings a second are taken; an older one says nothing about this moment any more.
_READING_HOLDS_NS = 2 * _NS_PER_S
# No rate looks back further: what is handed over must not grow with the answer.
_RATE_CHUNKS = 2048


class ReplayPhase(StrEnum):
    """What was waited for at a moment of a request."""

    HEADERS = "headers"
    """The server had not answered at all."""
    PREFILL = "prefill"
    """It had, and no text had come."""
    STREAMING = "streaming"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """A halt of the answer, as the whole record tells it.

    Attributes:
        index: Of the chunk that ended it.
        begin_ns: Position of the chunk before.
    """

    index: int
    begin_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayMoment:
    """How far a request was.

    Attributes:
        at_ns: Its position.
        count: Chunks that had come.
        rate: What a live screen said then; None where it said nothing.
        gap_ns: The wait before the newest chunk, for the first since the request was sent; None if unknown.
        kind: What that wait was by what was known then; None before the first chunk.
        silent_ns: Since the newest chunk, before the first one since the begin; 0 from the end on.
        resources: The newest reading of memory and processor, at most two seconds old; None without one.
    """

    at_ns: int
    phase: ReplayPhase
    count: int
    rate: Rate | None
    gap_ns: int | None
    kind: WaitKind | None
    silent_ns: int
    resources: ResourceReading | None


class Replay:
    """One recorded answer, to be asked for any of its moments.

    Args:
        trace: Of a request that has ended, however.
        resources: Of its run, in the order in which they were kept.
    """

    def __init__(self, trace: GenerationTrace, resources: Sequence[ResourceReading] = ()) -> None:
        self._trace = trace
        self._begin_ns = _begin_ns(trace)
        self._positions_ns = [chunk.at_ns - self._begin_ns for chunk in trace.chunks]
        self._length_ns = max(0, _end_ns(trace, self._begin_ns) - self._begin_ns)
        self._headers_ns = self._within(trace.headers_ns)
        self._track = GapTrack.of(trace)
        self._seen = GapTrack()
        self._stalls = tuple(self._found_stalls())
        end_ns = self._begin_ns + self._length_ns
        self._resources = _readings_between(resources, self._begin_ns - _READING_HOLDS_NS, end_ns)
        self._resource_ns = [reading.at_ns for reading in self._resources]

    @property
    def trace(self) -> GenerationTrace:
        """The record."""
        return self._trace

    @property
    def chunks(self) -> Sequence[ChunkReceived]:
        """All of them."""
        return self._trace.chunks

    @property
    def length_ns(self) -> int:
        """Position of the end; 0 where nothing was read that lies behind the begin."""
        return self._length_ns

    @property
    def stalls(self) -> Sequence[Stall]:
        """In order; each a gap above max(3 × median gap, 250 ms) of the whole answer."""
        return self._stalls

    @property
    def first_ns(self) -> int | None:
        """Position of the first text; None where none came."""
        return self._positions_ns[0] if self._positions_ns else None

    def position_ns(self, index: int) -> int:
        """Where chunk ``index`` came."""
        return self._positions_ns[index]

    def moment(self, at_ns: int) -> ReplayMoment:
        """How it was at ``at_ns``, which is brought within the length."""
        at_ns = self._clamped(at_ns)
        count = bisect_right(self._positions_ns, at_ns)
        phase = self._phase(at_ns, count)
        newest_ns = self._positions_ns[count - 1] if count else 0
        track = self._track_until(count)
        return ReplayMoment(
            at_ns=at_ns,
            phase=phase,
            count=count,
            rate=live_rate(self._trace.chunks[max(0, count - _RATE_CHUNKS) : count]),
            gap_ns=self._track.wait_ns(count - 1) if count else None,
            kind=track.kind_of(count - 1) if count else None,
            silent_ns=0 if phase is ReplayPhase.ENDED else at_ns - newest_ns,
            resources=self._reading(at_ns),
        )

    def next_chunk_ns(self, at_ns: int) -> int | None:
        """Where the next text came after ``at_ns``; the end behind the last one; None at the end."""
        place = bisect_right(self._positions_ns, at_ns)
        if place < len(self._positions_ns):
            return self._positions_ns[place]
        return self._length_ns if at_ns < self._length_ns else None

    def previous_chunk_ns(self, at_ns: int) -> int | None:
        """Where the last text came before ``at_ns``; the begin ahead of the first one; None at the begin."""
        place = bisect_left(self._positions_ns, at_ns)
        if place:
            return self._positions_ns[place - 1]
        return 0 if at_ns > 0 else None

    def next_stall_ns(self, at_ns: int) -> int | None:
        """Where the next stall begins after ``at_ns``; None if there is none."""
        return next((stall.begin_ns for stall in self._stalls if stall.begin_ns > at_ns), None)

    def previous_stall_ns(self, at_ns: int) -> int | None:
        """Where the last stall begins before ``at_ns``; None if there is none."""
        return next((stall.begin_ns for stall in reversed(self._stalls) if stall.begin_ns < at_ns), None)

    def share_ns(self, share: float) -> int:
        """The position at that share of the length, 0 to 1."""
        # Of ages in ns a float is not exact, and all of them is meant where all is said.
        return self._length_ns if share >= 1 else self._clamped(round(self._length_ns * share))

    def _phase(self, at_ns: int, count: int) -> ReplayPhase:
        if at_ns >= self._length_ns:
            return ReplayPhase.ENDED
        if count:
            return ReplayPhase.STREAMING
        # An engine that reads no headers shows by its text that it has answered.
        if self._headers_ns is None:
            return ReplayPhase.PREFILL if self._positions_ns else ReplayPhase.HEADERS
        return ReplayPhase.PREFILL if at_ns >= self._headers_ns else ReplayPhase.HEADERS

    def _track_until(self, count: int) -> GapTrack:
        """The gaps of the first ``count`` chunks; going on costs only what is new."""
        if len(self._seen.chunks) > count:
            self._seen = GapTrack()
        for index in range(len(self._seen.chunks), count):
            self._seen.observe(self._trace.chunks[index])
        return self._seen

    def _reading(self, at_ns: int) -> ResourceReading | None:
        now_ns = at_ns + self._begin_ns
        place = bisect_right(self._resource_ns, now_ns)
        if not place or now_ns - self._resource_ns[place - 1] > _READING_HOLDS_NS:
            return None
        return self._resources[place - 1]

    def _found_stalls(self) -> list[Stall]:
        found: list[Stall] = []
        index = self._track.next_stall(-1)
        while index is not None:
            begin_ns, end_ns = self._positions_ns[index - 1], self._positions_ns[index]
            found.append(Stall(index=index, begin_ns=begin_ns, end_ns=end_ns))
            index = self._track.next_stall(index)
        return found

    def _within(self, reading_ns: int | None) -> int | None:
        """The position of a reading that no other bounds; None for one that cannot be of this request."""
        if reading_ns is None or not 0 <= reading_ns - self._begin_ns <= self._length_ns:
            return None
        return reading_ns - self._begin_ns

    def _clamped(self, at_ns: int) -> int:
        return max(0, min(at_ns, self._length_ns))


@dataclass(frozen=True, slots=True, kw_only=True)
class Playback:
    """Where a player is, by a monotonic clock of seconds that is handed to each question.

    Attributes:
        length_ns: Of what is played.
        at_ns: Position at ``since_s``, or where it rests.
        since_s: When it went on from there; None while it rests.
    """

    length_ns: int
    at_ns: int = 0
    speed: float = 1.0
    since_s: float | None = None

    def __post_init__(self) -> None:
        if not self.speed > 0 or not 0 <= self.at_ns <= self.length_ns:
            raise ValueError("a playback needs a speed above 0 and a position within its length")

    def position_ns(self, now_s: float) -> int:
        """Where it is now."""
        if self.since_s is None:
            return self.at_ns
        gone_s = max(0.0, now_s - self.since_s) * self.speed
        # Compared in seconds: a clock that jumped must not overflow.
        left_ns = self.length_ns - self.at_ns
        return self.length_ns if gone_s * _NS_PER_S >= left_ns else self.at_ns + round(gone_s * _NS_PER_S)

    def plays(self, now_s: float) -> bool:
        """Whether it moves and has not come to its end."""
        return self.since_s is not None and self.position_ns(now_s) < self.length_ns

    def played(self, now_s: float) -> "Playback":
        """Going on, from its end from the begin again."""
        at_ns = self.position_ns(now_s)
        return replace(self, at_ns=0 if at_ns >= self.length_ns else at_ns, since_s=now_s)

    def paused(self, now_s: float) -> "Playback":
        """Resting where it is."""
        return replace(self, at_ns=self.position_ns(now_s), since_s=None)

    def moved(self, at_ns: int, now_s: float) -> "Playback":
        """At another position, within the length; it goes on if it did."""
        at_ns = max(0, min(at_ns, self.length_ns))
        return replace(self, at_ns=at_ns, since_s=now_s if self.plays(now_s) else None)

    def at_speed(self, speed: float, now_s: float) -> "Playback":
        """From here on at another speed."""
        since_s = None if self.since_s is None else now_s
        return replace(self, at_ns=self.position_ns(now_s), speed=speed, since_s=since_s)

    def faster(self, now_s: float) -> "Playback":
        """At the next higher of ``SPEEDS``, if there is one."""
        return self.at_speed(next((speed for speed in SPEEDS if speed > self.speed), self.speed), now_s)

    def slower(self, now_s: float) -> "Playback":
        """At the next lower of ``SPEEDS``, if there is one."""
        lower = (speed for speed in reversed(SPEEDS) if speed < self.speed)
        return self.at_speed(next(lower, self.speed), now_s)


def _begin_ns(trace: GenerationTrace) -> int:
    if trace.sent_ns is not None:
        return trace.sent_ns
    first_ns = trace.chunks[0].at_ns if trace.chunks else trace.end_ns
    if trace.call_ns is not None and (first_ns is None or trace.call_ns <= first_ns):
        return trace.call_ns
    return 0 if first_ns is None else first_ns


def _end_ns(trace: GenerationTrace, begin_ns: int) -> int:
    """The end, else the last sign of life; the named moments bound nothing where the end was read."""
    if trace.end_ns is not None:
        return trace.end_ns
    if trace.chunks:
        return trace.chunks[-1].at_ns
    named = (trace.headers_ns, trace.role_ns)
    return max((reading for reading in named if reading is not None), default=begin_ns)


def _readings_between(
    resources: Sequence[ResourceReading], low_ns: int, high_ns: int
) -> Sequence[ResourceReading]:
    """Those of that time.  None at all where two lives of a run, each with a clock of its own, have some."""
    found: list[ResourceReading] = []
    lives: set[int] = set()
    life, before_ns = 0, 0
    for reading in resources:
        life += reading.at_ns < before_ns
        before_ns = reading.at_ns
        if low_ns <= reading.at_ns <= high_ns:
            lives.add(life)
            found.append(reading)
    return found if len(lives) == 1 else ()

"""Where requests and readings lie on one line of time, though the run may have had several lives.

Readings are of a monotonic clock, which begins anew when the machine does.  So that a life of the run can be
put behind the one before, the wall time at which each request was begun is set against its first reading:
within a life that difference stays, with the next start of the machine it is another.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from foundry_tui.domain.bench import RequestRun, ResourceReading
from foundry_tui.metrics.clock_lives import OTHER_CLOCK_NS

__all__ = ["Piece", "Placed", "RunTime", "run_time"]

_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1_000_000
# What is idle for longer, and for longer than this share of the busy time, is cut out of the line.
_IDLE_S = 30.0
_IDLE_SHARE = 0.1
_MOST_CUTS = 11
# The width of a cut, and the least of a piece, as shares of the line.
_CUT_SHARE = 0.02
_PIECE_SHARE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A request on the line; seconds since its beginning.

    Attributes:
        first_s: The first text; None without any.
        end_s: The end, else the last thing that was read of it.
    """

    request: RequestRun
    begin_s: float
    first_s: float | None
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of the line without a long pause; where it lies, from 0 to 1 along.

    Attributes:
        pause_s: How long nothing was done before it; None before the first.
        is_other_clock: Whether the machine was started anew before it.
    """

    begin_s: float
    end_s: float
    begin: float
    end: float
    pause_s: float | None
    is_other_clock: bool

    def at(self, at_s: float) -> float:
        """Where a moment within it lies, from 0 to 1 along the whole line."""
        if self.end_s <= self.begin_s:
            return self.begin
        share = (at_s - self.begin_s) / (self.end_s - self.begin_s)
        return self.begin + (self.end - self.begin) * min(max(share, 0.0), 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTime:
    """The line of a run.

    Attributes:
        placed: In order of the requests' numbers.
        readings: With seconds since the beginning, in that order.
        pieces: At least one.
        strays: Readings of a life of the run that has no request, which have no place on the line.
    """

    placed: tuple[Placed, ...]
    readings: tuple[tuple[float, ResourceReading], ...]
    pieces: tuple[Piece, ...]
    strays: int

    def at(self, at_s: float) -> float:
        """Where a moment lies, from 0 to 1 along."""
        return self.piece(at_s).at(at_s)

    def piece(self, at_s: float) -> Piece:
        """The piece that a moment is in."""
        begins = [piece.begin_s for piece in self.pieces]
        return self.pieces[max(0, bisect_right(begins, at_s) - 1)]


@dataclass(slots=True)
class _Life:
    """What was read under one clock, in ns of it.

    Attributes:
        offset_ns: Wall time − clock, of its newest request.
        low_ns: Its first moment, that of a request or of a reading.
    """

    offset_ns: int
    low_ns: int
    high_ns: int
    requests: list[tuple[RequestRun, int, int]]
    readings: list[ResourceReading]
    begin_s: float = 0.0

    def since_begin_s(self, at_ns: int) -> float:
        return self.begin_s + (at_ns - self.low_ns) / _NS_PER_S


def run_time(requests: Sequence[RequestRun], resources: Sequence[ResourceReading]) -> RunTime | None:
    """The line of all ``requests``, and of ``resources`` in the order in which they were kept.

    None without a request: readings alone have no wall time.
    """
    lives = _lives(requests)
    if not lives:
        return None
    strays = _assign(lives, resources)
    other_clocks = _put_in_line(lives)
    placed = [
        Placed(
            request=request,
            begin_s=life.since_begin_s(begin_ns),
            first_s=_first_s(life, request),
            end_s=life.since_begin_s(end_ns),
        )
        for life in lives
        for request, begin_ns, end_ns in life.requests
    ]
    readings = [(life.since_begin_s(reading.at_ns), reading) for life in lives for reading in life.readings]
    busy = sorted([(one.begin_s, one.end_s) for one in placed] + [(at_s, at_s) for at_s, _ in readings])
    return RunTime(
        placed=tuple(sorted(placed, key=lambda one: one.request.number)),
        readings=tuple(sorted(readings, key=lambda entry: entry[0])),
        pieces=_pieces(busy, other_clocks),
        strays=strays,
    )


def _lives(requests: Sequence[RequestRun]) -> list[_Life]:
    ordered = sorted(requests, key=lambda request: request.number)
    known = ((request.at_unix_ms * _NS_PER_MS, _span_ns(request)) for request in ordered)
    offset_ns = next((wall_ns - span[0] for wall_ns, span in known if span is not None), 0)
    lives: list[_Life] = []
    for request in ordered:
        wall_ns = request.at_unix_ms * _NS_PER_MS
        span = _span_ns(request)
        if span is None:  # nobody could be asked: only the wall clock tells when
            span = wall_ns - offset_ns, wall_ns - offset_ns
        offset_ns = wall_ns - span[0]
        if not lives or abs(offset_ns - lives[-1].offset_ns) > OTHER_CLOCK_NS:
            lives.append(
                _Life(offset_ns=offset_ns, low_ns=span[0], high_ns=span[1], requests=[], readings=[])
            )
        life = lives[-1]
        life.offset_ns = offset_ns
        life.low_ns, life.high_ns = min(life.low_ns, span[0]), max(life.high_ns, span[1])
        life.requests.append((request, *span))
    return lives


def _span_ns(request: RequestRun) -> tuple[int, int] | None:
    """The first and last reading of a request that count; None without any."""
    trace = request.trace
    chunks = (trace.chunks[0].at_ns, trace.chunks[-1].at_ns) if trace.chunks else ()
    known = [stamp for stamp in (trace.sent_ns, *chunks, trace.end_ns) if stamp is not None]
    if not known:
        known = [stamp for stamp in (trace.call_ns, trace.headers_ns, trace.role_ns) if stamp is not None][:1]
    return (known[0], known[-1]) if known else None


def _first_s(life: _Life, request: RequestRun) -> float | None:
    chunks = request.trace.chunks
    return life.since_begin_s(chunks[0].at_ns) if chunks else None


def _assign(lives: Sequence[_Life], resources: Sequence[ResourceReading]) -> int:
    """Give each reading to the life it is of; how many are of none."""
    spans = [(life.low_ns, life.high_ns) for life in lives]
    current, strays, last_ns = 0, 0, None
    for reading in resources:
        if last_ns is not None and reading.at_ns < last_ns - _NS_PER_S:
            current += 1  # a clock only goes back where it is another one
        last_ns = reading.at_ns
        # Without a step back, too, if the machine has been up for longer than it was then.
        while current + 1 < len(spans) and (
            _outside_ns(spans[current + 1], reading.at_ns) < _outside_ns(spans[current], reading.at_ns)
        ):
            current += 1
        if current < len(lives):
            lives[current].readings.append(reading)
        else:
            strays += 1
    for life in lives:
        stamps = [reading.at_ns for reading in life.readings]
        life.low_ns, life.high_ns = min([life.low_ns, *stamps]), max([life.high_ns, *stamps])
    return strays


def _outside_ns(span: tuple[int, int], at_ns: int) -> int:
    return max(span[0] - at_ns, at_ns - span[1], 0)


def _put_in_line(lives: Sequence[_Life]) -> frozenset[float]:
    """Say when each life began, never before the end of the one before; where another clock begins."""
    begun_ns = lives[0].offset_ns + lives[0].low_ns
    end_s = 0.0
    for life in lives:
        life.begin_s = max(end_s, (life.offset_ns + life.low_ns - begun_ns) / _NS_PER_S)
        end_s = life.since_begin_s(life.high_ns)
    return frozenset(life.begin_s for life in lives[1:])


def _pieces(busy: Sequence[tuple[float, float]], other_clocks: frozenset[float]) -> tuple[Piece, ...]:
    spans = list(_joined(busy, other_clocks))
    total_s = sum(end - begin for begin, end in spans)
    idle_s = max(_IDLE_S, _IDLE_SHARE * total_s)
    cuts = [
        (later[0] in other_clocks, later[0] - earlier[1], later[0])
        for earlier, later in pairwise(spans)
        if later[0] in other_clocks or later[0] - earlier[1] > idle_s
    ]
    begins = {begin for _, _, begin in sorted(cuts, reverse=True)[:_MOST_CUTS]}
    pieces: list[tuple[float, float]] = []
    for begin, end in spans:
        if pieces and begin not in begins:
            begin = pieces.pop()[0]
        pieces.append((begin, end))
    return tuple(_laid_out(pieces, other_clocks))


def _joined(
    busy: Sequence[tuple[float, float]], other_clocks: frozenset[float]
) -> Iterator[tuple[float, float]]:
    """Stretches in which there is always something; each other clock begins one."""
    begin, end = busy[0]
    for next_begin, next_end in busy[1:]:
        if next_begin > end or (next_begin in other_clocks and next_begin != begin):
            yield begin, end
            begin, end = next_begin, next_end
        else:
            end = max(end, next_end)
    yield begin, end


def _laid_out(pieces: Sequence[tuple[float, float]], other_clocks: frozenset[float]) -> Iterator[Piece]:
    """The pieces, each as wide as it is long."""
    total_s = sum(end - begin for begin, end in pieces) or 1.0
    weights = [max((end - begin) / total_s, _PIECE_SHARE) for begin, end in pieces]
    scale = (1 - _CUT_SHARE * (len(pieces) - 1)) / sum(weights)
    place, before_s = 0.0, None
    for (begin_s, end_s), weight in zip(pieces, weights, strict=True):
        yield Piece(
            begin_s=begin_s,
            end_s=end_s,
            begin=place,
            end=place + weight * scale,
            pause_s=None if before_s is None else begin_s - before_s,
            is_other_clock=begin_s in other_clocks,
        )
        place += weight * scale + _CUT_SHARE
        before_s = end_s

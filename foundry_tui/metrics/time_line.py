"""What an engine took and gave over a run, in equal bins of time; grows with the run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from foundry_tui.domain.bench import RequestRun, ResourceReading
from foundry_tui.domain.chat import ChunkReceived

__all__ = ["Answering", "TimeColumns", "TimeLine"]

_NS_PER_S = 1_000_000_000
_BIN_NS = 100_000_000
"""The pace of the readings."""
_MOST_BINS = 4096
_SILENCE_NS = 30 * _NS_PER_S
"""Nobody read for so long: another life of the run."""
_BACK_NS = _NS_PER_S
"""A clock that steps back further is another one."""
_WINDOW_NS = _NS_PER_S
"""Shares and rates are told of so much time: of less they are noise of the kernel's ticks and of chunks."""
_SMOOTH_NS = _NS_PER_S // 2
_HELD_NS = 350_000_000
"""So long a reading stands for what comes after it: they come ten times a second, but not on the dot."""
_SLICE = 5_000
_SPANS_S = (10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """A request that is under way.

    Attributes:
        begun_ns: When it was begun; None if it is about to be.
        chunks: What came so far; only read.
    """

    begun_ns: int | None
    chunks: Sequence[ChunkReceived]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeColumns:
    """The line cut into columns of equal time.  None is what is not known.

    Attributes:
        span_s: From the left edge to the right one.
        rss_bytes: The most in each column; ``vram_bytes`` likewise.
        cpu_share: The mean in each column, of one core.
        rate_per_s: What came, by the time in which a request was under way; None where none was.
        begins: Requests that began in each column, those under way among them.
        ends: Those that ended in it.
        failures: Those of them that did not end well.
        is_busy: Whether a request was under way in it.
        seams: Columns in which another life of the run begins.
        counts_tokens: Whether rates are of tokens, as the engine counted them chunk by chunk; else of chunks.
        most_cpu_share: The largest mean of a second; ``cpu_share_now`` is that of the last one.
        most_rate_per_s: The largest of a second at least half of which somebody was answered in; if there is
            none, that of the fullest one.
        rate_per_s_now: Of the last second; None while no request is under way.
    """

    span_s: float
    rss_bytes: list[float | None]
    vram_bytes: list[float | None]
    cpu_share: list[float | None]
    rate_per_s: list[float | None]
    begins: list[int]
    ends: list[int]
    failures: list[int]
    is_busy: list[bool]
    seams: tuple[int, ...]
    counts_tokens: bool
    most_cpu_share: float | None
    cpu_share_now: float | None
    most_rate_per_s: float | None
    rate_per_s_now: float | None


@dataclass(slots=True)
class _Life:
    """One stretch of a clock, and where it begins on the line."""

    begin_ns: int
    read_ns: int
    end_ns: int
    offset_ns: int

    def goes_on_at(self, at_ns: int) -> bool:
        return -_BACK_NS <= at_ns - self.read_ns <= _SILENCE_NS

    def has(self, at_ns: int) -> bool:
        return self.begin_ns - _SILENCE_NS <= at_ns <= self.end_ns + _SILENCE_NS

    def elapsed_ns(self, at_ns: int) -> int:
        return self.offset_ns + max(0, at_ns - self.begin_ns)


@dataclass(slots=True)
class _Bins:
    """All lists are of one length: that of the line."""

    rss: list[int | None] = field(default_factory=list[int | None])
    vram: list[int | None] = field(default_factory=list[int | None])
    cpu: list[float] = field(default_factory=list[float])
    cpu_n: list[int] = field(default_factory=list[int])
    chunks: list[int] = field(default_factory=list[int])
    tokens: list[int] = field(default_factory=list[int])
    busy_ns: list[int] = field(default_factory=list[int])
    begins: list[int] = field(default_factory=list[int])
    ends: list[int] = field(default_factory=list[int])
    failures: list[int] = field(default_factory=list[int])

    def lengthen(self, count: int) -> None:
        more = count - len(self.rss)
        self.rss.extend([None] * more)
        self.vram.extend([None] * more)
        self.cpu.extend([0.0] * more)
        for counts in self._counts():
            counts.extend([0] * more)

    def halve(self) -> None:
        """Join each two neighbours."""
        if len(self.rss) % 2:
            self.lengthen(len(self.rss) + 1)
        for most in (self.rss, self.vram):
            most[:] = map(_higher, most[::2], most[1::2])
        self.cpu[:] = [one + other for one, other in zip(self.cpu[::2], self.cpu[1::2], strict=True)]
        for counts in self._counts():
            counts[:] = [one + other for one, other in zip(counts[::2], counts[1::2], strict=True)]

    def _counts(self) -> tuple[list[int], ...]:
        return (self.cpu_n, self.chunks, self.tokens, self.busy_ns, self.begins, self.ends, self.failures)


class TimeLine:
    """Takes readings and requests as they come, and cuts them into as many columns as are wanted.

    Time runs from the first reading on.  Of a run that was resumed the later life follows the earlier one at
    once: between them lay any time, and maybe another start of the machine, so another clock.  Requests of
    which no life has a reading are not on the line, unless nothing was read at all.

    Taking costs some microseconds for each reading; cutting costs the same however long the run is.
    """

    def __init__(self) -> None:
        self._bins = _Bins()
        self._bin_ns = _BIN_NS
        self._lives: list[_Life] = []
        self._life = 0
        self._readings = 0
        self._requests = 0
        self._unplaced = 0
        self._busy_until_ns = 0
        self._lacks_tokens = False
        self._has_chunks = False
        self._most_rss: int | None = None
        self._most_vram: int | None = None
        self._last: ResourceReading | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to be drawn."""
        return not self._lives

    @property
    def is_of_requests(self) -> bool:
        """Whether requests alone say how long it is: one that has readings is another line."""
        return bool(self._lives) and not self._readings

    @property
    def unplaced(self) -> int:
        """Requests that are not on the line."""
        return self._unplaced

    @property
    def most_rss_bytes(self) -> int | None:
        """The largest reading."""
        return self._most_rss

    @property
    def most_vram_bytes(self) -> int | None:
        """The largest reading."""
        return self._most_vram

    @property
    def last(self) -> ResourceReading | None:
        """The newest reading."""
        return self._last

    def take(self, readings: Sequence[ResourceReading], requests: Sequence[RequestRun]) -> bool:
        """Take some of what is new in two sequences that only grow; whether there is more to be taken.

        One call takes as much as a screen can wait for.
        """
        new = readings[self._readings : self._readings + _SLICE]
        self._take_readings(new)
        if self._readings < len(readings):
            return True
        room = _SLICE - len(new)
        while self._requests < len(requests) and room > 0:
            request = requests[self._requests]
            self._take_request(request, makes_line=not readings)
            self._requests += 1
            room -= 1 + len(request.trace.chunks)
        return self._requests < len(requests)

    def columns(
        self, count: int, *, answering: Sequence[Answering] = (), is_whole: bool = True
    ) -> TimeColumns:
        """The line in ``count`` columns, at least one.

        Args:
            count: Of all columns.
            answering: What is under way.
            is_whole: Whether the line ends at the right edge; else there is room for what is to come, so that
                it is not drawn at another scale each time.
        """
        bins, length, span_ns = self._bins, len(self._bins.rss), self._span_ns(is_whole=is_whole)
        edges = [min(column * span_ns // count // self._bin_ns, length) for column in range(count)]
        own = list(pairwise([*edges, length]))
        """Bins of each column, each in one of them; perhaps none."""
        seen = [(low, min(length, max(high, low + 1))) for low, high in own]
        """The same, and for a column within a bin that one."""
        counts_tokens, given, busy_ns = self._with(answering)
        means = _mean_of(bins.cpu, bins.cpu_n)
        rates = _mean_of(given, busy_ns)
        begins = list(bins.begins)
        for one in answering:
            if one.begun_ns is not None and length:
                begins[min(length - 1, self._lives[-1].elapsed_ns(one.begun_ns) // self._bin_ns)] += 1
        wide = max(0, _SMOOTH_NS // self._bin_ns // 2)
        held = _HELD_NS * count // span_ns
        window = max(1, _WINDOW_NS // self._bin_ns)
        busy_upto = list(accumulate(busy_ns, initial=0))

        def rate(low: int, high: int) -> float | None:
            if busy_upto[high] == busy_upto[low]:
                return None
            per_ns = rates(max(0, low - wide), min(length, high + wide))
            return None if per_ns is None else per_ns * _NS_PER_S

        windows = [(low, min(length, low + window)) for low in range(0, length, window)]
        spans = [busy_upto[high] - busy_upto[low] for low, high in windows]
        enough_ns = min(max(spans, default=0), window * self._bin_ns // 2)
        full = [
            found
            for (low, high), span in zip(windows, spans, strict=True)
            if span >= enough_ns and (found := rates(low, high)) is not None
        ]
        is_answering = any(one.begun_ns is not None for one in answering)
        now = rates(max(0, length - window), length) if is_answering else None
        return TimeColumns(
            span_s=span_ns / _NS_PER_S,
            rss_bytes=_held([_most(bins.rss[low:high]) for low, high in seen], held),
            vram_bytes=_held([_most(bins.vram[low:high]) for low, high in seen], held),
            cpu_share=_held([means(low, high) for low, high in seen], held),
            rate_per_s=[rate(low, high) for low, high in seen],
            begins=[sum(begins[low:high]) for low, high in own],
            ends=[sum(bins.ends[low:high]) for low, high in own],
            failures=[sum(bins.failures[low:high]) for low, high in own],
            is_busy=[busy_upto[high] > busy_upto[low] for low, high in seen],
            seams=tuple(min(count - 1, life.offset_ns * count // span_ns) for life in self._lives[1:]),
            counts_tokens=counts_tokens,
            most_cpu_share=max(
                (mean for low, high in windows if (mean := means(low, high)) is not None), default=None
            ),
            cpu_share_now=means(max(0, length - window), length),
            most_rate_per_s=max(full) * _NS_PER_S if full else None,
            rate_per_s_now=None if now is None else now * _NS_PER_S,
        )

    def _take_readings(self, new: Sequence[ResourceReading]) -> None:
        life = self._lives[-1] if self._lives else None
        for reading in new:
            at_ns = reading.at_ns
            if life is None or not life.goes_on_at(at_ns):
                life = self._begin(at_ns)
            life.read_ns = at_ns
            life.end_ns = max(life.end_ns, at_ns)
            place = self._place(life.elapsed_ns(at_ns))
            bins = self._bins
            if (rss := reading.rss_bytes) is not None:
                bins.rss[place] = _higher(bins.rss[place], rss)
                self._most_rss = _higher(self._most_rss, rss)
            if (vram := reading.vram_bytes) is not None:
                bins.vram[place] = _higher(bins.vram[place], vram)
                self._most_vram = _higher(self._most_vram, vram)
            if (share := reading.cpu_share) is not None:
                bins.cpu[place] += share
                bins.cpu_n[place] += 1
            self._last = reading
        self._readings += len(new)

    def _take_request(self, request: RequestRun, *, makes_line: bool) -> None:
        trace = request.trace
        begun_ns = trace.sent_ns if trace.call_ns is None else trace.call_ns
        if begun_ns is None:
            self._unplaced += 1
            return
        chunks = trace.chunks
        ended_ns = max(begun_ns, trace.end_ns or 0, chunks[-1].at_ns if chunks else 0)
        if makes_line:
            last = self._lives[-1] if self._lives else None
            if last is None or not last.begin_ns <= begun_ns <= last.end_ns + 20 * _SILENCE_NS:
                self._begin(begun_ns)
            self._lives[-1].end_ns = max(self._lives[-1].end_ns, ended_ns)
        # Requests come in the order of lives, as readings do.
        lives = range(self._life, len(self._lives))
        found = next((number for number in lives if self._lives[number].has(begun_ns)), None)
        if found is None:
            self._unplaced += 1
            return
        if found != self._life:
            self._life, self._busy_until_ns = found, 0
        life = self._lives[found]
        if found == len(self._lives) - 1:
            life.end_ns = max(life.end_ns, ended_ns)
        begin, end = life.elapsed_ns(begun_ns), life.elapsed_ns(min(ended_ns, life.end_ns))
        last_place = self._place(max(begin, end))
        bins, bin_ns = self._bins, self._bin_ns
        first_place = min(begin // bin_ns, last_place)
        bins.begins[first_place] += 1
        bins.ends[last_place] += 1
        bins.failures[last_place] += not trace.outcome.is_timed
        _cover(bins.busy_ns, bin_ns, max(begin, self._busy_until_ns), end)
        self._busy_until_ns = max(self._busy_until_ns, end)
        before = 0
        for chunk in chunks:
            place = min(last_place, life.elapsed_ns(chunk.at_ns) // bin_ns)
            bins.chunks[place] += 1
            if chunk.tokens is None:
                self._lacks_tokens = True
            else:
                bins.tokens[place] += max(0, chunk.tokens - before)
                before = chunk.tokens
        self._has_chunks = self._has_chunks or bool(chunks)

    def _with(self, answering: Sequence[Answering]) -> tuple[bool, list[int], list[int]]:
        """Whether tokens are counted, what came in each bin, and for how long somebody was being answered."""
        came = [chunk for one in answering for chunk in one.chunks]
        has_any = self._has_chunks or bool(came)
        counts_tokens = has_any and not self._lacks_tokens and all(one.tokens is not None for one in came)
        given, busy_ns = list(self._bins.tokens if counts_tokens else self._bins.chunks), self._bins.busy_ns
        begun = [one for one in answering if one.begun_ns is not None]
        if not begun or not given:
            return counts_tokens, given, busy_ns
        life, end, busy_ns = self._lives[-1], len(given) - 1, list(busy_ns)
        begins = [life.elapsed_ns(one.begun_ns) for one in begun if one.begun_ns is not None]
        _cover(busy_ns, self._bin_ns, max(min(begins), self._busy_until_ns), self._elapsed_ns())
        for one in begun:
            before = 0
            for chunk in one.chunks:
                place = min(end, life.elapsed_ns(chunk.at_ns) // self._bin_ns)
                given[place] += max(0, (chunk.tokens or 0) - before) if counts_tokens else 1
                before = chunk.tokens or 0
        return counts_tokens, given, busy_ns

    def _begin(self, at_ns: int) -> _Life:
        offset_ns = self._elapsed_ns() + self._bin_ns if self._lives else 0
        life = _Life(begin_ns=at_ns, read_ns=at_ns, end_ns=at_ns, offset_ns=offset_ns)
        self._lives.append(life)
        return life

    def _place(self, elapsed_ns: int) -> int:
        """The bin of that moment; the line is made as long as it takes."""
        while elapsed_ns // self._bin_ns >= _MOST_BINS:
            self._bins.halve()
            self._bin_ns *= 2
        place = elapsed_ns // self._bin_ns
        if place >= len(self._bins.rss):
            self._bins.lengthen(place + 1)
        return place

    def _elapsed_ns(self) -> int:
        return self._lives[-1].elapsed_ns(self._lives[-1].end_ns) if self._lives else 0

    def _span_ns(self, *, is_whole: bool) -> int:
        elapsed_ns = max(self._elapsed_ns(), self._bin_ns)
        if is_whole:
            return elapsed_ns
        return next((span for one in _SPANS_S if (span := one * _NS_PER_S) >= elapsed_ns), elapsed_ns)


def _cover(busy_ns: list[int], bin_ns: int, begin_ns: int, end_ns: int) -> None:
    """Count the time from one moment of the line to another, each bin its part."""
    if end_ns <= begin_ns:
        return
    for place in range(begin_ns // bin_ns, min(end_ns // bin_ns + 1, len(busy_ns))):
        part = min(end_ns, (place + 1) * bin_ns) - max(begin_ns, place * bin_ns)
        busy_ns[place] += max(0, part)


def _mean_of(sums: Sequence[float], weights: Sequence[int]) -> Callable[[int, int], float | None]:
    """Σ sums / Σ weights of the bins between two; None where the weights are none."""
    sums_upto = list(accumulate(sums, initial=0.0))
    weights_upto = list(accumulate(weights, initial=0))

    def mean(low: int, high: int) -> float | None:
        weight = weights_upto[high] - weights_upto[low]
        if not weight:
            return None
        total = sums_upto[high] - sums_upto[low]
        return total / weight if total > 0 else 0.0  # sums of floats may step back by a hair

    return mean


def _higher(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return one if one > other else other


def _most(values: Sequence[int | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _held(values: list[float | None], columns: int) -> list[float | None]:
    """``values``, but what is missing between two is as the one before, for some columns at most."""
    missing = 0
    for place, value in enumerate(values):
        if value is None:
            missing += 1
            continue
        if missing < place and 0 < missing <= columns:
            values[place - missing : place] = [values[place - missing - 1]] * missing
        missing = 0
    return values

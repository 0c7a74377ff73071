"""Gaps, stalls and their summary, against figures worked out by hand.  Times are in ms, t0 is at 1000."""

import random
from collections.abc import Sequence

import pytest

from foundry_tui.domain.chat import (
    ChatEvent,
    ChunkReceived,
    ClockRead,
    GenerationFinished,
    Moment,
    Outcome,
    TokenUsage,
)
from foundry_tui.domain.trace import GenerationTrace, TraceBuilder
from foundry_tui.metrics.gaps import GapTrack, GapUnit, WaitKind, gap_class, gap_ns

MS = 1_000_000
SENT_NS = 1000 * MS
FIRST_MS = 100


def chunk(at_ms: float, *, read: int = 0, tokens: int | None = None) -> ChunkReceived:
    return ChunkReceived(at_ns=round(at_ms * MS), text="x", read=read, tokens=tokens)


def chunks_after(gaps_ms: Sequence[float]) -> tuple[ChunkReceived, ...]:
    """A first chunk, and one more after each gap, each in a read of its own."""
    at_ms = 1000.0 + FIRST_MS
    chunks = [chunk(at_ms, read=1)]
    for number, gap_ms in enumerate(gaps_ms, start=2):
        at_ms += gap_ms
        chunks.append(chunk(at_ms, read=number))
    return tuple(chunks)


def trace(
    chunks: tuple[ChunkReceived, ...],
    *,
    sent_ns: int | None = SENT_NS,
    completion: int | None = None,
    delay_ms: float | None = None,
) -> GenerationTrace:
    return GenerationTrace(
        call_ns=None,
        sent_ns=sent_ns,
        headers_ns=None,
        role_ns=None,
        chunks=chunks,
        end_ns=None,
        usage=None if completion is None else TokenUsage(completion_tokens=completion),
        outcome=Outcome.COMPLETED,
        delay_p99_ns=None if delay_ms is None else round(delay_ms * MS),
    )


def track(gaps_ms: Sequence[float]) -> GapTrack:
    return GapTrack.of(trace(chunks_after(gaps_ms)))


def kinds(track: GapTrack) -> list[WaitKind]:
    return [track.kind_of(index) for index in range(len(track.chunks))]


def test_a_gap_is_the_time_between_two_chunks() -> None:
    assert gap_ns(chunk(1000, read=1), chunk(1012.5, read=2)) == 12_500_000


def test_chunks_of_one_read_have_no_gap_rather_than_one_of_zero() -> None:
    assert gap_ns(chunk(1000, read=7), chunk(1000, read=7)) is None


def test_two_unknown_reads_are_not_taken_for_one() -> None:
    assert gap_ns(chunk(1000, read=0), chunk(1003, read=0)) == 3 * MS


@pytest.mark.parametrize(
    ("gap_ms", "expected"),
    [
        (0, 0),
        (4.999, 0),
        (5, 1),
        (9.9, 1),
        (10, 2),
        (39, 3),
        (40, 4),
        (159, 5),
        (160, 6),
        (320, 7),
        (9000, 7),
    ],
)
def test_the_classes_of_gaps_have_fixed_bounds(gap_ms: float, expected: int) -> None:
    assert gap_class(round(gap_ms * MS)) == expected


def test_one_long_gap_among_short_ones_is_the_only_stall() -> None:
    gaps = track([10, 10, 400, 10])

    assert kinds(gaps) == [WaitKind.FIRST, WaitKind.GAP, WaitKind.GAP, WaitKind.STALL, WaitKind.GAP]
    assert gaps.wait_ns(3) == 400 * MS
    assert gaps.summary().stalls == 1
    assert gaps.summary().stalled_ns == 400 * MS


@pytest.mark.parametrize(
    ("gaps_ms", "stalls"),
    [
        ([10, 10, 10, 250], 0),  # not above 250 ms
        ([10, 10, 10, 250.1], 1),
        ([100, 100, 100, 299], 0),  # above 250 ms, and not above three medians
        ([100, 100, 100, 300], 0),
        ([100, 100, 100, 300.1], 1),
        ([400], 0),  # alone it is its own median
        ([400, 400, 400], 0),
    ],
)
def test_a_stall_is_above_three_medians_and_above_250_ms(gaps_ms: list[float], stalls: int) -> None:
    gaps = track(gaps_ms)

    assert gaps.summary().stalls == stalls
    assert kinds(gaps).count(WaitKind.STALL) == stalls
    assert (gaps.next_stall(-1) is not None) == bool(stalls)
    assert (gaps.previous_stall(len(gaps.chunks)) is not None) == bool(stalls)


def test_a_long_wait_for_the_first_chunk_is_neither_a_gap_nor_a_stall() -> None:
    late = tuple(chunk(at_ms, read=n) for n, at_ms in enumerate((6000, 6010, 6020), start=1))

    gaps = GapTrack.of(trace(late))

    assert gaps.kind_of(0) is WaitKind.FIRST
    assert gaps.wait_ns(0) == 5000 * MS
    assert gaps.since_sent_ns(2) == 5020 * MS
    assert gaps.summary().max_ns == 10 * MS
    assert gaps.summary().stalls == 0


def test_without_the_moment_of_sending_the_first_wait_is_unknown() -> None:
    gaps = GapTrack.of(trace(chunks_after([10]), sent_ns=None))

    assert gaps.wait_ns(0) is None
    assert gaps.since_sent_ns(1) is None
    assert gaps.wait_ns(1) == 10 * MS


def test_chunks_of_one_read_are_counted_and_enter_no_other_number() -> None:
    together = (
        chunk(1100, read=1),
        chunk(1100, read=1),
        chunk(1100, read=1),
        chunk(1120, read=2),
        chunk(1120, read=2),
        chunk(1150, read=3),
    )

    gaps = GapTrack.of(trace(together))

    assert kinds(gaps)[1:] == [
        WaitKind.SAME_READ,
        WaitKind.SAME_READ,
        WaitKind.GAP,
        WaitKind.SAME_READ,
        WaitKind.GAP,
    ]
    summary = gaps.summary()
    assert (summary.chunks, summary.count, summary.same_read) == (6, 2, 3)
    assert summary.median_ns == 25 * MS
    assert summary.max_ns == 30 * MS


@pytest.mark.parametrize("count", [0, 1])
def test_below_two_chunks_nothing_is_defined(count: int) -> None:
    summary = GapTrack.of(trace(chunks_after([10])[:count])).summary()

    assert summary.chunks == count
    assert (summary.count, summary.same_read, summary.stalls, summary.stalled_ns) == (0, 0, 0, 0)
    assert (summary.median_ns, summary.p95_ns, summary.max_ns) == (None, None, None)


def test_where_everything_came_in_one_read_no_gap_is_known() -> None:
    summary = GapTrack.of(trace(tuple(chunk(1100, read=3) for _ in range(100)))).summary()

    assert summary.same_read == 99
    assert (summary.median_ns, summary.max_ns) == (None, None)


def test_the_median_lies_between_the_two_middle_gaps() -> None:
    assert track([40, 10, 30, 20]).summary().median_ns == 25 * MS


def test_a_p95_needs_59_gaps() -> None:
    assert track(range(1, 59)).summary().p95_ns is None
    # Of 1, 2 … 59 ms: place 0.95 x 58 = 55.1 from the first.
    assert track(range(1, 60)).summary().p95_ns == pytest.approx(56.1 * MS)


def test_a_p95_is_withheld_where_more_than_one_pair_in_a_hundred_shared_a_read() -> None:
    steady = [chunk(1100 + 10 * n, read=n + 1) for n in range(199)]
    # Of 200 pairs exactly one in a hundred.
    two_shared = [*steady, chunk(3080, read=199), chunk(3080, read=199)]
    three_shared = [*two_shared, chunk(3080, read=199)]

    assert GapTrack.of(trace(tuple(two_shared))).summary().p95_ns == 10 * MS
    assert GapTrack.of(trace(tuple(three_shared))).summary().p95_ns is None


def test_a_p95_is_withheld_where_the_measuring_process_was_late() -> None:
    chunks = chunks_after([10.0] * 100)

    in_time = GapTrack.of(trace(chunks, delay_ms=5)).summary()
    late = GapTrack.of(trace(chunks, delay_ms=5.1)).summary()

    assert (in_time.is_late, in_time.p95_ns) == (False, 10 * MS)
    assert (late.is_late, late.p95_ns) == (True, None)


@pytest.mark.parametrize(
    ("chunks", "completion", "unit"),
    [
        (15, 24, GapUnit.CHUNK),
        (49, 50, GapUnit.TOKEN),
        (48, 50, GapUnit.CHUNK),
        (50, 50, GapUnit.TOKEN),
        (51, 50, GapUnit.TOKEN),
        (60, 50, GapUnit.CHUNK),  # finer than tokens is not tokens either
        (50, None, GapUnit.CHUNK),
        (50, 0, GapUnit.CHUNK),
    ],
)
def test_gaps_are_of_tokens_only_where_the_two_counts_agree(
    chunks: int, completion: int | None, unit: GapUnit
) -> None:
    gaps = GapTrack.of(trace(chunks_after([10.0] * (chunks - 1)), completion=completion))

    assert gaps.summary().unit is unit


def test_a_count_that_came_with_the_chunks_serves_where_no_other_came() -> None:
    gaps = GapTrack.of(trace((chunk(1100, read=1, tokens=1), chunk(1110, read=2, tokens=2))))

    assert gaps.summary().unit is GapUnit.TOKEN


def test_the_stalls_are_found_in_both_directions() -> None:
    gaps = track([10, 400, 10, 10, 500, 10])

    assert [gaps.next_stall(after) for after in (-1, 1, 2, 5)] == [2, 2, 5, None]
    assert [gaps.previous_stall(before) for before in (7, 5, 3, 2)] == [5, 2, 2, None]


def test_a_verdict_changes_as_the_median_does() -> None:
    first, second, third, fourth = chunks_after([400, 10, 10])
    gaps = GapTrack()

    for event in (first, second):
        gaps.observe(event)
    assert gaps.kind_of(1) is WaitKind.GAP
    assert gaps.next_stall(-1) is None

    for event in (third, fourth):
        gaps.observe(event)
    assert gaps.kind_of(1) is WaitKind.STALL
    assert gaps.next_stall(-1) == 1


def test_a_stall_among_short_gaps_is_none_any_more_once_all_gaps_are_long() -> None:
    gaps = GapTrack()
    for event in chunks_after([10, 10, 300, 400, 400, 400, 400, 400]):
        gaps.observe(event)
        if len(gaps.chunks) == 4:
            assert gaps.kind_of(3) is WaitKind.STALL

    assert gaps.kind_of(3) is WaitKind.GAP
    assert gaps.summary().stalls == 0


def random_events(seed: int) -> list[ChatEvent]:
    """A stream with gaps of all classes, stalls and shared reads."""
    luck = random.Random(seed)
    events: list[ChatEvent] = [
        ClockRead(moment=Moment.CALL, at_ns=SENT_NS - MS),
        ClockRead(moment=Moment.SENT, at_ns=SENT_NS),
        ClockRead(moment=Moment.HEADERS, at_ns=SENT_NS + MS),
    ]
    at_ns, read, tokens = SENT_NS + MS + luck.randrange(2000 * MS), 1, 0
    tells_tokens = luck.random() < 0.5
    for _ in range(luck.choice([0, 1, 2, 3, 60, 500])):
        tokens += luck.choice([1, 1, 1, 2])
        events.append(
            ChunkReceived(at_ns=at_ns, text="x", read=read, tokens=tokens if tells_tokens else None)
        )
        if luck.random() > 0.2:
            read += 1
            at_ns += round(luck.lognormvariate(luck.choice([1, 3, 5]), 1.2) * MS)
    usage = TokenUsage(completion_tokens=tokens) if luck.random() < 0.5 else None
    events.append(
        GenerationFinished(
            outcome=Outcome.COMPLETED,
            finish_reason="stop",
            end_ns=at_ns,
            usage=usage,
            delay_p99_ns=luck.choice([None, MS, 9 * MS]),
        )
    )
    return events


@pytest.mark.parametrize("seed", range(60))
def test_what_was_judged_live_ends_as_what_is_judged_afterwards(seed: int) -> None:
    luck = random.Random(-seed)
    live, recorded = GapTrack(), TraceBuilder()

    for event in random_events(seed):
        live.observe(event)
        recorded.observe(event)
        if luck.random() < 0.1:
            live.summary()  # whatever was asked on the way must leave no trace
            kinds(live)
    afterwards = GapTrack.of(recorded.finish())

    assert live.summary() == afterwards.summary()
    assert kinds(live) == kinds(afterwards)
    assert kinds(live).count(WaitKind.STALL) == live.summary().stalls
    assert sum(kind is WaitKind.SAME_READ for kind in kinds(live)) == live.summary().same_read
    indices = range(len(live.chunks))
    assert [live.wait_ns(index) for index in indices] == [afterwards.wait_ns(index) for index in indices]

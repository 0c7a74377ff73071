"""A run's resources and rates in columns of time; numbers by hand, times in seconds."""

import random
from dataclasses import replace

import pytest

from foundry_tui.domain.bench import RequestRun, ResourceReading
from foundry_tui.domain.chat import ChunkReceived, Outcome
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.time_line import Answering, TimeColumns, TimeLine
from tests.support.runs import a_request

S = 1_000_000_000
GIB = 1 << 30


def at(second: float, origin: int = 100) -> int:
    return round((origin + second) * S)


def readings(
    count: int,
    *,
    rss: int | None = GIB,
    vram: int | None = None,
    cpu: float | None = 1.0,
    begin: float = 0.0,
    every: float = 0.1,
) -> list[ResourceReading]:
    return [
        ResourceReading(at_ns=at(begin + place * every), rss_bytes=rss, vram_bytes=vram, cpu_share=cpu)
        for place in range(count)
    ]


def request(
    number: int,
    begin: float,
    end: float,
    *stamps: float,
    tokens: bool = False,
    outcome: Outcome = Outcome.COMPLETED,
) -> RequestRun:
    chunks = tuple(
        ChunkReceived(at_ns=at(stamp), text="x", read=place, tokens=2 * place if tokens else None)
        for place, stamp in enumerate(stamps, 1)
    )
    trace = GenerationTrace(
        call_ns=at(begin),
        sent_ns=at(begin),
        headers_ns=None,
        role_ns=None,
        chunks=chunks,
        end_ns=at(end),
        usage=None,
        outcome=outcome,
        finish_reason=None,
    )
    return replace(a_request(number), trace=trace)


def line_of(resources: list[ResourceReading], requests: tuple[RequestRun, ...] = ()) -> TimeLine:
    line = TimeLine()
    while line.take(resources, requests):
        pass
    return line


def test_a_line_of_nothing_is_empty() -> None:
    line = line_of([])

    assert line.is_empty
    assert line.last is None
    assert line.columns(3).rss_bytes == [None] * 3


def test_each_column_has_the_most_memory_and_the_mean_share_in_it() -> None:
    taken = [
        ResourceReading(at_ns=at(0.0), rss_bytes=5, vram_bytes=1, cpu_share=None),
        ResourceReading(at_ns=at(0.4), rss_bytes=9, vram_bytes=None, cpu_share=1.0),
        ResourceReading(at_ns=at(0.8), rss_bytes=7, vram_bytes=2, cpu_share=3.0),
        ResourceReading(at_ns=at(1.2), rss_bytes=None, vram_bytes=4, cpu_share=0.5),
        ResourceReading(at_ns=at(2.0), rss_bytes=2, vram_bytes=3, cpu_share=1.5),
    ]

    line = line_of(taken)
    columns = line.columns(2)

    assert columns.span_s == 2.0
    assert columns.rss_bytes == [9, 2]
    assert columns.vram_bytes == [2, 4]
    assert columns.cpu_share == [2.0, 1.0]
    assert (line.most_rss_bytes, line.most_vram_bytes, line.last) == (9, 4, taken[-1])


def test_what_is_not_known_is_none_and_never_nought() -> None:
    columns = line_of(readings(20, rss=None, cpu=None)).columns(4)

    assert columns.rss_bytes == columns.cpu_share == columns.rate_per_s == [None] * 4
    assert (columns.most_cpu_share, columns.cpu_share_now, columns.most_rate_per_s) == (None, None, None)


def test_a_run_under_way_has_room_for_what_comes_and_one_that_ended_has_none() -> None:
    line = line_of(readings(71))

    assert line.columns(10).span_s == 7.0
    assert line.columns(10).rss_bytes == [GIB] * 10
    assert line.columns(10, is_whole=False).span_s == 10
    assert line.columns(10, is_whole=False).rss_bytes == [GIB] * 8 + [None] * 2


def test_columns_narrower_than_the_pace_of_reading_have_no_holes() -> None:
    dice = random.Random(3)
    taken = [replace(one, at_ns=one.at_ns + dice.randrange(40_000_000)) for one in readings(50)]

    columns = line_of(taken).columns(200)

    assert columns.rss_bytes == [GIB] * 200
    assert None not in columns.cpu_share[4:]


def test_seconds_without_a_reading_stay_unknown() -> None:
    columns = line_of([*readings(10), *readings(11, begin=9.0)]).columns(10)

    assert columns.rss_bytes == [GIB] + [None] * 8 + [GIB]


def test_shares_are_told_of_a_second() -> None:
    shares = [0.0, 2.0] * 5 + [4.0] * 10 + [1.0] * 10
    taken = [replace(one, cpu_share=share) for one, share in zip(readings(30), shares, strict=True)]

    columns = line_of(taken).columns(3)

    assert columns.most_cpu_share == pytest.approx(4.0)
    assert columns.cpu_share_now == pytest.approx(1.0)


def test_chunks_make_a_rate_of_chunks_by_the_time_in_which_somebody_was_answered() -> None:
    stamps = [1.0 + place * 0.1 for place in range(1, 11)]

    columns = line_of(readings(41), (request(1, 1.0, 2.0, *stamps),)).columns(4)

    assert not columns.counts_tokens
    assert columns.rate_per_s[0] is None
    assert columns.rate_per_s[1] == pytest.approx(10, rel=0.25)
    assert columns.rate_per_s[3] is None
    assert columns.most_rate_per_s == pytest.approx(10, rel=0.25)
    assert columns.rate_per_s_now is None


def test_tokens_make_a_rate_of_tokens_if_every_chunk_has_its_count() -> None:
    counted = request(1, 0.0, 2.0, *(place * 0.1 for place in range(1, 20)), tokens=True)
    uncounted = request(2, 2.0, 4.0, *(2.0 + place * 0.1 for place in range(1, 20)))

    alone = line_of(readings(41), (counted,)).columns(4)
    both = line_of(readings(41), (counted, uncounted)).columns(4)

    assert alone.counts_tokens
    assert alone.rate_per_s[0] == pytest.approx(20, rel=0.15)
    assert not both.counts_tokens
    assert both.rate_per_s[0] == pytest.approx(10, rel=0.15)


def test_requests_at_once_add_up_and_their_time_counts_once() -> None:
    stamps = [place * 0.1 for place in range(1, 40)]
    pair = (request(1, 0.0, 4.0, *stamps), request(2, 0.0, 4.0, *stamps))

    columns = line_of(readings(41), pair).columns(4)

    assert columns.rate_per_s[1:3] == pytest.approx([20, 20], rel=0.15)


def test_requests_begin_end_and_fail_in_their_columns() -> None:
    made = (
        request(1, 0.2, 0.9),
        request(2, 1.0, 3.4),
        request(3, 3.5, 3.6, outcome=Outcome.DISCONNECTED),
    )

    columns = line_of(readings(51), made).columns(5)

    assert columns.begins == [1, 1, 0, 1, 0]
    assert columns.ends == [1, 0, 0, 2, 0]
    assert columns.failures == [0, 0, 0, 1, 0]
    assert columns.is_busy == [True, True, True, True, False]


def test_what_is_under_way_counts_as_it_comes_and_once() -> None:
    stamps = [1.0 + place * 0.1 for place in range(1, 20)]
    chunks = [ChunkReceived(at_ns=at(stamp), text="x") for stamp in stamps]
    line = line_of(readings(31))

    during = line.columns(3, answering=(Answering(begun_ns=at(1.0), chunks=chunks),))
    after = line_of(readings(31), (request(1, 1.0, 3.0, *stamps),)).columns(3)

    assert during.rate_per_s_now == pytest.approx(10, rel=0.2)
    assert during.rate_per_s == pytest.approx(after.rate_per_s)
    assert during.is_busy == after.is_busy == [False, True, True]
    assert line.columns(3).rate_per_s == [None] * 3


def test_a_later_life_follows_the_earlier_one_whatever_its_clock_says() -> None:
    earlier, later = readings(21, rss=5), readings(21, rss=9, begin=-90)
    made = (request(1, 0.5, 1.0), request(2, -89.0, -88.5))

    columns = line_of([*earlier, *later], made).columns(4)

    assert columns.span_s == pytest.approx(4.1)
    assert columns.rss_bytes[0] == 5
    assert columns.rss_bytes[3] == 9
    assert columns.seams == (2,)
    assert [place for place, count in enumerate(columns.begins) if count] == [0, 3]


def test_a_long_silence_is_a_seam_and_takes_no_room() -> None:
    columns = line_of([*readings(11), *readings(11, begin=9000)]).columns(4)

    assert columns.span_s == pytest.approx(2.1)
    assert len(columns.seams) == 1


def test_requests_that_nobody_read_anything_of_are_told_and_not_drawn() -> None:
    line = line_of(readings(21), (request(1, -5000, -4000), request(2, 0.5, 1.0)))

    assert line.unplaced == 1
    assert sum(line.columns(4).begins) == 1


def test_without_any_reading_requests_make_the_line() -> None:
    line = line_of([], (request(1, 0.0, 2.0, 0.5, 1.0, 1.5), request(2, 3.0, 4.0)))
    columns = line.columns(4)

    assert line.is_of_requests
    assert columns.span_s == 4.0
    assert columns.begins == [1, 0, 0, 1]
    assert columns.rss_bytes == [None] * 4
    assert columns.is_busy == [True, True, False, True]


@pytest.mark.parametrize("seed", range(5))
def test_taken_one_by_one_a_run_is_what_it_is_taken_at_once(seed: int) -> None:
    dice = random.Random(seed)
    count = dice.randrange(50, 9000)
    taken = [
        replace(one, rss_bytes=dice.randrange(1000), at_ns=one.at_ns + dice.randrange(30_000_000))
        for one in readings(count)
    ]
    made = tuple(
        request(n, n * 1.1, n * 1.1 + 1, n * 1.1 + 0.3, n * 1.1 + 0.6) for n in range(1, count // 12)
    )
    growing, whole = TimeLine(), line_of(taken, made)

    for upto in sorted({*(dice.randrange(count) for _ in range(20)), count}):
        last_ns = taken[upto - 1].at_ns
        shown = taken[:upto]
        while growing.take(shown, [one for one in made if (one.trace.end_ns or 0) <= last_ns]):
            pass

    def facts(columns: TimeColumns) -> tuple[object, ...]:
        return columns.rss_bytes, columns.begins, columns.ends, columns.is_busy, columns.span_s

    assert growing.unplaced == whole.unplaced == 0
    assert facts(growing.columns(60)) == facts(whole.columns(60))


def test_a_night_takes_no_more_bins_than_an_hour_and_loses_no_peak() -> None:
    taken = readings(40_000, every=1.0, rss=5)
    taken[12_345] = replace(taken[12_345], rss_bytes=77)

    columns = line_of(taken).columns(40)

    assert columns.rss_bytes.count(77) == 1
    assert columns.rss_bytes[12] == 77
    assert columns.cpu_share == pytest.approx([1.0] * 40)

"""Where requests and readings lie on the line of time of a run, whatever became of its clocks."""

from dataclasses import replace

import pytest

from foundry_tui.domain.bench import RequestRun, ResourceReading
from foundry_tui.domain.chat import ChunkReceived, Outcome
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.reports.page.time import RunTime, run_time
from tests.support.runs import a_request

S = 1_000_000_000
WALL_S = 1_780_000_000


def request(number: int, clock_s: float, wall_s: float, *, length_s: float = 2) -> RequestRun:
    """Begun at ``clock_s`` of its clock, ``wall_s`` after a fixed moment; its text comes half way."""
    begun = round(clock_s * S)
    trace = GenerationTrace(
        call_ns=begun,
        sent_ns=begun,
        headers_ns=None,
        role_ns=None,
        chunks=(ChunkReceived(at_ns=begun + round(length_s * S / 2), text="a", read=1),),
        end_ns=begun + round(length_s * S),
        usage=None,
        outcome=Outcome.COMPLETED,
    )
    return replace(a_request(number), trace=trace, at_unix_ms=round((WALL_S + wall_s) * 1000))


def reading(clock_s: float) -> ResourceReading:
    return ResourceReading(at_ns=round(clock_s * S), rss_bytes=1)


def line_of(requests: list[RequestRun], resources: list[ResourceReading] | None = None) -> RunTime:
    time = run_time(requests, resources or [])
    assert time is not None
    return time


def begins(time: RunTime) -> list[float]:
    return [placed.begin_s for placed in time.placed]


def test_requests_of_one_life_lie_as_their_monotonic_clock_says_whatever_the_wall_clock_did() -> None:
    time = line_of([request(1, 100, 0), request(2, 103, 3.02), request(3, 106, 7.5), request(4, 109, 8)])

    assert begins(time) == pytest.approx([0, 3, 6, 9])
    assert (time.placed[0].first_s, time.placed[0].end_s) == (1, 2)
    (piece,) = time.pieces
    assert (piece.begin, piece.end) == pytest.approx((0, 1))
    assert piece.pause_s is None


def test_a_life_after_another_start_of_the_machine_follows_by_the_wall_clock_and_the_pause_is_cut() -> None:
    time = line_of([request(1, 5000, 0), request(2, 5003, 3), request(3, 60, 3603), request(4, 63, 3606)])

    assert begins(time) == pytest.approx([0, 3, 3603, 3606])
    first, second = time.pieces
    assert (first.begin_s, first.end_s, second.begin_s, second.end_s) == pytest.approx((0, 5, 3603, 3608))
    assert second.pause_s == pytest.approx(3598)
    assert second.is_other_clock
    # Both are as wide as they are long, with the mark of the cut between.
    assert first.end - first.begin == pytest.approx(second.end - second.begin)
    assert time.at(3603) > time.at(5)


def test_a_run_that_went_on_under_the_same_clock_has_its_pause_cut_too() -> None:
    time = line_of([request(1, 100, 0), request(2, 4000, 3900)])

    assert [(piece.pause_s, piece.is_other_clock) for piece in time.pieces] == [
        (None, False),
        (pytest.approx(3898), False),
    ]


def test_a_wall_clock_that_was_set_back_between_two_lives_makes_no_life_overlap_the_one_before() -> None:
    time = line_of([request(1, 5000, 0), request(2, 5003, 3), request(3, 60, -7200)])

    assert begins(time) == pytest.approx([0, 3, 5])
    assert time.pieces[1].pause_s == 0


def test_readings_lie_beside_the_requests_of_their_own_life_though_both_clocks_showed_the_same() -> None:
    requests = [request(1, 100, 0), request(2, 110, 10), request(3, 95, 3600), request(4, 110, 3615)]

    # As they were written: the second life's clock steps back, and shows what the first one's did.
    time = line_of(requests, [reading(101), reading(111), reading(96), reading(101), reading(111)])

    assert [at_s for at_s, _ in time.readings] == pytest.approx([1, 11, 3601, 3606, 3616])
    assert time.strays == 0


def test_readings_of_a_life_whose_clock_is_ahead_are_told_apart_without_a_step_back() -> None:
    requests = [request(1, 100, 0), request(2, 90_000, 600)]

    time = line_of(requests, [reading(99), reading(103), reading(89_990), reading(90_001)])

    assert [at_s for at_s, _ in time.readings] == pytest.approx([0, 4, 591, 602])
    assert begins(time) == pytest.approx([1, 601])


def test_readings_of_a_life_without_a_request_are_counted_and_not_drawn() -> None:
    time = line_of([request(1, 100, 0)], [reading(101), reading(20), reading(21)])

    assert [at_s for at_s, _ in time.readings] == [1]
    assert time.strays == 2


def test_readings_while_a_model_loads_keep_the_line_whole() -> None:
    resources = [reading(100 + second) for second in range(120)]

    time = line_of([request(1, 100, 0), request(2, 218, 118)], resources)

    assert len(time.pieces) == 1


def test_a_request_that_nobody_could_be_asked_lies_where_the_wall_clock_says() -> None:
    unasked = replace(
        request(2, 0, 20),
        trace=replace(request(2, 0, 0).trace, call_ns=None, sent_ns=None, chunks=(), end_ns=None),
    )

    time = line_of([request(1, 100, 0), unasked, request(3, 130, 30)])
    first = line_of([replace(unasked, number=1), request(2, 130, 30)])

    assert begins(time) == pytest.approx([0, 20, 30])
    assert begins(first) == pytest.approx([0, 10])
    assert len(first.pieces) == 1


def test_more_pauses_than_can_be_marked_leave_the_shorter_ones_in_the_line() -> None:
    requests = [request(n, 1000 * n * n, 1000 * n * n) for n in range(1, 31)]

    time = line_of(requests)

    assert len(time.pieces) == 12
    ends = [(piece.begin, piece.end) for piece in time.pieces]
    assert ends == sorted(ends)
    assert (ends[0][0], ends[-1][1]) == pytest.approx((0, 1))


def test_without_a_request_there_is_no_line() -> None:
    assert run_time([], [reading(1)]) is None

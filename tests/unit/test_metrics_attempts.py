"""Which of several measurements of a slot counts, and what rounds came to when they were measured again."""

from dataclasses import replace

import pytest

from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.domain.bench_reruns import Rerun, RoundAgain
from foundry_tui.domain.chat import Outcome
from foundry_tui.metrics.attempts import marked_rounds, of_one_stay, remeasured, standing, superseded
from foundry_tui.metrics.drift import DriftVerdict, drift
from foundry_tui.metrics.goodput import throughput
from foundry_tui.metrics.measures import Measure
from tests.support.reruns import AGAIN, MODELS, again_run, first_made, second_made
from tests.support.timed import request, trace

WELL, BADLY, CUT_OFF = Outcome.COMPLETED, Outcome.STALLED, Outcome.CANCELLED


def made(*attempts: tuple[int, Outcome]) -> list[RequestRun]:
    """The requests of one slot: attempt and how it ended."""
    return [
        replace(request(number, trace(outcome=outcome), round_=1), attempt=attempt)
        for number, (attempt, outcome) in enumerate(attempts, start=1)
    ]


@pytest.mark.parametrize(
    ("attempts", "numbers"),
    [
        ([(1, WELL)], [1]),
        ([(1, WELL), (2, WELL)], [2]),
        ([(1, WELL), (2, BADLY)], [1]),
        ([(1, BADLY), (2, WELL)], [2]),
        ([(1, BADLY), (2, BADLY)], [2]),
        ([(1, BADLY), (2, CUT_OFF)], [1]),
        ([(1, WELL), (2, WELL), (3, BADLY)], [2]),
        ([(1, WELL), (3, WELL)], [2]),
        ([(2, WELL), (1, WELL)], [1]),
    ],
)
def test_of_a_slot_the_latest_attempt_that_was_answered_well_stands(
    attempts: list[tuple[int, Outcome]], numbers: list[int]
) -> None:
    requests = made(*attempts)

    assert [one.number for one in standing(requests)] == numbers
    assert [one.number for one in superseded(requests)] == [
        one.number for one in requests if one.number not in numbers
    ]


def test_of_one_attempt_all_stand_such_as_one_without_memory_and_the_one_in_its_place() -> None:
    requests = made((1, WELL), (2, Outcome.OUT_OF_MEMORY), (2, WELL))

    assert [one.number for one in standing(requests)] == [2, 3]


def test_what_is_not_timed_stands_whatever_its_attempt() -> None:
    requests = [replace(request(n, phase=Phase.WARMUP, round_=1), attempt=n) for n in (1, 2, 3)]

    assert standing(requests) == tuple(requests)


def test_slots_of_other_models_prompts_and_rounds_stand_apart() -> None:
    first = [request(1, round_=1), request(2, round_=2), request(3, round_=1, prompt_id="p2")]
    first.append(request(4, round_=1, model="big"))
    again = replace(request(5, round_=1), attempt=2)

    assert [one.number for one in standing([*first, again])] == [2, 3, 4, 5]


def test_what_stands_stands_on_its_own() -> None:
    requests = [*first_made(), *second_made()]

    assert standing(standing(requests)) == standing(requests)
    assert len(standing(requests)) + len(superseded(requests)) == len(requests)


def test_both_medians_are_of_the_slots_that_were_measured_again() -> None:
    requests = [*first_made(), *second_made()]

    found = remeasured(requests, again_run().reruns[0], MODELS[0], prompts=2)

    assert found is not None
    assert found.measure is Measure.DECODE_RATE
    assert found.before == pytest.approx(11, abs=3)
    assert found.after == pytest.approx(70, abs=12)
    assert (found.slots, found.made, found.stands, found.mended) == (10, 10, 10, 2)
    assert not found.is_by_result
    assert remeasured(requests, again_run().reruns[0], MODELS[1], prompts=2) is None


def test_of_what_is_not_measured_again_yet_the_other_half_is_not_in_the_median() -> None:
    fast = [request(n, trace(completion=10), round_=n) for n in (1, 2)]
    slow = [replace(request(3, trace([20.0] * 9, completion=10), round_=1), attempt=2)]
    rerun = Rerun(
        attempt=2,
        started_unix_ms=0,
        rounds=tuple(RoundAgain(model="tiny", round=n, reasons=("slower",)) for n in (1, 2)),
    )

    found = remeasured([*fast, *slow], rerun, "tiny", prompts=1)

    assert found is not None
    assert found.before == pytest.approx(100)
    assert found.after == pytest.approx(50)
    assert (found.slots, found.made) == (2, 1)
    assert found.is_by_result


def test_rounds_are_marked_with_each_reason_once() -> None:
    (*rest,) = (one for one in first_made() if one.model == MODELS[0])

    found = marked_rounds(rest)

    assert [one.round for one in found] == list(AGAIN)
    # Of round 8 no answer counts, so nobody can say that it was slow.
    assert [one.reasons for one in found if one.round == 8] == [("throttled",)]
    assert {one.reasons for one in found if one.round != 8} == {("slower", "throttled")}
    assert not marked_rounds([])


def test_what_was_measured_last_comes_last_where_a_drift_is_looked_for() -> None:
    """Rounds 1 and 2 were measured again at the end, when all had become slow."""
    speeds = {1: 30.0, 2: 30.0, 3: 20.0, 4: 20.1, 5: 20.2, 6: 20.0, 7: 20.1, 8: 30.2, 9: 30.0, 10: 30.1}
    requests = [request(n, trace([ms] * 9, completion=10), round_=n) for n, ms in speeds.items()]
    again = [replace(one, number=one.number + 10, attempt=2) for one in requests[:2]]

    found = drift([*requests[2:], *again])

    assert found is not None
    assert found.verdict is DriftVerdict.DRIFT
    assert found.slow_rounds == (1, 2, 8, 9, 10)


def test_the_hole_that_rounds_measured_again_leave_is_no_time_in_which_nothing_was_given() -> None:
    """Ten rounds a second apart, each 190 ms long; five of them again a day later."""
    day_ms = 86_400_000.0
    first = [request(n, trace(sent_ms=n * 1000.0, completion=10), round_=n) for n in range(1, 11)]
    later = [
        replace(request(n + 10, trace(sent_ms=day_ms + n * 1000.0, completion=10), round_=n), attempt=2)
        for n in range(4, 9)
    ]
    stamped = [
        replace(one, at_unix_ms=(one.trace.sent_ns or 0) // 1_000_000) for one in standing([*first, *later])
    ]

    found = throughput(stamped)

    assert found is not None
    # Rounds 1 to 3, 9 and 10, and 4 to 8 again: from the first sending of each stretch to its last end.
    assert found.window_s == pytest.approx(2 + 1 + 4 + 3 * 0.19)
    assert found.tokens == 100


def test_memory_is_followed_over_one_stay_of_the_model() -> None:
    requests = made((1, WELL), (1, WELL), (2, WELL), (2, WELL), (2, WELL))

    assert [one.number for one in of_one_stay(requests)] == [3, 4, 5]
    assert [one.number for one in of_one_stay(requests[:4])] == [1, 2]
    assert of_one_stay([]) == ()

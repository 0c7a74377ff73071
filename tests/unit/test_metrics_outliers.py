import random

import pytest

from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.measures import Measure
from foundry_tui.metrics.outliers import Cause, outliers
from tests.support.timed import request, trace

# Times to the first token, in ms; the answers take 90 ms more.
USUAL_MS = (100.0, 102.0, 98.0, 101.0, 99.0, 103.0, 97.0)


def usual(*, prompt_id: str = "p1", begin: int = 1) -> list[RequestRun]:
    return [
        request(begin + place, trace(ttft_ms=ttft_ms, completion=10), prompt_id=prompt_id)
        for place, ttft_ms in enumerate(USUAL_MS)
    ]


def test_a_slow_request_is_marked_with_its_number_and_what_is_usual() -> None:
    (found,) = outliers([*usual(), request(8, trace(ttft_ms=400, completion=10))])

    assert found.number == 8
    assert found.value == pytest.approx(0.49)
    assert found.usual == pytest.approx(0.1905)
    assert found.cause is Cause.UNKNOWN
    assert found.score > 3.5


def test_the_score_is_in_deviations_of_the_median() -> None:
    latencies_s = [1.0, 1.01, 1.03, 1.06, 1.10, 1.15, 2.0]
    runs = [request(n, trace((), ttft_ms=1000 * value)) for n, value in enumerate(latencies_s, 1)]

    (found,) = outliers(runs)

    # ln(x/1.06): the smallest, 0, is left out; the middle of the six others is (0.0477 + 0.0571)/2.
    assert found.score == pytest.approx(0.63488 / (1.482602 * (0.05827 + 0.05110) / 2), rel=0.05)


def test_prompts_of_other_lengths_are_no_outliers() -> None:
    long = [
        request(20 + place, trace((10.0,) * 900, ttft_ms=5 * ttft_ms), prompt_id="long")
        for place, ttft_ms in enumerate(USUAL_MS)
    ]

    assert outliers([*usual(), *long]) == ()


def test_with_three_rounds_an_outlier_of_one_prompt_is_found_by_the_scale_of_all() -> None:
    runs = [
        request(3 * prompt + place, trace((), ttft_ms=1000 * prompt * part), prompt_id=f"p{prompt}")
        for prompt in range(1, 6)
        for place, part in enumerate((1.0, 0.98, 1.03))
    ]
    runs[7] = request(10, trace((), ttft_ms=6000), prompt_id="p3")

    (found,) = outliers(runs)

    assert (found.number, found.value, found.usual) == (10, 6.0, 3.09)


def test_of_normal_readings_hardly_any_is_marked() -> None:
    draw = random.Random(12)

    marked = 0
    for _ in range(100):
        runs = [
            request(n, trace((), ttft_ms=1000 * draw.lognormvariate(0, 0.05)), prompt_id=f"p{n % 5}")
            for n in range(1, 16)
        ]
        marked += len(outliers(runs))

    # Of 1,500; a tenth of all would be marked if the medians' own zeros counted.
    assert marked <= 30


@pytest.mark.parametrize(
    ("slow", "expected"),
    [
        (trace((10.0,) * 5 + (400.0,) + (10.0,) * 3, completion=10), Cause.STALL),
        (trace(ttft_ms=400, delay_ms=20, completion=10), Cause.FOREIGN_DELAY),
        (trace((10.0,) * 40, completion=41), Cause.LONGER_OUTPUT),
        (trace(ttft_ms=400, delay_ms=1, completion=10), Cause.UNKNOWN),
        (trace((10.0,) * 2, ttft_ms=98, completion=3), Cause.SHORTER_OUTPUT),
        (trace((1.0,) * 9, ttft_ms=50, completion=10, delay_ms=20), Cause.UNKNOWN),
    ],
    ids=["stall", "foreign delay", "longer", "unknown", "shorter", "faster"],
)
def test_the_likely_cause_is_named(slow: GenerationTrace, expected: Cause) -> None:
    (found,) = outliers([*usual(), request(8, slow)])

    assert found.cause is expected


def test_the_first_timed_request_of_its_model_is_likely_slow_for_being_the_first() -> None:
    warmup = request(1, phase=Phase.WARMUP)
    first = request(2, trace(ttft_ms=400, completion=10))

    (found,) = outliers([*usual(begin=3), first, warmup])

    assert (found.number, found.cause) == (2, Cause.FIRST)


def test_a_faster_first_request_is_not_explained_by_being_the_first() -> None:
    (found,) = outliers([*usual(begin=2), request(1, trace((1.0,) * 9, ttft_ms=30, completion=10))])

    assert (found.number, found.cause) == (1, Cause.UNKNOWN)


def test_a_low_rate_is_a_slow_one() -> None:
    runs = [request(n, trace((10.0 + n / 10,) * 9, completion=10)) for n in range(1, 8)]
    stalled = request(8, trace((10.0,) * 8 + (400.0,), completion=10))

    (found,) = outliers([*runs, stalled], Measure.DECODE_RATE)

    assert (found.number, found.cause) == (8, Cause.STALL)


def test_where_more_than_half_are_equal_the_mean_deviation_is_the_scale() -> None:
    (found,) = outliers([*(request(n) for n in range(1, 10)), request(10, trace(ttft_ms=400))])

    assert found.number == 10


def test_equal_readings_have_no_outlier() -> None:
    assert outliers([request(number) for number in range(1, 6)]) == ()


def test_of_two_rounds_nobody_can_say_which_stands_out() -> None:
    twice = [request(20, prompt_id="p2"), request(21, trace(ttft_ms=4000), prompt_id="p2")]

    assert outliers([*usual(), *twice]) == ()
    assert outliers([]) == ()


def test_an_answer_without_text_is_neither_marked_nor_usual_and_counts_no_tokens() -> None:
    silent = [request(number, trace(has_text=False, prompt=None)) for number in (20, 21)]

    (found,) = outliers([*usual(), request(8, trace((10.0,) * 40, completion=41)), *silent])

    assert (found.number, found.cause) == (8, Cause.LONGER_OUTPUT)


def test_failed_and_untimed_requests_are_neither_marked_nor_usual() -> None:
    warmup = request(20, trace(ttft_ms=4000), phase=Phase.WARMUP)
    failed = request(21, trace(ttft_ms=4000, outcome=Outcome.EARLY_END))

    assert outliers([*usual(), warmup, failed]) == ()

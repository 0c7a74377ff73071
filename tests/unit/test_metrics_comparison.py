"""Paired comparison: what it says, and how often it is wrong or blind."""

import math
import random

import pytest

from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.domain.chat import Outcome
from foundry_tui.metrics.comparison import Verdict, compared
from foundry_tui.metrics.measures import Measure
from tests.support.timed import request, trace


def side(latencies_s: list[float], *, model: str = "a", completion: int | None = 10) -> list[RequestRun]:
    """One request of each latency, all of them in one chunk."""
    return [
        request(n, trace((), ttft_ms=1000 * value, completion=completion), model=model)
        for n, value in enumerate(latencies_s, 1)
    ]


def noisy(
    draw: random.Random, *, pairs: int, times: float, noise: float = 0.08
) -> tuple[list[RequestRun], list[RequestRun]]:
    """Two sides of the same prompts, the second taking ``times`` as long; 8 % of noise on each request."""
    usual = [draw.uniform(0.5, 4) for _ in range(pairs)]
    return (
        side([value * draw.lognormvariate(0, noise) for value in usual]),
        side([value * times * draw.lognormvariate(0, noise) for value in usual], model="b"),
    )


def test_the_ratio_is_the_geometric_mean_of_the_pairs() -> None:
    found = compared(side([1.0, 2.0, 4.0]), side([2.0, 2.0, 1.0], model="b"))

    # 2 · 1 · 1/4
    assert found.pairs == 3
    assert found.ratio == pytest.approx(0.5 ** (1 / 3))


def test_pairs_are_made_by_prompt_and_round_whatever_the_order() -> None:
    a = [
        request(1, trace((), ttft_ms=100), prompt_id="p1", round_=1),
        request(2, trace((), ttft_ms=900), prompt_id="p2", round_=1),
        request(3, trace((), ttft_ms=300), prompt_id="p1", round_=2),
    ]
    b = [
        request(1, trace((), ttft_ms=600), prompt_id="p1", round_=2, model="b"),
        request(2, trace((), ttft_ms=200), prompt_id="p1", round_=1, model="b"),
        request(3, trace((), ttft_ms=1800), prompt_id="p2", round_=1, model="b"),
    ]

    found = compared(a, b)

    assert found.ratio == pytest.approx(2)
    assert (found.pairs, found.prompts) == (3, 2)


def test_twenty_percent_less_time_is_faster_and_twenty_percent_less_rate_is_slower() -> None:
    slow, fast = side([1.0 + n / 100 for n in range(8)]), side([0.8 + n / 100 for n in range(8)], model="b")

    time = compared(slow, fast)
    rate = compared(slow, fast, measure=Measure.END_TO_END_RATE)
    back = compared(fast, slow)

    assert time.verdict is Verdict.FASTER
    assert time.ratio == pytest.approx(0.807, abs=0.002)
    assert rate.verdict is Verdict.FASTER
    assert rate.ratio == pytest.approx(1 / (time.ratio or 1))
    assert back.verdict is Verdict.SLOWER


def test_the_interval_holds_the_ratio_and_is_the_same_for_the_same_seed() -> None:
    a, b = noisy(random.Random(1), pairs=12, times=0.88)

    found = compared(a, b, seed=3)

    assert found.interval is not None
    assert found.interval.low < (found.ratio or 0) < found.interval.high
    assert compared(a, b, seed=3) == found
    assert compared(a, b, seed=4).interval != found.interval


@pytest.mark.parametrize(("pairs", "missing"), [(0, 6), (1, 5), (5, 1)])
def test_fewer_than_six_pairs_are_too_few_however_clear_they_are(pairs: int, missing: int) -> None:
    found = compared(side([1.0] * pairs), side([0.1 + n / 100 for n in range(pairs)], model="b"))

    assert found.verdict is Verdict.TOO_FEW
    assert found.more_pairs == missing
    assert found.interval is None


def test_six_clear_pairs_are_enough() -> None:
    found = compared(side([1.0] * 6), side([0.5 + n / 100 for n in range(6)], model="b"))

    assert (found.verdict, found.more_pairs) == (Verdict.FASTER, 0)
    assert found.wilcoxon_p == found.sign_p == 0.03125


def test_without_a_pair_nothing_is_defined() -> None:
    found = compared([], side([1.0]))

    assert found.verdict is Verdict.TOO_FEW
    assert (found.ratio, found.interval, found.sign_p, found.wilcoxon_p) == (None,) * 4
    assert (found.length_ratio, found.has_alike_lengths) == (None, None)
    assert (found.unpaired_a, found.unpaired_b) == (0, 1)


def test_failed_requests_break_their_pair_and_are_counted() -> None:
    a = side([1.0] * 8)
    b = side([2.0] * 8, model="b")
    b[3] = request(4, trace(outcome=Outcome.TIMEOUT), model="b")
    warmup = request(9, phase=Phase.WARMUP, model="b")

    found = compared(a, [*b, warmup])

    assert (found.pairs, found.unpaired_a, found.unpaired_b) == (7, 1, 1)


def test_hidden_tokens_leave_a_pair_out_of_a_comparison_of_decode_rates() -> None:
    a = [request(n, trace(completion=10)) for n in range(1, 8)]
    b = [request(n, trace(completion=10), model="b") for n in range(1, 7)]
    b.append(request(7, trace(completion=900), model="b"))

    found = compared(a, b, measure=Measure.DECODE_RATE)

    assert (found.pairs, found.ratio, found.verdict) == (6, 1.0, Verdict.NO_DIFFERENCE_SHOWN)


def test_of_a_prompt_and_round_that_were_asked_twice_the_later_one_is_taken() -> None:
    again = request(9, trace((), ttft_ms=3000), round_=1, model="a")

    found = compared([*side([1.0]), again], side([6.0], model="b"))

    assert found.ratio == pytest.approx(2)
    assert found.unpaired_a == 1


def test_latencies_of_longer_answers_are_told_apart_by_their_length() -> None:
    alike = compared(side([1.0] * 6, completion=100), side([1.0] * 6, completion=109, model="b"))
    longer = compared(side([1.0] * 6, completion=100), side([1.0] * 6, completion=150, model="b"))
    unknown = compared(side([1.0] * 6, completion=100), side([1.0] * 6, completion=None, model="b"))

    assert alike.length_ratio == pytest.approx(1.09)
    assert (alike.has_alike_lengths, longer.has_alike_lengths) == (True, False)
    assert (unknown.length_ratio, unknown.has_alike_lengths) == (None, None)


def test_an_estimated_count_marks_the_comparison() -> None:
    a = [request(n, trace(completion=10)) for n in range(1, 8)]
    b = [request(n, trace(prompt=None), model="b") for n in range(1, 8)]

    assert compared(a, b, measure=Measure.DECODE_RATE).is_estimate
    assert not compared(a, b).is_estimate


def test_where_there_is_no_difference_hardly_any_run_shows_one() -> None:
    draw = random.Random(2026)

    alarms = sum(
        compared(*noisy(draw, pairs=10, times=1.0)).verdict is not Verdict.NO_DIFFERENCE_SHOWN
        for _ in range(200)
    )

    assert alarms <= 14


def test_a_fifth_more_is_found_with_ten_pairs() -> None:
    draw = random.Random(2027)

    found = sum(compared(*noisy(draw, pairs=10, times=1.2)).verdict is Verdict.SLOWER for _ in range(200))

    assert found >= 180


def test_no_verdict_stands_beside_an_interval_that_says_otherwise() -> None:
    # The ranks of eleven small losses outweigh one enormous gain; their mean does not.
    a = side([1.0] * 12)
    b = side([1.05 + n / 1000 for n in range(11)] + [0.05], model="b")

    found = compared(a, b)

    assert found.wilcoxon_p is not None
    assert found.wilcoxon_p < 0.05
    assert found.interval is not None
    assert found.interval.holds(1)
    assert found.verdict is Verdict.NO_DIFFERENCE_SHOWN


def test_the_scale_of_the_measure_changes_no_verdict() -> None:
    draw = random.Random(5)
    a, b = noisy(draw, pairs=9, times=1.12)
    as_rates = compared(a, b, measure=Measure.END_TO_END_RATE)

    as_times = compared(a, b)

    assert as_rates.verdict is as_times.verdict
    assert as_rates.wilcoxon_p == as_times.wilcoxon_p
    assert math.log(as_rates.ratio or 0) == pytest.approx(-math.log(as_times.ratio or 0))


def test_each_side_is_of_one_model() -> None:
    with pytest.raises(ValueError, match="one model"):
        compared([request(1), request(2, model="other")], [])

import pytest

from foundry_tui.domain.bench import Phase, PrecisionRule, RequestRun
from foundry_tui.domain.chat import Outcome
from foundry_tui.metrics.precision import Precision, precision
from tests.support.timed import request, trace

RULE = PrecisionRule(half_width_share=0.05)


def of_prompt(prompt_id: str, latencies_ms: list[float]) -> list[RequestRun]:
    return [
        request(n, trace((), ttft_ms=value), prompt_id=prompt_id) for n, value in enumerate(latencies_ms, 1)
    ]


@pytest.mark.parametrize(("widest_ms", "expected"), [(1049.0, True), (1052.0, False)])
def test_it_is_reached_where_half_the_interval_is_within_the_share(widest_ms: float, expected: bool) -> None:
    # Of six the interval goes from end to end, the median is 1000.
    found = precision(of_prompt("p1", [950, 990, 1000, 1000, 1010, widest_ms]), RULE)

    assert found.half_width_share == pytest.approx((widest_ms - 950) / 2000)
    assert (found.is_reached, found.more_rounds) == (expected, 0)


def test_fewer_than_six_rounds_are_never_enough() -> None:
    found = precision(of_prompt("p1", [1000] * 5), RULE)

    assert found == Precision(half_width_share=None, is_reached=False, more_rounds=1)


def test_without_a_latency_nothing_is_known() -> None:
    nothing = Precision(half_width_share=None, is_reached=False, more_rounds=6)

    assert precision([], RULE) == nothing
    assert precision([request(1, trace(has_text=False))], RULE) == nothing
    assert precision([request(n, phase=Phase.WARMUP) for n in range(1, 9)], RULE) == nothing
    assert precision([request(n, trace(outcome=Outcome.TIMEOUT)) for n in range(1, 9)], RULE) == nothing


def test_of_several_prompts_the_one_known_worst_decides() -> None:
    sure, unsure = of_prompt("p1", [1000] * 6), of_prompt("p2", [4000, 4000, 4000, 4000, 4000, 6000])

    found = precision([*sure, *unsure], RULE)

    assert found.half_width_share == pytest.approx(0.25)
    assert not found.is_reached


def test_prompts_of_other_lengths_do_not_keep_it_from_being_reached() -> None:
    found = precision([*of_prompt("p1", [1000] * 6), *of_prompt("p2", [9000] * 6)], RULE)

    assert found == Precision(half_width_share=0.0, is_reached=True, more_rounds=0)

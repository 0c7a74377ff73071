"""Hidden reasoning: the role after 50 ms, 400 hidden tokens in 4 s, 40 visible ones in 0.4 s."""

import pytest

from foundry_tui.metrics.hidden import hidden_split
from foundry_tui.metrics.latency import decode_rate
from foundry_tui.metrics.measures import Measure, read
from tests.support.timed import trace

# 39 gaps between 40 visible tokens, 10 ms each.
VISIBLE_MS = (10.0,) * 39


@pytest.mark.parametrize(
    ("reasoning", "is_estimate"), [(400, False), (None, True)], ids=["told by the engine", "not told"]
)
def test_hidden_thinking_and_visible_text_have_speeds_of_their_own(
    reasoning: int | None, is_estimate: bool
) -> None:
    answer = trace(VISIBLE_MS, ttft_ms=4050, role_ms=50, completion=440, reasoning=reasoning)

    found = hidden_split(answer)

    assert found is not None
    assert found.before_s == 0.05
    assert found.thinking_s == 4.0
    assert found.visible_tokens_per_s == pytest.approx(100)
    assert found.is_estimate is is_estimate
    assert found.overall_tokens_per_s == pytest.approx(440 / 4.39)


def test_no_rate_of_the_answer_is_inflated() -> None:
    answer = trace(VISIBLE_MS, ttft_ms=4050, role_ms=50, completion=440, reasoning=400)

    whole = read(answer, Measure.END_TO_END_RATE)

    assert decode_rate(answer) is None
    assert whole is not None
    assert whole.value == pytest.approx(440 / 4.44)


def test_without_a_role_chunk_thinking_counts_from_the_sent_request() -> None:
    answer = trace(VISIBLE_MS, ttft_ms=4050, completion=440, reasoning=400)

    found = hidden_split(answer)

    assert found is not None
    assert found.before_s is None
    assert found.thinking_s == 4.05


def test_tokens_of_the_first_read_are_no_speed() -> None:
    # Four visible tokens, two of them at once and two in 20 ms.
    found = hidden_split(trace((0.0, 10.0, 10.0), ttft_ms=1000, completion=104, reasoning=100))

    assert found is not None
    assert found.visible_tokens_per_s == pytest.approx(100)


def test_one_visible_chunk_has_no_visible_speed() -> None:
    found = hidden_split(trace((), ttft_ms=1000, completion=101, reasoning=100))

    assert found is not None
    assert found.visible_tokens_per_s is None
    assert found.overall_tokens_per_s == pytest.approx(101)


def test_an_answer_that_shows_all_its_tokens_is_not_split() -> None:
    assert hidden_split(trace(completion=10)) is None
    assert hidden_split(trace(prompt=None)) is None
    assert hidden_split(trace(completion=440, reasoning=400, has_text=False)) is None

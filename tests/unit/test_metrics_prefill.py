import pytest

from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.prefill import NoPrefill, calibrated, prefill_rate
from tests.support.timed import trace


def waiting(
    tokens: int, *, per_s: float = 1000.0, fixed_ms: float = 0.0, delay_ms: float = 0.1
) -> GenerationTrace:
    """A server that sends the role with the first token, when the prompt has been read."""
    wait_ms = fixed_ms + 1000 * tokens / per_s
    return trace(ttft_ms=wait_ms, role_ms=wait_ms, prompt=tokens, delay_ms=delay_ms)


def early(tokens: int, *, per_s: float = 1000.0, role_ms: float = 2.0) -> GenerationTrace:
    """A server that sends the role at once."""
    return trace(ttft_ms=role_ms + 1000 * tokens / per_s, role_ms=role_ms, prompt=tokens)


@pytest.mark.parametrize("per_s", [50.0, 820.0, 4000.0])
@pytest.mark.parametrize("fixed_ms", [0.0, 3.0, 43.0])
def test_the_rate_of_a_server_that_waits_is_told_whatever_a_request_costs_besides(
    per_s: float, fixed_ms: float
) -> None:
    short = waiting(30, per_s=per_s, fixed_ms=fixed_ms)
    long = waiting(400, per_s=per_s, fixed_ms=fixed_ms)

    found = calibrated(short, long)

    assert found.reason is None
    assert found.tokens_per_s == pytest.approx(per_s, rel=1e-3)
    assert found.fixed_s == pytest.approx(fixed_ms / 1000, abs=1e-5)


def test_each_request_of_such_a_server_has_a_rate_of_its_own() -> None:
    calibration = calibrated(waiting(30), waiting(400))

    assert prefill_rate(waiting(250, per_s=800), calibration) == pytest.approx(800)
    assert prefill_rate(trace(role_ms=None, prompt=20), calibration) is None
    assert prefill_rate(trace(role_ms=50, prompt=None), calibration) is None


def test_a_role_that_comes_at_once_tells_nothing() -> None:
    found = calibrated(early(30), early(400))

    assert (found.tokens_per_s, found.fixed_s, found.reason) == (None, None, NoPrefill.ROLE_EARLY)
    assert prefill_rate(early(400), found) is None


def test_a_role_far_ahead_of_the_text_is_early_even_if_no_wait_grows() -> None:
    found = calibrated(trace(ttft_ms=100, role_ms=1, prompt=30), trace(ttft_ms=100, role_ms=1, prompt=400))

    assert found.reason is NoPrefill.ROLE_EARLY


def test_a_role_that_comes_just_before_the_text_is_early_if_only_the_text_waits_longer() -> None:
    # A network that costs 43 ms, and 18.5 ms more to read the longer prompt.
    found = calibrated(early(30, per_s=20_000, role_ms=43), early(400, per_s=20_000, role_ms=43))

    assert found.reason is NoPrefill.ROLE_EARLY


def test_a_role_that_is_late_by_chance_is_not_taken_for_one_that_waits() -> None:
    found = calibrated(early(30), early(2000, role_ms=20))

    assert found.reason is NoPrefill.ROLE_EARLY


def test_what_is_read_too_fast_is_not_told() -> None:
    found = calibrated(waiting(30, per_s=100_000), waiting(400, per_s=100_000))

    assert (found.tokens_per_s, found.reason) == (None, NoPrefill.TOO_FAST)


def test_a_late_clock_raises_what_a_wait_has_to_grow_by() -> None:
    # 40 tokens more in 10 ms: enough for a clock that is 1 ms late, too little for one of 6 ms.
    def found(delay_ms: float) -> NoPrefill | None:
        return calibrated(
            waiting(40, per_s=4000, delay_ms=delay_ms), waiting(80, per_s=4000, delay_ms=delay_ms)
        ).reason

    assert found(1) is None
    assert found(6) is NoPrefill.TOO_FAST


def test_hidden_thinking_before_the_first_text_is_not_asked_to_agree() -> None:
    short = trace(ttft_ms=4000, role_ms=30, prompt=30, completion=440, reasoning=400)
    long = trace(ttft_ms=9000, role_ms=400, prompt=400, completion=440, reasoning=400)

    assert calibrated(short, long).tokens_per_s == pytest.approx(1000)


def test_calibration_needs_no_text() -> None:
    short = trace(role_ms=30, prompt=30, has_text=False, outcome=Outcome.EMPTY)
    long = trace(role_ms=400, prompt=400, has_text=False, outcome=Outcome.EMPTY)

    assert calibrated(short, long).tokens_per_s == pytest.approx(1000)


@pytest.mark.parametrize(
    ("short", "long", "expected"),
    [
        (trace(prompt=30), waiting(400), NoPrefill.NOT_READ),
        (waiting(30), trace(role_ms=400, prompt=400, sent_ms=None), NoPrefill.NOT_READ),
        (waiting(30), trace(role_ms=400, prompt=None), NoPrefill.NO_COUNT),
        (trace(role_ms=400, prompt=None), waiting(400), NoPrefill.NO_COUNT),
        (waiting(30), waiting(59), NoPrefill.ALIKE_PROMPTS),
        (waiting(400), waiting(30), NoPrefill.ALIKE_PROMPTS),
    ],
)
def test_what_is_missing_is_named(short: GenerationTrace, long: GenerationTrace, expected: NoPrefill) -> None:
    found = calibrated(short, long)

    assert (found.tokens_per_s, found.reason) == (None, expected)

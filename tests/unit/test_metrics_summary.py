"""The summary of a model, recomputed from its raw readings by other code."""

import random
from collections.abc import Callable

import numpy as np
import pytest

from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.domain.chat import ChunkKind, Outcome
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.gaps import GapUnit
from foundry_tui.metrics.measures import Measure
from foundry_tui.metrics.spread import Spread
from foundry_tui.metrics.summary import first_request_penalty_s, model_summary
from foundry_tui.metrics.tokens import TokenSource
from tests.support.timed import request, trace


def drawn_run(seed: int) -> list[RequestRun]:
    """Requests of all phases and ends, with one token a chunk and all readings at random."""
    draw = random.Random(seed)
    phases = [*Phase, *[Phase.TIMED] * 12]
    outcomes = [Outcome.COMPLETED] * 8 + [Outcome.TRUNCATED] * 3 + [Outcome.TIMEOUT]
    runs: list[RequestRun] = []
    for number in range(1, 80):
        gaps_ms = [draw.uniform(2, 60) for _ in range(draw.randint(1, 40))]
        one = trace(
            gaps_ms,
            ttft_ms=draw.uniform(20, 900),
            prompt=draw.randint(5, 90),
            completion=len(gaps_ms) + 1,
            outcome=draw.choice(outcomes),
        )
        runs.append(request(number, one, phase=draw.choice(phases)))
    return runs


def assert_spread(found: Spread | None, expected: list[float]) -> None:
    assert found is not None
    assert found.n == len(expected)
    assert found.mean == pytest.approx(np.mean(expected), rel=1e-9)
    assert found.median == pytest.approx(np.median(expected), rel=1e-9)
    assert found.p95 == pytest.approx(np.percentile(expected, 95), rel=1e-9)
    assert found.min == pytest.approx(min(expected), rel=1e-9)
    assert found.max == pytest.approx(max(expected), rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_every_spread_is_that_of_the_raw_readings(seed: int) -> None:
    runs = drawn_run(seed)

    found = model_summary(runs)

    timed = [run.trace for run in runs if run.phase is Phase.TIMED and run.trace.finish_reason is None]
    good = [one for one in timed if one.outcome in ("completed", "truncated")]
    stamps = [np.array([chunk.at_ns for chunk in one.chunks]) for one in good]
    sent = [one.sent_ns or 0 for one in good]
    counts = [len(at) for at in stamps]
    prompts = [one.usage.prompt_tokens or 0 for one in good if one.usage is not None]
    latencies = [float(at[-1] - begin) / 1e9 for at, begin in zip(stamps, sent, strict=True)]
    decode = [(count - 1) * 1e9 / float(at[-1] - at[0]) for at, count in zip(stamps, counts, strict=True)]
    gaps = np.concatenate([np.diff(at) for at in stamps]) / 1e9
    assert found.rounds_ok == len(good)
    assert_spread(found.ttft_s, [float(at[0] - t0) / 1e9 for at, t0 in zip(stamps, sent, strict=True)])
    assert_spread(found.latency_s, latencies)
    assert_spread(found.decode_tokens_per_s, decode)
    assert_spread(found.characters_per_s, [4 * rate for rate in decode])
    assert_spread(
        found.end_to_end_tokens_per_s, [c / span for c, span in zip(counts, latencies, strict=True)]
    )
    assert_spread(
        found.legacy_tokens_per_s,
        [(p + c) / span for p, c, span in zip(prompts, counts, latencies, strict=True)],
    )
    assert found.gaps is not None
    assert found.gaps.unit is GapUnit.TOKEN
    assert found.gaps.n == len(gaps)
    assert found.gaps.median_s == pytest.approx(np.median(gaps), rel=1e-9)
    assert found.gaps.p95_s == pytest.approx(np.percentile(gaps, 95), rel=1e-9)


def test_the_order_of_the_requests_changes_nothing() -> None:
    runs = drawn_run(7)
    shuffled = random.Random(1).sample(runs, len(runs))

    assert model_summary(shuffled) == model_summary(runs)


def test_what_is_left_out_is_counted_by_why() -> None:
    runs = [
        request(1, phase=Phase.PROBE),
        request(2, phase=Phase.WARMUP),
        request(3, phase=Phase.WARMUP),
        request(4),
        request(5, trace(outcome=Outcome.TRUNCATED)),
        request(6, trace(outcome=Outcome.STREAM_ERROR)),
        request(7, trace(outcome=Outcome.EARLY_END)),
        request(8, trace(outcome=Outcome.EARLY_END)),
        request(9, trace(outcome=Outcome.CANCELLED)),
    ]

    found = model_summary(runs)

    assert found.rounds_ok == 2
    assert found.outcomes == (
        (Outcome.COMPLETED, 1),
        (Outcome.TRUNCATED, 1),
        (Outcome.CANCELLED, 1),
        (Outcome.STREAM_ERROR, 1),
        (Outcome.EARLY_END, 2),
    )
    assert found.left_out == found.outcomes[2:]
    assert found.other_phases == ((Phase.PROBE, 1), (Phase.WARMUP, 2))
    assert found.ttft_s is not None
    assert found.ttft_s.n == 2


def test_the_success_rate_is_of_what_the_model_was_asked() -> None:
    failed = [request(number, trace(outcome=Outcome.TIMEOUT)) for number in (3, 4)]
    given_up = [request(number, trace(outcome=Outcome.CANCELLED)) for number in (5, 6, 7)]

    found = model_summary([request(1), request(2), *failed, *given_up])

    assert (found.tried, found.success_rate) == (4, 0.5)
    # (2 + z²/2 ∓ z·√(1 + z²/4))/(4 + z²), z = 1.959964
    assert found.success_interval is not None
    assert found.success_interval.low == pytest.approx(0.150039, abs=1e-6)
    assert found.success_interval.high == pytest.approx(0.849961, abs=1e-6)


def test_of_no_request_everything_is_undefined() -> None:
    found = model_summary([])

    assert (found.rounds_ok, found.tried, found.hidden) == (0, 0, 0)
    assert (found.success_rate, found.success_interval, found.gaps) == (None, None, None)
    assert (found.ttft_s, found.latency_s, found.answer_wait_s) == (None, None, None)
    assert (found.decode_tokens_per_s, found.end_to_end_tokens_per_s) == (None, None)
    assert (found.characters_per_s, found.legacy_tokens_per_s) == (None, None)
    assert (found.prompt_tokens, found.completion_tokens) == (None, None)
    assert (found.token_sources, found.outcomes, found.other_phases) == ((), (), ())
    assert found.estimated == frozenset()


def test_where_every_request_failed_the_rate_is_0_and_nothing_else_is() -> None:
    found = model_summary([request(1, trace(outcome=Outcome.HTTP_ERROR, has_text=False))])

    assert found.success_rate == 0
    assert found.latency_s is None
    assert found.gaps is None


def test_a_measure_that_is_undefined_for_some_requests_has_a_smaller_n() -> None:
    found = model_summary([request(1, trace(completion=10)), request(2, trace((), completion=1))])

    assert found.rounds_ok == 2
    assert found.latency_s is not None
    assert found.latency_s.n == 2
    assert found.decode_tokens_per_s is not None
    assert found.decode_tokens_per_s.n == 1


def test_hidden_reasoning_gives_no_decode_rate_rather_than_an_inflated_one() -> None:
    answer = trace((10.0,) * 39, ttft_ms=4050, role_ms=50, completion=440)

    found = model_summary([request(number, answer) for number in (1, 2, 3)])

    assert found.hidden == 3
    assert found.decode_tokens_per_s is None
    assert found.end_to_end_tokens_per_s is not None
    assert found.end_to_end_tokens_per_s.max == pytest.approx(440 / 4.44)


def test_reasoning_that_is_shown_counts_for_the_first_token_and_not_for_the_answer() -> None:
    thinking = trace(kind=ChunkKind.REASONING, completion=10)

    found = model_summary([request(1, thinking)])

    assert found.ttft_s is not None
    assert found.answer_wait_s is None


def test_mixed_sources_are_named_most_trusted_first() -> None:
    counted, by_chunks = trace(completion=10), trace(prompt=None)

    found = model_summary([request(1, by_chunks), request(2, counted), request(3, counted)])

    assert found.token_sources == ((TokenSource.USAGE, 2), (TokenSource.CHUNKS, 1))


def test_a_single_estimate_marks_its_measures() -> None:
    exact = model_summary([request(1, trace(completion=10))])
    mixed = model_summary([request(1, trace(completion=10)), request(2, trace(prompt=None))])

    assert exact.estimated == frozenset()
    assert mixed.estimated == {Measure.DECODE_RATE, Measure.END_TO_END_RATE}


@pytest.mark.parametrize(
    "first",
    [lambda: trace(ttft_ms=900), lambda: trace(ttft_ms=900, outcome=Outcome.EARLY_END)],
    ids=["ended well", "ended badly"],
)
def test_the_first_request_costs_what_the_warm_ones_do_not(first: Callable[[], GenerationTrace]) -> None:
    cold = request(1, first(), phase=Phase.WARMUP)
    warm = [request(number, trace(ttft_ms=wait)) for number, wait in ((2, 100), (3, 140), (4, 300))]

    assert first_request_penalty_s(cold, [cold, *warm]) == pytest.approx(0.76)


def test_without_a_warm_request_there_is_no_penalty() -> None:
    assert first_request_penalty_s(request(1), [request(1, phase=Phase.WARMUP)]) is None
    assert first_request_penalty_s(request(1, trace(has_text=False)), [request(2)]) is None


def test_requests_of_two_models_are_not_pooled() -> None:
    with pytest.raises(ValueError, match="one model"):
        model_summary([request(1), request(2, model="other")])

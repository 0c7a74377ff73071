"""What is read of one request beyond latency and rate, against figures worked out by hand."""

import pytest

from foundry_tui.domain.bench import Phase
from foundry_tui.domain.chat import Outcome
from foundry_tui.metrics.latency import decode_rate, end_to_end_rate, latency_s, ttft_s
from foundry_tui.metrics.measures import (
    Measure,
    Reading,
    characters_rate,
    is_counted,
    is_tried,
    legacy_rate,
    read,
)
from tests.support.timed import request, trace


def test_the_notebooks_row_reads_4_61_as_it_did_and_4_33_as_it_is() -> None:
    # 11 prompt and 168 output tokens, 179 in all, in 38.815 s.
    answer = trace((38_000.0,), ttft_ms=815, prompt=11, completion=168)

    assert legacy_rate(answer) == pytest.approx(4.6116, abs=5e-5)
    corrected = read(answer, Measure.END_TO_END_RATE)
    assert corrected is not None
    assert corrected.value == pytest.approx(4.3282, abs=5e-5)


def test_without_either_count_there_is_no_legacy_figure() -> None:
    assert legacy_rate(trace(prompt=None, completion=None)) is None
    assert legacy_rate(trace(prompt=None, completion=10)) is None
    assert legacy_rate(trace(prompt=10, completion=None)) is None
    assert legacy_rate(trace(prompt=10, completion=10, has_text=False)) is None


def test_characters_flow_over_the_span_of_the_decode_rate() -> None:
    # Nine further chunks of four characters in 90 ms.
    assert characters_rate(trace((10.0,) * 9)) == 400.0


def test_characters_that_came_with_the_first_read_do_not_flow() -> None:
    # Of four chunks two came at once; the others in 20 ms.
    assert characters_rate(trace((0.0, 10.0, 10.0))) == 400.0


@pytest.mark.parametrize("gaps_ms", [(), (0.0, 0.0)], ids=["one chunk", "one read"])
def test_characters_of_one_moment_have_no_rate(gaps_ms: tuple[float, ...]) -> None:
    assert characters_rate(trace(gaps_ms)) is None


def test_each_measure_is_its_one_definition() -> None:
    answer = trace((10.0, 30.0), completion=7)
    decoded, whole = decode_rate(answer), end_to_end_rate(answer)

    assert decoded is not None
    assert whole is not None
    assert read(answer, Measure.TTFT) == Reading(ttft_s(answer) or 0)
    assert read(answer, Measure.LATENCY) == Reading(latency_s(answer) or 0)
    assert read(answer, Measure.DECODE_RATE) == Reading(decoded.tokens_per_s, True)
    assert read(answer, Measure.END_TO_END_RATE) == Reading(whole.tokens_per_s, False)


@pytest.mark.parametrize("measure", Measure)
def test_of_an_answer_without_text_nothing_is_read(measure: Measure) -> None:
    assert read(trace(has_text=False), measure) is None


@pytest.mark.parametrize("measure", Measure)
def test_the_name_of_a_measure_ends_with_its_unit(measure: Measure) -> None:
    assert measure.endswith("_per_s") is not measure.is_time


def test_only_timed_requests_that_ended_well_are_counted() -> None:
    counted = {
        (phase, outcome)
        for phase in Phase
        for outcome in Outcome
        if is_counted(request(1, trace(outcome=outcome), phase=phase))
    }

    assert counted == {(Phase.TIMED, Outcome.COMPLETED), (Phase.TIMED, Outcome.TRUNCATED)}


def test_what_the_user_ended_or_nobody_asked_is_no_try_of_the_model() -> None:
    assert not is_tried(request(1, trace(outcome=Outcome.CANCELLED)))
    assert not is_tried(request(1, trace(outcome=Outcome.SKIPPED)))
    assert not is_tried(request(1, phase=Phase.WARMUP))
    assert is_tried(request(1, trace(outcome=Outcome.TIMEOUT)))


@pytest.mark.parametrize(("gaps_ms", "is_estimate"), [((10.0,) * 9, False), ((0, 0, 10.0, 0, 0, 0), True)])
def test_a_rate_between_a_few_big_reads_is_an_estimate(gaps_ms: tuple[float, ...], is_estimate: bool) -> None:
    found = read(trace(gaps_ms, completion=len(gaps_ms) + 1), Measure.DECODE_RATE)

    assert found is not None
    assert found.is_estimate is is_estimate

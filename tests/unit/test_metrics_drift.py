"""Rounds that slow down, and rounds under other conditions than the rest."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from foundry_tui.domain.bench import RequestRun
from foundry_tui.domain.bench_conditions import RequestConditions
from foundry_tui.domain.chat import ChunkReceived, Outcome, TokenUsage
from foundry_tui.domain.resources import PowerSource, Throttle
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.drift import Drift, DriftVerdict, FlagKind, drift
from foundry_tui.metrics.measures import Measure
from foundry_tui.reports.results import results_object
from foundry_tui.reports.run_cost_words import drift_words
from foundry_tui.reports.run_markdown import run_markdown
from tests.support.runs import a_request, a_run

MS = 1_000_000
EASY = RequestConditions(
    throttles=(), gpu_clock_mhz=1900.0, cpu_clock_mhz=3000.0, power_source=PowerSource.MAINS, governor="p"
)


def answered(per_token_ms: float, *, tokens: int = 20) -> GenerationTrace:
    """100 ms to the first token."""
    stamps = [round((100 + per_token_ms * place) * MS) for place in range(tokens)]
    return GenerationTrace(
        call_ns=0,
        sent_ns=0,
        headers_ns=0,
        role_ns=0,
        chunks=tuple(ChunkReceived(at_ns=at_ns, text="a", read=n) for n, at_ns in enumerate(stamps)),
        end_ns=stamps[-1],
        usage=TokenUsage(prompt_tokens=1, completion_tokens=tokens),
        outcome=Outcome.COMPLETED,
        finish_reason="stop",
    )


def rounds(
    per_token_ms: Sequence[float],
    conditions: Callable[[int], RequestConditions | None] = lambda number: None,
    *,
    prompts: int = 1,
) -> list[RequestRun]:
    """A request of each prompt in each round; the second prompt takes three times as long, and so on."""
    return [
        replace(
            a_request((number - 1) * prompts + prompt),
            prompt_id=f"p{prompt}",
            round=number,
            trace=answered(taken * (2 * prompt - 1)),
            conditions=conditions(number),
        )
        for number, taken in enumerate(per_token_ms, start=1)
        for prompt in range(1, prompts + 1)
    ]


def found_in(requests: Sequence[RequestRun]) -> Drift:
    found = drift(requests)
    assert found is not None
    return found


def flagged(found: Drift, kind: FlagKind) -> list[int]:
    return [flag.round for flag in found.flags if flag.kind is kind]


@pytest.mark.parametrize("prompts", [1, 3])
def test_a_slowdown_of_30_percent_from_round_6_is_drift_and_rounds_6_to_10_are_flagged(prompts: int) -> None:
    dice = random.Random(prompts)
    speeds = [20 * (1 + dice.gauss(0, 0.03)) / (1 if number <= 5 else 0.7) for number in range(1, 11)]

    found = found_in(rounds(speeds, prompts=prompts))

    assert found.verdict is DriftVerdict.DRIFT
    assert found.slow_rounds == (6, 7, 8, 9, 10)
    assert flagged(found, FlagKind.SLOWER) == [6, 7, 8, 9, 10]
    assert found.measure is Measure.DECODE_RATE
    assert found.ratio == pytest.approx(0.7, abs=0.05)
    assert drift_words(found).startswith("drift: decode rate ")
    assert " lower in rounds 6 to 10 than in the others" in drift_words(found)


def test_all_rounds_stay_in_the_numbers() -> None:
    requests = rounds([20.0] * 5 + [28.0] * 5)

    content = results_object(a_run(), requests)

    summary = content["summary"]
    assert isinstance(summary, list)
    assert summary[0]["drift"]["verdict"] == "drift"
    assert summary[0]["drift"]["slow_rounds"] == [6, 7, 8, 9, 10]
    assert summary[0]["rounds_ok"] == 10
    assert "rounds 6 to 10 than in the others" in run_markdown(a_run(), requests)


def test_a_slow_creep_is_drift_too() -> None:
    dice = random.Random(4)
    found = found_in(rounds([20 * (1 + 0.03 * n + dice.gauss(0, 0.02)) for n in range(12)]))

    assert found.verdict is DriftVerdict.DRIFT
    assert found.slow_rounds[-1] == 12


def test_where_the_first_rounds_are_the_slow_ones_these_are_flagged() -> None:
    found = found_in(rounds([30.0, 30.2, 30.1, 20.0, 20.1, 20.3, 20.2, 20.1, 20.0, 20.2]))

    assert found.verdict is DriftVerdict.DRIFT
    assert found.slow_rounds == (1, 2, 3)


@pytest.mark.parametrize(("count", "noise"), [(5, 0.2), (8, 0.1), (10, 0.3), (20, 0.1)])
def test_noise_without_drift_is_called_drift_in_no_more_than_5_of_100_runs(count: int, noise: float) -> None:
    dice = random.Random(count)
    alarms = sum(
        found_in(rounds([20 * 2 ** dice.gauss(0, noise) for _ in range(count)])).verdict is DriftVerdict.DRIFT
        for _ in range(200)
    )

    assert alarms / 200 <= 0.05


def test_a_difference_below_5_percent_is_no_drift_however_sure_it_is() -> None:
    found = found_in(rounds([20.0] * 10 + [20.6] * 10))

    assert found.p is not None
    assert found.p < 0.01
    assert found.verdict is DriftVerdict.NONE_SHOWN


def test_of_four_rounds_nothing_can_be_said() -> None:
    found = found_in(rounds([20.0, 25.0, 30.0, 35.0]))

    assert found.verdict is DriftVerdict.TOO_FEW
    assert drift_words(found) == "too few rounds (4 of 5) to tell whether it drifted"


def test_five_rounds_that_slow_without_a_break_are_enough() -> None:
    found = found_in(rounds([20.0, 25.0, 30.0, 35.0, 40.0]))

    # Twice the two-sided p of one order of 120.
    assert found.p == pytest.approx(4 / 120)
    assert found.verdict is DriftVerdict.DRIFT


def test_a_round_that_lacks_a_long_prompt_is_no_faster_for_it() -> None:
    requests = [one for one in rounds([20.0] * 10, prompts=3) if one.round <= 5 or one.prompt_id != "p3"]

    found = found_in(requests)

    assert found.verdict is DriftVerdict.NONE_SHOWN
    assert found.ratio == pytest.approx(1.0)


def test_where_an_answer_has_no_rate_latency_decides() -> None:
    requests = rounds([20.0] * 5 + [40.0] * 5)
    requests[0] = replace(requests[0], trace=replace(requests[0].trace, chunks=requests[0].trace.chunks[:1]))

    found = found_in(requests)

    assert found.measure is Measure.LATENCY
    assert found.ratio is not None
    assert found.ratio > 1.5


def test_without_an_answer_that_counts_there_is_nothing() -> None:
    failed = replace(a_request(), trace=replace(a_request().trace, outcome=Outcome.TIMEOUT))

    assert drift([failed]) is None
    assert drift([]) is None


def test_rounds_under_other_conditions_are_flagged_by_what_was_read() -> None:
    other = {
        2: replace(EASY, throttles=(Throttle.HEAT, Throttle.POWER_LIMIT)),
        3: replace(EASY, gpu_clock_mhz=1600.0),
        4: replace(EASY, cpu_clock_mhz=2000.0),
        5: replace(EASY, power_source=PowerSource.BATTERY),
        6: replace(EASY, governor="powersave"),
        7: replace(EASY, foreign_cpu_share=0.6),
        8: replace(EASY, foreign_cpu_share=0.24, gpu_clock_mhz=1750.0),
        9: None,
    }
    found = found_in(rounds([20.0] * 10, lambda number: other.get(number, EASY)))

    assert [(flag.round, flag.kind, flag.detail) for flag in found.flags] == [
        (2, FlagKind.THROTTLED, "heat, power limit"),
        (3, FlagKind.GPU_CLOCK, "1600 MHz"),
        (4, FlagKind.CPU_CLOCK, "2000 MHz"),
        (5, FlagKind.BATTERY, ""),
        (6, FlagKind.GOVERNOR, "powersave"),
        (7, FlagKind.FOREIGN_CPU, "60 %"),
    ]
    assert found.verdict is DriftVerdict.NONE_SHOWN


def test_rounds_in_which_others_used_a_gpu_are_marked_from_a_tenth_and_512_mib_on() -> None:
    least = replace(EASY, foreign_gpu_share=0.05, foreign_gpu=0, foreign_vram_bytes=2 << 30)
    other = {
        2: replace(least, foreign_gpu_share=0.099),
        3: replace(least, foreign_gpu_share=0.4),
        4: replace(least, foreign_gpu_share=0.1, foreign_gpu=1),
        5: replace(least, foreign_vram_bytes=(2 << 30) + (512 << 20)),
        6: replace(least, foreign_vram_bytes=(2 << 30) + (511 << 20)),
        7: EASY,
    }
    requests = rounds([20.0] * 8, lambda number: other.get(number, least))

    found = found_in(requests)

    assert [(flag.round, flag.kind, flag.detail) for flag in found.flags] == [
        (3, FlagKind.FOREIGN_GPU, "40 % of GPU 0"),
        (4, FlagKind.FOREIGN_GPU, "10 % of GPU 1"),
        (5, FlagKind.FOREIGN_VRAM, "512 MiB more"),
    ]
    markdown = run_markdown(a_run(), [one for one in requests if one.round != 4])
    assert "round 3: another process used a GPU (40 % of GPU 0)" in markdown
    assert "round 5: others held more memory of the GPUs (512 MiB more)" in markdown


def test_a_report_tells_the_rounds_of_each_mark_together_and_harmlessly() -> None:
    hot = replace(EASY, throttles=(Throttle.HEAT,), governor="evil\x1b[31m")
    requests = rounds([20.0] * 10, lambda number: hot if number in (1, 4, 5, 6) else EASY)

    markdown = run_markdown(a_run(), requests)

    assert "rounds 1, 4 to 6: a GPU was held back (heat)" in markdown
    assert "\x1b" not in markdown


def test_without_any_reading_of_the_machine_no_round_is_marked() -> None:
    found = found_in(rounds([20.0] * 6))

    assert found.flags == ()
    assert drift_words(found) == "no drift shown (6 rounds)"

"""What stays in memory after an unload, and what each request adds."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from foundry_tui.domain.bench import ModelRun, Order, Phase, RequestRun, Run
from foundry_tui.metrics.leak import GrowthVerdict, MemoryKind, growth, residuals
from foundry_tui.reports.results import results_json, results_object
from foundry_tui.reports.run_cost_words import growth_words, leak_lines, residual_words
from foundry_tui.reports.run_costs import model_costs
from foundry_tui.reports.run_markdown import run_markdown
from foundry_tui.reports.run_reading import read_run
from foundry_tui.reports.run_results import model_results
from tests.support.runs import a_request, a_run

MIB = 1 << 20


def model(*, before: int = 300, loaded: int = 1300, after: int = 300) -> ModelRun:
    """Resident memory around it, in MiB."""
    return ModelRun(
        model="alpha",
        model_id="alpha-cpu:1",
        rss_before_bytes=before * MIB,
        rss_loaded_bytes=loaded * MIB,
        rss_after_bytes=after * MIB,
    )


def asked(peaks_mib: Sequence[float | None], *, prompts: int = 1) -> list[RequestRun]:
    """A timed request for each peak, prompt after prompt."""
    return [
        replace(
            a_request(place + 1),
            prompt_id=f"p{place % prompts + 1}",
            round=place // prompts + 1,
            peak_rss_bytes=None if peak is None else int(peak * MIB),
        )
        for place, peak in enumerate(peaks_mib)
    ]


def of_alpha(run: Run, alpha: ModelRun, *, is_blocked: bool = True) -> Run:
    plan = replace(run.plan, order=Order.BLOCKED if is_blocked else Order.INTERLEAVED)
    return replace(run, plan=plan, models=(alpha, run.models[1]))


def test_an_engine_that_keeps_200_mib_has_a_residual_row_that_says_not_freed() -> None:
    (found,) = residuals(model(after=500), asked([1300, 1310]))

    assert found.kept_bytes == 200 * MIB
    assert found.taken_bytes == 1010 * MIB
    assert found.is_freed is False
    assert residual_words(found) == (
        "not freed: 200 MiB of 1010 MiB stay after the unload, until the engine's process is restarted"
    )


def test_one_that_gives_nearly_all_of_it_back_has_freed_it() -> None:
    (found,) = residuals(model(after=320), asked([1300]))

    assert found.is_freed is True
    assert residual_words(found) == "freed 98 % of 1000 MiB after the unload"


def test_what_was_not_read_after_the_unload_is_not_judged() -> None:
    (found,) = residuals(replace(model(), rss_after_bytes=None), asked([1300]))

    assert (found.kept_bytes, found.freed_share, found.is_freed) == (None, None, None)


def test_memory_of_the_gpu_and_of_the_process_alone_have_rows_of_their_own() -> None:
    alpha = replace(
        model(),
        uss_before_bytes=100 * MIB,
        uss_loaded_bytes=900 * MIB,
        uss_after_bytes=110 * MIB,
        vram_before_bytes=0,
        vram_loaded_bytes=4000 * MIB,
        vram_after_bytes=4000 * MIB,
    )

    found = residuals(alpha, asked([1300]))

    assert [(each.kind, each.is_freed) for each in found] == [
        (MemoryKind.RSS, True),
        (MemoryKind.USS, True),
        (MemoryKind.VRAM, False),
    ]


def test_100_mib_more_with_each_request_is_growth() -> None:
    dice = random.Random(2)
    found = growth(asked([1000 + 100 * n + dice.gauss(0, 20) for n in range(8)]), MemoryKind.RSS)

    assert found is not None
    assert found.verdict is GrowthVerdict.GROWS
    assert found.bytes_per_request == pytest.approx(100 * MIB, rel=0.1)
    assert found.interval is not None
    assert found.interval.holds(100 * MIB)


def test_prompts_of_different_sizes_are_no_growth_and_hide_none() -> None:
    sizes = [0, 400, 900]
    flat = asked([1000 + sizes[n % 3] for n in range(12)], prompts=3)
    rising = asked([1000 + sizes[n % 3] + 30 * n for n in range(12)], prompts=3)

    found, leaking = growth(flat, MemoryKind.RSS), growth(rising, MemoryKind.RSS)

    assert found is not None
    assert found.verdict is GrowthVerdict.FLAT
    assert leaking is not None
    assert leaking.verdict is GrowthVerdict.GROWS
    assert leaking.bytes_per_request == pytest.approx(30 * MIB)


def test_one_round_of_prompts_that_grow_longer_shows_nothing() -> None:
    found = growth(asked([1000 + 100 * n for n in range(9)], prompts=9), MemoryKind.RSS)

    assert found is not None
    assert found.verdict is GrowthVerdict.TOO_FEW
    assert found.bytes_per_request is None


def test_what_is_set_aside_at_first_and_then_kept_is_no_leak() -> None:
    found = growth(asked([1000, 1080, 1140, 1180, 1200, 1201, 1202, 1203, 1204, 1205]), MemoryKind.RSS)

    assert found is not None
    assert found.p is not None
    assert found.p < 0.01
    assert found.verdict is GrowthVerdict.FLAT


def test_with_four_requests_nothing_can_be_shown_and_with_none_read_there_is_nothing() -> None:
    few = growth(asked([1000, 1100, 1200, 1300]), MemoryKind.RSS)

    assert few is not None
    assert few.verdict is GrowthVerdict.TOO_FEW
    assert growth(asked([None] * 9), MemoryKind.RSS) is None
    assert growth(asked([1000] * 9), MemoryKind.VRAM) is None


@pytest.mark.parametrize("count", [5, 8, 12, 40])
def test_noise_without_growth_is_called_growth_in_less_than_5_of_100_runs(count: int) -> None:
    dice = random.Random(count)
    verdicts = []
    for _ in range(200):
        found = growth(asked([1000 + dice.gauss(0, 50) for _ in range(count)]), MemoryKind.RSS)
        assert found is not None
        verdicts.append(found.verdict)

    assert verdicts.count(GrowthVerdict.GROWS) / 200 <= 0.05
    assert GrowthVerdict.FLAT in verdicts


def test_requests_that_are_not_timed_are_steps_but_no_readings() -> None:
    requests = asked([1000 + 50 * n for n in range(12)])
    warm = [replace(one, phase=Phase.WARMUP) if one.number % 2 else one for one in requests]

    found = growth(warm, MemoryKind.RSS)

    assert found is not None
    assert found.requests == 6
    assert found.bytes_per_request == pytest.approx(50 * MIB)


def test_reports_tell_what_stayed_and_what_each_request_adds() -> None:
    run = of_alpha(a_run(), model(after=500))
    requests = asked([1000 + 100 * n for n in range(8)])

    markdown = run_markdown(run, requests)
    content = results_object(run, requests)

    assert "not freed: 200 MiB of 1.37 GiB stay after the unload" in markdown
    assert "grows by 100 MiB with each request" in markdown
    summary = content["summary"]
    assert isinstance(summary, list)
    memory = summary[0]["memory"]
    assert memory["residuals"][0]["freed"] is False
    assert memory["growth"][0]["verdict"] == "grows"


def test_where_models_shared_the_process_nothing_is_claimed_of_one_of_them() -> None:
    run = of_alpha(a_run(), model(after=500), is_blocked=False)
    requests = [*asked([1000] * 8), replace(a_request(9, model="beta"), peak_rss_bytes=1)]

    costs = model_costs(run, model_results(run, requests))

    assert leak_lines(costs) == []


def test_a_file_of_results_brings_all_of_it_back() -> None:
    alpha = replace(model(), uss_before_bytes=1, uss_loaded_bytes=2, vram_after_bytes=3)
    run = of_alpha(replace(a_run(), ended_unix_ms=2_000), alpha)

    found = read_run(results_json(results_object(run, [])), name="a file", now_unix_ms=0)

    assert found.run.models[0] == alpha


def test_growth_in_words_has_its_interval() -> None:
    found = growth(asked([1000 + 100 * n for n in range(9)]), MemoryKind.RSS)

    assert found is not None
    assert growth_words(found) == "grows by 100 MiB with each request (95 % [100 MiB, 100 MiB], 9 requests)"

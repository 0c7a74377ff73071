"""Several runs of one plan at growing concurrency, side by side.  Everything in it is harmless."""

from collections.abc import Sequence

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.quantities import UNKNOWN, rate_in_words, seconds_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.goodput import throughput
from foundry_tui.reports.run_results import ModelResult, model_results
from foundry_tui.reports.run_words import worst_words

__all__ = ["SWEEP_HEADER", "SWEEP_RIGHT_COLUMNS", "sweep_rows"]

SWEEP_HEADER = ("MODEL", "AT ONCE", "STATUS", "OK", "IN ALL", "TTFT", "LATENCY", "P95 LATENCY", "GOODPUT")
SWEEP_RIGHT_COLUMNS = frozenset({1, 3, 4, 5, 6, 7, 8})


def sweep_rows(runs: Sequence[tuple[Run, Sequence[RequestRun]]]) -> list[tuple[str, ...]]:
    """A row for each model of each run, in the columns of ``SWEEP_HEADER``: model by model, then as given.

    Args:
        runs: Of one plan but for its concurrency.
    """
    results = [(run, model_results(run, requests)) for run, requests in runs]
    names = dict.fromkeys(result.name for _, found in results for result in found)
    return [
        _row(run, result)
        for name in names
        for run, found in results
        for result in found
        if result.name == name
    ]


def _row(run: Run, result: ModelResult) -> tuple[str, ...]:
    summary, whole = result.summary, throughput(result.requests)
    rate = None if whole is None else whole.tokens_per_busy_s
    good = result.goodput
    return (
        clean_line(result.name),
        str(run.plan.concurrency),
        result.status.words,
        f"{summary.rounds_ok}/{max(len(run.plan.prompts) * run.plan.rounds, summary.tried)}",
        rate_in_words(rate, is_estimate=whole is not None and whole.is_estimate),
        seconds_in_words(None if summary.ttft_s is None else summary.ttft_s.median),
        seconds_in_words(None if summary.latency_s is None else summary.latency_s.median),
        worst_words(summary.latency_s),
        UNKNOWN if good is None or good.share is None else f"{good.share * 100:.0f} %",
    )

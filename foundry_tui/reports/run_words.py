"""A run in words: what its tables, its Markdown and its log lines share.  Everything in it is harmless."""

from collections.abc import Sequence

from foundry_tui.domain.bench import Phase, RequestRun, Run, RunStatus
from foundry_tui.domain.quantities import UNKNOWN, bytes_in_words, rate_in_words, seconds_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.certificate import Grade
from foundry_tui.metrics.comparison import compared
from foundry_tui.metrics.measures import Measure
from foundry_tui.metrics.outliers import Cause
from foundry_tui.metrics.prefill import NoPrefill
from foundry_tui.metrics.spread import Spread
from foundry_tui.metrics.trust import Withheld
from foundry_tui.reports.answer import describe
from foundry_tui.reports.comparison_words import comparison_sentence
from foundry_tui.reports.hidden_words import answers_words
from foundry_tui.reports.run_costs import holds_one_model
from foundry_tui.reports.run_results import ModelResult

__all__ = [
    "CAUSE_WORDS",
    "GRADE_WORDS",
    "MODEL_HEADER",
    "NO_PREFILL_WORDS",
    "RIGHT_COLUMNS",
    "WITHHELD_WORDS",
    "highlights",
    "left_out_lines",
    "memory_lines",
    "model_row",
    "rate_words",
    "request_line",
    "status_words",
    "worst_words",
]

MODEL_HEADER = ("MODEL", "STATUS", "OK", "TTFT", "DECODE", "LATENCY", "P95 LATENCY", "LOAD", "PEAK RSS")
RIGHT_COLUMNS = frozenset({2, 3, 4, 5, 6, 7, 8})

CAUSE_WORDS = {
    Cause.FIRST: "the first timed request of its model",
    Cause.STALL: "it halted in the middle",
    Cause.FOREIGN_DELAY: "something else had the processor",
    Cause.LONGER_OUTPUT: "a longer answer",
    Cause.SHORTER_OUTPUT: "a shorter answer",
    Cause.UNKNOWN: "no cause seen",
}
WITHHELD_WORDS = {
    Withheld.MERGED_READS: "more than 1 % of the chunks came in one read with the one before",
    Withheld.LATE_CLOCK: "the measuring process itself was more than 5 ms late",
}
GRADE_WORDS = {
    Grade.D3: "repeatable at temperature 0, and temperature works",
    Grade.D2: "repeatable, but temperature changes nothing",
    Grade.D1: "repeatable only with a seed",
    Grade.D0: "not repeatable",
}
NO_PREFILL_WORDS = {
    NoPrefill.NOT_READ: "the calibration was not answered",
    NoPrefill.NO_COUNT: "the server does not count prompt tokens",
    NoPrefill.ALIKE_PROMPTS: "the two prompts of the calibration came out alike in length",
    NoPrefill.ROLE_EARLY: "the role chunk does not wait for the prompt to be read",
    NoPrefill.TOO_FAST: "prompts are read faster than this can be told",
}


def status_words(run: Run, results: Sequence[ModelResult]) -> str:
    """How the run stands: ``completed, 1 of 3 models failed``, or ``interrupted: `` and why."""
    if run.status is not RunStatus.COMPLETED:
        return run.status.value + (f": {clean_line(run.reason, 200)}" if run.reason else "")
    failed = sum(not result.is_well for result in results)
    return "completed" if not failed else f"completed, {failed} of {len(results)} models failed"


def request_line(request: RequestRun, *, done: int, planned: int) -> str:
    """What became of one request: ``[3/12] phi · rag, round 1: TTFT …``."""
    place = f"{done}/{planned}" if request.phase is Phase.TIMED else request.phase.value
    asked = f"{clean_line(request.model)} · {clean_line(request.prompt_id)}, round {request.round}"
    words = f"[{place}] {asked}: {describe(request.trace)}"
    error = request.trace.error
    return words if error is None else f"{words}: {clean_line(error, 200)}"


def model_row(result: ModelResult, *, rounds: int) -> tuple[str, ...]:
    """One model, in the columns of ``MODEL_HEADER``; ``rounds`` is how many requests the plan asks for."""
    summary = result.summary
    return (
        clean_line(result.name),
        result.status.words,
        f"{summary.rounds_ok}/{max(rounds, summary.tried)}",
        seconds_in_words(_median(summary.ttft_s)),
        rate_words(result, Measure.DECODE_RATE, summary.decode_tokens_per_s),
        seconds_in_words(_median(summary.latency_s)),
        worst_words(summary.latency_s),
        seconds_in_words(result.load_s),
        bytes_in_words(result.peak_rss_bytes),
    )


def worst_words(values: Spread | None, *, digits: int | None = None) -> str:
    """p95 where n allows it, else ``max 2.31 s (n=3)``; with ``digits`` the bare number of seconds."""
    if values is None:
        return UNKNOWN

    def told(value: float) -> str:
        return seconds_in_words(value) if digits is None else f"{value:.{digits}f}"

    return told(values.p95) if values.p95_supported else f"max {told(values.max)} (n={values.n})"


def rate_words(result: ModelResult, measure: Measure, values: Spread | None) -> str:
    """The median rate, with a ``~`` where a count in it was estimated."""
    return rate_in_words(_median(values), is_estimate=measure in result.summary.estimated)


def left_out_lines(results: Sequence[ModelResult]) -> list[str]:
    """What did not enter the numbers, how many, and why."""
    lines: list[str] = []
    for result in results:
        name = clean_line(result.name)
        if not result.is_well:
            reason = f": {clean_line(result.reason, 300)}" if result.reason else ""
            lines.append(f"{name}: {result.status.words}{reason}")
        if result.summary.left_out:
            counts = ", ".join(f"{count} {outcome.words}" for outcome, count in result.summary.left_out)
            lines.append(f"{name}: left out of {result.summary.tried} timed requests: {counts}")
        if result.summary.other_phases:
            counts = ", ".join(f"{count} {phase.value}" for phase, count in result.summary.other_phases)
            lines.append(f"{name}: not timed: {counts}")
        if result.summary.hidden:
            phases = "" if result.hidden is None else f": {answers_words(result.hidden)} (medians)"
            lines.append(
                f"{name}: no decode rate for {result.summary.hidden} answers, whose count holds hidden tokens"
                f"{phases}"
            )
        rates = result.summary.decode_tokens_per_s
        coarse = result.summary.rounds_ok - result.summary.hidden - (0 if rates is None else rates.n)
        if coarse > 0:
            lines.append(
                f"{name}: no decode rate for {coarse} answers: they came in one piece, or nobody counts their"
                " tokens"
            )
        gaps = result.summary.gaps
        if gaps is not None and gaps.withheld:
            reasons = ", ".join(WITHHELD_WORDS[reason] for reason in gaps.withheld)
            lines.append(f"{name}: percentiles of gaps are withheld: {reasons}")
        lines += [f"{name}: {clean_line(warning, 300)}" for warning in result.model.warnings]
    return lines


def memory_lines(run: Run, results: Sequence[ModelResult]) -> list[str]:
    """What memory was read of, where that is not one model alone."""
    if holds_one_model(run, results):
        return []
    read = [result for result in results if result.peak_rss_bytes is not None]
    return [
        f"Peak RSS is the engine's process with up to {len(read)} models in it at once, not one model's own;"
        " --order blocked measures them apart."
    ]


def highlights(results: Sequence[ModelResult]) -> list[str]:
    """What the numbers say, one sentence each, with no claim that they do not carry."""
    lines: list[str] = []
    for measure in (Measure.DECODE_RATE, Measure.TTFT, Measure.LATENCY):
        lines += _best(results, measure)
    small = [result for result in results if result.summary.rounds_ok and result.peak_rss_bytes is not None]
    for result in small if len(small) == 1 else []:
        size = bytes_in_words(result.peak_rss_bytes)
        lines.append(f"The engine's process with {clean_line(result.name)} in it took {size} at its peak.")
    for result in results:
        whole = result.throughput
        if whole is not None and whole.tokens_per_busy_s is not None:
            rate = rate_in_words(whole.tokens_per_busy_s, is_estimate=whole.is_estimate)
            lines.append(
                f"{clean_line(result.name)} gave {rate} in all, with {whole.under_way:.1f} requests at once."
            )
    marked = sum(len(result.outliers) for result in results)
    if marked:
        lines.append(f"{marked} of the requests stand out in latency; they are marked, and in every number.")
    return lines


def _best(results: Sequence[ModelResult], measure: Measure) -> list[str]:
    """The first in ``measure`` beside the second; of one model its median and spread."""
    known = [
        (found, result) for result in results if (found := result.summary.spread_of(measure)) is not None
    ]
    known.sort(key=lambda pair: pair[0].median, reverse=not measure.is_time)
    if not known:
        return []
    values, first = known[0]
    told = _told(first, measure, values)
    if len(known) == 1:
        return [f"{clean_line(first.name)}: {told}."]
    second = known[1][1]
    sentence = comparison_sentence(
        compared(second.requests, first.requests, measure=measure), second.name, first.name
    )
    return [f"{clean_line(first.name)} has {_SUPERLATIVE[measure]}: {told}; {sentence}."]


_SUPERLATIVE = {
    Measure.DECODE_RATE: "the highest median decode rate",
    Measure.TTFT: "the shortest median time to first token",
    Measure.LATENCY: "the shortest median latency",
}


def _told(result: ModelResult, measure: Measure, values: Spread) -> str:
    if measure.is_time:
        what = "to the first token" if measure is Measure.TTFT else "for the whole answer"
        ends = f"{seconds_in_words(values.min)} to {seconds_in_words(values.max)}"
        return f"{seconds_in_words(values.median)} {what} ({ends}, n={values.n})"
    about = measure in result.summary.estimated
    ends = f"{values.min:.1f} to {values.max:.1f}"
    return f"{rate_in_words(values.median, is_estimate=about)} ({ends}, n={values.n})"


def _median(values: Spread | None) -> float | None:
    return None if values is None else values.median

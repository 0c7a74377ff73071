"""A run as ``benchmark_report.md``: the workshop's table with ours beside it, and all that it rests on."""

from collections.abc import Iterable, Sequence

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.quantities import bytes_in_words, seconds_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.certificate import AnsweredBefore
from foundry_tui.metrics.intervals import Interval
from foundry_tui.metrics.measures import Measure, is_counted
from foundry_tui.metrics.run_context import RunContext
from foundry_tui.metrics.spread import Spread
from foundry_tui.reports.check_markdown import checks_markdown
from foundry_tui.reports.comparison_words import answered_before_line
from foundry_tui.reports.conversation_markdown import utc_moment
from foundry_tui.reports.markdown_text import plain_words, table_lines
from foundry_tui.reports.prediction_lines import prediction_lines
from foundry_tui.reports.race_words import race_lines
from foundry_tui.reports.reruns import again_lines
from foundry_tui.reports.run_choice import (
    CHOICE_TITLE,
    QUALITY_TITLE,
    choice_lines,
    quality_section,
    run_choice,
)
from foundry_tui.reports.run_cost_words import drift_lines, energy_lines, leak_lines
from foundry_tui.reports.run_costs import model_costs
from foundry_tui.reports.run_footer import environment_facts, measuring_notes, own_error_lines
from foundry_tui.reports.run_plan_words import plan_facts
from foundry_tui.reports.run_results import ModelResult, model_results
from foundry_tui.reports.run_summary_words import goodput_lines
from foundry_tui.reports.run_words import (
    CAUSE_WORDS,
    GRADE_WORDS,
    NO_PREFILL_WORDS,
    WITHHELD_WORDS,
    highlights,
    left_out_lines,
    memory_lines,
    status_words,
    worst_words,
)

__all__ = ["run_markdown"]

_WORKSHOP_HEADER = ("Model", "Avg Latency (s)", "p95 (s)", "Tokens/sec", "Rounds", "First Token (s)")
_OUR_HEADER = (
    "Status",
    "Median Latency (s)",
    "95 % Interval (s)",
    "End-to-End Tokens/sec",
    "Load",
    "Peak RSS",
)
_MISSING = "-"
_SAMPLE_CHARACTERS = 200


def run_markdown(
    run: Run,
    requests: Sequence[RequestRun],
    context: RunContext | None = None,
    *,
    results: Sequence[ModelResult] | None = None,
) -> str:
    """The whole report; every text that is not ours stands in it as plain words.

    Args:
        run: Which one.
        requests: All of it.
        context: What is known of it from elsewhere; None for nothing.
        results: ``model_results`` of the two, where the caller has them already; None reckons them up.
    """
    context = context or RunContext()
    if results is None:
        results = model_results(run, requests)
    costs = model_costs(run, results)
    sections: list[Sequence[str]] = [
        _head(run, results),
        table_lines((*_WORKSHOP_HEADER, *_OUR_HEADER), [_model_row(run, result) for result in results]),
        _interpretation(results),
        ["## Beside the workshop's figure", "", *_legacy(results)],
        ["## Gaps between chunks", "", *_gaps(results)],
    ]
    scored = [] if context.quality is None else quality_section(context.quality)
    chosen = (
        [] if context.quality is None else choice_lines(run_choice(run, requests, results, context.quality))
    )
    for title, lines in (
        (QUALITY_TITLE, scored),
        (CHOICE_TITLE, chosen),
        ("With and without acceleration", [f"- {plain_words(line)}" for line in race_lines(run, results)]),
        ("What had been predicted", [f"- {plain_words(line)}" for line in prediction_lines(results)]),
        ("Goodput", [f"- {plain_words(line)}" for line in goodput_lines(results)]),
        ("Repeatability", [*_certificates(results), *_before(context.before)]),
        ("Automatic checks", checks_markdown(context.checks)),
        ("Reading the prompt", _prefill(results)),
        ("Requests that stand out", _outliers(results)),
        ("What was left out, and why", [f"- {plain_words(line)}" for line in left_out_lines(results)]),
    ):
        if lines:
            sections.append([f"## {title}", "", *lines])
    sections += [
        [
            "## Memory and load",
            "",
            *_memory(results),
            *_after(memory_lines(run, results)),
            *_after([f"- {plain_words(line)}" for line in leak_lines(costs)]),
        ],
        *_section("Energy", energy_lines(costs)),
        *_section("The same from begin to end?", drift_lines(costs)),
        *_section("Rounds measured again", again_lines(results)),
        ["## First answers", "", *_samples(results)],
        ["## Plan", "", *_facts(plan_facts(run.plan))],
        ["## Environment", "", *_environment(run)],
        ["## How well this was measured", "", *_clock(run, requests)],
    ]
    return "\n".join("\n".join([*lines, ""]) for lines in sections)


def _section(title: str, lines: Sequence[str]) -> list[list[str]]:
    """Of harmless lines as a list; none where there are none."""
    return [[f"## {title}", "", *(f"- {plain_words(line)}" for line in lines)]] if lines else []


def _head(run: Run, results: Sequence[ModelResult]) -> list[str]:
    title = f"Benchmark: {plain_words(run.name)}" if run.name else "Benchmark"
    note = ["", f"> {plain_words(run.note)}"] if run.note else []
    tags = ["", f"Tags: {plain_words(', '.join(run.tags))}"] if run.tags else []
    ended = "not yet" if run.ended_unix_ms is None else utc_moment(run.ended_unix_ms)
    return [
        f"# {title}",
        "",
        f"Run {plain_words(run.id)}, {status_words(run, results)}; begun {utc_moment(run.started_unix_ms)},"
        f" ended {ended}.",
        *tags,
        *note,
    ]


def _model_row(run: Run, result: ModelResult) -> list[str]:
    summary = result.summary
    about = _about(result, Measure.DECODE_RATE)
    planned = max(summary.tried, len(run.plan.prompts) * run.plan.rounds)
    interval = None if summary.latency_s is None else summary.latency_s.median_interval
    return [
        plain_words(result.name),
        _mean(summary.latency_s, 3),
        _MISSING if summary.latency_s is None else worst_words(summary.latency_s, digits=3),
        _mean(summary.decode_tokens_per_s, 1, about),
        f"{summary.rounds_ok}/{planned}",
        _mean(summary.ttft_s, 3),
        result.status.words,
        _MISSING if summary.latency_s is None else f"{summary.latency_s.median:.3f}",
        _interval(interval),
        _mean(
            summary.end_to_end_tokens_per_s,
            1,
            _about(result, Measure.END_TO_END_RATE),
        ),
        _MISSING if result.load_s is None else seconds_in_words(result.load_s),
        _MISSING if result.peak_rss_bytes is None else bytes_in_words(result.peak_rss_bytes),
    ]


def _interpretation(results: Sequence[ModelResult]) -> list[str]:
    has_any = any(result.requests for result in results)
    nothing = "No request ended well" if has_any else "There are no readings"
    said = highlights(results) or [f"{nothing}, so there is nothing to compare."]
    return [
        "**Interpretation** " + plain_words(said[0]),
        *(f"- {plain_words(line)}" for line in said[1:]),
        "",
        "Tokens/sec is the decode rate, (C − c1)/(tn − t1): output tokens only, without the wait for the"
        " first. Latency is tn − t0, from the request fully sent to the last text. p95 is shown from 59"
        " requests on; below that the largest value stands in its place. ~ marks an estimated count.",
    ]


def _legacy(results: Sequence[ModelResult]) -> list[str]:
    rows = [
        [
            plain_words(result.name),
            _MISSING if result.legacy_tokens_per_s is None else f"{result.legacy_tokens_per_s:.2f}",
            _corrected(result),
            _mean(result.summary.decode_tokens_per_s, 2, _about(result, Measure.DECODE_RATE)),
        ]
        for result in results
    ]
    return [
        *table_lines(("Model", "Workshop's tokens/sec", "Corrected tokens/sec", "Decode tokens/sec"), rows),
        "",
        "The workshop's figure is (prompt + output tokens)/latency. It counts the prompt as if it had been"
        " written, and is here only to compare with old results; corrected, it is output tokens/latency.",
    ]


def _corrected(result: ModelResult) -> str:
    if result.corrected_tokens_per_s is None:
        return _MISSING
    return f"{_about(result, Measure.END_TO_END_RATE)}{result.corrected_tokens_per_s:.2f}"


def _about(result: ModelResult, measure: Measure) -> str:
    return "~" if measure in result.summary.estimated else ""


def _gaps(results: Sequence[ModelResult]) -> list[str]:
    rows = []
    for result in results:
        gaps = result.summary.gaps
        if gaps is None:
            rows.append([plain_words(result.name), *[_MISSING] * 6])
            continue
        told = (gaps.median_s, gaps.p95_s if gaps.p95_supported else None, gaps.max_s)
        why = ", ".join(WITHHELD_WORDS[reason] for reason in gaps.withheld)
        rows.append(
            [
                plain_words(result.name),
                gaps.unit.value,
                str(gaps.n),
                *(_MISSING if value is None else f"{value * 1000:.2f}" for value in told),
                str(gaps.stalls) + (f" (percentiles withheld: {why})" if why else ""),
            ]
        )
    return table_lines(("Model", "Between", "n", "Median (ms)", "p95 (ms)", "Max (ms)", "Stalls"), rows)


def _certificates(results: Sequence[ModelResult]) -> list[str]:
    lines = []
    for result in results:
        if result.certificate is None:
            continue
        grade = result.certificate.grade
        words = "too few answers to tell" if grade is None else f"{grade.value}: {GRADE_WORDS[grade]}"
        lines.append(f"- {plain_words(result.name)}: {words}")
    return lines


def _before(before: Sequence[AnsweredBefore]) -> list[str]:
    return [f"- {plain_words(answered_before_line(found))}" for found in before]


def _prefill(results: Sequence[ModelResult]) -> list[str]:
    lines = []
    for result in results:
        prefill = result.prefill
        if prefill is None:
            continue
        if prefill.reason is not None:
            words = f"n/a, {NO_PREFILL_WORDS[prefill.reason]}"
        else:
            words = f"{prefill.tokens_per_s or 0:,.0f} prompt tokens a second"
        lines.append(f"- {plain_words(result.name)}: {words}")
    return lines


def _outliers(results: Sequence[ModelResult]) -> list[str]:
    return [
        f"- {plain_words(result.name)}, request {outlier.number}: {seconds_in_words(outlier.value)} where"
        f" {seconds_in_words(outlier.usual)} is usual; {CAUSE_WORDS[outlier.cause]}. It is in every number."
        for result in results
        for outlier in result.outliers
    ]


def _memory(results: Sequence[ModelResult]) -> list[str]:
    rows = [
        [
            plain_words(result.name),
            seconds_in_words(result.load_s),
            seconds_in_words(result.first_request_penalty_s),
            bytes_in_words(result.model.rss_before_bytes),
            bytes_in_words(result.model.rss_loaded_bytes),
            bytes_in_words(result.peak_rss_bytes),
            bytes_in_words(result.model.rss_after_bytes),
            bytes_in_words(result.peak_vram_bytes),
        ]
        for result in results
    ]
    header = (
        "Model",
        "Load",
        "First request's penalty",
        "RSS before",
        "Loaded",
        "Peak",
        "After unload",
        "Peak VRAM",
    )
    return table_lines(header, rows)


def _after(lines: Sequence[str]) -> list[str]:
    """``lines`` below a table."""
    return ["", *lines] if lines else []


def _samples(results: Sequence[ModelResult]) -> list[str]:
    lines: list[str] = []
    for result in results:
        first = next((request for request in result.requests if is_counted(request)), None)
        if first is not None:
            text = plain_words(clean_line(first.trace.text, _SAMPLE_CHARACTERS)) or "(no visible text)"
            lines += [f"- {plain_words(result.name)}, {plain_words(first.prompt_id)}: {text}"]
    return lines or ["None ended well."]


def _environment(run: Run) -> list[str]:
    facts = list(environment_facts(run))
    for model in run.models:
        facts += [(f"{model.model}: {name}", value) for name, value in model.facts]
    return _facts(facts) or ["Nothing is known of it."]


def _clock(run: Run, requests: Sequence[RequestRun]) -> list[str]:
    return [
        *_facts(measuring_notes(run, requests)),
        *(f"- {plain_words(line)}" for line in own_error_lines(run)),
    ]


def _facts(facts: Iterable[tuple[str, str]]) -> list[str]:
    # As one line: a number at its beginning would begin a list, one behind a name does not.
    return [f"- {plain_words(f'{clean_line(name)}: {value}')}" for name, value in facts]


def _mean(values: Spread | None, digits: int, about: str = "") -> str:
    return _MISSING if values is None else f"{about}{values.mean:.{digits}f}"


def _interval(interval: Interval | None) -> str:
    return _MISSING if interval is None else f"{interval.low:.3f} to {interval.high:.3f}"

"""The tables of the HTML report that no other report has: the summary with its spreads, requests, answers."""

from collections.abc import Iterator, Sequence

from foundry_tui.domain.bench import BenchPlan, Phase, RequestRun, Run
from foundry_tui.domain.quantities import UNKNOWN, bytes_in_words, plural, rate_in_words, seconds_in_words
from foundry_tui.domain.text import clean_line, clean_text, shorten
from foundry_tui.metrics.measures import Measure, is_counted, read
from foundry_tui.metrics.spread import Spread
from foundry_tui.metrics.tokens import output_tokens
from foundry_tui.reports.page.parts import ends_words, fold, paragraph, scrolling
from foundry_tui.reports.page.text import Markup, joined, line, tag, words
from foundry_tui.reports.reruns import replaced_by
from foundry_tui.reports.run_results import ModelResult
from foundry_tui.reports.run_words import CAUSE_WORDS, model_row

__all__ = ["answers", "prompts", "requests_table", "summary_table"]

_SUMMARY_HEADER = (
    *("Model", "Status", "Answers", "Time to first token", "Decode rate", "Latency"),
    *("p95 latency", "Load", "Peak RSS"),
)
_REQUEST_HEADER = (
    *("No.", "Model", "Prompt", "Round", "Phase", "Status", "TTFT", "Latency", "Decode rate"),
    *("Tokens out", "Chunks", "Peak RSS", "Remarks"),
)
_OPEN_ROWS = 100
_MOST_ROWS = 5_000
_ERROR_CHARACTERS = 300
# What answers may take of a file that is to open at once everywhere.
_TEXT_CHARACTERS = 8_000
_ALL_CHARACTERS = 2_000_000


def summary_table(run: Run, results: Sequence[ModelResult]) -> Markup:
    """A row for each model: medians, and below each its ends and n."""
    planned = len(run.plan.prompts) * run.plan.rounds
    rows = []
    for result in results:
        summary = result.summary
        name, status, done, ttft, rate, latency, worst, load, peak = model_row(result, rounds=planned)
        cells = (
            (status, "" if result.reason is None else clean_line(result.reason, _ERROR_CHARACTERS)),
            (done,),
            (ttft, _ends(summary.ttft_s, Measure.TTFT)),
            (rate, _ends(summary.decode_tokens_per_s, Measure.DECODE_RATE)),
            (latency, _ends(summary.latency_s, Measure.LATENCY), _interval(summary.latency_s)),
            (worst,),
            (load, "" if result.load_s is not None else "it was loaded, or did not load"),
            (peak, "" if result.peak_rss_bytes is not None else "it could not be read"),
        )
        rows.append(
            tag(
                "tr",
                tag("th", line(name), scope="row"),
                *(_cell(*cell, of=of) for of, cell in zip(_SUMMARY_HEADER[1:], cells, strict=True)),
            )
        )
    return _table(_SUMMARY_HEADER, rows, "summary")


def requests_table(key: str, requests: Sequence[RequestRun], results: Sequence[ModelResult]) -> Markup:
    """Every request in order; folded where there are many."""
    if not requests:
        return paragraph("No request was made.")
    marked = {outlier.number: CAUSE_WORDS[outlier.cause] for result in results for outlier in result.outliers}
    replaced = replaced_by(results)
    shown = requests[:_MOST_ROWS]
    rows = [
        _request_row(key, request, marked.get(request.number), replaced.get(request.number))
        for request in shown
    ]
    left = len(requests) - len(shown)
    notes = [
        "TTFT and latency are n/a where no text came or the sending was not read; the decode rate, where an"
        " answer has fewer than two tokens or chunks, came in one piece, holds hidden tokens, or nobody"
        " counts them. ~ marks an estimated count."
    ]
    if left:
        notes.append(f"The first {len(shown):,} are shown; {left:,} more are in the CSV and the JSON.")
    return fold(
        plural(len(requests), "request"),
        *map(paragraph, notes),
        _table(_REQUEST_HEADER, rows, "requests"),
        is_open=len(requests) <= _OPEN_ROWS,
    )


def prompts(plan: BenchPlan) -> Markup:
    """What was asked, exactly, each folded."""
    return joined(
        fold(
            f"prompt {prompt.id}",
            *([paragraph("system:"), tag("pre", words(prompt.system))] if prompt.system else []),
            tag("pre", words(prompt.text)),
        )
        for prompt in plan.prompts
    )


def answers(results: Sequence[ModelResult]) -> Markup:
    """The texts of all timed requests by model and prompt, folded; what is the same stands there once."""
    room, left_out = _ALL_CHARACTERS, 0
    folds = []
    for result in results:
        by_prompt: dict[str, list[RequestRun]] = {}
        for request in result.requests:
            if request.phase is Phase.TIMED:
                by_prompt.setdefault(request.prompt_id, []).append(request)
        for prompt_id, requests in by_prompt.items():
            same: dict[tuple[str, str], list[RequestRun]] = {}
            for request in requests:
                same.setdefault((request.trace.text, request.trace.reasoning), []).append(request)
            parts = []
            for (text, reasoning), made in same.items():
                if room <= 0:
                    left_out += len(made)
                    continue
                part = _answer(text, reasoning, made)
                room -= len(part)
                parts.append(part)
            told = (
                f"{result.name}, prompt {prompt_id}: {plural(len(requests), 'answer')}, {len(same)} different"
            )
            folds.append(fold(clean_line(told), *parts))
    if not folds:
        return paragraph("No timed request was made.")
    if left_out:
        folds.append(
            paragraph(
                f"The texts of {plural(left_out, 'answer')} more stand in the JSON only: with them this file"
                " would be too large."
            )
        )
    return joined(folds)


def _answer(text: str, reasoning: str, made: Sequence[RequestRun]) -> Markup:
    numbers = ", ".join(str(request.number) for request in made[:20])
    more = f" and {len(made) - 20:,} more" if len(made) > 20 else ""
    head = f"{'request' if len(made) == 1 else 'requests'} {numbers}{more}"
    parts = [tag("h4", line(head))]
    if reasoning:
        parts += [paragraph("thought aloud:"), _pre(reasoning)]
    parts.append(_pre(text) if text else paragraph("(no visible text)"))
    return joined(parts)


def _pre(text: str) -> Markup:
    cut = len(text) - _TEXT_CHARACTERS
    shown = tag("pre", words(shorten(clean_text(text[:_TEXT_CHARACTERS]), _TEXT_CHARACTERS)))
    return joined([shown, paragraph(f"{cut:,} more characters are in the JSON.")]) if cut > 0 else shown


def _request_row(key: str, request: RequestRun, cause: str | None, replaced: int | None) -> Markup:
    trace = request.trace
    counted = output_tokens(trace)
    tokens = (
        UNKNOWN
        if counted is None
        else f"{'~' if counted.is_estimate else ''}{counted.count:,} ({counted.source.value})"
    )
    class_ = "out" if cause else None if is_counted(request) and replaced is None else "left"
    return tag(
        "tr",
        _cell(str(request.number)),
        _cell(request.model),
        _cell(request.prompt_id),
        _cell(str(request.round)),
        _cell(request.phase.value),
        _cell(trace.outcome.words),
        *(_cell(_told(request, measure)) for measure in (Measure.TTFT, Measure.LATENCY, Measure.DECODE_RATE)),
        _cell(tokens),
        _cell(f"{len(trace.chunks):,}"),
        _cell(bytes_in_words(request.peak_rss_bytes)),
        _cell("; ".join(_remarks(request, cause, replaced))),
        id=f"{key}-request{request.number}",
        class_=class_,
    )


def _remarks(request: RequestRun, cause: str | None, replaced: int | None) -> Iterator[str]:
    if replaced is not None:
        yield f"in no figure: request {replaced} stands for this round"
    elif request.attempt > 1 and request.phase is Phase.TIMED:
        yield "measured again"
    if cause is not None:
        yield f"stands out: {cause}"
    if request.trace.error is not None:
        yield clean_line(request.trace.error, _ERROR_CHARACTERS)
    yield from (clean_line(warning, _ERROR_CHARACTERS) for warning in request.trace.warnings)


def _told(request: RequestRun, measure: Measure) -> str:
    reading = read(request.trace, measure)
    if reading is None:
        return UNKNOWN
    if measure.is_time:
        return seconds_in_words(reading.value)
    return rate_in_words(reading.value, is_estimate=reading.is_estimate)


def _ends(values: Spread | None, measure: Measure) -> str:
    return "n=0" if values is None else ends_words(measure, values)


def _interval(values: Spread | None) -> str:
    """How well the median is known; from 6 answers on."""
    if values is None or values.median_interval is None:
        return "" if values is None else f"95 % interval of the median: {UNKNOWN}, 6 answers are needed"
    low, high = values.median_interval.low, values.median_interval.high
    return f"95 % interval of the median: {seconds_in_words(low)} to {seconds_in_words(high)}"


def _cell(text: str, *below: str, of: str | None = None) -> Markup:
    is_number = text[:1].isdigit() or text.startswith(("~", "max ", UNKNOWN))
    parts = [line(text), *(tag("small", line(each)) for each in below if each)]
    return tag("td", *parts, class_="n" if is_number else None, data_of=of)


def _table(header: Sequence[str], rows: Sequence[Markup], class_: str) -> Markup:
    head = tag("tr", *(tag("th", line(name), scope="col") for name in header))
    return scrolling(tag("table", tag("thead", head), tag("tbody", *rows), class_=class_))

"""A run as tables for a spreadsheet: a row for each request, a row for each model; nothing in them runs."""

from collections.abc import Sequence

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.metrics.measures import Measure, is_counted, read
from foundry_tui.metrics.spread import Spread
from foundry_tui.metrics.tokens import output_tokens
from foundry_tui.reports.csv_cells import csv_table
from foundry_tui.reports.reruns import replaced_by
from foundry_tui.reports.run_results import model_results

__all__ = ["models_csv", "requests_csv"]

_MEASURES = (
    Measure.TTFT,
    Measure.ANSWER_WAIT,
    Measure.LATENCY,
    Measure.DECODE_RATE,
    Measure.END_TO_END_RATE,
    Measure.CHARACTERS_RATE,
    Measure.LEGACY_RATE,
)
_REQUEST_HEADER = (
    *("run_id", "number", "model", "model_id", "prompt_id", "round", "phase", "status", "counted", "outlier"),
    *(measure.value for measure in _MEASURES),
    *("prompt_tokens", "output_tokens", "token_source", "chunks", "finish_reason", "warnings", "error"),
    *("sent_ns", "end_ns", "peak_rss_bytes", "peak_vram_bytes", "energy_j", "text_sha256"),
    *("attempt", "superseded_by"),
)
_SPREADS = ("ttft_s", "latency_s", "decode_tokens_per_s", "end_to_end_tokens_per_s")
_MODEL_HEADER = (
    *("run_id", "model", "model_id", "status", "reason", "rounds_ok", "tried"),
    *(
        f"{name}_{part}"
        for name in _SPREADS
        for part in ("n", "mean", "median", "p95", "p95_supported", "min", "max")
    ),
    *("gap_kind", "gap_n", "gap_median_s", "gap_p95_s", "gap_p95_supported", "gap_max_s", "stalls"),
    *(
        "load_s",
        "peak_rss_bytes",
        "peak_vram_bytes",
        "legacy_tokens_per_s",
        "certificate",
        "prefill_tokens_per_s",
    ),
)


def requests_csv(run: Run, requests: Sequence[RequestRun]) -> str:
    """A header, then every request in order; what is undefined is an empty cell."""
    results = model_results(run, requests)
    marked = {outlier.number: outlier.cause for result in results for outlier in result.outliers}
    replaced = replaced_by(results)
    return csv_table(
        _REQUEST_HEADER,
        (
            _request_row(run, request, marked.get(request.number), replaced.get(request.number))
            for request in requests
        ),
    )


def models_csv(run: Run, requests: Sequence[RequestRun]) -> str:
    """A header, then every model in the order of the plan; likewise."""
    rows: list[list[object]] = []
    for result in model_results(run, requests):
        summary, gaps, grade = result.summary, result.summary.gaps, result.certificate
        row: list[object] = [run.id, result.name, result.model.model_id, result.status.value, result.reason]
        row += [summary.rounds_ok, summary.tried]
        for values in (
            summary.ttft_s,
            summary.latency_s,
            summary.decode_tokens_per_s,
            summary.end_to_end_tokens_per_s,
        ):
            row += _spread_cells(values)
        if gaps is None:
            row += [None] * 7
        else:
            row += [
                gaps.unit.value,
                gaps.n,
                gaps.median_s,
                gaps.p95_s,
                gaps.p95_supported,
                gaps.max_s,
                gaps.stalls,
            ]
        row += [result.load_s, result.peak_rss_bytes, result.peak_vram_bytes]
        row += [result.legacy_tokens_per_s]
        row += [None if grade is None or grade.grade is None else grade.grade.value]
        row += [None if result.prefill is None else result.prefill.tokens_per_s]
        rows.append(row)
    return csv_table(_MODEL_HEADER, rows)


def _request_row(run: Run, request: RequestRun, outlier: object, replaced: int | None) -> list[object]:
    is_in_figures = is_counted(request) and replaced is None
    trace, counted = request.trace, output_tokens(request.trace)
    readings = [read(trace, measure) for measure in _MEASURES]
    return [
        *(run.id, request.number, request.model, request.model_id, request.prompt_id, request.round),
        *(request.phase.value, trace.outcome.value, is_in_figures, outlier),
        *(None if reading is None else reading.value for reading in readings),
        None if trace.usage is None else trace.usage.prompt_tokens,
        None if counted is None else counted.count,
        None if counted is None else counted.source.value,
        *(len(trace.chunks), trace.finish_reason, " ".join(trace.warnings), trace.error),
        *(trace.sent_ns, trace.end_ns, request.peak_rss_bytes, request.peak_vram_bytes, request.energy_j),
        *(request.text_sha256, request.attempt, replaced),
    ]


def _spread_cells(values: Spread | None) -> list[object]:
    if values is None:
        return [0, *[None] * 6]
    return [
        *(values.n, values.mean, values.median, values.p95, values.p95_supported, values.min, values.max),
    ]

"""A run in the results format, a promise: readings as they were taken, unknown is null.

What the promise names comes first in each object; what follows it is ours to add to, and is enough to have
the run again (``run_reading``).
"""

import hashlib
import json
from collections.abc import Sequence
from typing import TypeAlias

from foundry_tui.domain.bench import (
    ModelRun,
    RequestRun,
    ResourceReading,
    Run,
    RunStatus,
)
from foundry_tui.domain.chat import ChunkKind
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.attempts import standing
from foundry_tui.metrics.goodput import Goodput
from foundry_tui.metrics.hidden import HiddenAnswers
from foundry_tui.metrics.measures import is_counted
from foundry_tui.metrics.pooled_gaps import PooledGaps, pooled_gaps
from foundry_tui.metrics.run_context import RunContext
from foundry_tui.metrics.spread import Spread
from foundry_tui.metrics.tokens import output_tokens
from foundry_tui.reports.check_words import summary_checks_object
from foundry_tui.reports.conversation_markdown import utc_moment
from foundry_tui.reports.json_text import carried, interval_list
from foundry_tui.reports.plan_json import goodput_limits_object, plan_object
from foundry_tui.reports.prediction_json import prediction_errors_object, prediction_object
from foundry_tui.reports.quality_words import scored_object
from foundry_tui.reports.reruns import again_object, replaced_by, reruns_object
from foundry_tui.reports.run_costs import model_costs
from foundry_tui.reports.run_costs_json import conditions_object, costs_object, levels_object
from foundry_tui.reports.run_results import ModelResult, model_results
from foundry_tui.reports.trace_json import stamps_object, tool_text, usage_object

__all__ = [
    "RESULTS_SCHEMA",
    "answer_object",
    "request_object",
    "results_json",
    "results_object",
    "spread_object",
]

RESULTS_SCHEMA = "foundry-tui/results@1"

_Object: TypeAlias = dict[str, object]


def results_object(
    run: Run,
    requests: Sequence[RequestRun],
    resources: Sequence[ResourceReading] = (),
    context: RunContext | None = None,
) -> _Object:
    """The whole of a run; one that has not ended, or whose process died, is ``interrupted``."""
    context = context or RunContext()
    results = model_results(run, requests)
    replaced = replaced_by(results)
    return {
        "schema": RESULTS_SCHEMA,
        "run": _run_object(run, requests),
        "requests": [
            request_object(request, is_superseded=request.number in replaced) for request in requests
        ],
        "summary": [
            _summary_object(costs.result)
            | scored_object(context.quality, costs.result.name)
            | costs_object(costs)
            | prediction_errors_object(costs.result)
            | summary_checks_object(costs.result.name, context.checks)
            for costs in model_costs(run, results)
        ],
        "resources": _resources_object(resources),
    }


def results_json(content: _Object) -> str:
    """``results_object`` in ASCII, with a line for each request, each model and each kind of reading."""
    lines = [f'  "schema": {json.dumps(content["schema"])}', f'  "run": {_indented(content["run"])}']
    for key in ("requests", "summary"):
        entries = content[key]
        assert isinstance(entries, list)
        rows = ",\n".join(f"    {json.dumps(entry)}" for entry in entries)
        lines.append(f'  "{key}": [\n{rows}\n  ]' if rows else f'  "{key}": []')
    resources = content["resources"]
    assert isinstance(resources, dict)
    columns = ",\n".join(f"    {json.dumps(name)}: {json.dumps(resources[name])}" for name in resources)
    lines.append(f'  "resources": {{\n{columns}\n  }}')
    # What JSON may hold as it is and a terminal need not.
    return ("{\n" + ",\n".join(lines) + "\n}\n").replace("\x7f", "\\u007f")


def answer_object(
    trace: GenerationTrace,
    *,
    model: str,
    model_id: str,
    prompt_id: str = "chat",
    number_of_round: int = 1,
    phase: str = "timed",
    peak_rss_bytes: int | None = None,
    peak_vram_bytes: int | None = None,
    energy_j: float | None = None,
) -> _Object:
    """``trace`` as an entry of ``requests``: exactly the fields that are promised.

    Args:
        trace: A request that has ended, however.
        model: The name that the user gave.
        model_id: The exact variant that answered.
        prompt_id: Which prompt it was.
        number_of_round: From 1 on.
        phase: What it was for.
        peak_rss_bytes: Of the engine's process over the request; None where it was not read.
        peak_vram_bytes: Likewise.
        energy_j: Likewise.
    """
    counted = output_tokens(trace)
    text = trace.text
    usage = trace.usage
    return {
        "model": model,
        "model_id": model_id,
        "response_id": trace.response_id,
        "prompt_id": prompt_id,
        "round": number_of_round,
        "phase": phase,
        "status": trace.outcome.value,
        "warnings": list(trace.warnings),
        "error": trace.error,
        **stamps_object(trace),
        "end_ns": trace.end_ns,
        "prompt_tokens": usage.prompt_tokens if usage is not None else None,
        "completion_tokens": counted.count if counted is not None and not counted.is_estimate else None,
        "estimated_tokens": counted.count if counted is not None and counted.is_estimate else None,
        "token_source": counted.source.value if counted is not None else None,
        "finish_reason": trace.finish_reason,
        "text": text,
        "text_sha256": hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest(),
        "peak_rss_bytes": peak_rss_bytes,
        "peak_vram_bytes": peak_vram_bytes,
        "energy_j": energy_j,
    }


def request_object(request: RequestRun, *, is_superseded: bool = False) -> _Object:
    """``request`` as an entry of ``requests``, with what else is known of it behind the promised fields.

    Of rounds that were measured again one attempt stands; ``is_superseded`` are the others, in no figure.
    """
    trace = request.trace
    promised = answer_object(
        trace,
        model=request.model,
        model_id=request.model_id,
        prompt_id=request.prompt_id,
        number_of_round=request.round,
        phase=request.phase.value,
        peak_rss_bytes=request.peak_rss_bytes,
        peak_vram_bytes=request.peak_vram_bytes,
        energy_j=request.energy_j,
    )
    return promised | {
        "number": request.number,
        "at_unix_ms": request.at_unix_ms,
        "counted": is_counted(request) and not is_superseded,
        "chunk_read": [chunk.read for chunk in trace.chunks],
        "chunk_tokens": [chunk.tokens for chunk in trace.chunks],
        "delay_p99_ns": trace.delay_p99_ns,
        "usage": usage_object(trace.usage),
        # Each chunk's own text: cut out of the whole by lengths, halves of a pair that came apart would join.
        "chunk_text": [carried(chunk.text) for chunk in trace.chunks] if _comes_apart(trace) else None,
        "reasoning": trace.reasoning,
        "tool_text": tool_text(trace),
        "conditions": conditions_object(request.conditions),
        "attempt": request.attempt,
        "superseded": is_superseded,
    }


def spread_object(values: Spread | None) -> _Object:
    """``values`` as a summary has them; of nothing n is 0 and all else null."""
    if values is None:
        nothing = dict.fromkeys(("mean", "median", "p95"), None)
        return {
            "n": 0,
            **nothing,
            "p95_supported": False,
            **dict.fromkeys(("min", "max", "stdev", "mean_interval", "median_interval"), None),
        }
    return {
        "n": values.n,
        "mean": values.mean,
        "median": values.median,
        "p95": values.p95,
        "p95_supported": values.p95_supported,
        "min": values.min,
        "max": values.max,
        "stdev": values.stdev,
        "mean_interval": interval_list(values.mean_interval),
        "median_interval": interval_list(values.median_interval),
    }


def _resources_object(resources: Sequence[ResourceReading]) -> _Object:
    """Lists of one length, for there are tens of thousands of them."""
    return {
        "at_ns": [reading.at_ns for reading in resources],
        "rss_bytes": [reading.rss_bytes for reading in resources],
        "vram_bytes": [reading.vram_bytes for reading in resources],
        "cpu_share": [reading.cpu_share for reading in resources],
        "available_bytes": [reading.available_bytes for reading in resources],
    }


def _run_object(run: Run, requests: Sequence[RequestRun]) -> _Object:
    counted = [request for request in standing(requests) if is_counted(request)]
    gaps = pooled_gaps([request.trace for request in counted])
    delays = [request.trace.delay_p99_ns for request in counted]
    status = RunStatus.INTERRUPTED if run.status is RunStatus.RUNNING else run.status
    return {
        "id": run.id,
        "name": run.name or None,
        "started_at": utc_moment(run.started_unix_ms),
        "status": status.value,
        "plan": plan_object(run.plan),
        "environment": dict(run.environment),
        "clock": {
            "source": "perf_counter_ns",
            "path": run.path,
            "merged_share": None if gaps is None else gaps.merged_share,
            "delay_p99_ns": max((delay for delay in delays if delay is not None), default=None),
        },
        "started_unix_ms": run.started_unix_ms,
        "ended_unix_ms": run.ended_unix_ms,
        "reason": run.reason,
        "tags": list(run.tags),
        "note": run.note,
        "models": [_model_object(model) for model in run.models],
        "reruns": reruns_object(run),
    }


def _model_object(model: ModelRun) -> _Object:
    return {
        "model": model.model,
        "model_id": model.model_id,
        "outcome": None if model.outcome is None else model.outcome.value,
        "reason": model.reason,
        "load_ns": model.load_ns,
        "rss_before_bytes": model.rss_before_bytes,
        "rss_loaded_bytes": model.rss_loaded_bytes,
        "rss_after_bytes": model.rss_after_bytes,
        "facts": dict(model.facts),
        "warnings": list(model.warnings),
        **levels_object(model),
        "prediction": prediction_object(model.prediction),
    }


def _summary_object(result: ModelResult) -> _Object:
    summary, model = result.summary, result.model
    prefill, grade = result.prefill, result.certificate
    return {
        "model": model.model,
        "model_id": model.model_id,
        "status": result.status.value,
        "rounds_ok": summary.rounds_ok,
        "ttft_s": spread_object(summary.ttft_s),
        "latency_s": spread_object(summary.latency_s),
        "decode_tokens_per_s": spread_object(summary.decode_tokens_per_s),
        "end_to_end_tokens_per_s": spread_object(summary.end_to_end_tokens_per_s),
        "gap_s": _gaps_object(summary.gaps),
        "load_s": result.load_s,
        "peak_rss_bytes": result.peak_rss_bytes,
        "legacy_tokens_per_s": result.legacy_tokens_per_s,
        "quality": None,  # see ``scored_object``
        "reason": result.reason,
        "corrected_tokens_per_s": result.corrected_tokens_per_s,
        "tried": summary.tried,
        "success_rate": summary.success_rate,
        "success_interval": interval_list(summary.success_interval),
        "outcomes": {outcome.value: count for outcome, count in summary.outcomes},
        "left_out": {outcome.value: count for outcome, count in summary.left_out},
        "other_phases": {phase.value: count for phase, count in summary.other_phases},
        "answer_wait_s": spread_object(summary.answer_wait_s),
        "characters_per_s": spread_object(summary.characters_per_s),
        "prompt_tokens": spread_object(summary.prompt_tokens),
        "completion_tokens": spread_object(summary.completion_tokens),
        "token_sources": {source.value: count for source, count in summary.token_sources},
        "estimated": sorted(measure.value for measure in summary.estimated),
        "hidden_token_answers": summary.hidden,
        "hidden": None if result.hidden is None else _hidden_object(result.hidden),
        "outliers": [
            {
                "number": outlier.number,
                "latency_s": outlier.value,
                "usual_s": outlier.usual,
                "score": outlier.score,
                "cause": outlier.cause.value,
            }
            for outlier in result.outliers
        ],
        "certificate": None
        if grade is None
        else {
            "grade": None if grade.grade is None else grade.grade.value,
            "zero": list(grade.zero),
            "hot": list(grade.hot),
            "seeded": list(grade.seeded),
        },
        "prefill": None
        if prefill is None
        else {
            "tokens_per_s": prefill.tokens_per_s,
            "fixed_s": prefill.fixed_s,
            "reason": None if prefill.reason is None else prefill.reason.value,
            "request_tokens_per_s": spread_object(result.prefill_tokens_per_s),
        },
        "first_request_penalty_s": result.first_request_penalty_s,
        "throughput": None
        if result.throughput is None
        else {
            "tokens": result.throughput.tokens,
            "window_s": result.throughput.window_s,
            "tokens_per_s": result.throughput.tokens_per_s,
            "tokens_per_busy_s": result.throughput.tokens_per_busy_s,
            "under_way": result.throughput.under_way,
        },
        "goodput": _goodput_object(result.goodput),
        "peak_vram_bytes": result.peak_vram_bytes,
        "rss_before_bytes": model.rss_before_bytes,
        "rss_loaded_bytes": model.rss_loaded_bytes,
        "rss_after_bytes": model.rss_after_bytes,
        "facts": dict(model.facts),
        "warnings": list(model.warnings),
        "measured_again": again_object(result),
    }


def _goodput_object(found: Goodput | None) -> _Object | None:
    if found is None:
        return None
    return {
        "limits": goodput_limits_object(found.limits),
        "good": found.good,
        "judged": found.judged,
        "unknown": found.unknown,
        "share": found.share,
        "share_interval": interval_list(found.share_interval),
        "requests_per_s": found.requests_per_s,
    }


def _gaps_object(gaps: PooledGaps | None) -> _Object:
    if gaps is None:
        nothing = dict.fromkeys(("mean", "median", "p95"), None)
        return {"kind": "chunk", "n": 0, **nothing, "p95_supported": False, "min": None, "max": None}
    return {
        "kind": gaps.unit.value,
        "n": gaps.n,
        "mean": gaps.mean_s,
        "median": gaps.median_s,
        "p95": gaps.p95_s,
        "p95_supported": gaps.p95_supported,
        "min": gaps.min_s,
        "max": gaps.max_s,
        "p99": gaps.p99_s,
        "p99_supported": gaps.p99_supported,
        "same_read": gaps.same_read,
        "merged_share": gaps.merged_share,
        "withheld": [reason.value for reason in gaps.withheld],
        "stalls": gaps.stalls,
        "stalled_s": gaps.stalled_s,
    }


def _hidden_object(found: HiddenAnswers) -> _Object:
    return {
        "answers": found.answers,
        "thinking_s": spread_object(found.thinking_s),
        "visible_tokens_per_s": spread_object(found.visible_tokens_per_s),
        "overall_tokens_per_s": spread_object(found.overall_tokens_per_s),
        "is_estimate": found.is_estimate,
    }


def _comes_apart(trace: GenerationTrace) -> bool:
    """Whether JSON would join what two chunks of one kind, or one of them, have of one character."""
    wholes = ("".join(chunk.text for chunk in trace.chunks if chunk.kind is kind) for kind in ChunkKind)
    return any(isinstance(carried(whole), list) for whole in wholes)


def _indented(value: object) -> str:
    return json.dumps(value, indent=2).replace("\n", "\n  ")

"""JSON Schema of results, as ``bench``, ``chat`` and ``runs`` print them; beside the contract."""

from foundry_tui.config.cost_schemas import LEVELS_SCHEMAS, conditions_schema, cost_schemas
from foundry_tui.config.prediction_schemas import (
    PREDICTION_ERROR_SCHEMAS,
    PREDICTION_SCHEMAS,
    prediction_schema,
)
from foundry_tui.config.rerun_schemas import ATTEMPT_SCHEMAS, again_schema, reruns_schema
from foundry_tui.config.schema_parts import (
    COUNT,
    COUNT_OR_NULL,
    INTERVAL,
    NUMBER_OR_NULL,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    TRUTH,
    Schema,
    object_of,
    or_null,
)
from foundry_tui.config.score_schemas import model_checks_schema, model_quality_schema, written_checks_schema
from foundry_tui.domain.bench import MemoryRescue, Order, Phase
from foundry_tui.domain.chat import Outcome
from foundry_tui.metrics.comparison import Verdict

__all__ = [
    "bench_plan_schema",
    "comparison_schema",
    "history_schema",
    "request_schema",
    "results_schema",
    "run_list_schema",
]

_NAMED_TEXTS: Schema = {"type": "object", "additionalProperties": TEXT}


def request_schema() -> Schema:
    """One request with its readings, as ``chat --json`` has it; all ``*_ns`` are of one monotonic clock.

    What ``chat`` leaves out is optional: it tells no more of a request than was ever promised.
    """
    promised: dict[str, Schema] = {
        "model": TEXT,
        "model_id": TEXT,
        "response_id": TEXT_OR_NULL,
        "prompt_id": TEXT,
        "round": {"type": "integer", "minimum": 1},
        "phase": {"enum": [phase.value for phase in Phase]},
        "status": {"enum": [outcome.value for outcome in Outcome]},
        "warnings": TEXTS,
        "error": TEXT_OR_NULL,
        "call_ns": COUNT_OR_NULL,
        "sent_ns": COUNT_OR_NULL,
        "headers_ns": COUNT_OR_NULL,
        "role_ns": COUNT_OR_NULL,
        "chunk_ns": {"type": "array", "items": {"type": "integer"}},
        "chunk_kind": {"type": "array", "items": {"enum": ["content", "reasoning", "tool"]}},
        "chunk_chars": {"type": "array", "items": {"type": "integer", "minimum": 1}},
        "end_ns": COUNT_OR_NULL,
        "prompt_tokens": COUNT_OR_NULL,
        "completion_tokens": COUNT_OR_NULL,
        "estimated_tokens": COUNT_OR_NULL,
        "token_source": {"enum": ["usage", "tokenizer", "chunks", "chars", None]},
        "finish_reason": TEXT_OR_NULL,
        "text": TEXT,
        "text_sha256": TEXT,
        "peak_rss_bytes": COUNT_OR_NULL,
        "peak_vram_bytes": COUNT_OR_NULL,
        "energy_j": NUMBER_OR_NULL,
    }
    counts = object_of(
        dict.fromkeys(("prompt_tokens", "completion_tokens", "reasoning_tokens"), COUNT_OR_NULL)
    )
    further: dict[str, Schema] = {
        "number": {"type": "integer", "minimum": 1},
        "at_unix_ms": COUNT,
        "counted": TRUTH,
        "chunk_read": {"type": "array", "items": COUNT},
        "chunk_tokens": {"type": "array", "items": COUNT_OR_NULL},
        "delay_p99_ns": COUNT_OR_NULL,
        "usage": or_null(counts),
        "chunk_text": or_null({"type": "array", "items": {"anyOf": [TEXT, TEXTS]}}),
        "reasoning": TEXT,
        "tool_text": TEXT,
        "conditions": conditions_schema(),
        **ATTEMPT_SCHEMAS,
    }
    return object_of(promised | further, optional=tuple(further))


def results_schema() -> Schema:
    """Of ``bench --json`` and a results file; ``chat --json`` prints one entry of ``requests``."""
    return object_of(
        {
            "schema": {"const": "foundry-tui/results@1"},
            "run": _run_schema(),
            "requests": {"type": "array", "items": request_schema()},
            "summary": {"type": "array", "items": _summary_schema()},
            "resources": _resources_schema(),
        },
        optional=("resources",),
    )


def run_list_schema() -> Schema:
    """Of ``runs list --json``."""
    run = object_of(
        {
            "id": TEXT,
            "name": TEXT_OR_NULL,
            "status": {"enum": ["running", "completed", "interrupted", "failed"]},
            "started_at": TEXT,
            "started_unix_ms": COUNT,
            "ended_unix_ms": COUNT_OR_NULL,
            "models": TEXTS,
            "requests": COUNT,
            "planned": COUNT,
            "tags": TEXTS,
        }
    )
    return object_of({"schema": {"const": "foundry-tui/run-list@1"}, "runs": {"type": "array", "items": run}})


def comparison_schema() -> Schema:
    """Of ``compare --json``; a ratio is B's number over A's, ``slower_share`` of ``measure``."""
    side = object_of({"run": TEXT, "model": TEXT, "model_id": TEXT_OR_NULL})
    measure = object_of(
        {
            "verdict": {"enum": [verdict.value for verdict in Verdict]},
            "sentence": TEXT,
            "ratio": NUMBER_OR_NULL,
            "interval": INTERVAL,
            "wilcoxon_p": NUMBER_OR_NULL,
            "sign_p": NUMBER_OR_NULL,
            "pairs": COUNT,
            "more_pairs": COUNT,
            "unpaired_a": COUNT,
            "unpaired_b": COUNT,
            "estimated": TRUTH,
            "length_ratio": NUMBER_OR_NULL,
        }
    )
    pair = object_of(
        {
            "a": side,
            "b": side,
            "unknown": TEXTS,
            "answers": or_null(object_of(dict.fromkeys(("unchanged", "compared", "left_out"), COUNT))),
            "measure": TEXT,
            "slower_share": INTERVAL,
            "limit_broken": {"type": ["boolean", "null"]},
            "measures": {"type": "object", "additionalProperties": measure},
        }
    )
    return object_of(
        {
            "schema": {"const": "foundry-tui/comparison@1"},
            "fail_if_slower_percent": NUMBER_OR_NULL,
            "comparisons": {"type": "array", "items": pair},
        }
    )


def history_schema() -> Schema:
    """Of ``runs history --json``, the oldest run first; ``since`` holds one against the run before."""
    change = object_of({"field": TEXT, "before": TEXT, "after": TEXT})
    since = object_of(
        {
            "run": TEXT,
            "model": TEXT,
            "changes": {"type": "array", "items": change},
            "not_comparable": TEXTS,
            "verdict": {"enum": [*(verdict.value for verdict in Verdict), None]},
            "sentence": TEXT,
            "ratio": NUMBER_OR_NULL,
            "interval": INTERVAL,
            "wilcoxon_p": NUMBER_OR_NULL,
            "pairs": COUNT,
            "more_pairs": COUNT_OR_NULL,
        }
    )
    point = object_of(
        {
            "run": TEXT,
            "name": TEXT_OR_NULL,
            "started_at": TEXT,
            "model": TEXT,
            "model_id": TEXT_OR_NULL,
            "conditions": _NAMED_TEXTS,
            "n": COUNT,
            "median": NUMBER_OR_NULL,
            "interval": INTERVAL,
            "min": NUMBER_OR_NULL,
            "max": NUMBER_OR_NULL,
            "estimated": TRUTH,
            "since": or_null(since),
        }
    )
    return object_of(
        {
            "schema": {"const": "foundry-tui/run-history@1"},
            "model": TEXT,
            "measure": TEXT,
            "runs": {"type": "array", "items": point},
        }
    )


def bench_plan_schema() -> Schema:
    """Of ``bench --dry-run --json``."""
    return object_of(
        {
            "schema": {"const": "foundry-tui/bench-plan@1"},
            "plan": _plan_schema(),
            "model_ids": {"type": "object", "additionalProperties": TEXT_OR_NULL},
            "timed_requests": COUNT,
            "requests_before": COUNT,
            "notes": TEXTS,
            "estimate": or_null(
                object_of(
                    {
                        "seconds": {"type": "number"},
                        "requests": COUNT,
                        "runs": TEXTS,
                        "unknown": TEXTS,
                        "is_least": TRUTH,
                    }
                )
            ),
            "predictions": {"type": "object", "additionalProperties": prediction_schema()},
        },
        optional=("estimate", "predictions"),
    )


def _resources_schema() -> Schema:
    """Lists of one length; ``at_ns`` is of the clock of the requests, ``cpu_share`` of one core."""
    wholes_or_null: Schema = {"type": "array", "items": COUNT_OR_NULL}
    return object_of(
        {
            "at_ns": {"type": "array", "items": COUNT},
            "rss_bytes": wholes_or_null,
            "vram_bytes": wholes_or_null,
            "cpu_share": {"type": "array", "items": {"type": ["number", "null"], "minimum": 0}},
            "available_bytes": wholes_or_null,
        }
    )


def _plan_schema() -> Schema:
    judged: dict[str, Schema] = {"aspects": TEXTS, "checks": written_checks_schema()}
    prompt = object_of({"id": TEXT, "text": TEXT, "system": TEXT_OR_NULL, **judged}, optional=tuple(judged))
    rule = object_of(
        {"half_width_share": {"type": "number"}, "max_rounds": COUNT, "max_s": {"type": "number"}}
    )
    further: dict[str, Schema] = {
        "order": {"enum": [order.value for order in Order]},
        "deterministic": TRUTH,
        "probes": TRUTH,
        "cold_start": TRUTH,
        "unloads": TRUTH,
        "precision": or_null(rule),
        "stops_repetition": {"type": ["boolean", "null"]},
        "out_of_memory": {"enum": [rescue.value for rescue in MemoryRescue]},
        "limits": object_of(
            {
                "max_s": NUMBER_OR_NULL,
                "min_free_disk_bytes": COUNT_OR_NULL,
                "max_temperature_c": NUMBER_OR_NULL,
            }
        ),
        "goodput": or_null(_goodput_limits_schema()),
        "timeouts": {"type": "object", "additionalProperties": {"type": "number"}},
        "prompt_set": {"type": "array", "items": prompt},
    }
    return object_of(
        {
            "models": TEXTS,
            "prompts": TEXTS,
            "rounds": {"type": "integer", "minimum": 1},
            "warmup": COUNT,
            "max_tokens": {"type": "integer", "minimum": 1},
            "temperature": NUMBER_OR_NULL,
            "seed": {"type": ["integer", "null"]},
            "concurrency": {"type": "integer", "minimum": 1},
            **further,
        },
        optional=tuple(further),
    )


def _goodput_limits_schema() -> Schema:
    return object_of({"name": TEXT, "ttft_s": NUMBER_OR_NULL, "per_token_s": NUMBER_OR_NULL})


def _run_schema() -> Schema:
    further: dict[str, Schema] = {
        "reason": TEXT_OR_NULL,
        "started_unix_ms": COUNT,
        "ended_unix_ms": COUNT_OR_NULL,
        "tags": TEXTS,
        "note": TEXT,
        "reruns": reruns_schema(),
        "models": {
            "type": "array",
            "items": object_of(
                {
                    "model": TEXT,
                    "model_id": TEXT_OR_NULL,
                    "outcome": {"enum": [*(outcome.value for outcome in Outcome), None]},
                    "reason": TEXT_OR_NULL,
                    "load_ns": COUNT_OR_NULL,
                    "rss_before_bytes": COUNT_OR_NULL,
                    "rss_loaded_bytes": COUNT_OR_NULL,
                    "rss_after_bytes": COUNT_OR_NULL,
                    "facts": _NAMED_TEXTS,
                    "warnings": TEXTS,
                    **LEVELS_SCHEMAS,
                    **PREDICTION_SCHEMAS,
                },
                optional=(*LEVELS_SCHEMAS, *PREDICTION_SCHEMAS),
            ),
        },
    }
    return object_of(
        {
            "id": TEXT,
            "name": TEXT_OR_NULL,
            "started_at": TEXT,
            "status": {"enum": ["completed", "interrupted", "failed"]},
            "plan": _plan_schema(),
            "environment": _NAMED_TEXTS,
            "clock": object_of(
                {
                    "source": TEXT,
                    "path": {"enum": ["managed", "endpoint"]},
                    "merged_share": NUMBER_OR_NULL,
                    "delay_p99_ns": COUNT_OR_NULL,
                }
            ),
            **further,
        },
        optional=tuple(further),
    )


def _summary_schema() -> Schema:
    numbers: dict[str, Schema] = {
        "n": COUNT,
        **dict.fromkeys(("mean", "median", "p95"), NUMBER_OR_NULL),
        "p95_supported": TRUTH,
        **dict.fromkeys(("min", "max"), NUMBER_OR_NULL),
    }
    intervals: dict[str, Schema] = {
        "stdev": NUMBER_OR_NULL,
        "mean_interval": INTERVAL,
        "median_interval": INTERVAL,
    }
    spread = object_of(numbers | intervals, optional=tuple(intervals))
    gap_extras: dict[str, Schema] = {
        "p99": NUMBER_OR_NULL,
        "p99_supported": TRUTH,
        "same_read": COUNT,
        "merged_share": NUMBER_OR_NULL,
        "withheld": TEXTS,
        "stalls": COUNT,
        "stalled_s": NUMBER_OR_NULL,
    }
    gaps = object_of(
        {"kind": {"enum": ["token", "chunk"]}, **numbers, **gap_extras}, optional=tuple(gap_extras)
    )
    counts: Schema = {"type": "object", "additionalProperties": COUNT}
    further: dict[str, Schema] = {
        "reason": TEXT_OR_NULL,
        "tried": COUNT,
        "success_rate": NUMBER_OR_NULL,
        "success_interval": INTERVAL,
        "outcomes": counts,
        "left_out": counts,
        "other_phases": counts,
        "answer_wait_s": spread,
        "characters_per_s": spread,
        "prompt_tokens": spread,
        "completion_tokens": spread,
        "token_sources": counts,
        "estimated": TEXTS,
        "hidden_token_answers": COUNT,
        "hidden": or_null(
            object_of(
                {
                    "answers": COUNT,
                    "thinking_s": spread,
                    "visible_tokens_per_s": spread,
                    "overall_tokens_per_s": spread,
                    "is_estimate": TRUTH,
                }
            )
        ),
        "outliers": {"type": "array", "items": {"type": "object"}},
        "certificate": {"type": ["object", "null"]},
        "prefill": {"type": ["object", "null"]},
        "first_request_penalty_s": NUMBER_OR_NULL,
        "corrected_tokens_per_s": NUMBER_OR_NULL,
        "throughput": {"type": ["object", "null"]},
        "goodput": or_null(
            object_of(
                {
                    "limits": _goodput_limits_schema(),
                    "good": COUNT,
                    "judged": COUNT,
                    "unknown": COUNT,
                    "share": NUMBER_OR_NULL,
                    "share_interval": INTERVAL,
                    "requests_per_s": NUMBER_OR_NULL,
                }
            )
        ),
        "measured_again": again_schema(),
        "checks": or_null(model_checks_schema()),
        "peak_vram_bytes": COUNT_OR_NULL,
        "rss_before_bytes": COUNT_OR_NULL,
        "rss_loaded_bytes": COUNT_OR_NULL,
        "rss_after_bytes": COUNT_OR_NULL,
        "facts": _NAMED_TEXTS,
        "warnings": TEXTS,
        **cost_schemas(),
        **PREDICTION_ERROR_SCHEMAS,
    }
    return object_of(
        {
            "model": TEXT,
            "model_id": TEXT_OR_NULL,
            "status": {"enum": [outcome.value for outcome in Outcome]},
            "rounds_ok": COUNT,
            "ttft_s": spread,
            "latency_s": spread,
            "decode_tokens_per_s": spread,
            "end_to_end_tokens_per_s": spread,
            "gap_s": gaps,
            "load_s": NUMBER_OR_NULL,
            "peak_rss_bytes": COUNT_OR_NULL,
            "legacy_tokens_per_s": NUMBER_OR_NULL,
            "quality": or_null(model_quality_schema()),
            **further,
        },
        optional=tuple(further),
    )

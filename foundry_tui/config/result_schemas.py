"""JSON Schema of results, as ``bench``, ``chat`` and ``runs`` print them; beside the contract."""

from typing import TypeAlias

from foundry_tui.config.cost_schemas import LEVELS_SCHEMAS, conditions_schema, cost_schemas
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

_Schema: TypeAlias = dict[str, object]

_TEXT: _Schema = {"type": "string"}
_TEXT_OR_NULL: _Schema = {"type": ["string", "null"]}
_COUNT: _Schema = {"type": "integer", "minimum": 0}
_COUNT_OR_NULL: _Schema = {"type": ["integer", "null"], "minimum": 0}
_NUMBER_OR_NULL: _Schema = {"type": ["number", "null"]}
_TRUTH: _Schema = {"type": "boolean"}
_TEXTS: _Schema = {"type": "array", "items": _TEXT}
_INTERVAL: _Schema = {
    "anyOf": [
        {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
        {"type": "null"},
    ]
}
_NAMED_TEXTS: _Schema = {"type": "object", "additionalProperties": _TEXT}


def _object(properties: dict[str, _Schema], *, optional: tuple[str, ...] = ()) -> _Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _or_null(schema: _Schema) -> _Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def request_schema() -> _Schema:
    """One request with its readings, as ``chat --json`` has it; all ``*_ns`` are of one monotonic clock.

    What ``chat`` leaves out is optional: it tells no more of a request than was ever promised.
    """
    promised: dict[str, _Schema] = {
        "model": _TEXT,
        "model_id": _TEXT,
        "response_id": _TEXT_OR_NULL,
        "prompt_id": _TEXT,
        "round": {"type": "integer", "minimum": 1},
        "phase": {"enum": [phase.value for phase in Phase]},
        "status": {"enum": [outcome.value for outcome in Outcome]},
        "warnings": _TEXTS,
        "error": _TEXT_OR_NULL,
        "call_ns": _COUNT_OR_NULL,
        "sent_ns": _COUNT_OR_NULL,
        "headers_ns": _COUNT_OR_NULL,
        "role_ns": _COUNT_OR_NULL,
        "chunk_ns": {"type": "array", "items": {"type": "integer"}},
        "chunk_kind": {"type": "array", "items": {"enum": ["content", "reasoning", "tool"]}},
        "chunk_chars": {"type": "array", "items": {"type": "integer", "minimum": 1}},
        "end_ns": _COUNT_OR_NULL,
        "prompt_tokens": _COUNT_OR_NULL,
        "completion_tokens": _COUNT_OR_NULL,
        "estimated_tokens": _COUNT_OR_NULL,
        "token_source": {"enum": ["usage", "tokenizer", "chunks", "chars", None]},
        "finish_reason": _TEXT_OR_NULL,
        "text": _TEXT,
        "text_sha256": _TEXT,
        "peak_rss_bytes": _COUNT_OR_NULL,
        "peak_vram_bytes": _COUNT_OR_NULL,
        "energy_j": _NUMBER_OR_NULL,
    }
    counts = _object(
        dict.fromkeys(("prompt_tokens", "completion_tokens", "reasoning_tokens"), _COUNT_OR_NULL)
    )
    further: dict[str, _Schema] = {
        "number": {"type": "integer", "minimum": 1},
        "at_unix_ms": _COUNT,
        "counted": _TRUTH,
        "chunk_read": {"type": "array", "items": _COUNT},
        "chunk_tokens": {"type": "array", "items": _COUNT_OR_NULL},
        "delay_p99_ns": _COUNT_OR_NULL,
        "usage": _or_null(counts),
        "chunk_text": _or_null({"type": "array", "items": {"anyOf": [_TEXT, _TEXTS]}}),
        "reasoning": _TEXT,
        "tool_text": _TEXT,
        "conditions": conditions_schema(),
    }
    return _object(promised | further, optional=tuple(further))


def results_schema() -> _Schema:
    """Of ``bench --json`` and a results file; ``chat --json`` prints one entry of ``requests``."""
    return _object(
        {
            "schema": {"const": "foundry-tui/results@1"},
            "run": _run_schema(),
            "requests": {"type": "array", "items": request_schema()},
            "summary": {"type": "array", "items": _summary_schema()},
            "resources": _resources_schema(),
        },
        optional=("resources",),
    )


def run_list_schema() -> _Schema:
    """Of ``runs list --json``."""
    run = _object(
        {
            "id": _TEXT,
            "name": _TEXT_OR_NULL,
            "status": {"enum": ["running", "completed", "interrupted", "failed"]},
            "started_at": _TEXT,
            "started_unix_ms": _COUNT,
            "ended_unix_ms": _COUNT_OR_NULL,
            "models": _TEXTS,
            "requests": _COUNT,
            "planned": _COUNT,
            "tags": _TEXTS,
        }
    )
    return _object({"schema": {"const": "foundry-tui/run-list@1"}, "runs": {"type": "array", "items": run}})


def comparison_schema() -> _Schema:
    """Of ``compare --json``; a ratio is B's number over A's, ``slower_share`` of ``measure``."""
    side = _object({"run": _TEXT, "model": _TEXT, "model_id": _TEXT_OR_NULL})
    measure = _object(
        {
            "verdict": {"enum": [verdict.value for verdict in Verdict]},
            "sentence": _TEXT,
            "ratio": _NUMBER_OR_NULL,
            "interval": _INTERVAL,
            "wilcoxon_p": _NUMBER_OR_NULL,
            "sign_p": _NUMBER_OR_NULL,
            "pairs": _COUNT,
            "more_pairs": _COUNT,
            "unpaired_a": _COUNT,
            "unpaired_b": _COUNT,
            "estimated": _TRUTH,
            "length_ratio": _NUMBER_OR_NULL,
        }
    )
    pair = _object(
        {
            "a": side,
            "b": side,
            "unknown": _TEXTS,
            "answers": _or_null(_object(dict.fromkeys(("unchanged", "compared", "left_out"), _COUNT))),
            "measure": _TEXT,
            "slower_share": _INTERVAL,
            "limit_broken": {"type": ["boolean", "null"]},
            "measures": {"type": "object", "additionalProperties": measure},
        }
    )
    return _object(
        {
            "schema": {"const": "foundry-tui/comparison@1"},
            "fail_if_slower_percent": _NUMBER_OR_NULL,
            "comparisons": {"type": "array", "items": pair},
        }
    )


def history_schema() -> _Schema:
    """Of ``runs history --json``, the oldest run first; ``since`` holds one against the run before."""
    change = _object({"field": _TEXT, "before": _TEXT, "after": _TEXT})
    since = _object(
        {
            "run": _TEXT,
            "model": _TEXT,
            "changes": {"type": "array", "items": change},
            "not_comparable": _TEXTS,
            "verdict": {"enum": [*(verdict.value for verdict in Verdict), None]},
            "sentence": _TEXT,
            "ratio": _NUMBER_OR_NULL,
            "interval": _INTERVAL,
            "wilcoxon_p": _NUMBER_OR_NULL,
            "pairs": _COUNT,
            "more_pairs": _COUNT_OR_NULL,
        }
    )
    point = _object(
        {
            "run": _TEXT,
            "name": _TEXT_OR_NULL,
            "started_at": _TEXT,
            "model": _TEXT,
            "model_id": _TEXT_OR_NULL,
            "conditions": _NAMED_TEXTS,
            "n": _COUNT,
            "median": _NUMBER_OR_NULL,
            "interval": _INTERVAL,
            "min": _NUMBER_OR_NULL,
            "max": _NUMBER_OR_NULL,
            "estimated": _TRUTH,
            "since": _or_null(since),
        }
    )
    return _object(
        {
            "schema": {"const": "foundry-tui/run-history@1"},
            "model": _TEXT,
            "measure": _TEXT,
            "runs": {"type": "array", "items": point},
        }
    )


def bench_plan_schema() -> _Schema:
    """Of ``bench --dry-run --json``."""
    return _object(
        {
            "schema": {"const": "foundry-tui/bench-plan@1"},
            "plan": _plan_schema(),
            "model_ids": {"type": "object", "additionalProperties": _TEXT_OR_NULL},
            "timed_requests": _COUNT,
            "requests_before": _COUNT,
            "notes": _TEXTS,
            "estimate": _or_null(
                _object(
                    {
                        "seconds": {"type": "number"},
                        "requests": _COUNT,
                        "runs": _TEXTS,
                        "unknown": _TEXTS,
                        "is_least": _TRUTH,
                    }
                )
            ),
        },
        optional=("estimate",),
    )


def _resources_schema() -> _Schema:
    """Lists of one length; ``at_ns`` is of the clock of the requests, ``cpu_share`` of one core."""
    wholes_or_null: _Schema = {"type": "array", "items": _COUNT_OR_NULL}
    return _object(
        {
            "at_ns": {"type": "array", "items": _COUNT},
            "rss_bytes": wholes_or_null,
            "vram_bytes": wholes_or_null,
            "cpu_share": {"type": "array", "items": {"type": ["number", "null"], "minimum": 0}},
            "available_bytes": wholes_or_null,
        }
    )


def _plan_schema() -> _Schema:
    prompt = _object({"id": _TEXT, "text": _TEXT, "system": _TEXT_OR_NULL})
    rule = _object(
        {"half_width_share": {"type": "number"}, "max_rounds": _COUNT, "max_s": {"type": "number"}}
    )
    further: dict[str, _Schema] = {
        "order": {"enum": [order.value for order in Order]},
        "deterministic": _TRUTH,
        "cold_start": _TRUTH,
        "unloads": _TRUTH,
        "precision": _or_null(rule),
        "stops_repetition": {"type": ["boolean", "null"]},
        "out_of_memory": {"enum": [rescue.value for rescue in MemoryRescue]},
        "limits": _object(
            {
                "max_s": _NUMBER_OR_NULL,
                "min_free_disk_bytes": _COUNT_OR_NULL,
                "max_temperature_c": _NUMBER_OR_NULL,
            }
        ),
        "goodput": _or_null(_goodput_limits_schema()),
        "timeouts": {"type": "object", "additionalProperties": {"type": "number"}},
        "prompt_set": {"type": "array", "items": prompt},
    }
    return _object(
        {
            "models": _TEXTS,
            "prompts": _TEXTS,
            "rounds": {"type": "integer", "minimum": 1},
            "warmup": _COUNT,
            "max_tokens": {"type": "integer", "minimum": 1},
            "temperature": _NUMBER_OR_NULL,
            "seed": {"type": ["integer", "null"]},
            "concurrency": {"type": "integer", "minimum": 1},
            **further,
        },
        optional=tuple(further),
    )


def _goodput_limits_schema() -> _Schema:
    return _object({"name": _TEXT, "ttft_s": _NUMBER_OR_NULL, "per_token_s": _NUMBER_OR_NULL})


def _run_schema() -> _Schema:
    further: dict[str, _Schema] = {
        "reason": _TEXT_OR_NULL,
        "started_unix_ms": _COUNT,
        "ended_unix_ms": _COUNT_OR_NULL,
        "tags": _TEXTS,
        "note": _TEXT,
        "models": {
            "type": "array",
            "items": _object(
                {
                    "model": _TEXT,
                    "model_id": _TEXT_OR_NULL,
                    "outcome": {"enum": [*(outcome.value for outcome in Outcome), None]},
                    "reason": _TEXT_OR_NULL,
                    "load_ns": _COUNT_OR_NULL,
                    "rss_before_bytes": _COUNT_OR_NULL,
                    "rss_loaded_bytes": _COUNT_OR_NULL,
                    "rss_after_bytes": _COUNT_OR_NULL,
                    "facts": _NAMED_TEXTS,
                    "warnings": _TEXTS,
                    **LEVELS_SCHEMAS,
                },
                optional=tuple(LEVELS_SCHEMAS),
            ),
        },
    }
    return _object(
        {
            "id": _TEXT,
            "name": _TEXT_OR_NULL,
            "started_at": _TEXT,
            "status": {"enum": ["completed", "interrupted", "failed"]},
            "plan": _plan_schema(),
            "environment": _NAMED_TEXTS,
            "clock": _object(
                {
                    "source": _TEXT,
                    "path": {"enum": ["managed", "endpoint"]},
                    "merged_share": _NUMBER_OR_NULL,
                    "delay_p99_ns": _COUNT_OR_NULL,
                }
            ),
            **further,
        },
        optional=tuple(further),
    )


def _summary_schema() -> _Schema:
    numbers: dict[str, _Schema] = {
        "n": _COUNT,
        **dict.fromkeys(("mean", "median", "p95"), _NUMBER_OR_NULL),
        "p95_supported": _TRUTH,
        **dict.fromkeys(("min", "max"), _NUMBER_OR_NULL),
    }
    intervals: dict[str, _Schema] = {
        "stdev": _NUMBER_OR_NULL,
        "mean_interval": _INTERVAL,
        "median_interval": _INTERVAL,
    }
    spread = _object(numbers | intervals, optional=tuple(intervals))
    gap_extras: dict[str, _Schema] = {
        "p99": _NUMBER_OR_NULL,
        "p99_supported": _TRUTH,
        "same_read": _COUNT,
        "merged_share": _NUMBER_OR_NULL,
        "withheld": _TEXTS,
        "stalls": _COUNT,
        "stalled_s": _NUMBER_OR_NULL,
    }
    gaps = _object(
        {"kind": {"enum": ["token", "chunk"]}, **numbers, **gap_extras}, optional=tuple(gap_extras)
    )
    counts: _Schema = {"type": "object", "additionalProperties": _COUNT}
    further: dict[str, _Schema] = {
        "reason": _TEXT_OR_NULL,
        "tried": _COUNT,
        "success_rate": _NUMBER_OR_NULL,
        "success_interval": _INTERVAL,
        "outcomes": counts,
        "left_out": counts,
        "other_phases": counts,
        "answer_wait_s": spread,
        "characters_per_s": spread,
        "prompt_tokens": spread,
        "completion_tokens": spread,
        "token_sources": counts,
        "estimated": _TEXTS,
        "hidden_token_answers": _COUNT,
        "outliers": {"type": "array", "items": {"type": "object"}},
        "certificate": {"type": ["object", "null"]},
        "prefill": {"type": ["object", "null"]},
        "first_request_penalty_s": _NUMBER_OR_NULL,
        "corrected_tokens_per_s": _NUMBER_OR_NULL,
        "throughput": {"type": ["object", "null"]},
        "goodput": _or_null(
            _object(
                {
                    "limits": _goodput_limits_schema(),
                    "good": _COUNT,
                    "judged": _COUNT,
                    "unknown": _COUNT,
                    "share": _NUMBER_OR_NULL,
                    "share_interval": _INTERVAL,
                    "requests_per_s": _NUMBER_OR_NULL,
                }
            )
        ),
        "peak_vram_bytes": _COUNT_OR_NULL,
        "rss_before_bytes": _COUNT_OR_NULL,
        "rss_loaded_bytes": _COUNT_OR_NULL,
        "rss_after_bytes": _COUNT_OR_NULL,
        "facts": _NAMED_TEXTS,
        "warnings": _TEXTS,
        **cost_schemas(),
    }
    return _object(
        {
            "model": _TEXT,
            "model_id": _TEXT_OR_NULL,
            "status": {"enum": [outcome.value for outcome in Outcome]},
            "rounds_ok": _COUNT,
            "ttft_s": spread,
            "latency_s": spread,
            "decode_tokens_per_s": spread,
            "end_to_end_tokens_per_s": spread,
            "gap_s": gaps,
            "load_s": _NUMBER_OR_NULL,
            "peak_rss_bytes": _COUNT_OR_NULL,
            "legacy_tokens_per_s": _NUMBER_OR_NULL,
            "quality": {},
            **further,
        },
        optional=tuple(further),
    )

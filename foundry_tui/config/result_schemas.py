"""JSON Schema of results, as ``bench``, ``chat`` and ``runs`` print them; beside the contract."""

from typing import TypeAlias

from foundry_tui.domain.bench import Order, Phase
from foundry_tui.domain.chat import Outcome
from foundry_tui.metrics.comparison import Verdict

__all__ = [
    "bench_plan_schema",
    "comparison_schema",
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
        }
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


def _run_schema() -> _Schema:
    further: dict[str, _Schema] = {
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
                }
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
        "throughput": {"type": ["object", "null"]},
        "peak_vram_bytes": _COUNT_OR_NULL,
        "rss_before_bytes": _COUNT_OR_NULL,
        "rss_loaded_bytes": _COUNT_OR_NULL,
        "rss_after_bytes": _COUNT_OR_NULL,
        "facts": _NAMED_TEXTS,
        "warnings": _TEXTS,
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

"""JSON Schema of what commands print, written by hand beside the contract: outputs only ever gain fields."""

from foundry_tui.config.schema_parts import (
    COUNT_OR_NULL,
    NUMBER_OR_NULL,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    TRUTH,
    TRUTH_OR_NULL,
    Schema,
    object_of,
)
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.health import HealthState

__all__ = [
    "conversation_list_schema",
    "conversation_schema",
    "doctor_schema",
    "model_list_schema",
    "validation_schema",
    "verification_schema",
]


def model_list_schema() -> Schema:
    """Of ``models list --json``; ``models info --json`` prints one entry of ``models``."""
    model = object_of(
        {
            "id": TEXT,
            "alias": TEXT,
            "catalog": {"enum": ["public", "local", "endpoint"]},
            "display_name": TEXT_OR_NULL,
            "publisher": TEXT_OR_NULL,
            "license": TEXT_OR_NULL,
            "license_text": TEXT_OR_NULL,
            "task": TEXT_OR_NULL,
            "device": {"enum": ["cpu", "gpu", "npu", None]},
            "execution_provider": TEXT_OR_NULL,
            "quantization": TEXT_OR_NULL,
            "size_bytes": COUNT_OR_NULL,
            "disk_bytes": COUNT_OR_NULL,
            "context_tokens": COUNT_OR_NULL,
            "advertised_context_tokens": COUNT_OR_NULL,
            "max_output_tokens": COUNT_OR_NULL,
            "capabilities": TEXTS,
            "cached": TRUTH_OR_NULL,
            "loaded": TRUTH_OR_NULL,
            "path": TEXT_OR_NULL,
            "problem": TEXT_OR_NULL,
            "unavailable": TEXT_OR_NULL,
            "fit": {"anyOf": [_fit_schema(), {"type": "null"}]},
        }
    )
    source = object_of({"host": TEXT, "saved_at_unix": COUNT_OR_NULL, "problem": TEXT_OR_NULL})
    return object_of(
        {
            "schema": {"const": "foundry-tui/model-list@1"},
            "notice": TEXT_OR_NULL,
            "saved_at_unix": COUNT_OR_NULL,
            "sources": {"type": "array", "items": source},
            "models": {"type": "array", "items": model},
        }
    )


def _fit_schema() -> Schema:
    """What a model needs of memory next to what there is."""
    term = object_of({"label": TEXT, "size_bytes": {"type": "integer", "minimum": 0}, "assumed": TRUTH})
    return object_of(
        {
            "verdict": {"enum": ["fits", "tight", "does not fit", "unknown"]},
            "memory": {"enum": ["RAM", "GPU memory"]},
            "need_bytes": COUNT_OR_NULL,
            "load_bytes": COUNT_OR_NULL,
            "available_bytes": COUNT_OR_NULL,
            "total_bytes": COUNT_OR_NULL,
            "limit_bytes": COUNT_OR_NULL,
            "over_limit_bytes": {"type": "integer", "minimum": 0},
            "conversation_tokens": {"type": "integer", "minimum": 0},
            "full_context_bytes": COUNT_OR_NULL,
            "terms": {"type": "array", "items": term},
            "unknown": TEXTS,
            "checked_loads": COUNT_OR_NULL,
            "worst_error_share": NUMBER_OR_NULL,
        }
    )


def validation_schema() -> Schema:
    """Of ``validate --json``; the times are this program's own, not of one request."""
    check = object_of(
        {"result": {"enum": ["ok", "no", "n/a"]}, "detail": TEXT_OR_NULL, "remedy": TEXT_OR_NULL}
    )
    checks: dict[str, Schema] = dict.fromkeys(("listed", "cached", "loads", "answers"), check)
    model = object_of(
        {
            "name": TEXT,
            "model_id": TEXT_OR_NULL,
            "passed": TRUTH,
            "load_ns": COUNT_OR_NULL,
            "first_text_ns": COUNT_OR_NULL,
            "checks": object_of(checks),
        }
    )
    return object_of(
        {
            "schema": {"const": "foundry-tui/validation@1"},
            "passed": TRUTH,
            "models": {"type": "array", "items": model},
        }
    )


def verification_schema() -> Schema:
    """Of ``models verify --json``; a file has its path in the folder, which is ``.`` itself."""
    problem = object_of({"file": TEXT, "what": TEXT})
    model = object_of(
        {
            "id": TEXT,
            "state": {"enum": [state.value for state in HealthState]},
            "deep": TRUTH,
            "files": {"type": "integer", "minimum": 0},
            "checked_unix_ms": COUNT_OR_NULL,
            "problems": {"type": "array", "items": problem},
        }
    )
    return object_of(
        {
            "schema": {"const": "foundry-tui/verification@1"},
            "sound": TRUTH,
            "models": {"type": "array", "items": model},
        }
    )


def doctor_schema() -> Schema:
    """Of ``doctor --json``."""
    engine = object_of({"kind": TEXT, "url": TEXT_OR_NULL, "capabilities": TEXTS, "cache_dir": TEXT_OR_NULL})
    check = object_of(
        {
            "name": TEXT,
            "status": {"enum": ["ok", "note", "problem"]},
            "detail": TEXT,
            "remedy": TEXT_OR_NULL,
        }
    )
    return object_of(
        {
            "schema": {"const": "foundry-tui/doctor@1"},
            "versions": {"type": "object", "additionalProperties": TEXT},
            "data_dir": TEXT,
            "engine": {"anyOf": [engine, {"type": "null"}]},
            "checks": {"type": "array", "items": check},
        }
    )


def conversation_schema() -> Schema:
    """Of ``conversations export --format json`` and ``conversations show --json``.

    A text whose halves of a surrogate pair came apart is a list of texts, to be joined.
    """
    text: Schema = {"anyOf": [TEXT, TEXTS]}
    text_or_null: Schema = {"anyOf": [TEXT, TEXTS, {"type": "null"}]}
    counts: Schema = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    unix_ms: Schema = {"type": "integer", "minimum": 0, "maximum": 253_402_300_799_999}
    an_id: Schema = {"type": "string", "minLength": 1, "maxLength": 200}
    id_or_null: Schema = {"type": ["string", "null"], "maxLength": 200}
    usage = object_of(
        {
            "prompt_tokens": COUNT_OR_NULL,
            "completion_tokens": COUNT_OR_NULL,
            "reasoning_tokens": COUNT_OR_NULL,
        }
    )
    answer = object_of(
        {
            "status": {"enum": [outcome.value for outcome in Outcome]},
            "finish_reason": TEXT_OR_NULL,
            "response_id": TEXT_OR_NULL,
            "warnings": TEXTS,
            "error": text_or_null,
            "call_ns": COUNT_OR_NULL,
            "sent_ns": COUNT_OR_NULL,
            "headers_ns": COUNT_OR_NULL,
            "role_ns": COUNT_OR_NULL,
            "chunk_ns": counts,
            "chunk_kind": {"type": "array", "items": {"enum": ["content", "reasoning", "tool"]}},
            "chunk_chars": counts,
            "chunk_read": counts,
            "chunk_tokens": {"type": "array", "items": COUNT_OR_NULL},
            "end_ns": COUNT_OR_NULL,
            "delay_p99_ns": COUNT_OR_NULL,
            "usage": {"anyOf": [usage, {"type": "null"}]},
            "text": text_or_null,
            "reasoning": text_or_null,
            "tool_text": text,
        }
    )
    turn = object_of(
        {
            "id": an_id,
            "parent_id": id_or_null,
            "role": {"enum": ["user", "assistant"]},
            "at_unix_ms": unix_ms,
            "model_id": TEXT_OR_NULL,
            "text": text,
            "reasoning": text,
            "answer": {"anyOf": [answer, {"type": "null"}]},
        }
    )
    options = object_of(
        {
            "system_prompt": text_or_null,
            "max_tokens": {"type": "integer", "minimum": 1},
            "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
            "seed": {"type": ["integer", "null"]},
        }
    )
    return object_of(
        {
            "schema": {"const": "foundry-tui/conversation@1"},
            "id": an_id,
            "title": text,
            "tags": TEXTS,
            "created_unix_ms": unix_ms,
            "updated_unix_ms": unix_ms,
            "options": options,
            "head_id": id_or_null,
            "turns": {"type": "array", "items": turn},
        }
    )


def conversation_list_schema() -> Schema:
    """Of ``conversations list --json`` and ``conversations search --json``."""
    conversation = object_of(
        {
            "id": TEXT,
            "title": TEXT,
            "updated_unix_ms": {"type": "integer"},
            "turns": {"type": "integer", "minimum": 0},
            "tags": TEXTS,
            "models": TEXTS,
            "snippet": TEXT,
            "hits": {
                "type": "array",
                "items": {
                    "type": "array",
                    "items": {"type": "integer", "minimum": 0},
                    "minItems": 2,
                    "maxItems": 2,
                },
            },
            "hit_turn_id": TEXT_OR_NULL,
        }
    )
    return object_of(
        {
            "schema": {"const": "foundry-tui/conversation-list@1"},
            "conversations": {"type": "array", "items": conversation},
        }
    )

"""JSON Schema of what commands print, written by hand beside the contract: outputs only ever gain fields."""

from typing import TypeAlias

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

_Schema: TypeAlias = dict[str, object]

_TEXT: _Schema = {"type": "string"}
_TEXT_OR_NULL: _Schema = {"type": ["string", "null"]}
_COUNT_OR_NULL: _Schema = {"type": ["integer", "null"], "minimum": 0}
_NUMBER_OR_NULL: _Schema = {"type": ["number", "null"]}
_TRUTH: _Schema = {"type": "boolean"}
_TRUTH_OR_NULL: _Schema = {"type": ["boolean", "null"]}
_TEXTS: _Schema = {"type": "array", "items": _TEXT}


def _object(properties: dict[str, _Schema], *, optional: tuple[str, ...] = ()) -> _Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def model_list_schema() -> _Schema:
    """Of ``models list --json``; ``models info --json`` prints one entry of ``models``."""
    model = _object(
        {
            "id": _TEXT,
            "alias": _TEXT,
            "catalog": {"enum": ["public", "local", "endpoint"]},
            "display_name": _TEXT_OR_NULL,
            "publisher": _TEXT_OR_NULL,
            "license": _TEXT_OR_NULL,
            "license_text": _TEXT_OR_NULL,
            "task": _TEXT_OR_NULL,
            "device": {"enum": ["cpu", "gpu", "npu", None]},
            "execution_provider": _TEXT_OR_NULL,
            "quantization": _TEXT_OR_NULL,
            "size_bytes": _COUNT_OR_NULL,
            "disk_bytes": _COUNT_OR_NULL,
            "context_tokens": _COUNT_OR_NULL,
            "advertised_context_tokens": _COUNT_OR_NULL,
            "max_output_tokens": _COUNT_OR_NULL,
            "capabilities": _TEXTS,
            "cached": _TRUTH_OR_NULL,
            "loaded": _TRUTH_OR_NULL,
            "path": _TEXT_OR_NULL,
            "problem": _TEXT_OR_NULL,
            "unavailable": _TEXT_OR_NULL,
            "fit": {"anyOf": [_fit_schema(), {"type": "null"}]},
        }
    )
    source = _object({"host": _TEXT, "saved_at_unix": _COUNT_OR_NULL, "problem": _TEXT_OR_NULL})
    return _object(
        {
            "schema": {"const": "foundry-tui/model-list@1"},
            "notice": _TEXT_OR_NULL,
            "saved_at_unix": _COUNT_OR_NULL,
            "sources": {"type": "array", "items": source},
            "models": {"type": "array", "items": model},
        }
    )


def _fit_schema() -> _Schema:
    """What a model needs of memory next to what there is."""
    term = _object({"label": _TEXT, "size_bytes": {"type": "integer", "minimum": 0}, "assumed": _TRUTH})
    return _object(
        {
            "verdict": {"enum": ["fits", "tight", "does not fit", "unknown"]},
            "memory": {"enum": ["RAM", "GPU memory"]},
            "need_bytes": _COUNT_OR_NULL,
            "load_bytes": _COUNT_OR_NULL,
            "available_bytes": _COUNT_OR_NULL,
            "total_bytes": _COUNT_OR_NULL,
            "limit_bytes": _COUNT_OR_NULL,
            "over_limit_bytes": {"type": "integer", "minimum": 0},
            "conversation_tokens": {"type": "integer", "minimum": 0},
            "full_context_bytes": _COUNT_OR_NULL,
            "terms": {"type": "array", "items": term},
            "unknown": _TEXTS,
            "checked_loads": _COUNT_OR_NULL,
            "worst_error_share": _NUMBER_OR_NULL,
        }
    )


def validation_schema() -> _Schema:
    """Of ``validate --json``; the times are this program's own, not of one request."""
    check = _object(
        {"result": {"enum": ["ok", "no", "n/a"]}, "detail": _TEXT_OR_NULL, "remedy": _TEXT_OR_NULL}
    )
    checks: dict[str, _Schema] = dict.fromkeys(("listed", "cached", "loads", "answers"), check)
    model = _object(
        {
            "name": _TEXT,
            "model_id": _TEXT_OR_NULL,
            "passed": _TRUTH,
            "load_ns": _COUNT_OR_NULL,
            "first_text_ns": _COUNT_OR_NULL,
            "checks": _object(checks),
        }
    )
    return _object(
        {
            "schema": {"const": "foundry-tui/validation@1"},
            "passed": _TRUTH,
            "models": {"type": "array", "items": model},
        }
    )


def verification_schema() -> _Schema:
    """Of ``models verify --json``; a file has its path in the folder, which is ``.`` itself."""
    problem = _object({"file": _TEXT, "what": _TEXT})
    model = _object(
        {
            "id": _TEXT,
            "state": {"enum": [state.value for state in HealthState]},
            "deep": _TRUTH,
            "files": {"type": "integer", "minimum": 0},
            "checked_unix_ms": _COUNT_OR_NULL,
            "problems": {"type": "array", "items": problem},
        }
    )
    return _object(
        {
            "schema": {"const": "foundry-tui/verification@1"},
            "sound": _TRUTH,
            "models": {"type": "array", "items": model},
        }
    )


def doctor_schema() -> _Schema:
    """Of ``doctor --json``."""
    engine = _object(
        {"kind": _TEXT, "url": _TEXT_OR_NULL, "capabilities": _TEXTS, "cache_dir": _TEXT_OR_NULL}
    )
    check = _object(
        {
            "name": _TEXT,
            "status": {"enum": ["ok", "note", "problem"]},
            "detail": _TEXT,
            "remedy": _TEXT_OR_NULL,
        }
    )
    return _object(
        {
            "schema": {"const": "foundry-tui/doctor@1"},
            "versions": {"type": "object", "additionalProperties": _TEXT},
            "data_dir": _TEXT,
            "engine": {"anyOf": [engine, {"type": "null"}]},
            "checks": {"type": "array", "items": check},
        }
    )


def conversation_schema() -> _Schema:
    """Of ``conversations export --format json`` and ``conversations show --json``.

    A text whose halves of a surrogate pair came apart is a list of texts, to be joined.
    """
    text: _Schema = {"anyOf": [_TEXT, _TEXTS]}
    text_or_null: _Schema = {"anyOf": [_TEXT, _TEXTS, {"type": "null"}]}
    counts: _Schema = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    unix_ms: _Schema = {"type": "integer", "minimum": 0, "maximum": 253_402_300_799_999}
    an_id: _Schema = {"type": "string", "minLength": 1, "maxLength": 200}
    id_or_null: _Schema = {"type": ["string", "null"], "maxLength": 200}
    usage = _object(
        {
            "prompt_tokens": _COUNT_OR_NULL,
            "completion_tokens": _COUNT_OR_NULL,
            "reasoning_tokens": _COUNT_OR_NULL,
        }
    )
    answer = _object(
        {
            "status": {"enum": [outcome.value for outcome in Outcome]},
            "finish_reason": _TEXT_OR_NULL,
            "response_id": _TEXT_OR_NULL,
            "warnings": _TEXTS,
            "error": text_or_null,
            "call_ns": _COUNT_OR_NULL,
            "sent_ns": _COUNT_OR_NULL,
            "headers_ns": _COUNT_OR_NULL,
            "role_ns": _COUNT_OR_NULL,
            "chunk_ns": counts,
            "chunk_kind": {"type": "array", "items": {"enum": ["content", "reasoning", "tool"]}},
            "chunk_chars": counts,
            "chunk_read": counts,
            "chunk_tokens": {"type": "array", "items": _COUNT_OR_NULL},
            "end_ns": _COUNT_OR_NULL,
            "delay_p99_ns": _COUNT_OR_NULL,
            "usage": {"anyOf": [usage, {"type": "null"}]},
            "text": text_or_null,
            "reasoning": text_or_null,
            "tool_text": text,
        }
    )
    turn = _object(
        {
            "id": an_id,
            "parent_id": id_or_null,
            "role": {"enum": ["user", "assistant"]},
            "at_unix_ms": unix_ms,
            "model_id": _TEXT_OR_NULL,
            "text": text,
            "reasoning": text,
            "answer": {"anyOf": [answer, {"type": "null"}]},
        }
    )
    options = _object(
        {
            "system_prompt": text_or_null,
            "max_tokens": {"type": "integer", "minimum": 1},
            "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
            "seed": {"type": ["integer", "null"]},
        }
    )
    return _object(
        {
            "schema": {"const": "foundry-tui/conversation@1"},
            "id": an_id,
            "title": text,
            "tags": _TEXTS,
            "created_unix_ms": unix_ms,
            "updated_unix_ms": unix_ms,
            "options": options,
            "head_id": id_or_null,
            "turns": {"type": "array", "items": turn},
        }
    )


def conversation_list_schema() -> _Schema:
    """Of ``conversations list --json`` and ``conversations search --json``."""
    conversation = _object(
        {
            "id": _TEXT,
            "title": _TEXT,
            "updated_unix_ms": {"type": "integer"},
            "turns": {"type": "integer", "minimum": 0},
            "tags": _TEXTS,
            "models": _TEXTS,
            "snippet": _TEXT,
            "hits": {
                "type": "array",
                "items": {
                    "type": "array",
                    "items": {"type": "integer", "minimum": 0},
                    "minItems": 2,
                    "maxItems": 2,
                },
            },
            "hit_turn_id": _TEXT_OR_NULL,
        }
    )
    return _object(
        {
            "schema": {"const": "foundry-tui/conversation-list@1"},
            "conversations": {"type": "array", "items": conversation},
        }
    )

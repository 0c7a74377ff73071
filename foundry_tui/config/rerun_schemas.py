"""JSON Schema of what results have of rounds that were measured again; beside ``result_schemas``."""

from foundry_tui.config.schema_parts import COUNT, NUMBER_OR_NULL, TEXT, TRUTH, Schema, list_of, object_of

__all__ = ["ATTEMPT_SCHEMAS", "again_schema", "reruns_schema"]

_ATTEMPT: Schema = {"type": "integer", "minimum": 2}
_ROUND: Schema = {"type": "integer", "minimum": 1}

ATTEMPT_SCHEMAS: dict[str, Schema] = {"attempt": {"type": "integer", "minimum": 1}, "superseded": TRUTH}
"""Of an entry of ``requests``; absent in files of earlier versions, where every attempt is the first."""


def reruns_schema() -> Schema:
    """Of ``run.reruns``: which rounds were measured again, and why; absent in files of earlier versions."""
    one = object_of(
        {"model": TEXT, "round": _ROUND, "reasons": {"type": "array", "items": TEXT, "minItems": 1}}
    )
    return list_of(
        object_of(
            {
                "attempt": _ATTEMPT,
                "started_at": TEXT,
                "started_unix_ms": COUNT,
                "rounds": {"type": "array", "items": one, "minItems": 1},
            }
        )
    )


def again_schema() -> Schema:
    """Of ``summary[].measured_again``: both medians, each time; absent in files of earlier versions."""
    return list_of(
        object_of(
            {
                "attempt": _ATTEMPT,
                "rounds": {"type": "array", "items": _ROUND},
                "by_result": TRUTH,
                "measure": TEXT,
                "before_median": NUMBER_OR_NULL,
                "after_median": NUMBER_OR_NULL,
                "slots": COUNT,
                "made": COUNT,
                "standing": COUNT,
                "mended": COUNT,
                "estimated": TRUTH,
            }
        )
    )

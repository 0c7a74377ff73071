"""JSON Schema of what results have of predictions; beside ``result_schemas``."""

from foundry_tui.config.schema_parts import (
    COUNT,
    NUMBER,
    NUMBER_OR_NULL,
    TEXT,
    TEXT_OR_NULL,
    TRUTH,
    Schema,
    object_of,
    or_null,
)
from foundry_tui.domain.predictions import NoSpeed, SpeedBasis

__all__ = ["PREDICTION_ERROR_SCHEMAS", "PREDICTION_SCHEMAS", "prediction_schema"]

_SOME: Schema = {"type": "integer", "minimum": 1}


def prediction_schema() -> Schema:
    """What was expected of a model; null where nothing was."""
    speed = object_of(
        {
            "predicted": NUMBER,
            "interval": {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2},
            "basis": {"enum": [basis.value for basis in SpeedBasis]},
            **dict.fromkeys(("models", "runs", "answers"), _SOME),
            "newest_unix_ms": COUNT,
            "provider": TEXT,
            **dict.fromkeys(("same_runtime", "estimated", "fallback"), TRUTH),
        }
    )
    memory = object_of(
        {
            "kind": {"enum": ["ram", "gpu"]},
            "predicted_bytes": COUNT,
            "loads": COUNT,
            "assumed": TRUTH,
            "earlier_worst_error_share": NUMBER_OR_NULL,
            "earlier_checked": COUNT,
        }
    )
    return or_null(
        object_of(
            {
                "model_id": TEXT_OR_NULL,
                "made_unix_ms": COUNT,
                "decode_tokens_per_s": or_null(speed),
                "no_decode_rate": {"enum": [*(reason.value for reason in NoSpeed), None]},
                "earlier_error_share": NUMBER_OR_NULL,
                "earlier_checked": COUNT,
                "load_memory": or_null(memory),
            }
        )
    )


PREDICTION_SCHEMAS: dict[str, Schema] = {"prediction": prediction_schema()}
"""Of an entry of ``run.models``; absent in files of earlier versions."""
PREDICTION_ERROR_SCHEMAS: dict[str, Schema] = {
    "prediction_error": object_of({"decode_tokens_per_s": NUMBER_OR_NULL, "load_memory": NUMBER_OR_NULL})
}
"""Of an entry of ``summary``: ``(predicted - measured)/measured``; likewise."""

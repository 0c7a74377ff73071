"""JSON Schema of ``foundry-tui models pick --json``."""

from foundry_tui.config.schema_parts import (
    COUNT,
    COUNT_OR_NULL,
    INTERVAL,
    NUMBER,
    NUMBER_OR_NULL,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    TRUTH,
    Schema,
    list_of,
    object_of,
    or_null,
)
from foundry_tui.metrics.candidate import COMPARED
from foundry_tui.metrics.selection import Asked, Fit, State

__all__ = ["choice_schema"]

_PLACE: Schema = {**COUNT, "description": "a candidate, by its place in candidates, from 0 on"}
_PLACES: Schema = list_of(_PLACE)
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_STATE: Schema = {"enum": [state.value for state in State]}
_NAMES: list[str] = [dimension.value for dimension in COMPARED]
_DIMENSIONS: Schema = list_of({"enum": _NAMES})


def choice_schema() -> Schema:
    """All of it."""
    asked: dict[str, Schema] = {each.value: NUMBER for each in Asked}
    asked[Asked.LICENSES.value] = TEXTS
    standing = object_of(
        {
            "candidate": _PLACE,
            "on_front": TRUTH,
            "beaten_by": list_of(object_of({"candidate": _PLACE, "not_compared": _DIMENSIONS})),
        }
    )
    held = object_of(
        {"fits": _SHARE, "on_front": _SHARE, "first": _by_dimension(_SHARE), "drawn": _DIMENSIONS}
    )
    order = object_of(
        {
            "weights": _by_dimension(NUMBER),
            "places": list_of(_PLACES),
            "left_out": list_of(object_of({"candidate": _PLACE, "unknown": _DIMENSIONS})),
        }
    )
    return object_of(
        {
            "schema": {"const": "foundry-tui/choice@1"},
            "limits": object_of(asked, optional=asked),
            "candidates": list_of(_candidate()),
            "standings": list_of(standing),
            "front": _PLACES,
            "stability": or_null(object_of({"seed": COUNT, "resamples": COUNT, "candidates": list_of(held)})),
            "weighted": or_null(order),
            "unlike": TEXTS,
        }
    )


def _candidate() -> Schema:
    figure = or_null(
        object_of({"value": NUMBER, "interval": INTERVAL, "n": COUNT_OR_NULL, "estimated": TRUTH})
    )
    return object_of(
        {
            "run": TEXT,
            "model": TEXT,
            "model_id": TEXT_OR_NULL,
            "answers": COUNT,
            "tried": COUNT,
            "answer_tokens": NUMBER_OR_NULL,
            "fit": {"enum": [fit.value for fit in Fit]},
            "latency": _dimension({"e2e_s": figure, "p95_s": NUMBER_OR_NULL, "ttft_s": figure}),
            "throughput": _dimension({"tokens_per_s": figure, "characters_per_s": figure}),
            "memory": _dimension({"peak_rss_bytes": COUNT_OR_NULL, "peak_vram_bytes": COUNT_OR_NULL}),
            "quality": _dimension({"mean": figure}),
            "footprint": _dimension({"disk_bytes": COUNT_OR_NULL}),
            "license": _dimension({"declared": TEXT_OR_NULL}),
            "time_to_good": object_of({"unknown": TEXT_OR_NULL, "seconds": figure}),
        }
    )


def _dimension(values: dict[str, Schema]) -> Schema:
    check = object_of({"limit": {"enum": [each.value for each in Asked]}, "state": _STATE, "close": TRUTH})
    return object_of({"state": _STATE, "checks": list_of(check), "unknown": TEXT_OR_NULL, **values})


def _by_dimension(schema: Schema) -> Schema:
    return {"type": "object", "properties": dict.fromkeys(_NAMES, schema), "additionalProperties": False}

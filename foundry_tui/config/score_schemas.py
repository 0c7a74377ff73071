"""JSON Schema of what ``score show`` and ``score agreement`` print; an output only ever gains fields."""

from foundry_tui.config.schema_parts import (
    COUNT,
    INTERVAL,
    NUMBER,
    NUMBER_OR_NULL,
    TEXT,
    TEXT_OR_NULL,
    Schema,
    list_of,
    object_of,
    or_null,
)
from foundry_tui.metrics.agreement import NoInterval, NoKappa
from foundry_tui.metrics.quality import NoTimeToGood

__all__ = ["agreement_schema", "model_quality_schema", "quality_schema"]

_NO_INTERVAL: Schema = {"enum": [*(reason.value for reason in NoInterval), None]}


def quality_schema() -> Schema:
    """Of ``score show --json``."""
    return object_of(
        {
            "schema": {"const": "foundry-tui/quality@1"},
            "run": TEXT,
            "models": list_of(model_quality_schema()),
            "unmatched_scores": COUNT,
        }
    )


def model_quality_schema() -> Schema:
    """Of one model, by the scores of people: means from 1 to 5, shares from 0 to 1, times in seconds."""
    mean: dict[str, Schema] = {
        "mean": NUMBER_OR_NULL,
        "interval": INTERVAL,
        "no_interval": _NO_INTERVAL,
        "answers": COUNT,
        "scorable": COUNT,
        "coverage": NUMBER_OR_NULL,
        "prompts": COUNT,
    }
    good = object_of(
        {
            "least": NUMBER,
            "good": COUNT,
            "answers": COUNT,
            "share": NUMBER_OR_NULL,
            "interval": INTERVAL,
            "no_interval": _NO_INTERVAL,
        }
    )
    time = object_of(
        {
            "seconds": NUMBER_OR_NULL,
            "no_time": {"enum": [*(reason.value for reason in NoTimeToGood), None]},
            "interval": INTERVAL,
            "no_interval": _NO_INTERVAL,
            "median_latency_s": NUMBER_OR_NULL,
            "good": good,
        }
    )
    return object_of(
        {
            "model": TEXT,
            "rubric_sha256": TEXT_OR_NULL,
            "overall": object_of(mean),
            "criteria": list_of(object_of({"id": TEXT, **mean})),
            "good": good,
            "partly_scored": COUNT,
            "annotators": COUNT,
            "other_rubric_scores": COUNT,
            "repeats": COUNT,
            "time_to_good": or_null(time),
        }
    )


def agreement_schema() -> Schema:
    """Of ``score agreement --json``; the rows of a table are of the first one's scores from 1 to 5."""
    figures: dict[str, Schema] = {
        "n": COUNT,
        "answers": COUNT,
        "weighted_kappa": NUMBER_OR_NULL,
        "no_kappa": {"enum": [*(reason.value for reason in NoKappa), None]},
        "interval": INTERVAL,
        "no_interval": _NO_INTERVAL,
        "same_share": NUMBER_OR_NULL,
        "within_one_share": NUMBER_OR_NULL,
        "confusion": list_of(list_of(COUNT)),
    }
    agreement = object_of(
        {
            "kind": {"enum": ["within", "between"]},
            "annotators": list_of(TEXT),
            "rubric_sha256": TEXT_OR_NULL,
            "overall": object_of(figures),
            "criteria": list_of(object_of({"id": TEXT, **figures})),
            "other_rubric_scores": COUNT,
        }
    )
    disagreement = object_of(
        {
            "run": TEXT,
            "number": COUNT,
            "criterion": TEXT,
            "apart": COUNT,
            "scores": list_of(object_of({"annotator": TEXT, "value": COUNT})),
        }
    )
    return object_of(
        {
            "schema": {"const": "foundry-tui/agreement@1"},
            "run": TEXT,
            "agreements": list_of(agreement),
            "disagreements": list_of(disagreement),
        }
    )

"""JSON Schema of what ``score show`` and ``score agreement`` print; an output only ever gains fields."""

from foundry_tui.config.judge_schemas import judge_agreement_fields, judge_fields
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
from foundry_tui.config.score_parts import NO_INTERVAL, agreement_fields, mean_fields
from foundry_tui.metrics.quality import NoTimeToGood

__all__ = ["agreement_schema", "quality_schema"]


def quality_schema() -> Schema:
    """Of ``score show --json``: means from 1 to 5, shares from 0 to 1, times in seconds."""
    mean = mean_fields()
    good = object_of(
        {
            "least": NUMBER,
            "good": COUNT,
            "answers": COUNT,
            "share": NUMBER_OR_NULL,
            "interval": INTERVAL,
            "no_interval": NO_INTERVAL,
        }
    )
    time = object_of(
        {
            "seconds": NUMBER_OR_NULL,
            "no_time": {"enum": [*(reason.value for reason in NoTimeToGood), None]},
            "interval": INTERVAL,
            "no_interval": NO_INTERVAL,
            "median_latency_s": NUMBER_OR_NULL,
            "good": good,
        }
    )
    model = object_of(
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
    return object_of(
        {
            "schema": {"const": "foundry-tui/quality@1"},
            "run": TEXT,
            "models": list_of(model),
            "unmatched_scores": COUNT,
            "judges": list_of(judge_fields()),
        },
        optional=("judges",),
    )


def agreement_schema() -> Schema:
    """Of ``score agreement --json``; the rows of a table are of the first one's scores from 1 to 5."""
    figures = agreement_fields()
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
            "judges": list_of(judge_agreement_fields()),
        },
        optional=("judges",),
    )

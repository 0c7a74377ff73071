"""JSON Schema of what ``score show``, ``agreement`` and ``checks`` print; an output only gains fields."""

from foundry_tui.config.judge_schemas import judge_agreement_fields, judge_fields
from foundry_tui.config.schema_parts import (
    COUNT,
    INTERVAL,
    NUMBER,
    NUMBER_OR_NULL,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    TRUTH_OR_NULL,
    Schema,
    list_of,
    object_of,
    or_null,
)
from foundry_tui.config.score_parts import NO_INTERVAL, agreement_fields, mean_fields
from foundry_tui.metrics.checks import Passed
from foundry_tui.metrics.quality import NoTimeToGood

__all__ = [
    "agreement_schema",
    "checks_schema",
    "model_checks_schema",
    "model_quality_schema",
    "quality_schema",
    "written_checks_schema",
]

# What else it has is told by the schema of prompts.json, for each kind.
_WRITTEN_CHECK: Schema = object_of({"kind": TEXT})


def quality_schema() -> Schema:
    """Of ``score show --json``: means from 1 to 5, shares from 0 to 1, times in seconds."""
    preferences = object_of(
        {
            "pairs": list_of(
                object_of(
                    {
                        "one": TEXT,
                        "other": TEXT,
                        "one_wins": COUNT,
                        "other_wins": COUNT,
                        "ties": COUNT,
                        "share": NUMBER_OR_NULL,
                        "interval": INTERVAL,
                    }
                )
            ),
            "annotators": COUNT,
            "skipped": COUNT,
            "left": COUNT,
            "decided": COUNT,
            "left_interval": INTERVAL,
            "again": COUNT,
            "same": COUNT,
            "unmatched": COUNT,
        }
    )
    return object_of(
        {
            "schema": {"const": "foundry-tui/quality@1"},
            "run": TEXT,
            "models": list_of(model_quality_schema()),
            "unmatched_scores": COUNT,
            "preferences": preferences,
            "aspects": list_of(object_of({"model": TEXT, "met": COUNT, "asked": COUNT})),
            "judges": list_of(judge_fields()),
        },
        optional=("preferences", "aspects", "judges"),
    )


def model_quality_schema() -> Schema:
    """Of one model, by the scores of people: means from 1 to 5, shares from 0 to 1, times in seconds."""
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


def checks_schema() -> Schema:
    """Of ``score checks --json``."""
    return object_of(
        {
            "schema": {"const": "foundry-tui/checks@1"},
            "run": TEXT,
            "prompts": COUNT,
            "models": list_of(model_checks_schema()),
            "not_in_run": TEXTS,
            "reworded": TEXTS,
        }
    )


def model_checks_schema() -> Schema:
    """Of the checks of one model: counts, shares from 0 to 1, and what was found in each answer."""
    found = object_of(
        {
            "check": _WRITTEN_CHECK,
            "result": {"enum": [passed.value for passed in Passed]},
            "why": TEXT_OR_NULL,
        }
    )
    answer = object_of(
        {"number": COUNT, "prompt_id": TEXT, "passed": TRUTH_OR_NULL, "findings": list_of(found)}
    )
    return object_of(
        {
            "model": TEXT,
            "passed": COUNT,
            "made": COUNT,
            "not_applicable": COUNT,
            "share": NUMBER_OR_NULL,
            "interval": INTERVAL,
            "answers_passed": COUNT,
            "answers_made": COUNT,
            "answers_interval": INTERVAL,
            "unanswered": TEXTS,
            "answers": list_of(answer),
        }
    )


def written_checks_schema() -> Schema:
    """Of the checks of a prompt, as ``foundry-tui schema prompts`` has them."""
    return list_of(_WRITTEN_CHECK)

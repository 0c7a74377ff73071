"""JSON Schema of what ``score judge`` prints; an output only ever gains fields."""

from foundry_tui.config.schema_parts import (
    COUNT,
    INTERVAL,
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
from foundry_tui.config.score_parts import NO_INTERVAL, agreement_fields, mean_fields
from foundry_tui.metrics.rank_correlation import NoCorrelation

__all__ = ["judge_agreement_fields", "judge_fields", "judge_schema"]


def judge_schema() -> Schema:
    """Of ``score judge --json``: what was done now, and all that is known of that judge."""
    work = object_of(
        {
            "of": {"enum": ["answers", "pairs"]},
            "total": COUNT,
            "known": COUNT,
            "made": COUNT,
            "refused": COUNT,
            "retries": COUNT,
            "failed": COUNT,
            "problem": TEXT_OR_NULL,
        }
    )
    return object_of(
        {
            "schema": {"const": "foundry-tui/judge@1"},
            "run": TEXT,
            "work": work,
            "judge": or_null(judge_fields()),
        }
    )


def judge_fields() -> Schema:
    """One judge: means from 1 to 5, shares from 0 to 1."""
    mean = mean_fields()
    model = object_of(
        {
            "model": TEXT,
            "overall": object_of(mean),
            "criteria": list_of(object_of({"id": TEXT, **mean})),
        }
    )
    length = object_of(
        {
            "answers": COUNT,
            "prompts": COUNT,
            "spearman_rho": NUMBER_OR_NULL,
            "no_rho": {"enum": [*(reason.value for reason in NoCorrelation), None]},
            "interval": INTERVAL,
            "no_interval": NO_INTERVAL,
            "partial_rho": NUMBER_OR_NULL,
            "partial_answers": COUNT,
            "goes_by_length": TRUTH,
        }
    )
    return object_of(
        {
            **_who(),
            "prompt_sha256": TEXT_OR_NULL,
            "pair_prompt_sha256": TEXT_OR_NULL,
            "asked": _asked(),
            "agreement": object_of(_agreement()),
            "length": length,
            "models": list_of(model),
            "pairs": or_null(_pairs()),
            "other_versions": COUNT,
            "unmatched": COUNT,
        }
    )


def judge_agreement_fields() -> Schema:
    """How one judge agrees with people, whose scores are in the rows of the tables."""
    return object_of({**_who(), **_agreement()})


def _who() -> dict[str, Schema]:
    return {
        "judge": TEXT,
        "families": TEXTS,
        "same_family": TRUTH,
        "trusted": TRUTH,
        "trusted_from": COUNT,
        "human_answers": COUNT,
        "rubric_sha256": TEXT_OR_NULL,
    }


def _agreement() -> dict[str, Schema]:
    figures = agreement_fields()
    return {
        "overall": object_of(figures),
        "criteria": list_of(object_of({"id": TEXT, **figures})),
    }


def _asked() -> Schema:
    return object_of(
        {
            "count": COUNT,
            "refused": COUNT,
            "retries": COUNT,
            "refused_share": NUMBER_OR_NULL,
            "interval": INTERVAL,
        }
    )


def _pairs() -> Schema:
    share = object_of(
        {
            "one": TEXT,
            "other": TEXT,
            "one_wins": COUNT,
            "other_wins": COUNT,
            "ties": COUNT,
            "one_share": NUMBER_OR_NULL,
            "other_share": NUMBER_OR_NULL,
            "one_interval": INTERVAL,
        }
    )
    return object_of(
        {
            "asked": _asked(),
            "pairs": COUNT,
            "agreeing": COUNT,
            "flips": COUNT,
            "flips_to_first": COUNT,
            "wavering": COUNT,
            "flip_share": NUMBER_OR_NULL,
            "interval": INTERVAL,
            "longer_wins": COUNT,
            "shorter_wins": COUNT,
            "longer_interval": INTERVAL,
            "goes_by_length": TRUTH,
            "shares": list_of(share),
        }
    )

"""The pieces that the schemas of scores of people and of judges have in common."""

from foundry_tui.config.schema_parts import COUNT, INTERVAL, NUMBER_OR_NULL, Schema, list_of
from foundry_tui.metrics.agreement import NoInterval, NoKappa

__all__ = ["NO_INTERVAL", "agreement_fields", "mean_fields"]

NO_INTERVAL: Schema = {"enum": [*(reason.value for reason in NoInterval), None]}


def mean_fields() -> dict[str, Schema]:
    """What was got by one criterion, or by all: a mean from 1 to 5."""
    return {
        "mean": NUMBER_OR_NULL,
        "interval": INTERVAL,
        "no_interval": NO_INTERVAL,
        "answers": COUNT,
        "scorable": COUNT,
        "coverage": NUMBER_OR_NULL,
        "prompts": COUNT,
    }


def agreement_fields() -> dict[str, Schema]:
    """How two agree; the rows of the table are of the first one's scores from 1 to 5."""
    return {
        "n": COUNT,
        "answers": COUNT,
        "weighted_kappa": NUMBER_OR_NULL,
        "no_kappa": {"enum": [*(reason.value for reason in NoKappa), None]},
        "interval": INTERVAL,
        "no_interval": NO_INTERVAL,
        "same_share": NUMBER_OR_NULL,
        "within_one_share": NUMBER_OR_NULL,
        "confusion": list_of(list_of(COUNT)),
    }

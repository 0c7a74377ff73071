"""The workshop's figure beside the right one, of runs that it left averages of and no readings."""

import math
from collections.abc import Mapping

__all__ = ["WORKSHOP_PREFIX", "corrected_rate", "told_rate"]

WORKSHOP_PREFIX = "workshop_"
"""Begins the name of each fact of a model that an imported run has from the workshop's JSON."""


def told_rate(facts: Mapping[str, str]) -> float | None:
    """The workshop's tokens/s, which count the prompt: as it was told, else total tokens/latency."""
    told = _number(facts, "tokens_per_sec_avg")
    return told if told is not None else _over_latency(facts, _number(facts, "avg_total_tokens"))


def corrected_rate(facts: Mapping[str, str]) -> float | None:
    """Output tokens per second of the whole answer, avg. completion tokens/avg. latency.

    None where the output was not told apart from the prompt.  A ratio of averages, which is the mean rate
    only where all rounds took alike.
    """
    tokens = _number(facts, "avg_completion_tokens")
    total, rounds = _number(facts, "completion_tokens_total"), _number(facts, "rounds_ok")
    if tokens is None and total is not None and rounds:
        tokens = total / rounds
    return _over_latency(facts, tokens)


def _over_latency(facts: Mapping[str, str], tokens: float | None) -> float | None:
    latency_s = next(
        (value for name in ("latency_avg_s", "latency_avg") if (value := _number(facts, name)) is not None),
        None,
    )
    return tokens / latency_s if tokens is not None and latency_s else None


def _number(facts: Mapping[str, str], name: str) -> float | None:
    """A fact as a number that can be one of these; None where it is none."""
    try:
        value = float(facts.get(WORKSHOP_PREFIX + name, ""))
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None

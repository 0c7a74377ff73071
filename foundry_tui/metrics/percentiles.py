"""Percentiles that stay inside of what was read, and how many readings each of them needs."""

from collections.abc import Sequence

__all__ = ["P95_COUNT", "P99_COUNT", "percentile"]

P95_COUNT = 59
"""The least n for a one-sided 95 % statement about p95: max is above it with 1 − 0.95⁵⁹ > 0.95."""
P99_COUNT = 299
"""The same of p99."""


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the values lies, linear between the two nearest as numpy's default.

    The place is share·(n − 1), counted from 0 (R. J. Hyndman and Y. Fan, definition 7), so the result is
    never outside of the values.

    Args:
        ordered: At least one value, ascending.
        share: From 0 to 1.

    Raises:
        ValueError: There is no value.
    """
    if not ordered:
        raise ValueError("no percentile without a value")
    place = share * (len(ordered) - 1)
    below = int(place)
    lower, upper = ordered[below], ordered[min(below + 1, len(ordered) - 1)]
    return lower + (upper - lower) * (place - below)

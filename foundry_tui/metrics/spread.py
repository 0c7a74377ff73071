"""What a list of readings of one quantity comes to: its middle, its ends, and how well they are known."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from foundry_tui.metrics.intervals import CONFIDENCE, Interval
from foundry_tui.metrics.percentiles import P95_COUNT, percentile
from foundry_tui.metrics.student_t import t_quantile

__all__ = ["MEDIAN_INTERVAL_COUNT", "Spread", "median_interval", "spread"]

MEDIAN_INTERVAL_COUNT = 6
"""The least n for a 95 % interval of the median: that of 5 values, from end to end, is one of 93.75 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Readings of one quantity in a few numbers, all in the unit of the readings.

    Attributes:
        n: How many readings there are, at least one.
        p95: Linear between the two nearest readings, as numpy does by default; never outside [min, max].
        p95_supported: Whether n ≥ 59.  Below that a reader is shown max, not p95.
        stdev: Of the sample, √(Σ(x − mean)²/(n − 1)); None for a single reading.
        mean_interval: 95 %, mean ± t(0.975, n − 1)·stdev/√n; None for a single reading.  Assumes independent
            readings whose mean is about normal: of several prompts it holds what they differ by, too.
        median_interval: 95 %, whatever the distribution; None below 6 readings.
    """

    n: int
    mean: float
    median: float
    p95: float
    p95_supported: bool
    min: float
    max: float
    stdev: float | None
    mean_interval: Interval | None
    median_interval: Interval | None


def spread(values: Sequence[float]) -> Spread | None:
    """The spread of ``values``; None without any.

    Raises:
        ValueError: One of them is no finite number: undefined readings are left out before.
    """
    if not values:
        return None
    if not all(map(math.isfinite, values)):
        raise ValueError("a spread is of finite readings; leave undefined ones out")
    ordered = sorted(float(value) for value in values)
    n = len(ordered)
    # The sum of equal readings is rounded, too: a mean may not lie outside of what it is the mean of.
    mean = min(max(math.fsum(ordered) / n, ordered[0]), ordered[-1])
    stdev = math.sqrt(math.fsum((value - mean) ** 2 for value in ordered) / (n - 1)) if n > 1 else None
    return Spread(
        n=n,
        mean=mean,
        median=percentile(ordered, 0.5),
        p95=percentile(ordered, 0.95),
        p95_supported=n >= P95_COUNT,
        min=ordered[0],
        max=ordered[-1],
        stdev=stdev,
        mean_interval=None if stdev is None else _mean_interval(mean, stdev, n),
        median_interval=median_interval(ordered),
    )


def median_interval(ordered: Sequence[float]) -> Interval | None:
    """A 95 % interval of the median from the values' order alone; None below 6 values.

    From the k-th smallest to the k-th largest, k the largest with P(X < k) ≤ 0.025 for X binomial of n and
    1/2 (W. J. Conover, Practical Nonparametric Statistics, 3.2): what covers is at least 95 %, whatever the
    distribution.  It assumes independent values of one distribution.

    Args:
        ordered: Ascending.
    """
    n = len(ordered)
    if n < MEDIAN_INTERVAL_COUNT:
        return None
    # From the middle outwards: P(X ≤ below) is known there by symmetry, and each step takes one term off.
    below = (n - 1) // 2
    term = math.exp(
        math.lgamma(n + 1) - math.lgamma(below + 1) - math.lgamma(n - below + 1) - n * math.log(2)
    )
    tail = 0.5 if n % 2 else (1 - term * (n - below) / (below + 1)) / 2
    while tail > (1 - CONFIDENCE) / 2:
        tail -= term
        term *= below / (n - below + 1)
        below -= 1
    return Interval(ordered[below], ordered[n - 1 - below])


def _mean_interval(mean: float, stdev: float, n: int) -> Interval:
    reach = t_quantile((1 + CONFIDENCE) / 2, n - 1) * stdev / math.sqrt(n)
    return Interval(mean - reach, mean + reach)

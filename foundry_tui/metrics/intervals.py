"""Intervals for what a few readings can say.  None where they are too few to say it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows: TypeAlias = NDArray[np.float64]

__all__ = ["BOOTSTRAP_COUNT", "CONFIDENCE", "Interval", "bootstrap_interval", "wilson_interval"]

CONFIDENCE = 0.95
"""Of every interval that names no other."""
BOOTSTRAP_COUNT = 6
"""The least n for a bootstrap interval: with fewer values it is far too narrow to be called one of 95 %."""

_RESAMPLES = 5_000
# Numbers drawn at once; bounds the memory to a few tens of megabytes whatever n is.
_BLOCK = 1_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high``, both in it, in the unit of what it is about."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError("an interval begins before it ends")

    @property
    def half_width(self) -> float:
        """Half of its length."""
        return (self.high - self.low) / 2

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies in it; its ends do."""
        return self.low <= value <= self.high


def wilson_interval(successes: int, count: int, *, confidence: float = CONFIDENCE) -> Interval | None:
    """Where the true rate lies, given ``successes`` in ``count`` tries; from 0 to 1.

    Wilson's score interval: (p + z²/2n ± z·√(p(1 − p)/n + z²/4n²)) / (1 + z²/n), z the normal quantile
    (E. B. Wilson, JASA 22, 1927).  It assumes independent tries, and stays sensible at 0 and n of n.  None
    without a try.

    Raises:
        ValueError: There are more successes than tries, or fewer than none.
    """
    if not 0 <= successes <= count:
        raise ValueError("successes must lie between 0 and the number of tries")
    if count == 0:
        return None
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / count
    middle = share + z * z / (2 * count)
    reach = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    # At 0 and at n of n the formula meets 0 and 1 exactly; rounding would miss them.
    low = 0.0 if successes == 0 else max(0.0, (middle - reach) / scale)
    high = 1.0 if successes == count else min(1.0, (middle + reach) / scale)
    return Interval(low, high)


def bootstrap_interval(
    values: Sequence[float],
    statistic: "Callable[[Rows], Rows]",
    *,
    seed: int,
    confidence: float = CONFIDENCE,
) -> Interval | None:
    """Where ``statistic`` of what the values were drawn from lies, by the percentile method.

    5,000 samples of the same size are drawn with replacement, and the interval ends at the (1 ± confidence)/2
    percentiles of their statistics (B. Efron and R. Tibshirani, An Introduction to the Bootstrap, 13.3).  The
    same seed and values give the same interval.  It assumes independent values from one distribution.

    Args:
        values: Any finite numbers.
        statistic: Of each row of a two-dimensional array, such as ``lambda rows: np.median(rows, axis=1)``.
        seed: Of numpy's default generator.
        confidence: Between 0 and 1.

    Returns:
        None below ``BOOTSTRAP_COUNT`` values.
    """
    if len(values) < BOOTSTRAP_COUNT:
        return None
    import numpy as np  # late: no module of the first frame may load it

    given = np.asarray(values, dtype=np.float64)
    generator = np.random.default_rng(seed)
    rows = max(1, _BLOCK // len(given))
    found = np.concatenate(
        [
            statistic(given[generator.integers(len(given), size=(min(rows, _RESAMPLES - done), len(given)))])
            for done in range(0, _RESAMPLES, rows)
        ]
    )
    low, high = np.quantile(found, ((1 - confidence) / 2, (1 + confidence) / 2))
    return Interval(float(low), float(high))

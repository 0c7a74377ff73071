"""Whether readings rise or fall in the order in which they were taken: Kendall's test and the median slope.

Readings come in groups, such as one for each prompt, and only readings of one group are held against each
other: prompts differ, and that is no trend.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations
from statistics import NormalDist, median
from typing import TypeAlias

from foundry_tui.metrics.intervals import CONFIDENCE, Interval

__all__ = ["Point", "Slope", "fall_p", "rise_p", "slope"]

Point: TypeAlias = tuple[float, float]
"""Where it stands in the order, and what was read."""

# Up to so many pairs every order is counted; beyond, the normal approximation is within 1e-3 of it.
_EXACT_PAIRS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """How much the readings rise for each step of the order.

    Attributes:
        value: The median of the slopes of all pairs, in units of the reading.
        interval: 95 %; None where the readings are too few for one.
    """

    value: float
    interval: Interval | None


def rise_p(groups: Sequence[Sequence[float]]) -> float:
    """How likely readings that rise as much as these, or more, are where their order means nothing.

    The one-sided p of Kendall's test over groups (M. Kendall, Rank Correlation Methods; R. Hirsch, J. Slack
    and R. Smith, Water Resources Research 18, 1982): P(D ≤ d), D the number of pairs of one group whose later
    reading is the smaller one.  Exact up to 500 pairs, ties included: the orders of a group with d
    such pairs are counted by its q-multinomial coefficient.  Beyond, the normal approximation with its
    correction for ties.  1 without a pair.  Assumes that, were there no trend, every order of a group would
    be as likely as every other.
    """
    return _tail(groups, sum(_falls(group) for group in groups))


def fall_p(groups: Sequence[Sequence[float]]) -> float:
    """As ``rise_p``, for readings that fall."""
    return rise_p([[-value for value in group] for group in groups])


def slope(groups: Sequence[Sequence[Point]]) -> Slope | None:
    """The median of (y₂ − y₁)/(x₂ − x₁) over all pairs of one group; of readings at one place there is none.

    Theil and Sen's estimator, over groups as Hirsch's, with Sen's interval: the slopes at the ranks
    (N ∓ z·√Var S)/2 of the N (P. Sen, JASA 63, 1968).  A quarter of the readings may be off by anything.
    None without a pair.
    """
    slopes = sorted(
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for group in groups
        for earlier, later in combinations(group, 2)
        if later[0] != earlier[0]
    )
    if not slopes:
        return None
    reach = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * math.sqrt(
        sum(_variance([y for _, y in group]) for group in groups)
    )
    low, high = math.floor((len(slopes) - reach) / 2) - 1, math.ceil((len(slopes) + reach) / 2)
    is_told = low >= 0 and high < len(slopes)
    return Slope(value=median(slopes), interval=Interval(slopes[low], slopes[high]) if is_told else None)


def _falls(group: Sequence[float]) -> int:
    return sum(later < earlier for earlier, later in combinations(group, 2))


def _tail(groups: Sequence[Sequence[float]], falls: int) -> float:
    told = [group for group in groups if len(group) > 1]
    pairs = sum(_untied(group) for group in told)
    if pairs == 0:
        return 1.0
    if pairs > _EXACT_PAIRS:
        deviation = math.sqrt(sum(map(_variance, told))) / 2
        return NormalDist().cdf((falls + 0.5 - pairs / 2) / deviation)
    ways = [1]
    for group in told:
        ways = _product(ways, _ways(group))
    return sum(ways[: falls + 1]) / sum(ways)


def _untied(group: Sequence[float]) -> int:
    return math.comb(len(group), 2) - sum(math.comb(times, 2) for times in Counter(group).values())


def _variance(group: Sequence[float]) -> float:
    """Of S, the rising pairs minus the falling ones, over all orders of the group."""

    def of(times: int) -> int:
        return times * (times - 1) * (2 * times + 5)

    return (of(len(group)) - sum(map(of, Counter(group).values()))) / 18


def _ways(group: Sequence[float]) -> list[int]:
    """How many different orders of the group have 0, 1, 2 … falling pairs: [n]!/(∏ [t]!), in powers of q."""
    ways = [1]
    for size in range(2, len(group) + 1):
        ways = _times_ones(ways, size)
    for times in Counter(group).values():
        for size in range(2, times + 1):
            ways = _quotient(ways, size)
    return ways


def _product(one: Sequence[int], other: Sequence[int]) -> list[int]:
    found = [0] * (len(one) + len(other) - 1)
    for place, many in enumerate(other):
        for shift, few in enumerate(one):
            found[place + shift] += many * few
    return found


def _times_ones(ways: Sequence[int], size: int) -> list[int]:
    """``ways`` times 1 + q + … + q^(size − 1)."""
    sums = [0, *accumulate(ways)]
    last = len(sums) - 1
    return [sums[min(place + 1, last)] - sums[max(0, place + 1 - size)] for place in range(last + size - 1)]


def _quotient(ways: Sequence[int], size: int) -> list[int]:
    """``ways`` divided by 1 + q + … + q^(size − 1), which leaves nothing over."""
    found: list[int] = []
    for place in range(len(ways) - size + 1):
        found.append(ways[place] - sum(found[max(0, place - size + 1) : place]))
    return found

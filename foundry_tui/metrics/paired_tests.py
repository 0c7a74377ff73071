"""How likely differences as one-sided as these are where there is none: exact tests of paired readings."""

import math
from collections.abc import Sequence
from itertools import groupby
from statistics import NormalDist

__all__ = ["sign_test_p", "wilcoxon_p"]

# Up to so many differences every assignment of signs is counted; beyond, the normal approximation is within
# 1e-3 of it.
_EXACT_COUNT = 100


def sign_test_p(differences: Sequence[float]) -> float:
    """The two-sided p of the sign test: 2·P(X ≤ k), X binomial of n and 1/2, k the rarer sign's count.

    Exact (W. J. Conover, Practical Nonparametric Statistics, 3.4).  Differences of 0 have no sign and are
    left out; 1 where nothing is left.  Assumes independent pairs, and nothing of their distribution.
    """
    above = sum(difference > 0 for difference in differences)
    below = sum(difference < 0 for difference in differences)
    n = above + below
    ways = sum(math.comb(n, count) for count in range(min(above, below) + 1))
    return min(1.0, 2 * ways / (1 << n))


def wilcoxon_p(differences: Sequence[float]) -> float:
    """The two-sided p of Wilcoxon's signed-rank test.

    2·min(P(W ≤ w), P(W ≥ w)), W the sum of the ranks of the positive differences, by size, over all 2ⁿ
    assignments of signs to these ranks: exact up to n = 100, also with ties, which share their mean rank.
    Beyond, the normal approximation with corrections for ties and continuity (F. Wilcoxon, Biometrics 1,
    1945; W. J. Conover, 5.7).  Differences of 0 are left out; 1 where nothing is left.  Assumes independent
    pairs whose differences, were there no effect, would be as likely of either sign at each size.
    """
    signed = [difference for difference in differences if difference != 0]
    ordered = sorted(signed, key=abs)
    # Twice the ranks: the mean of ranks that share a size is then whole.
    doubled: list[int] = []
    for _, tied in groupby(ordered, key=abs):
        begin, count = len(doubled), sum(1 for _ in tied)
        doubled += [2 * begin + 1 + count] * count
    observed = sum(rank for rank, difference in zip(doubled, ordered, strict=True) if difference > 0)
    rarer = min(observed, sum(doubled) - observed)
    return _exact_p(doubled, rarer) if len(doubled) <= _EXACT_COUNT else _approximate_p(doubled, rarer)


def _exact_p(doubled: Sequence[int], rarer: int) -> float:
    """2·P(W ≤ ``rarer``), where W sums each rank or leaves it out; the other tail is the same by symmetry."""
    ways = [1] + [0] * rarer
    for rank in doubled:
        for total in range(rarer, rank - 1, -1):
            ways[total] += ways[total - rank]
    return min(1.0, 2 * sum(ways) / (1 << len(doubled)))


def _approximate_p(doubled: Sequence[int], rarer: int) -> float:
    mean = sum(doubled) / 2
    deviation = math.sqrt(sum(rank * rank for rank in doubled)) / 2
    # Half a step of W, which is 1 of the doubled ranks.
    return min(1.0, 2 * NormalDist().cdf(min(0.0, rarer - mean + 1) / deviation))

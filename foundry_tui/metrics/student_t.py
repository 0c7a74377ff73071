"""Quantiles of Student's t distribution, without a library of distributions."""

import math
from functools import lru_cache
from statistics import NormalDist

__all__ = ["t_quantile"]

# From here on the expansion below is off by less than 1e-9, and a sum of as many terms is only slow.
_MANY = 200


@lru_cache(maxsize=256)
def t_quantile(share: float, degrees: int) -> float:
    """The value below which ``share`` of Student's t with ``degrees`` degrees of freedom lies.

    Up to 199 degrees the exact distribution, a finite sum for whole degrees (Abramowitz and Stegun, 26.7.3
    and 26.7.4), is inverted by halving; above, the expansion about the normal quantile is taken (26.7.5).
    Off by less than 1e-9 of the value for shares from 0.001 to 0.999.

    Raises:
        ValueError: ``share`` is not between 0 and 1, or there is no degree of freedom.
    """
    if not 0 < share < 1 or degrees < 1:
        raise ValueError("a quantile of t needs a share between 0 and 1 and at least one degree of freedom")
    if share < 0.5:
        return -t_quantile(1 - share, degrees)
    if degrees >= _MANY:
        return _expanded(NormalDist().inv_cdf(share), degrees)
    low, high = 0.0, math.pi / 2
    for _ in range(64):
        middle = (low + high) / 2
        if _share_within(middle, degrees) < 2 * share - 1:
            low = middle
        else:
            high = middle
    return math.tan((low + high) / 2) * math.sqrt(degrees)


def _share_within(angle: float, degrees: int) -> float:
    """P(|T| <= t) for t = √degrees · tan(angle)."""
    sine, cosine = math.sin(angle), math.cos(angle)
    if degrees % 2:
        # θ + sin θ · (cos θ + 2/3 cos³ θ + …), up to the power degrees − 2
        term = total = cosine if degrees > 1 else 0.0
        for power in range(3, degrees - 1, 2):
            term *= cosine * cosine * (power - 1) / power
            total += term
        return (angle + sine * total) * 2 / math.pi
    # sin θ · (1 + 1/2 cos² θ + 1·3/(2·4) cos⁴ θ + …), likewise
    term = total = 1.0
    for power in range(2, degrees - 1, 2):
        term *= cosine * cosine * (power - 1) / power
        total += term
    return sine * total


def _expanded(z: float, degrees: int) -> float:
    squared = z * z
    first = z * (squared + 1) / 4
    second = z * ((5 * squared + 16) * squared + 3) / 96
    third = z * (((3 * squared + 19) * squared + 17) * squared - 15) / 384
    fourth = z * ((((79 * squared + 776) * squared + 1482) * squared - 1920) * squared - 945) / 92160
    return z + first / degrees + second / degrees**2 + third / degrees**3 + fourth / degrees**4

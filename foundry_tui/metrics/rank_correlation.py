"""Whether one thing rises with another, whatever their units: Spearman's rank correlation."""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import sqrt
from typing import TYPE_CHECKING, TypeAlias

from foundry_tui.metrics.agreement import NoInterval
from foundry_tui.metrics.intervals import BOOTSTRAP_COUNT, Interval, bootstrap_interval

if TYPE_CHECKING:
    from foundry_tui.metrics.intervals import Rows

__all__ = [
    "LEAST_COUNT",
    "NoCorrelation",
    "Placed",
    "RankCorrelation",
    "partial_spearman",
    "rank_correlation",
    "spearman",
]

LEAST_COUNT = 3
"""The least n for a correlation: of two it is 1 or -1 whatever they are."""

_Value: TypeAlias = int | float | Fraction


class NoCorrelation(StrEnum):
    """Why there is none."""

    TOO_FEW = "too-few"
    """Fewer than ``LEAST_COUNT``."""
    NO_VARIANCE = "no-variance"
    """One of the two is the same everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One thing of which two values are known.

    Attributes:
        group: Those of one group are not independent, such as answers to one prompt.
        one: Any number, as ``other``.
    """

    group: Hashable
    one: _Value
    other: _Value


@dataclass(frozen=True, slots=True, kw_only=True)
class RankCorrelation:
    """How far one of two values rises with the other.

    Attributes:
        n: Of how many things both are known.
        groups: Of how many groups these are.
        rho: ``spearman``, from -1 to 1; None where ``no_rho`` says why.
        interval: Of ``rho``, 95 %, by bootstrap over the groups, each with all that is in it.  A sample in
            which it is undefined counts as -1 for the lower end, and as 1 for the upper one.  None where
            ``no_interval`` says why, and without a ``rho``.
    """

    n: int
    groups: int
    rho: float | None
    no_rho: NoCorrelation | None
    interval: Interval | None
    no_interval: NoInterval | None


def spearman(pairs: Sequence[tuple[_Value, _Value]]) -> float | None:
    """Spearman's rank correlation: Pearson's r of the ranks, equal values sharing the mean of theirs.

    ρ = Σ(a − ā)(b − b̄)/√(Σ(a − ā)²·Σ(b − b̄)²), a and b the ranks (C. Spearman, American Journal of Psychology
    15, 1904; M. Kendall, Rank Correlation Methods, for ties).  From -1 to 1: 1 where the one rises wherever
    the other does.  It tells nothing of a rise that turns back.

    Returns:
        None below ``LEAST_COUNT`` pairs, and where one of both is the same everywhere.
    """
    if len(pairs) < LEAST_COUNT:
        return None
    ones, others = (_doubled_ranks([pair[side] for pair in pairs]) for side in (0, 1))
    n = len(pairs)
    # Ranks are doubled, and sums taken times n: whole numbers, so that 0 is 0 and 1 is 1.
    spread, other_spread = (n * sum(rank * rank for rank in own) - sum(own) ** 2 for own in (ones, others))
    if spread == 0 or other_spread == 0:
        return None
    together = n * sum(a * b for a, b in zip(ones, others, strict=True)) - sum(ones) * sum(others)
    if together * together == spread * other_spread:
        return 1.0 if together > 0 else -1.0
    return together / sqrt(spread * other_spread)


def partial_spearman(values: Sequence[tuple[_Value, _Value, _Value]]) -> float | None:
    """Spearman's correlation of the first two, what both owe to the third taken out.

    (ρ₁₂ − ρ₁₃·ρ₂₃)/√((1 − ρ₁₃²)(1 − ρ₂₃²)), the partial correlation of first order of the ranks (G. U. Yule,
    Proceedings of the Royal Society A 79, 1907).  It takes them to depend on each other in straight lines.

    Returns:
        None where one of the three is undefined, and where the third alone tells one of both.
    """
    of_both = spearman([(one, other) for one, other, _ in values])
    of_one = spearman([(one, third) for one, _, third in values])
    of_other = spearman([(other, third) for _, other, third in values])
    if of_both is None or of_one is None or of_other is None:
        return None
    rest = (1 - of_one**2) * (1 - of_other**2)
    # Rounding may leave a little more than 1.
    return None if rest <= 0 else max(-1.0, min(1.0, (of_both - of_one * of_other) / sqrt(rest)))


def rank_correlation(things: Sequence[Placed], *, seed: int = 0) -> RankCorrelation:
    """What ``things`` come to; ``seed`` is that of the bootstrap."""
    pairs = [(thing.one, thing.other) for thing in things]
    rho = spearman(pairs)
    no_rho = None
    if rho is None:
        no_rho = NoCorrelation.TOO_FEW if len(pairs) < LEAST_COUNT else NoCorrelation.NO_VARIANCE
    interval, no_interval = (None, None) if rho is None else _interval(things, seed)
    return RankCorrelation(
        n=len(pairs),
        groups=len({thing.group for thing in things}),
        rho=rho,
        no_rho=no_rho,
        interval=interval,
        no_interval=no_interval,
    )


def _doubled_ranks(values: Sequence[_Value]) -> list[int]:
    """Twice the rank of each, so that the mean of two neighbours is whole too."""
    ordered = sorted(values)
    return [bisect_left(ordered, value) + bisect_right(ordered, value) + 1 for value in values]


def _interval(things: Sequence[Placed], seed: int) -> tuple[Interval | None, NoInterval | None]:
    if len({thing.group for thing in things}) < BOOTSTRAP_COUNT:
        return None, NoInterval.TOO_FEW
    lows, highs = (_bootstrapped(things, undefined, seed) for undefined in (-1.0, 1.0))
    if lows is None or highs is None or lows.low == highs.high or (lows.low <= -1 and highs.high >= 1):
        return None, NoInterval.NO_SPREAD
    return Interval(lows.low, highs.high), None


def _bootstrapped(things: Sequence[Placed], undefined: float, seed: int) -> Interval | None:
    """Of ρ over samples of the groups, ``undefined`` standing where a sample has none."""
    import numpy as np  # late: no module of the first frame may load it

    places = {group: place for place, group in enumerate(dict.fromkeys(thing.group for thing in things))}
    group = np.asarray([places[thing.group] for thing in things])
    levels = [_levels([thing.one for thing in things]), _levels([thing.other for thing in things])]

    def correlations(rows: "Rows") -> "Rows":
        drawn, size = rows.shape
        cells = rows.astype(np.intp) + np.arange(drawn)[:, None] * size
        # How often each thing was drawn: as often as its group.
        times = np.bincount(cells.ravel(), minlength=drawn * size).reshape(drawn, size)[:, group]
        n = times.sum(axis=1)
        ranks = []
        for own in levels:
            of_level = np.asarray(own)
            counts = np.zeros((drawn, max(own) + 1))
            np.add.at(counts.T, of_level, times.T)
            below = counts.cumsum(axis=1) - counts
            # From the middle of all ranks, which is that of any sample: what is left are plain products.
            ranks.append((below + (counts + 1) / 2)[:, of_level] - ((n + 1) / 2)[:, None])
        one, other = ranks
        together = (times * one * other).sum(axis=1)
        spread = (times * one * one).sum(axis=1) * (times * other * other).sum(axis=1)
        found: Rows = np.where(
            spread > 0, np.round(together / np.sqrt(np.where(spread > 0, spread, 1)), 12), undefined
        )
        return found

    return bootstrap_interval(range(len(places)), correlations, seed=seed)


def _levels(values: Sequence[_Value]) -> list[int]:
    """The place of each among the different values, from the lowest on."""
    places = {value: place for place, value in enumerate(sorted(set(values)))}
    return [places[value] for value in values]

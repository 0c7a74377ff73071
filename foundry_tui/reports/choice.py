"""Candidates held against limits: the one pure model behind the table, the JSON and the decision record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from foundry_tui.metrics.candidate import Candidate, Dimension
from foundry_tui.metrics.rank_stability import RESAMPLES, Stability, rank_stability
from foundry_tui.metrics.selection import Fit, Judged, Limits, Standing, Weighted, judge, standings, weighted

__all__ = ["SEED", "Choice", "choice", "unresampled"]

SEED = 7
"""Of the resamples, where nobody gives another: the same runs and limits give the same shares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What can be said of the candidates.

    Attributes:
        judged: All of them, in their order.
        standings: Of those that fit.
        stability: Of all; None where there are too few answers to draw from.
        order: Of those that fit, by ``weights``; None without weights.
        unlike: What makes them hard to compare, in harmless words.
    """

    limits: Limits
    judged: tuple[Judged, ...]
    standings: tuple[Standing, ...]
    stability: tuple[Stability, ...] | None
    seed: int
    resamples: int
    weights: tuple[tuple[Dimension, float], ...]
    order: Weighted | None
    unlike: tuple[str, ...]

    @property
    def front(self) -> tuple[Candidate, ...]:
        """Those that fit and that nothing else that fits beats."""
        return tuple(standing.candidate for standing in self.standings if standing.is_on_front)

    def weighed(self, weights: Mapping[Dimension, float]) -> "Choice":
        """The same with the order by other weights beside it; without any where there are none.

        Raises:
            ValueError: A weight is no positive number, or of the licence.
        """
        fitting = [standing.candidate for standing in self.standings]
        order = weighted(fitting, weights) if weights else None
        return replace(self, weights=tuple(weights.items()), order=order)

    def of_fit(self, fit: Fit) -> tuple[Candidate, ...]:
        """Those that fit, that do not, or that are not known to."""
        return tuple(judged.candidate for judged in self.judged if judged.fit is fit)

    def stability_of(self, candidate: Candidate) -> Stability | None:
        """How far what is said of it holds; None where that cannot be told."""
        return next((one for one in self.stability or () if one.candidate is candidate), None)


def choice(
    candidates: Sequence[Candidate],
    limits: Limits,
    *,
    weights: Mapping[Dimension, float] | None = None,
    unlike: Sequence[str] = (),
    seed: int = SEED,
) -> Choice:
    """Judge, compare and resample ``candidates``; the same again for the same arguments.

    Raises:
        ValueError: A weight is no positive number, or of the licence.
    """
    judged = [judge(candidate, limits) for candidate in candidates]
    found = unresampled(judged, limits, unlike=unlike)
    drawn = replace(found, stability=rank_stability(candidates, limits, seed=seed), seed=seed)
    return drawn.weighed(weights or {})


def unresampled(judged: Sequence[Judged], limits: Limits, *, unlike: Sequence[str] = ()) -> Choice:
    """The same without what thousands of samples tell, and without weights."""
    return Choice(
        limits=limits,
        judged=tuple(judged),
        standings=standings([each.candidate for each in judged if each.fit is Fit.FITS]),
        stability=None,
        seed=SEED,
        resamples=RESAMPLES,
        weights=(),
        order=None,
        unlike=tuple(unlike),
    )

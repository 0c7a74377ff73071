"""Choosing a model by six dimensions: which candidates keep to the limits, and which no other one beats.

Nothing is folded into one number.  What is not known neither passes nor fails, and is not compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from foundry_tui.domain.scoring import HIGHEST, LOWEST
from foundry_tui.metrics.candidate import COMPARED, Candidate, Dimension, Figure, Unknown, worth
from foundry_tui.metrics.intervals import Interval

__all__ = [
    "Asked",
    "Check",
    "Fit",
    "Judged",
    "Limits",
    "Standing",
    "State",
    "Verdict",
    "Weighted",
    "dominates",
    "judge",
    "standings",
    "uncompared",
    "value_of",
    "weighted",
]


class Asked(StrEnum):
    """One limit; called as the field of ``Limits`` is."""

    LATENCY = "max_latency_s"
    TTFT = "max_ttft_s"
    RATE = "min_tokens_per_s"
    MEMORY = "max_memory_bytes"
    FOOTPRINT = "max_footprint_bytes"
    QUALITY = "min_quality"
    LICENSES = "licenses"

    @property
    def dimension(self) -> Dimension:
        """What it is a limit of."""
        match self:
            case Asked.LATENCY | Asked.TTFT:
                return Dimension.LATENCY
            case Asked.RATE:
                return Dimension.THROUGHPUT
            case Asked.MEMORY:
                return Dimension.MEMORY
            case Asked.FOOTPRINT:
                return Dimension.FOOTPRINT
            case Asked.QUALITY:
                return Dimension.QUALITY
            case Asked.LICENSES:
                return Dimension.LICENSE
            case _:
                assert_never(self)

    @property
    def is_most(self) -> bool:
        """Whether a value may not be above it; else it may not be below."""
        return self.value.startswith("max_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a candidate has to keep to; None asks nothing.  A value at its limit keeps to it.

    Attributes:
        max_latency_s: Of the median of whole answers.
        max_ttft_s: Of the median wait for the first token.
        min_tokens_per_s: Of the median decode rate.
        max_memory_bytes: Of ``Memory.total_bytes``.
        min_quality: From 1 to 5.
        licenses: Names that are allowed; each the whole name, in any case.
    """

    max_latency_s: float | None = None
    max_ttft_s: float | None = None
    min_tokens_per_s: float | None = None
    max_memory_bytes: int | None = None
    max_footprint_bytes: int | None = None
    min_quality: float | None = None
    licenses: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for asked, limit in self.given():
            if isinstance(limit, tuple):
                if not all(name.strip() for name in limit) or not limit:
                    raise ValueError("an allowed licence has a name")
            elif not 0 <= limit < float("inf"):
                raise ValueError(f"{asked.value} is a number from 0 on")
        if self.min_quality is not None and not LOWEST <= self.min_quality <= HIGHEST:
            raise ValueError(f"quality is a number from {LOWEST} to {HIGHEST}")

    def given(self) -> tuple[tuple[Asked, float | tuple[str, ...]], ...]:
        """Those that ask something, in a fixed order."""
        limits: tuple[tuple[Asked, float | tuple[str, ...] | None], ...] = (
            (Asked.LATENCY, self.max_latency_s),
            (Asked.TTFT, self.max_ttft_s),
            (Asked.RATE, self.min_tokens_per_s),
            (Asked.MEMORY, self.max_memory_bytes),
            (Asked.FOOTPRINT, self.max_footprint_bytes),
            (Asked.QUALITY, self.min_quality),
            (Asked.LICENSES, self.licenses),
        )
        return tuple((asked, limit) for asked, limit in limits if limit is not None)


class State(StrEnum):
    """What became of a limit, or of all limits of a dimension."""

    NOT_ASKED = "not-asked"
    PASSES = "passes"
    FAILS = "fails"
    UNKNOWN = "unknown"
    """Neither: there is no value to hold against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One limit and what was held against it.

    Attributes:
        value: In the unit of the limit; why there is none.
        is_close: Whether the interval of the value reaches to the other side of the limit.
    """

    asked: Asked
    limit: float | tuple[str, ...]
    state: State
    value: float | str | Unknown
    is_close: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What all limits of one dimension say: FAILS where one of them does, else UNKNOWN where one is."""

    dimension: Dimension
    checks: tuple[Check, ...]

    @property
    def state(self) -> State:
        """The worst of them."""
        states = {check.state for check in self.checks}
        for state in (State.FAILS, State.UNKNOWN, State.PASSES):
            if state in states:
                return state
        return State.NOT_ASKED


class Fit(StrEnum):
    """Whether a candidate keeps to all limits."""

    FITS = "fits"
    DOES_NOT = "does-not-fit"
    NOT_KNOWN = "not-known-to-fit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A candidate and what each dimension says, in the order of ``Dimension``."""

    candidate: Candidate
    verdicts: tuple[Verdict, ...]

    @property
    def fit(self) -> Fit:
        """DOES_NOT where one fails; NOT_KNOWN where one is unknown, or no answer of it counts; else FITS."""
        states = {verdict.state for verdict in self.verdicts}
        if State.FAILS in states:
            return Fit.DOES_NOT
        return Fit.NOT_KNOWN if State.UNKNOWN in states or not self.candidate.answers else Fit.FITS

    def of(self, dimension: Dimension) -> Verdict:
        """The verdict of one dimension."""
        return next(verdict for verdict in self.verdicts if verdict.dimension is dimension)


def judge(candidate: Candidate, limits: Limits) -> Judged:
    """Hold ``candidate`` against ``limits``; by the value itself, whatever its interval says."""
    checks = [_check(candidate, asked, limit) for asked, limit in limits.given()]
    return Judged(
        candidate=candidate,
        verdicts=tuple(
            Verdict(
                dimension=dimension,
                checks=tuple(check for check in checks if check.asked.dimension is dimension),
            )
            for dimension in Dimension
        ),
    )


def value_of(candidate: Candidate, asked: Asked) -> float | str | Unknown:
    """What is held against a limit, in its unit; why there is nothing."""
    return _value(candidate, asked)[0]


def uncompared(a: Candidate, b: Candidate) -> tuple[Dimension, ...]:
    """The dimensions of ``COMPARED`` that say nothing between the two: unknown of one of them, or of both."""
    return tuple(each for each in COMPARED if worth(a, each) is None or worth(b, each) is None)


def dominates(a: Candidate, b: Candidate) -> bool:
    """Whether ``a`` beats ``b``: over the dimensions that are known of both, no worse in any, better in one.

    Values are compared as they are, whatever their intervals say; ``rank_stability`` says how far that holds.
    With nothing known of both neither beats the other.  Since each pair is compared over what is known of
    just these two, it is not transitive where something is unknown: ``standings`` sees to that.
    """
    pairs = [(worth(a, each), worth(b, each)) for each in COMPARED]
    known = [(mine, other) for mine, other in pairs if mine is not None and other is not None]
    return all(mine >= other for mine, other in known) and any(mine > other for mine, other in known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A candidate among others.

    Attributes:
        beaten_by: Those that keep it off the Pareto front.
    """

    candidate: Candidate
    beaten_by: tuple[Candidate, ...]

    @property
    def is_on_front(self) -> bool:
        """Whether nothing beats it."""
        return not self.beaten_by


def standings(candidates: Sequence[Candidate]) -> tuple[Standing, ...]:
    """Which of ``candidates`` are on the Pareto front, and what keeps the others off it; in their order.

    One is off the front where another dominates it, unless a chain of dominances leads from it back to that
    other: what is unknown can close such a circle, and no member takes another off the front then.  So the
    front is never empty.
    """
    beats = [[dominates(a, b) for b in candidates] for a in candidates]
    reaches = _reaching(beats)
    return tuple(
        Standing(
            candidate=candidate,
            beaten_by=tuple(
                other
                for place, other in enumerate(candidates)
                if beats[place][number] and not reaches[number][place]
            ),
        )
        for number, candidate in enumerate(candidates)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighted:
    """An order by weights; the number behind it is not told, since it means nothing by itself.

    Attributes:
        places: Each place with who shares it, the first first.
        left_out: Candidates of which a weighted dimension is unknown, and which ones.
    """

    places: tuple[tuple[Candidate, ...], ...]
    left_out: tuple[tuple[Candidate, tuple[Dimension, ...]], ...]


def weighted(candidates: Sequence[Candidate], weights: Mapping[Dimension, float]) -> Weighted:
    """The candidates in order of Σ(weight·rank)/Σ(weight), the least first.

    A rank is 1 + how many of those that are ordered are better in that dimension.  Ranks know no distance: a
    model that is a little faster counts as much as one that is ten times as fast.

    Raises:
        ValueError: A weight is no positive number, there is none, or it is of the licence.
    """
    if not weights or not all(0 < weight < float("inf") for weight in weights.values()):
        raise ValueError("weights are numbers above 0, at least one")
    if Dimension.LICENSE in weights:
        raise ValueError("a licence is allowed or not: it has no weight")
    lacking = [
        (each, tuple(dimension for dimension in weights if worth(each, dimension) is None))
        for each in candidates
    ]
    ordered = [each for each, missing in lacking if not missing]
    by_sum: dict[float, list[Candidate]] = {}
    for each in ordered:
        total = sum(weight * _rank(each, ordered, dimension) for dimension, weight in weights.items())
        by_sum.setdefault(total, []).append(each)
    return Weighted(
        places=tuple(tuple(by_sum[total]) for total in sorted(by_sum)),
        left_out=tuple((each, missing) for each, missing in lacking if missing),
    )


def _rank(candidate: Candidate, among: Sequence[Candidate], dimension: Dimension) -> int:
    own = worth(candidate, dimension)
    values = [worth(other, dimension) for other in among]
    return 1 + sum(own is not None and value is not None and value > own for value in values)


def _reaching(beats: Sequence[Sequence[bool]]) -> list[list[bool]]:
    """From whom a chain of dominances leads to whom."""
    reaches = [list(row) for row in beats]
    for middle in range(len(reaches)):
        for row in reaches:
            if row[middle]:
                row[:] = [known or further for known, further in zip(row, reaches[middle], strict=True)]
    return reaches


def _check(candidate: Candidate, asked: Asked, limit: float | tuple[str, ...]) -> Check:
    value, interval = _value(candidate, asked)
    if isinstance(value, Unknown):
        return Check(asked=asked, limit=limit, state=State.UNKNOWN, value=value)
    if isinstance(limit, tuple):
        is_kept = str(value).strip().casefold() in {name.strip().casefold() for name in limit}
    else:
        is_kept = _keeps(asked, float(value), limit)
    is_close = (
        interval is not None
        and not isinstance(limit, tuple)
        and _keeps(asked, interval.low, limit) is not _keeps(asked, interval.high, limit)
    )
    state = State.PASSES if is_kept else State.FAILS
    return Check(asked=asked, limit=limit, state=state, value=value, is_close=is_close)


def _keeps(asked: Asked, value: float, limit: float) -> bool:
    return value <= limit if asked.is_most else value >= limit


def _value(candidate: Candidate, asked: Asked) -> tuple[float | str | Unknown, Interval | None]:
    """What is held against a limit, with its interval."""
    match asked:
        case Asked.LATENCY:
            waits = candidate.latency
            return _told(waits if isinstance(waits, Unknown) else waits.e2e_s)
        case Asked.TTFT:
            waits = candidate.latency
            return _told(waits if isinstance(waits, Unknown) else waits.ttft_s)
        case Asked.RATE:
            rates = candidate.throughput
            return _told(rates if isinstance(rates, Unknown) else rates.tokens_per_s)
        case Asked.MEMORY:
            memory = candidate.memory
            return (memory if isinstance(memory, Unknown) else memory.total_bytes), None
        case Asked.FOOTPRINT:
            return candidate.footprint_bytes, None
        case Asked.QUALITY:
            return _told(candidate.quality)
        case Asked.LICENSES:
            return candidate.license, None
        case _:
            assert_never(asked)


def _told(figure: Figure | Unknown) -> tuple[float | Unknown, Interval | None]:
    return (figure, None) if isinstance(figure, Unknown) else (figure.value, figure.interval)

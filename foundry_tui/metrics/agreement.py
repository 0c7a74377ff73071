"""How far scores can be relied on: whether one person gives the same again, and two people the same.

Scores under two versions of a rubric are never put together: ``of_one_rubric`` is the one door to them, for
whatever makes a figure of scores.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

from foundry_tui.domain.scoring import HIGHEST, LOWEST, Score
from foundry_tui.metrics.intervals import BOOTSTRAP_COUNT, Interval, bootstrap_interval

if TYPE_CHECKING:
    from foundry_tui.metrics.intervals import Rows

__all__ = [
    "WIDE_APART",
    "Agreement",
    "Agreements",
    "Disagreement",
    "NoInterval",
    "NoKappa",
    "OfOneRubric",
    "Pair",
    "agreement",
    "agreements",
    "between",
    "disagreements",
    "of_one_rubric",
    "weighted_kappa",
    "within",
]

WIDE_APART = 2
"""From so many points on people should talk about what they gave."""

_SCALE = range(LOWEST, HIGHEST + 1)
# Where a score belongs: run, request, criterion.
_Place: TypeAlias = tuple[str, int, str]


class NoKappa(StrEnum):
    """Why there is no weighted kappa."""

    NO_PAIRS = "no-pairs"
    NO_VARIANCE = "no-variance"
    """Both gave one and the same value to everything: chance alone would agree as well."""


class NoInterval(StrEnum):
    """Why there is no interval around a figure that there is."""

    TOO_FEW = "too-few"
    """Fewer than 6 of what is drawn from."""
    NO_SPREAD = "no-spread"
    """What is drawn from is all alike, or nearly: what comes out would claim to know for certain."""
    UNBOUNDED = "unbounded"
    """More than one sample in forty is without end on one side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What two raters gave one answer by one criterion, or one rater at two occasions.

    Attributes:
        answer: Whatever tells the answers apart; several criteria of one answer share it.
        one: From 1 to 5, as ``other``.
    """

    answer: Hashable
    one: int
    other: int

    def __post_init__(self) -> None:
        if self.one not in _SCALE or self.other not in _SCALE:
            raise ValueError("a score is from 1 to 5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Pairs of scores in a few numbers.

    Attributes:
        n: How many pairs there are.
        answers: Of how many answers they are: fewer where several criteria are put together.
        kappa: ``weighted_kappa``, from -1 to 1; None where ``no_kappa`` says why.
        interval: Of ``kappa``, 95 %, by bootstrap over the answers, each with all its criteria: what one
            answer gets by two criteria is not independent.  A sample in which kappa is undefined counts as -1
            for the lower end, and as 1 for the upper one.  None where ``no_interval`` says why, and without
            a kappa.
        same_share: Of pairs of two equal scores, from 0 to 1; None without a pair.
        near_share: Of pairs that are one point apart or less, likewise.
        table: How many pairs are of which scores: a row for each score from 1 to 5 of the first rater, in it
            a number for each score of the second one.
    """

    n: int
    answers: int
    kappa: float | None
    no_kappa: NoKappa | None
    interval: Interval | None
    no_interval: NoInterval | None
    same_share: float | None
    near_share: float | None
    table: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreements:
    """How one person agrees with another, or with themselves.

    Attributes:
        one: The annotator of the rows of each table.
        other: That of the columns; None where it is ``one`` at the second occasion.
        rubric_sha256: The version of the rubric that all of it is of; None without a score.
        overall: Over all criteria together.  Criteria that are easier than others make it higher than it is
            for each of them, so it does not stand for them.
        criteria: For each criterion that one of both scored anything by, by its id, in the order of the ids.
        other_rubric_scores: How many scores of theirs are left out, for being under other versions.
    """

    one: str
    other: str | None
    rubric_sha256: str | None
    overall: Agreement
    criteria: tuple[tuple[str, Agreement], ...]
    other_rubric_scores: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """One answer to which people gave scores far apart by one criterion.

    Attributes:
        run_id: The run that the answer is of.
        number: The request in it.
        values: What each annotator gave it at first, the lowest first.
    """

    run_id: str
    number: int
    criterion: str
    values: tuple[tuple[str, int], ...]

    @property
    def apart(self) -> int:
        """From the lowest to the highest, in points."""
        return self.values[-1][1] - self.values[0][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfOneRubric:
    """Scores that may be put together.

    Attributes:
        rubric_sha256: The version that they are under; None without a score.
        scores: Of each person, answer, criterion and occasion the one that was given last.
        others: Likewise those under other versions, which are left out.
    """

    rubric_sha256: str | None
    scores: tuple[Score, ...]
    others: tuple[Score, ...]


def of_one_rubric(scores: Iterable[Score], rubric_sha256: str | None = None) -> OfOneRubric:
    """Those of ``scores`` that are under one version of the rubric.

    Args:
        scores: In any order.
        rubric_sha256: Which version; None takes the newest, which is the one that was scored by last.
    """
    last: dict[tuple[str, _Place, str, int], Score] = {}
    # Of two given in one and the same millisecond the later of the list is taken: the sort is stable.
    for score in sorted(scores, key=lambda one: one.at_unix_ms):
        last[score.rubric_sha256, _place(score), score.annotator, score.occasion] = score
    if rubric_sha256 is None and last:
        newest = max(last.values(), key=lambda one: (one.at_unix_ms, one.rubric_sha256))
        rubric_sha256 = newest.rubric_sha256
    return OfOneRubric(
        rubric_sha256=rubric_sha256,
        scores=tuple(score for score in last.values() if score.rubric_sha256 == rubric_sha256),
        others=tuple(score for score in last.values() if score.rubric_sha256 != rubric_sha256),
    )


def weighted_kappa(pairs: Sequence[tuple[int, int]]) -> float | None:
    """Cohen's kappa of two raters on a scale from 1 to 5, with quadratic weights.

    κ = 1 − Σw·O/Σw·E over all cells (i, j) of the table of both, w = (i − j)²/(5 − 1)² the weight of a
    disagreement, O the share of pairs in the cell, E the product of both raters' shares of i and of j, which
    chance would give (J. Cohen, Psychological Bulletin 70, 1968).  From -1 to 1: 1 is the same everywhere, 0
    no nearer than chance.  It assumes independent pairs, and depends on how often each score is given: where
    nearly everything gets a 4 it is low whatever both do.

    Returns:
        None where Σw·E is 0: without a pair, and where both gave one and the same value to everything.
    """
    # All of it times n²·(5 − 1)²: whole numbers, so that 0 is 0.  ΣΣ(a − b)² over every a of the one and
    # every b of the other is n·Σa² + n·Σb² − 2·Σa·Σb.
    n = len(pairs)
    apart = n * sum((one - other) ** 2 for one, other in pairs)
    squares = sum(one * one + other * other for one, other in pairs)
    chance = n * squares - 2 * sum(one for one, _ in pairs) * sum(other for _, other in pairs)
    return None if chance == 0 else 1 - apart / chance


def agreement(pairs: Sequence[Pair], *, seed: int = 0) -> Agreement:
    """What ``pairs`` come to, in whatever order they are; ``seed`` is that of the bootstrap."""
    n, values = len(pairs), [(pair.one, pair.other) for pair in pairs]
    kappa = weighted_kappa(values)
    interval, no_interval = (None, None) if kappa is None else _kappa_interval(pairs, seed)
    return Agreement(
        n=n,
        answers=len({pair.answer for pair in pairs}),
        kappa=kappa,
        no_kappa=None if kappa is not None else NoKappa.NO_VARIANCE if pairs else NoKappa.NO_PAIRS,
        interval=interval,
        no_interval=no_interval,
        same_share=sum(one == other for one, other in values) / n if n else None,
        near_share=sum(abs(one - other) <= 1 for one, other in values) / n if n else None,
        table=tuple(tuple(values.count((one, other)) for other in _SCALE) for one in _SCALE),
    )


def within(
    scores: Sequence[Score], annotator: str, *, rubric_sha256: str | None = None, seed: int = 0
) -> Agreements:
    """How one person agrees with themselves: the first occasion with the second of the same answers.

    Args:
        scores: Of whomever; the newest version of the rubric is that of all of them.
        annotator: Whose are taken.
        rubric_sha256: As for ``of_one_rubric``.
        seed: Of the bootstrap.
    """
    found = of_one_rubric(scores, rubric_sha256)
    first, second = (_given(found.scores, annotator, occasion) for occasion in (1, 2))
    return _agreements(found, annotator, None, first, second, seed)


def between(
    scores: Sequence[Score], one: str, other: str, *, rubric_sha256: str | None = None, seed: int = 0
) -> Agreements:
    """How two people agree, by what each gave at the first occasion; otherwise as ``within``.

    Raises:
        ValueError: They are one and the same.
    """
    if one == other:
        raise ValueError("two people are needed: how one agrees with themselves is told by within")
    found = of_one_rubric(scores, rubric_sha256)
    return _agreements(found, one, other, _given(found.scores, one), _given(found.scores, other), seed)


def agreements(
    scores: Sequence[Score], *, rubric_sha256: str | None = None, seed: int = 0
) -> tuple[Agreements, ...]:
    """Everybody who scored anything: each with themselves, then every two; by their names.

    Draws thousands of samples for each: for a thread, and not while somebody waits.
    """
    people = sorted({score.annotator for score in of_one_rubric(scores, rubric_sha256).scores})
    return (
        *(within(scores, one, rubric_sha256=rubric_sha256, seed=seed) for one in people),
        *(
            between(scores, one, other, rubric_sha256=rubric_sha256, seed=seed)
            for one, other in combinations(people, 2)
        ),
    )


def disagreements(
    scores: Sequence[Score], *, least: int = WIDE_APART, rubric_sha256: str | None = None
) -> tuple[Disagreement, ...]:
    """Answers whose annotators differ by ``least`` points or more by a criterion, the farthest apart first.

    By what each gave at the first occasion; equally far ones come by run, request and criterion.
    """
    given: dict[_Place, list[Score]] = {}
    for score in of_one_rubric(scores, rubric_sha256).scores:
        if score.occasion == 1:
            given.setdefault(_place(score), []).append(score)
    found = [
        Disagreement(
            run_id=place[0],
            number=place[1],
            criterion=place[2],
            values=tuple(
                (one.annotator, one.value) for one in sorted(own, key=lambda one: (one.value, one.annotator))
            ),
        )
        for place, own in sorted(given.items())
        if len(own) > 1
    ]
    wide = [one for one in found if one.apart >= least]
    return tuple(sorted(wide, key=lambda one: -one.apart))


def _agreements(
    found: OfOneRubric,
    one: str,
    other: str | None,
    left: dict[_Place, int],
    right: dict[_Place, int],
    seed: int,
) -> Agreements:
    # Sorted, for the samples to be the same whatever the order of the scores.
    pairs = [
        (place[2], Pair(answer=place[:2], one=left[place], other=right[place]))
        for place in sorted(left.keys() & right.keys())
    ]
    criteria = sorted({place[2] for place in (*left, *right)})
    return Agreements(
        one=one,
        other=other,
        rubric_sha256=found.rubric_sha256,
        overall=agreement([pair for _, pair in pairs], seed=seed),
        criteria=tuple(
            (criterion, agreement([pair for of, pair in pairs if of == criterion], seed=seed))
            for criterion in criteria
        ),
        other_rubric_scores=sum(score.annotator in (one, other) for score in found.others),
    )


def _place(score: Score) -> _Place:
    return score.run_id, score.number, score.criterion


def _given(scores: Iterable[Score], annotator: str, occasion: int = 1) -> dict[_Place, int]:
    return {
        _place(score): score.value
        for score in scores
        if score.annotator == annotator and score.occasion == occasion
    }


def _kappa_interval(pairs: Sequence[Pair], seed: int) -> tuple[Interval | None, NoInterval | None]:
    sums: dict[Hashable, list[int]] = {}
    for pair in pairs:
        of_answer = sums.setdefault(pair.answer, [0] * 5)
        squares, apart = pair.one**2 + pair.other**2, (pair.one - pair.other) ** 2
        for place, value in enumerate((1, pair.one, pair.other, squares, apart)):
            of_answer[place] += value
    if len(sums) < BOOTSTRAP_COUNT:
        return None, NoInterval.TOO_FEW
    lows, highs = (_bootstrapped(list(sums.values()), undefined, seed) for undefined in (-1.0, 1.0))
    if lows is None or highs is None or lows.low == highs.high or (lows.low <= -1 and highs.high >= 1):
        return None, NoInterval.NO_SPREAD
    return Interval(lows.low, highs.high), None


def _bootstrapped(sums: Sequence[Sequence[int]], undefined: float, seed: int) -> Interval | None:
    """Of kappa over answers with these sums, ``undefined`` standing where a sample has none."""
    import numpy as np  # late: no module of the first frame may load it

    columns = np.asarray(sums, dtype=np.float64)

    def kappas(rows: "Rows") -> "Rows":
        drawn, size = rows.shape
        cells = rows.astype(np.intp) + np.arange(drawn)[:, None] * size
        # How often each answer was drawn, times its sums: far cheaper than to gather them.
        times = np.bincount(cells.ravel(), minlength=drawn * size).reshape(drawn, size)
        n, ones, others, squares, apart = (times @ columns).T
        chance = n * squares - 2 * ones * others
        found: Rows = np.where(chance > 0, 1 - n * apart / np.where(chance > 0, chance, 1), undefined)
        return found

    return bootstrap_interval(range(len(sums)), kappas, seed=seed)

"""How far a judge can be relied on: against people, against length, against its own order, against silence.

What it gives is held against the scores of people and never put among them.  Only what is of one version of
judge, rubric and prompt is put together, as with the scores of people.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, TypeAlias, TypeVar

from foundry_tui.domain.judging import Judgement, JudgePreference, JudgeVersion, Verdict
from foundry_tui.domain.scoring import Score
from foundry_tui.metrics.agreement import Agreement, Pair, agreement, of_one_rubric
from foundry_tui.metrics.intervals import Interval, wilson_interval
from foundry_tui.metrics.quality import ScorableAnswer
from foundry_tui.metrics.rank_correlation import Placed, RankCorrelation, partial_spearman, rank_correlation

__all__ = [
    "LENGTH_WARNING",
    "TRUSTED_FROM",
    "Asked",
    "JudgeFigures",
    "JudgedAnswer",
    "LengthBias",
    "PairFigures",
    "PairShare",
    "as_scores",
    "judge_figures",
]

TRUSTED_FROM = 20
"""So many answers have to be scored by a person too before a judge is trusted."""
LENGTH_WARNING = 0.8
"""From this correlation with length on, whatever its sign, a judge is said to go by length; from this share
of pairs on that one length wins likewise."""

_Answer: TypeAlias = tuple[str, int]


class _Versioned(Protocol):
    @property
    def by(self) -> JudgeVersion: ...

    @property
    def at_unix_ms(self) -> int: ...


_V = TypeVar("_V", bound=_Versioned)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedAnswer:
    """One answer that can be judged.

    Attributes:
        characters: How long its text is.
    """

    answer: ScorableAnswer
    characters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of asking.

    Attributes:
        count: How many answers, or orders of two, the judge was asked of.
        refused: To how many it gave no reply that could be read, at both tries.
        retries: How often it had to be asked a second time.
        share: ``refused/count``, from 0 to 1; None where nothing was asked.
        interval: Of ``share``, 95 %, Wilson's.
    """

    count: int
    refused: int
    retries: int

    @property
    def share(self) -> float | None:
        return self.refused / self.count if self.count else None

    @property
    def interval(self) -> Interval | None:
        return wilson_interval(self.refused, self.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthBias:
    """Whether longer answers got more.

    Attributes:
        correlation: Spearman's, of an answer's mean score by the judge with the count of its characters.
        partial: The same with what people gave taken out: what is left is not explained by longer answers
            being better ones.  None where it is undefined.
        partial_answers: Of how many answers that is: those that people scored by all criteria too.
    """

    correlation: RankCorrelation
    partial: float | None
    partial_answers: int

    @property
    def is_warned_of(self) -> bool:
        """Whether the judge goes by length."""
        rho = self.correlation.rho
        return rho is not None and abs(rho) >= LENGTH_WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class PairShare:
    """How two models fared against each other, of pairs whose two orders agree.

    Attributes:
        one: The name in the plan, as ``other``.
        one_wins: How many pairs ``one`` won in both orders.
        ties: How many were a tie in both.
    """

    one: str
    other: str
    one_wins: int
    other_wins: int
    ties: int

    @property
    def pairs(self) -> int:
        """How many agree."""
        return self.one_wins + self.other_wins + self.ties

    @property
    def one_share(self) -> float | None:
        """``one_wins/pairs``; None without a pair."""
        return self.one_wins / self.pairs if self.pairs else None

    @property
    def other_share(self) -> float | None:
        """``other_wins/pairs``; likewise."""
        return self.other_wins / self.pairs if self.pairs else None

    @property
    def one_interval(self) -> Interval | None:
        """Of ``one_share``, 95 %, Wilson's."""
        return wilson_interval(self.one_wins, self.pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairFigures:
    """Two and two answers, each pair in both orders.

    Attributes:
        asked: Of single orders.
        pairs: How many were judged in both orders and refused in neither.
        agreeing: Of these, how many got one verdict in both.
        flips: In how many the verdict followed the position: A in both orders, or B in both.
        flips_to_first: Of these, in how many it was A.
        wavering: In how many it was a tie in one order alone.
        longer_wins: Of ``agreeing`` pairs with a winner and answers of different lengths, how many went to
            the longer answer; ``shorter_wins`` likewise.
        shares: Of ``agreeing`` alone, for every two models of the plan that have any pair.
    """

    asked: Asked
    pairs: int
    agreeing: int
    flips: int
    flips_to_first: int
    wavering: int
    longer_wins: int
    shorter_wins: int
    shares: tuple[PairShare, ...]

    @property
    def flip_share(self) -> float | None:
        """``flips/pairs``, from 0 to 1; None without a pair."""
        return self.flips / self.pairs if self.pairs else None

    @property
    def longer_share(self) -> float | None:
        """``longer_wins/(longer_wins + shorter_wins)``; None without any of both."""
        decided = self.longer_wins + self.shorter_wins
        return self.longer_wins / decided if decided else None

    @property
    def longer_interval(self) -> Interval | None:
        """Of ``longer_share``, 95 %, Wilson's: it takes pairs to be independent."""
        return wilson_interval(self.longer_wins, self.longer_wins + self.shorter_wins)

    @property
    def goes_by_length(self) -> bool:
        """Whether one length nearly always wins, and more often than by chance."""
        share, interval = self.longer_share, self.longer_interval
        if share is None or interval is None or interval.low <= 0.5 <= interval.high:
            return False
        return max(share, 1 - share) >= LENGTH_WARNING

    @property
    def flip_interval(self) -> Interval | None:
        """Of ``flip_share``, 95 %, Wilson's: it takes pairs to be independent."""
        return wilson_interval(self.flips, self.pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeFigures:
    """One judge in a few numbers, by the version that judged last.

    Attributes:
        judge: The exact variant.
        scored_by: The version of ``scores``; None where only pairs were judged.
        paired_by: That of ``pairs``, likewise.
        same_family: Whether it is, or is kin to, a model of the run, which was allowed.
        asked: Of single answers.
        human: How it agrees with people over all criteria: a pair for each score of each person at the first
            occasion, the person first.  With few answers to go by, see ``is_trusted``.
        criteria: Likewise for each criterion that it judged by, in the order of the rubric.
        human_answers: How many answers have a score of a person and one of the judge.
        length: Whether it goes by length.
        pairs: None where none were judged.
        scores: What it gave, as scores of an annotator of its name, for whatever makes means of them.
        other_versions: How many judgements and verdicts are left out, for being of other versions.
        unmatched: How many are left out, for their answers stand no more.
    """

    judge: str
    scored_by: JudgeVersion | None
    paired_by: JudgeVersion | None
    same_family: bool
    asked: Asked
    human: Agreement
    criteria: tuple[tuple[str, Agreement], ...]
    human_answers: int
    length: LengthBias
    pairs: PairFigures | None
    scores: tuple[Score, ...]
    other_versions: int
    unmatched: int

    @property
    def is_trusted(self) -> bool:
        """Whether people scored enough of the same answers to tell what its figures are worth."""
        return self.human_answers >= TRUSTED_FROM

    @property
    def rubric_sha256(self) -> str | None:
        """The version of the rubric of what it gave to single answers; None where it gave nothing."""
        return None if self.scored_by is None else self.scored_by.rubric_sha256


def judge_figures(
    judgements: Iterable[Judgement],
    preferences: Iterable[JudgePreference],
    scores: Sequence[Score],
    answers: Sequence[JudgedAnswer],
    *,
    seed: int = 0,
) -> tuple[JudgeFigures, ...]:
    """Each judge, by name.  Draws thousands of samples for each: for a thread.

    Args:
        judgements: Of one run, of whatever judges and versions.
        preferences: Likewise.
        scores: What people gave.
        answers: Those that can be judged, in the order of the plan's models for each prompt.
        seed: Of the bootstraps.
    """
    known = {one.answer.key: one for one in answers}
    singles, pairs = tuple(judgements), tuple(preferences)
    found = []
    for judge in sorted({one.by.judge for one in singles} | {one.by.judge for one in pairs}):
        own = [one for one in singles if one.by.judge == judge]
        own_pairs = [one for one in pairs if one.by.judge == judge]
        standing = [one for one in own if (one.run_id, one.number) in known]
        standing_pairs = [
            one for one in own_pairs if (one.run_id, one.first) in known and (one.run_id, one.second) in known
        ]
        kept, kept_pairs = _of_one_version(standing), _of_one_version(standing_pairs)
        found.append(
            _figures(
                judge,
                kept,
                kept_pairs,
                scores,
                known,
                other_versions=len(standing) + len(standing_pairs) - len(kept) - len(kept_pairs),
                unmatched=len(own) + len(own_pairs) - len(standing) - len(standing_pairs),
                seed=seed,
            )
        )
    return tuple(found)


def as_scores(judgements: Iterable[Judgement]) -> tuple[Score, ...]:
    """What was not refused, as scores of an annotator that is called after the judge."""
    return tuple(
        Score(
            run_id=one.run_id,
            number=one.number,
            criterion=criterion,
            annotator=one.by.judge,
            occasion=1,
            value=value,
            rubric_sha256=one.by.rubric_sha256,
            at_unix_ms=one.at_unix_ms,
        )
        for one in judgements
        for criterion, value in one.values or ()
    )


def _of_one_version(given: Sequence[_V]) -> list[_V]:
    """Those of the version that judged last."""
    newest = max(given, key=lambda one: (one.at_unix_ms, one.by), default=None)
    return [] if newest is None else [one for one in given if one.by == newest.by]


def _figures(
    judge: str,
    judgements: Sequence[Judgement],
    preferences: Sequence[JudgePreference],
    scores: Sequence[Score],
    known: Mapping[_Answer, JudgedAnswer],
    *,
    other_versions: int,
    unmatched: int,
    seed: int,
) -> JudgeFigures:
    scored_by = judgements[0].by if judgements else None
    people: tuple[Score, ...] = ()
    if scored_by is not None:
        own_rubric = of_one_rubric(scores, scored_by.rubric_sha256).scores
        people = tuple(score for score in own_rubric if score.occasion == 1)
    values = {(one.run_id, one.number): dict(one.values) for one in judgements if one.values is not None}
    pairs = _human_pairs(people, values)
    names = list(next(iter(values.values()), {}))
    return JudgeFigures(
        judge=judge,
        scored_by=scored_by,
        paired_by=preferences[0].by if preferences else None,
        same_family=any(one.same_family for one in judgements) or any(one.same_family for one in preferences),
        asked=_asked([(one.values is None, one.attempts) for one in judgements]),
        human=agreement([pair for _, pair in pairs], seed=seed),
        criteria=tuple(
            (name, agreement([pair for of, pair in pairs if of == name], seed=seed)) for name in names
        ),
        human_answers=len({pair.answer for _, pair in pairs}),
        length=_length_bias(values, people, known, seed),
        pairs=_pair_figures(preferences, known) if preferences else None,
        scores=as_scores(judgements),
        other_versions=other_versions,
        unmatched=unmatched,
    )


def _asked(replies: Sequence[tuple[bool, int]]) -> Asked:
    return Asked(
        count=len(replies),
        refused=sum(is_refused for is_refused, _ in replies),
        retries=sum(attempts - 1 for _, attempts in replies),
    )


def _human_pairs(
    people: Sequence[Score], values: Mapping[_Answer, Mapping[str, int]]
) -> list[tuple[str, Pair]]:
    """By criterion, in an order that does not depend on that of the scores."""
    found = []
    for score in sorted(people, key=lambda one: (one.run_id, one.number, one.criterion, one.annotator)):
        key = (score.run_id, score.number)
        if (given := values.get(key, {}).get(score.criterion)) is not None:
            found.append((score.criterion, Pair(answer=key, one=score.value, other=given)))
    return found


def _length_bias(
    values: Mapping[_Answer, Mapping[str, int]],
    people: Sequence[Score],
    known: Mapping[_Answer, JudgedAnswer],
    seed: int,
) -> LengthBias:
    by_people: dict[_Answer, dict[str, list[int]]] = {}
    for score in people:
        of_answer = by_people.setdefault((score.run_id, score.number), {})
        of_answer.setdefault(score.criterion, []).append(score.value)
    things, beside = [], []
    for key, given in sorted(values.items()):
        answer = known[key]
        mean, length = Fraction(sum(given.values()), len(given)), answer.characters
        things.append(Placed(group=answer.answer.prompt_id, one=mean, other=length))
        own = by_people.get(key, {})
        if given.keys() <= own.keys():
            means = [Fraction(sum(own[name]), len(own[name])) for name in given]
            beside.append((mean, length, sum(means, Fraction(0)) / len(means)))
    return LengthBias(
        correlation=rank_correlation(things, seed=seed),
        partial=partial_spearman(beside),
        partial_answers=len(beside),
    )


def _pair_figures(
    preferences: Sequence[JudgePreference], known: Mapping[_Answer, JudgedAnswer]
) -> PairFigures:
    of_pair: dict[tuple[str, int, int], dict[int, Verdict]] = {}
    for one in preferences:
        if one.verdict is not None:
            numbers = sorted((one.first, one.second))
            of_pair.setdefault((one.run_id, numbers[0], numbers[1]), {})[one.first] = one.verdict
    flips = flips_to_first = wavering = longer_wins = shorter_wins = 0
    wins: dict[tuple[str, str], list[int]] = {}
    both = {key: verdicts for key, verdicts in of_pair.items() if len(verdicts) == 2}
    for (run_id, low, high), verdicts in sorted(both.items()):
        models = known[run_id, low].answer.model, known[run_id, high].answer.model
        straight, turned = verdicts[low], verdicts[high]
        left, right = sorted(models)
        share = wins.setdefault((left, right), [0, 0, 0])
        if straight is turned is Verdict.TIE:
            share[2] += 1
        elif straight is turned:
            flips += 1
            flips_to_first += straight is Verdict.A
        elif Verdict.TIE in (straight, turned):
            wavering += 1
        else:
            is_low = straight is Verdict.A
            winner = models[0] if is_low else models[1]
            share[0 if winner == left else 1] += 1
            lengths = known[run_id, low].characters, known[run_id, high].characters
            if lengths[0] != lengths[1]:
                is_longer = (lengths[0] > lengths[1]) == is_low
                longer_wins += is_longer
                shorter_wins += not is_longer
    return PairFigures(
        asked=_asked([(one.verdict is None, one.attempts) for one in preferences]),
        pairs=len(both),
        agreeing=sum(map(sum, wins.values())),
        flips=flips,
        flips_to_first=flips_to_first,
        wavering=wavering,
        longer_wins=longer_wins,
        shorter_wins=shorter_wins,
        shares=tuple(
            PairShare(one=left, other=right, one_wins=own[0], other_wins=own[1], ties=own[2])
            for (left, right), own in sorted(wins.items())
        ),
    )

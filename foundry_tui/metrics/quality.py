"""How good the answers of a model are, by the scores that people gave them.

An answer's value by one criterion is the mean over its annotators, and over all criteria the mean of these
values; the latter only where every criterion has one, for an answer without its worst score would pass for a
better one.  What was given at the second occasion, to see how far a person agrees with themselves, enters no
mean.  Unscored is None, never 0.  Whose scores are taken is for the caller: those of a judge are not to be
put among those of people.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

from foundry_tui.domain.bench import RequestRun
from foundry_tui.domain.scoring import Rubric, Score
from foundry_tui.metrics.agreement import NoInterval, OfOneRubric, of_one_rubric
from foundry_tui.metrics.attempts import standing
from foundry_tui.metrics.intervals import BOOTSTRAP_COUNT, Interval, bootstrap_interval
from foundry_tui.metrics.latency import latency_s
from foundry_tui.metrics.measures import is_counted
from foundry_tui.metrics.prompt_scores import PromptScores, scores_by_prompt

if TYPE_CHECKING:
    from foundry_tui.metrics.intervals import Rows

__all__ = [
    "GOOD",
    "GoodShare",
    "MeanScore",
    "ModelQuality",
    "NoTimeToGood",
    "ScorableAnswer",
    "TimeToGood",
    "model_quality",
    "scorable",
    "time_to_good_s",
    "unmatched_scores",
]

GOOD = 4.0
"""An answer is good whose mean over all criteria is this or more."""

# Stands for a time without end, which numpy cannot interpolate; no reading comes near it.
_NEVER_S = 1e300
_Answer: TypeAlias = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorableAnswer:
    """One answer that can be scored.

    Attributes:
        number: The request in the run.
        model: Whose quality it shows, such as the name in the plan.
        prompt_id: Answers to prompts of one id are taken to be of one prompt, in whatever run.
        latency_s: How long it took, tn - t0; None where that is undefined.
    """

    run_id: str
    number: int
    model: str
    prompt_id: str
    latency_s: float | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Which answer it is, as a score tells it: run and number."""
        return self.run_id, self.number


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanScore:
    """What a model got by one criterion, or by all.

    Attributes:
        mean: Over the scored answers, from 1 to 5; None without one.
        interval: Of ``mean``, 95 %, by bootstrap over the prompts, each with all its answers: those to one
            prompt are not independent.  None where ``no_interval`` says why, and without a mean.
        answers: How many are scored.
        scorable: How many there are to score.
        prompts: Of how many prompts the scored ones are.
    """

    mean: float | None
    interval: Interval | None
    no_interval: NoInterval | None
    answers: int
    scorable: int
    prompts: int

    @property
    def coverage(self) -> float | None:
        """``answers/scorable``, from 0 to 1; None where there is nothing to score."""
        return self.answers / self.scorable if self.scorable else None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodShare:
    """How many answers are good.

    Attributes:
        least: From which mean over all criteria on.
        good: How many of ``answers``.
        answers: How many are scored by every criterion.
        share: ``good/answers``, P(good), from 0 to 1; None without a scored one.
        interval: Of ``share``, as that of a ``MeanScore``.
    """

    least: float
    good: int
    answers: int
    share: float | None
    interval: Interval | None
    no_interval: NoInterval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelQuality:
    """The scores of one model in a few numbers.

    Attributes:
        rubric_sha256: The version of the rubric that all of it is of; None without a score.
        criteria: For each, by its id.
        overall: Of answers that are scored by every one of these.
        good: Likewise.
        partly: Answers that are scored by some criteria only, and so are missing in ``overall``.
        annotators: How many people the scores are of.
        other_rubric_scores: How many are left out, for being under other versions of the rubric.
        repeats: How many are left out, for being of the second occasion.
        by_prompt: What ``overall`` is the mean of, for whoever draws prompts anew.
    """

    model: str
    rubric_sha256: str | None
    criteria: tuple[tuple[str, MeanScore], ...]
    overall: MeanScore
    good: GoodShare
    partly: int
    annotators: int
    other_rubric_scores: int
    repeats: int
    by_prompt: tuple[PromptScores, ...] = ()


class NoTimeToGood(StrEnum):
    """Why nobody knows how long a good answer takes."""

    NO_LATENCY = "no-latency"
    """No answer has a defined latency."""
    NO_SCORES = "no-scores"
    """No answer is scored by every criterion."""
    NO_GOOD_ANSWER = "no-good-answer"
    """Not one of those that are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeToGood:
    """How long it takes until there is a good answer, asking again while they are not.

    Attributes:
        seconds: ``median_latency_s/good.share``; None where ``no_time`` says why.
        interval: Of ``seconds``, 95 %, by bootstrap over the prompts, latencies and scores of a prompt drawn
            together.  None where ``no_interval`` says why, and without ``seconds``.
        median_latency_s: Of all answers of the model, scored or not; None without one.
    """

    model: str
    seconds: float | None
    no_time: NoTimeToGood | None
    interval: Interval | None
    no_interval: NoInterval | None
    median_latency_s: float | None
    good: GoodShare


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scored:
    """What is known of the answers of one model.

    Attributes:
        values: Of each answer that has any, its value by each criterion.
        wholes: Of each answer that has all of them, their mean.
        own: The scores of the model, of both occasions.
    """

    found: OfOneRubric
    criteria: tuple[str, ...]
    answers: tuple[ScorableAnswer, ...]
    values: Mapping[_Answer, Mapping[str, Fraction]]
    wholes: Mapping[_Answer, Fraction]
    own: tuple[Score, ...]


def scorable(run_id: str, requests: Sequence[RequestRun]) -> tuple[ScorableAnswer, ...]:
    """The answers of a run that can be scored: timed ones that ended well, of each slot what stands."""
    return tuple(
        ScorableAnswer(
            run_id=run_id,
            number=request.number,
            model=request.model,
            prompt_id=request.prompt_id,
            latency_s=latency_s(request.trace),
        )
        for request in standing(requests)
        if is_counted(request)
    )


def model_quality(
    scores: Iterable[Score],
    answers: Sequence[ScorableAnswer],
    model: str,
    *,
    rubric: Rubric | None = None,
    least: float = GOOD,
    seed: int = 0,
) -> ModelQuality:
    """What the scores of one model come to.

    A mean is Σ/n over the scored answers, whatever their prompt, and its interval the 2.5 % and 97.5 %
    percentiles of Σ/n over 5,000 samples of as many prompts.  It assumes that the prompts were drawn from
    those that the model is meant for, and takes what the annotators give for what is so.

    Args:
        scores: Of all models that are to be held against each other: the newest version of the rubric is
            that of all of them.  Those of none of ``answers`` are left out: ``unmatched_scores``.
        answers: Those that can be scored, of whatever models.
        model: Whose are taken.
        rubric: Whose scores are taken; None takes the version that was scored by last, and for its criteria
            those by which anything was scored.
        least: From which mean over all criteria on an answer is good.
        seed: Of the bootstrap.
    """
    known = _scored(scores, answers, model, rubric)
    keys = {answer.key for answer in known.answers}
    firsts = [score for score in known.own if score.occasion == 1]
    means = []
    for criterion in known.criteria:
        values = {key: own[criterion] for key, own in known.values.items() if criterion in own}
        means.append((criterion, _mean_score(values, known.answers, seed)))
    return ModelQuality(
        model=model,
        rubric_sha256=known.found.rubric_sha256,
        criteria=tuple(means),
        overall=_mean_score(known.wholes, known.answers, seed),
        good=_good_share(known, least, seed),
        partly=len(known.values) - len(known.wholes),
        annotators=len({score.annotator for score in firsts}),
        other_rubric_scores=sum(_key(score) in keys for score in known.found.others),
        repeats=len(known.own) - len(firsts),
        by_prompt=scores_by_prompt(_by_prompt(known.wholes, known.answers)),
    )


def time_to_good_s(
    scores: Iterable[Score],
    answers: Sequence[ScorableAnswer],
    model: str,
    *,
    rubric: Rubric | None = None,
    least: float = GOOD,
    seed: int = 0,
) -> TimeToGood:
    """How long until a good answer: the median latency of the answers / P(good), in seconds.

    That is the expected time of asking until one is good, if each try takes the median and is good with the
    same chance whatever the prompt and the tries before it, and if somebody sees at once whether it is.  A
    sample of prompts without a good answer takes for ever.  Where all answers were good no sample knows
    of a bad one: the interval is that of the latency alone.  The arguments are those of ``model_quality``.
    """
    known = _scored(scores, answers, model, rubric)
    good = _good_share(known, least, seed)
    latencies = [answer.latency_s for answer in known.answers if answer.latency_s is not None]
    middle = median(latencies) if latencies else None
    no_time = seconds = interval = no_interval = None
    if middle is None:
        no_time = NoTimeToGood.NO_LATENCY
    elif good.share is None:
        no_time = NoTimeToGood.NO_SCORES
    elif good.share == 0:
        no_time = NoTimeToGood.NO_GOOD_ANSWER
    else:
        seconds = middle / good.share
        interval, no_interval = _time_interval(known, least, seed)
    return TimeToGood(
        model=model,
        seconds=seconds,
        no_time=no_time,
        interval=interval,
        no_interval=no_interval,
        median_latency_s=middle,
        good=good,
    )


def unmatched_scores(scores: Iterable[Score], answers: Sequence[ScorableAnswer]) -> int:
    """How many scores are of none of ``answers``: of one that was measured again since, or of another run."""
    known = {answer.key for answer in answers}
    return sum(_key(score) not in known for score in scores)


def _scored(
    scores: Iterable[Score], answers: Sequence[ScorableAnswer], model: str, rubric: Rubric | None
) -> _Scored:
    known = {answer.key for answer in answers}
    found = of_one_rubric(
        [score for score in scores if _key(score) in known], None if rubric is None else rubric.sha256
    )
    scored_by = sorted({score.criterion for score in found.scores})
    wanted = scored_by if rubric is None else [criterion.id for criterion in rubric.criteria]
    own_answers = tuple(answer for answer in answers if answer.model == model)
    keys = {answer.key for answer in own_answers}
    own = tuple(score for score in found.scores if _key(score) in keys)
    given: dict[_Answer, dict[str, list[int]]] = {}
    for score in own:
        if score.occasion == 1 and score.criterion in wanted:
            by_criterion = given.setdefault(_key(score), {})
            by_criterion.setdefault(score.criterion, []).append(score.value)
    # Exactly, for a mean of 4 that was rounded to a little less would not be good.
    values = {
        key: {criterion: Fraction(sum(each), len(each)) for criterion, each in by_criterion.items()}
        for key, by_criterion in given.items()
    }
    return _Scored(
        found=found,
        criteria=tuple(wanted),
        answers=own_answers,
        values=values,
        wholes={
            key: Fraction(sum(own.values()), len(own))
            for key, own in values.items()
            if len(own) == len(wanted)
        },
        own=own,
    )


def _key(score: Score) -> _Answer:
    return score.run_id, score.number


def _mean_score(
    values: Mapping[_Answer, Fraction], answers: Sequence[ScorableAnswer], seed: int
) -> MeanScore:
    by_prompt = _by_prompt(values, answers)
    interval, no_interval = _mean_interval(by_prompt, seed)
    return MeanScore(
        mean=float(Fraction(sum(values.values()), len(values))) if values else None,
        interval=interval,
        no_interval=no_interval,
        answers=len(values),
        scorable=len(answers),
        prompts=len(by_prompt),
    )


def _good_share(known: _Scored, least: float, seed: int) -> GoodShare:
    goods = {key: Fraction(whole >= least) for key, whole in known.wholes.items()}
    share = _mean_score(goods, known.answers, seed)
    return GoodShare(
        least=least,
        good=sum(value == 1 for value in goods.values()),
        answers=share.answers,
        share=share.mean,
        interval=share.interval,
        no_interval=share.no_interval,
    )


def _by_prompt(
    values: Mapping[_Answer, Fraction], answers: Sequence[ScorableAnswer]
) -> dict[str, list[Fraction]]:
    """The values of each prompt that has any, in the order of the prompts' ids."""
    found: dict[str, list[Fraction]] = {}
    for answer in sorted(answers, key=lambda one: one.prompt_id):
        if (value := values.get(answer.key)) is not None:
            found.setdefault(answer.prompt_id, []).append(value)
    return found


def _mean_interval(
    by_prompt: Mapping[str, Sequence[Fraction]], seed: int
) -> tuple[Interval | None, NoInterval | None]:
    if not by_prompt:
        return None, None
    if len(by_prompt) < BOOTSTRAP_COUNT:
        return None, NoInterval.TOO_FEW
    if len({Fraction(sum(values), len(values)) for values in by_prompt.values()}) == 1:
        return None, NoInterval.NO_SPREAD
    import numpy as np  # late: no module of the first frame may load it

    sums = np.asarray([float(sum(values)) for values in by_prompt.values()])
    counts = np.asarray([float(len(values)) for values in by_prompt.values()])

    def means(rows: "Rows") -> "Rows":
        drawn = rows.astype(np.intp)
        found: Rows = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
        return found

    return bootstrap_interval(range(len(by_prompt)), means, seed=seed), None


def _time_interval(known: _Scored, least: float, seed: int) -> tuple[Interval | None, NoInterval | None]:
    scored = {answer.prompt_id for answer in known.answers if answer.key in known.wholes}
    if len(scored) < BOOTSTRAP_COUNT:
        return None, NoInterval.TOO_FEW
    import numpy as np  # late: no module of the first frame may load it

    prompts = sorted({answer.prompt_id for answer in known.answers})
    waits: dict[str, list[float]] = {prompt: [] for prompt in prompts}
    marks: dict[str, list[bool]] = {prompt: [] for prompt in prompts}
    for answer in known.answers:
        if answer.latency_s is not None:
            waits[answer.prompt_id].append(answer.latency_s)
        if (whole := known.wholes.get(answer.key)) is not None:
            marks[answer.prompt_id].append(whole >= least)
    most = max(map(len, waits.values()))
    # What is missing is filled up with what is sorted behind every latency.
    padded = np.asarray([own + [_NEVER_S] * (most - len(own)) for own in waits.values()])
    waited = np.asarray([len(own) for own in waits.values()])
    judged = np.asarray([len(own) for own in marks.values()])
    good = np.asarray([sum(own) for own in marks.values()])

    def times(rows: "Rows") -> "Rows":
        drawn = rows.astype(np.intp)
        ordered = np.sort(padded[drawn].reshape(len(drawn), -1), axis=1)
        n, every = waited[drawn].sum(axis=1), np.arange(len(drawn))
        middles = (ordered[every, np.maximum(n - 1, 0) // 2] + ordered[every, n // 2]) / 2
        goods = good[drawn].sum(axis=1)
        found: Rows = np.where(
            goods > 0, middles * (judged[drawn].sum(axis=1) / np.maximum(goods, 1)), _NEVER_S
        )
        return found

    interval = bootstrap_interval(range(len(prompts)), times, seed=seed)
    if interval is not None and interval.high > _NEVER_S / 1e9:
        return None, NoInterval.UNBOUNDED
    if interval is not None and interval.low == interval.high:
        return None, NoInterval.NO_SPREAD
    return interval, None

"""Which aspects of what was asked for people found in the answers of a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foundry_tui.domain.scoring import AnswerMark, MarkKind, Score

__all__ = ["AspectCount", "aspect_counts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AspectCount:
    """Of one model: of the aspects that its answers were looked at for, how many they have.

    Each person counts for each answer that he scored, at first sight.  Without an interval: the aspects of
    one answer are met or missed together, so that they are no draws of their own.
    """

    model: str
    met: int
    asked: int


def aspect_counts(
    marks: Sequence[AnswerMark],
    scores: Sequence[Score],
    answers: Mapping[int, tuple[str, Sequence[str]]],
    models: Sequence[str],
) -> tuple[AspectCount, ...]:
    """A count for each model of which an answer to a prompt with aspects was looked at.

    Args:
        marks: Of one run.
        scores: Of the same: who scored an answer has looked at it.
        answers: Model and aspects of each answer that stands, by the number of its request.
        models: All models, in the order of the plan.
    """
    ticked = {
        (mark.number, mark.annotator, mark.aspect)
        for mark in marks
        if mark.kind is MarkKind.ASPECT and mark.occasion == 1
    }
    looked = {(number, annotator) for number, annotator, _ in ticked}
    looked |= {(score.number, score.annotator) for score in scores if score.occasion == 1}
    met = dict.fromkeys(models, 0)
    asked = dict.fromkeys(models, 0)
    for number, annotator in looked:
        model, aspects = answers.get(number, ("", ()))
        if model in asked:
            asked[model] += len(aspects)
            met[model] += sum((number, annotator, aspect) in ticked for aspect in aspects)
    return tuple(
        AspectCount(model=model, met=met[model], asked=asked[model]) for model in models if asked[model]
    )

"""What the scores of a run come to: of each model, and of the people who gave them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.scoring import Rubric, Score
from foundry_tui.metrics.agreement import Agreements, Disagreement, agreements, disagreements, of_one_rubric
from foundry_tui.metrics.aspects import AspectCount, aspect_counts
from foundry_tui.metrics.preferences import PreferenceCount, preference_count
from foundry_tui.metrics.quality import (
    ScorableAnswer,
    model_quality,
    scorable,
    time_to_good_s,
    unmatched_scores,
)
from foundry_tui.metrics.run_quality import RunQuality
from foundry_tui.ports.storage import ScoreStore
from foundry_tui.services.scoring.sheet import answers_to_score

__all__ = ["Agreed", "RunQuality", "Ticked", "agreed", "run_quality", "ticked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """How the people who scored a run agree, likewise."""

    rubric: Rubric | None
    agreements: tuple[Agreements, ...]
    disagreements: tuple[Disagreement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """What people said besides scores: which of two they prefer, and what is in an answer."""

    preferences: PreferenceCount
    aspects: tuple[AspectCount, ...]


async def run_quality(store: ScoreStore, run: Run, requests: Sequence[RequestRun]) -> RunQuality:
    """Of ``run``; draws thousands of samples, in a thread.

    Raises:
        StorageProblem: The scores cannot be read.
    """
    scores = await store.scores(run.id)
    answers = await asyncio.to_thread(_scorable, run, requests)
    known = {answer.number for answer in answers}
    rubric = await _rubric(store, [score for score in scores if score.number in known])
    return await asyncio.to_thread(_quality, run, answers, scores, rubric)


async def agreed(store: ScoreStore, run_id: str) -> Agreed:
    """Of the run of that id; likewise."""
    scores = await store.scores(run_id)
    return Agreed(
        rubric=await _rubric(store, scores),
        agreements=await asyncio.to_thread(agreements, scores),
        disagreements=disagreements(scores),
    )


async def ticked(store: ScoreStore, run: Run, requests: Sequence[RequestRun]) -> Ticked:
    """What people said of the answers of ``run`` besides scores; likewise."""
    preferences, marks = await store.preferences(run.id), await store.marks(run.id)
    scores = await store.scores(run.id)
    known = await asyncio.to_thread(answers_to_score, run, requests)
    aspects = {prompt.id: prompt.aspects for prompt in run.plan.prompts}
    answers = {one.number: (one.model, aspects.get(one.prompt_id, ())) for one in known}
    model_of = {number: model for number, (model, _) in answers.items()}
    return Ticked(
        preferences=preference_count(preferences, model_of, run.plan.models),
        aspects=aspect_counts(marks, scores, answers, run.plan.models),
    )


def _scorable(run: Run, requests: Sequence[RequestRun]) -> tuple[ScorableAnswer, ...]:
    return scorable(run.id, answers_to_score(run, requests))


def _quality(
    run: Run, answers: Sequence[ScorableAnswer], scores: Sequence[Score], rubric: Rubric | None
) -> RunQuality:
    return RunQuality(
        rubric=rubric,
        models=tuple(
            (
                model_quality(scores, answers, model, rubric=rubric),
                time_to_good_s(scores, answers, model, rubric=rubric),
            )
            for model in run.plan.models
        ),
        unmatched=unmatched_scores(scores, answers),
    )


async def _rubric(store: ScoreStore, scores: Sequence[Score]) -> Rubric | None:
    newest = of_one_rubric(scores).rubric_sha256
    return None if newest is None else await store.rubric(newest)

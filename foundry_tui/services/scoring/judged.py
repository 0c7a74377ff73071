"""What the judges of a run gave its models, and how far each of them can be relied on."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.judging import Judgement, JudgePreference
from foundry_tui.domain.scoring import Rubric, Score
from foundry_tui.metrics.judging import JudgedAnswer, JudgeFigures, judge_figures
from foundry_tui.metrics.quality import ModelQuality, model_quality, scorable
from foundry_tui.ports.storage import JudgeStore, ScoreStore
from foundry_tui.services.scoring.sheet import answers_to_score

__all__ = ["JudgedRun", "judged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRun:
    """One judge of a run.

    Attributes:
        rubric: By what it judged; None where it judged pairs alone.
        models: What it gave each model, in the order of the plan: never together with what people gave.
    """

    figures: JudgeFigures
    rubric: Rubric | None
    models: tuple[ModelQuality, ...]


async def judged(
    scores: ScoreStore,
    judgements: JudgeStore,
    run: Run,
    requests: Sequence[RequestRun],
    *,
    judge: str | None = None,
) -> tuple[JudgedRun, ...]:
    """All judges of ``run`` by name, or the one that is named; draws thousands of samples, in a thread.

    Raises:
        StorageProblem: What was given cannot be read.
    """
    singles = [one for one in await judgements.judgements(run.id) if judge in (None, one.by.judge)]
    pairs = [one for one in await judgements.preferences(run.id) if judge in (None, one.by.judge)]
    if not singles and not pairs:
        return ()
    people = await scores.scores(run.id)
    versions = {one.by.rubric_sha256 for one in singles}
    rubrics = {sha256: await scores.rubric(sha256) for sha256 in versions}
    found = await asyncio.to_thread(_figures, run, requests, singles, pairs, people)
    return await asyncio.to_thread(_of_judges, run, requests, found, rubrics)


def _figures(
    run: Run,
    requests: Sequence[RequestRun],
    singles: Sequence[Judgement],
    pairs: Sequence[JudgePreference],
    people: Sequence[Score],
) -> tuple[JudgeFigures, ...]:
    known = answers_to_score(run, requests)
    lengths = {request.number: len(request.trace.text) for request in known}
    answers = [
        JudgedAnswer(answer=answer, characters=lengths[answer.number]) for answer in scorable(run.id, known)
    ]
    return judge_figures(singles, pairs, people, answers)


def _of_judges(
    run: Run,
    requests: Sequence[RequestRun],
    judges: Sequence[JudgeFigures],
    rubrics: Mapping[str, Rubric | None],
) -> tuple[JudgedRun, ...]:
    answers = scorable(run.id, answers_to_score(run, requests))
    found = []
    for figures in judges:
        rubric = None if figures.rubric_sha256 is None else rubrics.get(figures.rubric_sha256)
        models = () if figures.scored_by is None else run.plan.models
        qualities = (model_quality(figures.scores, answers, model, rubric=rubric) for model in models)
        found.append(JudgedRun(figures=figures, rubric=rubric, models=tuple(qualities)))
    return tuple(found)

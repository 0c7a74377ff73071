"""The checks of a run: which answers they are made of, and what they come to."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from foundry_tui.domain.bench import Phase, PlannedPrompt, RequestRun, Run
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.checks import Check, Matches
from foundry_tui.metrics.attempts import standing
from foundry_tui.metrics.checks import CheckedAnswer, ModelChecks, TriedPattern, finding, model_checks
from foundry_tui.services.scoring.patterns import tried_patterns

__all__ = ["RunChecks", "answers_to_check", "run_checks"]


_ANSWERED = frozenset({Outcome.COMPLETED, Outcome.TRUNCATED, Outcome.EMPTY, Outcome.RUNAWAY})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChecks:
    """The checks of all models of a run.

    Attributes:
        prompts: How many prompts of the run have checks; none of what follows is there without one.
        models: In the order of the plan.
        strangers: Prompts with checks that the run has not asked, where they are of somewhere else.
        reworded: Likewise those that it asked in other words.
    """

    prompts: int
    models: tuple[ModelChecks, ...] = ()
    strangers: tuple[str, ...] = ()
    reworded: tuple[str, ...] = ()


def answers_to_check(run: Run, requests: Sequence[RequestRun]) -> tuple[RequestRun, ...]:
    """One answer of each model to each prompt, the first that stands.

    As with those that people score, further rounds say the same again, or nearly: they would make an interval
    narrow that knows no more.  But an answer without text and one that goes round in circles are answers
    here, for they are the model's own doing; what the connection or the machine broke off is none.
    """
    first: dict[tuple[str, str], RequestRun] = {}
    for request in standing(requests):
        is_answer = request.phase is Phase.TIMED and request.trace.outcome in _ANSWERED
        if is_answer and request.model in run.plan.models:
            first.setdefault((request.model, request.prompt_id), request)
    return tuple(sorted(first.values(), key=lambda request: request.number))


async def run_checks(
    run: Run, requests: Sequence[RequestRun], prompts: Sequence[PlannedPrompt] | None = None
) -> RunChecks:
    """Make the checks that the plan of ``run`` has, or those of ``prompts`` by their ids."""
    own = {prompt.id: prompt for prompt in run.plan.prompts}
    asked = run.plan.prompts if prompts is None else prompts
    checked = {prompt.id: prompt for prompt in asked if prompt.checks}
    checks = {name: prompt.checks for name, prompt in checked.items() if name in own}
    strangers = tuple(name for name in checked if name not in own)
    if not checks:
        return RunChecks(prompts=0, strangers=strangers)
    answers = [request for request in answers_to_check(run, requests) if request.prompt_id in checks]
    tried = await tried_patterns(
        (check, answer.trace.text)
        for answer in answers
        for check in checks[answer.prompt_id]
        if isinstance(check, Matches)
    )
    found = await asyncio.to_thread(_checked, answers, checks, tried)
    return RunChecks(
        prompts=len(checks),
        models=tuple(
            model_checks(model, found, unanswered=_unanswered(model, checks, found))
            for model in run.plan.models
        ),
        strangers=strangers,
        reworded=tuple(name for name in checks if checked[name].asked != own[name].asked),
    )


def _checked(
    answers: Sequence[RequestRun],
    checks: dict[str, tuple[Check, ...]],
    tried: dict[tuple[Matches, str], TriedPattern],
) -> list[CheckedAnswer]:
    return [
        CheckedAnswer(
            number=request.number,
            model=request.model,
            prompt_id=request.prompt_id,
            findings=tuple(
                finding(check, request.trace.text, lambda pattern, text: tried[pattern, text])
                for check in checks[request.prompt_id]
            ),
        )
        for request in answers
    ]


def _unanswered(
    model: str, checks: dict[str, tuple[Check, ...]], found: Sequence[CheckedAnswer]
) -> tuple[str, ...]:
    answered = {answer.prompt_id for answer in found if answer.model == model}
    return tuple(name for name in checks if name not in answered)

"""Runs whose answers are scored: so many models, each with an answer to each prompt."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from foundry_tui.domain.bench import BenchPlan, ModelRun, PlannedPrompt, RequestRun, Run, RunStatus
from foundry_tui.domain.chat import Outcome
from tests.support.runs import a_request

__all__ = ["answered_run"]


def answered_run(
    models: Sequence[str] = ("alpha", "beta"),
    *,
    prompts: int = 4,
    aspects: Sequence[str] = (),
    run_id: str = "a1",
    text: Callable[[str, str], str] = lambda model, prompt: f"What {prompt} asks for, said in one way.",
) -> tuple[Run, tuple[RequestRun, ...]]:
    """An ended run of one round; ``text`` says what a model answers to a prompt."""
    planned = tuple(
        PlannedPrompt(id=f"p{number}", text=f"Question {number}?", aspects=tuple(aspects))
        for number in range(1, prompts + 1)
    )
    run = Run(
        id=run_id,
        name=f"run {run_id}",
        plan=BenchPlan(models=tuple(models), prompts=planned, rounds=1, seed=7),
        status=RunStatus.COMPLETED,
        started_unix_ms=1_000,
        ended_unix_ms=60_000,
        models=tuple(
            ModelRun(model=model, model_id=f"{model}-cpu:1", outcome=Outcome.COMPLETED) for model in models
        ),
    )
    asked = [(prompt.id, model) for prompt in planned for model in models]
    requests = tuple(
        replace(a_request(number, model=model, text=text(model, prompt)), prompt_id=prompt)
        for number, (prompt, model) in enumerate(asked, start=1)
    )
    return run, requests

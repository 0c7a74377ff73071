"""Which earlier run asked a model the same, and whether it still answers so."""

from collections.abc import Sequence

from foundry_tui.domain.bench import BenchPlan, ModelRun, RequestRun, Run
from foundry_tui.metrics.attempts import standing
from foundry_tui.metrics.certificate import AnsweredBefore, answers_unchanged, is_repeatable_plan
from foundry_tui.ports.storage import RunStore

__all__ = ["answered_before"]

_MOST_TRIED = 20
"""Of the runs before, so that a report of a long history does not read all of it."""


async def answered_before(
    store: RunStore, run: Run, requests: Sequence[RequestRun]
) -> tuple[AnsweredBefore, ...]:
    """For each model of ``run`` the newest earlier run with the same variant, prompt and settings, if any.

    Empty where answers are not meant to be the same again: without a seed, and not at temperature 0.

    Raises:
        StorageProblem: The store cannot be read.
    """
    if not is_repeatable_plan(run.plan):
        return ()
    found = [await _before(store, run, model, requests) for model in run.models]
    return tuple(one for one in found if one is not None)


async def _before(
    store: RunStore, run: Run, model: ModelRun, requests: Sequence[RequestRun]
) -> AnsweredBefore | None:
    own = standing([request for request in requests if request.model == model.model])
    tried = 0
    for run_id in await store.runs_of(model.model_id or model.model):
        earlier = await store.run(run_id)
        if earlier is None or _begun(earlier) >= _begun(run) or tried == _MOST_TRIED:
            continue
        tried += 1
        same = _same_prompts(earlier.plan, run.plan)
        other = next((one for one in earlier.models if one.is_called(model.model_id or model.model)), None)
        if not same or other is None or (other.model_id or model.model_id) != model.model_id:
            continue
        asked = standing(await store.requests(run_id, model=other.model))
        answers = answers_unchanged(
            [request for request in asked if request.prompt_id in same],
            [request for request in own if request.prompt_id in same],
        )
        if answers is not None:
            return AnsweredBefore(
                model=model.model,
                run_id=earlier.id,
                run_name=earlier.name,
                started_unix_ms=earlier.started_unix_ms,
                answers=answers,
            )
    return None


def _begun(run: Run) -> tuple[int, str]:
    """In order of time; of two begun in one millisecond one has to be the earlier one."""
    return run.started_unix_ms, run.id


def _same_prompts(before: BenchPlan, after: BenchPlan) -> frozenset[str]:
    """Ids of the prompts that both ask in the same words and with the same settings."""
    settings = [(plan.max_tokens, plan.temperature, plan.seed) for plan in (before, after)]
    if settings[0] != settings[1]:
        return frozenset()
    asked = {prompt.asked for prompt in before.prompts}
    return frozenset(prompt.id for prompt in after.prompts if prompt.asked in asked)

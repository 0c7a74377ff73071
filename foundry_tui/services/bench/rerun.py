"""Measuring marked rounds again: which ones, and whether they would still be measured with the same."""

import asyncio
from collections.abc import Callable, Sequence

from foundry_tui.domain.bench import ModelRun, RequestRun, Run, RunStatus
from foundry_tui.domain.bench_reruns import Rerun, RoundAgain
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.engine import EndpointKind, EngineInfo
from foundry_tui.domain.errors import BadInput, ModelNotFound
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.attempts import marked_rounds
from foundry_tui.services.bench.facts import fact_changes, facts_of
from foundry_tui.services.client import ClientService

__all__ = ["marked_in", "next_rerun", "require_same"]

_CONDITIONS = ("power", "governor")
"""What may well be another now: rounds are marked for it."""
_ONLY_LOADED = ("execution_provider",)
"""What a variant tells for certain only once it is loaded."""
_REMEDY = "what is measured now would be of something else: begin a new run, and compare the two"


def marked_in(run: Run, requests: Sequence[RequestRun]) -> tuple[RoundAgain, ...]:
    """Rounds of ``run`` that are marked, and could be measured again: of models that were not left out.

    Draws some thousands of samples for each model: for a thread.
    """
    found: list[RoundAgain] = []
    for model in run.models:
        if model.outcome is Outcome.COMPLETED:
            found += marked_rounds([request for request in requests if request.model == model.model])
    return tuple(found)


async def next_rerun(run: Run, requests: Sequence[RequestRun], *, at_unix_ms: int) -> Rerun:
    """What is to be measured again of a run that has ended.

    Raises:
        BadInput: It is not complete, or nothing in it is marked.
    """
    if run.status is not RunStatus.COMPLETED:
        raise BadInput(
            f"run {clean_line(run.id)} is not complete, so it is not known yet which rounds stand apart",
            remedy="resume it first: that does what is left of it",
        )
    rounds = await asyncio.to_thread(marked_in, run, requests)
    if not rounds:
        raise BadInput(
            f"no round of run {clean_line(run.id)} is marked, so there is nothing to measure again",
            remedy="its report says what was looked at; more rounds are for a new run",
        )
    before = [rerun.attempt for rerun in run.reruns] + [request.attempt for request in requests]
    return Rerun(attempt=max(1, *before) + 1, started_unix_ms=at_unix_ms, rounds=rounds)


async def require_same(
    run: Run,
    rerun: Rerun,
    client: ClientService,
    info: EngineInfo,
    machine: Callable[[], Sequence[tuple[str, str]]],
) -> None:
    """Make sure that engine, machine and models are those of the record, as far as both sides are known.

    The plan is the record's own: prompts, seeds and settings cannot be others.

    Raises:
        BadInput: They are not; it says what is another.
        EngineError: Models cannot be listed.
    """
    path = "managed" if info.kind is EndpointKind.MANAGED else "endpoint"
    here = (("engine", info.kind.value), *info.versions, *await asyncio.to_thread(machine))
    changes = fact_changes(run.environment, here, without=_CONDITIONS)
    changes += fact_changes((("path", run.path),), (("path", path),))
    wanted = {one.model for one in rerun.rounds}
    for model in run.models:
        if model.model in wanted:
            changes += await _changes_of(model, client)
    if changes:
        raise BadInput(
            f"the marked rounds of run {clean_line(run.id)} cannot be measured again: {'; '.join(changes)}",
            remedy=_REMEDY,
        )


async def _changes_of(model: ModelRun, client: ClientService) -> list[str]:
    name = clean_line(model.model, 80)
    try:
        if client.catalog.value.find(model.model) is None:
            await client.refresh()
        variant = client.find(model.model)
    except ModelNotFound:
        return [f"{name} is not here any more"]
    if model.model_id is not None and variant.id != model.model_id:
        return [f"{name} is {clean_line(variant.id, 80)} now, was {clean_line(model.model_id, 80)}"]
    found = fact_changes(model.facts, facts_of(variant, None), without=_ONLY_LOADED)
    return [f"{name}: {change}" for change in found]

"""How long a plan will take, from what this machine has measured before."""

from collections.abc import Mapping, Sequence

from foundry_tui.domain.bench import BenchPlan, RequestRun, Run
from foundry_tui.domain.models import ModelVariant
from foundry_tui.metrics.attempts import standing
from foundry_tui.metrics.estimate import Earlier, Estimate, estimate, is_basis
from foundry_tui.ports.storage import RunStore

__all__ = ["Estimate", "estimated_s"]

_NEWEST_RUNS = 40
"""Further back is not looked: what was measured so long ago was another machine, or another state of it."""
_MOST_REQUESTS = 5_000
"""A longer run takes too long to be read for an estimate."""
_NS_PER_S = 1_000_000_000
_SAME = ("engine", "machine", "cpu", "threads")
"""What an earlier run must have been made with, as far as both sides know it."""


async def estimated_s(
    store: RunStore,
    plan: BenchPlan,
    variants: Sequence[ModelVariant | None],
    *,
    here: Sequence[tuple[str, str]] = (),
) -> Estimate | None:
    """How long ``plan`` will take; None where none of its models was measured here.

    Args:
        store: Where runs are kept.
        plan: What is to be measured.
        variants: The exact variant of each model of the plan, in its order; None where the name fits none.
        here: The environment as it is now: a run that was imported from another machine tells nothing.

    Each model is judged by the newest run in which it answered.

    Raises:
        StorageProblem: Earlier runs cannot be read.
    """
    wanted = {
        name: variant.id for name, variant in zip(plan.models, variants, strict=True) if variant is not None
    }
    found: dict[str, Earlier] = {}
    for summary in await store.runs(limit=_NEWEST_RUNS):
        missing = {name: model_id for name, model_id in wanted.items() if name not in found}
        if not missing:
            break
        if not 0 < summary.requests <= _MOST_REQUESTS:
            continue
        run = await store.run(summary.id)
        if run is None or not _is_of_here(run, dict(here)):
            continue
        if not any(model.model_id in missing.values() for model in run.models):
            continue
        requests = standing(await store.requests(run.id))
        for name, model_id in missing.items():
            if (earlier := _earlier(run, requests, model_id)) is not None:
                found[name] = earlier
    return estimate(plan, found)


def _is_of_here(run: Run, here: Mapping[str, str]) -> bool:
    there = dict(run.environment)
    return all(there[name] == here[name] for name in _SAME if name in there and name in here)


def _earlier(run: Run, requests: Sequence[RequestRun], model_id: str) -> Earlier | None:
    own = tuple(request for request in requests if is_basis(request, model_id))
    if not own:
        return None
    load_ns = next((model.load_ns for model in run.models if model.model_id == model_id), None)
    return Earlier(
        run_id=run.id,
        concurrency=run.plan.concurrency,
        load_s=None if load_ns is None else load_ns / _NS_PER_S,
        requests=own,
    )

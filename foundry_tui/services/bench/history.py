"""What was measured of one model, run after run."""

from foundry_tui.domain.bench import Phase
from foundry_tui.domain.bench_history import MeasuredModel
from foundry_tui.metrics.attempts import standing
from foundry_tui.ports.storage import RunStore

__all__ = ["model_history"]


async def model_history(store: RunStore, name: str, *, limit: int) -> tuple[MeasuredModel, ...]:
    """The newest ``limit`` runs that have a model that is called so, the oldest of them first.

    Variants that one run measured beside each other come in the order of its plan.

    Raises:
        StorageProblem: The store cannot be read.
    """
    found: list[MeasuredModel] = []
    for run_id in reversed(await store.runs_of(name, limit=limit)):
        run = await store.run(run_id)
        if run is None:  # deleted meanwhile
            continue
        for model in run.models:
            if model.is_called(name):
                requests = standing(await store.requests(run_id, model=model.model))
                timed = tuple(request for request in requests if request.phase is Phase.TIMED)
                found.append(MeasuredModel(run=run, model=model, requests=timed))
    return tuple(found)

"""A run by the id that the user gave, or by the beginning of one."""

from collections.abc import Sequence

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.text import clean_line
from foundry_tui.ports.storage import RunStore

__all__ = ["load_run", "load_with_requests"]

_LAST = "last"


async def load_run(store: RunStore, given: str) -> Run:
    """The run of that id, or the only one whose id begins so; ``last`` is the newest.

    Raises:
        BadInput: There is none, or more than one.
        StorageProblem: The store cannot be read.
    """
    run = await store.run(given)
    if run is None and given == _LAST:
        newest = await store.runs(limit=1)
        run = await store.run(newest[0].id) if newest else None
    elif run is None and given:
        ids = await store.run_ids(given)
        if len(ids) > 1:
            raise BadInput(
                f"several runs have ids that begin with {clean_line(given, 60)!r},"
                f" such as {clean_line(ids[0])} and {clean_line(ids[1])}",
                remedy="give more of it",
            )
        run = await store.run(ids[0]) if ids else None
    if run is None:
        raise BadInput(f"no run {clean_line(given, 60)!r}", remedy="foundry-tui runs list shows all ids")
    return run


async def load_with_requests(store: RunStore, given: str) -> tuple[Run, Sequence[RequestRun]]:
    """The same with all its requests."""
    run = await load_run(store, given)
    return run, await store.requests(run.id)

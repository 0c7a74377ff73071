"""A run by the id that the user gave, or by the beginning of one."""

from collections.abc import Sequence
from typing import TypeAlias

from foundry_tui.domain.bench import RequestRun, ResourceReading, Run
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.text import clean_line
from foundry_tui.ports.storage import RunStore

__all__ = ["WholeRun", "load_run", "load_whole", "load_with_requests"]

WholeRun: TypeAlias = tuple[Run, Sequence[RequestRun], Sequence[ResourceReading]]

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


async def load_whole(store: RunStore, given: str) -> WholeRun:
    """The same, and what was read of the machine meanwhile."""
    run, requests = await load_with_requests(store, given)
    return run, requests, await store.resources(run.id)

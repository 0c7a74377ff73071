"""What the engine took of the machine over a run, to the disk, some of it at a time."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from foundry_tui.aio import Tasks
from foundry_tui.domain.bench import ResourceReading
from foundry_tui.domain.errors import BadInput, FoundryTuiError, StorageProblem
from foundry_tui.ports.storage import RunStore
from foundry_tui.services.bench.peaks import Peaks

__all__ = ["earlier_resources", "kept_resources"]

_PERIOD_S = 2.0
"""What a kill may cost."""


async def earlier_resources(store: RunStore, run_id: str) -> list[ResourceReading]:
    """What earlier lives of the run have read; nothing where it cannot be had: no run ends for it."""
    try:
        return list(await store.resources(run_id))
    except FoundryTuiError:
        return []


@asynccontextmanager
async def kept_resources(
    peaks: Peaks,
    store: RunStore,
    run_id: str,
    readings: list[ResourceReading],
    tasks: Tasks,
    *,
    period_s: float = _PERIOD_S,
) -> AsyncGenerator[None, None]:
    """Add what is read within the block to ``readings``, and from time to time and at its end to the store.

    No request waits for it.  What cannot be written is tried again with what comes next, and is told to
    nobody: if the disk cannot be used, the requests end the run.

    Args:
        peaks: Of the run.
        store: Has the run.
        run_id: Its id.
        readings: Only added to; what is in it already is in the store.
        tasks: Owns the writing.
        period_s: Between two writes.
    """
    kept = len(readings)
    ended = asyncio.Event()

    async def keep() -> None:
        nonlocal kept
        upto = len(readings)
        if upto == kept:
            return
        # What was deleted meanwhile is asked for by nobody.
        with suppress(BadInput):
            await store.add_resources(run_id, readings[kept:upto])
        kept = upto

    async def keep_on() -> None:
        is_last = False
        while not is_last:
            with suppress(TimeoutError):
                async with asyncio.timeout(period_s):
                    await ended.wait()
            is_last = ended.is_set()
            with suppress(StorageProblem):
                await keep()

    task = tasks.start("resources of a benchmark", keep_on())
    try:
        with peaks.heard_by(readings.append):
            yield
    finally:
        ended.set()
        await asyncio.wait([task])

"""Downloads that a server does for itself, as an older Foundry service does: ordered, followed, stopped.

The queue of ``services.downloads`` is for this machine's cache.  Nothing of that counts here: the files go
onto the server's disk, it checks them, and it keeps what it has when the order is taken back.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.aio import Tasks
from foundry_tui.domain.downloads import DownloadPhase
from foundry_tui.domain.engine import Capability, EngineInfo
from foundry_tui.domain.errors import EngineBusy, EngineError, EngineUnavailable, NotSupported
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.transfer import TransferTrack, observed, progress
from foundry_tui.services.engine.jobs import JobKind, Jobs, Transfer
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.services.engine.life import EngineLife

__all__ = ["FetchEnd", "Fetching"]

_NAME_CHARACTERS = 120


class FetchEnd(StrEnum):
    """How a fetch ended that did not fail."""

    DONE = "done"
    """The server has the model."""
    STOPPED = "stopped"
    """The order was taken back; what the server had by then is its own to keep."""


@dataclass(slots=True)
class _Fetch:
    """One order under way."""

    track: TransferTrack | None = None
    error: EngineError | None = None
    work: "asyncio.Task[None] | None" = None


class Fetching:
    """Any number of orders at once, one for each model; the server decides what it does at the same time.

    Args:
        list_again: Publishes what the server has by now; fails quietly.
        tasks: Owns what goes on in the background.
        show_s: How often it is published how far an order is.
    """

    def __init__(
        self,
        life: EngineLife,
        lease: EngineLease,
        jobs: Jobs,
        list_again: Callable[[], Awaitable[None]],
        tasks: Tasks,
        *,
        show_s: float = 0.25,
    ) -> None:
        self._life = life
        self._lease = lease
        self._jobs = jobs
        self._list_again = list_again
        self._tasks = tasks
        self._show_s = show_s
        self._fetches: dict[str, _Fetch] = {}

    async def fetch(self, model_id: str) -> FetchEnd:
        """See ``ClientService.fetch``."""
        _require(self._life.info)
        name = clean_line(model_id, _NAME_CHARACTERS)
        if model_id in self._fetches:
            raise EngineBusy(f"the server downloads {name} already", remedy="wait until it ends, or stop it")
        with self._lease.hold(f"downloading {name} onto the server"):
            fetch = self._fetches[model_id] = _Fetch()
            try:
                with self._jobs.under_way(JobKind.FETCH, model_id) as tell:
                    await self._follow(model_id, fetch, tell)
                    # Before the job goes, so that the model is never shown as neither coming nor here.
                    await self._list_again()
            finally:
                del self._fetches[model_id]
        if fetch.error is not None:
            raise fetch.error
        # An engine that is stopped in good order ends its streams so too, without a last word.
        is_done = fetch.track is not None and fetch.track.phase is DownloadPhase.DONE
        return FetchEnd.DONE if is_done else FetchEnd.STOPPED

    def stop(self, model_id: str) -> bool:
        """Take that order back; False if there is none, or if it has just ended."""
        fetch = self._fetches.get(model_id)
        if fetch is None or fetch.work is None:
            return False
        return fetch.work.cancel()

    async def _follow(self, model_id: str, fetch: _Fetch, tell: Callable[[Transfer], None]) -> None:
        """Read to the end, to a stop, or to a cancellation of the caller's; the server is left by then."""
        fetch.work = self._tasks.start(f"fetch {model_id}", self._read(model_id, fetch))
        try:
            while not fetch.work.done():
                # Also while nothing comes: then for how long nothing has.
                await asyncio.wait([fetch.work], timeout=self._show_s)
                # Of what has no known size the bytes would be 0, and it would seem to stand still.
                if fetch.track is not None and fetch.track.total_bytes is not None:
                    tell(_transfer(fetch.track))
        finally:
            fetch.work.cancel()
            await asyncio.wait([fetch.work])

    async def _read(self, model_id: str, fetch: _Fetch) -> None:
        try:
            async with aclosing(self._life.engine.download(model_id)) as readings:
                async for reading in readings:
                    fetch.track = observed(fetch.track, reading)
        except EngineError as error:
            fetch.error = error


def _require(info: EngineInfo | None) -> None:
    if info is None:
        raise EngineUnavailable("the engine is not running", remedy="restart it")
    if not info.can(Capability.DOWNLOAD):
        raise NotSupported(
            f"a {info.kind.value} engine fetches no models for itself",
            remedy="download them with the server's own tools",
        )


def _transfer(track: TransferTrack) -> Transfer:
    return Transfer(phase=track.phase, progress=progress(track, time.perf_counter_ns()))

"""Control work that takes long enough to be shown."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum

from foundry_tui.aio import Feed
from foundry_tui.domain.downloads import DownloadPhase, TransferProgress

__all__ = ["Job", "JobKind", "Jobs", "Transfer"]


class JobKind(StrEnum):
    """What is being done."""

    LOAD = "load"
    UNLOAD = "unload"
    REFRESH = "refresh"
    REMOVE = "remove"
    PROVIDERS = "providers"
    FETCH = "fetch"
    """The server fetches a model onto its own disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """How far something that comes over the network is."""

    phase: DownloadPhase
    progress: TransferProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Control work under way.

    Attributes:
        model_id: None for what concerns no one model.
        started_ns: ``perf_counter_ns`` of this process.
        transfer: Of a fetch, once the server has said how far it is; None where the size is not known.
    """

    kind: JobKind
    model_id: str | None
    started_ns: int
    transfer: Transfer | None = None


class Jobs:
    """All control work under way, for everybody to see."""

    def __init__(self) -> None:
        self.feed: Feed[tuple[Job, ...]] = Feed(())

    @contextmanager
    def under_way(self, kind: JobKind, model_id: str | None) -> Iterator[Callable[[Transfer], None]]:
        """Show a job for the length of the block, and with it how far it is, whenever that is told."""
        job = Job(kind=kind, model_id=model_id, started_ns=time.perf_counter_ns())

        def tell(transfer: Transfer) -> None:
            nonlocal job
            before, job = job, replace(job, transfer=transfer)
            self.feed.publish(tuple(job if other is before else other for other in self.feed.value))

        self.feed.publish((*self.feed.value, job))
        try:
            yield tell
        finally:
            self.feed.publish(tuple(other for other in self.feed.value if other is not job))

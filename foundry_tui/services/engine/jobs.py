"""Control work that takes long enough to be shown."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.aio import Feed

__all__ = ["Job", "JobKind", "Jobs"]


class JobKind(StrEnum):
    """What is being done."""

    LOAD = "load"
    UNLOAD = "unload"
    REFRESH = "refresh"
    REMOVE = "remove"
    PROVIDERS = "providers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Control work under way.

    Attributes:
        model_id: None for what concerns no one model.
        started_ns: ``perf_counter_ns`` of this process.
    """

    kind: JobKind
    model_id: str | None
    started_ns: int


class Jobs:
    """All control work under way, for everybody to see."""

    def __init__(self) -> None:
        self.feed: Feed[tuple[Job, ...]] = Feed(())

    @contextmanager
    def under_way(self, kind: JobKind, model_id: str | None) -> Iterator[None]:
        """Show a job for the length of the block."""
        job = Job(kind=kind, model_id=model_id, started_ns=time.perf_counter_ns())
        self.feed.publish((*self.feed.value, job))
        try:
            yield
        finally:
            self.feed.publish(tuple(other for other in self.feed.value if other is not job))

"""What happens to engine, models and GPUs over a session, each at its moment."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Happening", "HappeningKind"]


class HappeningKind(StrEnum):
    """What has happened."""

    ENGINE_STARTED = "engine started"
    ENGINE_RESTARTED = "engine restarted"
    ENGINE_STOPPED = "engine stopped"
    ENGINE_DIED = "engine died"
    ENGINE_SILENT = "engine does not answer"
    ENGINE_ANSWERS = "engine answers again"
    LOADING = "load begun"
    LOADED = "loaded"
    NOT_LOADED = "not loaded"
    UNLOADED = "unloaded"
    ASKED = "request begun"
    ANSWERED = "request ended"
    NOT_ANSWERED = "request failed"
    STALLED = "stall"
    THROTTLED = "throttled"
    UNTHROTTLED = "no longer throttled"
    DOWNLOADING = "download begun"
    DOWNLOAD_ENDED = "download ended"

    @property
    def is_of_requests(self) -> bool:
        """Whether it tells how a request goes; these come by the thousand."""
        return self in (
            HappeningKind.ASKED,
            HappeningKind.ANSWERED,
            HappeningKind.NOT_ANSWERED,
            HappeningKind.STALLED,
        )

    @property
    def is_trouble(self) -> bool:
        """Whether somebody should look at it."""
        return self in (
            HappeningKind.ENGINE_DIED,
            HappeningKind.ENGINE_SILENT,
            HappeningKind.NOT_LOADED,
            HappeningKind.NOT_ANSWERED,
            HappeningKind.STALLED,
            HappeningKind.THROTTLED,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One moment of a session.

    Attributes:
        at_ns: ``perf_counter_ns`` of this process.
        model_id: Whom it concerns; None where it concerns no one model.
        took_ns: How long what ends here took, or for how long nothing came.
        grown_bytes: By how much the engine's resident memory grew; None where that is not known.
        tokens_per_s: Of the answer that ends here.
        is_estimate: Whether that is estimated.
        why: The reason, or what else there is to tell, as it came; None for nothing.
    """

    at_ns: int
    kind: HappeningKind
    model_id: str | None = None
    took_ns: int | None = None
    grown_bytes: int | None = None
    tokens_per_s: float | None = None
    is_estimate: bool = False
    why: str | None = None

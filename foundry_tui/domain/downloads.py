"""Downloads as a queue keeps them and as a process that does one is read."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "ENDED_STATES",
    "Download",
    "DownloadFailure",
    "DownloadPhase",
    "DownloadReading",
    "DownloadState",
    "Partial",
    "TransferProgress",
]


class DownloadState(StrEnum):
    """Where an entry of the queue is."""

    QUEUED = "queued"
    RUNNING = "running"
    VERIFYING = "verifying"
    """All is here; what the runtime does not check is being checked."""
    RETRYING = "retrying"
    """It failed in a way that may pass; it is tried again at ``not_before_unix_ms``."""
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED_STATES = frozenset({DownloadState.DONE, DownloadState.FAILED, DownloadState.CANCELLED})
"""Nothing more happens to an entry in one of these until somebody asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One entry of the queue.

    Attributes:
        id: Its own, for a model can be downloaded again after it was removed.
        model_id: Exact variant.
        added_unix_ms: When it was asked for.
        place: Order in the queue, smaller first.
        size_bytes: As the catalog says; None if it does not.
        not_before_unix_ms: When it may begin: a quiet hour, or the next try; None is at once.
        attempts: Times it was begun and failed.
        problem: Why it failed last, in words.
        remedy: What can be done about that.
        outlives_app: Whether it goes on when the app is quit.
        ended_unix_ms: When it came into one of ``ENDED_STATES``.
    """

    id: str
    model_id: str
    added_unix_ms: int
    place: int
    state: DownloadState = DownloadState.QUEUED
    size_bytes: int | None = None
    not_before_unix_ms: int | None = None
    attempts: int = 0
    problem: str | None = None
    remedy: str | None = None
    outlives_app: bool = False
    ended_unix_ms: int | None = None


class DownloadPhase(StrEnum):
    """What the process that downloads is at."""

    STARTING = "starting"
    """The runtime comes up and asks the catalog and the registry."""
    WAITING = "waiting"
    """Another process downloads the same model and holds its lock."""
    FLOWING = "flowing"
    DONE = "done"
    FAILED = "failed"
    DIED = "died"
    """The process ended without a word: it was killed, or the machine went down."""


class DownloadFailure(StrEnum):
    """Why a download ended without the model, as far as it decides what to do next."""

    NETWORK = "network"
    """May pass: the link, the server, a limit of requests."""
    DISK_FULL = "disk-full"
    STORAGE = "storage"
    """The folder cannot be written for another reason."""
    NOT_FOUND = "not-found"
    """No catalog has the model, or its files are gone."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadReading:
    """One look at a download that a process of its own does.

    Attributes:
        at_ns: ``perf_counter_ns`` of the reader.
        done_bytes: On disk so far: the greater of what the runtime reports and the allocated blocks.
        total_bytes: What there will be; None if the catalog does not say.
        failure: Why it ended, in phase ``FAILED``.
        message: The reason in words, in phase ``FAILED``.
    """

    at_ns: int
    phase: DownloadPhase
    done_bytes: int
    total_bytes: int | None
    failure: DownloadFailure | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferProgress:
    """What is known of a transfer from its readings so far.

    Attributes:
        share: ``done_bytes / total_bytes``, at most 1; None where the total is not known.
        bytes_per_s: Mean speed over the last seconds in which anything could be seen; None until then.
        eta_s: ``(total_bytes - done_bytes) / bytes_per_s``; None where either is not known, or it is stalled.
        stalled_s: Since when nothing came; 0 while it flows.
    """

    done_bytes: int
    total_bytes: int | None
    share: float | None
    bytes_per_s: float | None
    eta_s: float | None
    stalled_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """A download that was left in the middle, found on disk.

    Attributes:
        model_id: As the folder's name tells it; None if it tells none.
        path: The folder.
        disk_bytes: Allocated bytes, as ``DownloadReading.done_bytes`` counts them.
        touched_unix: When a file in it was last written, in seconds.
        is_locked: Whether a process is at work on it right now.
    """

    model_id: str | None
    path: str
    disk_bytes: int
    touched_unix: float
    is_locked: bool

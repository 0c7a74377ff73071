"""What the models on this disk take, and moving them to another."""

from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.domain.downloads import Partial
from foundry_tui.domain.health import ModelHealth

__all__ = [
    "CacheReport",
    "CachedModel",
    "DiskSpace",
    "MoveOutcome",
    "MovePhase",
    "MoveProgress",
    "UnfinishedMove",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSpace:
    """The disk that a path lies on.

    Attributes:
        free_bytes: What we may still write, which can be less than what is free for the administrator.
    """

    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedModel:
    """One model whose files are here.

    Attributes:
        path: Its folder.
        disk_bytes: Allocated, hard links once; None if the folder cannot be read.
        is_own: Whether it is a registered folder of the user's own, which is never removed.
        last_used_unix: In seconds; None if it was not used since that is kept.
        health: What the last check found; it says whether hashes are kept by being deep.
    """

    model_id: str
    path: str
    disk_bytes: int | None
    is_own: bool
    is_loaded: bool
    last_used_unix: int | None
    health: ModelHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheReport:
    """The cache at one moment.

    Attributes:
        folder: Where downloads go.
        models: Those with a folder, the largest first.
        partials: Unfinished downloads.
        total_bytes: All below ``folder``, what belongs to no model among it; None if it cannot be read.
        space: Of the disk of ``folder``; None if it cannot be read.
    """

    folder: str
    models: tuple[CachedModel, ...]
    partials: tuple[Partial, ...]
    total_bytes: int | None
    space: DiskSpace | None


class MovePhase(StrEnum):
    """What a move of the cache is at."""

    COPYING = "copying"
    COMPARING = "comparing"
    SWITCHING = "switching"
    """The program is told to use the new folder."""
    REMOVING = "removing"
    """The new folder is in force; the old one goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveProgress:
    """How far a move is within its phase."""

    phase: MovePhase
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveOutcome:
    """What a move did.

    Attributes:
        left: Files that are still in the old folder, because they came or changed after they were copied.
    """

    source: str
    target: str
    moved_bytes: int
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedMove:
    """A move that was interrupted.

    Attributes:
        is_switched: Whether ``target`` is in force, so that only the old folder is left to remove.
    """

    source: str
    target: str
    is_switched: bool

"""What the engine's process still holds of models that have left memory, and what a restart gives back."""

from collections.abc import Sequence
from dataclasses import dataclass

from foundry_tui.metrics.residual import MemoryKind, Residual

__all__ = ["Held", "HeldTrack", "Holding", "Need"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What one loaded model would take of a process that has just been started.

    Attributes:
        least_bytes: What its load was seen to take.
        most_bytes: The same, and whatever it may have found there and used again.
    """

    least_bytes: int
    most_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One kind of memory that the process holds for no model that is loaded.

    ``left = level − bare − Σ need``: the level of the process, what it had before the first load of its life,
    and what each loaded model would take of a new process.  Residuals of unloaded models are not added up: a
    load uses again what an earlier one left behind, so that a restart gives back less than their sum.  For
    the same reason a model that was not the first in its process may need more of a new one than its load
    took (82 MiB in place of 238 were measured).  So ``need`` is what it took as the first one of a process,
    where that was seen in this session; else it lies between what its load took and all that the process
    had above ``bare`` when that load ended.  ``left`` is the least since the last unload: what comes later
    belongs to those that are loaded.  What these had grown by before it is in the figure; a restart gives
    that back too.

    Attributes:
        surely: With the most that the loaded models may need: so much comes back.
        at_most: With the least that they need: no more than that.
    """

    kind: MemoryKind
    surely: Residual
    at_most: Residual

    @property
    def least_bytes(self) -> int:
        """What a restart surely gives back."""
        return self.surely.kept_bytes or 0

    @property
    def most_bytes(self) -> int:
        """More than that a restart cannot give back of it."""
        return self.at_most.kept_bytes or 0

    @property
    def is_held(self) -> bool:
        """Whether there is more than a residual may be that counts as freed."""
        return self.at_most.is_freed is False

    @property
    def is_sure(self) -> bool:
        """Whether that is so whatever the loaded models need."""
        return self.surely.is_freed is False


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What the process holds of all models that have left it.

    Attributes:
        model_ids: Those that were unloaded in its life and are not in memory, in the order of their unloads.
        was_unloaded: Whether any was, and be it loaded again.
        kinds: Each kind of memory that can be told; empty before anything was read after the last unload.
    """

    model_ids: tuple[str, ...] = ()
    was_unloaded: bool = False
    kinds: tuple[Held, ...] = ()

    @property
    def held(self) -> tuple[Held, ...]:
        """The kinds of which something is held."""
        return tuple(each for each in self.kinds if each.is_held)


class HeldTrack:
    """Follows one kind of memory over one life of the process."""

    def __init__(self, kind: MemoryKind) -> None:
        self._kind = kind
        self._bare: int | None = None
        self._peak = 0
        self._left: tuple[int, int] | None = None

    @property
    def held(self) -> Held | None:
        """What is known since the last unload; None before there was a reading."""
        if self._left is None or self._bare is None:
            return None
        surely, at_most = (self._residual(self._bare, left) for left in self._left)
        return Held(kind=self._kind, surely=surely, at_most=at_most)

    @property
    def bare_bytes(self) -> int | None:
        """Before the first load of this life; None if that was not read."""
        return self._bare

    def first_load(self, before_bytes: int | None) -> None:
        """Something is loaded into a process that has held no model yet."""
        self._bare = before_bytes

    def seen(self, level_bytes: int | None) -> None:
        """The process had so much at some moment of this life."""
        self._peak = max(self._peak, level_bytes or 0)

    def unloaded(self) -> None:
        """A model has left: what is left is looked at anew."""
        self._left = None

    def take(self, level_bytes: int | None, needs: Sequence[Need | None], *, was_unloaded: bool) -> None:
        """Take the newest level, with the need of each loaded model, None where one is not known."""
        if level_bytes is None or self._bare is None:
            return
        self.seen(level_bytes)
        known = [need for need in needs if need is not None]
        if not was_unloaded or len(known) < len(needs):
            return
        above = level_bytes - self._bare
        surely = above - sum(need.most_bytes for need in known)
        at_most = above - sum(need.least_bytes for need in known)
        if self._left is not None:
            surely, at_most = min(self._left[0], surely), min(self._left[1], at_most)
        self._left = (surely, at_most)

    def _residual(self, bare_bytes: int, left_bytes: int) -> Residual:
        return Residual(
            kind=self._kind,
            before_bytes=bare_bytes,
            loaded_bytes=None,
            peak_bytes=self._peak,
            after_bytes=bare_bytes + left_bytes,
        )

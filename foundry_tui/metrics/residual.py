"""What one kind of memory was around a model, and whether it came back."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["MemoryKind", "Residual"]

_KEPT_SHARE = 0.05
_KEPT_BYTES = 16 * (1 << 20)


class MemoryKind(StrEnum):
    """Which memory; the values are those of the results format."""

    RSS = "rss"
    """Resident, pages that are shared included."""
    USS = "uss"
    """What only this process has, and would be free without it."""
    VRAM = "vram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """One kind of memory of the engine's process around one model; None where it was not read.

    Of a recorded run (``leak.residuals``), of a model's stay in this session (``stays.Stay.of``), and of all
    that a process holds (``holding.Held``): one computation for all of them.

    Attributes:
        before_bytes: Before the load.
        loaded_bytes: Just after it.
        peak_bytes: The most over the timed requests.
        after_bytes: After the unload.
    """

    kind: MemoryKind
    before_bytes: int | None
    loaded_bytes: int | None
    peak_bytes: int | None
    after_bytes: int | None

    @property
    def taken_bytes(self) -> int | None:
        """max(loaded, peak) − before; None without one of them, and where nothing was taken."""
        top = max(
            (known for known in (self.loaded_bytes, self.peak_bytes) if known is not None), default=None
        )
        if top is None or self.before_bytes is None or top <= self.before_bytes:
            return None
        return top - self.before_bytes

    @property
    def left_bytes(self) -> int | None:
        """The difference after − before; below 0 where one that was there before has left meanwhile."""
        if self.after_bytes is None or self.before_bytes is None:
            return None
        return self.after_bytes - self.before_bytes

    @property
    def kept_bytes(self) -> int | None:
        """What there is after the unload beyond what there was before the load, at least 0."""
        return None if self.left_bytes is None else max(0, self.left_bytes)

    @property
    def freed_share(self) -> float | None:
        """1 − kept/taken, from 0 to 1."""
        if self.taken_bytes is None or self.kept_bytes is None:
            return None
        return max(0.0, 1 - self.kept_bytes / self.taken_bytes)

    @property
    def is_freed(self) -> bool | None:
        """Whether not more is kept than 5 % of what was taken, or 16 MiB; None where that is unknown."""
        if self.taken_bytes is None or self.kept_bytes is None:
            return None
        return self.kept_bytes <= max(_KEPT_BYTES, _KEPT_SHARE * self.taken_bytes)

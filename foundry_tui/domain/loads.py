"""What loads on this machine took of its memory, kept to know what the next ones will take."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["LoadRecord", "MemoryPlace"]


class MemoryPlace(StrEnum):
    """Which memory is meant."""

    RAM = "RAM"
    GPU = "GPU memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRecord:
    """One load that was measured.

    Attributes:
        at_unix_ms: When it ended.
        runtime: Version of the runtime that loaded it; None if it did not tell.
        file_bytes: What the model's files took on the disk.
        estimated_bytes: What had been expected of the load just before it; None if nothing could be.
        taken_bytes: By how much the memory in use grew.
        is_fresh: Whether nothing had been unloaded in that life of the engine: what an unload leaves behind
            is used again, so that a load after it looks cheaper than it is.
    """

    model_id: str
    at_unix_ms: int
    runtime: str | None
    memory: MemoryPlace
    file_bytes: int
    taken_bytes: int
    estimated_bytes: int | None = None
    is_fresh: bool = True

    def __post_init__(self) -> None:
        if self.file_bytes <= 0 or self.taken_bytes <= 0:
            raise ValueError("a load takes memory, of files that have a size")
        if self.estimated_bytes is not None and self.estimated_bytes <= 0:
            raise ValueError("what was expected of a load is more than nothing")

"""What the loads of this machine teach about the next one, and how good the estimates were."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from foundry_tui.domain.loads import LoadRecord, MemoryPlace

__all__ = ["NOTHING_LEARNED", "EstimateError", "Lessons", "lessons"]

SMALL_BYTES: Final = 32 * 1_048_576
"""Models below tell what the runtime takes for itself, those from here on how often it holds the weights."""
CHECKED_LOADS: Final = 10
"""So many of the last loads say how good the estimate is."""


@dataclass(frozen=True, slots=True)
class EstimateError:
    """How far the estimates of the last loads were from what was measured.

    Attributes:
        loads: How many could be compared, at most ten.
        worst_share: The largest ``|estimated - taken| / taken`` of them; None where there are none.
    """

    loads: int = 0
    worst_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """What is known beyond the rules of thumb, for one model; None where nothing is.

    Attributes:
        load_bytes: What the loads of this very model took here, median.
        loads: How many those were.
        copies: How often the weights are held, ``(taken - own) / files``, median of bigger models.
        own_bytes: What a load takes beside its weights, ``taken - copies × files``, median of small models.
        error: Of the estimates that were made before.
    """

    load_bytes: int | None = None
    loads: int = 0
    copies: float | None = None
    own_bytes: int | None = None
    error: EstimateError = EstimateError()


NOTHING_LEARNED: Final = Lessons()


def lessons(
    records: Sequence[LoadRecord],
    *,
    memory: MemoryPlace,
    runtime: str | None,
    model_id: str,
    file_bytes: int | None,
    copies: float,
    own_bytes: int,
) -> Lessons:
    """Learn from those of the same runtime into the same memory, made in a fresh life of the engine.

    Args:
        records: Oldest first.
        memory: Where the model goes.
        runtime: The version that will load it.
        model_id: Which model it is.
        file_bytes: Of its files; loads of that id with files of another size teach nothing of it.
        copies: The rule of thumb for what is to be learned, as ``own_bytes``.
        own_bytes: Likewise.
    """
    alike = [
        record
        for record in records
        if record.memory is memory and record.runtime == runtime and record.is_fresh
    ]
    own = [
        max(0.0, record.taken_bytes - copies * record.file_bytes)
        for record in alike
        if record.file_bytes < SMALL_BYTES
    ]
    learned_own = round(median(own)) if own else None
    beside = own_bytes if learned_own is None else learned_own
    held = [
        max(0.0, (record.taken_bytes - beside) / record.file_bytes)
        for record in alike
        if record.file_bytes >= SMALL_BYTES
    ]
    same = [
        record.taken_bytes
        for record in alike
        if record.model_id == model_id and record.file_bytes == file_bytes
    ]
    return Lessons(
        load_bytes=round(median(same)) if same else None,
        loads=len(same),
        copies=median(held) if held else None,
        own_bytes=learned_own,
        error=_error(alike),
    )


def _error(alike: Sequence[LoadRecord]) -> EstimateError:
    shares = [
        abs(record.estimated_bytes - record.taken_bytes) / record.taken_bytes
        for record in alike
        if record.estimated_bytes is not None
    ][-CHECKED_LOADS:]
    return EstimateError(loads=len(shares), worst_share=max(shares, default=None))

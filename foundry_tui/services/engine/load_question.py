"""The question before a load that would take too much memory, and what could be done instead."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.fit import Fit, memory_of

__all__ = [
    "InMemory",
    "LoadQuestion",
    "need_words",
    "remedy_words",
    "short_name",
    "smaller_than",
    "to_unload",
]

_NAME_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class InMemory:
    """A model that is loaded.

    Attributes:
        taken_bytes: What its load took; None if it was not measured.
    """

    model_id: str
    taken_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadQuestion:
    """Why a load should not be begun without asking, and what else could be done.

    Attributes:
        fit: Beyond the limit.
        loaded: What else is in the same memory, largest first.
        to_unload: Of those, what would have to go so that the load stays within the limit; all where even
            that does not suffice, none where nothing is loaded.
        smaller: Variants of the same alias that take less, those that are here first.
        shorter: The same for a short conversation, where that would be within the limit.
    """

    model: ModelVariant
    fit: Fit
    loaded: tuple[InMemory, ...] = ()
    to_unload: tuple[InMemory, ...] = ()
    smaller: tuple[ModelVariant, ...] = ()
    shorter: Fit | None = None

    @property
    def words(self) -> str:
        """The question as one sentence without its question mark."""
        fit = self.fit
        of = f"of {bytes_in_words(fit.total_bytes)} of {fit.memory}"
        over = f"{bytes_in_words(fit.over_limit_bytes)} more than the limit of"
        return (
            f"{short_name(self.model.id)} needs about {bytes_in_words(fit.need_bytes)}: then"
            f" {bytes_in_words(fit.used_then_bytes)} {of} would be in use,"
            f" {over} {bytes_in_words(fit.limit_bytes)}"
        )

    @property
    def remedy(self) -> str:
        """What could be done about it."""
        return remedy_words(self.loaded, self.smaller, shorter=self.shorter is not None)


def _size(model: ModelVariant) -> int | None:
    return model.disk_bytes if model.is_cached and model.disk_bytes else model.size_bytes


def to_unload(loaded: Sequence[InMemory], wanted_bytes: int) -> tuple[InMemory, ...]:
    """The smallest one that suffices alone; else the largest, until they suffice together."""
    enough = [one for one in loaded if (one.taken_bytes or 0) >= wanted_bytes]
    if enough:
        return (min(enough, key=lambda one: one.taken_bytes or 0),)
    chosen: list[InMemory] = []
    for one in loaded:
        if sum(each.taken_bytes or 0 for each in chosen) >= wanted_bytes:
            break
        chosen.append(one)
    return tuple(chosen)


def smaller_than(model: ModelVariant, models: Iterable[ModelVariant]) -> tuple[ModelVariant, ...]:
    """Variants of the same alias for the same memory that take less, those that are here first."""
    size = _size(model)
    if size is None:
        return ()
    family = [
        (other, taken)
        for other in models
        if other.alias == model.alias
        and other.unavailable is None
        and other.problem is None
        and memory_of(other.device) is memory_of(model.device)
        and (taken := _size(other)) is not None
        and taken < size
    ]
    return tuple(other for other, _ in sorted(family, key=lambda one: (not one[0].is_cached, -one[1])))


def need_words(found: Fit, needs: int | None) -> str:
    """What of a memory is needed, and what is free of it."""
    if needs is None:
        return f"what it needs of {found.memory} is not known"
    if found.available_bytes is None:
        return f"it needs about {bytes_in_words(needs)} of {found.memory}, and how much is free is not known"
    return (
        f"it needs about {bytes_in_words(needs)} of {found.memory}, and"
        f" {bytes_in_words(found.available_bytes)} are free"
    )


def remedy_words(loaded: Sequence[InMemory], smaller: Sequence[ModelVariant], *, shorter: bool) -> str:
    """What may help, in the order in which one would try it."""
    ways: list[str] = []
    if loaded:
        taken = [
            short_name(one.model_id)
            + ("" if one.taken_bytes is None else f" (its load took {bytes_in_words(one.taken_bytes)})")
            for one in loaded[:3]
        ]
        ways.append(f"unload {', '.join(taken)}")
    ways.append(
        f"choose {short_name(smaller[0].id)}, which is smaller" if smaller else "choose a smaller model"
    )
    if shorter:
        ways.append("have a shorter conversation or a shorter longest answer")
    return ", or ".join([*ways, "close other programs"])


def short_name(model_id: str) -> str:
    """An id that is harmless to show."""
    return clean_line(model_id, _NAME_CHARACTERS)

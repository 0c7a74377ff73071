"""Whether there is room for a model, with the numbers, and what could be removed if there is not."""

from collections.abc import Iterable
from dataclasses import dataclass

from foundry_tui.domain.downloads import Download, Partial
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.domain.text import clean_line

__all__ = [
    "NotEnoughRoom",
    "Preflight",
    "Removable",
    "needed_bytes",
    "preflight",
    "removable",
    "removal_in_words",
]

_NAMED = 3
_NAME_LIMIT = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Removable:
    """Something in the cache that would make room.

    Attributes:
        name: Id of the model; of a partial that tells none, its folder.
        disk_bytes: What it takes.
        is_partial: Whether it is a download that was left in the middle.
    """

    name: str
    disk_bytes: int
    is_partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """The room that a download needs and the room that there is.

    Attributes:
        size_bytes: As the catalog says; None if it does not.
        present_bytes: What is here of it already.
        needed_bytes: ``1.05 * size_bytes - present_bytes``, at least 0; None where the size is not known.
        free_bytes: On the disk of the cache.
        promised_bytes: Of those, what the downloads before it in the queue still need.
        removable: What could make room, the largest first.
    """

    model_id: str
    size_bytes: int | None
    present_bytes: int
    needed_bytes: int | None
    free_bytes: int
    promised_bytes: int = 0
    removable: tuple[Removable, ...] = ()

    @property
    def missing_bytes(self) -> int:
        """How much must be freed first; 0 if it fits, or if nobody knows its size."""
        if self.needed_bytes is None:
            return 0
        return max(0, self.needed_bytes + self.promised_bytes - self.free_bytes)

    @property
    def is_enough(self) -> bool:
        """Whether there is room, as far as anybody can tell."""
        return self.missing_bytes == 0


class NotEnoughRoom(BadInput):
    """There is no room for a model.  Nothing was begun.

    Attributes:
        preflight: The numbers.
    """

    def __init__(self, preflight: Preflight) -> None:
        super().__init__(_in_words(preflight), remedy=removal_in_words(preflight.removable))
        self.preflight = preflight


def needed_bytes(size_bytes: int | None, present_bytes: int) -> int | None:
    """``1.05 * size_bytes - present_bytes``, rounded up, at least 0; None where the size is not known."""
    return None if size_bytes is None else max(0, (size_bytes * 105 + 99) // 100 - present_bytes)


def preflight(
    model_id: str,
    size_bytes: int | None,
    *,
    models: Iterable[ModelVariant],
    partials: Iterable[Partial],
    free_bytes: int,
    before_it: Iterable[Download] = (),
) -> Preflight:
    """Add up what is known.

    Args:
        model_id: Exact variant.
        size_bytes: As the catalog says.
        models: All that are known, for what is in the cache.
        partials: What was left in the middle.
        free_bytes: On the disk of the cache.
        before_it: Entries of the queue that will be fetched before it.
    """
    models, partials = tuple(models), tuple(partials)
    size_bytes = size_bytes if size_bytes is not None and size_bytes > 0 else None
    here = {partial.model_id: partial.disk_bytes for partial in partials}
    here.update({model.id: _disk_bytes(model) for model in models if model.is_cached})
    promised = (needed_bytes(other.size_bytes, here.get(other.model_id, 0)) for other in before_it)
    present_bytes = here.get(model_id, 0)
    return Preflight(
        model_id=model_id,
        size_bytes=size_bytes,
        present_bytes=present_bytes,
        needed_bytes=needed_bytes(size_bytes, present_bytes),
        free_bytes=free_bytes,
        promised_bytes=sum(need or 0 for need in promised),
        removable=removable(models, partials, but={model_id, *(other.model_id for other in before_it)}),
    )


def removable(
    models: Iterable[ModelVariant], partials: Iterable[Partial], *, but: Iterable[str] = ()
) -> tuple[Removable, ...]:
    """What could make room, the largest first: nothing in memory, at work, or of the user's own."""
    kept = set(but)
    cached = (
        Removable(name=model.id, disk_bytes=_disk_bytes(model))
        for model in models
        if model.is_cached
        and not model.is_loaded
        and model.catalog is CatalogKind.PUBLIC
        and model.id not in kept
    )
    left = (
        Removable(name=partial.model_id or partial.path, disk_bytes=partial.disk_bytes, is_partial=True)
        for partial in partials
        if not partial.is_locked and partial.model_id not in kept
    )
    some = (one for one in (*cached, *left) if one.disk_bytes > 0)
    return tuple(sorted(some, key=lambda one: (-one.disk_bytes, one.name)))


def removal_in_words(removable: tuple[Removable, ...]) -> str:
    """What to do about a disk that is full, naming the largest that could go."""
    if not removable:
        return "free some space on that disk, or choose another with --model-cache-dir"
    named = ", ".join(
        f"{clean_line(one.name, _NAME_LIMIT)} ({'partial, ' if one.is_partial else ''}"
        f"{bytes_in_words(one.disk_bytes)})"
        for one in removable[:_NAMED]
    )
    more = len(removable) - _NAMED
    return f"remove what you can spare, such as {named}" + (f" or {more} more" if more > 0 else "")


def _disk_bytes(model: ModelVariant) -> int:
    return model.disk_bytes if model.disk_bytes is not None else model.size_bytes or 0


def _in_words(room: Preflight) -> str:
    promised = (
        f", of which {bytes_in_words(room.promised_bytes)} are for downloads before it"
        if room.promised_bytes
        else ""
    )
    here = f" more ({bytes_in_words(room.present_bytes)} are here)" if room.present_bytes else ""
    return (
        f"no room for {clean_line(room.model_id)}: it needs {bytes_in_words(room.needed_bytes)}{here},"
        f" and {bytes_in_words(room.free_bytes)} are free{promised}"
    )

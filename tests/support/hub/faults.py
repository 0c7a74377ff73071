"""What can go wrong at a hub, and where; set and mended while it runs."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal, TypeAlias, TypeVar

__all__ = [
    "Ailing",
    "CutAt",
    "Delayed",
    "EmptyContainer",
    "Expired",
    "Fault",
    "Faults",
    "Missing",
    "NoRanges",
    "Nonsense",
    "Place",
    "Slow",
    "Stalled",
    "Status",
    "WrongBytes",
    "WrongSize",
]


class Place(StrEnum):
    """The parts of a hub."""

    CATALOG = "catalog"
    REGISTRY = "registry"
    BLOBS = "blobs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """Bodies flow at this rate, all connections that it concerns together.

    Of what the containers answer, this and the other faults of bodies concern the files and not the list.
    """

    bytes_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Delayed:
    """Every answer begins this much later, or (None) not before it is mended."""

    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalled:
    """After so many body bytes, all connections together, no more come until it is mended."""

    after_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CutAt:
    """The connection ends where byte ``at_byte`` of the blob, or of the answer, was to be sent.

    Attributes:
        ending: By RST, or in good order but too early.
        times: How often; None is always.
    """

    at_byte: int = 0
    ending: Literal["reset", "close"] = "reset"
    times: int | None = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Answered with this status in place of what was asked for.

    Attributes:
        retry_after_s: Sent as ``Retry-After``.
        methods: Which requests; a list of a container is ``LIST``.
        times: How often; None is always.
    """

    code: int
    retry_after_s: int | None = None
    methods: tuple[str, ...] = ("POST", "LIST", "HEAD", "GET")
    times: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongBytes:
    """Bytes ``from_byte`` to before ``to_byte`` (None: the end) are zero or have every bit flipped."""

    how: Literal["zeros", "flipped"] = "zeros"
    from_byte: int = 0
    to_byte: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongSize:
    """The list and HEAD say this size; what is sent ends there too, or is filled up with zeros."""

    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The blob is not there: 404, and not in the list unless ``is_listed``."""

    is_listed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyContainer:
    """The list is empty and every blob 404."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """Links are handed out whose time is over, and those handed out before are over too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoRanges:
    """Every GET is answered with 200 and the whole blob."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nonsense:
    """Answered with 200 and these words, whatever was asked."""

    body: bytes
    content_type: str = "application/json; charset=utf-8"


Fault: TypeAlias = (
    Slow
    | Delayed
    | Stalled
    | CutAt
    | Status
    | WrongBytes
    | WrongSize
    | Missing
    | EmptyContainer
    | Expired
    | NoRanges
    | Nonsense
)

_Wanted = TypeVar("_Wanted", bound=Fault)
_EVERY: Final = "*"


@dataclass(slots=True, kw_only=True, eq=False)
class Ailing:
    """A fault in force.

    Attributes:
        model: Id of the variant it concerns, or its name for all its versions; ``*`` is all.
        catalog: Name of the catalog it concerns, where its place is the catalog; ``*`` is all.
        hits: How often it struck.
        sent_bytes: Body bytes that went past it since it was set.
        free_at_s: Loop time from which the next byte may go, for ``Slow``.
        mended: Set when it is taken away.
    """

    fault: Fault
    place: Place
    model: str = _EVERY
    blob: str = _EVERY
    catalog: str = _EVERY
    hits: int = 0
    sent_bytes: int = 0
    free_at_s: float = 0.0
    mended: asyncio.Event = field(default_factory=asyncio.Event)

    def concerns(self, place: Place, *, model: str | None, blob: str | None, catalog: str | None) -> bool:
        """Whether it is about that part of the hub."""
        if self.place is not place:
            return False
        names = {_EVERY, model, model.rpartition(":")[0]} if model is not None else {_EVERY}
        return self.model in names and self.blob in (_EVERY, blob) and self.catalog in (_EVERY, catalog)

    def strikes(self, times: int | None) -> bool:
        """Whether it is to happen once more; it has then been counted."""
        if times is not None and self.hits >= times:
            return False
        self.hits += 1
        return True


class Faults:
    """Those in force, oldest first.  Touched on the hub's event loop only."""

    def __init__(self) -> None:
        self._ailing: list[Ailing] = []

    def add(self, ailing: Ailing) -> None:
        """Bring one into force."""
        self._ailing.append(ailing)

    def mend(self, *, place: Place | None = None, model: str | None = None) -> None:
        """Take away those of a place, those of a model, or (twice None) all; who is held by one goes on."""
        for ailing in list(self._ailing):
            if place in (None, ailing.place) and model in (None, ailing.model):
                self._ailing.remove(ailing)
                ailing.mended.set()

    def at(
        self, place: Place, *, model: str | None = None, blob: str | None = None, catalog: str | None = None
    ) -> Iterator[Ailing]:
        """Those that concern it."""
        for ailing in self._ailing:
            if ailing.concerns(place, model=model, blob=blob, catalog=catalog):
                yield ailing

    def first(
        self,
        kind: type[_Wanted],
        place: Place,
        *,
        model: str | None = None,
        blob: str | None = None,
        catalog: str | None = None,
    ) -> _Wanted | None:
        """The oldest of one kind that concerns it, if any."""
        for ailing in self.at(place, model=model, blob=blob, catalog=catalog):
            if isinstance(ailing.fault, kind):
                return ailing.fault
        return None

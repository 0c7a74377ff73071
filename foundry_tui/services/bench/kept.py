"""The requests of a run up to one moment, which grow without being copied."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import overload

from foundry_tui.domain.bench import Phase, RequestRun

__all__ = ["Kept"]


class Kept(Sequence[RequestRun]):
    """The first so many requests of a list that is only added to; never changes itself.

    A state is made for each request: a tuple would be copied for each, so that a run of twenty thousand
    requests copied two hundred million of them on the loop that measures.

    Attributes:
        timed: How many of them are timed ones.
    """

    __slots__ = ("_all", "_count", "timed")

    def __init__(self, requests: Iterable[RequestRun] = ()) -> None:
        self._all = list(requests)
        self._count = len(self._all)
        self.timed = sum(request.phase is Phase.TIMED for request in self._all)

    def and_then(self, request: RequestRun) -> "Kept":
        """These and one more."""
        grown = Kept.__new__(Kept)
        # Another branch may have grown out of this one already: that alone is worth a copy.
        grown._all = self._all if len(self._all) == self._count else self._all[: self._count]
        grown._all.append(request)
        grown._count = self._count + 1
        grown.timed = self.timed + (request.phase is Phase.TIMED)
        return grown

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[RequestRun]:
        return islice(self._all, self._count)

    @overload
    def __getitem__(self, index: int) -> RequestRun: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[RequestRun, ...]: ...
    def __getitem__(self, index: int | slice) -> RequestRun | tuple[RequestRun, ...]:
        places = range(self._count)[index]
        if isinstance(places, range):
            return tuple(self._all[place] for place in places)
        return self._all[places]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Kept | tuple):
            return NotImplemented
        return len(other) == self._count and all(one == two for one, two in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash((self._count, self.timed))

    def __repr__(self) -> str:
        return f"Kept({self._count} requests)"

"""Servers that run on this machine, as they are found."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from foundry_tui.aio import Feed
from foundry_tui.domain.engine import EndpointKind

__all__ = ["Discovery", "FoundServer", "Neighbours"]


class FoundServer(Protocol):
    """A server that answered."""

    @property
    def url(self) -> str:
        """Base address without ``/v1``."""
        ...

    @property
    def kind(self) -> EndpointKind:
        """What it was recognised as."""
        ...

    @property
    def how(self) -> str:
        """How it was found, in a few words."""
        ...

    @property
    def models(self) -> int | None:
        """How many it lists; None if it did not tell."""
        ...

    @property
    def wants_key(self) -> bool:
        """Whether it tells nothing without a key."""
        ...

    @property
    def software(self) -> str | None:
        """Which program it is, where it says so."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """What was found so far; ``is_looking`` while there may be more."""

    servers: tuple[FoundServer, ...] = ()
    is_looking: bool = False


class Discovery:
    """Looks around when asked, and publishes each server as soon as it has answered.

    Args:
        look: Looks everywhere and tells of each find at once.
        own_url: The address of our own managed service, which is no neighbour.
    """

    def __init__(
        self,
        look: Callable[[Callable[[FoundServer], None]], Awaitable[object]],
        *,
        own_url: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._look = look
        self._own_url = own_url
        self.neighbours: Feed[Neighbours] = Feed(Neighbours())

    async def look(self) -> tuple[FoundServer, ...]:
        """Look anew; what was found before is forgotten.  Whoever cancels it keeps what was found."""
        self.neighbours.publish(Neighbours(is_looking=True))
        try:
            await self._look(self._add)
        finally:
            self.neighbours.publish(replace(self.neighbours.value, is_looking=False))
        return self.neighbours.value.servers

    def _add(self, server: FoundServer) -> None:
        if server.url.replace("//localhost:", "//127.0.0.1:") != self._own_url():
            before = self.neighbours.value
            self.neighbours.publish(replace(before, servers=(*before.servers, server)))

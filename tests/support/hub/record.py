"""What a hub was asked and what it sent, and how to wait for it, from any thread or event loop."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.support.hub.faults import Place
from tests.support.record import Request

__all__ = ["WITHIN_S", "Ending", "Exchange", "Ledger"]

WITHIN_S = 20.0
"""A safety net: what is waited for here comes by an event, not by time."""


class Ending(StrEnum):
    """How an exchange ended."""

    DONE = "done"
    CUT = "cut"
    """By a fault, or because the hub went down."""
    CLIENT_LEFT = "client left"


@dataclass(slots=True, kw_only=True, eq=False)
class Exchange:
    """One request and what became of it; the hub fills it in as it goes.

    Attributes:
        number: From 0, in the order in which they came.
        asks: ``POST``, ``HEAD``, ``GET`` or, for the list of a container, ``LIST``.
        model: Id of the variant it is about; None where it is about none.
        blob: Path within the container.
        catalog: Name of the catalog that was asked.
        byte_range: First and last byte asked for; None asks for all.
        status: None as long as nothing was answered.
        sent_bytes: Of the body, counted as they are given to the kernel, which holds some of them back for a
            client that does not read.
        is_stalled: Whether a fault holds it at this moment.
        ended_ns: Reading of ``perf_counter_ns``.
    """

    number: int
    place: Place
    request: Request
    asks: str
    model: str | None = None
    blob: str | None = None
    catalog: str | None = None
    byte_range: tuple[int, int] | None = None
    status: int | None = None
    sent_bytes: int = 0
    is_stalled: bool = False
    ending: Ending | None = None
    ended_ns: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is still being answered."""
        return self.ending is None


class Ledger:
    """Every exchange so far.  Written on the hub's loop, read and waited on from anywhere."""

    def __init__(self) -> None:
        self._exchanges: list[Exchange] = []
        self._sent: Counter[tuple[str | None, str | None]] = Counter()
        self._changed = threading.Condition()
        self._wakers: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    @property
    def exchanges(self) -> list[Exchange]:
        """All of them, in the order in which they came; a copy."""
        return list(self._exchanges)

    def sent_bytes(self, model: str, blob: str | None = None) -> int:
        """Body bytes of the model's blobs, or of that one, that have gone so far."""
        return sum(
            count
            for (sent_model, sent_blob), count in list(self._sent.items())
            if sent_model == model and blob in (None, sent_blob) and sent_blob is not None
        )

    def open(self, place: Place, request: Request, asks: str) -> Exchange:
        """Enter a request that has come."""
        exchange = Exchange(number=len(self._exchanges), place=place, request=request, asks=asks)
        self._exchanges.append(exchange)
        self.notify()
        return exchange

    def note_sent(self, exchange: Exchange, count: int) -> None:
        """Enter body bytes that have gone."""
        exchange.sent_bytes += count
        self._sent[exchange.model, exchange.blob] += count
        self.notify()

    def note_stall(self, exchange: Exchange, is_stalled: bool) -> None:
        """Enter that a fault holds it, or no longer does."""
        exchange.is_stalled = is_stalled
        self.notify()

    def close(self, exchange: Exchange, ending: Ending) -> None:
        """Enter its end."""
        exchange.ending, exchange.ended_ns = ending, time.perf_counter_ns()
        exchange.is_stalled = False
        self.notify()

    def notify(self) -> None:
        """Wake everybody who waits."""
        with self._changed:
            self._changed.notify_all()
            wakers = list(self._wakers)
        for loop, event in wakers:
            # A loop that was closed while its waiter stood here wants no waking.
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    async def until(self, holds: Callable[[], object], *, within_s: float = WITHIN_S) -> None:
        """Return as soon as ``holds()`` is true; it is asked on the caller's loop after each change.

        Raises:
            TimeoutError: It was still false after ``within_s``.
        """
        waker = (asyncio.get_running_loop(), asyncio.Event())
        with self._changed:
            self._wakers.append(waker)
        try:
            async with asyncio.timeout(within_s):
                while not holds():
                    await waker[1].wait()
                    waker[1].clear()
        finally:
            with self._changed:
                self._wakers.remove(waker)

    def wait_until(self, holds: Callable[[], object], *, within_s: float = WITHIN_S) -> None:
        """``until`` for a caller without an event loop.

        Raises:
            TimeoutError: It was still false after ``within_s``.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: bool(holds()), timeout=within_s):
                raise TimeoutError(f"not within {within_s:g} s")

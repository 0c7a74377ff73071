"""Sends one answer through whatever faults concern it."""

import asyncio
from collections.abc import Iterator, Sequence

from tests.support.hub.connection import Cut, Reply
from tests.support.hub.content import Content, Inline
from tests.support.hub.faults import (
    Ailing,
    CutAt,
    Delayed,
    Faults,
    Nonsense,
    Slow,
    Stalled,
    Status,
    WrongBytes,
)
from tests.support.hub.record import Exchange, Ledger

__all__ = ["Answering"]

_PIECE_BYTES = 1 << 16
# A slow body comes in pieces of this duration, so that it flows and does not drip.
_PIECE_S = 0.05
_FLIP = bytes(255 - byte for byte in range(256))


class Answering:
    """The way out for one exchange: its head and body, late, slow, broken or as they should be."""

    def __init__(self, exchange: Exchange, reply: Reply, faults: Faults, ledger: Ledger) -> None:
        self._exchange = exchange
        self._reply = reply
        self._faults = faults
        self._ledger = ledger

    async def is_preempted(self) -> bool:
        """Whether a fault has already answered in place of what was asked for; delays are served first."""
        for ailing in list(self._ailing()):
            match ailing.fault:
                case Delayed(seconds=seconds):
                    await self._held(ailing, seconds)
                case Status() as refusal if self._exchange.asks in refusal.methods:
                    if ailing.strikes(refusal.times):
                        await self._refuse(refusal)
                        return True
                case Nonsense(body=body, content_type=content_type):
                    ailing.strikes(None)
                    await self.whole(200, content_type, body)
                    return True
        return False

    async def whole(
        self, status: int, content_type: str, body: bytes, headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Answer with ``body``."""
        await self.part(status, [("Content-Type", content_type), *headers], Inline(body), 0, len(body))

    async def part(
        self, status: int, headers: Sequence[tuple[str, str]], content: Content, offset: int, length: int
    ) -> None:
        """Answer with ``length`` bytes of ``content`` from ``offset``.

        Raises:
            Cut: A fault ends the connection here.
        """
        self._exchange.status = status
        self._ledger.notify()
        await self._reply.head(status, headers, length)
        if self._exchange.request.method == "HEAD":
            return
        at, end = offset, offset + length
        while at < end:
            size = min(_PIECE_BYTES, end - at)
            is_file_or_talk = self._exchange.asks != "LIST" and status < 300
            if is_file_or_talk and (size := await self._room(at, size)) == 0:
                continue
            data = content.read(at, size).ljust(size, b"\0")
            if is_file_or_talk:
                data = self._spoilt(data, at)
            # Before they go: who has read them finds them in the record.
            self._ledger.note_sent(self._exchange, size)
            await self._reply.body(data)
            at += size

    async def _room(self, at: int, size: int) -> int:
        """How many of the next ``size`` bytes may go now, after waiting for what slows them down.

        0 asks again: something held it meanwhile, and what is in force may have changed.
        """
        ailing = list(self._ailing())
        pace: list[Ailing] = []
        held: list[Ailing] = []
        for one in ailing:
            match one.fault:
                case Stalled(after_bytes=after_bytes):
                    if one.sent_bytes >= after_bytes:
                        await self._held(one, None)
                        return 0
                    size = min(size, after_bytes - one.sent_bytes)
                    held.append(one)
                case CutAt(at_byte=at_byte, ending=ending, times=times) if at <= at_byte < at + size:
                    if at_byte > at and (times is None or one.hits < times):
                        size = at_byte - at
                    elif at_byte == at and one.strikes(times):
                        raise Cut(is_reset=ending == "reset")
                case Slow(bytes_per_s=bytes_per_s):
                    size = min(size, max(1, int(bytes_per_s * _PIECE_S)))
                    pace.append(one)
        for one in held:
            # Counted before it goes: another connection must not take the same room.
            one.sent_bytes += size
        for one in pace:
            await self._paced(one, size)
        return size

    async def _paced(self, ailing: Ailing, size: int) -> None:
        if not isinstance(ailing.fault, Slow):
            return
        now_s = asyncio.get_running_loop().time()
        starts_s = max(now_s, ailing.free_at_s)
        ailing.free_at_s = starts_s + size / ailing.fault.bytes_per_s
        await self._held(ailing, ailing.free_at_s - now_s, is_stall=False)

    async def _held(self, ailing: Ailing, seconds: float | None, *, is_stall: bool = True) -> None:
        """Wait so long (None: without end), or until the fault is mended."""
        if is_stall:
            self._ledger.note_stall(self._exchange, True)
        try:
            async with asyncio.timeout(seconds):
                await ailing.mended.wait()
        except TimeoutError:
            return
        finally:
            if is_stall:
                self._ledger.note_stall(self._exchange, False)

    async def _refuse(self, refusal: Status) -> None:
        headers = [] if refusal.retry_after_s is None else [("Retry-After", str(refusal.retry_after_s))]
        body = b'{"error":{"code":"Injected","message":"the hub was told to refuse this"}}'
        await self.whole(refusal.code, "application/json", body, headers)

    def _spoilt(self, data: bytes, at: int) -> bytes:
        for one in self._ailing():
            match one.fault:
                case WrongBytes(how=how, from_byte=from_byte, to_byte=to_byte):
                    first = max(0, from_byte - at)
                    last = len(data) if to_byte is None else min(len(data), to_byte - at)
                    if first < last:
                        wrong = data[first:last].translate(_FLIP) if how == "flipped" else bytes(last - first)
                        data = data[:first] + wrong + data[last:]
                        one.hits += 1
        return data

    def _ailing(self) -> Iterator[Ailing]:
        exchange = self._exchange
        return self._faults.at(
            exchange.place, model=exchange.model, blob=exchange.blob, catalog=exchange.catalog
        )

"""One connection to a hub: reads requests, writes answers, can be broken off at any byte."""

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Iterable

from tests.support.record import Request
from tests.support.wire import response_head, take_request

__all__ = ["Connection", "Cut", "Reply"]

# On, with no time to linger: closing the socket sends RST in place of FIN.
_LINGER_NOT_AT_ALL = struct.pack("hh" if hasattr(socket, "SO_EXCLUSIVEADDRUSE") else "ii", 1, 0)
# What the kernel keeps for a client that does not read: the record is to be near the truth.
_SEND_BUFFER_BYTES = 1 << 17


class Cut(Exception):
    """The connection is to end here."""

    def __init__(self, *, is_reset: bool) -> None:
        super().__init__()
        self.is_reset = is_reset


class Reply:
    """The way to answer one request: the head once, then as much body as it says."""

    def __init__(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        self._write = write

    async def head(self, status: int, headers: Iterable[tuple[str, str]], length: int) -> None:
        """Write the status and the headers; ``length`` body bytes are to follow, none after HEAD."""
        await self._write(response_head(status, (*headers, ("Content-Length", str(length)))))

    async def body(self, data: bytes) -> None:
        """Write a part of the body; returns when the kernel has it."""
        await self._write(data)


class Connection(asyncio.Protocol):
    """Serves one client, one request after the other, until either side leaves.

    Args:
        serve: Answers one request; may raise ``Cut``.  It is cancelled when the client leaves.
        gone: Told once the connection is lost.
    """

    def __init__(
        self,
        number: int,
        serve: Callable[[Request, Reply], Awaitable[None]],
        gone: "Callable[[Connection], None]",
    ) -> None:
        self._number = number
        self._serve_one = serve
        self._gone = gone
        self._buffer = bytearray()
        self._requests: asyncio.Queue[Request | None] = asyncio.Queue()  # None: hang up
        self._drained = asyncio.Event()
        self._drained.set()
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._sock: socket.socket | None = None
        self._is_dropped = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._is_dropped:
            self.reset()
            return
        # Nothing may wait in a buffer of ours while the record says that it was sent.  Not 0: asyncio's TLS
        # pauses at the limit, not above it, and with 0 would at times never go on.
        transport.set_write_buffer_limits(high=1, low=0)
        # Kept, because a TLS transport that closes no longer knows it.
        sock: socket.socket = transport.get_extra_info("socket")
        self._sock = sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        # Owned by this connection, which cancels it when it is lost.
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._serve(transport), name=f"hub {self._number}")

    def data_received(self, data: bytes) -> None:
        at_ns = time.perf_counter_ns()
        self._buffer += data
        try:
            while request := take_request(self._buffer, at_ns=at_ns, connection=self._number):
                self._requests.put_nowait(request)
        except ValueError:
            self._requests.put_nowait(None)

    def eof_received(self) -> None:
        self._requests.put_nowait(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._task is not None:
            self._task.cancel()
        self._gone(self)

    def pause_writing(self) -> None:
        self._drained.clear()

    def resume_writing(self) -> None:
        self._drained.set()

    def reset(self) -> None:
        """Drop it at once, by RST."""
        self._is_dropped = True
        if self._transport is not None:  # else it is still agreeing on a cipher
            if self._sock is not None and self._sock.fileno() >= 0:
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT_AT_ALL)
            self._transport.abort()

    async def ended(self) -> None:
        """Wait until nothing works for it any more.

        Raises:
            Exception: Whatever went wrong while it was served: a mistake in the hub.
        """
        if self._task is not None:
            await asyncio.wait([self._task])
            if not self._task.cancelled() and (error := self._task.exception()) is not None:
                raise error

    async def _serve(self, transport: asyncio.Transport) -> None:
        async def write(data: bytes) -> None:
            if transport.is_closing():
                await asyncio.Event().wait()  # the client is gone: ``connection_lost`` is about to cancel us
            transport.write(data)
            await self._drained.wait()

        try:
            while (request := await self._requests.get()) is not None:
                await self._serve_one(request, Reply(write))
                if request.headers.get("connection", "").lower() == "close":
                    break
        except Cut as cut:
            if cut.is_reset:
                self.reset()
        finally:
            if not transport.is_closing():
                transport.close()

"""One connection of a scripted endpoint: reads requests and has a script played for each."""

import asyncio
import socket
import struct
import time
from collections.abc import Callable

from tests.support.player import Player, Reply
from tests.support.record import Record, Request
from tests.support.script import CleanEnd, Hangup, Reset, Step
from tests.support.wire import take_request

__all__ = ["Connection"]

# On, with no time to linger: closing the socket sends RST in place of FIN.
LINGER_NOT_AT_ALL = struct.pack("hh" if hasattr(socket, "SO_EXCLUSIVEADDRUSE") else "ii", 1, 0)


class Connection(asyncio.Protocol):
    """Serves one client, one request after the other, until either side leaves.

    A client that closes even its sending half counts as gone.  The endpoint that made the connection
    closes it with ``aclose``.
    """

    def __init__(self, record: Record, reply_to: Callable[[Request], Reply], *, nodelay: bool) -> None:
        self._record = record
        self._reply_to = reply_to
        self._nodelay = nodelay
        self._number = record.connections
        self._buffer = bytearray()
        self._requests: asyncio.Queue[Request | None] = asyncio.Queue()  # None: not HTTP; hang up
        self._drained = asyncio.Event()
        self._drained.set()
        self._made = asyncio.Event()
        self._closed = asyncio.Event()
        self._is_playing = False
        record.connections += 1
        record.notify()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # Nothing may wait in a buffer of ours while the log says that it was written.
        transport.set_write_buffer_limits(high=0)
        self._socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, int(self._nodelay))
        # A bare task and no TaskGroup, which would wrap the test's own failure; ``aclose`` awaits it.
        self._task = asyncio.create_task(self._serve(), name=f"connection {self._number}")
        self._made.set()

    def data_received(self, data: bytes) -> None:
        at_ns = time.perf_counter_ns()
        self._buffer += data
        try:
            while request := take_request(self._buffer, at_ns=at_ns, connection=self._number):
                self._requests.put_nowait(request)
        except ValueError:
            self._requests.put_nowait(None)

    def eof_received(self) -> None:
        if self._is_playing:
            self._note_departure()
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._note_departure()
        self._task.cancel()
        self._closed.set()

    def pause_writing(self) -> None:
        self._drained.clear()

    def resume_writing(self) -> None:
        self._drained.set()

    async def aclose(self) -> None:
        """Drop the connection, whatever it is doing.

        Raises:
            Exception: Whatever went wrong while a script was chosen or played.
        """
        await self._made.wait()
        self._end_playing()  # it is we who leave
        self._transport.abort()
        await self._closed.wait()
        await asyncio.wait([self._task])
        if not self._task.cancelled() and (error := self._task.exception()) is not None:
            raise error

    def _socket(self) -> socket.socket:
        sock: socket.socket = self._transport.get_extra_info("socket")
        return sock

    def _note_departure(self) -> None:
        if self._is_playing:
            self._record.disconnects.append(time.perf_counter_ns())
            self._end_playing()

    def _end_playing(self) -> None:
        if self._is_playing:
            self._is_playing = False
            self._record.open_streams -= 1
            self._record.notify()

    async def _serve(self) -> None:
        try:
            is_kept = True
            while is_kept and (request := await self._requests.get()) is not None:
                match await self._answer(request):
                    case Reset():
                        option = (socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT_AT_ALL)
                        self._socket().setsockopt(*option)
                        self._transport.abort()
                        return
                    case CleanEnd() | Hangup():
                        return
                    case _:
                        is_kept = request.headers.get("connection", "").lower() != "close"
        finally:
            self._transport.close()

    async def _answer(self, request: Request) -> Step:
        """Play the script for ``request``; its last step says what becomes of the connection."""
        reply = self._reply_to(request)
        self._is_playing = True
        self._record.open_streams += 1
        self._record.notify()
        try:
            await Player(request, reply, self._record, self._write).play()
        finally:
            self._end_playing()
        return reply.script.steps[-1]

    async def _write(self, data: bytes) -> int:
        await self._drained.wait()
        if self._transport.is_closing():
            await asyncio.Event().wait()  # the client is gone: ``connection_lost`` is about to cancel us
        at_ns = time.perf_counter_ns()
        self._transport.write(data)
        return at_ns

"""Sockets that know when their bytes came: the network stream below the HTTP library.

On asyncio's own protocols: a stamp is taken in the callback that hands the bytes over, before anybody waits
for them, and a token costs fewer turns of the loop than through a portable stream.  Where the kernel tells
its own moment of a packet (``kernel_stamps``), that is the stamp.
"""

import asyncio
import collections
import re
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore2

from foundry_tui.engines.streaming.kernel_stamps import KernelClock, PacketSocket, taken_over

__all__ = ["HAS_QUICK_ACK", "StampedStream", "StampingBackend"]

# Linux only.  Without it the kernel delays our acknowledgements by 40 ms, and a server that writes small
# pieces without TCP_NODELAY, as the Foundry Local web service does, waits for each of them.
HAS_QUICK_ACK = hasattr(socket, "TCP_QUICKACK")

_PAUSE_BYTES = 1 << 20
_READ_BYTES = 1 << 18
# A chunk's length, which the Foundry Local web service sends in a packet of its own before the chunk: nobody
# can do anything with it alone.
_CHUNK_LENGTH = re.compile(rb"(?:\r\n)?[0-9A-Fa-f]{1,8}\r\n")
_HOLD_S = 0.005


class _Receiver(asyncio.Protocol):
    """Keeps what arrives, each piece with its stamp, until it is read.

    Args:
        packets: The transport's socket, if it knows when its packets came.
    """

    def __init__(self, packets: PacketSocket | None = None) -> None:
        self.pieces: collections.deque[tuple[bytes, int]] = collections.deque()
        self.is_ended = False
        self.error: Exception | None = None
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._held = b""
        self._release: asyncio.TimerHandle | None = None
        self._kept_bytes = 0
        self._packets = packets
        self._newest_ns = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            # A write is done when the kernel has all of it: the stamp of "sent" hangs on that.
            transport.set_write_buffer_limits(high=0)
        self._socket = (self._packets or transport.get_extra_info("socket")) if HAS_QUICK_ACK else None
        self.acknowledge_at_once()

    def data_received(self, data: bytes) -> None:
        at_ns = self._stamp_ns()
        self.acknowledge_at_once()
        if self._held:
            data, self._held = self._held + data, b""
        elif len(data) <= 12 and not self.pieces and _CHUNK_LENGTH.fullmatch(data):
            more = self._read_at_once()
            if not more:
                self._held = data
                loop = asyncio.get_running_loop()
                self._release = loop.call_later(_HOLD_S, self._let_go, at_ns)
                return
            data, at_ns = data + more, self._stamp_ns()
            self.acknowledge_at_once()
        if self._release is not None:
            self._release.cancel()
            self._release = None
        self._keep(data, at_ns)

    def _stamp_ns(self) -> int:
        """When what was just read had come in."""
        at_ns = None if self._packets is None else self._packets.arrived_ns
        if at_ns is None:
            at_ns = time.perf_counter_ns()
        # Never before what came, or was sent, before it: the kernel's stamp may follow on one of our own.
        self._newest_ns = max(self._newest_ns, at_ns)
        return self._newest_ns

    def _read_at_once(self) -> bytes:
        """What our acknowledgement has let the server send: on one machine it is here before we are back.

        That spares the model, which needs every processor, another turn of this loop for each token.
        """
        if self._packets is None:
            return b""
        try:
            return self._packets.recv(_READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError as error:  # the kernel tells it once: the transport will meet an end like any other
            self.error = error
            return b""

    def eof_received(self) -> None:
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def pause_writing(self) -> None:
        self._drained = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    def acknowledge_at_once(self) -> None:
        """Spare the sender the wait; the kernel forgets this by itself, so it is said again and again."""
        if self._socket is not None:
            try:
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            except OSError:
                self._socket = None  # closed under us, or not TCP

    def sent(self, at_ns: int) -> None:
        """Stamp nothing that is read from now on before ``at_ns``."""
        self._newest_ns = max(self._newest_ns, at_ns)

    async def arrived(self) -> None:
        """Wait until there is something to read, or the end."""
        while not self.pieces and not self.is_ended:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    async def drained(self) -> None:
        """Wait until the kernel takes more."""
        if self._drained is not None:
            await self._drained

    def take(self, max_bytes: int) -> tuple[bytes, int]:
        """The next piece and its stamp; a part of it if it is longer than ``max_bytes``."""
        data, at_ns = self.pieces.popleft()
        if len(data) > max_bytes:
            self.pieces.appendleft((data[max_bytes:], at_ns))
            data = data[:max_bytes]
        self._kept_bytes -= len(data)
        if self._transport is not None and self._kept_bytes < _PAUSE_BYTES // 2 and not self.is_ended:
            self._transport.resume_reading()
        return data, at_ns

    def _let_go(self, at_ns: int) -> None:
        self._release = None
        data, self._held = self._held, b""
        if data:
            self._keep(data, at_ns)

    def _keep(self, data: bytes, at_ns: int) -> None:
        self.pieces.append((data, at_ns))
        self._kept_bytes += len(data)
        if self._kept_bytes > _PAUSE_BYTES and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def _end(self, error: Exception | None) -> None:
        self._let_go(time.perf_counter_ns())
        self.is_ended = True
        self.error = self.error or error
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class StampedStream(httpcore2.AsyncNetworkStream):
    """A connection that remembers when the bytes last read arrived, and when its last write was done.

    Attributes:
        last_read_ns: Arrival of what the newest read returned.
        last_write_ns: The newest write had left, or the kernel had all of it.
        reads: Number of the newest read.

    Args:
        packets: The transport's socket, if it knows when its packets came and left.
    """

    def __init__(
        self, transport: asyncio.Transport, receiver: _Receiver, packets: PacketSocket | None = None
    ) -> None:
        self._transport = transport
        self._receiver = receiver
        self._packets = packets
        self._sent_bytes = 0
        self.last_read_ns = 0
        self.last_write_ns = 0
        self.reads = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has arrived, waiting for it if need be; empty at the end."""
        receiver = self._receiver
        if not receiver.pieces and not receiver.is_ended:
            # None always in a stream, whose waits are limited above: no timer for each piece.
            if timeout is None:
                await receiver.arrived()
            else:
                await self._arrived_within(timeout)
        if receiver.pieces:
            data, self.last_read_ns = receiver.take(max_bytes)
            self.reads += 1
            return data
        if receiver.error is not None:
            raise httpcore2.ReadError(str(receiver.error)) from receiver.error
        self.last_read_ns = time.perf_counter_ns()
        return b""

    async def _arrived_within(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._receiver.arrived()
        except TimeoutError as error:
            raise httpcore2.ReadTimeout("no data in time") from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Hand all of ``buffer`` to the kernel."""
        if self._transport.is_closing() or self._receiver.error is not None:
            raise httpcore2.WriteError(str(self._receiver.error or "the connection is closed"))
        if not buffer:
            return  # the HTTP library ends each request so; nothing leaves, and the body's stamp stands
        self._receiver.acknowledge_at_once()
        self._sent_bytes += len(buffer)
        begun_ns = time.perf_counter_ns()
        self._transport.write(buffer)
        try:
            async with asyncio.timeout(timeout):
                await self._receiver.drained()
        except TimeoutError as error:
            raise httpcore2.WriteTimeout("the server takes no data") from error
        done_ns = time.perf_counter_ns()
        left_ns = None if self._packets is None else self._packets.departed_ns(self._sent_bytes)
        # The server may have run on our core before we could note that the call was done.
        is_sound = left_ns is not None and begun_ns <= left_ns <= done_ns
        self.last_write_ns = left_ns if left_ns is not None and is_sound else done_ns
        self._receiver.sent(self.last_write_ns)

    async def aclose(self) -> None:
        """Close the connection."""
        self._transport.close()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        """The same connection, encrypted; stamps are then of decrypted bytes, by our own clock."""
        if self._packets is not None:
            self._packets.leave_unstamped()
        receiver = _Receiver()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                secure = await loop.start_tls(
                    self._transport, receiver, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError as error:
            self._transport.abort()
            raise httpcore2.ConnectTimeout("no TLS handshake in time") from error
        except (OSError, ssl.SSLError) as error:
            self._transport.abort()
            raise httpcore2.ConnectError(str(error)) from error
        if secure is None:
            raise httpcore2.ConnectError("the connection was closed before it was encrypted")
        receiver.connection_made(secure)
        return StampedStream(secure, receiver)

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return bool(self._receiver.pieces) or self._receiver.is_ended
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._transport.get_extra_info(names.get(info, info))


class _NotYetReading(asyncio.Protocol):
    """Holds a new connection until it is known how it is read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            transport.pause_reading()


class StampingBackend(httpcore2.AsyncNetworkBackend):
    """Connects by TCP."""

    def __init__(self) -> None:
        self._clock = KernelClock()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to ``host``, by whichever of its addresses answers first."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                transport, _ = await loop.create_connection(
                    _NotYetReading, host, port, happy_eyeballs_delay=0.25
                )
                packets = taken_over(transport, self._clock)
                if packets is not None:
                    transport, receiver = await loop.create_connection(
                        lambda: _Receiver(packets), sock=packets
                    )
                    return StampedStream(transport, receiver, packets)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(f"no connection to {host}:{port} in time") from error
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        receiver = _Receiver()
        transport.set_protocol(receiver)
        receiver.connection_made(transport)
        transport.resume_reading()
        return StampedStream(transport, receiver)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

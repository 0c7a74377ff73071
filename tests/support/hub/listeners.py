"""Ports of a hub that can go away and come back under the same number."""

import asyncio
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tests.support.hub.connection import Connection, Reply
from tests.support.record import Request

__all__ = ["Listener"]

_BACKLOG = 1024


class Listener:
    """One port on 127.0.0.1.  Its number is its own from ``bind`` to ``aclose``, also while it is down.

    It accepts by itself: what ``asyncio.Server`` has accepted at the moment of its end is left hanging.  Its
    loop must therefore be one with ``add_reader``.

    Attributes:
        port: Known once it is bound.
    """

    def __init__(
        self,
        serve: Callable[[Request, Reply], Awaitable[None]],
        *,
        port: int = 0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._serve = serve
        self._context = context
        self._sock: socket.socket | None = None
        self._is_up = False
        self._connections: list[Connection] = []
        self._live: set[Connection] = set()
        self._welcomes: dict[asyncio.Task[None], socket.socket] = {}
        self.port = port

    def bind(self) -> None:
        """Take the port, without listening: connections are refused.

        Raises:
            OSError: Somebody else has it.
        """
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            if sys.platform != "win32":  # there it would let two servers have one port
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", self.port))
        except BaseException:
            sock.close()
            raise
        self._sock = sock
        self.port = sock.getsockname()[1]

    async def up(self) -> None:
        """Accept connections."""
        if not self._is_up and self._sock is not None:
            self._is_up = True
            self._sock.listen(_BACKLOG)
            asyncio.get_running_loop().add_reader(self._sock, self._accept, self._sock)

    async def down(self) -> None:
        """Refuse connections and reset those that there are."""
        if self._is_up:
            self._close()
            # The port stays ours, so that nobody takes it before we are back.
            self.bind()
            self.drop()

    def drop(self) -> None:
        """Reset every connection that there is; new ones are accepted."""
        for connection in list(self._live):
            connection.reset()
        for sock in self._welcomes.values():
            with suppress(OSError):  # its client has left already
                sock.shutdown(socket.SHUT_RDWR)

    async def aclose(self) -> list[Exception]:
        """Give the port back; what went wrong on any connection."""
        self._close()
        self.drop()
        if self._welcomes:
            await asyncio.wait(list(self._welcomes))
        errors: list[Exception] = []
        for connection in self._connections:
            try:
                await connection.ended()
            except Exception as error:  # noqa: BLE001 - the others must be waited for too; it is handed back
                errors.append(error)
        return errors

    def _close(self) -> None:
        if self._sock is not None:
            if self._is_up:
                asyncio.get_running_loop().remove_reader(self._sock)
            self._sock.close()
        self._sock, self._is_up = None, False

    def _accept(self, listening: socket.socket) -> None:
        with suppress(BlockingIOError, ConnectionAbortedError):
            while True:
                sock, _ = listening.accept()
                sock.setblocking(False)
                # Owned by this listener, which waits for it when it closes.
                task = asyncio.get_running_loop().create_task(self._welcome(sock))
                self._welcomes[task] = sock
                task.add_done_callback(self._welcomes.pop)

    async def _welcome(self, sock: socket.socket) -> None:
        connection = Connection(len(self._connections), self._serve, self._live.discard)
        self._connections.append(connection)
        self._live.add(connection)
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(lambda: connection, sock, ssl=self._context)
        except OSError:
            # It left before the two had agreed on a cipher: a client that does not trust us does.
            self._live.discard(connection)

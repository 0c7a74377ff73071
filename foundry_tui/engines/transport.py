"""The HTTP transport in which the clock is read: below the parser, as close to the socket as Python gets.

Stamps are taken when a socket read or write returns, before HTTP, SSE or JSON are looked at
(docs/measuring.md).  Events that share a read carry its number, so that merging shows.
"""

import socket
import time
import urllib.request
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

import httpcore2
import httpx2

__all__ = ["HAS_QUICK_ACK", "ResponseWatch", "StampingTransport", "is_loopback", "watch_of"]

# Linux only.  Without it the kernel delays our acknowledgements by 40 ms, and a server that writes small
# pieces without TCP_NODELAY, as the Foundry Local web service does, waits for each of them.
HAS_QUICK_ACK = hasattr(socket, "TCP_QUICKACK")

_WATCH = "foundry_tui.watch"


class StampedStream(httpcore2.AsyncNetworkStream):
    """A connection that remembers when its last read and write returned."""

    def __init__(self, inner: httpcore2.AsyncNetworkStream) -> None:
        self._inner = inner
        # Asked for once: the lookup costs more than the stamp.
        self._socket = inner.get_extra_info("socket") if HAS_QUICK_ACK else None
        self.last_read_ns = 0
        self.last_write_ns = 0
        self.reads = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read once; the stamp is taken before anything else happens."""
        data = await self._inner.read(max_bytes, timeout)
        self.last_read_ns = time.perf_counter_ns()
        self.reads += 1
        self._acknowledge_at_once()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of ``buffer``."""
        self._acknowledge_at_once()
        await self._inner.write(buffer, timeout)
        self.last_write_ns = time.perf_counter_ns()

    async def aclose(self) -> None:
        """Close the connection."""
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        """The same connection, encrypted; stamps are then of decrypted bytes."""
        return StampedStream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def _acknowledge_at_once(self) -> None:
        # The kernel falls back to delaying by itself, so this is said again around every wait.
        if self._socket is not None:
            try:
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            except OSError:
                return  # closed under us, or not TCP: the read or write itself will say so


class _StampingBackend(httpcore2.AsyncNetworkBackend):
    def __init__(self) -> None:
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        return StampedStream(
            await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        )

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class ResponseWatch:
    """What the transport knows of one response, up to date at every event read from it.

    Attributes:
        sent_ns: The request's last write returned.
        headers_ns: The read that completed the response headers returned.
    """

    def __init__(self, stream: StampedStream) -> None:
        self._stream = stream
        self.sent_ns = stream.last_write_ns
        self.headers_ns = stream.last_read_ns

    @property
    def last_read_ns(self) -> int:
        """When the read that holds the newest event returned."""
        return self._stream.last_read_ns

    @property
    def reads(self) -> int:
        """Number of that read on its connection."""
        return self._stream.reads


def watch_of(response: httpx2.Response) -> ResponseWatch:
    """The watch that ``StampingTransport`` put on ``response``."""
    watch = response.extensions[_WATCH]
    if not isinstance(watch, ResponseWatch):
        raise TypeError("the response did not come through a StampingTransport")
    return watch


@runtime_checkable
class _Closable(Protocol):
    async def aclose(self) -> None: ...


class _Body(httpx2.AsyncByteStream):
    def __init__(self, inner: AsyncIterable[bytes]) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for data in self._inner:
                yield data

    async def aclose(self) -> None:
        with _as_httpx():
            if isinstance(self._inner, _Closable):
                await self._inner.aclose()


class StampingTransport(httpx2.AsyncBaseTransport):
    """An HTTP/1.1 transport that stamps; one proxy at most, never for loopback."""

    def __init__(self, base_url: str) -> None:
        proxy = proxy_for(base_url)
        options: dict[str, Any] = {
            "ssl_context": httpx2.create_ssl_context(),
            "max_connections": 64,
            "keepalive_expiry": 60.0,
            "network_backend": _StampingBackend(),
        }
        if proxy is None:
            self._pool: httpcore2.AsyncConnectionPool = httpcore2.AsyncConnectionPool(**options)
        else:
            url = httpx2.URL(proxy)
            login = (url.username, url.password) if url.username else None
            bare = str(url.copy_with(username=None, password=None))
            self._pool = httpcore2.AsyncHTTPProxy(bare, proxy_auth=login, **options)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send ``request``; the response's extensions hold its ``ResponseWatch``."""
        with _as_httpx(request):
            response = await self._pool.handle_async_request(
                httpcore2.Request(
                    method=request.method,
                    url=httpcore2.URL(
                        scheme=request.url.raw_scheme,
                        host=request.url.raw_host,
                        port=request.url.port,
                        target=request.url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        stream = response.extensions["network_stream"]
        if not isinstance(stream, StampedStream):
            raise TypeError("the connection did not come from the stamping backend")
        watch = ResponseWatch(stream)
        body = response.stream
        if not isinstance(body, AsyncIterable):
            raise TypeError("the connection pool gave no asynchronous body")
        return httpx2.Response(
            response.status,
            headers=response.headers,
            stream=_Body(body),
            extensions={**response.extensions, _WATCH: watch},
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


def is_loopback(url: str) -> bool:
    """Whether ``url`` names this machine by a loopback address or as localhost."""
    host = httpx2.URL(url).host
    return host == "localhost" or host.startswith("127.") or host == "::1"


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for ``url``; None for loopback and where it is bypassed."""
    parsed = httpx2.URL(url)
    if is_loopback(url) or urllib.request.proxy_bypass(parsed.host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(parsed.scheme) or proxies.get("all")


@contextmanager
def _as_httpx(request: httpx2.Request | None = None) -> Iterator[None]:
    """Errors of the lower library as those of the upper one, which the client knows; the names agree."""
    try:
        yield
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise _httpx_error(error, request) from error
    except (httpcore2.ProxyError, httpcore2.UnsupportedProtocol) as error:
        raise _httpx_error(error, request) from error


def _httpx_error(error: Exception, request: httpx2.Request | None) -> httpx2.TransportError:
    for cls in type(error).__mro__:
        counterpart = getattr(httpx2, cls.__name__, None)
        if isinstance(counterpart, type) and issubclass(counterpart, httpx2.TransportError):
            return counterpart(str(error), request=request)
    return httpx2.TransportError(str(error), request=request)

"""HTTP over sockets that stamp: what the parser is handed carries the readings of the read it came in.

Events that share a read carry its number, so that merging shows (docs/measuring.md).
"""

import urllib.request
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

import httpcore2
import httpx2

from foundry_tui.domain.addresses import is_own_host
from foundry_tui.engines.streaming.sockets import StampedStream, StampingBackend

__all__ = ["ResponseWatch", "StampingTransport", "is_loopback", "watch_of"]

_WATCH = "foundry_tui.watch"


class ResponseWatch:
    """What the transport knows of one response, up to date at every event read from it.

    Attributes:
        sent_ns: The request's last byte left, or was handed to the kernel.
        headers_ns: What completed the response headers had come in.
    """

    def __init__(self, stream: StampedStream) -> None:
        self._stream = stream
        self.sent_ns = stream.last_write_ns
        self.headers_ns = stream.last_read_ns

    @property
    def last_read_ns(self) -> int:
        """When what the newest event ended with had come in."""
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
            # Reading the system's certificates takes its time; nobody needs them without encryption.
            "ssl_context": httpx2.create_ssl_context() if base_url.startswith("https:") else None,
            "max_connections": 64,
            "keepalive_expiry": 60.0,
            "network_backend": StampingBackend(),
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
    """Whether ``url`` leads to this machine whatever a name server says."""
    try:
        return is_own_host(httpx2.URL(url).host)
    except httpx2.InvalidURL:
        return False


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

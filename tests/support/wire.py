"""Just enough HTTP/1.1 for a server that knows its clients."""

import json
from collections.abc import Iterable
from http.client import responses

from tests.support.record import Request

__all__ = ["LAST_CHUNK", "chunk", "response_head", "take_request"]

LAST_CHUNK = b"0\r\n\r\n"


def chunk(payload: bytes) -> bytes:
    """``payload`` as one HTTP chunk; a chunk of nothing would end the body, so nothing stays nothing."""
    return b"%x\r\n%b\r\n" % (len(payload), payload) if payload else b""


def response_head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """The status line, the headers and the empty line after them."""
    lines = [
        f"HTTP/1.1 {status} {responses.get(status, 'Unknown')}",
        *(f"{name}: {value}" for name, value in headers),
        "",
        "",
    ]
    return "\r\n".join(lines).encode("latin-1")


def take_request(buffer: bytearray, *, at_ns: int, connection: int) -> Request | None:
    """Cut one complete request off the front of ``buffer``; None if there is none yet.

    Raises:
        ValueError: These bytes are no request, or one with a chunked body, which no client of ours sends.
    """
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *rest = bytes(buffer[:end]).decode("latin-1").split("\r\n")
    method, target, version = first.split(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(f"unknown protocol {version!r}")
    headers: dict[str, str] = {}
    for line in rest:
        name, separator, value = line.partition(":")
        if not separator:
            raise ValueError(f"no header: {line!r}")
        headers[name.strip().lower()] = value.strip()
    if "transfer-encoding" in headers:
        raise ValueError("a request with a chunked body is not understood")
    size = int(headers.get("content-length", "0"))
    start = end + len(b"\r\n\r\n")
    if len(buffer) < start + size:
        return None
    body = bytes(buffer[start : start + size])
    del buffer[: start + size]
    path, _, query = target.partition("?")
    return Request(
        method=method,
        path=path,
        query=query,
        headers=headers,
        body=_json_object(body),
        at_ns=at_ns,
        connection=connection,
    )


def _json_object(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}

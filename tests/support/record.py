"""What happened at an endpoint: requests read, bytes written, clients gone, each with its clock reading."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Record", "Request", "Written"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it was read.

    Attributes:
        path: As sent, not decoded, without the query.
        query: What follows the question mark; empty if nothing does.
        headers: By lower-case name; the last of several wins.
        body: The JSON object that was sent; empty where the body is anything else.
        at_ns: Reading of ``perf_counter_ns`` when its last byte had been read.
        connection: Number of its connection, from 0; the same number twice is keep-alive at work.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: dict[str, object]
    at_ns: int
    connection: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One write to a socket.

    Attributes:
        at_ns: Reading of ``perf_counter_ns`` just before the kernel was given the bytes; no client can
            have read them earlier.
        data: The bytes as they went over the wire, HTTP framing included.
        label: The step that it completes, in lower case ("headers", "text", "usage", "done", "end" …);
            several joined by "+" where they shared the write; "part of text" for the first of two parts.
        request: Index in ``Record.requests`` of the request that it answers.
    """

    at_ns: int
    data: bytes
    label: str
    request: int

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return len(self.data)

    def carries(self, label: str) -> bool:
        """Whether this write completed a step of that name."""
        return label in self.label.split("+")


class Record:
    """Everything that happened so far, in order; tests read it and wait on it, the endpoint fills it.

    Attributes:
        log: Every socket write.
        requests: Every request, in the order in which answering began.
        disconnects: Clock readings of clients that left before their answer was complete.
        open_streams: Answers being written at this moment.
        connections: Connections accepted so far.
    """

    def __init__(self) -> None:
        self.log: list[Written] = []
        self.requests: list[Request] = []
        self.disconnects: list[int] = []
        self.open_streams = 0
        self.connections = 0
        self._changed = asyncio.Event()

    def written(self, label: str, *, request: int | None = None) -> list[Written]:
        """The writes that completed a step ``label``, of one request or (None) of all."""
        return [entry for entry in self.log if entry.carries(label) and request in (None, entry.request)]

    def notify(self) -> None:
        """Wake everybody who waits for a change.  Call after each change, on the event loop only."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, holds: Callable[[], object], *, within_s: float = 10.0) -> None:
        """Return as soon as ``holds()`` is true; it is asked after each change.

        Raises:
            TimeoutError: It was still false after ``within_s``.
        """
        async with asyncio.timeout(within_s):
            while not holds():
                await self._changed.wait()

    def to_json(self) -> str:
        """All of it as one JSON text, for a reader in another process."""
        return json.dumps(
            {
                "log": [
                    {
                        "at_ns": entry.at_ns,
                        # One character per byte, so that broken UTF-8 survives the journey.
                        "data": entry.data.decode("latin-1"),
                        "label": entry.label,
                        "request": entry.request,
                    }
                    for entry in self.log
                ],
                "requests": [
                    {
                        "method": request.method,
                        "path": request.path,
                        "query": request.query,
                        "headers": request.headers,
                        "body": request.body,
                        "at_ns": request.at_ns,
                        "connection": request.connection,
                    }
                    for request in self.requests
                ],
                "disconnects": self.disconnects,
                "open_streams": self.open_streams,
                "connections": self.connections,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> "Record":
        """The record that ``to_json`` wrote.  It stays as it is: nothing will ever change in it."""
        values = json.loads(text)
        record = cls()
        record.log = [
            Written(**{**entry, "data": entry["data"].encode("latin-1")}) for entry in values["log"]
        ]
        record.requests = [Request(**request) for request in values["requests"]]
        record.disconnects = values["disconnects"]
        record.open_streams = values["open_streams"]
        record.connections = values["connections"]
        return record

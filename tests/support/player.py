"""Plays one script: waits for each step's moment, writes it, logs the write."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import assert_never

from tests.support.record import Record, Request, Written
from tests.support.script import (
    CleanEnd,
    Comment,
    Done,
    Envelope,
    ErrorObject,
    Event,
    Finish,
    Forever,
    Gate,
    Hangup,
    Headers,
    HoldOpen,
    Raw,
    Reasoning,
    Reset,
    Respond,
    Role,
    Script,
    Split,
    Step,
    Text,
    Together,
    Tool,
    Usage,
    Wait,
    Wire,
    encode,
)
from tests.support.wire import LAST_CHUNK, chunk, response_head

__all__ = ["Player", "Reply"]

NS_PER_MS = 1_000_000
# The event loop rounds a sleep up to whole milliseconds; the rest of a wait is spun.
SPIN_NS = 1_500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a request gets.

    Attributes:
        number: Index of the request in the record; None keeps the writes of this reply out of the log.
        extra: Headers beside those that the script has.
    """

    script: Script
    number: int | None
    extra: tuple[tuple[str, str], ...] = ()


class Player:
    """Plays the script of one reply through ``write``, which gives the clock reading of each write."""

    def __init__(
        self, request: Request, reply: Reply, record: Record, write: Callable[[bytes], Awaitable[int]]
    ) -> None:
        self._reply = reply
        self._record = record
        self._write_bytes = write
        self._due_ns = request.at_ns
        options = request.body.get("stream_options")
        self._envelope = Envelope(
            response_id=f"chatcmpl-{len(record.requests)}",
            model=str(request.body.get("model", "")),
            is_usage_wanted=isinstance(options, dict) and options.get("include_usage") is True,
        )

    async def play(self) -> None:
        """Play to the end; a script without an end of its own gets a good one."""
        last: Step | None = None
        for last in self._reply.script.steps:
            await self._play(last)
        if not isinstance(last, Respond | Hangup | Reset):
            await self._write(LAST_CHUNK, "cleanend" if isinstance(last, CleanEnd) else "end")

    async def _play(self, step: Step) -> None:
        match step:
            case Wait():
                await self._pause(step.ms)
            case Gate():
                await step.opened.wait()
                self._due_ns = time.perf_counter_ns()
            case Headers():
                await self._write(self._head(step), _label(step))
            case Respond():
                headers = (("Content-Type", step.content_type), ("Content-Length", str(len(step.body))))
                head = response_head(step.status, (*headers, *step.extra, *self._reply.extra))
                await self._write(head + step.body, _label(step))
            case Together():
                head = b"".join(self._head(part) for part in step.steps if isinstance(part, Headers))
                events = [part for part in step.steps if not isinstance(part, Headers)]
                body = chunk(b"".join(encode(event, self._envelope) for event in events))
                await self._write(head + body, "+".join(_label(part) for part in step.steps))
            case Split():
                data = encode(step.event, self._envelope)
                cut = len(data) // 2 if step.at is None else step.at
                await self._write(chunk(data[:cut]), f"part of {_label(step.event)}")
                await self._pause(step.pause_ms)
                await self._write(chunk(data[cut:]), _label(step.event))
            case Forever():
                while True:
                    await self._write_event(step.event)
                    await self._pause(step.every_ms)
            case HoldOpen():
                await asyncio.Event().wait()
            case Wire():
                await self._write(step.data, _label(step))
            case CleanEnd() | Hangup() | Reset():
                pass
            case (
                Comment() | Role() | Text() | Reasoning() | Tool()
                | Finish() | Usage() | Done() | ErrorObject() | Raw()
            ):  # fmt: skip
                await self._write_event(step)
            case _:
                assert_never(step)

    def _head(self, step: Headers) -> bytes:
        headers = (("Content-Type", step.content_type), ("Transfer-Encoding", "chunked"))
        return response_head(step.status, (*headers, *step.extra, *self._reply.extra))

    async def _write_event(self, event: Event) -> None:
        await self._write(chunk(encode(event, self._envelope)), _label(event))

    async def _write(self, data: bytes, label: str) -> None:
        if not data:
            return
        at_ns = await self._write_bytes(data)
        if self._reply.number is not None:
            self._record.log.append(Written(at_ns=at_ns, data=data, label=label, request=self._reply.number))
            self._record.notify()

    async def _pause(self, ms: float) -> None:
        self._due_ns += round(ms * NS_PER_MS)
        left_ns = self._due_ns - time.perf_counter_ns()
        await asyncio.sleep(max(0, left_ns - SPIN_NS) / 1_000_000_000)
        # Through the loop and not past it: a client on the same loop must be able to read meanwhile.
        while time.perf_counter_ns() < self._due_ns:  # noqa: ASYNC110 - no event is as exact
            await asyncio.sleep(0)


def _label(step: Step) -> str:
    return type(step).__name__.lower()

"""How these suites ask, and what they keep of an answer."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from foundry_tui.domain.chat import (
    ChatEvent,
    ChatMessage,
    ChatRequest,
    ChunkReceived,
    GenerationFinished,
    PhaseTimeouts,
    Role,
)
from foundry_tui.domain.errors import EngineError, GenerationFailed
from foundry_tui.ports.engines import Engine
from tests.support.endpoint import DEFAULT_MODEL

__all__ = ["Heard", "ask", "failure", "hear", "pieces_until"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """All of one stream: its events, and the error that ended it (None: it ended well)."""

    events: list[ChatEvent]
    error: EngineError | None

    @property
    def chunks(self) -> list[ChunkReceived]:
        """The pieces of text."""
        return [event for event in self.events if isinstance(event, ChunkReceived)]

    @property
    def text(self) -> str:
        """The pieces joined."""
        return "".join(chunk.text for chunk in self.chunks)

    @property
    def finish(self) -> GenerationFinished:
        """The last event of a stream that ended well."""
        last = self.events[-1]
        assert self.error is None, self.error
        assert isinstance(last, GenerationFinished)
        return last


def ask(
    text: str = "hi",
    *,
    model: str = DEFAULT_MODEL,
    max_tokens: int = 64,
    timeouts: PhaseTimeouts | None = None,
) -> ChatRequest:
    """A request of one message, answered the same way each time."""
    return ChatRequest(
        model=model,
        messages=(ChatMessage(role=Role.USER, text=text),),
        max_tokens=max_tokens,
        temperature=0,
        timeouts=timeouts or PhaseTimeouts(),
    )


async def hear(
    engine: Engine, request: ChatRequest, *, after_each: Callable[[list[ChatEvent]], None] | None = None
) -> Heard:
    """The whole stream; ``after_each`` is shown what has come so far after each event."""
    events: list[ChatEvent] = []
    try:
        async with aclosing(engine.stream_chat(request)) as stream:
            async for event in stream:
                events.append(event)
                if after_each is not None:
                    after_each(events)
    except EngineError as error:
        return Heard(events=events, error=error)
    return Heard(events=events, error=None)


def failure(heard: Heard) -> GenerationFailed:
    """The failure that ended the stream."""
    assert isinstance(heard.error, GenerationFailed), heard.error
    return heard.error


async def pieces_until(stream: AsyncGenerator[ChatEvent, None], count: int) -> list[str]:
    """Read on to the chunk number ``count``; the stream stays open."""
    pieces: list[str] = []
    while len(pieces) < count:
        event = await anext(stream)
        if isinstance(event, ChunkReceived):
            pieces.append(event.text)
    return pieces

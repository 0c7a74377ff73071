"""What a scripted endpoint does with one request, step by step.

A script that runs out of steps ends its answer well: the terminating HTTP chunk, and the connection is kept.
Times are in milliseconds and add up from the moment the request had been read, so that no delay in one step
moves the steps after it; only a ``Gate`` starts the schedule anew.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

__all__ = [
    "CleanEnd",
    "Comment",
    "Done",
    "Envelope",
    "ErrorObject",
    "Event",
    "Finish",
    "Forever",
    "Gate",
    "Hangup",
    "Headers",
    "HoldOpen",
    "Raw",
    "Reasoning",
    "Reset",
    "Respond",
    "Role",
    "Script",
    "Split",
    "Step",
    "Text",
    "Together",
    "Tool",
    "Usage",
    "Wait",
    "Wire",
    "answer",
    "encode",
]

PROMPT_TOKENS = 32
"""What an answer says of its prompt unless the script says otherwise."""


# The steps take their fields by position: a script is read as a list of what happens, not of arguments.


@dataclass(frozen=True, slots=True)
class Wait:
    """Move the schedule on by ``ms`` and wait for it; ``Wait(0)`` still lets other tasks run."""

    ms: float


@dataclass(frozen=True, slots=True)
class Gate:
    """Wait for an event that the test sets; the schedule starts anew from there."""

    opened: asyncio.Event


@dataclass(frozen=True, slots=True)
class Headers:
    """The head of a chunked answer, 200 and ``text/event-stream`` unless said otherwise."""

    status: int = 200
    content_type: str = "text/event-stream"
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Respond:
    """A whole answer with a Content-Length in one write, such as an HTTP error; it ends the script."""

    status: int
    body: bytes
    content_type: str = "application/json"
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Comment:
    """An SSE comment, which carries nothing."""

    line: str = ": keep-alive"


@dataclass(frozen=True, slots=True)
class Role:
    """The chunk that opens an answer: a role and no text."""


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the visible answer.

    Attributes:
        tokens_so_far: Per-chunk usage, where a server gives it; None leaves it out.
        finish: A finish_reason in the same chunk, as some servers send it; None leaves it null.
    """

    text: str
    tokens_so_far: int | None = None
    finish: str | None = None


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of what the model thinks aloud; ``key`` is where the server puts it in the delta."""

    text: str
    key: str = "reasoning_content"


@dataclass(frozen=True, slots=True)
class Tool:
    """A piece of a tool call's arguments; the first piece names the tool."""

    arguments: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """The chunk with the finish_reason."""

    reason: str = "stop"


@dataclass(frozen=True, slots=True)
class Usage:
    """The chunk with the token counts; left out where the request did not ask, as the real server does."""

    prompt: int = PROMPT_TOKENS
    completion: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """``data: [DONE]``."""


@dataclass(frozen=True, slots=True)
class ErrorObject:
    """An error inside the 200 stream."""

    message: str
    type: str = "server_error"


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes sent as an event though they may be none: broken JSON, broken UTF-8, odd line ends."""

    data: bytes


Event: TypeAlias = Comment | Role | Text | Reasoning | Tool | Finish | Usage | Done | ErrorObject | Raw
"""What travels inside the body."""


@dataclass(frozen=True, slots=True)
class Together:
    """Several events, and perhaps the head before them, in one socket write."""

    steps: Sequence[Headers | Event]


@dataclass(frozen=True, slots=True)
class Split:
    """One event over two writes.

    Attributes:
        pause_ms: Between the two, on the schedule.
        at: Bytes in the first; None is the middle.
    """

    event: Event
    pause_ms: float = 5.0
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Forever:
    """The same event again and again, ``every_ms``, until the client leaves or the endpoint closes."""

    event: Event
    every_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class HoldOpen:
    """Nothing more, until the client leaves or the endpoint closes."""


@dataclass(frozen=True, slots=True)
class Wire:
    """Bytes straight to the socket, without an HTTP chunk around them."""

    data: bytes


@dataclass(frozen=True, slots=True)
class CleanEnd:
    """The terminating chunk, then the connection is closed: all is well as far as HTTP can tell."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """The connection is closed (FIN) though the body has not ended."""


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is reset (RST)."""


Ending: TypeAlias = Respond | CleanEnd | Hangup | Reset | HoldOpen | Forever
Step: TypeAlias = Event | Ending | Wait | Gate | Headers | Together | Split | Wire


@dataclass(frozen=True, slots=True)
class Script:
    """The steps of one answer.

    Raises:
        ValueError: An event comes before the head of its answer, or a step after the end.
    """

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if any(isinstance(step, Ending) for step in self.steps[:-1]):
            raise ValueError("nothing can follow the end of an answer")
        is_headed = False
        for step in self.steps:
            match step:
                case Headers() | Wire():
                    is_headed = True
                case Together():
                    is_headed = is_headed or isinstance(step.steps[0], Headers)
                case Wait() | Gate() | Respond() | Hangup() | Reset() | HoldOpen():
                    continue
            if not is_headed:
                raise ValueError(f"{step} comes before the head of its answer")
        if not is_headed and not (self.steps and isinstance(self.steps[-1], Ending)):
            raise ValueError("an answer needs a head or an end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What every chunk of one answer repeats."""

    response_id: str
    model: str
    is_usage_wanted: bool
    created: int = 1_780_000_000


def answer(
    pieces: Sequence[str],
    gap_ms: float = 0,
    first_ms: float = 0,
    usage: bool = True,
    done: bool = True,
    *,
    finish: str = "stop",
    prompt_tokens: int = PROMPT_TOKENS,
    completion_tokens: int | None = None,
) -> Script:
    """A good answer: the head at once, the first piece after ``first_ms``, one more every ``gap_ms``.

    Args:
        pieces: The text of each content chunk.
        gap_ms: Between two pieces; the finish chunk follows the last one at once.
        first_ms: From the request to the first piece.
        usage: Whether token counts are sent where the request asks for them.
        done: Whether ``[DONE]`` is sent.
        finish: The finish_reason.
        prompt_tokens: As reported.
        completion_tokens: As reported; None is one per piece.
    """
    steps: list[Step] = [Headers(), Wait(first_ms), Role()]
    for index, piece in enumerate(pieces):
        if index:
            steps.append(Wait(gap_ms))
        steps.append(Text(piece))
    steps.append(Finish(finish))
    if usage:
        count = len(pieces) if completion_tokens is None else completion_tokens
        steps.append(Usage(prompt_tokens, count))
    if done:
        steps.append(Done())
    return Script(tuple(steps))


def encode(event: Event, envelope: Envelope) -> bytes:
    """``event`` as the bytes of one SSE event; nothing for usage that the request did not ask for."""
    match event:
        case Comment():
            return f"{event.line}\n\n".encode()
        case Raw():
            return event.data
        case Done():
            return b"data: [DONE]\n\n"
        case ErrorObject():
            return _sse(
                {"error": {"code": None, "message": event.message, "param": None, "type": event.type}}
            )
        case Role():
            return _delta(envelope, {"content": "", "role": "assistant"})
        case Text():
            usage = None if event.tokens_so_far is None else _usage(PROMPT_TOKENS, event.tokens_so_far, 0)
            return _delta(envelope, {"content": event.text}, finish=event.finish, usage=usage)
        case Reasoning():
            return _delta(envelope, {event.key: event.text})
        case Tool():
            call: dict[str, object] = {"index": 0, "function": {"arguments": event.arguments}}
            if event.name is not None:
                call |= {"id": "call_0", "type": "function"}
                call["function"] = {"name": event.name, "arguments": event.arguments}
            return _delta(envelope, {"tool_calls": [call]})
        case Finish():
            return _delta(envelope, {}, finish=event.reason)
        case Usage():
            if not envelope.is_usage_wanted:
                return b""
            counts = _usage(event.prompt, event.completion, event.reasoning)
            return _sse(_chunk_of(envelope, []) | {"usage": counts})
        case _:
            assert_never(event)


def _delta(
    envelope: Envelope,
    delta: Mapping[str, object],
    *,
    finish: str | None = None,
    usage: Mapping[str, object] | None = None,
) -> bytes:
    choice = {"delta": delta, "finish_reason": finish, "index": 0, "logprobs": None}
    return _sse(_chunk_of(envelope, [choice]) | ({} if usage is None else {"usage": usage}))


def _chunk_of(envelope: Envelope, choices: Sequence[Mapping[str, object]]) -> dict[str, object]:
    return {
        "choices": choices,
        "created": envelope.created,
        "id": envelope.response_id,
        "model": envelope.model,
        "object": "chat.completion.chunk",
        "system_fingerprint": None,
    }


def _usage(prompt: int, completion: int, reasoning: int) -> dict[str, object]:
    return {
        "completion_tokens": completion,
        "completion_tokens_details": {"reasoning_tokens": reasoning},
        "prompt_tokens": prompt,
        "prompt_tokens_details": {"cached_tokens": 0},
        "total_tokens": prompt + completion,
    }


def _sse(value: Mapping[str, object]) -> bytes:
    # Text stays UTF-8 and is not escaped, as the real runtime sends it: a split can then cut a character.
    return f"data: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()

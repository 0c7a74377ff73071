"""Requests to a model and the events of its answer.

A stream is one ``ClockRead(CALL)``, further clock readings and chunks as they come, and one
``GenerationFinished``; or it raises ``GenerationFailed`` (or another ``EngineError``), after which
nothing follows.  All ``*_ns`` are readings of one monotonic clock in the process where the bytes arrive.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

__all__ = [
    "ChatEvent",
    "ChatMessage",
    "ChatOptions",
    "ChatRequest",
    "ChunkKind",
    "ChunkReceived",
    "ClockRead",
    "GenerationFinished",
    "Moment",
    "Outcome",
    "PhaseTimeouts",
    "Role",
    "TokenUsage",
]


class Role(StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One turn of a conversation; ``text`` is kept exactly as it came."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseTimeouts:
    """How long each wait may last, in seconds; SSE comments do not reset the token timers."""

    connect_s: float = 5.0
    headers_s: float = 30.0
    first_token_s: float = 300.0
    between_s: float = 30.0
    total_s: float = 900.0

    def __post_init__(self) -> None:
        for name in ("connect_s", "headers_s", "first_token_s", "between_s", "total_s"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be a positive number of seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """What is asked of a model.

    Attributes:
        model: The exact variant id, never an alias.
        max_tokens: Always sent: without it the runtime reserves 2048 and refuses short contexts.
        temperature: 0 to 2; None leaves it to the engine.
        seed: None leaves it to the engine.
        handing_s: How long the engine's process may keep what it has read, its stamps taken, before it hands
            it on.  Each time that wakes two processors, which the model wants too: who only measures waits.
    """

    model: str
    messages: tuple[ChatMessage, ...]
    max_tokens: int
    temperature: float | None = None
    seed: int | None = None
    timeouts: PhaseTimeouts = PhaseTimeouts()
    handing_s: float = 0.02

    def __post_init__(self) -> None:
        if not 0 <= self.handing_s <= 1:
            raise ValueError("what was read is handed on within a second")
        if not self.messages:
            raise ValueError("a request needs at least one message")
        if self.max_tokens < 1:
            raise ValueError("max_tokens must be at least 1")
        if self.temperature is not None and not 0 <= self.temperature <= 2:
            raise ValueError("temperature must lie between 0 and 2")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatOptions:
    """What a user sets once for a conversation; None leaves it to the engine.

    Attributes:
        max_tokens: The wish; the request may carry less, bounded by the model's real context.
    """

    system_prompt: str | None = None
    max_tokens: int = 512
    temperature: float | None = None
    seed: int | None = None
    timeouts: PhaseTimeouts = PhaseTimeouts()


class Outcome(StrEnum):
    """How a request ended.  Only COMPLETED and TRUNCATED ones are timed."""

    COMPLETED = "completed"
    TRUNCATED = "truncated"
    CANCELLED = "cancelled"
    HTTP_ERROR = "http_error"
    STREAM_ERROR = "stream_error"
    MALFORMED = "malformed"
    EARLY_END = "early_end"
    DISCONNECTED = "disconnected"
    EMPTY = "empty"
    TIMEOUT = "timeout"
    STALLED = "stalled"
    RUNAWAY = "runaway"
    NOT_LOADED = "not_loaded"
    OUT_OF_MEMORY = "out_of_memory"
    ENGINE_DIED = "engine_died"
    SKIPPED = "skipped"

    @property
    def is_timed(self) -> bool:
        """Whether the readings of such a request may enter a statistic."""
        return self in (Outcome.COMPLETED, Outcome.TRUNCATED)

    @property
    def words(self) -> str:
        """As one says it: ``out of memory``, ``http error``."""
        return self.value.replace("_", " ")


class Moment(StrEnum):
    """A named point on a request's time line, each read once."""

    CALL = "call"
    """The engine was asked; building the request follows."""
    SENT = "sent"
    """The last byte of the request left, or was handed to the kernel.  TTFT counts from here."""
    HEADERS = "headers"
    """What completed the response headers had come in."""
    ROLE = "role"
    """What held the first event with a choice had come in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRead:
    """One of the named moments was reached."""

    moment: Moment
    at_ns: int


class ChunkKind(StrEnum):
    """What the text of a chunk is."""

    CONTENT = "content"
    REASONING = "reasoning"
    TOOL = "tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkReceived:
    """A non-empty piece of text arrived; it can hold several tokens.

    Attributes:
        at_ns: When what completed it had come in: by the kernel, else when the socket read returned.
        read: Number of that read on its connection; chunks with one number shared a read.
        tokens: Completion tokens so far, where the engine says so with each chunk; else None.
    """

    at_ns: int
    text: str
    kind: ChunkKind = ChunkKind.CONTENT
    read: int = 0
    tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """Token counts as the engine reported them; each None where it did not."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationFinished:
    """The answer is complete, or was cut at ``max_tokens``; the last event of its stream.

    Attributes:
        outcome: COMPLETED, or TRUNCATED for finish_reason ``length``.
        finish_reason: The engine's own word.
        end_ns: When the stream's end was read.
        usage: None if the engine reported none.
        response_id: The engine's name for the answer.
        warnings: Machine-readable oddities, such as ``no_done``.
        delay_p99_ns: The measuring process's own scheduling delay while the stream ran; None if unknown.
    """

    outcome: Outcome
    finish_reason: str
    end_ns: int
    usage: TokenUsage | None = None
    response_id: str | None = None
    warnings: tuple[str, ...] = ()
    delay_p99_ns: int | None = None


ChatEvent: TypeAlias = ClockRead | ChunkReceived | GenerationFinished

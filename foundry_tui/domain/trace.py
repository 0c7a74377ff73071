"""The time line of one request, kept as raw readings."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import assert_never

from foundry_tui.domain.chat import (
    ChatEvent,
    ChunkKind,
    ChunkReceived,
    ClockRead,
    GenerationFinished,
    Moment,
    Outcome,
    TokenUsage,
)
from foundry_tui.domain.errors import EngineDied, EngineError, GenerationFailed

__all__ = ["GenerationTrace", "TraceBuilder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationTrace:
    """Readings of one request, all of one monotonic clock; statistics live in ``metrics``.

    Attributes:
        call_ns: The engine was asked; None if it never was.
        sent_ns: The request was fully written.
        headers_ns: The response headers were read.
        role_ns: The first event with a choice was read.
        chunks: Every non-empty chunk in order of arrival.
        end_ns: The end, good or bad, was seen.
        usage: Counts reported by the engine; never filled from an estimate.
        outcome: How it ended.
        error: The reason in words; None when it ended well.
    """

    call_ns: int | None
    sent_ns: int | None
    headers_ns: int | None
    role_ns: int | None
    chunks: tuple[ChunkReceived, ...]
    end_ns: int | None
    usage: TokenUsage | None
    outcome: Outcome
    finish_reason: str | None = None
    response_id: str | None = None
    warnings: tuple[str, ...] = ()
    delay_p99_ns: int | None = None
    error: str | None = None

    def __post_init__(self) -> None:
        stamps = (self.sent_ns, *(chunk.at_ns for chunk in self.chunks), self.end_ns)
        known = [stamp for stamp in stamps if stamp is not None]
        if any(later < earlier for earlier, later in pairwise(known)):
            raise ValueError("clock readings must not go backwards")

    @property
    def text(self) -> str:
        """The visible answer, exactly as it came."""
        return "".join(chunk.text for chunk in self.chunks if chunk.kind is ChunkKind.CONTENT)

    @property
    def ended_ns(self) -> int | None:
        """The end of the answer: of the stream, or where that was not seen its last chunk."""
        return self.end_ns or (self.chunks[-1].at_ns if self.chunks else None)

    @property
    def reasoning(self) -> str:
        """What the model thought aloud, exactly as it came."""
        return "".join(chunk.text for chunk in self.chunks if chunk.kind is ChunkKind.REASONING)


@dataclass(slots=True)
class TraceBuilder:
    """Collects the events of one stream into a ``GenerationTrace``."""

    _moments: dict[Moment, int] = field(default_factory=dict)
    _chunks: list[ChunkReceived] = field(default_factory=list)
    _finished: GenerationFinished | None = None

    @property
    def chunks(self) -> list[ChunkReceived]:
        """Chunks so far; read only."""
        return self._chunks

    def moment_ns(self, moment: Moment) -> int | None:
        """The reading of ``moment``, or None if it was not reached yet."""
        return self._moments.get(moment)

    def observe(self, event: ChatEvent) -> None:
        """Take one event in the order in which the engine gave it."""
        match event:
            case ClockRead():
                self._moments.setdefault(event.moment, event.at_ns)
            case ChunkReceived():
                self._chunks.append(event)
            case GenerationFinished():
                self._finished = event
            case _:
                assert_never(event)

    def events(self) -> Iterator[ChatEvent]:
        """What was observed so far, once more: the named moments, then the chunks."""
        for moment, at_ns in self._moments.items():
            yield ClockRead(moment=moment, at_ns=at_ns)
        yield from self._chunks

    def finish(self) -> GenerationTrace:
        """The trace of a stream that ended by itself.

        Raises:
            ValueError: No ``GenerationFinished`` was observed.
        """
        done = self._finished
        if done is None:
            raise ValueError("the stream has not finished")
        return self._trace(
            outcome=done.outcome,
            end_ns=done.end_ns,
            usage=done.usage,
            finish_reason=done.finish_reason,
            response_id=done.response_id,
            warnings=done.warnings,
            delay_p99_ns=done.delay_p99_ns,
        )

    def cancelled(self) -> GenerationTrace:
        """The trace of a stream that its reader left."""
        return self._trace(outcome=Outcome.CANCELLED, end_ns=None)

    def failed(self, error: EngineError) -> GenerationTrace:
        """The trace of a stream that ``error`` ended; what had arrived is kept."""
        match error:
            case GenerationFailed():
                return self._trace(
                    outcome=error.outcome,
                    end_ns=error.end_ns,
                    response_id=error.response_id,
                    error=error.message,
                )
            case EngineDied():
                return self._trace(outcome=Outcome.ENGINE_DIED, end_ns=None, error=error.message)
            case _:
                return self._trace(outcome=Outcome.SKIPPED, end_ns=None, error=error.message)

    def _trace(
        self,
        *,
        outcome: Outcome,
        end_ns: int | None,
        usage: TokenUsage | None = None,
        finish_reason: str | None = None,
        response_id: str | None = None,
        warnings: tuple[str, ...] = (),
        delay_p99_ns: int | None = None,
        error: str | None = None,
    ) -> GenerationTrace:
        return GenerationTrace(
            call_ns=self._moments.get(Moment.CALL),
            sent_ns=self._moments.get(Moment.SENT),
            headers_ns=self._moments.get(Moment.HEADERS),
            role_ns=self._moments.get(Moment.ROLE),
            chunks=tuple(self._chunks),
            end_ns=end_ns,
            usage=usage,
            outcome=outcome,
            finish_reason=finish_reason,
            response_id=response_id,
            warnings=warnings,
            delay_p99_ns=delay_p99_ns,
            error=error,
        )

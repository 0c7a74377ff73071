"""Requests of a benchmark with readings that are chosen, for whoever counts, stores or shows them.

Times are given in milliseconds; each trace begins at 1000 ms of a clock that starts anywhere.
"""

from collections.abc import Sequence

from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.domain.chat import ChunkKind, ChunkReceived, Outcome, TokenUsage
from foundry_tui.domain.trace import GenerationTrace

__all__ = ["MS", "SENT_MS", "request", "trace"]

MS = 1_000_000
SENT_MS = 1000.0


def trace(
    gaps_ms: Sequence[float] = (10.0,) * 9,
    *,
    ttft_ms: float = 100.0,
    sent_ms: float | None = SENT_MS,
    role_ms: float | None = None,
    prompt: int | None = 20,
    completion: int | None = None,
    reasoning: int | None = None,
    outcome: Outcome = Outcome.COMPLETED,
    text: str = "four",
    kind: ChunkKind = ChunkKind.CONTENT,
    delay_ms: float | None = None,
    has_text: bool = True,
) -> GenerationTrace:
    """An answer whose first chunk comes after ``ttft_ms``, and one more after each gap.

    A gap of 0 is a chunk in one read with the one before.  ``role_ms`` counts from sending, as ``ttft_ms``
    does.
    """
    chunks: list[ChunkReceived] = []
    at_ms = (SENT_MS if sent_ms is None else sent_ms) + ttft_ms
    read = 1
    for gap_ms in (None, *gaps_ms) if has_text else ():
        at_ms += gap_ms or 0
        read += gap_ms != 0
        chunks.append(ChunkReceived(at_ns=round(at_ms * MS), text=text, kind=kind, read=read))
    has_usage = prompt is not None or completion is not None or reasoning is not None
    return GenerationTrace(
        call_ns=0,
        sent_ns=None if sent_ms is None else round(sent_ms * MS),
        headers_ns=None,
        role_ns=None if role_ms is None else round((SENT_MS + role_ms) * MS),
        chunks=tuple(chunks),
        end_ns=round(at_ms * MS),
        usage=(
            TokenUsage(prompt_tokens=prompt, completion_tokens=completion, reasoning_tokens=reasoning)
            if has_usage
            else None
        ),
        outcome=outcome,
        delay_p99_ns=None if delay_ms is None else round(delay_ms * MS),
    )


def request(
    number: int,
    of: GenerationTrace | None = None,
    *,
    model: str = "tiny",
    prompt_id: str = "p1",
    round_: int | None = None,
    phase: Phase = Phase.TIMED,
) -> RequestRun:
    """The request of that number; its round is the number unless one is given."""
    return RequestRun(
        number=number,
        model=model,
        model_id=f"{model}-generic-cpu:1",
        prompt_id=prompt_id,
        round=number if round_ is None else round_,
        phase=phase,
        at_unix_ms=0,
        trace=trace() if of is None else of,
    )

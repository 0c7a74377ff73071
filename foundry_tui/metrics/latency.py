"""Times and rates of one request.  Undefined is None, never 0.

Names: t0 = sent, t1 = first chunk of text, tn = last chunk; C = completion tokens, m = chunks,
c1 = tokens that had arrived at t1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from foundry_tui.domain.chat import ChunkKind, ChunkReceived
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.tokens import TokenCount, TokenSource, output_tokens

__all__ = [
    "Rate",
    "answer_wait_s",
    "decode_rate",
    "end_to_end_rate",
    "has_hidden_tokens",
    "is_coarse",
    "latency_s",
    "live_rate",
    "merged_share",
    "ttft_s",
]

_NS_PER_S = 1_000_000_000
_LIVE_WINDOW_NS = 2 * _NS_PER_S
_COARSE_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Tokens per second, with the source of its count.

    Attributes:
        is_estimate: Whether the count, or the share of it in the first chunk, was estimated.
    """

    tokens_per_s: float
    source: TokenSource
    is_estimate: bool


def ttft_s(trace: GenerationTrace) -> float | None:
    """Time to first token, in seconds: t1 − t0.

    Role-only and empty deltas do not count; reasoning and tool text do.  None without any text.
    """
    if trace.sent_ns is None or not trace.chunks:
        return None
    return (trace.chunks[0].at_ns - trace.sent_ns) / _NS_PER_S


def answer_wait_s(trace: GenerationTrace) -> float | None:
    """Time to the first text of the answer itself, reasoning left out, in seconds; None without any."""
    first = next((chunk for chunk in trace.chunks if chunk.kind is ChunkKind.CONTENT), None)
    if trace.sent_ns is None or first is None:
        return None
    return (first.at_ns - trace.sent_ns) / _NS_PER_S


def latency_s(trace: GenerationTrace) -> float | None:
    """Tn − t0, in seconds; None without any text."""
    if trace.sent_ns is None or not trace.chunks:
        return None
    return (trace.chunks[-1].at_ns - trace.sent_ns) / _NS_PER_S


def has_hidden_tokens(trace: GenerationTrace) -> bool:
    """Whether C counts tokens that no chunk showed.

    Known where the engine reports reasoning tokens and streams none; certain where C exceeds the UTF-8 bytes
    of everything shown, since a token stands for at least one byte.
    """
    usage = trace.usage
    if usage is None or usage.completion_tokens is None or not trace.chunks:
        return False
    shows_reasoning = any(chunk.kind is ChunkKind.REASONING for chunk in trace.chunks)
    if usage.reasoning_tokens and not shows_reasoning:
        return True
    shown_bytes = sum(len(chunk.text.encode("utf-8", errors="replace")) for chunk in trace.chunks)
    # One token ends the answer without a byte of its own.
    return usage.completion_tokens > shown_bytes + 1


def decode_rate(trace: GenerationTrace) -> Rate | None:
    """Output rate once text flows, in tokens per second: (C − c1)/(tn − t1).

    The wait for the first chunk is prefill, so what had arrived with it is left out: the first chunk and all
    that shared its socket read.  c1 is the count that came with the last of these, unless it is 0, else C/m
    for each of them, which is an estimate where C ≠ m.

    Returns:
        None where undefined: fewer than two tokens or chunks, no time between first and last chunk (all in
        one socket read), tokens in C that were never shown, or a C that is not above c1.
    """
    counted = output_tokens(trace)
    if counted is None or counted.count < 2 or len(trace.chunks) < 2 or has_hidden_tokens(trace):
        return None
    first_ns = trace.chunks[0].at_ns
    elapsed_ns = trace.chunks[-1].at_ns - first_ns
    if elapsed_ns <= 0:
        return None
    first_read = [chunk for chunk in trace.chunks if chunk.at_ns == first_ns]
    told = first_read[-1].tokens
    first_tokens = told or counted.count / len(trace.chunks) * len(first_read)
    if counted.count <= first_tokens:
        return None
    is_estimate = counted.is_estimate or (not told and counted.count != len(trace.chunks))
    return Rate(
        tokens_per_s=(counted.count - first_tokens) * _NS_PER_S / elapsed_ns,
        source=counted.source,
        is_estimate=is_estimate,
    )


def end_to_end_rate(trace: GenerationTrace) -> Rate | None:
    """C/(tn − t0), in tokens per second; None where C or the span is unknown."""
    counted: TokenCount | None = output_tokens(trace)
    span_s = latency_s(trace)
    if counted is None or span_s is None or span_s <= 0:
        return None
    return Rate(tokens_per_s=counted.count / span_s, source=counted.source, is_estimate=counted.is_estimate)


def merged_share(chunks: Sequence[ChunkReceived]) -> float | None:
    """Share of the chunks that arrived in one socket read with the chunk before; None below two chunks.

    Their gaps are zero by the way they were read, not by the way they were made.  Read 0 is unknown.
    """
    if len(chunks) < 2:
        return None
    shared = sum(later.read == earlier.read != 0 for earlier, later in pairwise(chunks))
    return shared / (len(chunks) - 1)


def is_coarse(chunks: Sequence[ChunkReceived]) -> bool:
    """Whether most chunks shared a socket read with another: the times between them are the reader's."""
    return (merged_share(chunks) or 0) > _COARSE_SHARE


def live_rate(chunks: Sequence[ChunkReceived]) -> Rate | None:
    """Rate over the last two seconds of a stream that still runs, in tokens per second.

    (n − 1)/(span of the n newest chunks), by counts that came with the chunks where they did, else by chunks.
    None below two chunks or with no time between them.
    """
    if len(chunks) < 2:
        return None
    last = chunks[-1]
    first = next(chunk for chunk in chunks[-2048:] if last.at_ns - chunk.at_ns <= _LIVE_WINDOW_NS)
    span_ns = last.at_ns - first.at_ns
    if span_ns <= 0:
        return None
    if first.tokens is not None and last.tokens is not None:
        tokens, source = last.tokens - first.tokens, TokenSource.USAGE
    else:
        recent = sum(1 for chunk in chunks[-2048:] if last.at_ns - chunk.at_ns <= _LIVE_WINDOW_NS)
        tokens, source = recent - 1, TokenSource.CHUNKS
    return Rate(
        tokens_per_s=tokens * _NS_PER_S / span_ns,
        source=source,
        is_estimate=source is not TokenSource.USAGE,
    )

"""One answer's numbers on one line."""

from foundry_tui.domain.chat import ChunkReceived, Outcome
from foundry_tui.domain.quantities import count_in_words, rate_in_words, seconds_in_words
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.hidden import hidden_split
from foundry_tui.metrics.latency import (
    Rate,
    answer_wait_s,
    decode_rate,
    end_to_end_rate,
    has_hidden_tokens,
    is_coarse,
    latency_s,
    live_rate,
    ttft_s,
)
from foundry_tui.metrics.tokens import TokenCount, output_tokens
from foundry_tui.reports.hidden_words import split_words

__all__ = ["describe", "describe_live"]

_WARNINGS = {
    "no_done": "the stream ended without [DONE]",
    "transport_floor": "TTFT is at this platform's transport floor",
}


def describe(trace: GenerationTrace) -> str:
    """TTFT, rate with its token source, tokens in and out, how it ended; unknown is n/a."""
    parts = [f"TTFT {seconds_in_words(ttft_s(trace))}"]
    answer_s = answer_wait_s(trace)
    if answer_s is not None and answer_s != ttft_s(trace):
        parts.append(f"answer after {seconds_in_words(answer_s)}")
    parts.append(_rate(trace))
    prompt_tokens = trace.usage.prompt_tokens if trace.usage is not None else None
    parts.append(f"{count_in_words(prompt_tokens)} in")
    parts.append(_out(output_tokens(trace)))
    parts.append(f"{seconds_in_words(latency_s(trace))} in all")
    parts.append(_end(trace))
    parts += [_WARNINGS.get(warning, warning) for warning in trace.warnings]
    return " · ".join(parts)


def describe_live(chunks: list[ChunkReceived], sent_ns: int | None) -> str:
    """The line under an answer that still streams."""
    if not chunks:
        return "waiting for the first token"
    parts = []
    if sent_ns is not None:
        parts.append(f"TTFT {seconds_in_words((chunks[0].at_ns - sent_ns) / 1e9)}")
    rate = live_rate(chunks)
    parts.append("… tok/s" if rate is None else _worded(rate))
    parts.append(f"{len(chunks)} chunk{'' if len(chunks) == 1 else 's'}")
    parts.append("Esc stops")
    return " · ".join(parts)


def _rate(trace: GenerationTrace) -> str:
    rate = decode_rate(trace)
    if rate is not None:
        if not is_coarse(trace.chunks):
            return _worded(rate)
        reads = len({chunk.read for chunk in trace.chunks})
        return f"{rate_in_words(rate.tokens_per_s, is_estimate=True)} ({rate.source.value}, in {reads} reads)"
    if has_hidden_tokens(trace):
        split = hidden_split(trace)
        return "n/a tok/s (the count holds hidden tokens)" if split is None else split_words(split)
    if len(trace.chunks) > 1 and (whole := end_to_end_rate(trace)) is not None:
        # All in one read: between the tokens nothing was seen, over the whole request something was.
        words = rate_in_words(whole.tokens_per_s, is_estimate=whole.is_estimate)
        return f"{words} end to end ({whole.source.value}, in 1 read)"
    return "n/a tok/s"


def _worded(rate: Rate) -> str:
    return f"{rate_in_words(rate.tokens_per_s, is_estimate=rate.is_estimate)} ({rate.source.value})"


def _out(counted: TokenCount | None) -> str:
    if counted is None:
        return "n/a out"
    return f"{'~' if counted.is_estimate else ''}{count_in_words(counted.count)} out"


def _end(trace: GenerationTrace) -> str:
    match trace.outcome:
        case Outcome.COMPLETED:
            return trace.finish_reason or "completed"
        case Outcome.TRUNCATED:
            return "length (cut at max tokens)"
        case Outcome.CANCELLED:
            return "stopped"
        case _:
            return trace.outcome.words

"""When the spread of gaps is the measurement's own, and when a chunk may be called a token."""

from enum import StrEnum

__all__ = ["DELAY_LIMIT_NS", "MERGED_LIMIT", "TOKEN_RATIO", "Withheld", "is_token_for_chunk", "withheld"]

MERGED_LIMIT = 0.01
"""Above this share of chunks in a read with the one before, gaps show how they were read, not how made."""
DELAY_LIMIT_NS = 5_000_000
"""Above this delay of the measuring process itself, the spread of the gaps is its own."""
TOKEN_RATIO = 0.98
"""A chunk stands for a token where their counts agree this well, either way."""


class Withheld(StrEnum):
    """Why no percentile of the gaps is told."""

    MERGED_READS = "merged-reads"
    """More than 1 % of the chunks came in one socket read with the chunk before."""
    LATE_CLOCK = "late-clock"
    """The measuring process itself was more than 5 ms late (99th percentile) in at least one request."""


def withheld(*, same_read: int, pairs: int, delay_p99_ns: int | None) -> tuple[Withheld, ...]:
    """Why the percentiles of gaps are not told; empty where they are.

    Args:
        same_read: Chunks in one socket read with the chunk before.
        pairs: All chunks that have one before.
        delay_p99_ns: The measuring process's own; None, which is not known, withholds nothing.
    """
    reasons: list[Withheld] = []
    if same_read > MERGED_LIMIT * pairs:
        reasons.append(Withheld.MERGED_READS)
    if delay_p99_ns is not None and delay_p99_ns > DELAY_LIMIT_NS:
        reasons.append(Withheld.LATE_CLOCK)
    return tuple(reasons)


def is_token_for_chunk(chunks: int, tokens: int | None) -> bool:
    """Whether 0.98 ≤ m/C ≤ 1/0.98, C being reported: only then a gap between chunks is one between tokens."""
    return tokens is not None and tokens > 0 and TOKEN_RATIO <= chunks / tokens <= 1 / TOKEN_RATIO

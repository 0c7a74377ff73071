"""The gaps of many answers taken together, and whether their percentiles can be believed."""

from collections.abc import Sequence
from dataclasses import dataclass

from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.gaps import GapTrack, GapUnit
from foundry_tui.metrics.percentiles import P95_COUNT, P99_COUNT, percentile
from foundry_tui.metrics.tokens import TokenSource, output_tokens
from foundry_tui.metrics.trust import Withheld, is_token_for_chunk, withheld

__all__ = ["PooledGaps", "pooled_gaps"]

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledGaps:
    """All gaps of several answers; times in seconds, None where undefined.

    A gap is t(k) − t(k−1) within one answer; where both chunks shared a socket read nothing was seen between
    them, and the pair is counted in ``same_read`` only (``metrics.gaps``).

    Attributes:
        unit: TOKEN only where every answer's tokens were reported and 0.98 ≤ m/C ≤ 1/0.98 over all of them.
        n: The gaps that were measured; ``n + same_read`` is Σ(m − 1).
        chunks: Σm.
        tokens: ΣC as reported; None if one answer's was not.
        merged_share: ``same_read``/(``n + same_read``).
        delay_p99_ns: The largest of the measuring process's own delays, in ns; None if none is known.
        withheld: Why mean (merged reads only), median, p95 and p99 are not told; empty where they are.
        p95_s: Linear between the two nearest gaps; shown only where ``p95_supported``.
        stalls: How many gaps are stalls: above max(3 × median gap, 250 ms) of their own answer.
        stalled_s: Their sum.
    """

    unit: GapUnit
    n: int
    same_read: int
    chunks: int
    tokens: int | None
    merged_share: float
    delay_p99_ns: int | None
    withheld: tuple[Withheld, ...]
    mean_s: float | None
    median_s: float | None
    p95_s: float | None
    p95_supported: bool
    p99_s: float | None
    p99_supported: bool
    min_s: float | None
    max_s: float | None
    stalls: int
    stalled_s: float

    @property
    def chunk_token_ratio(self) -> float | None:
        """m/C; None where C is not known or 0."""
        return self.chunks / self.tokens if self.tokens else None


def pooled_gaps(traces: Sequence[GenerationTrace]) -> PooledGaps | None:
    """The gaps of all ``traces`` in one pool; None where no answer has two chunks."""
    gaps_ns: list[int] = []
    chunks = same_read = stalls = stalled_ns = 0
    for trace in traces:
        track = GapTrack.of(trace)
        numbers = track.summary()
        chunks += numbers.chunks
        same_read += numbers.same_read
        stalls += numbers.stalls
        stalled_ns += numbers.stalled_ns
        waits = (track.wait_ns(index) for index in range(1, numbers.chunks))
        gaps_ns += [wait for wait in waits if wait is not None]
    pairs = len(gaps_ns) + same_read
    if not pairs:
        return None
    gaps_ns.sort()
    n = len(gaps_ns)
    tokens = _reported_tokens(traces)
    delay_p99_ns = max(
        (trace.delay_p99_ns for trace in traces if trace.delay_p99_ns is not None), default=None
    )
    reasons = withheld(same_read=same_read, pairs=pairs, delay_p99_ns=delay_p99_ns)
    is_told = n > 0 and not reasons
    has_mean = n > 0 and Withheld.MERGED_READS not in reasons
    return PooledGaps(
        unit=GapUnit.TOKEN if is_token_for_chunk(chunks, tokens) else GapUnit.CHUNK,
        n=n,
        same_read=same_read,
        chunks=chunks,
        tokens=tokens,
        merged_share=same_read / pairs,
        delay_p99_ns=delay_p99_ns,
        withheld=reasons,
        mean_s=sum(gaps_ns) / n / _NS_PER_S if has_mean else None,
        median_s=percentile(gaps_ns, 0.5) / _NS_PER_S if is_told else None,
        p95_s=percentile(gaps_ns, 0.95) / _NS_PER_S if is_told else None,
        p95_supported=is_told and n >= P95_COUNT,
        p99_s=percentile(gaps_ns, 0.99) / _NS_PER_S if is_told else None,
        p99_supported=is_told and n >= P99_COUNT,
        min_s=gaps_ns[0] / _NS_PER_S if gaps_ns else None,
        max_s=gaps_ns[-1] / _NS_PER_S if gaps_ns else None,
        stalls=stalls,
        stalled_s=stalled_ns / _NS_PER_S,
    )


def _reported_tokens(traces: Sequence[GenerationTrace]) -> int | None:
    total = 0
    for trace in traces:
        counted = output_tokens(trace)
        if counted is None:
            continue
        if counted.source is not TokenSource.USAGE:
            return None
        total += counted.count
    return total

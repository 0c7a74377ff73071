"""The gaps of many answers taken together, and whether their percentiles can be believed."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

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

    A gap is t(k) − t(k−1) within one answer, for every pair of neighbours, so that anybody comes to the same
    numbers from the stamps alone.  Between chunks of one socket read it is 0 by the way they were read; such
    pairs are counted, and above 1 % of them nothing is told that rests on the order of the gaps.

    Attributes:
        unit: TOKEN only where every answer's tokens were reported and 0.98 ≤ m/C ≤ 1/0.98 over all of them.
        n: All gaps, Σ(m − 1).
        same_read: Those of 0 between chunks of one read.
        chunks: Σm.
        tokens: ΣC as reported; None if one answer's was not.
        merged_share: ``same_read``/``n``.
        delay_p99_ns: The largest of the measuring process's own delays, in ns; None if none is known.
        withheld: Why median, p95 and p99 are not told; empty where they are.
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
    mean_s: float
    median_s: float | None
    p95_s: float | None
    p95_supported: bool
    p99_s: float | None
    p99_supported: bool
    min_s: float
    max_s: float
    stalls: int
    stalled_s: float


def pooled_gaps(traces: Sequence[GenerationTrace]) -> PooledGaps | None:
    """The gaps of all ``traces`` in one pool; None where no answer has two chunks."""
    gaps_ns: list[int] = []
    chunks = same_read = stalls = stalled_ns = 0
    for trace in traces:
        numbers = GapTrack.of(trace).summary()
        chunks += numbers.chunks
        same_read += numbers.same_read
        stalls += numbers.stalls
        stalled_ns += numbers.stalled_ns
        gaps_ns += [later.at_ns - earlier.at_ns for earlier, later in pairwise(trace.chunks)]
    n = len(gaps_ns)
    if not n:
        return None
    gaps_ns.sort()
    tokens = _reported_tokens(traces)
    delay_p99_ns = max(
        (trace.delay_p99_ns for trace in traces if trace.delay_p99_ns is not None), default=None
    )
    reasons = withheld(same_read=same_read, pairs=n, delay_p99_ns=delay_p99_ns)
    is_told = not reasons
    return PooledGaps(
        unit=GapUnit.TOKEN if is_token_for_chunk(chunks, tokens) else GapUnit.CHUNK,
        n=n,
        same_read=same_read,
        chunks=chunks,
        tokens=tokens,
        merged_share=same_read / n,
        delay_p99_ns=delay_p99_ns,
        withheld=reasons,
        mean_s=sum(gaps_ns) / n / _NS_PER_S,
        median_s=percentile(gaps_ns, 0.5) / _NS_PER_S if is_told else None,
        p95_s=percentile(gaps_ns, 0.95) / _NS_PER_S if is_told else None,
        p95_supported=is_told and n >= P95_COUNT,
        p99_s=percentile(gaps_ns, 0.99) / _NS_PER_S if is_told else None,
        p99_supported=is_told and n >= P99_COUNT,
        min_s=gaps_ns[0] / _NS_PER_S,
        max_s=gaps_ns[-1] / _NS_PER_S,
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

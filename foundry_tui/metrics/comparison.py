"""Whether one set of requests is faster than another, pair by pair, and whether that can be said at all."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean
from typing import TYPE_CHECKING

from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.metrics.intervals import CONFIDENCE, Interval, bootstrap_interval
from foundry_tui.metrics.measures import Measure, Reading, is_counted, read
from foundry_tui.metrics.paired_tests import sign_test_p, wilcoxon_p

if TYPE_CHECKING:
    from foundry_tui.metrics.intervals import Rows

__all__ = ["LEAST_PAIRS", "Comparison", "Verdict", "compared"]

LEAST_PAIRS = 6
"""With n pairs the smallest two-sided p of either test is 2/2ⁿ: below 0.05 from 6 on."""
# Latencies are compared only of answers of like length, within a tenth.
_LENGTH_TOLERANCE = 0.1


class Verdict(StrEnum):
    """What can be said of B, seen from A."""

    FASTER = "faster"
    SLOWER = "slower"
    NO_DIFFERENCE_SHOWN = "no-difference-shown"
    """Which is not that there is none: only that these pairs do not show it."""
    TOO_FEW = "too-few"
    """No outcome of so few pairs could show a difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """B against A in one measure, over the pairs of the same prompt and round.

    Attributes:
        pairs: How many pairs there are.
        prompts: Of how many prompts they are.
        unpaired_a: Timed requests of A that are in no pair: failed, undefined in this measure, or without a
            counterpart.
        unpaired_b: Likewise of B.
        more_pairs: How many pairs are missing for a verdict; 0 where there are enough.
        ratio: exp(mean of ln(b/a)), the geometric mean of the pairs' ratios of the measure itself: 0.88 is
            12 % less time, or 12 % less rate.  None without a pair.
        interval: Of ``ratio``, 95 %, by bootstrap over the pairs; None below 6 pairs.
        sign_p: Of the sign test, two-sided and exact; None without a pair.
        wilcoxon_p: Of Wilcoxon's signed-rank test, likewise; it decides.
        is_estimate: Whether a value among them rests on an estimated count.
        length_ratio: Geometric mean of C_b/C_a; None unless every pair's counts were reported and above 0.
    """

    measure: Measure
    verdict: Verdict
    pairs: int
    prompts: int
    unpaired_a: int
    unpaired_b: int
    more_pairs: int
    ratio: float | None
    interval: Interval | None
    sign_p: float | None
    wilcoxon_p: float | None
    is_estimate: bool
    length_ratio: float | None

    @property
    def has_alike_lengths(self) -> bool | None:
        """Whether the answers are of like length, within a tenth; else only rates compare.  None: unknown."""
        if self.length_ratio is None:
            return None
        return abs(math.log(self.length_ratio)) <= math.log1p(_LENGTH_TOLERANCE)


def compared(
    a: Sequence[RequestRun], b: Sequence[RequestRun], *, measure: Measure = Measure.LATENCY, seed: int = 0
) -> Comparison:
    """B against A, one model's requests each, paired by prompt and round.

    FASTER or SLOWER where Wilcoxon's exact p is below 0.05 and the bootstrap interval of the ratio leaves 1
    out; both, so that no sentence says "faster" beside an interval that says "or slower".  Whether A and B
    may be compared at all, by what else differs between them, is for the caller to see to.  Of two counted
    requests of one prompt and round the later one is taken.

    Args:
        a: What is compared with, of whatever phase; only timed ones that ended well are taken.
        b: What is compared.
        measure: In what.
        seed: Of the bootstrap.

    Raises:
        ValueError: One side is of more than one model.
    """
    if any(len({request.model for request in side}) > 1 for side in (a, b)):
        raise ValueError("each side of a comparison is of one model")
    readings_a, readings_b = _readings(a, measure), _readings(b, measure)
    keys = [key for key in readings_a if key in readings_b]
    logs = [math.log(readings_b[key][1].value / readings_a[key][1].value) for key in keys]
    interval = _ratio_interval(logs, seed)
    p = wilcoxon_p(logs) if logs else None
    return Comparison(
        measure=measure,
        verdict=_verdict(logs, p, interval, measure),
        pairs=len(logs),
        prompts=len({prompt_id for prompt_id, _ in keys}),
        unpaired_a=sum(request.phase is Phase.TIMED for request in a) - len(keys),
        unpaired_b=sum(request.phase is Phase.TIMED for request in b) - len(keys),
        more_pairs=max(0, LEAST_PAIRS - len(logs)),
        ratio=math.exp(fmean(logs)) if logs else None,
        interval=interval,
        sign_p=sign_test_p(logs) if logs else None,
        wilcoxon_p=p,
        is_estimate=any(side[key][1].is_estimate for side in (readings_a, readings_b) for key in keys),
        length_ratio=_length_ratio([(readings_a[key][0], readings_b[key][0]) for key in keys]),
    )


def _readings(
    requests: Sequence[RequestRun], measure: Measure
) -> dict[tuple[str, int], tuple[RequestRun, Reading]]:
    """What was read of each prompt and round; a ratio needs it above 0."""
    readings: dict[tuple[str, int], tuple[RequestRun, Reading]] = {}
    for request in sorted(requests, key=lambda one: one.number):
        reading = read(request.trace, measure) if is_counted(request) else None
        if reading is not None and reading.value > 0:
            readings[request.prompt_id, request.round] = (request, reading)
    return readings


def _ratio_interval(logs: Sequence[float], seed: int) -> Interval | None:
    def means(rows: "Rows") -> "Rows":
        found: Rows = rows.mean(axis=1)
        return found

    of_logs = bootstrap_interval(logs, means, seed=seed)
    return None if of_logs is None else Interval(math.exp(of_logs.low), math.exp(of_logs.high))


def _verdict(logs: Sequence[float], p: float | None, interval: Interval | None, measure: Measure) -> Verdict:
    if p is None or interval is None or len(logs) < LEAST_PAIRS:
        return Verdict.TOO_FEW
    if p >= 1 - CONFIDENCE or interval.holds(1):
        return Verdict.NO_DIFFERENCE_SHOWN
    is_less = fmean(logs) < 0
    return Verdict.FASTER if is_less is measure.is_time else Verdict.SLOWER


def _length_ratio(pairs: Sequence[tuple[RequestRun, RequestRun]]) -> float | None:
    logs: list[float] = []
    for one, other in pairs:
        counts = [
            request.trace.usage.completion_tokens if request.trace.usage is not None else None
            for request in (one, other)
        ]
        if not counts[0] or not counts[1]:
            return None
        logs.append(math.log(counts[1] / counts[0]))
    return math.exp(fmean(logs)) if logs else None

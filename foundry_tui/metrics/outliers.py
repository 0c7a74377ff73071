"""Requests that stand out from the others of their model, and what most likely made them.

They are marked, never dropped: every statistic is of all readings.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, median

from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.metrics.gaps import GapTrack
from foundry_tui.metrics.measures import Measure, is_counted, read
from foundry_tui.metrics.tokens import output_tokens
from foundry_tui.metrics.trust import DELAY_LIMIT_NS

__all__ = ["LEAST_ROUNDS", "SCORE_LIMIT", "Cause", "Outlier", "outliers"]

SCORE_LIMIT = 3.5
"""Above it a reading is marked (B. Iglewicz and D. Hoaglin, How to Detect and Handle Outliers, 1993)."""
LEAST_ROUNDS = 3
"""Of two readings nobody can say which one stands out."""

# They make the deviations of normal readings comparable with a standard deviation: 1/Φ⁻¹(3/4), and √(π/2).
_MEDIAN_SCALE = 1.482602
_MEAN_SCALE = 1.253314
# An answer is longer, or shorter, where its length differs from the usual one by more than this.
_LENGTH_TOLERANCE = 0.1


class Cause(StrEnum):
    """What most likely made a reading stand out; the first that applies."""

    FIRST = "first"
    """Slower, and the first timed request of its model."""
    STALL = "stall"
    """Slower, and its answer halted in the middle."""
    FOREIGN_DELAY = "foreign-delay"
    """Slower, while the measuring process itself was kept waiting: something else had the processor."""
    LONGER_OUTPUT = "longer-output"
    """Took longer, for more tokens than the same prompt brought otherwise."""
    SHORTER_OUTPUT = "shorter-output"
    """Took less time, for fewer tokens."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlier:
    """One request that stands out.

    Attributes:
        number: Of the request.
        value: In the unit of the measure.
        usual: The median of its prompt, likewise.
        score: How many standard deviations it is away, were the others normal; above 3.5, always positive.
    """

    number: int
    value: float
    usual: float
    score: float
    cause: Cause


@dataclass(frozen=True, slots=True)
class _Judged:
    request: RequestRun
    value: float
    usual: float

    @property
    def deviation(self) -> float:
        return math.log(self.value / self.usual)


def outliers(requests: Sequence[RequestRun], measure: Measure = Measure.LATENCY) -> tuple[Outlier, ...]:
    """The timed requests of one model that stand out in ``measure``, in the order of their numbers.

    Score = |d|/(1.4826·MAD) > 3.5: d = ln(x/median of its prompt), so that prompts of different lengths are
    judged together and their deviations share one scale; MAD = median of |d| over all of them.  Of each
    prompt with an odd number of readings one d is 0 whatever was read, and is left out of the MAD: with three
    rounds every tenth normal reading would else be marked.  Where the MAD is 0, 1.2533·mean of |d| takes the
    place of 1.4826·MAD.  Prompts with fewer than three readings are not judged.
    """
    judged, spare = _judged(requests, measure)
    scale = _scale([abs(one.deviation) for one in judged], spare)
    if not scale:
        return ()
    timed = [request.number for request in requests if request.phase is Phase.TIMED]
    lengths = _usual_lengths(requests)
    return tuple(
        Outlier(
            number=one.request.number,
            value=one.value,
            usual=one.usual,
            score=score,
            cause=_cause(one, measure, is_first=one.request.number == min(timed), lengths=lengths),
        )
        for one in sorted(judged, key=lambda one: one.request.number)
        if (score := abs(one.deviation) / scale) > SCORE_LIMIT
    )


def _judged(requests: Sequence[RequestRun], measure: Measure) -> tuple[list[_Judged], int]:
    """All readings that can be judged, and how many of their deviations are 0 by their making."""
    readings: defaultdict[str, list[tuple[RequestRun, float]]] = defaultdict(list)
    for request in filter(is_counted, requests):
        reading = read(request.trace, measure)
        if reading is not None and reading.value > 0:
            readings[request.prompt_id].append((request, reading.value))
    judged: list[_Judged] = []
    spare = 0
    for of_prompt in readings.values():
        if len(of_prompt) < LEAST_ROUNDS:
            continue
        usual = median(value for _, value in of_prompt)
        judged += [_Judged(request, value, usual) for request, value in of_prompt]
        spare += len(of_prompt) % 2
    return judged, spare


def _scale(sizes: Sequence[float], spare: int) -> float:
    """What is to deviations as a standard deviation; 0 where they are all 0, or there is none."""
    counted = sorted(sizes)[spare:]
    if not counted:
        return 0.0
    return _MEDIAN_SCALE * median(counted) or _MEAN_SCALE * fmean(counted)


def _cause(one: _Judged, measure: Measure, *, is_first: bool, lengths: dict[str, float]) -> Cause:
    trace = one.request.trace
    is_slower = (one.value > one.usual) is measure.is_time
    usual_length = lengths.get(one.request.prompt_id)
    counted = output_tokens(trace)
    longer = math.log(counted.count / usual_length) if counted is not None and usual_length else 0.0
    if is_slower and is_first:
        return Cause.FIRST
    if is_slower and GapTrack.of(trace).summary().stalls:
        return Cause.STALL
    if is_slower and trace.delay_p99_ns is not None and trace.delay_p99_ns > DELAY_LIMIT_NS:
        return Cause.FOREIGN_DELAY
    if (
        measure is Measure.LATENCY
        and abs(longer) > math.log1p(_LENGTH_TOLERANCE)
        and is_slower is (longer > 0)
    ):
        return Cause.LONGER_OUTPUT if is_slower else Cause.SHORTER_OUTPUT
    return Cause.UNKNOWN


def _usual_lengths(requests: Sequence[RequestRun]) -> dict[str, float]:
    """The median number of output tokens of each prompt."""
    counts: defaultdict[str, list[int]] = defaultdict(list)
    for request in filter(is_counted, requests):
        counted = output_tokens(request.trace)
        if counted is not None and counted.count:
            counts[request.prompt_id].append(counted.count)
    return {prompt_id: median(of_prompt) for prompt_id, of_prompt in counts.items()}

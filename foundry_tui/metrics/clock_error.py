"""Our own error: what we read against what a server of known timing wrote.

Only durations are compared, each between two readings of one process, so that the clocks of the two need not
agree.  Every error is absolute: |ours − the server's|.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from foundry_tui.domain.known_timing import Condition, KnownAnswer, Schedule, SelfTestResult
from foundry_tui.metrics.latency import decode_rate, ttft_s
from foundry_tui.metrics.percentiles import P99_COUNT, percentile
from foundry_tui.metrics.trust import Withheld, withheld

__all__ = [
    "GAP_AIM_NS",
    "RATE_AIM_SHARE",
    "TTFT_AIM_NS",
    "Check",
    "ClockError",
    "ErrorSpread",
    "Quantity",
    "checks_of",
    "clock_errors",
    "gap_errors_ns",
    "is_passed",
    "rate_error_share",
    "ttft_error_ns",
]

_NS_PER_S = 1_000_000_000
TTFT_AIM_NS = 2_000_000
"""The median error of TTFT shall not be above."""
GAP_AIM_NS = 1_000_000
"""The median error of a gap shall not be above."""
RATE_AIM_SHARE = 0.01
"""The median error of a decode rate shall not be above; counting the first token too would be 3 %."""


class Quantity(StrEnum):
    """What is held against the server's truth."""

    TTFT = "ttft"
    GAP = "gap"
    RATE = "rate"
    COUNTS = "counts"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorSpread:
    """Absolute errors of one quantity in a few numbers, all in its unit.

    Attributes:
        p99: Linear between the two nearest; None below n = 299, which a statement about it needs.
    """

    n: int
    median: float
    p99: float | None
    maximum: float

    @classmethod
    def of(cls, errors: Sequence[float]) -> "ErrorSpread | None":
        """Of these; None where there are none."""
        if not errors:
            return None
        ordered = sorted(errors)
        return cls(
            n=len(ordered),
            median=percentile(ordered, 0.5),
            p99=percentile(ordered, 0.99) if len(ordered) >= P99_COUNT else None,
            maximum=ordered[-1],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockError:
    """Our error under one condition and schedule; None where nothing could be compared.

    Attributes:
        answers: How many were asked for.
        ttft_ns: Of t1 − t0 against first write − request read.
        gap_ns: Of each gap, those between chunks of one read (ours is 0 there) among them.
        rate_share: Of the decode rate, as a share of the server's.
        exact: Answers with every chunk and every token counted, and a good end.
        ours_ttft_ns: Median, as are the next three; what each should be is in ``schedule``.
        merged_share: Share of the chunks that came in one read with the one before.
        delay_p99_ns: The largest of the measuring process's own delays.
        withheld: Why a benchmark would not tell percentiles of these gaps.
    """

    condition: Condition
    schedule: Schedule
    answers: int
    ttft_ns: ErrorSpread | None
    gap_ns: ErrorSpread | None
    rate_share: ErrorSpread | None
    exact: int
    ours_ttft_ns: float | None
    written_ttft_ns: float | None
    ours_gap_ns: float | None
    written_gap_ns: float | None
    merged_share: float | None
    delay_p99_ns: int | None
    withheld: tuple[Withheld, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One quantity against its aim.

    Attributes:
        error: None for counts, and where nothing could be compared.
        aim: The largest median error; None for counts, which must be exact in every answer.
    """

    quantity: Quantity
    clock: ClockError
    error: ErrorSpread | None
    aim: float | None

    @property
    def is_within(self) -> bool:
        """Whether the aim is met; what could not be compared does not meet it."""
        if self.aim is None:
            return self.clock.exact == self.clock.answers > 0
        return self.error is not None and self.error.median <= self.aim


def ttft_error_ns(answer: KnownAnswer) -> float | None:
    """|(t1 − t0) − (first write − request read)|; None without text or without ``sent``."""
    ours_s = ttft_s(answer.trace)
    if ours_s is None or answer.trace.sent_ns is None or not answer.written.text_ns:
        return None
    ours_ns = answer.trace.chunks[0].at_ns - answer.trace.sent_ns
    return abs(ours_ns - _written_ttft_ns(answer))


def gap_errors_ns(answer: KnownAnswer) -> list[float]:
    """|our gap − the server's| of each pair of neighbours; empty where a piece is missing or was made up."""
    if len(answer.trace.chunks) != len(answer.written.text_ns):
        return []
    return [
        float(abs(ours - theirs))
        for ours, theirs in zip(_our_gaps_ns(answer), _written_gaps_ns(answer), strict=True)
    ]


def rate_error_share(answer: KnownAnswer) -> float | None:
    """|ours/the server's − 1| of the decode rate.

    The server's is (C − c1)/(last write − first write), c1 being the tokens of its first piece.  None where
    either is undefined.
    """
    ours = decode_rate(answer.trace)
    written_ns = answer.written.text_ns
    if ours is None or len(written_ns) < 2 or written_ns[-1] == written_ns[0]:
        return None
    tokens = answer.schedule.tokens - answer.schedule.tokens_per_chunk
    theirs_per_s = tokens * _NS_PER_S / (written_ns[-1] - written_ns[0])
    return abs(ours.tokens_per_s / theirs_per_s - 1)


def clock_errors(answers: Sequence[KnownAnswer]) -> tuple[ClockError, ...]:
    """Our error under each condition and schedule, in the order in which they first came."""
    kinds = dict.fromkeys((answer.condition, answer.schedule) for answer in answers)
    return tuple(
        _clock_error(
            condition,
            schedule,
            [answer for answer in answers if (answer.condition, answer.schedule) == (condition, schedule)],
        )
        for condition, schedule in kinds
    )


def checks_of(clock: ClockError) -> tuple[Check, ...]:
    """Every quantity of ``clock`` against its aim."""
    return (
        Check(quantity=Quantity.TTFT, clock=clock, error=clock.ttft_ns, aim=TTFT_AIM_NS),
        Check(quantity=Quantity.GAP, clock=clock, error=clock.gap_ns, aim=GAP_AIM_NS),
        Check(quantity=Quantity.RATE, clock=clock, error=clock.rate_share, aim=RATE_AIM_SHARE),
        Check(quantity=Quantity.COUNTS, clock=clock, error=None, aim=None),
    )


def is_passed(result: SelfTestResult) -> bool:
    """Whether every aim is met and every fault was told right; a result without answers is not passed."""
    checks = [check for clock in clock_errors(result.answers) for check in checks_of(clock)]
    return bool(checks) and all(check.is_within for check in checks) and _faults_are_right(result)


def _faults_are_right(result: SelfTestResult) -> bool:
    return all(seen.is_right for seen in result.faults)


def _clock_error(condition: Condition, schedule: Schedule, answers: Sequence[KnownAnswer]) -> ClockError:
    ttft_errors = [error for answer in answers if (error := ttft_error_ns(answer)) is not None]
    rate_errors = [error for answer in answers if (error := rate_error_share(answer)) is not None]
    timed = [answer for answer in answers if answer.trace.sent_ns is not None and answer.trace.chunks]
    pairs = [pair for answer in answers for pair in pairwise(answer.trace.chunks)]
    same_read = sum(later.read == earlier.read != 0 for earlier, later in pairs)
    delays_ns = [answer.trace.delay_p99_ns for answer in answers if answer.trace.delay_p99_ns is not None]
    delay_p99_ns = max(delays_ns, default=None)
    return ClockError(
        condition=condition,
        schedule=schedule,
        answers=len(answers),
        ttft_ns=ErrorSpread.of(ttft_errors),
        gap_ns=ErrorSpread.of([error for answer in answers for error in gap_errors_ns(answer)]),
        rate_share=ErrorSpread.of(rate_errors),
        exact=sum(_is_exact(answer) for answer in answers),
        ours_ttft_ns=_median(
            [answer.trace.chunks[0].at_ns - (answer.trace.sent_ns or 0) for answer in timed]
        ),
        written_ttft_ns=_median([_written_ttft_ns(answer) for answer in answers if answer.written.text_ns]),
        ours_gap_ns=_median([gap for answer in answers for gap in _our_gaps_ns(answer)]),
        written_gap_ns=_median([gap for answer in answers for gap in _written_gaps_ns(answer)]),
        merged_share=same_read / len(pairs) if pairs else None,
        delay_p99_ns=delay_p99_ns,
        withheld=withheld(same_read=same_read, pairs=len(pairs), delay_p99_ns=delay_p99_ns),
    )


def _is_exact(answer: KnownAnswer) -> bool:
    """Whether the answer ended well with as many pieces and tokens as were written."""
    usage = answer.trace.usage
    return (
        answer.trace.outcome.is_timed
        and len(answer.trace.chunks) == len(answer.written.text_ns) == answer.schedule.chunks
        and usage is not None
        and usage.completion_tokens == answer.schedule.tokens
    )


def _our_gaps_ns(answer: KnownAnswer) -> list[int]:
    return [later.at_ns - earlier.at_ns for earlier, later in pairwise(answer.trace.chunks)]


def _written_gaps_ns(answer: KnownAnswer) -> list[int]:
    return [later - earlier for earlier, later in pairwise(answer.written.text_ns)]


def _written_ttft_ns(answer: KnownAnswer) -> int:
    return answer.written.text_ns[0] - answer.written.request_ns


def _median(values: Sequence[int]) -> float | None:
    return percentile(sorted(values), 0.5) if values else None

"""Our own error, against figures worked out by hand: a first write after 100 ms, then one each 20 ms."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from foundry_tui.domain.chat import ChunkReceived, Outcome, TokenUsage
from foundry_tui.domain.known_timing import (
    ENDINGS,
    SCHEDULES,
    Condition,
    Fault,
    FaultSeen,
    KnownAnswer,
    Schedule,
    SelfTestResult,
    WrittenAnswer,
)
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.clock_error import (
    ClockError,
    ErrorSpread,
    Quantity,
    checks_of,
    clock_errors,
    gap_errors_ns,
    is_passed,
    rate_error_share,
    ttft_error_ns,
)
from foundry_tui.metrics.trust import Withheld

MS = 1_000_000
EVEN = Schedule(name="even", first_ms=100, gap_ms=20, late_ms=50, chunks=5, tokens_per_chunk=1)
PAIRS = replace(EVEN, name="quick-pairs", tokens_per_chunk=2)
# The server's process counts from elsewhere: only differences may be compared.
SERVER_NS = 7_000_000 * MS
OURS_NS = 1_000 * MS
AT_MS = (100.0, 120.0, 140.0, 160.0, 180.0)
GOOD = tuple(FaultSeen(fault=fault, seen=ENDINGS[fault]) for fault in Fault)


def answer(
    late_ms: Sequence[float] = (0, 0, 0, 0, 0),
    *,
    schedule: Schedule = EVEN,
    reads: Sequence[int] = (1, 2, 3, 4, 5),
    tokens: int | None = None,
    outcome: Outcome = Outcome.COMPLETED,
    delay_ms: float = 1,
) -> KnownAnswer:
    """An answer that was read so much later than it was written, piece by piece."""
    chunks = tuple(
        ChunkReceived(at_ns=OURS_NS + round((at_ms + late) * MS), text="word ", read=read)
        for at_ms, late, read in zip(AT_MS, late_ms, reads, strict=False)
    )
    trace = GenerationTrace(
        call_ns=OURS_NS - MS,
        sent_ns=OURS_NS,
        headers_ns=OURS_NS,
        role_ns=OURS_NS,
        chunks=chunks,
        end_ns=None,
        usage=TokenUsage(completion_tokens=schedule.tokens if tokens is None else tokens),
        outcome=outcome,
        delay_p99_ns=round(delay_ms * MS),
    )
    written = WrittenAnswer(
        name=schedule.name,
        request_ns=SERVER_NS,
        text_ns=tuple(SERVER_NS + round(at_ms * MS) for at_ms in AT_MS),
    )
    return KnownAnswer(condition=Condition.IDLE, schedule=schedule, trace=trace, written=written)


def result(*answers: KnownAnswer, faults: tuple[FaultSeen, ...] = GOOD) -> SelfTestResult:
    return SelfTestResult(answers=answers, faults=faults, warm_ups=2)


def not_within(clock: ClockError) -> set[Quantity]:
    return {check.quantity for check in checks_of(clock) if not check.is_within}


def test_a_clock_that_reads_what_was_written_has_no_error() -> None:
    (clock,) = clock_errors([answer(), answer()])

    nothing = ErrorSpread(n=2, median=0, p99=None, maximum=0)
    assert (clock.ttft_ns, clock.rate_share) == (nothing, nothing)
    assert clock.gap_ns == ErrorSpread(n=8, median=0, p99=None, maximum=0)
    assert (clock.exact, clock.answers) == (2, 2)
    assert (clock.written_ttft_ns, clock.ours_ttft_ns) == (100 * MS, 100 * MS)
    assert (clock.written_gap_ns, clock.ours_gap_ns) == (20 * MS, 20 * MS)
    assert is_passed(result(answer(), answer()))


def test_a_clock_that_is_always_late_is_found_by_the_first_token() -> None:
    late = answer((3, 3, 3, 3, 3))

    (clock,) = clock_errors([late])

    assert ttft_error_ns(late) == 3 * MS
    assert gap_errors_ns(late) == [0, 0, 0, 0]
    assert not_within(clock) == {Quantity.TTFT}
    assert not is_passed(result(late))


def test_a_clock_that_is_late_now_and_then_is_found_by_the_gaps() -> None:
    late = answer((0, 4, 0, 4, 0))

    (clock,) = clock_errors([late])

    assert gap_errors_ns(late) == [4 * MS, 4 * MS, 4 * MS, 4 * MS]
    assert not_within(clock) == {Quantity.GAP}


def test_a_clock_that_runs_slow_is_found_by_the_rate() -> None:
    slow = answer([0.05 * at_ms for at_ms in AT_MS])

    (clock,) = clock_errors([slow])

    # Ours: 4 tokens in 84 ms; the server's: 4 in 80 ms.
    assert rate_error_share(slow) == pytest.approx(1 - 80 / 84)
    assert not_within(clock) == {Quantity.RATE, Quantity.TTFT}


def test_errors_to_either_side_do_not_cancel_out() -> None:
    (clock,) = clock_errors([answer((3, 3, 3, 3, 3)), answer((-3, -3, -3, -3, -3))])

    assert clock.ttft_ns == ErrorSpread(n=2, median=3 * MS, p99=None, maximum=3 * MS)


def test_one_bad_moment_is_the_largest_error_and_not_the_median() -> None:
    (clock,) = clock_errors([answer(), answer((9, 0, 0, 0, 0)), answer()])

    assert clock.ttft_ns == ErrorSpread(n=3, median=0, p99=None, maximum=9 * MS)
    assert not_within(clock) == set()


def test_tokens_of_the_first_piece_are_in_no_rate_of_either_side() -> None:
    assert rate_error_share(answer(schedule=PAIRS)) == pytest.approx(0)


def test_a_piece_that_is_missing_leaves_the_gaps_undefined_and_fails() -> None:
    short = answer((0, 0, 0, 0))

    (clock,) = clock_errors([short])

    assert gap_errors_ns(short) == []
    assert (clock.gap_ns, clock.exact) == (None, 0)
    assert {Quantity.GAP, Quantity.COUNTS} <= not_within(clock)


@pytest.mark.parametrize("wrong", [answer(tokens=6), answer(outcome=Outcome.EARLY_END)])
def test_a_token_too_many_or_an_answer_that_broke_is_not_exact(wrong: KnownAnswer) -> None:
    (clock,) = clock_errors([answer(), wrong])

    assert clock.exact == 1
    assert Quantity.COUNTS in not_within(clock)


def test_an_answer_without_text_has_no_error_and_does_not_pass() -> None:
    empty = answer(())

    (clock,) = clock_errors([empty])

    assert (ttft_error_ns(empty), rate_error_share(empty), clock.gap_ns) == (None, None, None)
    assert not_within(clock) == set(Quantity)


def test_pieces_of_one_read_are_counted_and_their_gaps_are_errors() -> None:
    merged = answer((20, 0, 0, 0, 0), reads=(1, 1, 2, 3, 4))

    (clock,) = clock_errors([merged])

    assert clock.merged_share == 0.25
    assert gap_errors_ns(merged) == [20 * MS, 0, 0, 0]
    assert clock.withheld == (Withheld.MERGED_READS,)


def test_the_worst_delay_of_all_answers_is_told_with_what_it_means() -> None:
    (clock,) = clock_errors([answer(delay_ms=1), answer(delay_ms=6), answer(delay_ms=2)])

    assert clock.delay_p99_ns == 6 * MS
    assert clock.withheld == (Withheld.LATE_CLOCK,)


def test_p99_is_told_from_299_errors_on() -> None:
    few, enough = ErrorSpread.of(range(298)), ErrorSpread.of(range(299))

    assert few is not None
    assert enough is not None
    assert few.p99 is None
    assert enough.p99 == pytest.approx(295.02)
    assert ErrorSpread.of([]) is None


def test_the_shipped_ten_rounds_allow_a_statement_about_p99() -> None:
    assert all(10 * (schedule.chunks - 1) >= 299 for schedule in SCHEDULES)


def test_conditions_and_schedules_are_told_apart() -> None:
    drawn = replace(answer(schedule=PAIRS), condition=Condition.DRAWING)

    clocks = clock_errors([answer(), drawn, answer(), answer(schedule=PAIRS)])

    assert [(clock.condition, clock.schedule, clock.answers) for clock in clocks] == [
        (Condition.IDLE, EVEN, 2),
        (Condition.DRAWING, PAIRS, 1),
        (Condition.IDLE, PAIRS, 1),
    ]


def test_a_fault_told_as_another_fails() -> None:
    wrong = FaultSeen(fault=Fault.EARLY_END, seen=ENDINGS[Fault.NO_DONE])

    assert not is_passed(result(answer(), faults=(*GOOD[1:], wrong)))


def test_nothing_measured_is_not_passed() -> None:
    assert not is_passed(result())


def test_faults_have_endings_of_their_own() -> None:
    told = [(ending.outcome, ending.warnings) for ending in ENDINGS.values()]

    assert len(set(told)) == len(Fault)


@pytest.mark.parametrize("text_ns", [(4,), (5, 7, 6)])
def test_a_log_that_goes_backwards_is_refused(text_ns: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="backwards"):
        WrittenAnswer(name="even", request_ns=5, text_ns=text_ns)

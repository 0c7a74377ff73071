"""The self-test in words and as an object: our own error against a server of known timing."""

from collections.abc import Mapping
from typing import assert_never

from foundry_tui.domain.known_timing import (
    ENDINGS,
    Condition,
    Ending,
    Fault,
    FaultSeen,
    KnownAnswer,
    Schedule,
    SelfTestResult,
)
from foundry_tui.domain.quantities import UNKNOWN
from foundry_tui.metrics.clock_error import (
    Check,
    ClockError,
    ErrorSpread,
    Quantity,
    checks_of,
    clock_errors,
    is_passed,
)
from foundry_tui.reports.conversation_markdown import utc_moment
from foundry_tui.reports.run_footer import OWN_ERROR, OWN_ERROR_AT
from foundry_tui.reports.run_words import WITHHELD_WORDS

__all__ = [
    "CLOCK_HEADER",
    "CLOCK_RIGHT",
    "FAULT_HEADER",
    "SELFTEST_SCHEMA",
    "clock_rows",
    "diagnosis_lines",
    "fault_rows",
    "own_error_facts",
    "selftest_object",
    "verdict_line",
]

SELFTEST_SCHEMA = "foundry-tui/selftest@1"
CLOCK_HEADER = ("MEANWHILE", "SCHEDULE", "WHAT", "N", "WRITTEN", "READ", "ERROR", "P99", "MAX", "AIM", "")
CLOCK_RIGHT = frozenset({3, 4, 5, 6, 7, 8, 9})
FAULT_HEADER = ("AN ANSWER WITH", "IS TOLD AS", "")

_NS_PER_MS = 1_000_000
_QUANTITY_WORDS: Mapping[Quantity, str] = {
    Quantity.TTFT: "TTFT",
    Quantity.GAP: "gaps",
    Quantity.RATE: "decode rate",
    Quantity.COUNTS: "chunks, tokens",
}
_FAULT_WORDS: Mapping[Fault, str] = {
    Fault.ERROR_OBJECT: "an error object in HTTP 200",
    Fault.EARLY_END: "an early, clean end",
    Fault.CUT: "a connection that is cut",
    Fault.NO_DONE: "no [DONE]",
    Fault.NO_TEXT: "no text",
    Fault.NOT_JSON: "something that is not JSON",
    Fault.TOO_LONG: "its end cut off by the limit",
    Fault.REFUSED: "HTTP 503",
}


def clock_rows(result: SelfTestResult) -> list[tuple[str, ...]]:
    """A row for each quantity, schedule and condition, under ``CLOCK_HEADER``."""
    return [_row(check) for clock in clock_errors(result.answers) for check in checks_of(clock)]


def fault_rows(result: SelfTestResult) -> list[tuple[str, ...]]:
    """A row for each fault, under ``FAULT_HEADER``."""
    return [
        (_FAULT_WORDS[seen.fault], _told_as(seen), _mark(is_right=seen.is_right)) for seen in result.faults
    ]


def diagnosis_lines(result: SelfTestResult) -> list[str]:
    """What the measuring process says of itself, for each schedule and condition; and what was drawn."""
    lines = [_diagnosis(clock) for clock in clock_errors(result.answers)]
    if any(answer.condition is Condition.DRAWING for answer in result.answers):
        lines.append(f"drawing: {result.frames} frames of 120 x 40 meanwhile, for no terminal")
    return lines


def verdict_line(result: SelfTestResult) -> str:
    """The end of it in one sentence; names what is not within its aim."""
    if is_passed(result):
        return "All within the aims."
    checks = [check for clock in clock_errors(result.answers) for check in checks_of(clock)]
    failed = [
        f"{_QUANTITY_WORDS[check.quantity]} ({_where(check.clock)})"
        for check in checks
        if not check.is_within
    ]
    failed += [_FAULT_WORDS[seen.fault] for seen in result.faults if not seen.is_right]
    return f"Not within the aims: {', '.join(failed) or 'nothing was measured'}."


def own_error_facts(
    result: SelfTestResult, *, version: str, measured_unix_ms: int
) -> tuple[tuple[str, str], ...]:
    """What a run's environment has of our own error, as name and value; ``run_footer`` tells it.

    A value for each condition and schedule: ``TTFT p50 0.21 ms, … gaps p50 0.05 ms, p99 0.17 ms (n=300), …``,
    of absolute errors; p99 where n allows it, else the largest.
    """
    clocks = clock_errors(result.answers)
    told = [
        (f"{OWN_ERROR}_{clock.condition.value}_{clock.schedule.name}", _clock_words(clock))
        for clock in clocks
    ]
    measured = {clock.condition for clock in clocks}
    told += [
        (f"{OWN_ERROR}_{condition.value}", "not measured")
        for condition in Condition
        if condition not in measured
    ]
    faults = sum(seen.is_right for seen in result.faults)
    return (
        (OWN_ERROR_AT, f"{utc_moment(measured_unix_ms)}, foundry-tui {version}"),
        *told,
        (f"{OWN_ERROR}_failures", f"{faults} of {len(result.faults)} kinds told right"),
    )


def selftest_object(result: SelfTestResult, environment: tuple[tuple[str, str], ...]) -> dict[str, object]:
    """Everything, with the readings that it was computed from; see ``foundry-tui schema selftest``."""
    clocks = clock_errors(result.answers)
    return {
        "schema": SELFTEST_SCHEMA,
        "passed": is_passed(result),
        "environment": dict(environment),
        "warm_ups": result.warm_ups,
        "frames": result.frames,
        "checks": [_check_object(check) for clock in clocks for check in checks_of(clock)],
        "clocks": [_clock_object(clock) for clock in clocks],
        "faults": [_fault_object(seen) for seen in result.faults],
        "answers": [_answer_object(answer) for answer in result.answers],
    }


def _clock_words(clock: ClockError) -> str:
    each = "a chunk" if clock.schedule.tokens_per_chunk == 1 else f"{clock.schedule.tokens_per_chunk} tokens"
    rate = _percent(None if clock.rate_share is None else clock.rate_share.median)
    return (
        f"TTFT {_spread_words(clock.ttft_ns)}, gaps {_spread_words(clock.gap_ns)}, decode rate p50 {rate},"
        f" {clock.exact} of {clock.answers} counted exactly; {each} every {clock.schedule.gap_ms:g} ms"
    )


def _spread_words(spread: ErrorSpread | None) -> str:
    if spread is None:
        return UNKNOWN
    worst = f"max {_ms(spread.maximum)}" if spread.p99 is None else f"p99 {_ms(spread.p99)}"
    return f"p50 {_ms(spread.median)}, {worst} (n={spread.n})"


def _row(check: Check) -> tuple[str, ...]:
    clock = check.clock
    head = (clock.condition.value, _schedule_words(clock.schedule), _QUANTITY_WORDS[check.quantity])
    mark = _mark(is_right=check.is_within)
    match check.quantity:
        case Quantity.TTFT:
            pair = (_ms(clock.written_ttft_ns), _ms(clock.ours_ttft_ns))
        case Quantity.GAP:
            pair = (_ms(clock.written_gap_ns), _ms(clock.ours_gap_ns))
        case Quantity.RATE:
            pair = ("", "")
        case Quantity.COUNTS:
            exact = f"{clock.exact} exact"
            return (*head, str(clock.answers), "", "", exact, "", "", _aim_words(check), mark)
        case _:
            assert_never(check.quantity)
    is_rate = check.quantity is Quantity.RATE
    error = check.error
    n = 0 if error is None else error.n
    spread = (None, None, None) if error is None else (error.median, error.p99, error.maximum)
    return (*head, str(n), *pair, *map(_percent if is_rate else _ms, spread), _aim_words(check), mark)


def _aim_words(check: Check) -> str:
    if check.aim is None:
        return "all"
    return f"≤ {check.aim:.0%}" if check.quantity is Quantity.RATE else f"≤ {check.aim / _NS_PER_MS:g} ms"


def _diagnosis(clock: ClockError) -> str:
    merged = UNKNOWN if clock.merged_share is None else f"{clock.merged_share:.1%}"
    line = (
        f"{_where(clock)}: {merged} of the chunks shared a read;"
        f" the measuring process's own delay {_ms(clock.delay_p99_ns)} (p99)"
    )
    if not clock.withheld:
        return line
    reasons = " and ".join(WITHHELD_WORDS[reason] for reason in clock.withheld)
    return f"{line}. A benchmark would withhold percentiles of gaps: {reasons}"


def _where(clock: ClockError) -> str:
    return f"{clock.condition.value}, {_schedule_words(clock.schedule)}"


def _schedule_words(schedule: Schedule) -> str:
    each = "" if schedule.tokens_per_chunk == 1 else f", {schedule.tokens_per_chunk} tokens"
    return f"{schedule.first_ms:g} ms + {schedule.gap_ms:g} ms{each}"


def _told_as(seen: FaultSeen) -> str:
    words = _ending_words(seen.seen)
    return words if seen.is_right else f"{words}; it is {_ending_words(ENDINGS[seen.fault])}"


def _ending_words(ending: Ending) -> str:
    warnings = "".join(f", {warning}" for warning in ending.warnings)
    return f"{ending.outcome.value}{warnings}, {ending.chunks} chunks kept"


def _mark(*, is_right: bool) -> str:
    return "ok" if is_right else "NO"


def _ms(ns: float | None) -> str:
    """Three digits that mean something: ``0.031 ms``, ``5.12 ms``, ``20.1 ms``, ``100 ms``."""
    if ns is None:
        return UNKNOWN
    ms = ns / _NS_PER_MS
    digits = 3 if ms < 0.9995 else 2 if ms < 9.995 else 1
    return f"{ms:.{digits}f} ms"


def _percent(share: float | None) -> str:
    return UNKNOWN if share is None else f"{share:.3%}"


def _check_object(check: Check) -> dict[str, object]:
    is_rate = check.quantity is Quantity.RATE
    return {
        "what": check.quantity.value,
        "condition": check.clock.condition.value,
        "schedule": check.clock.schedule.name,
        "error": None if check.error is None else check.error.median,
        "aim": check.aim,
        "unit": "share" if is_rate else "answers" if check.quantity is Quantity.COUNTS else "ns",
        "passed": check.is_within,
    }


def _clock_object(clock: ClockError) -> dict[str, object]:
    schedule = clock.schedule
    return {
        "condition": clock.condition.value,
        "schedule": {
            "name": schedule.name,
            "first_ms": schedule.first_ms,
            "gap_ms": schedule.gap_ms,
            "late_ms": schedule.late_ms,
            "chunks": schedule.chunks,
            "tokens": schedule.tokens,
        },
        "answers": clock.answers,
        "exact": clock.exact,
        "ttft": {
            "written_ns": clock.written_ttft_ns,
            "read_ns": clock.ours_ttft_ns,
            "error_ns": _spread_object(clock.ttft_ns),
        },
        "gap": {
            "written_ns": clock.written_gap_ns,
            "read_ns": clock.ours_gap_ns,
            "error_ns": _spread_object(clock.gap_ns),
        },
        "rate": {"error_share": _spread_object(clock.rate_share)},
        "merged_share": clock.merged_share,
        "delay_p99_ns": clock.delay_p99_ns,
        "withheld": [reason.value for reason in clock.withheld],
    }


def _spread_object(spread: ErrorSpread | None) -> dict[str, object] | None:
    if spread is None:
        return None
    return {"n": spread.n, "median": spread.median, "p99": spread.p99, "max": spread.maximum}


def _fault_object(seen: FaultSeen) -> dict[str, object]:
    return {
        "fault": seen.fault.value,
        "expected": _ending_object(ENDINGS[seen.fault]),
        "seen": _ending_object(seen.seen),
        "passed": seen.is_right,
    }


def _ending_object(ending: Ending) -> dict[str, object]:
    return {"status": ending.outcome.value, "chunks": ending.chunks, "warnings": list(ending.warnings)}


def _answer_object(answer: KnownAnswer) -> dict[str, object]:
    trace, written = answer.trace, answer.written
    return {
        "condition": answer.condition.value,
        "schedule": answer.schedule.name,
        "status": trace.outcome.value,
        "completion_tokens": None if trace.usage is None else trace.usage.completion_tokens,
        "sent_ns": trace.sent_ns,
        "chunk_ns": [chunk.at_ns for chunk in trace.chunks],
        "chunk_read": [chunk.read for chunk in trace.chunks],
        "end_ns": trace.end_ns,
        "delay_p99_ns": trace.delay_p99_ns,
        "request_ns": written.request_ns,
        "written_ns": list(written.text_ns),
    }

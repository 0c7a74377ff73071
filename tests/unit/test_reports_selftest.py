"""The self-test in words."""

import json
from dataclasses import replace

import jsonschema
import pytest

from foundry_tui.config.schema import json_schema
from foundry_tui.domain.chat import ChunkReceived, Outcome, TokenUsage
from foundry_tui.domain.known_timing import (
    ENDINGS,
    SCHEDULES,
    Condition,
    Ending,
    Fault,
    FaultSeen,
    KnownAnswer,
    SelfTestResult,
    WrittenAnswer,
)
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.reports.selftest import (
    clock_rows,
    diagnosis_lines,
    fault_rows,
    own_error_facts,
    selftest_object,
    verdict_line,
)

MS = 1_000_000
EVEN = replace(SCHEDULES[0], chunks=3)
GOOD = tuple(FaultSeen(fault=fault, seen=ENDINGS[fault]) for fault in Fault)


def answer(*, late_ms: float = 0.5, delay_ms: float = 1) -> KnownAnswer:
    at_ns = [round((100 + 20 * number) * MS) for number in range(3)]
    trace = GenerationTrace(
        call_ns=0,
        sent_ns=0,
        headers_ns=0,
        role_ns=0,
        chunks=tuple(
            ChunkReceived(at_ns=at + round(late_ms * MS), text="word ", read=read)
            for read, at in enumerate(at_ns, start=1)
        ),
        end_ns=None,
        usage=TokenUsage(completion_tokens=3),
        outcome=Outcome.COMPLETED,
        delay_p99_ns=round(delay_ms * MS),
    )
    written = WrittenAnswer(name=EVEN.name, request_ns=0, text_ns=tuple(at_ns))
    return KnownAnswer(condition=Condition.IDLE, schedule=EVEN, trace=trace, written=written)


def result(*answers: KnownAnswer, faults: tuple[FaultSeen, ...] = GOOD, frames: int = 0) -> SelfTestResult:
    return SelfTestResult(answers=answers, faults=faults, warm_ups=2, frames=frames)


def test_each_row_says_what_was_written_read_and_aimed_at() -> None:
    head = ("idle", "100 ms + 20 ms")

    assert clock_rows(result(answer())) == [
        (*head, "TTFT", "1", "100.0 ms", "100.5 ms", "0.500 ms", "n/a", "0.500 ms", "≤ 2 ms", "ok"),
        (*head, "gaps", "2", "20.0 ms", "20.0 ms", "0.000 ms", "n/a", "0.000 ms", "≤ 1 ms", "ok"),
        (*head, "decode rate", "1", "", "", "0.000%", "n/a", "0.000%", "≤ 1%", "ok"),
        (*head, "chunks, tokens", "1", "", "", "1 exact", "", "", "all", "ok"),
    ]
    assert verdict_line(result(answer())) == "All within the aims."


def test_what_is_not_within_its_aim_is_named() -> None:
    late = result(answer(late_ms=2.5))

    assert [row[-1] for row in clock_rows(late)] == ["NO", "ok", "ok", "ok"]
    assert verdict_line(late) == "Not within the aims: TTFT (idle, 100 ms + 20 ms)."


def test_a_fault_told_as_another_is_named_with_the_truth() -> None:
    seen = Ending(outcome=Outcome.COMPLETED, chunks=3)
    wrong = result(answer(), faults=(FaultSeen(fault=Fault.EARLY_END, seen=seen),))

    assert fault_rows(wrong) == [
        ("an early, clean end", "completed, 3 chunks kept; it is early_end, 3 chunks kept", "NO")
    ]
    assert verdict_line(wrong) == "Not within the aims: an early, clean end."


def test_a_late_process_and_an_unseen_screen_are_told_of() -> None:
    drawn = replace(answer(delay_ms=6), condition=Condition.DRAWING)

    first, last = diagnosis_lines(result(drawn, frames=42))

    assert first == (
        "drawing, 100 ms + 20 ms: 0.0% of the chunks shared a read; the measuring process's own delay 6.00 ms"
        " (p99). A benchmark would withhold percentiles of gaps: the measuring process itself was more than"
        " 5 ms late"
    )
    assert last == "drawing: 42 frames of 120 x 40 meanwhile, for no terminal"


def test_a_run_gets_the_errors_their_date_and_what_was_not_measured() -> None:
    facts = own_error_facts(result(answer()), version="1.2", measured_unix_ms=0)

    assert facts == (
        ("own_error_measured", "1970-01-01T00:00:00.000Z, foundry-tui 1.2"),
        (
            "own_error_idle_even",
            "TTFT p50 0.500 ms, max 0.500 ms (n=1), gaps p50 0.000 ms, max 0.000 ms (n=2),"
            " decode rate p50 0.000%, 1 of 1 counted exactly; a chunk every 20 ms",
        ),
        ("own_error_drawing", "not measured"),
        ("own_error_failures", "8 of 8 kinds told right"),
    )


def test_gaps_enough_have_a_p99() -> None:
    many = [answer()] * 150  # of two gaps each

    facts = dict(own_error_facts(result(*many), version="1.2", measured_unix_ms=0))

    assert "gaps p50 0.000 ms, p99 0.000 ms (n=300)" in facts["own_error_idle_even"]


@pytest.mark.parametrize(
    "shown", [result(answer()), result(answer(late_ms=9)), result()], ids=["good", "late", "empty"]
)
def test_the_object_keeps_to_its_schema_whatever_was_found(shown: SelfTestResult) -> None:
    content = json.loads(json.dumps(selftest_object(shown, (("os", "Linux"),))))

    jsonschema.validate(content, json_schema("selftest"))

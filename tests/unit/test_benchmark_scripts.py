"""What the scripts in ``benchmarks/`` take for the truth, and how they judge by it."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.domain.chat import ChunkReceived, Outcome, TokenUsage
from foundry_tui.domain.known_timing import Condition, KnownAnswer, WrittenAnswer
from foundry_tui.domain.trace import GenerationTrace
from tests.support.record import Record, Request, Written
from tests.support.script import Reasoning, Respond, Script, Step, Text, Together, Usage
from tests.support.timed import MS

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))  # scripts, which import each other by name

from bench_error import errors_of
from beside_others import judged
from figures import Verdict, interval_words, judge, median_interval, percentile
from other_tools import Told
from schedules import CASES, PROMPT, Case, Chooser, steady, written_ns

STEADY = [steady(name, 1.0) for name in ("rate-50", "packed-200", "together-200")]
GOOD = [*STEADY, *(case for case in CASES.values() if not case.fails)]


def asked(model: str, text: str = PROMPT) -> Request:
    return Request(
        method="POST",
        path="/v1/chat/completions",
        query="",
        headers={},
        body={"model": model, "messages": [{"role": "user", "content": text}]},
        at_ns=0,
        connection=0,
    )


def pieces(script: Script) -> list[str]:
    """The text of each event with text."""

    def of(steps: Sequence[object]) -> list[str]:
        found = []
        for step in steps:
            if isinstance(step, Together):
                found += of(step.steps)
            elif isinstance(step, Text | Reasoning):
                found.append(step.text)
        return found

    return of(script.steps)


def record_of(model: str, *labels: tuple[int, str]) -> Record:
    """One request, read at 0 ms, and its writes."""
    record = Record()
    record.requests.append(asked(model))
    record.log += [Written(at_ns=ms * MS, data=b"x", label=label, request=0) for ms, label in labels]
    return record


ROLE_FIRST = CASES["role-first"]
WRITTEN = ((0, "headers"), (0, "role"), (100, "text"), (110, "text"), (130, "text"))


def told(**known: object) -> Told:
    exact = Told(
        start_ns=0, is_failure=False, ttft_ms=100.0, gaps_ms=(10.0, 20.0), token_ms=30 / 63, tokens=64
    )
    return replace(exact, **known)  # type: ignore[arg-type] # each by its name, as the tests give them


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_a_schedule_says_how_many_tokens_its_script_writes(case: Case) -> None:
    words = "".join(pieces(case.script)).split()
    usages = [step.completion for step in case.script.steps if isinstance(step, Usage)]

    assert len(words) == case.schedule.tokens
    assert usages == ([] if case.name == "no-usage" else [case.schedule.tokens])


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_a_schedule_says_how_many_writes_hold_text(case: Case) -> None:
    def holds_text(step: Step) -> bool:
        return isinstance(step, Text | Reasoning | Together)

    assert sum(map(holds_text, case.script.steps)) == case.schedule.chunks


def test_only_the_prompt_is_answered_by_the_schedule() -> None:
    chooser = Chooser(1.0, spares_first=False)

    assert chooser(asked("role-first")) is ROLE_FIRST.script
    assert pieces(chooser(asked("role-first", "another"))) == ["A ", "good ", "answer."]


def test_a_warm_up_of_a_steady_schedule_is_short_where_it_is_spared() -> None:
    chooser = Chooser(1.0, spares_first=True)

    lengths = [len(pieces(chooser(asked("rate-50")))) for _ in range(3)]
    assert lengths == [3, 48, 48]


def test_every_second_request_fails_of_the_case_that_says_so() -> None:
    chooser = Chooser(1.0, spares_first=False)

    answers = [chooser(asked("http-500")).steps[0] for _ in range(4)]
    assert [isinstance(first, Respond) for first in answers] == [False, True, False, True]


def test_a_write_counts_for_each_piece_that_it_holds() -> None:
    record = record_of("a", (0, "headers+role"), (5, "text+text"), (7, "reasoning"), (9, "finish"))

    assert written_ns(record, 0) == (5 * MS, 5 * MS, 7 * MS)


def test_what_is_told_exactly_has_no_error() -> None:
    found = judged(ROLE_FIRST, told(), record_of("role-first", *WRITTEN))

    assert found.is_told_right
    assert (found.ttft_ms, found.gaps_ms, found.has_right_count) == (0.0, (0.0, 0.0), True)
    assert found.token_share == pytest.approx(0)


def test_errors_are_told_against_the_log() -> None:
    wrong = told(ttft_ms=98.5, gaps_ms=(10.5, 19.0), token_ms=30 / 63 * 1.25, tokens=63)
    found = judged(ROLE_FIRST, wrong, record_of("role-first", *WRITTEN))

    assert (found.ttft_ms, found.gaps_ms, found.has_right_count) == (1.5, (0.5, 1.0), False)
    assert found.token_share == pytest.approx(0.25)


def test_gaps_of_another_number_are_not_compared() -> None:
    found = judged(ROLE_FIRST, told(gaps_ms=(30.0,)), record_of("role-first", *WRITTEN))

    assert found.gaps_ms == ()


def test_a_failure_that_is_told_as_an_answer_is_wrong_and_has_no_error_of_timing() -> None:
    found = judged(CASES["early-end"], told(), record_of("early-end", *WRITTEN))

    assert not found.is_told_right
    assert (found.ttft_ms, found.gaps_ms, found.token_share, found.has_right_count) == (None, (), None, None)


def test_between_failures_a_good_answer_must_be_told_as_one() -> None:
    case = CASES["http-500"]

    good = record_of("http-500", *WRITTEN)
    assert judged(case, told(), good).is_told_right
    assert not judged(case, told(is_failure=True), good).is_told_right
    assert judged(case, told(is_failure=True), record_of("http-500", (1, "respond"))).is_told_right


def test_gaps_within_one_write_are_no_gaps() -> None:
    stamps_ms = (100, 100, 120, 120)
    trace = GenerationTrace(
        call_ns=0,
        sent_ns=0,
        headers_ns=None,
        role_ns=None,
        chunks=tuple(
            ChunkReceived(at_ns=ms * MS + 5_000 * read, text="x", read=read)
            for ms, read in zip(stamps_ms, (1, 1, 2, 2), strict=True)
        ),
        end_ns=None,
        usage=TokenUsage(completion_tokens=4),
        outcome=Outcome.COMPLETED,
    )
    texts_ns = tuple(ms * MS for ms in stamps_ms)
    answer = KnownAnswer(
        condition=Condition.IDLE,
        schedule=replace(steady("together-200", 0.5).schedule, chunks=2, tokens_per_chunk=2),
        trace=trace,
        written=WrittenAnswer(name="together-200", request_ns=0, text_ns=texts_ns),
    )

    found = errors_of([answer])
    assert found.gaps.gap_ms == [0.005]
    assert found.ttft_ms == [0.005]
    assert found.gaps.merged_share == pytest.approx(2 / 3)


def test_the_interval_of_a_median_needs_six_readings() -> None:
    assert median_interval([1.0, 2.0, 3.0, 4.0, 5.0]) is None
    assert median_interval([3.0, 1.0, 2.0, 6.0, 4.0, 5.0]) == (1.0, 6.0)
    assert median_interval([float(n) for n in range(1, 10)]) == (2.0, 8.0)


def test_an_interval_is_told_in_the_wanted_form_and_unit_or_not_at_all() -> None:
    readings_s = [0.003, 0.001, 0.002, 0.006, 0.004, 0.005]

    assert interval_words(readings_s, ".1f", scale=1e3, unit=" ms") == "1.0 to 6.0 ms"
    assert interval_words(readings_s, ".1%") == "0.1% to 0.6%"
    assert interval_words(readings_s[:5], ".1f", unit=" ms") == "n/a"


def test_a_percentile_lies_between_its_neighbours_in_proportion() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([0.0, 10.0], 0.99) == pytest.approx(9.9)


def test_a_claim_holds_only_if_the_whole_interval_does() -> None:
    readings = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]

    assert judge(readings, at_most=6.0) is Verdict.HOLDS
    assert judge(readings, at_most=5.5) is Verdict.UNDECIDED
    assert judge(readings, at_most=0.5) is Verdict.FAILS

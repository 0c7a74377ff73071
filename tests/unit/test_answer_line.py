"""The one line under an answer."""

from dataclasses import replace

import pytest

from foundry_tui.domain.chat import ChunkKind, ChunkReceived, Outcome, TokenUsage
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.reports.answer import describe, describe_live

MS = 1_000_000


def trace(
    *chunks: ChunkReceived,
    usage: TokenUsage | None = None,
    outcome: Outcome = Outcome.COMPLETED,
    finish_reason: str | None = "stop",
    warnings: tuple[str, ...] = (),
) -> GenerationTrace:
    return GenerationTrace(
        call_ns=0,
        sent_ns=0,
        headers_ns=None,
        role_ns=None,
        chunks=chunks,
        end_ns=None,
        usage=usage,
        outcome=outcome,
        finish_reason=finish_reason,
        warnings=warnings,
    )


def chunk(at_ms: int, text: str = "four", *, kind: ChunkKind = ChunkKind.CONTENT) -> ChunkReceived:
    return ChunkReceived(at_ns=at_ms * MS, text=text, kind=kind, read=at_ms)


def test_a_good_answer_has_its_times_its_rate_with_the_source_its_tokens_and_its_end() -> None:
    usage = TokenUsage(prompt_tokens=1234, completion_tokens=3)

    line = describe(trace(chunk(52), chunk(62), chunk(72), usage=usage))

    assert line == "TTFT 52.0 ms · 100 tok/s (usage) · 1,234 in · 3 out · 72.0 ms in all · stop"


def test_counted_chunks_are_marked_as_an_estimate() -> None:
    line = describe(trace(chunk(52), chunk(62), chunk(72)))

    assert line == "TTFT 52.0 ms · ~100 tok/s (chunks) · n/a in · ~3 out · 72.0 ms in all · stop"


def test_an_answer_that_was_thought_over_says_when_the_answer_itself_began() -> None:
    line = describe(trace(chunk(52, kind=ChunkKind.REASONING), chunk(132), chunk(1052)))

    assert line == (
        "TTFT 52.0 ms · answer after 132 ms · ~2.0 tok/s (chunks) · n/a in · ~3 out · 1.05 s in all · stop"
    )


@pytest.mark.parametrize(
    ("reasoning", "role_ms", "rates"),
    [
        (400, 50, "100 tok/s shown after 4.00 s of hidden tokens, 100 tok/s with them"),
        (None, 50, "~100 tok/s shown after 4.00 s of hidden tokens, 100 tok/s with them"),
        (400, None, "100 tok/s shown after 4.05 s of the prompt and hidden tokens, 99.1 tok/s with them"),
    ],
    ids=["told", "not told", "no role"],
)
def test_hidden_tokens_have_two_honest_speeds_and_never_an_inflated_one(
    reasoning: int | None, role_ms: int | None, rates: str
) -> None:
    # 40 of 440 tokens are shown, 10 ms apart: over the time that they were shown in, all would be 1,100/s.
    usage = TokenUsage(prompt_tokens=5, completion_tokens=440, reasoning_tokens=reasoning)
    shown = [chunk(4050 + 10 * index) for index in range(40)]
    answer = trace(*shown, usage=usage)
    answer = replace(answer, role_ns=None if role_ms is None else role_ms * MS)

    line = describe(answer)

    assert line == f"TTFT 4.05 s · {rates} · 5 in · 440 out · 4.44 s in all · stop"


def test_an_answer_in_one_read_has_its_rate_end_to_end_and_says_so() -> None:
    # 2 tokens over 50 ms
    line = describe(trace(chunk(50), chunk(50), usage=TokenUsage(completion_tokens=2)))

    assert line == (
        "TTFT 50.0 ms · 40.0 tok/s end to end (usage, in 1 read) · n/a in · 2 out · 50.0 ms in all · stop"
    )


def test_a_rate_from_few_reads_is_marked_as_an_estimate_with_their_number() -> None:
    # 4 tokens, 3 of them in the first read, 1 more in 20 ms
    usage = TokenUsage(prompt_tokens=5, completion_tokens=4)

    line = describe(trace(chunk(52), chunk(52), chunk(52), chunk(72), usage=usage))

    assert line == ("TTFT 52.0 ms · ~50.0 tok/s (usage, in 2 reads) · 5 in · 4 out · 72.0 ms in all · stop")


def test_nothing_known_reads_not_available_everywhere() -> None:
    line = describe(trace(outcome=Outcome.NOT_LOADED, finish_reason=None))

    assert line == "TTFT n/a · n/a tok/s · n/a in · n/a out · n/a in all · not loaded"


@pytest.mark.parametrize(
    ("outcome", "reason", "end"),
    [
        (Outcome.COMPLETED, "stop", "stop"),
        (Outcome.COMPLETED, "tool_calls", "tool_calls"),
        (Outcome.COMPLETED, None, "completed"),
        (Outcome.TRUNCATED, "length", "length (cut at max tokens)"),
        (Outcome.CANCELLED, None, "stopped"),
        (Outcome.OUT_OF_MEMORY, None, "out of memory"),
        (Outcome.ENGINE_DIED, None, "engine died"),
        (Outcome.EARLY_END, None, "early end"),
    ],
)
def test_the_end_is_worded(outcome: Outcome, reason: str | None, end: str) -> None:
    line = describe(trace(chunk(52), outcome=outcome, finish_reason=reason))

    assert line.rpartition(" · ")[2] == end


def test_warnings_follow_in_words_and_unknown_ones_as_they_are() -> None:
    line = describe(trace(chunk(52), warnings=("no_done", "transport_floor", "new_one")))

    assert line.endswith(
        " · stop · the stream ended without [DONE] · TTFT is at this platform's transport floor · new_one"
    )


@pytest.mark.parametrize(
    ("chunks", "sent_ns", "line"),
    [
        ([], 0, "waiting for the first token"),
        ([chunk(52)], 0, "TTFT 52.0 ms · … tok/s · 1 chunk · Esc stops"),
        ([chunk(52), chunk(152)], 2 * MS, "TTFT 50.0 ms · ~10.0 tok/s (chunks) · 2 chunks · Esc stops"),
        ([chunk(52), chunk(152)], None, "~10.0 tok/s (chunks) · 2 chunks · Esc stops"),
    ],
)
def test_a_line_for_an_answer_that_still_streams(
    chunks: list[ChunkReceived], sent_ns: int | None, line: str
) -> None:
    assert describe_live(chunks, sent_ns) == line

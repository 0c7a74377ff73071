"""Times, rates and token counts of one request, against figures worked out by hand.

Readings below are in milliseconds; t0 is 1000 ms on a clock that starts anywhere.
"""

import pytest

from foundry_tui.domain.chat import ChatMessage, ChunkKind, ChunkReceived, Outcome, Role, TokenUsage
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.latency import (
    Rate,
    answer_wait_s,
    decode_rate,
    end_to_end_rate,
    has_hidden_tokens,
    is_coarse,
    latency_s,
    live_rate,
    merged_share,
    ttft_s,
)
from foundry_tui.metrics.tokens import (
    TokenCount,
    TokenSource,
    answer_budget,
    estimate_prompt_tokens,
    output_tokens,
)

MS = 1_000_000


def chunk(
    at_ms: float,
    text: str = "four",
    *,
    kind: ChunkKind = ChunkKind.CONTENT,
    tokens: int | None = None,
    read: int = 0,
) -> ChunkReceived:
    return ChunkReceived(at_ns=int(at_ms * MS), text=text, kind=kind, tokens=tokens, read=read)


def trace(
    *chunks: ChunkReceived,
    completion: int | None = None,
    reasoning: int | None = None,
    sent_ms: int | None = 1000,
) -> GenerationTrace:
    usage = None
    if completion is not None or reasoning is not None:
        usage = TokenUsage(prompt_tokens=9, completion_tokens=completion, reasoning_tokens=reasoning)
    return GenerationTrace(
        call_ns=0,
        sent_ns=None if sent_ms is None else sent_ms * MS,
        headers_ns=None,
        role_ns=None,
        chunks=chunks,
        end_ns=None,
        usage=usage,
        outcome=Outcome.COMPLETED,
    )


def evenly(
    count: int, *, first_ms: float = 1100, gap_ms: float = 10, text: str = "four"
) -> list[ChunkReceived]:
    return [chunk(first_ms + number * gap_ms, text, read=number) for number in range(count)]


# Time to first token, waiting for the answer, latency


def test_time_to_first_token_counts_from_the_sent_request_to_the_first_text() -> None:
    assert ttft_s(trace(chunk(1052), chunk(1100))) == 0.052


def test_reasoning_counts_as_first_token_and_not_as_answer() -> None:
    thinking = trace(chunk(1052, kind=ChunkKind.REASONING), chunk(1132), chunk(1200))

    assert ttft_s(thinking) == 0.052
    assert answer_wait_s(thinking) == 0.132


def test_tool_text_counts_as_first_token_and_not_as_answer() -> None:
    calling = trace(chunk(1052, kind=ChunkKind.TOOL))

    assert ttft_s(calling) == 0.052
    assert answer_wait_s(calling) is None


def test_latency_ends_with_the_last_text() -> None:
    assert latency_s(trace(chunk(1052), chunk(3500))) == 2.5


@pytest.mark.parametrize("nothing", [trace(), trace(chunk(1052), sent_ms=None)], ids=["no text", "not sent"])
def test_times_without_text_or_without_a_sent_reading_are_undefined(nothing: GenerationTrace) -> None:
    assert ttft_s(nothing) is None
    assert answer_wait_s(nothing) is None
    assert latency_s(nothing) is None
    assert end_to_end_rate(nothing) is None


def test_a_first_token_in_the_same_nanosecond_is_zero_and_not_undefined() -> None:
    assert ttft_s(trace(chunk(1000))) == 0.0


# Decode rate


def test_the_first_token_and_its_wait_are_left_out_of_the_decode_rate() -> None:
    # 64 tokens, 63 gaps of 10 ms: 63 / 0.63 s
    rate = decode_rate(trace(*evenly(64), completion=64))

    assert rate == Rate(tokens_per_s=100.0, source=TokenSource.USAGE, is_estimate=False)


def test_two_tokens_in_two_chunks_are_enough_for_a_decode_rate() -> None:
    rate = decode_rate(trace(*evenly(2), completion=2))

    assert rate == Rate(tokens_per_s=100.0, source=TokenSource.USAGE, is_estimate=False)


def test_chunks_are_not_tokens() -> None:
    # 24 tokens in 15 chunks over 14 gaps of 16 ms: (24 - 24/15) / 0.224 s = 22.4 / 0.224 s
    rate = decode_rate(trace(*evenly(15, gap_ms=16), completion=24))

    assert rate is not None
    assert rate.tokens_per_s == pytest.approx(100.0, rel=1e-12)
    assert rate.source is TokenSource.USAGE
    assert rate.is_estimate  # of how many tokens were in the first chunk


def test_a_count_that_came_with_the_first_chunk_is_taken_for_its_share() -> None:
    # 12 tokens, 4 of them at t1, 8 more in 80 ms
    told = trace(chunk(1100, tokens=4), chunk(1180, "eight more", tokens=12), completion=12)

    assert decode_rate(told) == Rate(tokens_per_s=100.0, source=TokenSource.USAGE, is_estimate=False)


def test_all_that_shared_the_first_read_is_left_out() -> None:
    # 5 tokens, 3 of them at t1, 2 more in 20 ms
    merged = trace(chunk(1100), chunk(1100), chunk(1100), chunk(1110), chunk(1120), completion=5)

    assert decode_rate(merged) == Rate(tokens_per_s=100.0, source=TokenSource.USAGE, is_estimate=False)


def test_the_count_with_the_last_chunk_of_the_first_read_is_what_had_arrived() -> None:
    # 9 tokens, 5 at t1, 4 more in 40 ms
    merged = trace(chunk(1100, tokens=2), chunk(1100, tokens=5), chunk(1140, tokens=9))

    assert decode_rate(merged) == Rate(tokens_per_s=100.0, source=TokenSource.USAGE, is_estimate=False)


def test_without_a_reported_count_chunks_are_counted_and_it_is_an_estimate() -> None:
    # 11 chunks, 10 gaps of 10 ms
    rate = decode_rate(trace(*evenly(11)))

    assert rate == Rate(tokens_per_s=100.0, source=TokenSource.CHUNKS, is_estimate=True)


def test_a_late_finish_does_not_enter_the_decode_rate() -> None:
    late = GenerationTrace(
        call_ns=0,
        sent_ns=1000 * MS,
        headers_ns=None,
        role_ns=None,
        chunks=tuple(evenly(11)),
        end_ns=9000 * MS,
        usage=TokenUsage(completion_tokens=11),
        outcome=Outcome.COMPLETED,
    )

    assert decode_rate(late) == Rate(tokens_per_s=100.0, source=TokenSource.USAGE, is_estimate=False)


@pytest.mark.parametrize(
    "undefined",
    [
        trace(completion=5),
        trace(chunk(1100), completion=5),
        trace(chunk(1100), chunk(1110), completion=1),
        trace(chunk(1100), chunk(1100), chunk(1100), completion=3),
        trace(chunk(1100, tokens=5), chunk(1110, tokens=5), completion=5),
        trace(chunk(1100, tokens=5), chunk(1110), completion=3),
    ],
    ids=["no chunk", "one chunk", "one token", "one read", "none after t1", "fewer than at t1"],
)
def test_the_decode_rate_is_undefined(undefined: GenerationTrace) -> None:
    assert decode_rate(undefined) is None


def test_a_server_that_counts_zero_with_each_chunk_is_not_taken_at_its_word() -> None:
    found = decode_rate(trace(chunk(1100, tokens=0), chunk(1110, tokens=0), chunk(1120), completion=3))

    assert found is not None
    assert found.tokens_per_s == pytest.approx(100)


# Hidden tokens


def test_reported_reasoning_that_was_not_shown_is_hidden() -> None:
    hiding = trace(*evenly(4), completion=4, reasoning=1)

    assert has_hidden_tokens(hiding)
    assert decode_rate(hiding) is None


def test_reported_reasoning_that_was_shown_is_not_hidden() -> None:
    shown = trace(chunk(1100, kind=ChunkKind.REASONING), chunk(1110), chunk(1120), completion=3, reasoning=1)

    assert not has_hidden_tokens(shown)
    assert decode_rate(shown) == Rate(tokens_per_s=100.0, source=TokenSource.USAGE, is_estimate=False)


@pytest.mark.parametrize(("completion", "is_hiding"), [(9, False), (10, True), (500, True)])
def test_more_tokens_than_shown_bytes_and_an_end_mark_are_hidden(completion: int, is_hiding: bool) -> None:
    # 8 bytes: a token stands for one at least, and one ends the answer without any
    assert has_hidden_tokens(trace(chunk(1100), chunk(1110), completion=completion)) is is_hiding


def test_a_token_can_be_one_byte_of_a_character() -> None:
    # 2 characters of 4 bytes each
    assert not has_hidden_tokens(trace(chunk(1100, "😀"), chunk(1110, "😀"), completion=9))
    assert has_hidden_tokens(trace(chunk(1100, "😀"), chunk(1110, "😀"), completion=10))


def test_half_of_a_surrogate_pair_can_be_counted() -> None:
    assert not has_hidden_tokens(trace(chunk(1100, "\ud800"), chunk(1110, "a"), completion=3))


def test_without_a_reported_count_or_without_text_nothing_is_known_to_be_hidden() -> None:
    assert not has_hidden_tokens(trace(*evenly(2)))
    assert not has_hidden_tokens(trace(completion=50))
    assert not has_hidden_tokens(trace(*evenly(2), completion=2, reasoning=0))


# End-to-end rate


def test_the_end_to_end_rate_counts_all_tokens_from_the_sent_request_on() -> None:
    # 24 tokens in 240 ms
    rate = end_to_end_rate(trace(chunk(1100), chunk(1240), completion=24))

    assert rate == Rate(tokens_per_s=100.0, source=TokenSource.USAGE, is_estimate=False)


def test_an_end_to_end_rate_from_counted_chunks_is_an_estimate() -> None:
    rate = end_to_end_rate(trace(chunk(1010), chunk(1020)))

    assert rate == Rate(tokens_per_s=100.0, source=TokenSource.CHUNKS, is_estimate=True)


def test_the_end_to_end_rate_of_no_time_is_undefined() -> None:
    assert end_to_end_rate(trace(chunk(1000), completion=5)) is None


# Merged reads


def test_the_merged_share_counts_chunks_that_share_a_read_with_the_one_before() -> None:
    chunks = [chunk(1, read=1), chunk(1, read=1), chunk(2, read=2), chunk(2, read=2), chunk(3, read=3)]

    assert merged_share(chunks) == 0.5


@pytest.mark.parametrize(
    ("reads", "share"), [((1, 2), 0.0), ((7, 7), 1.0), ((1, 2, 3), 0.0), ((7, 7, 7), 1.0)]
)
def test_the_merged_share_spans_none_to_all(reads: tuple[int, ...], share: float) -> None:
    assert merged_share([chunk(1, read=read) for read in reads]) == share


@pytest.mark.parametrize("count", [0, 1])
def test_the_merged_share_of_fewer_than_two_chunks_is_undefined(count: int) -> None:
    assert merged_share(evenly(count)) is None


@pytest.mark.parametrize(
    ("reads", "expected"),
    [((), False), ((1,), False), ((1, 1, 2), False), ((1, 1, 1, 2), True)],
    ids=["none", "one", "half", "most"],
)
def test_times_are_coarse_where_most_chunks_shared_a_read(reads: tuple[int, ...], expected: bool) -> None:
    assert is_coarse([chunk(1, read=read) for read in reads]) is expected


# Live rate


def test_the_live_rate_is_taken_over_the_newest_two_seconds() -> None:
    # Slow at first; in the last two seconds 20 gaps of 100 ms
    chunks = [chunk(0), chunk(5000), *(chunk(10_000 + 100 * n) for n in range(21))]

    assert live_rate(chunks) == Rate(tokens_per_s=10.0, source=TokenSource.CHUNKS, is_estimate=True)


def test_two_chunks_are_enough_for_a_live_rate() -> None:
    assert live_rate([chunk(0), chunk(250)]) == Rate(
        tokens_per_s=4.0, source=TokenSource.CHUNKS, is_estimate=True
    )


def test_the_live_rate_prefers_counts_that_came_with_the_chunks() -> None:
    # 8 more tokens in 200 ms
    chunks = [chunk(0, tokens=2), chunk(100, tokens=4), chunk(200, tokens=10)]

    assert live_rate(chunks) == Rate(tokens_per_s=40.0, source=TokenSource.USAGE, is_estimate=False)


@pytest.mark.parametrize(
    "chunks",
    [[], [chunk(1)], [chunk(1), chunk(1)], [chunk(0), chunk(9000)]],
    ids=["none", "one", "at once", "far"],
)
def test_the_live_rate_is_undefined(chunks: list[ChunkReceived]) -> None:
    assert live_rate(chunks) is None


def test_the_live_rate_of_a_flood_looks_at_no_more_than_it_must() -> None:
    # 5000 chunks, 0.1 ms apart, all within two seconds: 2047 gaps in 204.7 ms
    rate = live_rate([chunk(number / 10) for number in range(5000)])

    assert rate == Rate(tokens_per_s=10_000.0, source=TokenSource.CHUNKS, is_estimate=True)


# Token counts


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        (trace(chunk(1), completion=24, sent_ms=0), TokenCount(count=24, source=TokenSource.USAGE)),
        (
            trace(chunk(1, tokens=3), chunk(2, tokens=7), completion=8, sent_ms=0),
            TokenCount(count=8, source=TokenSource.USAGE),
        ),
        (
            trace(chunk(1, tokens=3), chunk(2, tokens=7), sent_ms=0),
            TokenCount(count=7, source=TokenSource.USAGE),
        ),
        (trace(chunk(1), chunk(2), sent_ms=0), TokenCount(count=2, source=TokenSource.CHUNKS)),
        (trace(chunk(1, "x" * 22), sent_ms=0), TokenCount(count=6, source=TokenSource.CHARS)),
        (trace(chunk(1, "x"), sent_ms=0), TokenCount(count=1, source=TokenSource.CHARS)),
        (trace(completion=0), TokenCount(count=0, source=TokenSource.USAGE)),
        (trace(chunk(1), chunk(2), completion=0, sent_ms=0), TokenCount(count=2, source=TokenSource.CHUNKS)),
        (
            trace(chunk(1, tokens=0), chunk(2, tokens=0), completion=0, sent_ms=0),
            TokenCount(count=2, source=TokenSource.CHUNKS),
        ),
        (trace(chunk(1), reasoning=2, sent_ms=0), TokenCount(count=1, source=TokenSource.CHARS)),
        (trace(), None),
    ],
    ids=[
        "final usage",
        "final before running",
        "running usage",
        "chunks",
        "characters",
        "one at least",
        "a reported zero",
        "a reported zero beside text",
        "zeros with each chunk",
        "usage without a count",
        "nothing",
    ],
)
def test_tokens_are_counted_by_whom_is_trusted_most(
    answer: GenerationTrace, count: TokenCount | None
) -> None:
    assert output_tokens(answer) == count


def test_only_a_reported_count_is_no_estimate() -> None:
    estimates = {source: TokenCount(count=1, source=source).is_estimate for source in TokenSource}

    assert estimates == {TokenSource.USAGE: False, TokenSource.CHUNKS: True, TokenSource.CHARS: True}


def test_a_prompt_is_estimated_at_three_characters_a_token_and_eight_for_each_message() -> None:
    # 10 characters: 4 and 8; none: 0 and 8
    messages = (ChatMessage(role=Role.SYSTEM, text="x" * 10), ChatMessage(role=Role.USER, text=""))

    assert estimate_prompt_tokens(messages) == 20
    assert estimate_prompt_tokens(()) == 0


@pytest.mark.parametrize(
    ("wanted", "context", "prompt", "budget"),
    [
        (512, None, 9000, 512),
        (512, 4096, 100, 512),
        (512, 600, 100, 500),
        (512, 100, 100, 1),
        (512, 100, 900, 1),
    ],
)
def test_the_budget_is_what_is_wanted_within_what_the_context_leaves(
    wanted: int, context: int | None, prompt: int, budget: int
) -> None:
    assert answer_budget(wanted, context_tokens=context, prompt_tokens=prompt) == budget

"""One request as the results format has it."""

import hashlib

from foundry_tui.domain.chat import ChunkKind, ChunkReceived, Outcome, TokenUsage
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.reports.results import answer_object


def trace(*chunks: ChunkReceived, usage: TokenUsage | None = None) -> GenerationTrace:
    return GenerationTrace(
        call_ns=1,
        sent_ns=2,
        headers_ns=3,
        role_ns=None,
        chunks=chunks,
        end_ns=9,
        usage=usage,
        outcome=Outcome.DISCONNECTED,
        error="cut",
    )


def test_a_reported_count_is_no_estimate() -> None:
    usage = TokenUsage(prompt_tokens=7, completion_tokens=24)

    request = answer_object(trace(ChunkReceived(at_ns=4, text="a"), usage=usage), model="m", model_id="m:1")

    assert (request["prompt_tokens"], request["completion_tokens"]) == (7, 24)
    assert (request["estimated_tokens"], request["token_source"]) == (None, "usage")


def test_an_estimate_is_kept_apart_from_a_count() -> None:
    chunks = [ChunkReceived(at_ns=4 + number, text="a") for number in range(3)]

    request = answer_object(trace(*chunks), model="m", model_id="m:1")

    assert (request["prompt_tokens"], request["completion_tokens"]) == (None, None)
    assert (request["estimated_tokens"], request["token_source"]) == (3, "chunks")


def test_what_is_unknown_is_null_and_what_had_arrived_is_kept() -> None:
    request = answer_object(
        trace(
            ChunkReceived(at_ns=4, text="hm", kind=ChunkKind.REASONING), ChunkReceived(at_ns=5, text="ö\r\n")
        ),
        model="alias",
        model_id="alias-generic-cpu:1",
    )

    assert request["role_ns"] is None
    assert (request["model"], request["model_id"]) == ("alias", "alias-generic-cpu:1")
    assert (request["status"], request["error"], request["finish_reason"]) == ("disconnected", "cut", None)
    assert (request["call_ns"], request["sent_ns"], request["headers_ns"], request["end_ns"]) == (1, 2, 3, 9)
    assert (request["chunk_ns"], request["chunk_kind"]) == ([4, 5], ["reasoning", "content"])
    assert (request["chunk_chars"], request["text"]) == ([2, 3], "ö\r\n")
    assert request["text_sha256"] == hashlib.sha256(b"\xc3\xb6\r\n").hexdigest()


def test_a_request_without_any_text_has_no_token_source() -> None:
    request = answer_object(trace(), model="m", model_id="m:1")

    assert (request["token_source"], request["estimated_tokens"], request["text"]) == (None, None, "")


def test_half_of_a_surrogate_pair_does_not_keep_the_text_from_being_summed() -> None:
    request = answer_object(trace(ChunkReceived(at_ns=4, text="\ud83d")), model="m", model_id="m:1")

    assert request["text_sha256"] == hashlib.sha256(b"\xed\xa0\xbd").hexdigest()

"""Each ready-made fault looks on the wire as its name says, and to the real SDK as it should."""

import openai
import pytest

from tests.support.asking import chat, client_of, finish_of, read_all, text_of
from tests.support.endpoint import scripted_endpoint
from tests.support.faults import FAULTS, early_clean_end, empty_answer, error_at_once, http_error
from tests.support.script import Headers, Raw, Script


@pytest.mark.parametrize(
    ("fault", "ending"),
    [
        ("early-clean-end", b"0\r\n\r\n"),
        ("no-done", b"0\r\n\r\n"),
        ("hangup-midway", b'"system_fingerprint":null}\n\n\r\n'),
        ("bad-framing", b"this is no chunk size\r\n"),
    ],
)
async def test_a_polite_fault_ends_without_a_reset(fault: str, ending: bytes) -> None:
    async with scripted_endpoint(FAULTS[fault]) as endpoint:
        received, was_reset = await read_all(endpoint)

    assert not was_reset
    assert received.endswith(ending)
    assert b"[DONE]" not in received
    assert (b'"finish_reason":"stop"' in received) == (fault == "no-done")


@pytest.mark.parametrize(("fault", "chunks"), [("reset-midway", 4), ("reset-before-headers", 0)])
async def test_a_reset_is_a_reset(fault: str, chunks: int) -> None:
    async with scripted_endpoint(FAULTS[fault]) as endpoint:
        received, was_reset = await read_all(endpoint)

    assert was_reset
    assert received.count(b'"content":') == chunks
    assert endpoint.disconnects == []


async def test_bytes_that_are_no_event_pass_unchanged() -> None:
    async with scripted_endpoint(Script((Headers(), Raw(b"data: \xff{\r\n\r\n")))) as endpoint:
        received, _ = await read_all(endpoint)

    assert received.endswith(b"\r\n\r\nc\r\ndata: \xff{\r\n\r\n\r\n0\r\n\r\n")


@pytest.mark.parametrize("fault", ["malformed-json", "broken-utf8"])
async def test_broken_events_break_the_client(fault: str) -> None:
    async with scripted_endpoint(FAULTS[fault]) as endpoint, client_of(endpoint.url) as client:
        with pytest.raises(ValueError, match=r"Unterminated|decode"):
            await chat(client)


@pytest.mark.parametrize("script", [error_at_once("no"), FAULTS["error-in-stream"]])
async def test_an_error_object_in_a_good_stream_raises(script: Script) -> None:
    async with scripted_endpoint(script) as endpoint, client_of(endpoint.url) as client:
        with pytest.raises(openai.APIError):
            await chat(client)

    assert endpoint.log[0].data.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_an_early_clean_end_looks_like_success_to_the_sdk() -> None:
    async with scripted_endpoint(early_clean_end()) as endpoint, client_of(endpoint.url) as client:
        chunks = await chat(client)

    assert text_of(chunks) == "Three good pieces"
    assert finish_of(chunks) == []


async def test_an_empty_answer_finishes_without_text() -> None:
    async with scripted_endpoint(empty_answer()) as endpoint, client_of(endpoint.url) as client:
        chunks = await chat(client)

    assert (text_of(chunks), finish_of(chunks)) == ("", ["stop"])


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        ("http-429", 429, "The engine could not do that"),
        ("http-500", 500, "The engine could not do that"),
        ("http-text", 500, "oatpp"),
        ("not-loaded", 400, "must be loaded before inference"),
        ("unknown-model", 404, "Model not found"),
    ],
)
async def test_http_errors_carry_their_status_and_body(fault: str, status: int, text: str) -> None:
    async with scripted_endpoint(FAULTS[fault]) as endpoint, client_of(endpoint.url) as client:
        with pytest.raises(openai.APIStatusError) as caught:
            await chat(client)

    assert caught.value.status_code == status
    assert text in caught.value.response.text
    assert len(endpoint.requests) == 1


async def test_an_http_error_can_say_anything() -> None:
    async with scripted_endpoint(http_error(503, "gone", "text/plain")) as endpoint:
        received, _ = await read_all(endpoint)

    assert received == (
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\ngone"
    )

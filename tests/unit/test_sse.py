import pytest

from foundry_tui.engines.streaming.sse import SseDecoder


@pytest.mark.parametrize(
    ("stream", "payloads"),
    [
        (b"data: a\n\n", [b"a"]),
        (b"data:a\n\n", [b"a"]),
        (b"data: a\r\n\r\n", [b"a"]),
        (b"data:  a \n\n", [b" a "]),
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b": keep-alive\n\ndata: a\n\n", [b"a"]),
        (b"event: x\nid: 7\nretry: 3\ndata: a\n\n", [b"a"]),
        (b"\n\n\ndata: a\n\n\n\n", [b"a"]),
        (b"data: a\n", []),
        (b"data: a", []),
        (b"data\n\n", []),
        (b"data:\n\ndata: \n\ndata: a\n\n", [b"a"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
    ],
)
def test_only_completed_events_give_their_payload(stream: bytes, payloads: list[bytes]) -> None:
    assert SseDecoder().feed(stream) == payloads


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_the_cuts_between_reads_do_not_matter(size: int) -> None:
    stream = b": hi\r\n\r\ndata: one\r\n\r\ndata: two\ndata: lines\n\ndata: [DONE]\n\n"
    decoder = SseDecoder()

    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    payloads = [payload for piece in pieces for payload in decoder.feed(piece)]

    assert payloads == [b"one", b"two\nlines", b"[DONE]"]


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        (b'event: error\ndata: {"message": "no"}\n\n', b'{"error": {"message": "no"}}'),
        (b'data: {"message": "no"}\r\nevent:error\r\n\r\n', b'{"error": {"message": "no"}}'),
        (b'event: error\ndata: {"error": "no"}\n\n', b'{"error": "no"}'),
        (b"event: error\ndata: out of memory\n\n", b'{"error": "out of memory"}'),
        (b"event: error\ndata: {}\n\n", b'{"error": "an error without a message"}'),
    ],
)
def test_an_event_named_error_is_an_error_object_and_the_next_one_is_not(
    event: bytes, payload: bytes
) -> None:
    decoder = SseDecoder()

    assert decoder.feed(event + b"data: a\n\n") == [payload, b"a"]


def test_a_line_that_does_not_end_is_not_waited_for() -> None:
    decoder = SseDecoder()
    decoder.feed(b"data: " + b"x" * (15 << 20))

    with pytest.raises(ValueError, match="without end"):
        decoder.feed(b"x" * (2 << 20))


def test_lines_of_an_event_that_does_not_end_are_not_waited_for() -> None:
    decoder = SseDecoder()
    lines = b"data: x\n" * (1 << 20)
    decoder.feed(lines)

    with pytest.raises(ValueError, match="without end"):
        decoder.feed(lines + lines)

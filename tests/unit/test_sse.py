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

"""Every way in which an answer can go wrong that a client must tell from the others, ready to be served.

Each fault that strikes part-way does so after three good pieces.
"""

import json

from tests.support.script import (
    CleanEnd,
    Comment,
    Done,
    ErrorObject,
    Finish,
    Forever,
    Hangup,
    Headers,
    HoldOpen,
    Raw,
    Reset,
    Respond,
    Role,
    Script,
    Step,
    Text,
    Usage,
    Wait,
    Wire,
    answer,
)

__all__ = [
    "FAULTS",
    "PIECES",
    "bad_framing",
    "broken_utf8",
    "early_clean_end",
    "empty_answer",
    "endless_line",
    "error_at_once",
    "error_event",
    "error_finish",
    "error_in_stream",
    "hangup_midway",
    "http_error",
    "keep_alive_only",
    "left_after_finish",
    "malformed_json",
    "no_done",
    "not_a_stream",
    "not_loaded",
    "reset_before_headers",
    "reset_midway",
    "runaway",
    "stall_before_first",
    "stall_before_headers",
    "stall_midway",
    "unknown_model",
]

PIECES = ("Three ", "good ", "pieces")
GAP_MS = 2.0


def _after_three(*ending: Step) -> Script:
    steps: list[Step] = [Headers(), Role()]
    for piece in PIECES:
        # The wait before each write also lets a client on the same loop read what went before.
        steps += [Wait(GAP_MS), Text(piece)]
    return Script((*steps, Wait(GAP_MS), *ending))


def http_error(
    status: int = 500,
    body: str | None = None,
    content_type: str = "application/json",
    *,
    extra: tuple[tuple[str, str], ...] = (),
) -> Script:
    """An HTTP error; without a ``body``, in the usual envelope."""
    text = _envelope(status, "The engine could not do that") if body is None else body
    return Script((Respond(status, text.encode(), content_type, extra),))


def unknown_model(model: str = "nope") -> Script:
    """What the runtime says of a model that it does not list."""
    return http_error(404, _envelope(404, f"Model not found: No model matching '{model}'"))


def not_loaded(model: str = "nope") -> Script:
    """What the runtime says of a model that is listed and not in memory."""
    message = f"Model not loaded: Model '{model}' must be loaded before inference"
    return http_error(400, _envelope(400, message))


def not_a_stream() -> Script:
    """A 200 with a web page, as a proxy or a wrong port gives it."""
    return Script((Respond(200, b"<!doctype html><title>Sign in</title>", "text/html"),))


def error_at_once(message: str = "temperature must be in [0, 2]") -> Script:
    """A 200 stream with an error object and nothing else: how the runtime refuses a parameter."""
    return Script((Headers(), ErrorObject(message, "invalid_request_error")))


def error_in_stream(message: str = "Inference failed") -> Script:
    """An error object after three good pieces, and no ``[DONE]``."""
    return _after_three(ErrorObject(message))


def error_event(data: bytes = b'{"message":"Inference failed"}') -> Script:
    """After three good pieces an event that is named ``error``."""
    return _after_three(Raw(b"event: error\ndata: " + data + b"\n\n"), CleanEnd())


def error_finish() -> Script:
    """After three good pieces a finish_reason that says that it failed."""
    return _after_three(Finish("error"), Done())


def left_after_finish(ending: Hangup | HoldOpen | Wire) -> Script:
    """A good answer with its finish_reason and counts, whose body is never ended well."""
    return _after_three(Finish(), Usage(completion=len(PIECES)), ending)


def early_clean_end() -> Script:
    """The body ends well after three pieces, without a finish_reason."""
    return _after_three(CleanEnd())


def hangup_midway() -> Script:
    """The connection is closed after three pieces, in the middle of the body."""
    return _after_three(Hangup())


def reset_midway() -> Script:
    """The connection is reset after three pieces."""
    return _after_three(Reset())


def reset_before_headers() -> Script:
    """The connection is reset before anything was answered."""
    return Script((Reset(),))


def bad_framing() -> Script:
    """After three pieces comes something that is no HTTP chunk."""
    return _after_three(Wire(b"this is no chunk size\r\n"), Hangup())


def malformed_json(data: bytes = b'data: {"choices":[{"delta":{"content":"cut o\n\n') -> Script:
    """After three pieces an event that is no JSON; then a good end, which must not hide it."""
    return _after_three(Raw(data), Finish(), Done())


def broken_utf8() -> Script:
    """After three pieces an event that is no UTF-8; then a good end, which must not hide it."""
    return _after_three(
        Raw(b'data: {"choices":[{"delta":{"content":"\xff\xfe"},"index":0}]}\n\n'), Finish(), Done()
    )


def no_done() -> Script:
    """A good answer that lacks only ``[DONE]``."""
    return answer(PIECES, gap_ms=GAP_MS, done=False)


def empty_answer() -> Script:
    """A finish_reason at once and not one piece of text."""
    return Script((Headers(), Role(), Finish("stop"), Usage(completion=0), Done()))


def stall_before_headers() -> Script:
    """The request is taken and never answered."""
    return Script((HoldOpen(),))


def stall_before_first() -> Script:
    """The head comes, and nothing after it."""
    return Script((Headers(), HoldOpen()))


def keep_alive_only(every_ms: float = 250) -> Script:
    """The head, then comments and nothing else: alive, and not answering."""
    return Script((Headers(), Forever(Comment(), every_ms)))


def stall_midway() -> Script:
    """Three pieces, then silence on an open connection."""
    return _after_three(HoldOpen())


def runaway(every_ms: float = 0) -> Script:
    """Text without end."""
    return Script((Headers(), Role(), Forever(Text("again "), every_ms)))


def endless_line() -> Script:
    """One event that never ends; whoever waits for its end runs out of memory."""
    return Script((Headers(), Raw(b"data: "), Forever(Raw(b"x" * 65_536))))


def _envelope(status: int, message: str) -> str:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return json.dumps({"error": {"code": None, "message": message, "param": None, "type": kind}})


FAULTS: dict[str, Script] = {
    "bad-framing": bad_framing(),
    "broken-utf8": broken_utf8(),
    "early-clean-end": early_clean_end(),
    "empty-answer": empty_answer(),
    "endless-line": endless_line(),
    "error-at-once": error_at_once(),
    "error-event": error_event(),
    "error-finish": error_finish(),
    "error-in-stream": error_in_stream(),
    "hangup-midway": hangup_midway(),
    "http-429": http_error(429, extra=(("retry-after", "1"),)),
    "http-500": http_error(500),
    "http-text": http_error(
        500,
        "server=oatpp/1.3.0\ncode=500\ndescription=Internal Server Error\nmessage=No body",
        "text/plain",
    ),
    "keep-alive-only": keep_alive_only(),
    "malformed-json": malformed_json(),
    "no-done": no_done(),
    "not-a-stream": not_a_stream(),
    "not-loaded": not_loaded(),
    "reset-before-headers": reset_before_headers(),
    "reset-midway": reset_midway(),
    "runaway": runaway(),
    "stall-before-first": stall_before_first(),
    "stall-before-headers": stall_before_headers(),
    "stall-midway": stall_midway(),
    "unknown-model": unknown_model(),
}
"""By the name that the command line takes."""

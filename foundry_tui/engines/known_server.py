"""A server of known timing, in a process of its own: what our clock is held against.

``python -m foundry_tui.engines.known_server`` says its address on standard output and, after each chat, when
it wrote each piece: one JSON object a line.  It ends when its standard input does.  The model that is asked
for names the schedule or the fault.
"""

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from foundry_tui.domain.known_timing import ENDINGS, SCHEDULES, Fault, Schedule

__all__ = ["main"]

_NS_PER_MS = 1_000_000
_READ_BYTES = 1 << 16
_REQUEST_BYTES = 1 << 20
_END_OF_BODY = b"0\r\n\r\n"
_ODD_PAUSE_MS = 5.0
_SCHEDULES = {schedule.name: schedule for schedule in SCHEDULES}
_telling = threading.Lock()


def main() -> int:
    """Serve until standard input ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=(listening,), daemon=True).start()
    _tell({"url": f"http://127.0.0.1:{listening.getsockname()[1]}"})
    while os.read(sys.stdin.fileno(), _READ_BYTES):
        continue
    # Not by returning: a thread may still hold what the interpreter would wait for.
    os._exit(0)


def _accept(listening: socket.socket) -> None:
    while True:
        connection, _ = listening.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def _serve(connection: socket.socket) -> None:
    """Answer one client, one request after the other."""
    with connection, suppress(OSError, ValueError):  # a client that leaves, or speaks something else
        for request in _requests(connection):
            if request.line.startswith("POST /v1/chat/completions "):
                answer = _Answer(connection, request)
                is_kept = answer.play()
                _tell(answer.log)
                if not is_kept:
                    return
            elif request.line.startswith("GET /v1/models "):
                names = (*_SCHEDULES, *Fault)
                models = [{"id": name, "object": "model", "owned_by": "foundry-tui"} for name in names]
                _send_json(connection, 200, {"object": "list", "data": models})
            else:
                _send_json(connection, 404, {"error": {"message": "no such page"}})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    line: str
    body: bytes
    at_ns: int


def _requests(connection: socket.socket) -> Iterator[_Request]:
    """The requests of one connection; ``at_ns`` is the return of the read that completed each."""
    buffer = b""
    while data := connection.recv(_READ_BYTES):
        at_ns = time.perf_counter_ns()
        buffer += data
        while True:
            head, end, rest = buffer.partition(b"\r\n\r\n")
            length = _length_of(head)
            if not end or len(rest) < length:
                break
            line = head.partition(b"\r\n")[0].decode("latin-1")
            yield _Request(line=line, body=rest[:length], at_ns=at_ns)
            buffer = rest[length:]
        if len(buffer) > _REQUEST_BYTES:
            return


def _length_of(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


@dataclass(slots=True)
class _Answer:
    """Plays one answer and keeps when each piece of it was written."""

    connection: socket.socket
    request: _Request
    text_ns: list[int] = field(default_factory=list)
    due_ns: int = 0
    name: str = ""

    @property
    def log(self) -> dict[str, object]:
        """What is told of it."""
        return {"name": self.name, "request_ns": self.request.at_ns, "text_ns": self.text_ns}

    def play(self) -> bool:
        """Write it all; whether the connection can serve again."""
        self.name = str(json.loads(self.request.body).get("model"))
        self.due_ns = self.request.at_ns
        schedule = _SCHEDULES.get(self.name)
        if schedule is not None:
            self._play_schedule(schedule)
            return True
        if self.name not in set(Fault):
            _send_json(self.connection, 404, {"error": {"message": "no such model"}})
            return True
        return self._play_fault(Fault(self.name))

    def _play_schedule(self, schedule: Schedule) -> None:
        self._begin()
        self._wait(schedule.first_ms)
        for number in range(schedule.chunks):
            if number:
                self._wait(schedule.gap_ms)
            self._write_text("word " * schedule.tokens_per_chunk)
        self._wait(schedule.late_ms)
        self._finish("stop", schedule.tokens)

    def _play_fault(self, fault: Fault) -> bool:
        if fault is Fault.REFUSED:
            _send_json(self.connection, 503, {"error": {"message": "refused on purpose"}})
            return True
        self._begin()
        chunks = ENDINGS[fault].chunks
        for _ in range(chunks):
            self._wait(_ODD_PAUSE_MS)
            self._write_text("word ")
        self._wait(_ODD_PAUSE_MS)
        match fault:
            case Fault.ERROR_OBJECT:
                self._send(_event({"error": {"message": "broken on purpose"}}) + _END_OF_BODY)
            case Fault.EARLY_END:
                self._send(_END_OF_BODY)
            case Fault.CUT:
                return False
            case Fault.NOT_JSON:
                self._send(_framed(b'data: {"choices": [\n\n') + _END_OF_BODY)
            case Fault.NO_DONE:
                self._finish("stop", chunks, marks_end=False)
            case Fault.NO_TEXT:
                self._finish("stop", 0)
            case Fault.TOO_LONG:
                self._finish("length", chunks)
        return True

    def _begin(self) -> None:
        head = _head(200, "text/event-stream", "Transfer-Encoding: chunked")
        self._send(head + _event(_chunk(self.name, {"role": "assistant", "content": ""})))

    def _write_text(self, text: str) -> None:
        data = _event(_chunk(self.name, {"content": text}))
        self.text_ns.append(time.perf_counter_ns())
        self._send(data)

    def _finish(self, reason: str, tokens: int, *, marks_end: bool = True) -> None:
        usage = {"prompt_tokens": 1, "completion_tokens": tokens, "total_tokens": tokens + 1}
        data = _event(_chunk(self.name, {}, reason)) + _event(_chunk(self.name, None) | {"usage": usage})
        self._send(data + (_framed(b"data: [DONE]\n\n") if marks_end else b"") + _END_OF_BODY)

    def _wait(self, ms: float) -> None:
        """Until so long after what was due last, so that being late once does not add up."""
        self.due_ns += round(ms * _NS_PER_MS)
        time.sleep(max(0, self.due_ns - time.perf_counter_ns()) / 1e9)

    def _send(self, data: bytes) -> None:
        self.connection.sendall(data)


def _chunk(name: str, delta: dict[str, str] | None, reason: str | None = None) -> dict[str, object]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": reason}]
    return {"id": "chatcmpl-known", "object": "chat.completion.chunk", "model": name, "choices": choices}


def _event(content: dict[str, object]) -> bytes:
    return _framed(b"data: " + json.dumps(content).encode() + b"\n\n")


def _framed(data: bytes) -> bytes:
    """One chunk of HTTP's chunked encoding."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _head(status: int, content_type: str, length: str) -> bytes:
    return f"HTTP/1.1 {status} Known\r\nContent-Type: {content_type}\r\n{length}\r\n\r\n".encode()


def _send_json(connection: socket.socket, status: int, content: dict[str, object]) -> None:
    body = json.dumps(content).encode()
    connection.sendall(_head(status, "application/json", f"Content-Length: {len(body)}") + body)


def _tell(content: dict[str, object]) -> None:
    data = json.dumps(content).encode() + b"\n"
    with _telling:
        while data:
            data = data[os.write(sys.stdout.fileno(), data) :]


if __name__ == "__main__":
    sys.exit(main())

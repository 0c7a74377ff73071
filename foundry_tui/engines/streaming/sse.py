"""Server-sent events, as far as chat streams use them."""

import json

__all__ = ["SseDecoder"]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MOST_BYTES = 16 << 20


class SseDecoder:
    """Takes bytes as they come and gives the payload of each event that they complete.

    Comments and fields other than ``data`` are passed over, as are events whose data are blank; an event
    without its blank line is never given, so what a broken stream ends with does not look like an event.
    An event that is named ``error`` is given as the error object that it stands for.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._held = 0  # bytes of them
        self._names_error = False
        self._is_at_start = True

    @property
    def rest(self) -> bytes:
        """What has come of a line that did not end."""
        return bytes(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """Payloads completed by ``data``, in order; the lines of one event joined by line feeds.

        Raises:
            ValueError: An event goes on beyond 16 MiB: whoever waits for its end runs out of memory.
        """
        # What is waited for is copied once, when its end comes, and not with every read.
        *lines, rest = data.split(b"\n")
        if lines and self._rest:
            lines[0] = bytes(self._rest) + lines[0]
            self._rest.clear()
        self._rest += rest
        if self._is_at_start and lines:
            # Some servers' files and proxies put it there; with it the first event would be lost.
            lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
            self._is_at_start = False
        payloads: list[bytes] = []
        for line in lines:
            line = line.removesuffix(b"\r")
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
                self._held += len(line)
            elif not line:
                if self._data:
                    payload = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
                    self._data.clear()
                    self._held = 0
                    if payload and not payload.isspace():
                        payloads.append(_error_object(payload) if self._names_error else payload)
                self._names_error = False
            elif line.startswith(b"event:"):
                self._names_error = line[6:].strip() == b"error"
        if len(self._rest) + self._held > _MOST_BYTES:
            raise ValueError("an event without end")
        return payloads


def _error_object(payload: bytes) -> bytes:
    """``payload`` of an event named ``error`` as chat streams otherwise say it: ``{"error": …}``."""
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        said = payload.decode(errors="replace")
    if isinstance(said, dict) and said.get("error"):
        return payload
    return json.dumps({"error": said or "an error without a message"}).encode()

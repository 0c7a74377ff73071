"""Server-sent events, as far as chat streams use them."""

__all__ = ["SseDecoder"]


class SseDecoder:
    """Takes bytes as they come and gives the payload of each event that they complete.

    Comments and fields other than ``data`` are passed over; an event without its blank line is never given,
    so what a broken stream ends with does not look like an event.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, data: bytes) -> list[bytes]:
        """Payloads completed by ``data``, in order; the lines of one event joined by line feeds."""
        *lines, self._rest = (self._rest + data).split(b"\n") if self._rest else data.split(b"\n")
        payloads: list[bytes] = []
        for line in lines:
            line = line.removesuffix(b"\r")
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line and self._data:
                payloads.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                self._data.clear()
        return payloads

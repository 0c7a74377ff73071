"""Lines of a text stream, read in a thread that nobody need wait for."""

import asyncio
import threading
from contextlib import suppress
from typing import TextIO

from foundry_tui.domain.errors import BadInput

__all__ = ["Lines"]


class Lines:
    """Hands out a stream's lines, each read only once somebody asks for it.

    Reading blocks no loop and holds up no exit.  A line that nobody waits for any more goes to whoever asks
    next.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._reading: asyncio.Future[str] | None = None
        self._has_ended = False

    @property
    def is_terminal(self) -> bool:
        """Whether somebody sits at the other end."""
        return self._stream.isatty()

    async def next(self) -> str | None:
        """The next line without its end; None once there are no more.

        Raises:
            BadInput: It is no text, and was left out.
        """
        if self._has_ended:
            return None
        if self._reading is None:
            self._reading = self._begin()
        reading = self._reading
        try:
            line = await asyncio.shield(reading)
        except (OSError, ValueError) as error:
            self._has_ended = True  # where the next line would begin is not known
            raise BadInput(f"the input cannot be read: {error}", remedy="give UTF-8 text") from error
        finally:
            if reading.done():
                self._reading = None
        if not line:
            self._has_ended = True
            return None
        return _text(line.removesuffix("\n").removesuffix("\r"))

    def _begin(self) -> "asyncio.Future[str]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[str] = loop.create_future()

        def deliver(read: str | Exception) -> None:
            if future.done():
                return
            if isinstance(read, Exception):
                future.set_exception(read)
                future.exception()  # nobody may be waiting any more, and that is no mistake
            else:
                future.set_result(read)

        def read() -> None:
            line: str | Exception
            try:
                line = self._stream.readline()
            except (OSError, ValueError) as error:
                line = error
            with suppress(RuntimeError):  # the loop is closed: the program is leaving
                loop.call_soon_threadsafe(deliver, line)

        threading.Thread(target=read, name="input", daemon=True).start()
        return future


def _text(line: str) -> str:
    # Bytes that the locale cannot read arrive as halves of surrogate pairs, which no server can be sent.
    try:
        line.encode()
    except UnicodeEncodeError as error:
        raise BadInput(
            f"the line is not text from character {error.start + 1} on, and was left out",
            remedy="give UTF-8 text",
        ) from error
    return line

"""A program in a real pseudo-terminal whose every byte is kept and not drawn, so that it keeps up."""

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress

__all__ = ["Recorder", "recorder"]

_SOON_S = 30.0
_READ_BYTES = 1 << 16
_TAKE_THE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Recorder:
    """Keeps what the program writes and answers none of its queries.

    Attributes:
        process: The program.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", master: int) -> None:
        self.process = process
        self._master = master
        self._raw = bytearray()
        self._has_ended = False
        self._changed = threading.Condition()
        self._wake_reader, self._wake = os.pipe()
        self._reader = threading.Thread(target=self._read, name="recorder")
        self._reader.start()

    @property
    def raw(self) -> bytes:
        """Everything the program has written so far."""
        with self._changed:
            return bytes(self._raw)

    @property
    def length(self) -> int:
        """How many bytes the program has written so far."""
        with self._changed:
            return len(self._raw)

    def send(self, keys: str) -> None:
        """Type ``keys``: the characters that a terminal sends for them."""
        data = keys.encode()
        while data:
            data = data[os.write(self._master, data) :]

    def wait_for(self, *texts: str, start: int = 0) -> None:
        """Wait until each of ``texts`` was written, all in one style, after the first ``start`` bytes.

        Raises:
            AssertionError: One never was.
        """
        wanted = [text.encode() for text in texts]
        self.wait_until(lambda raw: all(text in raw for text in wanted), " and ".join(texts), start=start)

    def wait_until(self, holds: Callable[[bytes], bool], wanted: str, *, start: int = 0) -> None:
        """Wait until something holds of what was written after the first ``start`` bytes.

        Raises:
            AssertionError: It never did.
        """
        came = self.comes(holds, start=start)
        assert came, f"no {wanted} came, but {self.raw[start:][-2_000:]!r}"

    def comes(self, holds: Callable[[bytes], bool], *, start: int = 0, within_s: float = _SOON_S) -> bool:
        """Wait until something holds of what was written after ``start`` bytes; False if not in time."""
        with self._changed:
            self._changed.wait_for(lambda: holds(bytes(self._raw[start:])) or self._has_ended, within_s)
            return holds(bytes(self._raw[start:]))

    def exit_code(self) -> int:
        """Wait for the program's end; all that it wrote has been read by then."""
        code = self.process.wait(_SOON_S)
        self._reader.join(_SOON_S)
        return code

    def close(self) -> None:
        """Close the window, whatever the program is doing."""
        if self._wake < 0:
            return
        os.close(self._wake)
        self._wake = -1
        self._reader.join()
        os.close(self._master)
        os.close(self._wake_reader)

    def _read(self) -> None:
        try:
            while self._master in select.select([self._master, self._wake_reader], [], [])[0]:
                data = os.read(self._master, _READ_BYTES)
                if not data:
                    break
                with self._changed:
                    self._raw += data
                    self._changed.notify_all()
        except OSError:
            pass  # how Linux says that the other side has gone
        finally:
            with self._changed:
                self._has_ended = True
                self._changed.notify_all()


@contextmanager
def recorder(
    command: Sequence[str], *, environment: Mapping[str, str], size: tuple[int, int]
) -> Generator[Recorder, None, None]:
    """Run ``command`` in a terminal for the length of the block, after which nothing of it is left."""
    master, slave = os.openpty()
    try:
        columns, lines = size
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        process = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", _TAKE_THE_TERMINAL, *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
    finally:
        os.close(slave)
    opened = Recorder(process, master)
    try:
        yield opened
    finally:
        opened.close()
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait(_SOON_S)

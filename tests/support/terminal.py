"""A program in a real pseudo-terminal, and what a terminal would show of it."""

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

import pyte

__all__ = ["SOON_S", "Terminal", "terminal"]

SOON_S = 30.0
"""A safety net: what is waited for here takes a second at most."""
_READ_BYTES = 1 << 16
# Only a program that has asked for it is told by the kernel when its terminal goes.
_TAKE_THE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """Draws what the program writes and answers none of its queries.

    Attributes:
        process: The program.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", master: int, size: tuple[int, int]) -> None:
        self.process = process
        self._master = master
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._raw = bytearray()
        self._has_ended = False
        self._changed = threading.Condition()
        self._wake_reader, self._wake = os.pipe()
        self._reader = threading.Thread(target=self._read, name="terminal")
        self._reader.start()

    @property
    def raw(self) -> bytes:
        """Everything the program has written so far."""
        with self._changed:
            return bytes(self._raw)

    @property
    def text(self) -> str:
        """The screen as it stands, line by line."""
        with self._changed:
            return self._text()

    def send(self, keys: str) -> None:
        """Type ``keys``: the characters that a terminal sends for them."""
        os.write(self._master, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Change the size, of which the kernel tells the program."""
        with self._changed:
            self._screen.resize(lines, columns)
        _set_size(self._master, (columns, lines))

    def wait_for(self, *texts: str) -> str:
        """Wait until all of ``texts`` stand on the screen at once, and return that screen.

        Raises:
            AssertionError: They never did; says what was on the screen at the end.
        """
        return self.wait_until(lambda screen: all(text in screen for text in texts), " with ".join(texts))

    def wait_until(self, holds: Callable[[str], bool], wanted: str) -> str:
        """Wait for a screen of which something holds, and return it.

        Raises:
            AssertionError: There was none; says what was on the screen at the end.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._has_ended or holds(self._text()), SOON_S)
            screen = self._text()
        assert holds(screen), f"no {wanted} came:\n{screen}"
        return screen

    def exit_code(self) -> int:
        """Wait for the program's end; all that it wrote has been read by then."""
        code = self.process.wait(SOON_S)
        self._reader.join(SOON_S)
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

    def _text(self) -> str:
        return "\n".join(self._screen.display)

    def _read(self) -> None:
        try:
            while self._master in select.select([self._master, self._wake_reader], [], [])[0]:
                data = os.read(self._master, _READ_BYTES)
                if not data:
                    break
                with self._changed:
                    self._raw += data
                    self._stream.feed(data)
                    self._changed.notify_all()
        except OSError:
            pass  # how Linux says that the other side has gone
        finally:
            with self._changed:
                self._has_ended = True
                self._changed.notify_all()


@contextmanager
def terminal(
    command: Sequence[str], *, environment: Mapping[str, str], size: tuple[int, int] = (120, 40)
) -> Generator[Terminal, None, None]:
    """Run ``command`` in a terminal for the length of the block, after which nothing of it is left."""
    master, slave = os.openpty()
    try:
        _set_size(master, size)
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
    opened = Terminal(process, master, size)
    try:
        yield opened
    finally:
        opened.close()
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait(SOON_S)


def _set_size(descriptor: int, size: tuple[int, int]) -> None:
    columns, lines = size
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

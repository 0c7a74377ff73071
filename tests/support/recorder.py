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
from typing import TypeVar

__all__ = ["SOON_S", "Recorder", "recorder", "running", "set_size"]

SOON_S = 30.0
"""A safety net: what is waited for here takes a second at most."""
_READ_BYTES = 1 << 16
# Only a program that has asked for it is told by the kernel when its terminal goes.
_TAKE_THE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""

Pty = TypeVar("Pty", bound="Recorder")


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

    def comes(self, holds: Callable[[bytes], bool], *, start: int = 0, within_s: float = SOON_S) -> bool:
        """Wait until something holds of what was written after ``start`` bytes; False if not in time."""
        with self._changed:
            self._changed.wait_for(lambda: holds(bytes(self._raw[start:])) or self._has_ended, within_s)
            return holds(bytes(self._raw[start:]))

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

    def _take(self, data: bytes) -> None:
        """What a subclass makes of what came; held by the lock."""

    def _read(self) -> None:
        try:
            while self._master in select.select([self._master, self._wake_reader], [], [])[0]:
                data = os.read(self._master, _READ_BYTES)
                if not data:
                    break
                with self._changed:
                    self._raw += data
                    self._take(data)
                    self._changed.notify_all()
        except OSError:
            pass  # how Linux says that the other side has gone
        finally:
            with self._changed:
                self._has_ended = True
                self._changed.notify_all()


@contextmanager
def running(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    size: tuple[int, int],
    make: Callable[["subprocess.Popen[bytes]", int], Pty],
) -> Generator[Pty, None, None]:
    """Run ``command`` in what ``make`` makes of its terminal; after the block nothing of it is left."""
    master, slave = os.openpty()
    try:
        set_size(master, size)
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
    opened = make(process, master)
    try:
        yield opened
    finally:
        opened.close()
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait(SOON_S)


@contextmanager
def recorder(
    command: Sequence[str], *, environment: Mapping[str, str], size: tuple[int, int]
) -> Generator[Recorder, None, None]:
    """Run ``command`` in a terminal that only keeps what it writes, for the length of the block."""
    with running(command, environment=environment, size=size, make=Recorder) as opened:
        yield opened


def set_size(descriptor: int, size: tuple[int, int]) -> None:
    """Tell the kernel how large a terminal is, in columns and lines."""
    columns, lines = size
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

"""An app on a pseudo-terminal of 120 x 40 that answers no query, as several benchmarks run it."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import psutil
from figures import give_up

if sys.platform != "win32":
    import fcntl
    import struct
    import termios

__all__ = [
    "CTRL_Q",
    "Program",
    "cpu_s",
    "forked",
    "foundry_tui",
    "on_terminal",
    "output_of",
    "quiet_environment",
    "read_some",
    "report_line",
]

COLUMNS, LINES = 120, 40
PATIENCE_S = 60.0
CTRL_Q = b"\x11"
_HEADLESS_PATIENCE_S = 300.0
_READ_BYTES = 1 << 16
# More than several full screens: what is waited for has just been written.
_KEPT_BYTES = 1 << 20


class Program:
    """A running app; all that it writes is read at once, so that it never waits for its terminal.

    Attributes:
        name: As the tables have it.
        process: To read its memory and its processor time.
    """

    def __init__(self, name: str, child: "subprocess.Popen[bytes]", terminal: int) -> None:
        self.name = name
        self.process = psutil.Process(child.pid)
        self._child = child
        self._terminal = terminal
        self._written = bytearray()
        self._has_ended = False
        self._changed = threading.Condition(threading.RLock())
        self._reader = threading.Thread(target=self._read, name=name, daemon=True)
        self._reader.start()

    def wait_for(self, *texts: bytes) -> None:
        """Return once each of ``texts`` has been written since the last key; escapes may cut a text apart."""
        deadline_s = time.monotonic() + PATIENCE_S
        with self._changed:
            while not all(text in self._written for text in texts):
                if self._has_ended or time.monotonic() > deadline_s:
                    self.fail(f"did not show all of {texts!r}")
                self._changed.wait(0.5)

    def fail(self, what: str) -> NoReturn:
        """End the benchmark: the app misbehaved."""
        with self._changed:
            give_up(f"{self.name} {what}; it wrote {bytes(self._written)[-2000:]!r}")

    def press(self, keys: bytes) -> None:
        """Type ``keys``; what was written before is forgotten."""
        with self._changed:
            self._written.clear()
        os.write(self._terminal, keys)

    def quit(self) -> None:
        """Press Ctrl+Q and wait for a good end."""
        self.press(CTRL_Q)
        try:
            code = self._child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.fail("did not end on Ctrl+Q")
        if code != 0:
            self._reader.join(1)
            self.fail(f"ended with code {code}")

    def _read(self) -> None:
        try:
            while data := os.read(self._terminal, _READ_BYTES):
                with self._changed:
                    self._written += data
                    del self._written[:-_KEPT_BYTES]
                    self._changed.notify_all()
        except OSError:
            pass  # how Linux tells that the other end is closed
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()


@contextmanager
def on_terminal(name: str, command: Sequence[str], *, pass_fds: Sequence[int] = ()) -> Iterator[Program]:
    """``command`` on a terminal of its own; quit at the end of the block, killed if that fails."""
    if sys.platform == "win32":
        give_up("this benchmark needs a POSIX pseudo-terminal")
    ours, theirs = _terminal(COLUMNS)
    child = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=quiet_environment(),
        pass_fds=pass_fds,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        program = Program(name, child, ours)
        yield program
        program.quit()
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        os.close(ours)


@contextmanager
def forked(
    command: Sequence[str], environment: Mapping[str, str], *, columns: int = COLUMNS
) -> Iterator[tuple[int, int]]:
    """The process and our end of its terminal, with no thread that reads; killed if the block leaves it.

    A bare fork, since what is timed from here on must not wait for anything else.
    """
    ours, theirs = _terminal(columns)
    pid = os.fork()
    if pid == 0:
        try:
            os.close(ours)
            os.login_tty(theirs)
            os.execve(command[0], list(command), environment)
        finally:
            os._exit(127)
    os.close(theirs)
    try:
        yield pid, ours
    finally:
        if psutil.pid_exists(pid):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(ours)


def read_some(terminal: int, wait_s: float) -> bytes:
    """What arrives next; empty if the process has closed its end or nothing came for so long."""
    ready, _, _ = select.select([terminal], [], [], max(0.0, wait_s))
    if not ready:
        return b""
    try:
        return os.read(terminal, _READ_BYTES)
    except OSError:  # how Linux tells that the other end is closed
        return b""


def quiet_environment(**more: str) -> dict[str, str]:
    """Ours without what would change an app's look, in a terminal of many colours; and ``more``."""
    unwanted = ("FOUNDRY_", "TEXTUAL", "NO_COLOR", "COLUMNS", "LINES", "PYTHONPROFILE")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(unwanted)}
    return environment | {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | more


def _terminal(columns: int) -> tuple[int, int]:
    """Our end and theirs."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))
    return ours, theirs


def report_line(descriptor: int, program: Program) -> bytes:
    """The next line that a program with a watch on it writes to its end of a pipe."""
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([descriptor], [], [], PATIENCE_S)
        data = os.read(descriptor, _READ_BYTES) if ready else b""
        if not data:
            program.fail("ended without a report" if ready else f"reported nothing for {PATIENCE_S:g} s")
        line += data
    return line


def foundry_tui(folder: Path, *arguments: str) -> tuple[str, ...]:
    """The command that runs the app with everything that it keeps and reads in ``folder``."""
    (folder / "config").mkdir(parents=True, exist_ok=True)
    places = ("--data-dir", str(folder / "data"), "--config", str(folder / "config"))
    return (sys.executable, "-m", "foundry_tui", *arguments, *places)


def output_of(folder: Path, *arguments: str) -> str:
    """What the app prints where it has no terminal; gives up where it fails."""
    command = foundry_tui(folder, *arguments)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_HEADLESS_PATIENCE_S)
    if done.returncode != 0:
        give_up(f"foundry-tui {arguments[0]} ended with code {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def cpu_s(process: psutil.Process) -> float:
    """Processor time of ``process`` alone so far; the clock of the kernel ticks every 10 ms."""
    times = process.cpu_times()
    return float(times.user + times.system)

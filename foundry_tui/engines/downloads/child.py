"""The process that downloads one model: says on disk how far it is, and ends with its parent unless let live.

Start it as ``python -m foundry_tui.engines.downloads.child``, with an ``Order`` as the first line of its
stdin.  It never writes to stdout.  What it fetched survives any end, so it is ended by a kill.
"""

import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

from foundry_tui.domain.downloads import DownloadFailure, DownloadPhase
from foundry_tui.engines.downloads.failures import is_cut_off
from foundry_tui.engines.downloads.partials import lock_owner, model_place
from foundry_tui.engines.downloads.process_marks import start_mark
from foundry_tui.engines.downloads.words import FAILURE_CODES, LET_LIVE, Order, Word, read_order, write_word

__all__ = ["Progress", "main"]

_EVERY_S: Final = 0.1
# The runtime logs from a thread of its own, a moment after the call that it tells of has returned.
_LOG_LAG_S: Final = 0.5
_LOG_READ_BYTES: Final = 1_000_000


class Progress:
    """What the runtime reports, as words on disk: at most ten a second, and every change of phase."""

    def __init__(self, order: Order) -> None:
        self._path = Path(order.word_path)
        self._cache_dir = Path(order.config.cache_dir)
        self._lock = threading.Lock()
        self._next_s = 0.0
        self._zeros = 0
        self._word = Word(
            model_id=order.model_id,
            pid=os.getpid(),
            mark=start_mark(os.getpid()),
            cache_dir=order.config.cache_dir,
            total_bytes=order.total_bytes,
        )

    def begin(self) -> None:
        """Say that there is a process.

        Raises:
            OSError: Nothing can be written there.
        """
        write_word(self._path, self._word)

    def found(self, publisher: str | None, size_bytes: int | None) -> None:
        """The catalog has the model."""
        total = size_bytes if self._word.total_bytes is None else self._word.total_bytes
        self._say(replace(self._word, place=model_place(publisher, self._word.model_id), total_bytes=total))

    def percent(self, percent: float) -> None:
        """The runtime reports; from any thread."""
        with self._lock:
            if percent > 0:
                phase = DownloadPhase.FLOWING
            else:
                self._zeros += 1
                phase = self._phase_at_zero()
            if phase is self._word.phase and time.monotonic() < self._next_s:
                return
            reached = max(self._word.percent, min(100.0, percent))
            self._say(replace(self._word, phase=phase, percent=reached))

    def end(self, failure: DownloadFailure | None, message: str | None) -> None:
        """Say the last word: done, or why not."""
        with self._lock:
            phase = DownloadPhase.DONE if failure is None else DownloadPhase.FAILED
            percent = 100.0 if failure is None else self._word.percent
            self._say(replace(self._word, phase=phase, percent=percent, failure=failure, message=message))

    def _phase_at_zero(self) -> DownloadPhase:
        """Nothing has come: it waits for another process, or for the first piece.

        The runtime reports zero before it asks for anything, and about every second while it waits.
        """
        place = self._word.place
        owner = lock_owner(self._cache_dir.joinpath(*place)) if place else None
        if owner not in (None, self._word.pid):
            return DownloadPhase.WAITING
        is_begun = owner == self._word.pid and self._zeros > 1
        return DownloadPhase.FLOWING if is_begun else self._word.phase

    def _say(self, word: Word) -> None:
        self._word = word
        self._next_s = time.monotonic() + _EVERY_S
        try:
            write_word(self._path, word)
        except OSError as error:
            # The download itself goes on; the parent sees blocks, and an end by the exit code.
            sys.stderr.write(f"cannot write {self._path}: {error}\n")


def main() -> None:
    """Entry of the process."""
    source = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    line = source.readline()
    if not line.endswith(b"\n"):
        os._exit(2)  # the parent has gone in the middle of it
    order = read_order(line)
    threading.Thread(target=_end_with_parent, args=(source,), name="parent", daemon=True).start()
    failure = _download(order)
    sys.stderr.flush()
    # The runtime's own close costs a second or two and protects nothing that a kill would lose.
    os._exit(0 if failure is None else FAILURE_CODES[failure])


def _download(order: Order) -> DownloadFailure | None:
    progress = Progress(order)
    progress.begin()
    # Not before the first word: loading the native library takes a while.
    from foundry_tui.engines.downloads.fetch import FetchFailed, fetch

    failure: DownloadFailure | None = None
    message: str | None = None
    try:
        fetch(order.config, order.model_id, on_found=progress.found, on_percent=progress.percent)
    except FetchFailed as error:
        failure, message = error.failure, error.message
        if failure is None:
            failure, message = _why_not_found(Path(order.log_path), message)
    except Exception as error:  # noqa: BLE001 - border of the process: a bug must reach the screen
        sys.excepthook(type(error), error, error.__traceback__)
        failure = DownloadFailure.OTHER
        message = f"the downloading process met a bug: {type(error).__name__}: {error}"
    progress.end(failure, message)
    return failure


def _why_not_found(log_path: Path, message: str) -> tuple[DownloadFailure, str]:
    """Whether a catalog did not answer: the runtime finds nothing then, and only its log tells why."""
    until_s = time.monotonic() + _LOG_LAG_S
    while not (is_silent := is_cut_off(_log(log_path))) and time.monotonic() < until_s:
        time.sleep(0.02)
    if is_silent:
        return DownloadFailure.NETWORK, "the catalog could not be reached"
    return DownloadFailure.NOT_FOUND, message


def _log(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LOG_READ_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return ""


def _end_with_parent(source: BinaryIO) -> None:
    """Wait for the end of stdin, which is the parent's; whatever is going on then, end with it."""
    for line in source:
        if line == LET_LIVE:
            return
    if sys.platform != "win32" and os.getpgid(0) == os.getpid():
        # With whatever the runtime may have started.
        os.killpg(0, signal.SIGKILL)
    os._exit(130)


if __name__ == "__main__":
    main()

"""The parent's side of downloads: a process of its own for each, found again by the words it leaves on disk.

A later life of the app, or another app on the same folders, reads the same words, so that it can go on from
where this one was.
"""

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from foundry_tui.children import CREATION_FLAGS, OWN_SESSION, python_path
from foundry_tui.domain.downloads import DownloadFailure, DownloadPhase, DownloadReading, Partial
from foundry_tui.domain.errors import EngineUnavailable
from foundry_tui.engines.downloads.allocated import allocated_bytes
from foundry_tui.engines.downloads.partials import find_partials, is_plain, remove_partial, unfinished_place
from foundry_tui.engines.downloads.process_marks import start_mark
from foundry_tui.engines.downloads.words import (
    ENDED_PHASES,
    FAILURE_CODES,
    LET_LIVE,
    THREADS,
    Order,
    Word,
    order_line,
    read_word,
)
from foundry_tui.engines.hosting.configs import ManagedConfig
from foundry_tui.engines.hosting.hostlog import HostLog

__all__ = ["ChildDownload", "ChildDownloads", "reading_of"]

_KILL_S: Final = 2.0
_KEPT_LOGS: Final = 20
_DAY_S: Final = 86_400.0
_SETTLING_S: Final = 5.0
# Pieces of 2 MiB that can be under way beyond what the runtime reports.
_UNREPORTED_BYTES: Final = THREADS * 2 * 1024 * 1024
_FAILURES: Final = {code: failure for failure, code in FAILURE_CODES.items()}


def reading_of(word: Word, allocated: int | None, *, is_settled: bool) -> DownloadReading:
    """What a word and the blocks on the disk say together.

    While it flows ``max(reported, allocated)``; once settled
    ``max(reported, min(allocated, reported + 8 MiB))``:
    blocks show what comes between two reports.  More than the pieces under way they may not add for long: a
    download that goes on after a kill fetches some of them again (after a full disk: all), and would look as
    if it stood still.

    Args:
        word: Of the process, as it was read last.
        allocated: Bytes that the disk holds; None if it is not known where the model lies.
        is_settled: Whether the runtime has had time to count what it kept of an earlier try.
    """
    total, phase = word.total_bytes, word.phase
    reported = None if total is None else int(total * word.percent / 100)
    if phase is DownloadPhase.DONE and total is not None:
        done = total
    elif phase is DownloadPhase.FLOWING and reported is not None and allocated is not None:
        most = reported + _UNREPORTED_BYTES if is_settled else allocated
        done = max(reported, min(allocated, most))
    else:
        done = allocated if allocated is not None else reported or 0
    return DownloadReading(
        at_ns=time.perf_counter_ns(),
        phase=phase,
        done_bytes=done if total is None else min(done, total),
        total_bytes=total,
        failure=word.failure if phase is DownloadPhase.FAILED else None,
        message=word.message if phase is DownloadPhase.FAILED else None,
    )


class ChildDownload:
    """Implements ``ports.DownloadProcess``.

    Args:
        word: What is known of it before it says a word of its own.
        word_path: Where it says them.
        child: None if another process has started it.
        log: Its stderr; None if another process has started it.
    """

    def __init__(
        self,
        word: Word,
        word_path: Path,
        child: "subprocess.Popen[bytes] | None" = None,
        log: HostLog | None = None,
    ) -> None:
        self._word = word
        self._path = word_path
        self._child = child
        self._log = log
        self._last: DownloadReading | None = None
        self._settled_s: float | None = None
        self.is_forgotten = False

    @property
    def model_id(self) -> str:
        return self._word.model_id

    def look(self) -> DownloadReading:
        if self._last is not None:
            return replace(self._last, at_ns=time.perf_counter_ns())
        # In this order: what it says before it ends is there once it has ended.
        is_alive = self._is_alive()
        word = self._word = self._heard()
        if word.phase not in ENDED_PHASES and not is_alive:
            word = self._obituary(word)
        folder = _folder_of(word)
        allocated = None if folder is None else allocated_bytes(folder)
        reading = reading_of(word, allocated, is_settled=self._is_settled(word))
        if word.phase in ENDED_PHASES:
            self._last = reading
        return reading

    def kill(self) -> None:
        if not self._is_alive():
            return
        until_s = time.monotonic() + _KILL_S
        with suppress(ProcessLookupError):
            _kill_group(self._word.pid if self._child is None else self._child.pid)
        if self._child is not None:
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(_KILL_S)
        # Nobody tells the end of a process that another one has started.
        while self._is_alive() and time.monotonic() < until_s:
            time.sleep(0.005)
        self.look()  # what others fetch into that folder later is not its word

    def let_live(self) -> None:
        if self._child is None or self._child.stdin is None or self._child.stdin.closed:
            return
        with suppress(OSError):
            self._child.stdin.write(LET_LIVE)
            self._child.stdin.close()

    def forget(self) -> None:
        if self._child is not None:
            # It says its last word a moment before it ends.
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(_KILL_S)
            if self._child.stdin is not None:
                with suppress(OSError):
                    self._child.stdin.close()
        self.look()
        for path in (self._path, self._path.with_suffix(".new")):
            with suppress(OSError):
                path.unlink(missing_ok=True)
        self.is_forgotten = True

    def _is_settled(self, word: Word) -> bool:
        if word.phase is not DownloadPhase.FLOWING:
            return False
        if self._settled_s is None:
            self._settled_s = time.monotonic() + _SETTLING_S
        return time.monotonic() > self._settled_s

    def _heard(self) -> Word:
        """Its newest word; where its model lies is kept from before if it does not know that yet."""
        word = read_word(self._path) or self._word
        return word if word.place else replace(word, place=self._word.place)

    def _is_alive(self) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        mark = start_mark(self._word.pid)
        return mark is not None and mark == self._word.mark

    def _obituary(self, word: Word) -> Word:
        """The last word of one that has ended without: only its exit code speaks, or nothing does."""
        code = None if self._child is None else self._child.poll()
        if code == 0:
            return replace(word, phase=DownloadPhase.DONE)  # another app has read its word and forgot it
        if code in _FAILURES:
            message = (
                "the disk is full" if _FAILURES[code] is DownloadFailure.DISK_FULL else "it could not say why"
            )
            return replace(word, phase=DownloadPhase.FAILED, failure=_FAILURES[code], message=message)
        if code in (1, 2) and self._log is not None:
            lines = self._log.tail(1)
            message = f"the downloading process could not start: {''.join(lines) or 'no reason given'}"
            return replace(
                word, phase=DownloadPhase.FAILED, failure=DownloadFailure.OTHER, message=message[:600]
            )
        return replace(word, phase=DownloadPhase.DIED)


class ChildDownloads:
    """Implements ``ports.DownloadRunner``.

    Args:
        config: The serving host's: the same cache, so that it finds what was fetched.
        state_dir: Where downloading processes say how far they are.
        log_dir: Their stderr and the runtime's own log of them go there.  Not the serving host's folder: it
            reads in its log whether it could reach the catalog.
    """

    def __init__(self, config: ManagedConfig, *, state_dir: Path, log_dir: Path) -> None:
        self._config = config
        self._state_dir = state_dir
        self._log_dir = log_dir
        self._known: dict[str, ChildDownload] = {}
        self._knowing = threading.Lock()  # asked from several worker threads at once

    def use(self, config: ManagedConfig) -> None:
        """Fetch into another cache from now on; what is under way in the old one is not ours any more."""
        with self._knowing:
            self._config, self._known = config, {}

    def begin(self, model_id: str, *, total_bytes: int | None) -> ChildDownload:
        if self._config.offline:
            raise EngineUnavailable(
                f"{model_id} cannot be downloaded: offline by choice", remedy="start without --offline"
            )
        # Sorted by name is oldest first; the model's name is no part of it.
        token = f"{time.time_ns() // 1_000_000:013d}-{secrets.token_hex(4)}"
        path = self._state_dir / f"{token}.json"
        try:
            self._state_dir.mkdir(parents=True, exist_ok=True)
            self._tidy()
            log = self._new_log(token)
            child = self._spawn(log)
        except OSError as error:
            raise EngineUnavailable(
                f"no process could be started for the download of {model_id}: {error}",
                remedy=f"check that {self._state_dir} and {self._log_dir} can be written",
            ) from error
        order = Order(
            config=replace(self._config, logs_dir=str(self._log_dir)),
            model_id=model_id,
            total_bytes=total_bytes,
            word_path=str(path),
            log_path=str(log.path),
        )
        if child.stdin is not None:
            with suppress(OSError):  # it has ended already, and is read so
                child.stdin.write(order_line(order))
        word = Word(
            model_id=model_id,
            pid=child.pid,
            mark=None,
            cache_dir=self._config.cache_dir,
            place=unfinished_place(Path(self._config.cache_dir), model_id),
            total_bytes=total_bytes,
        )
        download = ChildDownload(word, path, child, log)
        with self._knowing:
            self._known[token] = download
        return download

    def running(self) -> tuple[ChildDownload, ...]:
        with self._knowing:
            tokens = set(self._known)
            with suppress(OSError):
                tokens |= {path.stem for path in self._state_dir.glob("*.json")}
            found: list[ChildDownload] = []
            for token in sorted(tokens):
                download = self._known.get(token) or self._attach(token)
                if download is not None and not download.is_forgotten:
                    found.append(download)
            self._known = {token: kept for token, kept in self._known.items() if not kept.is_forgotten}
            return tuple(found)

    def partials(self) -> tuple[Partial, ...]:
        return find_partials(Path(self._config.cache_dir))

    def remove_partial(self, path: str) -> int:
        return remove_partial(Path(self._config.cache_dir), path)

    def _attach(self, token: str) -> ChildDownload | None:
        """The download that another process, or an earlier life, has begun on this cache."""
        path = self._state_dir / f"{token}.json"
        word = read_word(path)
        if word is None or word.cache_dir != self._config.cache_dir:
            return None
        return self._known.setdefault(token, ChildDownload(word, path))

    def _tidy(self) -> None:
        """Remove words that were begun and never said: their process was killed while it wrote them."""
        for path in self._state_dir.glob("*.new"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _DAY_S:
                    path.unlink()

    def _new_log(self, token: str) -> HostLog:
        self._log_dir.mkdir(parents=True, exist_ok=True)
        for old in sorted(self._log_dir.glob("download-*.log"))[: -(_KEPT_LOGS - 1)]:
            with suppress(OSError):  # Windows: a download that is under way has it open
                old.unlink()
        path = self._log_dir / f"download-{token}.log"
        path.touch()
        return HostLog(path)

    def _spawn(self, log: HostLog) -> "subprocess.Popen[bytes]":
        with log.open_for_child() as stderr:
            return _Child(
                [sys.executable, "-P", "-X", "utf8", "-m", "foundry_tui.engines.downloads.child"],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env=_environment(),
                # The terminal's signals are for the parent; what it starts is killed with it as a group.
                start_new_session=OWN_SESSION,
                creationflags=CREATION_FLAGS,
            )


class _Child(subprocess.Popen[bytes]):
    """A process that may outlive the one who started it."""

    def __del__(self) -> None:
        # Popen's own warns of one that lives on.  This one was let live, or ends: the pipe to it closes.
        stdin = getattr(self, "stdin", None)  # none where it could not even be started
        if stdin is not None:
            with suppress(OSError):
                stdin.close()


def _folder_of(word: Word) -> Path | None:
    """Where its model lies; None before that is known, or where the word leads out of the cache."""
    is_within = len(word.place) in (1, 2) and all(is_plain(part) for part in word.place)
    return Path(word.cache_dir, *word.place) if is_within else None


def _kill_group(pid: int) -> None:
    if pid <= 1:
        return
    if sys.platform == "win32":
        os.kill(pid, signal.SIGTERM)  # there it ends a process at once
    elif os.getpgid(pid) == pid:
        os.killpg(pid, signal.SIGKILL)
    else:
        os.kill(pid, signal.SIGKILL)


def _environment() -> dict[str, str]:
    """The child's: ours, the package found whatever the working directory is."""
    environment = dict(os.environ)
    environment["PYTHONPATH"] = python_path()
    environment["ORT_TELEMETRY_DISABLED"] = "1"
    return environment

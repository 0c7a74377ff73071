"""What the app, its services and the engine's process log, kept for a view: bounded, and without keys."""

import asyncio
import json
import logging
import os
import re
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from urllib.parse import quote

from foundry_tui.aio import Feed
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.domain.text import shorten

__all__ = ["ENGINE", "HostLogFollower", "LogBook", "LogLevel", "LogLine", "redact"]

ENGINE = "engine"
"""The source of the lines that the engine's process wrote."""

_KEPT_LINES = 5_000  # of the app's own, and as many of the engine's
_HEAD_CHARACTERS = 3_072
_TAIL_CHARACTERS = 1_024  # the end of a traceback is what went wrong
_POLL_S = 1.0
_READ_BYTES = 256 * 1024
_LINE_BYTES = 64 * 1024
_PUT_IN_PLACE = "[hidden]"

# A quote that is never closed still opens a value.
_QUOTED = r"""(?:"[^"\r\n]*"?|'[^'\r\n]*'?)"""
_VALUE = rf"""(?:{_QUOTED}|[^\s"']+)"""
# What follows a name in a header, in JSON, in Python's repr of either, in a query and in an assignment.
_IS = r"""(?:\\*["']?\s*[:=]|["']\s*,)\s*b?\\*"""
_NAMES = (
    r"api[_-]?key|api[_-]?secret|client[_-]?secret|secret[_-]?key|access[_-]?key|passw(?:or)?d|passphrase"
    r"|(?:access|refresh|auth|session|bearer|id|api|hf)[_-]?token"
)
_KEY_FORMS = (
    # To the end of the line where no quote ends it: a scheme and what belongs to it are several words.
    re.compile(rf"""(?i)(?P<keep>authorization{_IS})(?:{_QUOTED}|[^\r\n]+)"""),
    re.compile(rf"(?i)(?P<keep>(?:{_NAMES}){_IS}){_VALUE}"),
    # "first token: 12 ms" is none; "token=..." and a name in quotes are.
    re.compile(rf"""(?i)(?P<keep>(?<![a-z])token(?:\\*["']?\s*=|\\*["']\s*[:,])\s*b?\\*){_VALUE}"""),
    re.compile(r"(?i)(?P<keep>\bbearer\s+)[\w.~+/=-]{8,}"),
    re.compile(r"(?P<keep>://)[^\s/]+(?=@)"),
    re.compile(
        r"(?i)(?P<keep>[?&](?:key|sig|signature|x-amz-(?:signature|credential|security-token))=)[^\s&\"']+"
    ),
    re.compile(r"(?P<keep>\b)(?:sk-|hf_|gh[pousr]_)[A-Za-z0-9_-]{16,}"),
)
_MARKED = re.compile(
    r"(?i)^\W{0,3}(?:\S{0,32}[ T][\d:.,]{5,24}\S*\s+)?\W{0,3}"
    r"(?P<word>trace|verbose|debug|info|warn|warning|error|err|critical|fatal|[VIWEF](?=:onnxruntime))\b"
)
_RAISED = re.compile(
    r"Traceback \(most recent call last\)|[\w.]+(?:Error|Exception|Interrupt)\b|Fatal Python error"
)


class LogLevel(IntEnum):
    """How much a line matters; each includes those after it."""

    DEBUG = logging.DEBUG
    INFO = logging.INFO
    WARNING = logging.WARNING
    ERROR = logging.ERROR

    @property
    def word(self) -> str:
        """Its name as it reads."""
        return self.name.lower()


_WORDS = {
    "t": LogLevel.DEBUG,
    "v": LogLevel.DEBUG,
    "d": LogLevel.DEBUG,
    "i": LogLevel.INFO,
    "w": LogLevel.WARNING,
    "e": LogLevel.ERROR,
    "c": LogLevel.ERROR,
    "f": LogLevel.ERROR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One thing that was logged.

    Attributes:
        at_unix: When, in seconds; of a line of the engine's process, which says nothing of it, the last
            change of its file when the line was read: it was written by then.
        source: The part of the program, or ``ENGINE``.
        text: As it came but for keys and for what is beyond a few thousand characters; not fit to show
            before it is cleaned.
    """

    at_unix: float
    level: LogLevel
    source: str
    text: str


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """``text`` without what looks like a key, a password or a token, and without any of ``secrets``.

    A secret of less than eight characters is looked for as a whole word only.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for form in {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}:
            if len(secret) >= 8:
                text = text.replace(form, _PUT_IN_PLACE)
            else:
                text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", _PUT_IN_PLACE, text)
    for key_form in _KEY_FORMS:
        text = key_form.sub(rf"\g<keep>{_PUT_IN_PLACE}", text)
    return text


class LogBook(logging.Handler):
    """Keeps the newest records of a logger, and while somebody looks also what the engine's process writes.

    Attributes:
        logs_dir: Where the engine's files are, and where ``save`` writes.
        changes: How many lines came so far; published on the event loop of ``attached``, many as one.
    """

    def __init__(
        self,
        logs_dir: Path,
        *,
        secrets: Iterable[str] = (),
        logger: logging.Logger | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Make an empty book.

        Args:
            logs_dir: The folder of the engine's logs; need not be there yet.
            secrets: Keys that must never appear, beside those that are recognised by their form.
            logger: Whose records to keep; ours unless given.
            sleep: Waits that many seconds between two looks at the engine's log.
        """
        super().__init__()
        self.logs_dir = logs_dir
        self.changes: Feed[int] = Feed(0)
        self._secrets = tuple(secrets)
        self._logger = logger or logging.getLogger("foundry_tui")
        self._sleep = sleep
        self._host = HostLogFollower(logs_dir, secrets=self._secrets)
        self._records: deque[LogLine] = deque(maxlen=_KEPT_LINES)
        self._host_lines: deque[LogLine] = deque(maxlen=_KEPT_LINES)
        # Reentrant: what is freed while it is held may log.
        self._guard = threading.RLock()
        self._taken = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._will_publish = False

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Keep what is logged for the length of the block, which is entered on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._logger.addHandler(self)
        try:
            yield
        finally:
            self._logger.removeHandler(self)
            self._loop = None
            self.close()

    def lines(self) -> tuple[LogLine, ...]:
        """Everything that is kept, oldest first.  A line stays the same object from call to call."""
        with self._guard:
            kept = [*self._records, *self._host_lines]
        return tuple(sorted(kept, key=lambda line: line.at_unix))

    async def follow_engine(self) -> None:
        """Read what the engine's process writes, once a second, until cancelled.  For an open view."""
        while True:
            lines = await asyncio.to_thread(self._host.poll)
            if lines:
                self._keep(self._host_lines, lines)
            await self._sleep(_POLL_S)

    def save(self, lines: Iterable[str]) -> Path:
        """Write ``lines`` to a new file in the logs folder and return its path.  Blocks.

        Raises:
            StorageProblem: It cannot be written.
        """
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        number = 1
        try:
            self.logs_dir.mkdir(parents=True, exist_ok=True)
            while True:
                path = self.logs_dir / f"log-{stamp}{f'-{number}' if number > 1 else ''}.txt"
                try:
                    with path.open("x", encoding="utf-8", errors="backslashreplace") as file:
                        file.writelines(f"{line}\n" for line in lines)
                    return path
                except FileExistsError:
                    number += 1
        except OSError as error:
            raise StorageProblem(
                f"the log cannot be written to {self.logs_dir}: {error.strerror or error}",
                remedy="free some space or the folder's permissions",
            ) from error

    def emit(self, record: logging.LogRecord) -> None:
        line = LogLine(
            at_unix=record.created,
            level=_level_of(record.levelno),
            source=record.name.rpartition(".")[2],
            text=_cut(redact(_words(record), self._secrets)),
        )
        self._keep(self._records, (line,))

    def _keep(self, ring: deque[LogLine], lines: Iterable[LogLine]) -> None:
        with self._guard:
            before = self._taken
            for line in lines:
                ring.append(line)
                self._taken += 1
            must_tell = self._taken > before and self._loop is not None and not self._will_publish
            self._will_publish = self._will_publish or must_tell
            loop = self._loop
        if must_tell and loop is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody looks any more
                loop.call_soon_threadsafe(self._publish)

    def _publish(self) -> None:
        with self._guard:
            self._will_publish = False
            taken = self._taken
        self.changes.publish(taken)


class HostLogFollower:
    """Reads the newest log of an engine's process as it grows.  All calls block; any thread may make them.

    The logs of this process's own engines go before those of others, and one that is followed is left only
    for one that begins later.
    """

    def __init__(self, folder: Path, *, secrets: Iterable[str] = (), pid: int | None = None) -> None:
        self._folder = folder
        self._secrets = tuple(secrets)
        self._mark = f"-{os.getpid() if pid is None else pid}-"
        self._lock = threading.Lock()
        self._known: frozenset[Path] = frozenset()
        self._path: Path | None = None
        self._begin()

    def poll(self) -> list[LogLine]:
        """The lines that came since the last call; at first the end of what is there."""
        with self._lock:
            lines: list[LogLine] = []
            newest = self._newest()
            if newest is not None and newest != self._path:
                lines += self._read()  # the last words of the life before
                lines += self._close_line()
                self._path = newest
                self._begin()
                lines.append(self._remark(f"the engine's process writes to {newest.name}"))
            return lines + self._read()

    def _begin(self) -> None:
        self._file_id: int | None = None
        self._offset = 0
        self._rest = b""
        self._skips_to_next_line = False
        self._level = LogLevel.INFO
        self._changed_unix = 0.0

    def _newest(self) -> Path | None:
        """The log to follow from now on, which most of the time is the one that is followed."""
        current = self._path
        try:
            found = {path: path.stat().st_mtime_ns for path in self._folder.glob("host-*.log")}
        except OSError:
            return current
        begun = found.keys() - self._known
        self._known = frozenset(found)
        if current is not None and current in found:
            is_ours = self._mark in current.name
            found = {path: found[path] for path in begun if self._mark in path.name or not is_ours}
        return max(found, key=lambda path: (self._mark in path.name, found[path], path.name), default=current)

    def _read(self) -> list[LogLine]:
        if self._path is None:
            return []
        try:
            with self._path.open("rb") as file:
                state = os.fstat(file.fileno())
                lines = self._place(state)
                file.seek(self._offset)
                data = file.read(_READ_BYTES)
        except OSError:
            return []
        self._changed_unix = state.st_mtime
        self._offset += len(data)
        if not data:
            return lines + self._close_line()
        *whole, self._rest = (self._rest + data).split(b"\n")
        if self._skips_to_next_line and whole:
            del whole[0]
            self._skips_to_next_line = False
        lines += [self._line(raw) for raw in whole[-_KEPT_LINES:] if raw.strip()]
        if self._skips_to_next_line:
            self._rest = b""
        elif len(self._rest) > _LINE_BYTES:
            lines += self._close_line()
            self._skips_to_next_line = True
        return lines

    def _place(self, state: os.stat_result) -> list[LogLine]:
        """Where to read on; what must be said of it."""
        if state.st_size < self._offset or self._file_id not in (None, state.st_ino):
            self._begin()
        self._file_id = state.st_ino
        skipped = state.st_size - self._offset - _READ_BYTES
        if skipped <= 0:
            return []
        self._changed_unix = state.st_mtime
        self._offset += skipped
        self._rest = b""
        self._skips_to_next_line = True
        return [self._remark(f"{skipped // 1024 + 1} KiB before this are only in the file")]

    def _close_line(self) -> list[LogLine]:
        """A last line without an end, which nothing came to continue."""
        raw, self._rest = self._rest, b""
        return [self._line(raw)] if raw.strip() else []

    def _line(self, raw: bytes) -> LogLine:
        text = raw[:_LINE_BYTES].decode("utf-8", errors="replace").rstrip()
        self._level = _level_in(text, self._level)
        text = shorten(redact(text, self._secrets), _HEAD_CHARACTERS + _TAIL_CHARACTERS)
        return LogLine(at_unix=self._changed_unix, level=self._level, source=ENGINE, text=text)

    def _remark(self, text: str) -> LogLine:
        return LogLine(at_unix=self._changed_unix, level=LogLevel.INFO, source=ENGINE, text=f"({text})")


_plain = logging.Formatter()


def _words(record: logging.LogRecord) -> str:
    try:
        words = record.getMessage()
    except Exception as error:  # noqa: BLE001 - a mistake in a call that logs must not end what it tells of
        words = f"{record.msg!r} with arguments that do not fit: {error}"
    if record.exc_info and record.exc_info[0] is not None:
        words = f"{words}\n{_plain.formatException(record.exc_info)}"
    if record.stack_info:
        words = f"{words}\n{record.stack_info}"
    return words


def _cut(text: str) -> str:
    left_out = len(text) - _HEAD_CHARACTERS - _TAIL_CHARACTERS
    if left_out <= 0:
        return text
    return f"{text[:_HEAD_CHARACTERS]} … {left_out} characters left out … {text[-_TAIL_CHARACTERS:]}"


def _level_of(number: int) -> LogLevel:
    return max((level for level in LogLevel if level <= number), default=LogLevel.DEBUG)


def _level_in(text: str, before: LogLevel) -> LogLevel:
    """What a library or Python says of its own line; one that is set in belongs to the one before."""
    if (marked := _MARKED.match(text)) is not None:
        return _WORDS[marked["word"][0].lower()]
    if _RAISED.match(text):
        return LogLevel.ERROR
    return before if text.startswith((" ", "\t")) else LogLevel.INFO

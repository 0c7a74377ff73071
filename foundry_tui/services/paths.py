"""Paths that somebody is typing: what stands there, what could be meant, which name is free."""

import asyncio
import os
import stat
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from foundry_tui.domain.text import clean_text

__all__ = [
    "Entry",
    "Listing",
    "PathKind",
    "PathState",
    "free_name",
    "harmless",
    "list_folder",
    "look_at",
    "split",
]

_SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))
# Line ends and tabs have their pictures too: a name is one line.
_PICTURES = str.maketrans({"\n": "␊", "\r": "␍", "\t": "␉", "\u2028": "\ufffd", "\u2029": "\ufffd"})
_TRIES = 1_000


class PathKind(StrEnum):
    """What stands at a path."""

    MISSING = "missing"
    """Nothing; the folder it would stand in is there."""
    ASTRAY = "astray"
    """Nothing, and no folder that it could stand in."""
    FILE = "file"
    FOLDER = "folder"
    OTHER = "other"
    """A pipe, a socket or a device: reading it may never end."""
    CLOSED = "closed"
    """It cannot be looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathState:
    """What stands at a path, as it was a moment ago.

    Attributes:
        path: In full.
        size_bytes: Of a file; None for all else.
        reason: Why it cannot be looked at; "" otherwise.
    """

    path: Path
    kind: PathKind
    size_bytes: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something in a folder.

    Attributes:
        name: As the file system has it.
        shown: The same made harmless; no other entry of its folder is shown so.
    """

    name: str
    shown: str
    is_folder: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a folder holds, by name.

    Attributes:
        reason: Why it cannot be listed; "" where it was.
    """

    entries: tuple[Entry, ...] = ()
    reason: str = ""

    def beginning_with(self, shown: str) -> tuple[Entry, ...]:
        """Entries shown with such a beginning, else in whatever case; hidden ones only for a dot."""
        seen = [entry for entry in self.entries if shown.startswith(".") or not entry.name.startswith(".")]
        exact = tuple(entry for entry in seen if entry.shown.startswith(shown))
        folded = shown.casefold()
        return exact or tuple(entry for entry in seen if entry.shown.casefold().startswith(folded))


async def look_at(text: str) -> PathState:
    """What stands at the path ``text``; never raises."""
    return await asyncio.to_thread(_look_at, text)


async def list_folder(text: str) -> Listing:
    """What the folder ``text`` holds, "" being the working directory; never raises."""
    return await asyncio.to_thread(_list_folder, text)


async def free_name(text: str) -> str:
    """``text``, or with ``-2``, ``-3`` … before its suffix, so that nothing of that name is there yet."""
    return await asyncio.to_thread(_free_name, text)


def split(text: str) -> tuple[str, str]:
    """The folder in ``text`` with the separator at its end, and the name that is being typed."""
    at = max(text.rfind(separator) for separator in _SEPARATORS) + 1
    return text[:at], text[at:]


def harmless(text: str) -> str:
    """``text`` on one line with nothing in it that a terminal obeys; blanks stay as they are."""
    return clean_text(text.translate(_PICTURES)).replace("\n", "\ufffd")


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _look_at(text: str) -> PathState:
    try:
        path = _path(text)
    except (OSError, RuntimeError, ValueError) as error:
        return PathState(path=Path(text), kind=PathKind.CLOSED, reason=_reason(error))
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        kind = PathKind.MISSING if path.parent.is_dir() and not path.is_symlink() else PathKind.ASTRAY
        return PathState(path=path, kind=kind)
    except (OSError, ValueError) as error:
        return PathState(path=path, kind=PathKind.CLOSED, reason=_reason(error))
    if stat.S_ISDIR(found.st_mode):
        return PathState(path=path, kind=PathKind.FOLDER)
    if stat.S_ISREG(found.st_mode):
        return PathState(path=path, kind=PathKind.FILE, size_bytes=found.st_size)
    return PathState(path=path, kind=PathKind.OTHER)


def _list_folder(text: str) -> Listing:
    found: list[tuple[str, bool]] = []
    try:
        with os.scandir(_path(text or ".")) as entries:
            for entry in entries:
                try:
                    is_folder = entry.is_dir()
                except OSError:
                    is_folder = False
                found.append((entry.name, is_folder))
    except (OSError, RuntimeError, ValueError) as error:
        return Listing(reason=_reason(error))
    # A name that is shown as it is goes before those that only look like it.
    named = sorted(
        ((name, harmless(name), is_folder) for name, is_folder in found), key=lambda e: e[0] != e[1]
    )
    alike: Counter[str] = Counter()
    taken: set[str] = set()
    listed: list[Entry] = []
    for name, shown, is_folder in named:
        unlike = shown
        while unlike in taken:
            alike[shown] += 1
            unlike = f"{shown} ({alike[shown] + 1})"
        taken.add(unlike)
        listed.append(Entry(name=name, shown=unlike, is_folder=is_folder))
    return Listing(entries=tuple(sorted(listed, key=lambda entry: (entry.shown.casefold(), entry.shown))))


def _free_name(text: str) -> str:
    folder, name = split(text)
    stem, dot, suffix = name.rpartition(".")
    if not stem:
        stem, dot, suffix = name, "", ""
    for number in range(1, _TRIES):
        candidate = text if number == 1 else f"{folder}{stem}-{number}{dot}{suffix}"
        try:
            path = _path(candidate)
            if not path.exists() and not path.is_symlink():
                return candidate
        except (OSError, RuntimeError, ValueError):
            return text  # what is wrong with it is told where it is looked at
    return text


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)

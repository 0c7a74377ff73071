"""The child's stderr, kept in a file: native libraries write there and nowhere near the screen."""

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from foundry_tui.domain.text import clean_line

__all__ = ["HostLog"]

_KEPT_FILES = 20
_TAIL_BYTES = 16_384
_numbers = itertools.count(1)


class HostLog:
    """One file per life of a child; it survives a crash of both sides.  All calls block."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, folder: Path) -> "HostLog":
        """A new log in ``folder``; the oldest ones beyond twenty are removed.

        Raises:
            OSError: The folder cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for old in sorted(folder.glob("host-*.log"), key=_age)[: -(_KEPT_FILES - 1)]:
            old.unlink(missing_ok=True)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        path = folder / f"host-{stamp}-{os.getpid()}-{next(_numbers)}.log"
        path.touch()
        return cls(path)

    @contextmanager
    def open_for_child(self) -> Iterator[BinaryIO]:
        """The file to hand to the child as its stderr; the parent's copy closes with the block."""
        with self.path.open("ab", buffering=0) as file:
            yield file

    def tail(self, lines: int) -> tuple[str, ...]:
        """The last ``lines`` lines that are not blank, harmless to show; empty if unreadable."""
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                text = file.read().decode("utf-8", errors="replace")
        except OSError:
            return ()
        kept = [line for line in (clean_line(raw, 400) for raw in text.splitlines()) if line]
        return tuple(kept[-lines:])


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0

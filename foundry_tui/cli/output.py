"""The two streams: data on stdout, talk on stderr, both harmless to a terminal."""

import json
import logging
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.text import clean_line, clean_text

__all__ = ["complain", "print_json", "print_table", "print_text", "say", "tidy_streams"]


_LOG = logging.getLogger(__name__)


def tidy_streams() -> None:
    """What the encoding cannot show becomes a question mark, a stream that was closed a sink: no crash."""
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - for the program's life
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def print_text(text: str, *, end: str = "\n") -> None:
    """Write data for a reader: every control in ``text`` is shown as a picture of itself."""
    sys.stdout.write(clean_text(text) + end)
    sys.stdout.flush()


def print_json(value: object) -> None:
    """Write ``value`` exactly; JSON escapes what a terminal would obey."""
    # ASCII only: C1 controls and bidirectional overrides would pass through otherwise.
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: frozenset[int]) -> None:
    """Write aligned columns; those numbered in ``right`` are set right."""
    cleaned = [[clean_line(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cleaned) for column in range(len(header))]
    for row in cleaned:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Tell the user something that is no data."""
    sys.stderr.write(clean_text(text) + "\n")
    sys.stderr.flush()
    _LOG.info("%s", clean_line(text))


def complain(error: FoundryTuiError) -> None:
    """Tell what went wrong and what to do about it."""
    say(f"foundry-tui: {error.message}")
    if error.remedy is not None:
        say(f"  → {error.remedy}")

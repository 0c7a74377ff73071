"""The two streams: data on stdout, talk on stderr, both harmless to a terminal."""

import json
import logging
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from foundry_tui.domain.errors import FoundryTuiError, StorageProblem
from foundry_tui.domain.text import clean_line, clean_text

__all__ = ["PiecePrinter", "complain", "print_json", "print_table", "print_text", "say", "tidy_streams"]


_LOG = logging.getLogger(__name__)
_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


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
    _put(clean_text(text) + end)


class PiecePrinter:
    """Prints pieces as they come; a carriage return waits for the line feed that may follow it."""

    def __init__(self) -> None:
        self._held = ""
        self._ends_line = True

    def take(self, text: str) -> None:
        """Print the next piece, all but what it may need the one after for."""
        text = self._held + text
        self._held = "\r" if text.endswith("\r") else ""
        shown = clean_text(text.removesuffix("\r"))
        if shown:
            self._ends_line = shown.endswith("\n")
            print_text(shown, end="")

    def end(self) -> None:
        """End the line, if it is not ended."""
        if not self._ends_line:
            print_text("")


def print_json(value: object) -> None:
    """Write ``value`` exactly; JSON escapes what a terminal would obey."""
    # ASCII only: C1 controls and bidirectional overrides would pass through otherwise.
    _put(json.dumps(value, indent=2, ensure_ascii=True) + "\n")


def print_table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: frozenset[int],
    dim: frozenset[int] = frozenset(),
) -> None:
    """Write aligned columns.

    Args:
        header: Names of the columns.
        rows: As many cells each.
        right: Columns that are set right.
        dim: Rows that are greyed where a terminal shows colour; what that means stands in their cells too.
    """
    cleaned = [[clean_line(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cleaned) for column in range(len(header))]
    greyed = {number + 1 for number in dim} if _shows_colour() else set[int]()
    lines: list[str] = []
    for number, row in enumerate(cleaned):
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        line = "  ".join(cells).rstrip()
        lines.append(f"{_DIM}{line}{_PLAIN}\n" if number in greyed else f"{line}\n")
    _put("".join(lines))


def _put(text: str) -> None:
    """Write ``text`` as it is, to its end.

    Raises:
        StorageProblem: What stdout leads to takes no more; that a reader has left is no problem.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # Nothing may be flushed into it at exit: that would fail once more, then without words.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise StorageProblem(
            f"stdout cannot be written: {error.strerror}", remedy="make room, or name another place"
        ) from error


def _shows_colour() -> bool:
    """Whether stdout is a terminal whose reader has not asked for text alone."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    # The old console of Windows shows the sequences themselves.
    return sys.platform != "win32" or "WT_SESSION" in os.environ


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

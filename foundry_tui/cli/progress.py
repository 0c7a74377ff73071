"""A line on stderr that says how far something is, drawn anew while it goes on."""

import sys
import time
from types import TracebackType

from foundry_tui.domain.text import clean_line

__all__ = ["BAR_SIGNS", "LINE_CELLS", "ProgressLine"]

BAR_SIGNS = "#>-"
"""What every terminal and every log can show."""
LINE_CELLS = 79
_REDRAW_S = 0.25
_PLAIN_S = 10.0


class ProgressLine:
    """On a terminal one line, gone at the end of the block; elsewhere a plain line now and then, or none.

    Args:
        is_told_plainly: Whether there is something to read where stderr is no terminal.
    """

    def __init__(self, *, is_told_plainly: bool = True) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._every_s = _REDRAW_S if self._is_terminal else _PLAIN_S
        self._is_silent = not self._is_terminal and not is_told_plainly
        self._told_s: float | None = None
        self._told = ""

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_terminal and self._told:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def tell(self, words: str) -> None:
        """Show ``words``, unless something was shown a moment ago or says the same."""
        now_s = time.monotonic()
        if self._is_silent or words == self._told:
            return
        if self._told_s is not None and now_s - self._told_s < self._every_s:
            return
        self._told_s, self._told = now_s, words
        line = clean_line(words)[:LINE_CELLS]
        sys.stderr.write(f"\r{line}\x1b[K" if self._is_terminal else f"{line}\n")
        sys.stderr.flush()

"""How far something is, on stderr: on a terminal one line drawn anew, elsewhere a plain line now and then."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TextIO, TypeVar

from foundry_tui.aio import Feed, Tasks
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.downloads import ASCII_SIGNS, bar, bytes_of_bytes, share_in_words

__all__ = ["BAR_SIGNS", "LINE_CELLS", "ProgressLine", "following", "share_line"]

T = TypeVar("T")

BAR_SIGNS = ASCII_SIGNS
"""What every terminal and every log can show."""
LINE_CELLS = 79
_BAR_CELLS = 20
_REDRAW_S = 0.25
_PLAIN_S = 10.0


class ProgressLine:
    """On a terminal one line, gone at the end of the block; elsewhere a plain line every ten seconds.

    Args:
        tells_at_once: Whether the first plain line comes at once; what mostly ends within ten seconds needs
            none.  A terminal's comes at once in any case.
        stream: Where to; None is stderr.
        clock_s: A monotonic clock, in seconds.
    """

    def __init__(
        self,
        *,
        tells_at_once: bool = True,
        stream: TextIO | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream or sys.stderr
        self._clock_s = clock_s
        self._is_terminal = self._stream.isatty()
        self._every_s = _REDRAW_S if self._is_terminal else _PLAIN_S
        self._told_s = None if tells_at_once or self._is_terminal else clock_s()
        self._told = ""

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_terminal and self._told:
            self._write("\r\x1b[K")

    def tell(self, words: str) -> None:
        """Show ``words``, unless something was shown a moment ago or says the same."""
        now_s = self._clock_s()
        if words == self._told:
            return
        if self._told_s is not None and now_s - self._told_s < self._every_s:
            return
        self._told_s, self._told = now_s, words
        line = clean_line(words)[:LINE_CELLS]
        self._write(f"\r{line}\x1b[K" if self._is_terminal else f"{line}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


@asynccontextmanager
async def following(
    line: ProgressLine, feed: Feed[T], words: Callable[[T], str | None]
) -> AsyncGenerator[None, None]:
    """Tell on ``line``, which ends with the block, of each new value of ``feed`` that there are words for."""
    tasks = Tasks()
    with line:
        tasks.start("progress line", _follow(line, feed, words))
        try:
            yield
        finally:
            await tasks.aclose()


def share_line(done_bytes: int, total_bytes: int | None) -> str:
    """``########>-----------  42 %  1.05 GiB of 2.51 GiB``; without a total what is done alone."""
    share = done_bytes / total_bytes if total_bytes else None
    amount = bytes_of_bytes(done_bytes, total_bytes or None)
    if share is None:
        return amount
    return f"{bar(min(share, 1.0), _BAR_CELLS, BAR_SIGNS)} {share_in_words(min(share, 1.0)):>5}  {amount}"


async def _follow(line: ProgressLine, feed: Feed[T], words: Callable[[T], str | None]) -> None:
    async for value in feed.watch():
        if (said := words(value)) is not None:
            line.tell(said)
        await asyncio.sleep(_REDRAW_S)  # what comes meanwhile is one change

"""The title of the terminal's window: how far a benchmark or downloads are, then what it was before."""

import sys
from collections.abc import Callable, Sequence
from typing import TextIO

from foundry_tui.domain.downloads import Download, DownloadState
from foundry_tui.domain.quantities import span_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.downloads import title_words
from foundry_tui.services.bench.state import BenchState, Step
from foundry_tui.services.client import Job, JobKind
from foundry_tui.services.downloads.facade import DownloadQueue

__all__ = ["TerminalTitle", "bench_title", "can_be_titled", "download_title"]

# By XTWINOPS a terminal keeps its title and takes it up again; one that cannot ignores both.
_KEEP, _TAKE_UP = "\x1b[22;2t", "\x1b[23;2t"
_TITLE, _END = "\x1b]2;", "\x07"
_CHARACTERS = 120
_RUNNING, _QUEUED = DownloadState.RUNNING, DownloadState.QUEUED
# The console of Linux has no title, and the others would show the sequence as text.
_UNTITLED = frozenset({"", "dumb", "linux", "unknown"})


class TerminalTitle:
    """Shows words in the title for as long as there are any, then what stood there before.

    Args:
        write: Writes to the terminal as it is.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._shown: str | None = None

    def show(self, words: str | None) -> None:
        """Show ``words``, whatever is in them; None gives the title back.  Writes only what is new."""
        text = None if words is None else _harmless(words)
        if text == self._shown:
            return
        if text is None:
            # Empty first: a terminal that could not keep its title makes up one of its own then.
            self._write(f"{_TITLE}{_END}{_TAKE_UP}")
        else:
            self._write(f"{_KEEP if self._shown is None else ''}{_TITLE}{text}{_END}")
        self._shown = text


def can_be_titled(stream: TextIO | None, term: str | None) -> bool:
    """Whether what is written to ``stream`` reaches a terminal that has a title; ``term`` is its kind."""
    if stream is None or not stream.isatty():
        return False
    return sys.platform == "win32" if term is None else term not in _UNTITLED


def bench_title(state: BenchState | None) -> str | None:
    """How far the benchmark is that runs; None while none does."""
    if state is None or state.step is Step.ENDED:
        return None
    left = "" if state.eta_s is None else f", about {span_in_words(state.eta_s)} left"
    return f"benchmark {state.done} of {state.planned}{left}"


def download_title(queue: DownloadQueue | None, jobs: Sequence[Job], now_unix_ms: int) -> str | None:
    """How far this machine's downloads are, else those of a server; None while there are none."""
    words = None if queue is None else title_words(queue.entries, queue.running, now_unix_ms)
    if words is not None:
        return words
    fetches = [(job.model_id, job.transfer) for job in jobs if job.kind is JobKind.FETCH and job.model_id]
    if not fetches:
        return None
    entries = [
        # A server may fetch several at once; the title counts those behind the first.
        Download(
            id=name, model_id=name, added_unix_ms=0, place=place, state=_RUNNING if place == 0 else _QUEUED
        )
        for place, (name, _) in enumerate(fetches)
    ]
    return title_words(entries, fetches[0][1], now_unix_ms)


def _harmless(words: str) -> str:
    """``words`` without anything that any terminal could take for the end of the title.

    To some the byte 0x9C ends it even within a character of UTF-8: so there is ASCII and our own arrow only.
    """
    line = clean_line(words, _CHARACTERS)
    return "".join(one if " " <= one <= "~" or one == "↓" else "?" for one in line)

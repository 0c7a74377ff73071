"""The queue of downloads as rows of a table, and below them what was left on disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foundry_tui.domain.downloads import ENDED_STATES, Download, DownloadState, Partial
from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.reports.downloads import (
    bar,
    bytes_of_bytes,
    share_in_words,
    short_span_in_words,
    speed_in_words,
    state_words,
)
from foundry_tui.services.downloads.facade import DownloadQueue, RunningDownload
from foundry_tui.tui.widgets.row_table import Align, Column, Emphasis, Row

__all__ = ["COLUMNS", "HEADING", "QueueView", "counts_in_words", "rows_of", "view_of"]

COLUMNS = (
    Column(key="place", label="#", width=2, align=Align.RIGHT, priority=70),
    Column(key="model", label="Model", width=18, weight=3, priority=100),
    Column(key="state", label="State", width=14, priority=90),
    Column(key="bar", label="", width=10, priority=20),
    Column(key="share", label="Done", width=5, align=Align.RIGHT, priority=80),
    Column(key="bytes", label="Bytes", width=20, align=Align.RIGHT, priority=30),
    Column(key="speed", label="Speed", width=10, align=Align.RIGHT, priority=60),
    Column(key="left", label="Left", width=6, align=Align.RIGHT, priority=50),
)
HEADING = "heading"
"""Key of the row above what was left on disk."""
_BAR_CELLS = 10
_EMPHASES = {
    DownloadState.FAILED: Emphasis.PROBLEM,
    DownloadState.DONE: Emphasis.GOOD,
    DownloadState.CANCELLED: Emphasis.DIM,
    DownloadState.PAUSED: Emphasis.DIM,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """What the table shows.

    Attributes:
        entries: Those that have not ended by place, then those that have, the newest first.
        running: Progress by the entry's id.
        here: What was left on disk, by model; what tells no model is not in it.
        left: What was left on disk and is in no entry, the largest first.
    """

    entries: tuple[Download, ...] = ()
    running: Mapping[str, RunningDownload]
    here: Mapping[str, Partial]
    left: tuple[Partial, ...] = ()

    def entry(self, key: str | None) -> Download | None:
        """The entry of that row; None if it is none."""
        return next((entry for entry in self.entries if entry.id == key), None)

    def partial(self, key: str | None) -> Partial | None:
        """What was left on disk and stands in that row; None if nothing does."""
        return next((partial for partial in self.left if partial.path == key), None)

    def here_bytes(self, entry: Download) -> int:
        """What is on disk of it, as far as it is unfinished."""
        if (running := self.running.get(entry.id)) is not None:
            return running.progress.done_bytes
        partial = self.here.get(entry.model_id)
        return 0 if partial is None else partial.disk_bytes


def view_of(queue: DownloadQueue, partials: Sequence[Partial]) -> QueueView:
    """The queue as it is shown, with what was left on disk."""
    in_queue = {entry.model_id for entry in queue.entries}
    ended = [entry for entry in queue.entries if entry.state in ENDED_STATES]
    ended.sort(key=lambda entry: -(entry.ended_unix_ms or 0))
    left = [partial for partial in partials if partial.model_id not in in_queue]
    return QueueView(
        entries=(*(entry for entry in queue.entries if entry.state not in ENDED_STATES), *ended),
        running={} if queue.running is None else {queue.running.download_id: queue.running},
        here={partial.model_id: partial for partial in partials if partial.model_id is not None},
        left=tuple(sorted(left, key=lambda partial: (-partial.disk_bytes, partial.path))),
    )


def rows_of(view: QueueView, now_unix_ms: int) -> list[Row]:
    """A row for each entry, then one for each download that was left on disk, below a heading."""
    rows = [_entry_row(view, entry, place, now_unix_ms) for place, entry in enumerate(view.entries, start=1)]
    if view.left:
        heading = ("", "Left on disk, in no entry", *("" for _ in COLUMNS[2:]))
        rows.append(Row(key=HEADING, cells=heading, emphasis=Emphasis.DIM, runs_on=True))
        rows += [_partial_row(partial) for partial in view.left]
    return rows


def counts_in_words(entries: Sequence[Download]) -> str:
    """``1 under way · 2 waiting · 1 paused · 3 ended``; empty where there is nothing."""
    kinds = (
        ("under way", {DownloadState.RUNNING, DownloadState.VERIFYING}),
        ("waiting", {DownloadState.QUEUED, DownloadState.RETRYING}),
        ("paused", {DownloadState.PAUSED}),
        ("ended", ENDED_STATES),
    )
    counts = ((sum(1 for entry in entries if entry.state in states), words) for words, states in kinds)
    return " · ".join(f"{count} {words}" for count, words in counts if count)


def _entry_row(view: QueueView, entry: Download, place: int, now_unix_ms: int) -> Row:
    running = view.running.get(entry.id)
    here_bytes, total_bytes, share = view.here_bytes(entry), entry.size_bytes, None
    speed = left = ""
    if entry.state in (DownloadState.DONE, DownloadState.VERIFYING):
        share, here_bytes = 1.0, total_bytes or here_bytes
    elif running is not None:
        progress = running.progress
        share, total_bytes = progress.share, progress.total_bytes
        speed = speed_in_words(progress.bytes_per_s)
        left = "" if progress.eta_s is None else short_span_in_words(progress.eta_s + 0.999)
    elif here_bytes and total_bytes:
        share = min(1.0, here_bytes / total_bytes)
    return Row(
        key=entry.id,
        cells=(
            "" if entry.state in ENDED_STATES else str(place),
            entry.model_id,
            state_words(entry, running, now_unix_ms),
            "" if share is None else bar(share, _BAR_CELLS),
            "" if share is None else share_in_words(share),
            bytes_of_bytes(here_bytes, total_bytes) if here_bytes or total_bytes else "",
            speed,
            left,
        ),
        emphasis=_EMPHASES.get(entry.state, Emphasis.NORMAL),
    )


def _partial_row(partial: Partial) -> Row:
    return Row(
        key=partial.path,
        cells=(
            "",
            partial.model_id or partial.path,
            "in use" if partial.is_locked else f"{bytes_in_words(partial.disk_bytes)} left",
            "",
            "",
            "",
            "",
            "",
        ),
        emphasis=Emphasis.DIM,
    )

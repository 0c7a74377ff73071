"""Downloads in words: how far one is, how fast, and what it waits for."""

import math
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Protocol

from foundry_tui.domain.downloads import (
    ENDED_STATES,
    Download,
    DownloadPhase,
    DownloadState,
    Partial,
    TransferProgress,
)
from foundry_tui.domain.quantities import UNKNOWN, bytes_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.facts import Fact, quoted

__all__ = [
    "ASCII_SIGNS",
    "BAR_SIGNS",
    "Running",
    "bar",
    "bytes_of_bytes",
    "detail_lines",
    "download_facts",
    "moment_in_words",
    "progress_line",
    "progress_words",
    "running_words",
    "share_in_words",
    "short_span_in_words",
    "short_words",
    "speed_in_words",
    "state_words",
    "title_words",
]

BAR_SIGNS = "━╸─"
"""What is here, half a cell of it, what is not."""
ASCII_SIGNS = "#>-"

_REASON_CHARACTERS = 500
_DAY_MS = 86_400_000
_LINE_CELLS = 80
_BAR_CELLS = 20
# Of the widest of each: 1023 MiB of 1023 GiB, 1023 KiB/s, 99 min left.
_BYTES_CELLS, _SPEED_CELLS, _LEFT_CELLS = 20, 10, 11
_STATES = {
    DownloadState.QUEUED: "queued",
    DownloadState.RUNNING: "downloading",
    DownloadState.VERIFYING: "checking",
    DownloadState.RETRYING: "retrying",
    DownloadState.PAUSED: "paused",
    DownloadState.DONE: "done",
    DownloadState.FAILED: "failed",
    DownloadState.CANCELLED: "cancelled",
}


class Running(Protocol):
    """What is known of a download that bytes come for."""

    @property
    def phase(self) -> DownloadPhase:
        """What its process is at."""
        ...

    @property
    def progress(self) -> TransferProgress:
        """How far it is."""
        ...


# --- numbers


def share_in_words(share: float | None) -> str:
    """``42 %``, cut and not rounded: all of it is 100 %, and nothing else is."""
    return UNKNOWN if share is None else f"{math.floor(share * 100 + 1e-9)} %"


def short_span_in_words(seconds: float) -> str:
    """A span as one cut unit, six characters at most below 100 days: ``12 s``, ``5 min``, ``2.5 h``."""
    if seconds < 100:
        return f"{max(0, int(seconds))} s"
    if seconds < 6_000:
        return f"{int(seconds / 60)} min"
    if seconds < 172_800:
        return f"{int(seconds / 360) / 10:.1f} h"
    return f"{int(seconds / 86_400)} d"


def speed_in_words(bytes_per_s: float | None) -> str:
    """``3.10 MiB/s``."""
    return UNKNOWN if bytes_per_s is None else f"{bytes_in_words(round(bytes_per_s))}/s"


def bytes_of_bytes(done_bytes: int, total_bytes: int | None) -> str:
    """``1.05 GiB of 2.51 GiB``; what is here alone where the total is not known."""
    done = bytes_in_words(done_bytes)
    return done if total_bytes is None else f"{done} of {bytes_in_words(total_bytes)}"


def bar(share: float | None, width: int, signs: str = BAR_SIGNS) -> str:
    """``share`` as ``width`` cells, full only for all of it; without a share none of them is."""
    full, half, empty = tuple(signs)
    halves = 0 if share is None else math.floor(2 * width * share + 1e-9)
    return (full * (halves // 2) + half * (halves % 2)).ljust(width, empty)


def moment_in_words(at_unix_ms: int, now_unix_ms: int, zone: tzinfo | None = None) -> str:
    """``02:00`` within a day before or after, else ``2026-01-02 02:00``; local time if no ``zone``."""
    try:
        moment = datetime.fromtimestamp(at_unix_ms / 1000, zone)
    except (OverflowError, OSError, ValueError):
        return UNKNOWN
    return f"{moment:%H:%M}" if abs(at_unix_ms - now_unix_ms) < _DAY_MS else f"{moment:%Y-%m-%d %H:%M}"


# --- an entry of the queue


def state_words(
    entry: Download, running: Running | None, now_unix_ms: int, *, zone: tzinfo | None = None
) -> str:
    """Where the entry is, in at most 14 characters: ``downloading``, ``stalled 12 s``, ``at 02:00``.

    Args:
        entry: As it stands in the queue.
        running: Of the entry itself; None if it does not run, or runs where nobody here looks.
        now_unix_ms: The time of day.
        zone: None is this machine's.
    """
    wait_ms = None if entry.not_before_unix_ms is None else entry.not_before_unix_ms - now_unix_ms
    if entry.state is DownloadState.RUNNING and running is not None:
        return _running_words(running)
    if entry.state is DownloadState.RETRYING and wait_ms is not None and wait_ms > 0:
        return f"retry in {_left(wait_ms / 1000)}"
    if entry.state is DownloadState.QUEUED and wait_ms is not None and wait_ms > 0:
        at = moment_in_words(entry.not_before_unix_ms or 0, now_unix_ms, zone)
        return f"at {at}" if wait_ms < _DAY_MS else at.split()[0]
    return _STATES[entry.state]


def short_words(
    entry: Download,
    running: Running | None,
    now_unix_ms: int,
    *,
    cells: int | None = None,
    zone: tzinfo | None = None,
) -> str | None:
    """The state for a narrow column: ``↓ 42 % 3.10 MiB/s``, ``queued``; ``cells`` may leave less to say.

    None where the model itself tells more: the download is done, or was cancelled.
    """
    if entry.state in (DownloadState.DONE, DownloadState.CANCELLED):
        return None
    if entry.state is DownloadState.RUNNING and running is not None:
        return running_words(running, cells=cells)
    state = state_words(entry, running, now_unix_ms, zone=zone)
    forms = ("download failed", state) if entry.state is DownloadState.FAILED else (state,)
    return _fitting(forms, cells)


def running_words(running: Running, *, cells: int | None = None) -> str:
    """The same of one that bytes come for, whoever fetches it: ``↓ 42 % 3.10 MiB/s``."""
    progress, state = running.progress, _running_words(running)
    amount = f"↓ {_amount(progress)}"
    if running.phase is not DownloadPhase.FLOWING:
        return _fitting((f"↓ {state}", state), cells)
    if progress.stalled_s:
        return _fitting((f"{amount} {state}", state), cells)
    if progress.bytes_per_s is not None:
        return _fitting((f"{amount} {speed_in_words(progress.bytes_per_s)}", amount), cells)
    return amount


def title_words(entries: Sequence[Download], running: Running | None, now_unix_ms: int) -> str | None:
    """The queue for a terminal's title: ``↓ 42 % 3.10 MiB/s phi-4, 2 more``; None if nothing is under way."""
    at_work = (DownloadState.RUNNING, DownloadState.VERIFYING)
    current = next((entry for entry in entries if entry.state in at_work), None)
    if current is None:
        return None
    more = sum(1 for entry in entries if entry.state in (DownloadState.QUEUED, DownloadState.RETRYING))
    words = short_words(current, running, now_unix_ms) or ""
    name = clean_line(current.model_id, 60)
    return f"{words} {name}" + (f", {more} more" if more else "")


def progress_words(running: Running) -> str:
    """How far it is, to be read aloud: ``42 %, 1.05 GiB of 2.51 GiB, 3.10 MiB/s, 8 min left``."""
    progress = running.progress
    parts = [] if progress.share is None else [share_in_words(progress.share)]
    parts.append(bytes_of_bytes(progress.done_bytes, progress.total_bytes))
    if progress.stalled_s:
        parts.append(f"nothing came for {short_span_in_words(progress.stalled_s)}")
    elif progress.bytes_per_s is not None:
        parts.append(speed_in_words(progress.bytes_per_s))
    if progress.eta_s is not None:
        parts.append(f"{_left(progress.eta_s)} left")
    return ", ".join(parts)


def progress_line(running: Running, *, cells: int = _LINE_CELLS, signs: str = BAR_SIGNS) -> str:
    """How far it is in one line of at most ``cells``, each number in its own place so that none jumps."""
    progress = running.progress
    is_flowing = running.phase is DownloadPhase.FLOWING
    percent = f"{share_in_words(progress.share):>5}" if progress.share is not None else ""
    amount = f"{bytes_of_bytes(progress.done_bytes, progress.total_bytes):>{_BYTES_CELLS}}"
    pace = f"{speed_in_words(progress.bytes_per_s):>{_SPEED_CELLS}}"
    left = "" if progress.eta_s is None else f"{_left(progress.eta_s)} left"
    if not is_flowing or progress.stalled_s:
        pace, left = _running_words(running), ""
    parts = [percent, amount, pace, f"{left:<{_LEFT_CELLS}}"]
    words = "  ".join(part for part in parts if part)
    width = min(_BAR_CELLS, cells - len(words) - 1)
    if progress.share is not None and width >= 4:
        words = f"{bar(progress.share, width, signs)} {words}"
    return words.rstrip()[:cells]


def detail_lines(
    entry: Download,
    running: Running | None,
    now_unix_ms: int,
    *,
    here_bytes: int = 0,
    is_runner: bool = True,
    zone: tzinfo | None = None,
) -> list[str]:
    """What there is to say of one entry, a line each: what it is at, why, what to do, where it runs.

    Args:
        entry: As it stands in the queue.
        running: Of the entry itself.
        now_unix_ms: The time of day.
        here_bytes: What is on disk of it, where it does not run.
        is_runner: Whether this process does the work.
        zone: None is this machine's.
    """
    lines = [_now_words(entry, running, now_unix_ms, here_bytes=here_bytes, zone=zone)]
    if entry.problem is not None:
        lines.append(clean_line(entry.problem, _REASON_CHARACTERS))
        if entry.remedy is not None:
            lines.append(f"→ {clean_line(entry.remedy, _REASON_CHARACTERS)}")
    if entry.state is DownloadState.RUNNING and not is_runner:
        lines.append("runs in another process of the app")
    if entry.outlives_app and entry.state not in ENDED_STATES:
        lines.append("goes on when the app is quit")
    return lines


def download_facts(
    entry: Download,
    running: Running | None,
    partial: Partial | None,
    now_unix_ms: int,
    *,
    zone: tzinfo | None = None,
) -> tuple[Fact, ...]:
    """Everything known of one entry; its end, its failure and its folder only where there is one."""
    here_bytes = running.progress.done_bytes if running is not None else partial.disk_bytes if partial else 0
    facts = [
        quoted("Model", entry.model_id),
        Fact("State", _now_words(entry, running, now_unix_ms, here_bytes=here_bytes, zone=zone)),
        Fact("Size", None if entry.size_bytes is None else bytes_in_words(entry.size_bytes)),
        Fact("On disk", bytes_in_words(here_bytes)),
        Fact("Asked for", moment_in_words(entry.added_unix_ms, now_unix_ms, zone)),
    ]
    if running is not None:
        facts.append(Fact("Progress", progress_words(running)))
    if entry.ended_unix_ms is not None:
        facts.append(Fact("Ended", moment_in_words(entry.ended_unix_ms, now_unix_ms, zone)))
    if entry.attempts:
        facts.append(Fact("Failed tries", f"{entry.attempts} in a row"))
    if entry.problem is not None:
        facts.append(quoted("Problem", entry.problem))
    if entry.remedy is not None:
        facts.append(quoted("What to do", entry.remedy))
    if entry.state not in ENDED_STATES:
        facts.append(Fact("When the app is quit", "goes on" if entry.outlives_app else "waits for its start"))
    if partial is not None:
        facts.append(quoted("Folder", partial.path))
    return tuple(facts)


def _running_words(running: Running) -> str:
    stalled_s = running.progress.stalled_s
    match running.phase:
        case DownloadPhase.STARTING:
            return f"starting {short_span_in_words(stalled_s)}" if stalled_s else "starting"
        case DownloadPhase.WAITING:
            return f"waiting {short_span_in_words(stalled_s)}" if stalled_s else "waiting"
        case DownloadPhase.FLOWING:
            return f"stalled {short_span_in_words(stalled_s)}" if stalled_s else "downloading"
        case DownloadPhase.DONE:
            return "complete"
        case DownloadPhase.FAILED | DownloadPhase.DIED:
            return "ending"


def _now_words(
    entry: Download, running: Running | None, now_unix_ms: int, *, here_bytes: int, zone: tzinfo | None
) -> str:
    """What an entry is at, as a sentence without its end."""
    kept = f", {bytes_in_words(here_bytes)} are kept" if here_bytes else ""
    at_unix_ms = entry.not_before_unix_ms
    match entry.state:
        case DownloadState.QUEUED if at_unix_ms is not None and at_unix_ms > now_unix_ms:
            return f"starts at {moment_in_words(at_unix_ms, now_unix_ms, zone)}{kept}"
        case DownloadState.QUEUED:
            return f"waits for its turn{kept}"
        case DownloadState.RUNNING:
            return "is being downloaded" if running is None else _phase_words(running)
        case DownloadState.VERIFYING:
            return "all is here, and its files are checked"
        case DownloadState.RETRYING:
            when = "soon" if at_unix_ms is None else f"in {_left((at_unix_ms - now_unix_ms) / 1000)}"
            return f"next try {when}, after {_times(entry.attempts)}{kept}"
        case DownloadState.PAUSED:
            return f"paused{kept}"
        case DownloadState.DONE:
            return "done: it is here and sound"
        case DownloadState.FAILED:
            return f"given up after {_times(entry.attempts)}{kept}"
        case DownloadState.CANCELLED:
            return f"cancelled{kept}"


def _phase_words(running: Running) -> str:
    match running.phase:
        case DownloadPhase.STARTING:
            return "the runtime comes up and asks the catalog"
        case DownloadPhase.WAITING:
            return "another program downloads the same model; it goes on when that one ends"
        case _:
            return progress_words(running)


def _times(attempts: int) -> str:
    return "1 try" if attempts == 1 else f"{attempts} tries"


def _fitting(forms: Sequence[str], cells: int | None) -> str:
    """The first that is no longer than ``cells``, else the last."""
    return next((form for form in forms if cells is None or len(form) <= cells), forms[-1])


def _left(seconds: float) -> str:
    return short_span_in_words(math.ceil(seconds))


def _amount(progress: TransferProgress) -> str:
    return bytes_in_words(progress.done_bytes) if progress.share is None else share_in_words(progress.share)

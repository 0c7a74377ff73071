"""The queue of downloads as a value: what each wish and each event makes of its entries.

Nothing here looks at a clock, a disk or a process, so that a store can do a change whole while nobody else
writes.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import count
from typing import TypeAlias

from foundry_tui.domain.downloads import ENDED_STATES, Download, DownloadState
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.text import clean_line

__all__ = [
    "AT_WORK",
    "WAITING",
    "Change",
    "Entries",
    "added",
    "cancelled",
    "due",
    "existing",
    "find",
    "letting_live",
    "moved",
    "next_due_unix_ms",
    "paused",
    "resumed",
    "retried",
    "stepped",
    "unfinished",
    "without_ended",
]

Entries: TypeAlias = tuple[Download, ...]
Change: TypeAlias = Callable[[Entries], Entries]

AT_WORK = frozenset({DownloadState.RUNNING, DownloadState.VERIFYING})
"""Whoever runs the queue is busy with an entry in one of these, or died over it."""
WAITING = frozenset({DownloadState.QUEUED, DownloadState.RETRYING})
"""An entry in one of these begins by itself, at its time."""


def find(entries: Entries, download_id: str) -> Download | None:
    """The entry of that id; None if it is not there."""
    return next((entry for entry in entries if entry.id == download_id), None)


def existing(entries: Entries, download_id: str) -> Download:
    """The entry of that id.

    Raises:
        BadInput: It is not there.
    """
    found = find(entries, download_id)
    if found is None:
        raise BadInput("this download is not in the queue any more", remedy="add the model again")
    return found


def unfinished(entries: Entries, model_id: str) -> Download | None:
    """The entry of that model that has not ended; there is one at most."""
    return next(
        (entry for entry in entries if entry.model_id == model_id and entry.state not in ENDED_STATES), None
    )


def due(entries: Entries, now_unix_ms: int, *, but: Collection[str] = ()) -> Download | None:
    """What is to be done now: what was begun first, then what waits, each by place; ``but`` is left out."""
    able = [entry for entry in entries if entry.id not in but]
    for states in ({DownloadState.VERIFYING}, {DownloadState.RUNNING}, WAITING):
        for entry in able:
            if entry.state in states and _is_due(entry, now_unix_ms):
                return entry
    return None


def next_due_unix_ms(entries: Entries, now_unix_ms: int) -> int | None:
    """When the first of those begins that wait for a time to come; None if none does."""
    times = (entry.not_before_unix_ms for entry in entries if entry.state in WAITING)
    return min((time for time in times if time is not None and time > now_unix_ms), default=None)


def added(entries: Entries, new: Download) -> Entries:
    """With ``new`` behind all others, in the place of earlier ones of its model that have ended.

    If that model is on its way already, the entry that is there goes on, as soon as either of the two would.
    """
    there = unfinished(entries, new.model_id)
    if there is None:
        kept = tuple(entry for entry in entries if entry.model_id != new.model_id)
        return (*kept, replace(new, place=_behind(kept)))
    outlives_app = there.outlives_app or new.outlives_app
    if there.state in AT_WORK:
        return _with(entries, replace(there, outlives_app=outlives_app))
    times = (there.not_before_unix_ms, new.not_before_unix_ms)
    waits = [time for time in times if time is not None]
    is_at_once = new.not_before_unix_ms is None or len(waits) < len(times)
    is_paused = there.state is DownloadState.PAUSED
    sooner = new.not_before_unix_ms if is_paused else None if is_at_once else min(waits)
    return _with(
        entries,
        replace(there, state=DownloadState.QUEUED, not_before_unix_ms=sooner, outlives_app=outlives_app),
    )


def moved(entries: Entries, download_id: str, by: int) -> Entries:
    """With that entry ``by`` places further down, up if negative, among those that have not ended.

    Raises:
        BadInput: It is not there, or has ended.
    """
    entry = _open(entries, download_id, "moved")
    line = [other for other in entries if other.state not in ENDED_STATES]
    here = line.index(entry)
    line.insert(min(max(0, here + by), len(line) - 1), line.pop(here))
    places = count(1)
    ended = [replace(other, place=next(places)) for other in entries if other.state in ENDED_STATES]
    return (*ended, *(replace(other, place=next(places)) for other in line))


def paused(entries: Entries, download_id: str) -> Entries:
    """With that entry at rest until it is resumed.

    Raises:
        BadInput: It is not there, has ended, or all of it is here and being checked.
    """
    entry = _open(entries, download_id, "paused")
    if entry.state is DownloadState.VERIFYING:
        raise BadInput(
            f"{clean_line(entry.model_id)} is here and being checked, so there is nothing to pause",
            remedy="wait for the end, or cancel the check",
        )
    return _with(entries, replace(entry, state=DownloadState.PAUSED, not_before_unix_ms=None))


def resumed(entries: Entries, download_id: str) -> Entries:
    """With that entry, which was paused or waits for its time, next when its turn comes.

    Raises:
        BadInput: It is not there, or has ended.
    """
    entry = _open(entries, download_id, "resumed")
    if entry.state in AT_WORK:
        return entries
    return _with(entries, replace(entry, state=DownloadState.QUEUED, not_before_unix_ms=None))


def cancelled(entries: Entries, download_id: str, *, at_unix_ms: int) -> Entries:
    """With that entry ended; one that has ended stays as it is.

    Raises:
        BadInput: It is not there.
    """
    entry = existing(entries, download_id)
    if entry.state in ENDED_STATES:
        return entries
    ended = replace(entry, state=DownloadState.CANCELLED, ended_unix_ms=at_unix_ms, not_before_unix_ms=None)
    return _with(entries, ended)


def retried(entries: Entries, download_id: str) -> Entries:
    """With that entry, which failed or was cancelled, behind all others as if it were new.

    Raises:
        BadInput: It is not there, it is done, or its model was added again meanwhile.
    """
    entry = existing(entries, download_id)
    if entry.state not in ENDED_STATES:
        return resumed(entries, download_id)
    name = clean_line(entry.model_id)
    if entry.state is DownloadState.DONE:
        raise BadInput(f"{name} is here already", remedy="remove it first, to fetch it again")
    if unfinished(entries, entry.model_id) is not None:
        raise BadInput(f"{name} is in the queue already", remedy="use the entry that is there")
    again = replace(
        entry,
        state=DownloadState.QUEUED,
        place=_behind(entries),
        not_before_unix_ms=None,
        attempts=0,
        problem=None,
        remedy=None,
        ended_unix_ms=None,
    )
    return _with(entries, again)


def letting_live(entries: Entries, download_id: str) -> Entries:
    """With that entry going on when the app is quit.

    Raises:
        BadInput: It is not there, or has ended.
    """
    return _with(entries, replace(_open(entries, download_id, "kept alive"), outlives_app=True))


def without_ended(entries: Entries) -> Entries:
    """Those that have not ended."""
    return tuple(entry for entry in entries if entry.state not in ENDED_STATES)


def stepped(
    entries: Entries,
    download_id: str,
    states: Collection[DownloadState],
    step: Callable[[Download], Download],
) -> Entries:
    """With what ``step`` makes of that entry, if it is there and still in one of ``states``."""
    found = find(entries, download_id)
    return entries if found is None or found.state not in states else _with(entries, step(found))


def _is_due(entry: Download, now_unix_ms: int) -> bool:
    is_early = entry.not_before_unix_ms is not None and entry.not_before_unix_ms > now_unix_ms
    return entry.state in AT_WORK or not is_early


def _open(entries: Entries, download_id: str, what: str) -> Download:
    entry = existing(entries, download_id)
    if entry.state in ENDED_STATES:
        raise BadInput(
            f"the download of {clean_line(entry.model_id)} has ended and cannot be {what}",
            remedy="retry it, or add the model again",
        )
    return entry


def _with(entries: Entries, changed: Download) -> Entries:
    return tuple(changed if entry.id == changed.id else entry for entry in entries)


def _behind(entries: Sequence[Download]) -> int:
    return max((entry.place for entry in entries), default=0) + 1

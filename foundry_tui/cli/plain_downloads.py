"""Commands about downloads: what is fetched, how far it is, and what was left in the middle."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress

from foundry_tui.cli.plain_commands import Command, number_in
from foundry_tui.cli.plain_getting import offer
from foundry_tui.cli.plain_models import care_of
from foundry_tui.cli.plain_session import Session
from foundry_tui.cli.plain_words import listed, unquoted
from foundry_tui.cli.plain_words_downloads import (
    busy_words,
    download_line,
    left_line,
    name_of,
    queue_heading,
)
from foundry_tui.domain.downloads import ENDED_STATES, Download, DownloadState, Partial
from foundry_tui.domain.errors import BadInput, ModelRefused
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.downloads import moment_in_words
from foundry_tui.services.downloads.facade import DownloadQueue
from foundry_tui.services.model_care import ModelCare

__all__ = ["COMMANDS"]

_GROUP = "Getting models"
_EARLIER, _LATER, _TONIGHT, _OUTLIVE = "earlier", "later", "tonight", "outlive"
_LISTED_S = 15.0
_AT_WORK = frozenset({DownloadState.RUNNING, DownloadState.VERIFYING})
_ORDERS = (_EARLIER, _LATER, _TONIGHT, _OUTLIVE)


async def _downloads(session: Session, text: str) -> None:
    care = care_of(session)
    care.downloads.start()
    await _look(session, care)
    queue, now_ms = care.downloads.queue.value, _now_ms()
    if queue.problem is not None:
        raise queue.problem
    partials = {one.model_id: one for one in await asyncio.to_thread(care.runner.partials)}
    lines = []
    for number, one in enumerate(session.listed_downloads, start=1):
        if isinstance(one, Download):
            lines.append(download_line(number, one, queue, _here_bytes(one, queue, partials), now_ms))
        else:
            lines.append(left_line(number, one, now_ms))
    entries = [one for one in session.listed_downloads if isinstance(one, Download)]
    left = [one for one in session.listed_downloads if isinstance(one, Partial)]
    session.read_out([queue_heading(entries, left), *lines])


async def _pause(session: Session, text: str) -> None:
    care, one = await _chosen(session, text)
    if isinstance(one, Partial):
        raise BadInput(f"{name_of(one)} is not under way", remedy="/resume goes on with it")
    await care.downloads.pause(one.id)
    session.say(f"{name_of(one)} is paused. /resume lets it go on.")


async def _resume(session: Session, text: str) -> None:
    care, one = await _chosen(session, text)
    if isinstance(one, Partial):
        await offer(session, care, _listed_model(session, one))
        return
    if one.state in ENDED_STATES:
        await care.downloads.retry(one.id)
    else:
        await care.downloads.resume(one.id)
    session.await_download(one.id)
    session.say(f"{name_of(one)} goes on as soon as its turn comes.")


async def _cancel(session: Session, text: str) -> None:
    care, one = await _chosen(session, text)
    if isinstance(one, Partial):
        await _remove_left(session, care, one)
        return
    partials = {partial.model_id: partial for partial in await asyncio.to_thread(care.runner.partials)}
    here_bytes = _here_bytes(one, care.downloads.queue.value, partials)
    if one.state is DownloadState.DONE or (one.state in ENDED_STATES and not here_bytes):
        raise BadInput(f"{name_of(one)} has ended", remedy="/clear takes it out of the list")
    removes = False
    if here_bytes:
        size = bytes_in_words(here_bytes)
        if one.state in ENDED_STATES:
            question = f"Remove what is here of {name_of(one)}, and free {size}?"
        else:
            question = f"{name_of(one)} is cancelled. Remove what is here of it too, and free {size}?"
        removes = await session.confirm(question)
        if one.state in ENDED_STATES and not removes:
            session.say("Nothing was removed.")
            return
    freed = await care.downloads.cancel(one.id, removes_partial=removes)
    kept = "" if removes or not here_bytes else " What is here is kept: /resume goes on with it."
    session.say(
        f"{name_of(one)} was cancelled; {bytes_in_words(freed)} became free."
        if removes
        else f"{name_of(one)} was cancelled.{kept}"
    )


async def _remove_left(session: Session, care: ModelCare, partial: Partial) -> None:
    if partial.is_locked:
        raise ModelRefused(
            f"a process that is not ours is at work on {name_of(partial)}", remedy="end that one first"
        )
    size = bytes_in_words(partial.disk_bytes)
    if not await session.confirm(f"Remove what is here of {name_of(partial)}, and free {size}?"):
        session.say("Nothing was removed.")
        return
    freed = await asyncio.to_thread(care.runner.remove_partial, partial.path)
    session.say(f"It was removed; {bytes_in_words(freed)} became free.")


async def _queue(session: Session, text: str) -> None:
    number, _, order = text.partition(" ")
    order = order.strip().casefold()
    if order not in _ORDERS:
        raise BadInput(
            f"a download goes {listed(_ORDERS)}", remedy=f"/queue 2 {_EARLIER}, for example; /downloads lists"
        )
    care, one = await _chosen(session, number)
    if isinstance(one, Partial):
        raise BadInput(f"{name_of(one)} is not in the queue", remedy="/resume puts it there")
    match order:
        case "tonight":
            await _put_off(session, care, one)
        case "outlive":
            await care.downloads.let_live(one.id)
            session.say(f"{name_of(one)} goes on when the app is quit.")
        case _:
            await care.downloads.move(one.id, -1 if order == _EARLIER else 1)
            session.say(f"{name_of(one)} comes {order}.")
    session.listed_downloads = ()  # its number may be another one now


async def _put_off(session: Session, care: ModelCare, entry: Download) -> None:
    if entry.state in ENDED_STATES:
        raise BadInput(f"{name_of(entry)} has ended", remedy="/resume tries it again")
    model = session.client.catalog.value.find(entry.model_id)
    if model is None:
        raise BadInput(f"no catalog lists {name_of(entry)} right now", remedy="/pause pauses it")
    if entry.state is not DownloadState.PAUSED:
        await care.downloads.pause(entry.id)
    at_ms = care.downloads.next_quiet_unix_ms()
    await care.downloads.add(model, not_before_unix_ms=at_ms)
    session.say(f"{name_of(entry)} goes on at {moment_in_words(at_ms, _now_ms())}.")


async def _clear(session: Session, text: str) -> None:
    care = care_of(session)
    await care.downloads.clear_ended()
    session.listed_downloads = ()
    session.say("What has ended is out of the list.")


async def _wait(session: Session, text: str) -> None:
    care = care_of(session)
    care.downloads.start()
    waited_for: set[str] = set()
    with session.busy("Downloading") as busy:
        async with care.downloads.watching() as queues:
            async for queue in queues:
                if queue.problem is not None:
                    raise queue.problem
                coming = [entry for entry in queue.entries if _is_coming(entry)]
                if not coming:
                    break
                waited_for.update(entry.id for entry in coming)
                current = next((one for one in coming if one.state in _AT_WORK), coming[0])
                running = queue.running
                is_its = running is not None and running.download_id == current.id
                busy.note(busy_words(current, running if is_its else None))
        entries = care.downloads.queue.value.entries
        done = [one for one in entries if one.id in waited_for and one.state is DownloadState.DONE]
        busy.now("Waiting for the engine to see it")
        await _until_listed(session, [entry.model_id for entry in done])
    session.tell_downloads()
    session.say("Nothing is being downloaded.")


async def _until_listed(session: Session, model_ids: Sequence[str]) -> None:
    """Wait until the engine has these, which takes a restart of it; not for ever, for it may be in use."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_LISTED_S), aclosing(session.client.catalog.watch()) as lists:
            async for snapshot in lists:
                found = [snapshot.find(model_id) for model_id in model_ids]
                if all(model is None or model.is_cached for model in found):
                    return


async def _look(session: Session, care: ModelCare) -> None:
    """List the queue anew: what has not ended by place, what has by time, then what is left on disk."""
    entries = (await care.downloads.refresh()).entries
    partials = await asyncio.to_thread(care.runner.partials)
    ended = sorted(
        (entry for entry in entries if entry.state in ENDED_STATES), key=lambda one: -(one.ended_unix_ms or 0)
    )
    known = {entry.model_id for entry in entries}
    left = sorted(
        (one for one in partials if one.model_id not in known), key=lambda one: (-one.disk_bytes, one.path)
    )
    session.listed_downloads = (
        *(entry for entry in entries if entry.state not in ENDED_STATES),
        *ended,
        *left,
    )


async def _chosen(session: Session, text: str) -> tuple[ModelCare, Download | Partial]:
    """The download of that number in the last list, or of that model; without either the only one there is.

    Raises:
        BadInput: There is none, or the number is nobody's.
    """
    care, text = care_of(session), unquoted(text)
    care.downloads.start()
    if not session.listed_downloads or not text.isdecimal():
        await _look(session, care)
    every = session.listed_downloads
    if text.isdecimal():
        found = every[number_in(text, len(every), "download", "in the last list") - 1]
    else:
        model = session.client.catalog.value.find(text) if text else None
        names = (text, model.id if model is not None else text)
        named = [one for one in every if not text or one.model_id in names]
        open_ones = [one for one in named if isinstance(one, Partial) or one.state not in ENDED_STATES]
        if not named or (not text and len(open_ones) != 1):
            raise BadInput(
                f"there is no download of {clean_line(text, 120)}" if text else "it is not clear which one",
                remedy="/downloads lists them with their numbers",
            )
        found = (open_ones or named)[0]
    if isinstance(found, Download):
        # It may have gone on since it was listed.
        found = next((one for one in care.downloads.queue.value.entries if one.id == found.id), found)
    return care, found


def _listed_model(session: Session, partial: Partial) -> ModelVariant:
    model = None if partial.model_id is None else session.client.catalog.value.find(partial.model_id)
    if partial.is_locked:
        raise ModelRefused(f"a process that is not ours downloads {name_of(partial)} already")
    if model is None:
        raise BadInput(
            f"no catalog lists {name_of(partial)} right now", remedy="/cancel removes what is here of it"
        )
    return model


def _here_bytes(entry: Download, queue: DownloadQueue, partials: Mapping[str | None, Partial]) -> int:
    if queue.running is not None and queue.running.download_id == entry.id:
        return queue.running.progress.done_bytes
    partial = partials.get(entry.model_id)
    return 0 if partial is None else partial.disk_bytes


def _is_coming(entry: Download) -> bool:
    """Whether it is under way or next, rather than put off until a quiet hour."""
    if entry.state is DownloadState.QUEUED:
        return entry.not_before_unix_ms is None or entry.not_before_unix_ms <= _now_ms()
    return entry.state is DownloadState.RETRYING or entry.state in _AT_WORK


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


COMMANDS = (
    Command(
        names=("downloads",),
        group=_GROUP,
        help="list the downloads with their numbers, how far they are, and what was left in the middle",
        example="/downloads",
        run=_downloads,
    ),
    Command(
        names=("pause",),
        group=_GROUP,
        arguments="[NUMBER]",
        help="stop a download for now and keep what is here of it",
        example="/pause 1",
        run=_pause,
    ),
    Command(
        names=("resume",),
        group=_GROUP,
        arguments="[NUMBER]",
        help="let a download go on that was paused, failed, was cancelled or was left in the middle",
        example="/resume 1",
        run=_resume,
    ),
    Command(
        names=("cancel",),
        group=_GROUP,
        arguments="[NUMBER]",
        help="give a download up; asks whether what is here of it is to be removed",
        example="/cancel 2",
        run=_cancel,
    ),
    Command(
        names=("queue",),
        group=_GROUP,
        arguments="NUMBER ORDER",
        help="move a download earlier or later, put it off until tonight, or let it outlive the app",
        example="/queue 2 earlier",
        run=_queue,
    ),
    Command(
        names=("clear",),
        group=_GROUP,
        help="take the downloads that have ended out of the list",
        example="/clear",
        run=_clear,
    ),
    Command(
        names=("wait",),
        group=_GROUP,
        help="wait until nothing is being downloaded any more; Ctrl+C stops the waiting alone",
        example="/wait",
        run=_wait,
    ),
)

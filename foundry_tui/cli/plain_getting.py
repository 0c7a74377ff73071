"""Getting a model: what it takes and means, its licence, and then the download."""

from foundry_tui.aio import Tasks
from foundry_tui.cli.plain_commands import Command
from foundry_tui.cli.plain_models import care_of, sample_of
from foundry_tui.cli.plain_session import Session
from foundry_tui.cli.plain_voice import Busy
from foundry_tui.cli.plain_words import unquoted
from foundry_tui.cli.plain_words_downloads import (
    fetch_words,
    license_lines,
    name_of,
    need_lines,
    room_lines,
)
from foundry_tui.domain.engine import Capability, EndpointKind
from foundry_tui.domain.errors import BadInput, NotSupported
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.download_offer import license_agreed, license_asked, license_denied
from foundry_tui.reports.fetching import (
    NOT_KNOWN_THERE,
    ended_words,
    no_fetch_words,
    place_words,
    stopped_words,
)
from foundry_tui.services.client import FetchEnd, JobKind
from foundry_tui.services.downloads.facade import NotEnoughRoom
from foundry_tui.services.downloads.licenses import Verdict
from foundry_tui.services.model_care import ModelCare

__all__ = ["COMMANDS", "offer"]

_OF_THIS_MACHINE = (EndpointKind.MANAGED, EndpointKind.SCRIPTED)
_OTHER_RULES = "choose another model, or change licenses.deny: /settings licenses"


async def _download(session: Session, text: str) -> None:
    model, info = session.model(unquoted(text)), session.client.engine_info
    if info is not None and info.can(Capability.DOWNLOAD):
        await _fetch_there(session, model)
        return
    if info is not None and (session.services.care is None or info.kind not in _OF_THIS_MACHINE):
        words, _, remedy = no_fetch_words(info).partition(": ")
        raise NotSupported(words, remedy=remedy or None)
    care = care_of(session)
    if not model.is_cached:
        await offer(session, care, model)
    elif model.problem is None:
        session.say(f"{name_of(model)} is on this machine already.")
    else:
        await _repair(session, care, model)


async def offer(session: Session, care: ModelCare, model: ModelVariant) -> None:
    """Say what the download takes and means, ask what must be asked, and queue it.

    Raises:
        BadInput: There is no room for it, its licence is denied, or it cannot be downloaded.
    """
    care.downloads.start()
    room = await care.downloads.preflight(model)
    await session.client.memory.recall()
    need = session.client.memory.offered(model, await sample_of(session))
    session.say("\n".join([f"Download: {name_of(model)}.", *room_lines(room), *need_lines(model, need)]))
    if not room.is_enough:
        raise NotEnoughRoom(room)
    if not await _agrees(session, model, wish=f"is {name_of(model)} to be downloaded"):
        session.say("Nothing was downloaded.")
        return
    entry = await care.downloads.add(model)
    session.await_download(entry.id)
    session.say(f"{name_of(model)} is in the queue. /downloads says how far it is.")


async def _agrees(session: Session, model: ModelVariant, *, wish: str) -> bool:
    """Whether the user wants it under its licence, which is remembered, and even where it cannot run here.

    ``wish`` is asked together with the licence.

    Raises:
        BadInput: The settings deny its licence.
        StorageProblem: What was agreed to cannot be read or kept.
    """
    licenses, question = session.services.licenses, ""
    verdict = await licenses.verdict(model)
    match verdict.verdict:
        case Verdict.DENIED:
            raise BadInput(
                f"{name_of(model)} is not downloaded: its licence is"
                f" {license_denied(verdict.name, verdict.rule)}",
                remedy=_OTHER_RULES,
            )
        case Verdict.ASK:
            session.say("\n".join(license_lines(license_asked(verdict.name), verdict.text)))
            question = f"Do you agree to this licence, and {wish}?"
        case Verdict.ALLOWED:
            session.say(f"Licence: {license_agreed(verdict.name, verdict.rule)}.")
    if model.unavailable is not None:
        reason = clean_line(model.unavailable, 200)
        question = f"This machine cannot run it: {reason}. {question or 'Download it all the same?'}"
    is_wanted = not question or await session.confirm(question)
    if is_wanted and verdict.verdict is Verdict.ASK:
        await licenses.accept(model)
    return is_wanted


async def _repair(session: Session, care: ModelCare, model: ModelVariant) -> None:
    question = f"{name_of(model)} is damaged: {clean_line(model.problem or '', 200)}."
    if not await session.confirm(f"{question} Take it off this disk and download it again?"):
        session.say("It stays as it is.")
        return
    entry = await care.repair(model.id)
    session.await_download(entry.id)
    session.say(f"{name_of(model)} is downloaded again. /downloads says how far it is.")


async def _fetch_there(session: Session, model: ModelVariant) -> None:
    """Have the server download it onto its own disk, and wait for that; Ctrl+C takes the order back."""
    if model.is_cached:
        session.say(f"{name_of(model)} is on the server already.")
        return
    session.say(f"Download: {name_of(model)}, {place_words(model)}.\n{NOT_KNOWN_THERE}")
    if not await _agrees(session, model, wish=f"is the server to download {name_of(model)}"):
        session.say("Nothing was downloaded.")
        return
    tasks = Tasks()
    with session.busy(f"The server downloads {name_of(model)}") as busy:
        tasks.start("words of a fetch", _tell_fetch(session, model.id, busy))
        try:
            ended = await session.client.fetch(model.id)
        finally:
            await tasks.aclose()
    session.say(f"{ended_words(model.id) if ended is FetchEnd.DONE else stopped_words(model.id)}.")


async def _tell_fetch(session: Session, model_id: str, busy: Busy) -> None:
    async for jobs in session.client.jobs.watch():
        for job in jobs:
            if job.kind is JobKind.FETCH and job.model_id == model_id and job.transfer is not None:
                busy.note(f"The server downloads {clean_line(model_id, 120)}, {fetch_words(job.transfer)}")


COMMANDS = (
    Command(
        names=("download", "get"),
        group="Getting models",
        arguments="MODEL",
        help="download a model, after its size, the room for it and its licence were told",
        example="/download phi-4-mini",
        run=_download,
    ),
)

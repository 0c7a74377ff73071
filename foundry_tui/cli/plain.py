"""Plain mode: what the app does, as lines of text: for screen readers, dumb terminals and pipes."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TextIO

from foundry_tui.aio import Tasks
from foundry_tui.cli import (
    plain_chat,
    plain_downloads,
    plain_getting,
    plain_kept,
    plain_models,
    plain_resources,
    plain_servers,
    plain_setup,
)
from foundry_tui.cli.exit_codes import ExitCode
from foundry_tui.cli.plain_answers import ask
from foundry_tui.cli.plain_commands import CommandTable, read_line
from foundry_tui.cli.plain_input import Lines
from foundry_tui.cli.plain_models import load_wanted
from foundry_tui.cli.plain_servers import tell_port, tell_server
from foundry_tui.cli.plain_session import Session
from foundry_tui.cli.plain_signals import Interrupts
from foundry_tui.cli.plain_voice import Voice
from foundry_tui.cli.plain_words_models import catalog_line
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.text import clean_line
from foundry_tui.services.opened import Services

__all__ = ["COMMANDS", "run_plain"]

COMMANDS = CommandTable(
    (
        *plain_chat.COMMANDS,
        *plain_models.COMMANDS,
        *plain_resources.COMMANDS,
        *plain_getting.COMMANDS,
        *plain_downloads.COMMANDS,
        *plain_servers.COMMANDS,
        *plain_kept.COMMANDS,
        *plain_setup.COMMANDS,
    )
)
_BUSY_S = 2.0
# What is left to be written on leaving takes milliseconds; a disk that hangs must not keep anybody.
_SETTLE_S = 5.0


async def run_plain(
    services: Services,
    *,
    input: TextIO,  # noqa: A002 - what it is
    output: TextIO,
    busy_s: float = _BUSY_S,
) -> int:
    """Read questions and commands from ``input`` until its end; the exit code.

    Whoever opened ``services`` closes them.  Ctrl+C stops what is under way; at a terminal's prompt it leaves
    if pressed twice.

    Args:
        services: Open, the engine not started yet.
        input: Where lines are typed or piped in.
        output: Gets whole lines of harmless text, and nothing else.
        busy_s: After so many seconds it is first said that something is still under way.
    """
    lines = Lines(input)
    voice = Voice(output, prompts=lines.is_terminal and output.isatty())
    interrupts = Interrupts(heard=voice.key_was_echoed)
    session = Session(
        services,
        voice=voice,
        lines=lines,
        interrupts=interrupts,
        commands=COMMANDS,
        busy_s=busy_s,
    )
    watchers = Tasks()
    with interrupts.caught():
        try:
            _greet(session)
            await _guarded(session, partial(_start, session))
            watchers.start("plain engine watch", _follow_engine(session))
            watchers.start("plain recorder watch", _follow_recorder(session))
            watchers.start("plain downloads watch", _follow_downloads(session))
            return await _converse(session)
        finally:
            await watchers.aclose()
            session.end_line()


async def _converse(session: Session) -> int:
    interrupts = session.interrupts
    leaves_by_interrupt = await _until_left(session)
    await _guarded(session, partial(_settle, session))
    if interrupts.ended_by is not None:
        return 128 + interrupts.ended_by
    if leaves_by_interrupt or _was_cut_short(session):
        return ExitCode.INTERRUPTED
    return ExitCode.FAILED if session.has_failed and not session.is_interactive else ExitCode.DONE


async def _until_left(session: Session) -> bool:
    """Do what is typed up to the end; whether Ctrl+C was pressed for that."""
    was_warned = False
    while not (session.is_leaving or _was_cut_short(session)):
        line: str | None = None
        async with session.interrupts.stoppable() as waiting:
            try:
                line = await session.read()
            except FoundryTuiError as error:
                session.fail(error)
                continue
        if waiting.has_stopped:
            session.end_line()
            if was_warned:
                return True
            was_warned = True
            if not _was_cut_short(session):
                session.say("Ctrl+C once more leaves; so does /quit.")
            continue
        was_warned = False
        if line is None:
            break
        if line.strip():
            await _guarded(session, partial(_do, session, line))
    return False


def _was_cut_short(session: Session) -> bool:
    """Whether a signal ends the session; of a script Ctrl+C ends more than what is under way."""
    interrupts = session.interrupts
    return interrupts.ended_by is not None or (interrupts.count > 0 and not session.is_interactive)


async def _guarded(session: Session, work: Callable[[], Awaitable[None]]) -> None:
    """Do something that Ctrl+C stops, and say what did not work."""
    async with session.interrupts.stoppable() as block:
        try:
            await work()
        except FoundryTuiError as error:
            session.fail(error)
    if block.has_stopped:
        session.say("Stopped.")
    session.tell_engine()
    session.tell_recorder()
    session.tell_downloads()


async def _do(session: Session, line: str) -> None:
    typed = read_line(line, session.commands)
    if typed.command is None:
        await ask(session, typed.text)
    else:
        await typed.command.run(session, typed.text)


def _greet(session: Session) -> None:
    words = ["foundry-tui in plain mode. Type a question, or /help for the commands; /quit leaves."]
    if not session.dialogue.is_kept:
        words.append("What is said is not written down.")
    session.say("\n".join(words))


async def _start(session: Session) -> None:
    client = session.client
    await client.show_snapshot()
    session.say(f"Starting the engine, {clean_line(session.setup.where, 200)}.")
    with session.busy("Starting the engine"):
        info = await client.start()
    tell_server(session, info)
    await tell_port(session, info)
    session.say(catalog_line(client.catalog.value))
    await load_wanted(session)
    if session.model_id is None:
        session.say("No model was chosen yet: /models lists them, /use NAME chooses one.")
    else:
        session.say(f"Questions go to {clean_line(session.model_id, 120)}.")
    client.refresh_soon()
    _look_after(session)


def _look_after(session: Session) -> None:
    """Begin what goes on beside the talk for as long as the sitting lasts, as it does in the app."""
    services = session.services
    services.background.start("keep warm", services.keep_warm.run())
    if (care := services.care) is not None:
        services.background.start("model care", care.take_up())


async def _settle(session: Session) -> None:
    """Wait until what was said is written down, so that it can be told if it is not."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_SETTLE_S):
            await session.services.recorder.settled()


async def _follow_engine(session: Session) -> None:
    async for _ in session.client.engine_states():
        if session.is_listening:  # else it is told after what is under way
            session.tell_engine()


async def _follow_recorder(session: Session) -> None:
    async for _ in session.services.recorder.problem.watch():
        if session.is_listening:
            session.tell_recorder()


async def _follow_downloads(session: Session) -> None:
    care = session.services.care
    if care is None:
        return
    async for _ in care.downloads.queue.watch():
        if session.is_listening:
            session.tell_downloads()

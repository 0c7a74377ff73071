"""Commands about options, settings, the log, help and leaving."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace

from foundry_tui.cli.plain_commands import Command, amount_in
from foundry_tui.cli.plain_session import Session
from foundry_tui.cli.plain_words import listed, nearest
from foundry_tui.cli.plain_words_chat import option_lines
from foundry_tui.cli.plain_words_kept import log_words, setting_line
from foundry_tui.domain.chat import ChatOptions
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.settings import SettingEntry
from foundry_tui.domain.text import clean_line

__all__ = ["COMMANDS"]

_GROUP, _REST = "Options and settings", "Everything else"
_NONE = frozenset({"", "none", "default"})
_LOG_LINES = 10
_LOG_S = 0.5
_SAVE, _ALL = "save", "all"
_HELP = (
    "A line is a question to the model, unless it begins with a slash; then it is a command.",
    "A backslash at the end of a line lets it go on; two slashes at its beginning send a slash.",
    "/help COMMAND explains a command, /help GROUP all of a group, /help all everything.",
)


async def _options(session: Session, text: str) -> None:
    session.say("\n".join(option_lines(session.dialogue.options, speech=session.speaks_phrases)))


async def _set(session: Session, text: str) -> None:
    key, _, value = text.partition(" ")
    key, value = key.casefold().replace("_", "-"), value.strip()
    if key == "speech":
        session.speaks_phrases = _truth(value)
    elif key in _OPTIONS:
        session.dialogue.options = _OPTIONS[key](session.dialogue.options, value)
    else:
        names = ["system", "temperature", "max-tokens", "seed", "speech"]
        close = nearest(key, names)
        raise BadInput(
            f"there is no option {clean_line(key, 60)}",
            remedy=f"did you mean {listed(close)}?" if close else f"there are {listed(names, 'and')}",
        )
    number = ("system", "temperature", "max-tokens", "seed", "speech").index(_SHORT.get(key, key))
    session.say(option_lines(session.dialogue.options, speech=session.speaks_phrases)[number])


def _truth(value: str) -> bool:
    if value.casefold() not in ("on", "off"):
        raise BadInput(f"speech is on or off, not {clean_line(value, 60) or 'nothing'}")
    return value.casefold() == "on"


def _with_system(options: ChatOptions, value: str) -> ChatOptions:
    return replace(options, system_prompt=None if value.casefold() in _NONE else value)


def _with_temperature(options: ChatOptions, value: str) -> ChatOptions:
    if value.casefold() in _NONE:
        return replace(options, temperature=None)
    try:
        temperature = float(value)
    except ValueError:
        temperature = -1.0
    if not 0 <= temperature <= 2:
        raise BadInput("the temperature is a number from 0 to 2, or none for the engine's own")
    return replace(options, temperature=temperature)


def _with_max_tokens(options: ChatOptions, value: str) -> ChatOptions:
    if not value.isdecimal() or len(value) > 9 or int(value) < 1:
        raise BadInput("the longest answer is a whole number of tokens from 1 on")
    return replace(options, max_tokens=int(value))


def _with_seed(options: ChatOptions, value: str) -> ChatOptions:
    if value.casefold() in _NONE:
        return replace(options, seed=None)
    if not value.removeprefix("-").isdecimal() or len(value) > 18:
        raise BadInput("the seed is a whole number of up to 18 digits, or none")
    return replace(options, seed=int(value))


_SHORT = {"system-prompt": "system", "max": "max-tokens"}
_OPTIONS: dict[str, Callable[[ChatOptions, str], ChatOptions]] = {
    "system": _with_system,
    "system-prompt": _with_system,
    "temperature": _with_temperature,
    "max-tokens": _with_max_tokens,
    "max": _with_max_tokens,
    "seed": _with_seed,
}


async def _settings(session: Session, text: str) -> None:
    entries = await session.services.settings.entries()
    key, _, value = text.partition(" ")
    entry = next((entry for entry in entries if entry.key == key), None)
    if entry is not None and value.strip():
        await _save_setting(session, entry, value.strip())
        return
    wanted = text.casefold().split()
    found = [
        entry
        for entry in entries
        if all(word in f"{entry.key} {entry.group} {entry.description}".casefold() for word in wanted)
    ]
    if not found:
        close = nearest(key, [entry.key for entry in entries])
        raise BadInput(
            f"there is no setting {clean_line(text, 60)}",
            remedy=f"did you mean {listed(close)}?" if close else "/settings lists them all",
        )
    session.read_out([setting_line(entry) for entry in found])


async def _save_setting(session: Session, entry: SettingEntry, text: str) -> None:
    service, key = session.services.settings, entry.key
    wanted = None if text.casefold() == "default" else text
    if wanted is not None and (problem := await service.check(key, wanted)) is not None:
        raise BadInput(f"{key} cannot be {clean_line(wanted, 120)}: {problem}")
    path = await service.save({key: wanted})
    session.say(f"Written to {clean_line(str(path))}.")
    session.setup = await asyncio.to_thread(session.services.reread)
    session.dialogue.begin_with(session.setup.chat)
    for now in await service.entries():
        if now.key == key:
            session.say(setting_line(now))


async def _log(session: Session, text: str) -> None:
    log = session.services.log
    if not session.follows_engine_log:
        session.follows_engine_log = True
        session.services.background.start("engine log", log.follow_engine())
        # The first look of the follower brings what is there; an engine may have written nothing.
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOG_S), aclosing(log.changes.watch()) as changes:
                before = log.changes.value
                async for change in changes:
                    if change != before:
                        break
    lines = log.lines()
    if text.casefold() == _SAVE:
        path = await asyncio.to_thread(log.save, [log_words(line) for line in lines])
        session.say(f"Written to {clean_line(str(path))}.")
        return
    count = amount_in(text, 10_000) if text else _LOG_LINES
    session.read_out([log_words(line) for line in lines[-count:]] or ["The log is empty."])


async def _help(session: Session, text: str) -> None:
    groups = session.commands.groups()
    wanted = next((group for group in groups if group.casefold() == text.casefold()), None)
    if text.casefold() == _ALL:
        session.read_out([line for group in groups for line in _group_lines(groups, group)])
    elif wanted is not None:
        session.read_out(_group_lines(groups, wanted))
    elif text:
        session.say("\n".join(session.commands.find(text).lines()))
    else:
        lines = [_HELP[0]]
        for group, commands in groups.items():
            lines.append(f"{group}: {', '.join(f'/{command.names[0]}' for command in commands)}.")
        session.say("\n".join([*lines, *_HELP[1:]]))


def _group_lines(groups: Mapping[str, tuple[Command, ...]], group: str) -> list[str]:
    return [f"{group}:", *(f"{command.usage}: {command.help}." for command in groups[group])]


async def _more(session: Session, text: str) -> None:
    if not session.more():
        session.say("There is nothing more to read.")


async def _quit(session: Session, text: str) -> None:
    session.is_leaving = True


COMMANDS = (
    Command(
        names=("options",),
        group=_GROUP,
        help="what questions carry: system prompt, temperature, longest answer, seed",
        example="/options",
        run=_options,
    ),
    Command(
        names=("set",),
        group=_GROUP,
        arguments="OPTION VALUE",
        help="set system, temperature, max-tokens, seed or speech; the word none takes a value away",
        example="/set temperature 0.2",
        run=_set,
    ),
    Command(
        names=("settings",),
        group=_GROUP,
        arguments="[WORDS, or KEY VALUE]",
        help="list the settings that are kept, or write one; the word default takes it out of the file",
        example="/settings chat.max_tokens 256",
        run=_settings,
    ),
    Command(
        names=("log",),
        group=_REST,
        arguments="[COUNT, or save]",
        help="read the last lines of the log, or write all of them to a file",
        example="/log 20",
        run=_log,
    ),
    Command(
        names=("more",),
        group=_REST,
        help="read on where a long list was broken off",
        example="/more",
        run=_more,
    ),
    Command(
        names=("help", "h", "?"),
        group=_REST,
        arguments="[COMMAND, or GROUP, or all]",
        help="name the commands, or explain some",
        example="/help timings",
        run=_help,
    ),
    Command(
        names=("quit", "q", "exit"),
        group=_REST,
        help="leave; what was said is kept",
        example="/quit",
        run=_quit,
    ),
)

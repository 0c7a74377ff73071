"""Markdown read as a conversation: our own export exactly, anybody's chat log as far as it goes."""

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeGuard

from foundry_tui.domain.chat import ChatOptions, Role
from foundry_tui.domain.conversations import Conversation, Turn, new_id, title_from
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.chat_log import Said, read_chat_log
from foundry_tui.reports.conversation_markdown import MARKDOWN_FORMAT
from foundry_tui.reports.markdown_text import MARK, Enclosure, is_fence_line, open_up

__all__ = ["Imported", "read_markdown"]

_KIND, _, _VERSION = MARKDOWN_FORMAT.partition("@")
_MARK = re.compile(re.escape(MARK) + r"(?P<kind>[a-z]+)(?: (?P<facts>\{.*\}))? -->[ \t]*$")
_KEY = re.compile(r"(?P<key>[A-Za-z_][\w-]{0,60}):(?:[ \t]+(?P<value>.*))?$")
_RUN = re.compile("`{3,}")
_HOW_TO = (
    "headings such as ## User and ## Assistant, or names such as **User:**, say who speaks;"
    " JSON files end in .json"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A conversation that was read from a file, and in words what of the file did not come with it."""

    conversation: Conversation
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A mark of ours with the lines that follow it.

    Attributes:
        line: Number of the mark's line, from 1.
    """

    line: int
    kind: str
    facts: dict[str, object]
    lines: list[str]


def read_markdown(text: str, name: str, *, now_unix_ms: int) -> Imported:
    """The conversation that ``text`` tells of, under new ids.

    Of our own export texts, roles, models, title, tags, options and times come back; readings do not.

    Args:
        text: Our own export, or a chat log.
        name: Of the file, for errors.
        now_unix_ms: The time of what has none.

    Raises:
        BadInput: There is no conversation in it, or a mark of ours does not fit.
    """
    lines = text.split("\n")
    front, start = _front_matter(lines)
    _check_format(front.get("format"), name)
    created = _unix_ms(front.get("created"))
    now = now_unix_ms if created is None else created
    sections = _sections(lines, start, name)
    notes: list[str] = []
    if any(section.kind == "turn" for section in sections):
        turns = _own_turns(sections, name, now)
        system_prompt, heading = None, None
        notes += _left_out(front, sections)
    else:
        log = read_chat_log("\n".join(lines[start:]), first_line=start + 1)
        notes += log.notes
        turns, system_prompt = _turns_of_log(log.said, now)
        heading = log.title
    if not turns:
        raise BadInput(
            f"{clean_line(name)}: expected a conversation, found nobody who speaks", remedy=_HOW_TO
        )
    options = _options(front, notes)
    if system_prompt is not None and options.system_prompt is None:
        options = replace(options, system_prompt=system_prompt)
    spoken = next((turn.text for turn in turns if turn.role is Role.USER), turns[0].text)
    title = front.get("title")
    if not isinstance(title, str) or len(title.splitlines()) > 1:
        title = title_from(title if isinstance(title, str) else heading or spoken)
    return Imported(
        conversation=Conversation(
            id=new_id(),
            title=title,
            created_unix_ms=now,
            updated_unix_ms=max(now, _unix_ms(front.get("updated")) or now),
            options=options,
            tags=_tags(front.get("tags"), notes),
            turns=turns,
            head_id=turns[-1].id,
        ),
        notes=tuple(notes),
    )


def _check_format(found: object, name: str) -> None:
    if not isinstance(found, str) or not found.startswith(f"{_KIND}@"):
        return
    version = found.removeprefix(f"{_KIND}@")
    if version != _VERSION:
        remedy = "a newer foundry-tui has written it: update this one"
        words = f"{clean_line(name)}: format: expected {MARKDOWN_FORMAT}, found {clean_line(found, 80)}"
        raise BadInput(words, remedy=remedy if version.isdecimal() else "correct the file")


def _front_matter(lines: list[str]) -> tuple[dict[str, object], int]:
    """What stands between two lines of ``---`` at the beginning, and the index of the line behind it."""
    if lines[0].rstrip() != "---":
        return {}, 0
    end = next((number for number, line in enumerate(lines[1:], start=1) if line.rstrip() == "---"), None)
    if end is None:
        return {}, 0
    found: dict[str, object] = {}
    entries: list[str] | None = None
    for line in lines[1:end]:
        if entries is not None and line.lstrip().startswith("- "):
            entries.append(line.lstrip()[2:].strip().strip("\"'"))
        elif match := _KEY.match(line):
            value = (match["value"] or "").strip()
            entries = []
            found[match["key"].lower()] = _scalar(value) if value else entries
    return found, end + 1


def _scalar(value: str) -> object:
    try:
        content: object = json.loads(value)
    except (ValueError, RecursionError):
        return value.strip("\"'")
    return content


def _left_out(front: dict[str, object], sections: list[_Section]) -> list[str]:
    """What our own export did not carry."""
    left_out: list[str] = []
    answers = sum(section.kind == "numbers" for section in sections)
    if answers:
        whose = "an answer" if answers == 1 else f"{answers} answers"
        left_out.append(f"the readings of {whose}: Markdown has them in words only, JSON keeps them")
    others = front.get("turns_on_other_branches")
    if _is_whole(others, low=1):
        left_out.append(f"{others} turns on other branches: Markdown has one branch, JSON keeps all")
    return left_out


def _sections(lines: list[str], start: int, name: str) -> list[_Section]:
    sections: list[_Section] = []
    opener: str | None = None
    at = start
    while at < len(lines):
        line = lines[at]
        match = _MARK.match(line) if opener is None and line.startswith(MARK) else None
        if match is None:
            opener = is_fence_line(line, opener)
            at += 1
            continue
        facts = _scalar(match["facts"] or "{}")
        if not isinstance(facts, dict):
            raise _misfit(name, at + 1, "facts as JSON in the comment")
        end = _end_of(lines, at + 1, _enclosure(facts, name, at + 1), name)
        sections.append(_Section(line=at + 1, kind=match["kind"], facts=facts, lines=lines[at + 1 : end]))
        at = end
    return sections


def _end_of(lines: list[str], start: int, enclosure: Enclosure, name: str) -> int:
    """The index of the line behind the section that begins with ``start``."""
    at = start
    if enclosure in (Enclosure.FENCED, Enclosure.ESCAPED):
        while at < len(lines) and not _RUN.match(lines[at]) and not lines[at].startswith(MARK):
            at += 1
        if at < len(lines) and (run := _RUN.match(lines[at])):
            try:
                at = lines.index(run[0], at + 1) + 1
            except ValueError as error:
                raise _misfit(name, at + 1, f"a line {run[0]} that closes the text") from error
    while at < len(lines) and not _MARK.match(lines[at]):
        at += 1
    return at


def _own_turns(sections: list[_Section], name: str, now: int) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    for section in sections:
        match section.kind:
            case "turn":
                turns.append(_turn(section, turns[-1].id if turns else None, name, now))
            case "reasoning" if turns:
                lines = section.lines
                if "</details>" in lines:
                    last = len(lines) - 1 - lines[::-1].index("</details>")
                    lines = lines[:last]
                turns[-1] = replace(turns[-1], reasoning=_body(section, lines, name))
            case "text" if turns:
                turns[-1] = replace(turns[-1], text=_body(section, section.lines, name))
            case _:
                pass  # numbers are told again from readings; a mark of a later version says more than we know
    return tuple(turns)


def _turn(section: _Section, parent_id: str | None, name: str, now: int) -> Turn:
    role, model = section.facts.get("role"), section.facts.get("model")
    if role not in (Role.USER.value, Role.ASSISTANT.value):
        raise _misfit(name, section.line, 'a role that is "user" or "assistant"')
    lines = section.lines
    if lines and lines[0].startswith("## "):
        lines = lines[1:]
    if lines[1:3] == ["<details>", "<summary>Reasoning</summary>"]:
        lines = ["", "", ""]  # its text stands under a mark of its own
    at_unix_ms = _unix_ms(section.facts.get("at"))
    return Turn(
        id=new_id(),
        parent_id=parent_id,
        role=Role(role),
        text=_body(section, lines, name),
        at_unix_ms=now if at_unix_ms is None else at_unix_ms,
        model_id=model if role == Role.ASSISTANT.value and isinstance(model, str) else None,
    )


def _body(section: _Section, lines: list[str], name: str) -> str:
    """The text in ``lines``, which a blank line precedes and another one follows."""
    enclosure = _enclosure(section.facts, name, section.line)
    if enclosure is Enclosure.PLAIN:
        start = 1 if lines[:1] == [""] else 0
        end = len(lines) - 1 if lines[start:] and lines[-1] == "" else len(lines)
        return "\n".join(lines[start:end])
    start = next((at for at, line in enumerate(lines) if line), len(lines))
    lines = lines[start:]
    if enclosure is Enclosure.QUOTED:
        end = next((at for at, line in enumerate(lines) if not line.startswith(">")), len(lines))
    else:
        run = _RUN.match(lines[0]) if lines else None
        end = next((at for at, line in enumerate(lines) if at and run and line == run[0]), -1) + 1
    try:
        return open_up(enclosure, lines[:end])
    except ValueError as error:
        raise _misfit(name, section.line, f"a text that is {enclosure.value}: {error}") from error


def _enclosure(facts: dict[str, object], name: str, line: int) -> Enclosure:
    try:
        return Enclosure(str(facts.get("is", Enclosure.PLAIN.value)))
    except ValueError as error:
        raise _misfit(name, line, f"one of {', '.join(Enclosure)} after “is”") from error


def _turns_of_log(said: tuple[Said, ...], now: int) -> tuple[tuple[Turn, ...], str | None]:
    """The turns, and what the system was told besides."""
    turns: list[Turn] = []
    for entry in said:
        if entry.role is not Role.SYSTEM:
            parent_id = turns[-1].id if turns else None
            turns.append(
                Turn(
                    id=new_id(),
                    parent_id=parent_id,
                    role=entry.role,
                    text=entry.text,
                    at_unix_ms=now,
                    model_id=entry.model,
                )
            )
    system = [entry.text for entry in said if entry.role is Role.SYSTEM]
    return tuple(turns), "\n\n".join(system) or None


def _options(front: dict[str, object], notes: list[str]) -> ChatOptions:
    usual = ChatOptions()
    system_prompt = front.get("system_prompt")
    max_tokens = front.get("max_tokens", usual.max_tokens)
    temperature, seed = front.get("temperature"), front.get("seed")
    if not (system_prompt is None or isinstance(system_prompt, str)):
        notes.append("system_prompt is no text: left out")
        system_prompt = None
    if not _is_whole(max_tokens, low=1):
        notes.append("max_tokens is no whole number from 1 up: left out")
        max_tokens = usual.max_tokens
    if not (temperature is None or _is_number(temperature)):
        notes.append("temperature is no number from 0 to 2: left out")
        temperature = None
    if not (seed is None or _is_whole(seed, low=-(2**63))):
        notes.append("seed is no whole number: left out")
        seed = None
    return replace(
        usual,
        system_prompt=system_prompt,
        max_tokens=max_tokens,
        temperature=temperature,
        seed=seed,
    )


def _is_whole(value: object, *, low: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value < 2**63


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 2


def _tags(found: object, notes: list[str]) -> tuple[str, ...]:
    entries = found.strip("[]").split(",") if isinstance(found, str) else found
    if entries is None:
        return ()
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        notes.append("tags are no list of words: left out")
        return ()
    words = (" ".join(entry.split()).lstrip("#") for entry in entries)
    return tuple(dict.fromkeys(word for word in words if word))


def _unix_ms(found: object) -> int | None:
    if not isinstance(found, str):
        return None
    try:
        moment = datetime.fromisoformat(found)
        at_unix_ms = round(moment.timestamp() * 1000)
    except (OverflowError, OSError, ValueError):
        return None
    return at_unix_ms if at_unix_ms >= 0 else None


def _misfit(name: str, line: int, expected: str) -> BadInput:
    return BadInput(
        f"{clean_line(name)}: line {line}: expected {expected}", remedy="correct the file, or export again"
    )

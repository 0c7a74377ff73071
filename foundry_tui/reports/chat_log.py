"""A chat that somebody kept as plain Markdown: who speaks is told by headings or by bold names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.domain.chat import Role
from foundry_tui.reports.markdown_text import is_fence_line

__all__ = ["ChatLog", "Said", "read_chat_log"]

_ROLES = {
    **dict.fromkeys(("user", "you", "human", "me", "prompt"), Role.USER),
    **dict.fromkeys(("assistant", "ai", "bot", "model", "chatgpt", "response"), Role.ASSISTANT),
    "system": Role.SYSTEM,
}
_HEADING = re.compile(r"(?P<level>#{1,6})[ \t]+(?P<words>\S.{0,200})$")
_BOLD = re.compile(
    r"(?:\*\*|__)(?P<words>[^*_\n]{1,60}?)(?P<colon>:?)(?:\*\*|__)(?P<after>:?)[ \t]*(?P<rest>.*)$"
)
_NAME = re.compile(r"(?P<name>[A-Za-z]+)(?:[ \t]*[(\[](?P<model>[^()\[\]]{1,150})[)\]])?$")


class _Style(StrEnum):
    HEADING = "heading"
    BOLD = "bold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing said.

    Attributes:
        model: The name that stands beside an answer; None where none does.
    """

    role: Role
    text: str
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatLog:
    """What was understood of a log, and in words what was not.

    Attributes:
        title: The heading above the first speaker; None without one.
    """

    said: tuple[Said, ...]
    title: str | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """A line that may say who speaks next; ``role`` is None where the name is none that is known."""

    line: int
    style: _Style
    level: int
    role: Role | None
    words: str
    model: str | None
    rest: str


def read_chat_log(text: str, *, first_line: int = 1) -> ChatLog:
    """Split ``text`` at its speakers; without any, ``said`` is empty.

    The first speaker decides how speakers are told: a bold name within an answer under headings is text.

    Args:
        text: The log, without front matter.
        first_line: Number of its first line in the file, for the notes.
    """
    lines = text.split("\n")
    calls = list(_calls(lines))
    first = next((call for call in calls if call.role is not None), None)
    if first is None:
        return ChatLog(said=(), title=None, notes=())
    calls = [call for call in calls if (call.style, call.level) == (first.style, first.level)]
    notes: list[str] = []
    if first.style is _Style.HEADING and not any(call.role is Role.ASSISTANT for call in calls):
        calls = [call for call in calls if call.line >= first.line]
        models = dict.fromkeys(call.words for call in calls if call.role is None)
        notes += [f"“{model}” was taken for the name of a model" for model in models]
    else:
        calls = [call for call in calls if call.role is not None]
    title, before = _title(lines[: first.line])
    if before:
        notes.append(f"{_lines(before, first_line)} before the first speaker: left out")
    said: list[Said] = []
    empty = 0
    for call, end in zip(calls, [*(call.line for call in calls[1:]), len(lines)], strict=True):
        words = "\n".join([call.rest, *lines[call.line + 1 : end]]).strip("\n").rstrip()
        if not words.strip():
            empty += 1
            continue
        role = call.role or Role.ASSISTANT
        model = (call.model if call.role else call.words) if role is Role.ASSISTANT else None
        said.append(Said(role=role, text=words, model=model))
    if empty:
        notes.append(f"{empty} {'speaker' if empty == 1 else 'speakers'} without a word: left out")
    return ChatLog(said=tuple(said), title=title, notes=tuple(notes))


def _calls(lines: list[str]) -> Iterator[_Call]:
    opener: str | None = None
    for number, line in enumerate(lines):
        opener = is_fence_line(line, opener)
        if opener is not None:
            continue
        if match := _HEADING.match(line):
            words = match["words"].rstrip().rstrip("#").strip(" \t*_").removesuffix(":").strip(" \t*_")
            yield _call(number, _Style.HEADING, len(match["level"]), words, "")
        elif (match := _BOLD.match(line)) and (match["colon"] or match["after"] or not match["rest"]):
            yield _call(number, _Style.BOLD, 0, match["words"].strip(), match["rest"])


def _call(line: int, style: _Style, level: int, words: str, rest: str) -> _Call:
    match = _NAME.match(words)
    role = _ROLES.get(match["name"].lower()) if match else None
    model = match["model"] if match and role is Role.ASSISTANT else None
    return _Call(line=line, style=style, level=level, role=role, words=words, model=model, rest=rest)


def _title(lines: list[str]) -> tuple[str | None, list[int]]:
    """The first heading, and the numbers of the other lines that say something, from 0."""
    title: str | None = None
    others: list[int] = []
    for number, line in enumerate(lines):
        match = _HEADING.match(line)
        if match and title is None:
            title = match["words"].strip()
        elif line.strip():
            others.append(number)
    return title, others


def _lines(numbers: list[int], first_line: int) -> str:
    first, last = numbers[0] + first_line, numbers[-1] + first_line
    return f"line {first}" if first == last else f"lines {first} to {last}"

"""Kept conversations as files and in words, for both front ends."""

import re
import time
import unicodedata
from dataclasses import replace
from datetime import datetime, tzinfo
from enum import StrEnum

from foundry_tui.domain.conversations import Conversation, new_id
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.quantities import UNKNOWN
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.conversation_json import conversation_json, parse_conversation_json
from foundry_tui.reports.conversation_markdown import conversation_markdown
from foundry_tui.reports.markdown_reading import Imported, read_markdown

__all__ = [
    "IMPORT_LIMIT_BYTES",
    "SUFFIXES",
    "ConversationFormat",
    "Imported",
    "conversation_file",
    "copied",
    "file_name",
    "format_of",
    "read_conversation",
    "tags_from",
    "when_in_words",
]

IMPORT_LIMIT_BYTES = 64_000_000
"""The largest file that is read: some hundred times the longest conversation one has."""
SUFFIXES = (".md", ".json")

_NAME_CHARACTERS = 60
_NAME_BYTES = 180
_KEPT_CATEGORIES = "LMN"
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_DAY_MS = 86_400_000


class ConversationFormat(StrEnum):
    """What a conversation is written as."""

    MARKDOWN = "md"
    JSON = "json"


def format_of(name: str) -> ConversationFormat:
    """The format that the end of a file's name asks for.

    Raises:
        BadInput: It asks for none that there is.
    """
    lowered = name.lower()
    if lowered.endswith(".json"):
        return ConversationFormat.JSON
    if lowered.endswith((".md", ".markdown")):
        return ConversationFormat.MARKDOWN
    raise BadInput(
        f"{clean_line(name)}: expected a name that ends in .md or .json",
        remedy="add .md for people, .json for everything that was kept",
    )


def conversation_file(conversation: Conversation, file_format: ConversationFormat) -> str:
    """What a file of that format holds."""
    if file_format is ConversationFormat.JSON:
        return conversation_json(conversation)
    return conversation_markdown(conversation)


def read_conversation(text: str, name: str) -> Imported:
    """The conversation in a file; where its name does not say which format it has, its beginning does.

    Raises:
        BadInput: There is none in it; the message has the place and what was expected there.
    """
    try:
        file_format = format_of(name)
    except BadInput:
        is_json = text.lstrip().startswith("{")
        file_format = ConversationFormat.JSON if is_json else ConversationFormat.MARKDOWN
    if file_format is ConversationFormat.JSON:
        return Imported(conversation=parse_conversation_json(text, name))
    return read_markdown(text, name, now_unix_ms=time.time_ns() // 1_000_000)


def copied(conversation: Conversation) -> Conversation:
    """The same under ids of its own, so that it stands beside the one it is a copy of."""
    ids = {turn.id: new_id() for turn in conversation.turns}
    turns = tuple(
        replace(turn, id=ids[turn.id], parent_id=None if turn.parent_id is None else ids[turn.parent_id])
        for turn in conversation.turns
    )
    head_id = None if conversation.head_id is None else ids[conversation.head_id]
    return replace(conversation, id=new_id(), turns=turns, head_id=head_id)


def file_name(title: str, file_format: ConversationFormat) -> str:
    """A name made of ``title`` that every file system takes, without a folder."""
    kept = "".join(
        character if unicodedata.category(character)[0] in _KEPT_CATEGORIES else "-" for character in title
    )
    name = (
        re.sub("-{2,}", "-", kept)[:_NAME_CHARACTERS]
        .encode()[:_NAME_BYTES]
        .decode(errors="ignore")
        .strip("-")
    )
    if not name or _RESERVED.fullmatch(name):
        name = f"conversation-{name}".rstrip("-")
    return f"{name}.{file_format.value}"


def tags_from(text: str) -> tuple[str, ...]:
    """The tags that somebody wrote, with or without #; parted by commas, else by blanks."""
    line = clean_line(text)
    words = (word.strip("# ") for word in (line.split(",") if "," in line else line.split()))
    return tuple(sorted({word for word in words if word}, key=lambda word: (word.casefold(), word)))


def when_in_words(at_unix_ms: int, now_unix_ms: int, zone: tzinfo | None = None) -> str:
    """``13:05`` for today, ``Tue 13:05`` within a week, else ``2026-01-02``; local time if no ``zone``."""
    try:
        moment = datetime.fromtimestamp(at_unix_ms / 1000, zone)
        now = datetime.fromtimestamp(now_unix_ms / 1000, zone)
    except (OverflowError, OSError, ValueError):
        return UNKNOWN
    if moment.date() == now.date():
        return f"{moment:%H:%M}"
    if 0 <= now_unix_ms - at_unix_ms < 6 * _DAY_MS:
        return f"{moment:%a %H:%M}"
    return f"{moment:%Y-%m-%d}"

"""Kept conversations, saved prompts, settings and the log, in words fit to be spoken."""

import time

from foundry_tui.cli.plain_words import count_words, sentence, spoken
from foundry_tui.cli.plain_words_chat import spoken_end
from foundry_tui.domain.conversations import Conversation, ConversationSummary, SavedPrompt
from foundry_tui.domain.settings import SettingEntry, SettingOrigin, TakesEffect
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.conversation import when_in_words
from foundry_tui.services.logbook import LogLine

__all__ = ["conversation_line", "log_words", "prompt_line", "setting_line", "summary_line", "title_of"]

_TITLE_CHARACTERS = 120
_BEGINNING_CHARACTERS = 100
_LOG_CHARACTERS = 600
_ORIGINS = {
    SettingOrigin.OPTION: "from the command line",
    SettingOrigin.ENVIRONMENT: "from the environment",
    SettingOrigin.FILE: "from the file",
    SettingOrigin.DEFAULT: "the default",
}


def title_of(conversation: Conversation | ConversationSummary) -> str:
    """A conversation's name in quotes."""
    title = spoken_end(clean_line(conversation.title, _TITLE_CHARACTERS))
    return f'"{title}"' if title else "without a title"


def summary_line(number: int, summary: ConversationSummary, now_unix_ms: int) -> str:
    """One conversation of a list: title, when, how long, tags, who answered; where a search hit."""
    parts = [
        f"{number}: {title_of(summary)}",
        when_in_words(summary.updated_unix_ms, now_unix_ms),
        count_words(summary.turns, "message"),
    ]
    if summary.tags:
        parts.append(f"tags {' '.join(clean_line(tag) for tag in summary.tags)}")
    if summary.models:
        parts.append(f"with {clean_line(summary.models[0], _TITLE_CHARACTERS)}")
    words = ", ".join(parts)
    if summary.hit_id is not None and summary.snippet:
        return f"{words}. Found in: {spoken_end(clean_line(summary.snippet, 2 * _BEGINNING_CHARACTERS))}"
    return f"{words}."


def conversation_line(conversation: Conversation, *, is_kept: bool) -> str:
    """The conversation that is under way."""
    if not conversation.turns:
        return "A new conversation; nothing was said yet."
    path = conversation.path()
    words = f"conversation {title_of(conversation)}, {count_words(len(path), 'message')}"
    others = len(conversation.turns) - len(path)
    if others:
        words += f", {others} more on other branches"
    if conversation.tags:
        words += f", tags {' '.join(clean_line(tag) for tag in conversation.tags)}"
    return sentence(words if is_kept else f"{words}, not written down")


def prompt_line(number: int, prompt: SavedPrompt) -> str:
    """One saved prompt of a list."""
    beginning = clean_line(prompt.text[: 4 * _BEGINNING_CHARACTERS], _BEGINNING_CHARACTERS)
    return f"{number}, {clean_line(prompt.name, _TITLE_CHARACTERS)}: {spoken_end(beginning)}"


def setting_line(entry: SettingEntry) -> str:
    """One setting: its value, where that comes from, what it means, when a change counts."""
    value = "not set" if entry.value is None else clean_line(entry.value, 300) or "empty"
    origin = _ORIGINS[entry.origin]
    if entry.origin_detail:
        origin = f"from {clean_line(entry.origin_detail)}"
    effect = "" if entry.takes_effect is TakesEffect.NOW else " A change counts from the next start."
    return f"{clean_line(entry.key)} is {value}, {origin}. {spoken(entry.description).rstrip('.')}.{effect}"


def log_words(line: LogLine) -> str:
    """One line of the log."""
    # Of a process that wrote nothing yet no time is known.
    moment = time.strftime("%H:%M:%S, ", time.localtime(line.at_unix)) if line.at_unix else ""
    text = spoken_end(clean_line(line.text, _LOG_CHARACTERS))
    return f"{moment}{line.level.word}, {clean_line(line.source)}: {text}"

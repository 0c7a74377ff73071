"""A kept conversation as Markdown: what one read on the screen, fit to be sent to somebody.

Comments that no reader sees say where a turn begins, so a text may hold what it likes.
"""

import json
from datetime import UTC, datetime

from foundry_tui.domain.chat import Role
from foundry_tui.domain.conversations import Conversation, Turn
from foundry_tui.domain.quantities import UNKNOWN
from foundry_tui.reports.answer import describe
from foundry_tui.reports.markdown_text import MARK, Enclosure, enclose, plain_words, quoted_scalar

__all__ = ["MARKDOWN_FORMAT", "conversation_markdown", "utc_moment"]

MARKDOWN_FORMAT = "foundry-tui/conversation-markdown@1"


def conversation_markdown(conversation: Conversation) -> str:
    """The branch of ``conversation`` that is being read; the front matter counts the turns of the others.

    Readings are told in words and do not come back; JSON keeps them.
    """
    path = conversation.path()
    options = conversation.options
    system_prompt = "null" if options.system_prompt is None else quoted_scalar(options.system_prompt)
    lines = [
        "---",
        f"format: {MARKDOWN_FORMAT}",
        f"title: {quoted_scalar(conversation.title)}",
        f"tags: [{', '.join(quoted_scalar(tag) for tag in conversation.tags)}]",
        f"created: {utc_moment(conversation.created_unix_ms)}",
        f"updated: {utc_moment(conversation.updated_unix_ms)}",
        f"system_prompt: {system_prompt}",
        f"max_tokens: {options.max_tokens}",
        f"temperature: {json.dumps(options.temperature)}",
        f"seed: {json.dumps(options.seed)}",
        f"turns: {len(path)}",
        f"turns_on_other_branches: {len(conversation.turns) - len(path)}",
        "---",
        "",
        f"# {plain_words(conversation.title) or 'Conversation'}",
        "",
    ]
    for turn in path:
        lines += _turn(turn)
    return "\n".join(lines)


def utc_moment(at_unix_ms: int) -> str:
    """A moment as ``2026-01-02T03:04:05.678Z``; n/a where no calendar has it."""
    try:
        moment = datetime.fromtimestamp(at_unix_ms // 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return UNKNOWN
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_unix_ms % 1000:03d}Z"


def _turn(turn: Turn) -> list[str]:
    facts: dict[str, object] = {"role": turn.role.value}
    if turn.role is Role.ASSISTANT:
        facts["model"] = turn.model_id
    facts["at"] = utc_moment(turn.at_unix_ms)
    enclosure, text = enclose(turn.text)
    if not turn.reasoning:
        facts |= _how(enclosure)
    lines = [_mark("turn", facts), f"## {_speaker(turn)}", ""]
    if turn.reasoning:
        how, thoughts = enclose(turn.reasoning)
        lines += ["<details>", "<summary>Reasoning</summary>", "", _mark("reasoning", _how(how)), ""]
        lines += [*thoughts, "", "</details>", "", _mark("text", _how(enclosure)), ""]
    lines += [*text, ""]
    if turn.trace is not None:
        words = [describe(turn.trace), *filter(None, [turn.trace.error])]
        lines += [_mark("numbers", {}), "", *(f"> {plain_words(line)}  " for line in words), ""]
    return lines


def _speaker(turn: Turn) -> str:
    if turn.role is Role.USER:
        return "You"
    return plain_words(turn.model_id or "") or "Assistant"


def _how(enclosure: Enclosure) -> dict[str, object]:
    return {} if enclosure is Enclosure.PLAIN else {"is": enclosure.value}


def _mark(kind: str, facts: dict[str, object]) -> str:
    # Nothing in it can end the comment.
    words = json.dumps(facts).replace("<", "\\u003c").replace(">", "\\u003e") if facts else ""
    return " ".join(filter(None, [f"{MARK}{kind}", words, "-->"]))

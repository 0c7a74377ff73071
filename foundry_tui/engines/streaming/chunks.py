"""What one chunk of a chat stream says.  A server may leave out anything or send it in another type."""

from dataclasses import dataclass, field
from typing import Any

from foundry_tui.domain.chat import ChatEvent, ChunkKind, ChunkReceived, ClockRead, Moment, TokenUsage

__all__ = ["AnswerSoFar"]

# Beyond it JSON's readers lose digits, and no model has counted so far.
_MOST_TOKENS = 2**53 - 1
_NOTHING_COUNTED = TokenUsage()


@dataclass(slots=True)
class AnswerSoFar:
    """What has been seen of one answer.

    Attributes:
        last_ns: When the newest text was read; None before the first.
        choice: Index of the choice that is read: of several, which nobody asked for, the first that came.
        saw_done: Whether the stream's end mark has come.
        events: How many events the stream has held, whatever they said.
    """

    role_seen: bool = False
    choice: object = 0
    last_ns: int | None = None
    finish_reason: str | None = None
    response_id: str | None = None
    usage: TokenUsage | None = None
    saw_done: bool = False
    events: int = 0
    warnings: list[str] = field(default_factory=list)

    def take(self, chunk: dict[str, Any], *, at_ns: int, read: int) -> list[ChatEvent]:
        """The events in ``chunk``, which was completed by socket read number ``read`` at ``at_ns``."""
        found: list[ChatEvent] = []
        self.response_id = self.response_id or _text(chunk.get("id"))
        if (usage := _usage(chunk.get("usage"))) is not None:
            self.usage = usage
        for choice in _tables(chunk.get("choices")):
            if not self.role_seen:
                self.role_seen = True
                self.choice = choice.get("index") or 0
                found.append(ClockRead(moment=Moment.ROLE, at_ns=at_ns))
            elif (choice.get("index") or 0) != self.choice:
                continue
            delta = choice.get("delta")
            for kind, text in _texts(delta) if isinstance(delta, dict) else ():
                tokens = usage.completion_tokens if usage is not None else None
                found.append(ChunkReceived(at_ns=at_ns, text=text, kind=kind, read=read, tokens=tokens))
                self.last_ns = at_ns
            self.finish_reason = _text(choice.get("finish_reason")) or self.finish_reason
        return found


def _texts(delta: dict[str, Any]) -> list[tuple[ChunkKind, str]]:
    # Two spellings of the same thing, by DeepSeek's and by OpenRouter's example.
    reasoning = _text(delta.get("reasoning_content")) or _text(delta.get("reasoning"))
    found: list[tuple[ChunkKind, str | None]] = [
        (ChunkKind.REASONING, reasoning),
        (ChunkKind.CONTENT, _text(delta.get("content")) or _joined_parts(delta.get("content"))),
    ]
    for call in _tables(delta.get("tool_calls")):
        function = call.get("function")
        if isinstance(function, dict):
            found.append((ChunkKind.TOOL, _text(function.get("name"))))
            found.append((ChunkKind.TOOL, _text(function.get("arguments"))))
    return [(kind, text) for kind, text in found if text is not None]


def _joined_parts(content: object) -> str | None:
    """Content as a list of parts, of which those of text are taken."""
    parts = [_text(part.get("text")) for part in _tables(content) if part.get("type") == "text"]
    return "".join(part for part in parts if part is not None) or None


def _usage(usage: object) -> TokenUsage | None:
    """What ``usage`` counts; None where it holds no count, so that it takes none back that came before."""
    if not isinstance(usage, dict):
        return None
    details = usage.get("completion_tokens_details")
    counted = TokenUsage(
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        reasoning_tokens=_count(details.get("reasoning_tokens")) if isinstance(details, dict) else None,
    )
    return None if counted == _NOTHING_COUNTED else counted


def _tables(value: object) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _count(value: object) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= _MOST_TOKENS else None

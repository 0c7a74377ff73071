"""Conversations with every kind of reading in them, for whoever writes them to a file and reads them back."""

from dataclasses import replace

from foundry_tui.domain.chat import ChatOptions, ChunkKind, ChunkReceived, Outcome, Role, TokenUsage
from foundry_tui.domain.conversations import Conversation, Turn
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.reports.markdown_reading import read_markdown

__all__ = [
    "AT",
    "HALVES",
    "MODEL",
    "answered",
    "branched",
    "chunk",
    "conversation",
    "read_back",
    "said",
    "trace",
]

AT = 1_780_000_000_123
MODEL = "small-instruct-generic-cpu:1"
HALVES = "\ud83d" + "\ude00"


def read_back(text: str, name: str) -> Conversation:
    return read_markdown(text, name, now_unix_ms=AT).conversation


def chunk(at_ns: int, text: str, kind: ChunkKind = ChunkKind.CONTENT, **more: int) -> ChunkReceived:
    return ChunkReceived(at_ns=at_ns, text=text, kind=kind, **more)


def trace(*chunks: ChunkReceived, error: str | None = None) -> GenerationTrace:
    return GenerationTrace(
        call_ns=1,
        sent_ns=2,
        headers_ns=3,
        role_ns=None,
        chunks=chunks,
        end_ns=9_000_000_000,
        usage=TokenUsage(prompt_tokens=12, completion_tokens=3),
        outcome=Outcome.COMPLETED,
        finish_reason="stop",
        response_id="chatcmpl-1",
        warnings=("no_done",),
        delay_p99_ns=40_000,
        error=error,
    )


def said(turn_id: str, text: str, parent_id: str | None = None) -> Turn:
    return Turn(id=turn_id, parent_id=parent_id, role=Role.USER, text=text, at_unix_ms=AT)


def answered(
    turn_id: str, text: str, parent_id: str, *, reasoning: str = "", model_id: str | None = MODEL
) -> Turn:
    return Turn(
        id=turn_id,
        parent_id=parent_id,
        role=Role.ASSISTANT,
        text=text,
        reasoning=reasoning,
        at_unix_ms=AT + 1,
        model_id=model_id,
    )


def conversation(*turns: Turn, title: str = "Two hens", **more: object) -> Conversation:
    fields: dict[str, object] = {
        "id": "c1",
        "title": title,
        "created_unix_ms": AT,
        "updated_unix_ms": AT + 2,
        "turns": turns,
        "head_id": turns[-1].id if turns else None,
        **more,
    }
    return Conversation(**fields)  # type: ignore[arg-type]  # the fields that a test names


def branched() -> Conversation:
    chunks = (
        chunk(10, "hm ", ChunkKind.REASONING, read=1),
        chunk(20, "Two", read=2, tokens=1),
        chunk(20, " hens", read=2, tokens=2),
        chunk(25, "{}", ChunkKind.TOOL, read=3),
        chunk(30, HALVES[0], read=4),
        chunk(40, HALVES[1], read=5),
    )
    first = replace(answered("a1", "Two hens" + HALVES, "u1", reasoning="hm "), trace=trace(*chunks))
    odd = replace(
        answered("a2", "kept \x1b[2J\r\n\x00", "u1"), trace=trace(chunk(5, "sent"), error="cut \ud800")
    )
    return conversation(
        said("u1", "How many hens?"),
        first,
        odd,
        said("u2", "Ünd \u2028 now?", "a1"),
        said("u3", "", "a2"),
        tags=("farm", "hens"),
        head_id="u2",
        options=ChatOptions(system_prompt="Count.\n", max_tokens=77, temperature=0.25, seed=-(2**63)),
    )

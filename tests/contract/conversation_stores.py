"""Every implementation of the stores of conversations, and conversations of few words to put into them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from foundry_tui.domain.chat import ChunkKind, ChunkReceived, Outcome, Role, TokenUsage
from foundry_tui.domain.conversations import Conversation, Turn
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.ports.storage import ConversationStore, InputHistory, PromptLibrary
from foundry_tui.storage import Database, StoredConversations, StoredInputs, StoredPrompts
from tests.support.memory_store import MemoryStore

__all__ = [
    "MEGABYTE",
    "ODD_TEXTS",
    "Stores",
    "answered",
    "asked",
    "found",
    "loaded",
    "opened_stores",
    "talk",
    "trace_of",
]

MEGABYTE = 1_000_000
ODD_TEXTS = {
    "empty": "",
    "null": "before\x00after\x00",
    "only-null": "\x00",
    "lone-surrogates": "high \ud83d, low \ude00, both apart \ud83d\ude00 and together \U0001f600",
    "line-ends": "a\r\nb\rc\nd\u2028e\u2029f\x85g",
    "escapes": "\x1b[31mred\x1b[0m \x07 \u202eright to left",
    "one-long-line": "x" * MEGABYTE,
    "sql": "'; DROP TABLE turn; -- \" ? :x %s",
    "marks": "e\u0301 is not \xe9, \ufeff and \u200b stay",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """One implementation of the three ports."""

    conversations: ConversationStore
    prompts: PromptLibrary
    inputs: InputHistory


@asynccontextmanager
async def opened_stores(kind: str, folder: Path) -> AsyncGenerator[Stores, None]:
    """Those of ``kind``, "memory" or "database", of which the latter keep a file in ``folder``."""
    if kind == "memory":
        memory = MemoryStore()
        yield Stores(conversations=memory, prompts=memory, inputs=memory)
        return
    database = Database(folder / "foundry-tui.db")
    yield Stores(
        conversations=StoredConversations(database),
        prompts=StoredPrompts(database),
        inputs=StoredInputs(database),
    )
    await database.aclose()


def asked(text: str = "hi", *, turn_id: str = "q1", parent: str | None = None, at: int = 10) -> Turn:
    return Turn(id=turn_id, parent_id=parent, role=Role.USER, text=text, at_unix_ms=at)


def answered(
    text: str = "hello",
    *,
    turn_id: str = "a1",
    parent: str | None = "q1",
    at: int = 11,
    reasoning: str = "",
    model_id: str = "m:1",
    trace: GenerationTrace | None = None,
) -> Turn:
    return Turn(
        id=turn_id,
        parent_id=parent,
        role=Role.ASSISTANT,
        text=text,
        at_unix_ms=at,
        reasoning=reasoning,
        model_id=model_id,
        trace=trace,
    )


def talk(
    *turns: Turn,
    conversation_id: str = "c1",
    title: str = "a talk",
    updated: int = 100,
    tags: tuple[str, ...] = (),
) -> Conversation:
    return Conversation(
        id=conversation_id,
        title=title,
        created_unix_ms=1,
        updated_unix_ms=updated,
        tags=tags,
        turns=turns,
        head_id=turns[-1].id if turns else None,
    )


def trace_of(*texts: str, thought: str = "") -> GenerationTrace:
    thoughts = [ChunkReceived(at_ns=90, text=thought, kind=ChunkKind.REASONING, read=1)] if thought else []
    chunks = [ChunkReceived(at_ns=100 + n, text=text, read=2 + n) for n, text in enumerate(texts)]
    return GenerationTrace(
        call_ns=1,
        sent_ns=2,
        headers_ns=3,
        role_ns=4,
        chunks=(*thoughts, *chunks),
        end_ns=1000,
        usage=TokenUsage(prompt_tokens=5, completion_tokens=None),
        outcome=Outcome.TRUNCATED,
        finish_reason="length",
        response_id="r-1",
        warnings=("no_done",),
        delay_p99_ns=7,
    )


async def loaded(store: ConversationStore, conversation_id: str = "c1") -> Conversation:
    conversation = await store.load(conversation_id)
    assert conversation is not None
    return conversation


async def found(store: ConversationStore, text: str = "", *, tag: str | None = None) -> list[str]:
    return [summary.id for summary in await store.find(text=text, tag=tag)]

"""Conversations that are there before a sitting in plain mode, and the end of what was heard of one."""

from foundry_tui.domain.chat import ChatOptions, Role
from foundry_tui.domain.conversations import Conversation, Turn
from tests.cli.plain_sitting import MODEL, Heard
from tests.support.memory_store import MemoryStore

__all__ = ["conversation", "store_with", "told"]


def told(end: Heard, after: str = f"Questions go to {MODEL}.") -> list[str]:
    """The lines behind the last that reads so."""
    lines = end.lines
    return lines[len(lines) - lines[::-1].index(after) :]


async def store_with(*conversations: Conversation) -> MemoryStore:
    """A store that keeps them."""
    store = MemoryStore()
    for conversation in conversations:
        await store.create(conversation)
    return store


def conversation(title: str, *, model_id: str = MODEL, at: int = 0) -> Conversation:
    """One question and its answer, which was thought over."""
    said = Turn(id=f"{title}-q", parent_id=None, role=Role.USER, text=f"{title}?", at_unix_ms=at)
    answered = Turn(
        id=f"{title}-a",
        parent_id=said.id,
        role=Role.ASSISTANT,
        text=f"{title}!",
        at_unix_ms=at,
        reasoning="hm",
        model_id=model_id,
    )
    return Conversation(
        id=title,
        title=title,
        created_unix_ms=at,
        updated_unix_ms=at,
        options=ChatOptions(),
        turns=(said, answered),
        head_id=answered.id,
    )

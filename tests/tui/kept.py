"""Conversations as the store keeps them, for tests that reopen one."""

from foundry_tui.domain.chat import ChunkReceived, Outcome, Role, TokenUsage
from foundry_tui.domain.conversations import Conversation, Turn
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID

__all__ = ["LONG_AGO_UNIX_MS", "MARKDOWN", "SORTING", "conversation", "turn"]

LONG_AGO_UNIX_MS = 1_704_283_200_000  # noon UTC on 3 January 2024: that day nearly everywhere
MARKDOWN = """# Sorting

A list is sorted **in place** by `sort`, and *copied* by `sorted`:

```python
numbers = [3, 1, 2]
numbers.sort()  # now [1, 2, 3]
```

| way      | makes a copy | of       |
|----------|:------------:|---------:|
| `sort`   | no           | a list   |
| `sorted` | yes          | anything |

1. Both are stable.
2. Both take a `key`.

> What is equal stays in its order.
"""
THOUGHTS = "The user asks about sorting.\nThere are two ways, and they differ in one thing."


def traced(text: str) -> GenerationTrace:
    """A word every 10 ms, but for one stall."""
    words = text.split(" ")
    stamps_ns = [
        (number + (40 if number > len(words) // 2 else 0)) * 10_000_000 for number in range(1, len(words) + 1)
    ]
    return GenerationTrace(
        call_ns=0,
        sent_ns=0,
        headers_ns=0,
        role_ns=stamps_ns[0],
        chunks=tuple(
            ChunkReceived(at_ns=at_ns, text=word, read=at_ns)
            for at_ns, word in zip(stamps_ns, words, strict=True)
        ),
        end_ns=stamps_ns[-1],
        usage=TokenUsage(prompt_tokens=12, completion_tokens=len(words)),
        outcome=Outcome.COMPLETED,
        finish_reason="stop",
    )


def turn(turn_id: str, parent_id: str | None, text: str, reasoning: str = "") -> Turn:
    is_user = turn_id.startswith("u")
    return Turn(
        id=turn_id,
        parent_id=parent_id,
        role=Role.USER if is_user else Role.ASSISTANT,
        text=text,
        reasoning=reasoning,
        at_unix_ms=LONG_AGO_UNIX_MS,
        model_id=None if is_user else SCRIPTED_MODEL_ID,
        trace=traced(text) if text == MARKDOWN else None,
    )


def conversation(name: str, title: str, *turns: Turn, tags: tuple[str, ...] = ()) -> Conversation:
    return Conversation(
        id=name,
        title=title,
        created_unix_ms=LONG_AGO_UNIX_MS,
        updated_unix_ms=LONG_AGO_UNIX_MS,
        tags=tags,
        turns=turns,
        head_id=turns[-1].id if turns else None,
    )


SORTING = conversation(
    "sorting",
    "How does one sort a list?",
    turn("u1", None, "How does one sort a list?"),
    turn("a0", "u1", "With care."),
    turn("a1", "u1", MARKDOWN, THOUGHTS),
    tags=("python", "notes"),
)

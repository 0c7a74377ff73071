"""Readings of answers that never were, with everything in them that a store could lose."""

import random

from foundry_tui.domain.chat import ChunkKind, ChunkReceived, Outcome, TokenUsage
from foundry_tui.domain.trace import GenerationTrace

__all__ = ["ALPHABET", "random_trace"]

ALPHABET = (
    "a",
    "b",
    " ",
    "\n",
    "\x00",
    "\ud83d",
    "\ude00",
    "\U0001f600",
    "今",
    "é",
    '"',
    "\\",
    "\u2028",
    "\x7f",
)


def random_trace(seed: int) -> GenerationTrace:
    """The same one for the same seed; any field may be None, any text have what no file format likes."""
    rng = random.Random(seed)
    at_ns = rng.choice((0, 5, 2**62, rng.randrange(2**50)))

    def text(most: int) -> str:
        return "".join(rng.choices(ALPHABET, k=rng.randint(0, most)))

    def maybe(value: int | str) -> int | str | None:
        return value if rng.random() < 0.5 else None

    def number(most: int) -> int | None:
        return rng.choice((None, 0, rng.randrange(most)))

    kinds = rng.sample(tuple(ChunkKind), k=rng.randint(1, 3))
    counts_tokens = rng.random() < 0.5
    sent_ns = at_ns if rng.random() < 0.5 else None
    chunks: list[ChunkReceived] = []
    for _ in range(rng.choice((0, 1, 2, rng.randint(3, 60)))):
        at_ns += rng.choice((0, 1, rng.randrange(10**9)))
        chunks.append(
            ChunkReceived(
                at_ns=at_ns,
                text=text(6),
                kind=rng.choice(kinds),
                read=rng.randint(0, 2**40),
                tokens=number(99) if counts_tokens else None,
            )
        )
    return GenerationTrace(
        call_ns=number(2**63),
        sent_ns=sent_ns,
        headers_ns=number(2**62),
        role_ns=number(9),
        chunks=tuple(chunks),
        end_ns=rng.choice((None, at_ns, at_ns + 7)),
        usage=rng.choice(
            (
                None,
                TokenUsage(),
                TokenUsage(prompt_tokens=number(9), completion_tokens=number(9), reasoning_tokens=number(9)),
            )
        ),
        outcome=rng.choice(tuple(Outcome)),
        finish_reason=rng.choice((None, "", "stop", text(5))),
        response_id=rng.choice((None, "", text(9))),
        warnings=tuple(text(4) for _ in range(rng.randint(0, 3))),
        delay_p99_ns=number(10**9),
        error=rng.choice((None, "", text(30))),
    )

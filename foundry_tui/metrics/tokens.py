"""How many tokens, and who says so.  Chunks are not tokens; an estimate is never passed off as a count."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.domain.chat import ChatMessage, Role
from foundry_tui.domain.conversations import Turn
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.trace import GenerationTrace

__all__ = [
    "ContextUse",
    "TokenCount",
    "TokenSource",
    "answer_budget",
    "context_use",
    "estimate_prompt_tokens",
    "output_tokens",
]

_CHARS_PER_TOKEN = 4
# For the room that is left in a context an underestimate is the costlier mistake.
_CHARS_PER_TOKEN_CAUTIOUS = 3
_TOKENS_PER_MESSAGE = 8


class TokenSource(StrEnum):
    """Who counted, in falling order of trust."""

    USAGE = "usage"
    CHUNKS = "chunks"
    CHARS = "chars"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCount:
    """A number of output tokens and its source; an estimate unless the engine reported it."""

    count: int
    source: TokenSource

    @property
    def is_estimate(self) -> bool:
        """Whether the number must carry a ``~``."""
        return self.source is not TokenSource.USAGE


def output_tokens(trace: GenerationTrace) -> TokenCount | None:
    """Tokens of the answer: as the engine reported, else one per chunk; None without any text.

    Final usage is preferred to a count that came with a chunk; the latter serves where the stream broke.
    A reported 0 beside text is a server's way not to count, and no count.
    One token per chunk is right for engines that flush each token and too low for all others.
    """
    told = None if trace.usage is None else trace.usage.completion_tokens
    if told is not None and (told or not trace.chunks):
        return TokenCount(count=told, source=TokenSource.USAGE)
    reported = [chunk.tokens for chunk in trace.chunks if chunk.tokens]
    if reported:
        return TokenCount(count=reported[-1], source=TokenSource.USAGE)
    if len(trace.chunks) > 1:
        return TokenCount(count=len(trace.chunks), source=TokenSource.CHUNKS)
    if trace.chunks:
        characters = sum(len(chunk.text) for chunk in trace.chunks)
        return TokenCount(count=max(1, round(characters / _CHARS_PER_TOKEN)), source=TokenSource.CHARS)
    return None


def estimate_prompt_tokens(messages: tuple[ChatMessage, ...]) -> int:
    """A cautious estimate of what ``messages`` cost: characters / 3 + 8 for each message."""
    return sum(
        math.ceil(len(message.text) / _CHARS_PER_TOKEN_CAUTIOUS) + _TOKENS_PER_MESSAGE for message in messages
    )


def answer_budget(wanted: int, *, context_tokens: int | None, prompt_tokens: int) -> int:
    """``max_tokens`` to send: what is wanted, but no more than the context leaves; at least 1.

    The runtime refuses a request whose prompt plus ``max_tokens`` exceeds the context, even if the answer
    would be short.  With an estimated prompt the runtime has the last word, and says its own numbers.
    """
    if context_tokens is None:
        return wanted
    return max(1, min(wanted, context_tokens - prompt_tokens))


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextUse:
    """How much of a model's context the next request takes.

    Attributes:
        prompt_tokens: An estimate on the safe side; what the engine counted of earlier turns is in it.
        context_tokens: The real limit, for prompt and answer together; None if it is not known.
    """

    prompt_tokens: int
    context_tokens: int | None

    @property
    def share(self) -> float | None:
        """Of the context; above 1 it does not fit.  None if the limit is not known."""
        return None if not self.context_tokens else self.prompt_tokens / self.context_tokens

    @property
    def left_tokens(self) -> int | None:
        """What is left for the answer; None if the limit is not known."""
        return None if self.context_tokens is None else max(0, self.context_tokens - self.prompt_tokens)


def context_use(
    carried: Sequence[Turn], text: str, *, system_prompt: str | None, model: ModelVariant | None
) -> ContextUse:
    """What a request takes that adds ``text`` to the turns that it carries anyway.

    The newest answer of the same model tells exactly what everything up to it took: its prompt and its
    completion.  Only what was said since is estimated.  Reasoning is counted although it is not sent again.
    """
    since: list[ChatMessage] = [ChatMessage(role=Role.USER, text=text)] if text else []
    counted = 0
    for turn in reversed(carried):
        usage = turn.trace.usage if turn.trace is not None else None
        if (
            model is not None
            and turn.model_id == model.id
            and usage is not None
            and usage.prompt_tokens is not None
            and usage.completion_tokens is not None
        ):
            counted = usage.prompt_tokens + usage.completion_tokens
            break
        since.append(ChatMessage(role=turn.role, text=turn.text))
    else:
        if system_prompt:
            since.append(ChatMessage(role=Role.SYSTEM, text=system_prompt))
    return ContextUse(
        prompt_tokens=counted + estimate_prompt_tokens(tuple(since)),
        context_tokens=None if model is None else model.context_tokens,
    )

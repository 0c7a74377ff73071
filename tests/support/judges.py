"""Judges of known habits, as what they reply to what they are told; and a client that asks them."""

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from foundry_tui.domain.chat import (
    ChatEvent,
    ChatMessage,
    ChatOptions,
    ChatRequest,
    ChunkKind,
    ChunkReceived,
    ClockRead,
    GenerationFinished,
    Moment,
    Outcome,
)
from foundry_tui.domain.models import CatalogKind, ModelVariant
from tests.support.record import Request
from tests.support.script import Script, answer

__all__ = [
    "Asked",
    "Habit",
    "always_a",
    "by_length",
    "needs_two_tries",
    "served",
    "shown",
    "talks",
    "told",
    "variant",
]

Habit: TypeAlias = Callable[[str], str]
"""What a judge replies to what it is told."""

_FENCED = re.compile(
    r"=== (?P<name>[A-Z ]+) (?P<mark>\w+) begins ===\n(?P<text>.*?)\n=== (?P=name) (?P=mark) ends", re.DOTALL
)
_CRITERION = re.compile(r'^- ("(?:[^"\\]|\\.)*") \(', re.MULTILINE)


def by_length(words: str) -> str:
    """Gives a 1 to less than 40 characters and one more for each further 40; prefers the longer answer."""
    texts = shown(words)
    if "ANSWER" in texts:
        return _scores(words, min(5, 1 + len(texts["ANSWER"]) // 40))
    return _verdict("A" if len(texts["ANSWER A"]) > len(texts["ANSWER B"]) else "B")


def always_a(words: str) -> str:
    """Gives a 4 to everything, in a block of code, and prefers whatever comes first."""
    if "ANSWER" in shown(words):
        return f"```json\n{_scores(words, 4)}\n```"
    return _verdict("A")


def talks(words: str) -> str:
    """Never gives a number."""
    return "What a fine answer! I would say four out of five."


def needs_two_tries(words: str) -> str:
    """Does what it is told the second time."""
    return always_a(words) if "no other words" in words else talks(words)


def shown(words: str) -> dict[str, str]:
    """What stands inside the fences, by their names."""
    return {match["name"]: match["text"] for match in _FENCED.finditer(words)}


def told(request: Request) -> str:
    """What an endpoint was asked last in a conversation."""
    messages = request.body["messages"]
    assert isinstance(messages, list)
    return str(messages[-1]["content"])


def served(judge: str, habit: Habit, others: Callable[[Request], Script]) -> Callable[[Request], Script]:
    """An endpoint at which the model ``judge`` has that habit, and all else is answered by ``others``."""

    def choose(request: Request) -> Script:
        return answer((habit(told(request)),)) if request.body["model"] == judge else others(request)

    return choose


def variant(model_id: str = "judge-qwen") -> ModelVariant:
    """A model as an endpoint lists it."""
    return ModelVariant(id=model_id, alias=model_id, catalog=CatalogKind.ENDPOINT)


@dataclass
class Asked:
    """Stands for the client service: every request is answered by a habit, or fails as it says.

    Attributes:
        habit: What it replies; an error that it raises breaks the request.
        seen: What was asked, oldest first.
        thought: What is thought aloud before each reply.
        room: So many tokens the context leaves.
        pieces_read: Pieces of replies that were read.
    """

    habit: Habit
    seen: list[ChatRequest] = field(default_factory=list)
    thought: str = ""
    room: int = 1_000
    pieces_read: int = 0

    @property
    def words(self) -> list[str]:
        """What the judge was told, oldest first."""
        return [request.messages[-1].text for request in self.seen]

    def prepare(
        self,
        model: ModelVariant,
        messages: tuple[ChatMessage, ...],
        options: ChatOptions,
        *,
        prompt_tokens: int | None = None,
    ) -> ChatRequest:
        return ChatRequest(
            model=model.id,
            messages=messages,
            max_tokens=min(options.max_tokens, self.room),
            temperature=options.temperature,
            seed=options.seed,
            timeouts=options.timeouts,
        )

    @asynccontextmanager
    async def chat(self, request: ChatRequest) -> AsyncGenerator[AsyncIterator[ChatEvent], None]:
        self.seen.append(request)
        yield self._events(request)

    async def _events(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        yield ClockRead(moment=Moment.CALL, at_ns=0)
        if self.thought:
            yield ChunkReceived(at_ns=0, text=self.thought, kind=ChunkKind.REASONING)
        reply = self.habit(request.messages[-1].text)
        for start in range(0, len(reply), 100):
            self.pieces_read += 1
            yield ChunkReceived(at_ns=0, text=reply[start : start + 100])
        yield GenerationFinished(outcome=Outcome.COMPLETED, finish_reason="stop", end_ns=0)


def _scores(words: str, value: int) -> str:
    names = [json.loads(name) for name in _CRITERION.findall(words)]
    return json.dumps(dict.fromkeys(names, value))


def _verdict(letter: str) -> str:
    return json.dumps({"better": letter})

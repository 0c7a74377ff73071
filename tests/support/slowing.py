"""A scripted engine whose answers take as long as a test says, one by one."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from foundry_tui.domain.chat import ChatEvent, ChatRequest, ChunkReceived, ClockRead, GenerationFinished
from foundry_tui.domain.models import ModelVariant
from tests.support.supervised import SupervisedScript

__all__ = ["SlowingScript"]


class SlowingScript(SupervisedScript):
    """Multiplies the made-up stamps of each answer to a prompt of the plan.

    Args:
        prompts: Texts of the plan's prompts; what else is asked, such as a probe, is not counted.
        pace: By how much, of the n-th such request from 1 on: 2.0 takes twice as long.
        models: As of ``SupervisedScript``.
    """

    def __init__(
        self, prompts: Sequence[str], pace: Callable[[int], float], models: Sequence[ModelVariant] = ()
    ) -> None:
        super().__init__(models=models)
        self.pace = pace
        self.asked = 0
        self._prompts = frozenset(prompts)

    async def stream_chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        pace = 1.0
        if request.messages[-1].text in self._prompts:
            self.asked += 1
            pace = self.pace(self.asked)
        async with aclosing(super().stream_chat(request)) as events:
            async for event in events:
                yield _at(event, pace)


def _at(event: ChatEvent, pace: float) -> ChatEvent:
    match event:
        case ClockRead() | ChunkReceived():
            return replace(event, at_ns=round(event.at_ns * pace))
        case GenerationFinished():
            return replace(event, end_ns=round(event.end_ns * pace))

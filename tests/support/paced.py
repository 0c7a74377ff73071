"""A scripted engine whose models have speeds of their own, and run on what the test says."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

from foundry_tui.domain.chat import ChatEvent, ChatRequest, ChunkReceived, ClockRead, GenerationFinished
from foundry_tui.domain.models import CatalogKind, Device, LoadReport, ModelVariant
from foundry_tui.engines.hosting.configs import ScriptedConfig
from tests.support.supervised import SupervisedScript

__all__ = ["CPU_VARIANT", "GPU_VARIANT", "TOKENS_PER_S", "PacedScript", "built_for"]

CPU_VARIANT, GPU_VARIANT = "phi-generic-cpu:1", "phi-cuda-gpu:2"
TOKENS_PER_S = 100.0
"""Of a model that is not slowed down: one piece each 10 ms of the made-up clock."""
_TEN = tuple("abcdefghij")


def built_for(model_id: str, device: Device, **known: object) -> ModelVariant:
    """A variant of ``phi`` that is here."""
    base = ModelVariant(
        id=model_id,
        alias="phi",
        catalog=CatalogKind.PUBLIC,
        task="chat-completion",
        device=device,
        execution_provider="CUDAExecutionProvider" if device is Device.GPU else "CPUExecutionProvider",
        disk_bytes=1_000_000_000,
        is_cached=True,
        is_loaded=False,
    )
    return replace(base, **known)  # type: ignore[arg-type]  # each by its name


class PacedScript(SupervisedScript):
    """Stretches the clock of each model's answers.

    Args:
        models: Listed beside the scripted ones.
        times: By id, how many times as slow.
        providers: By id, what the load reports to run it; the processor's own where nothing is said.
    """

    def __init__(
        self,
        models: Sequence[ModelVariant],
        *,
        times: Mapping[str, int],
        providers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(ScriptedConfig(pieces=_TEN), models=models)
        self._times = times
        self._providers = providers or {}

    async def stream_chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        times = self._times.get(request.model, 1)
        async with aclosing(super().stream_chat(request)) as events:
            async for event in events:
                match event:
                    case ClockRead() | ChunkReceived():
                        yield replace(event, at_ns=event.at_ns * times)
                    case GenerationFinished():
                        yield replace(event, end_ns=event.end_ns * times)

    async def load(self, model_id: str) -> LoadReport:
        report = await super().load(model_id)
        provider = self._providers.get(model_id)
        return report if provider is None else replace(report, execution_providers=(provider,))

"""The Foundry Local runtime as one engine: native control, chats over its own web service."""

import os
import platform
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from foundry_tui import __version__
from foundry_tui.domain.chat import ChatEvent, ChatRequest, GenerationFinished, Moment
from foundry_tui.domain.engine import (
    Capability,
    EndpointKind,
    EngineInfo,
    ExecutionProvider,
    ProviderEvent,
)
from foundry_tui.domain.errors import ModelNotFound
from foundry_tui.domain.models import CatalogSnapshot, LoadReport, ModelVariant, Registration
from foundry_tui.domain.trace import TraceBuilder
from foundry_tui.engines.hosting.configs import ManagedConfig
from foundry_tui.engines.runtime.native import FoundryNative
from foundry_tui.engines.streaming.delay import LoopDelay
from foundry_tui.engines.streaming.openai_http import OpenAIHttpEngine, make_client
from foundry_tui.engines.streaming.sockets import HAS_QUICK_ACK

__all__ = ["TRANSPORT_FLOOR_NS", "ManagedServer"]

# Where acknowledgements cannot be quickened, the runtime's small writes wait up to this long for them.
TRANSPORT_FLOOR_NS = 50_000_000

_TELEMETRY = (
    "The runtime's non-essential telemetry is off. What remains and cannot be switched off: one ProcessInfo"
    " event per start (hashed device id, system, CPU count, memory, process name) to Microsoft."
    " No prompt, no answer."
)
_TELEMETRY_OFFLINE = (
    "Offline: the runtime's own requests, its telemetry among them, are led to a closed port of this machine."
)
_FLOOR = (
    "This platform cannot quicken acknowledgements:"
    " a time to first token under 50 ms is marked as transport floor."
)


class ManagedServer:
    """Implements ``ports.HostableEngine``, ``ModelKeeper`` and ``ProviderManager`` over the runtime here."""

    def __init__(self, native: FoundryNative, config: ManagedConfig) -> None:
        self._native = native
        delay = LoopDelay()
        self._clients = {
            # Registered models answer under a prefix of their own, and nowhere else.
            is_local: make_client(f"{native.url}{prefix}", api_key=None, connect_s=5)
            for is_local, prefix in ((False, "/v1"), (True, "/catalogs/local/v1"))
        }
        self._engines = {key: OpenAIHttpEngine(client, delay) for key, client in self._clients.items()}
        notes = [_TELEMETRY_OFFLINE if config.offline else _TELEMETRY]
        if not HAS_QUICK_ACK:
            notes.append(_FLOOR)
        self.info = EngineInfo(
            kind=EndpointKind.MANAGED,
            url=native.url,
            pid=os.getpid(),
            capabilities=tuple(one for one in Capability if one is not Capability.DOWNLOAD),
            versions=(
                ("foundry-tui", __version__),
                *native.versions(),
                ("python", platform.python_version()),
            ),
            cache_dir=config.cache_dir,
            notes=tuple(notes),
        )

    @classmethod
    async def open(cls, config: ManagedConfig) -> "ManagedServer":
        """See ``FoundryNative.open``."""
        return cls(await FoundryNative.open(config), config)

    async def stream_chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        """See ``ports.Engine``."""
        if await self._native.is_ruled_out(request.model):
            raise ModelNotFound(f"no model {request.model!r}", remedy="foundry-tui models list shows the ids")
        engine = self._engines[self._native.is_local(request.model)]
        trace = TraceBuilder()
        async with aclosing(engine.stream_chat(request)) as events:
            async for event in events:
                trace.observe(event)
                if isinstance(event, GenerationFinished) and not HAS_QUICK_ACK:
                    yield _with_floor(event, trace)
                else:
                    yield event

    async def list_models(self, *, public: bool) -> CatalogSnapshot:
        return await self._native.list_models(public=public)

    async def load(self, model_id: str) -> LoadReport:
        return await self._native.load(model_id)

    async def unload(self, model_id: str) -> None:
        await self._native.unload(model_id)

    async def register(self, registration: Registration) -> ModelVariant:
        return await self._native.register(registration)

    async def unregister(self, model_id: str) -> None:
        await self._native.unregister(model_id)

    async def remove(self, model_id: str) -> None:
        await self._native.remove(model_id)

    async def providers(self) -> tuple[ExecutionProvider, ...]:
        return await self._native.providers()

    def register_providers(self, names: tuple[str, ...]) -> AsyncGenerator[ProviderEvent, None]:
        """See ``ports.ProviderManager``."""
        return self._native.register_providers(names)

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.close()


def _with_floor(event: GenerationFinished, trace: TraceBuilder) -> GenerationFinished:
    sent_ns = trace.moment_ns(Moment.SENT)
    if sent_ns is None or not trace.chunks or trace.chunks[0].at_ns - sent_ns >= TRANSPORT_FLOOR_NS:
        return event
    return replace(event, warnings=(*event.warnings, "transport_floor"))

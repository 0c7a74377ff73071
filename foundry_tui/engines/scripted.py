"""Replayed answers with a made-up clock, for tests; marked synthetic by its kind and its model's name."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from pathlib import Path

from foundry_tui.domain.chat import (
    ChatEvent,
    ChatRequest,
    ChunkReceived,
    ClockRead,
    GenerationFinished,
    Moment,
    Outcome,
    TokenUsage,
)
from foundry_tui.domain.engine import Capability, EndpointKind, EngineInfo
from foundry_tui.domain.errors import GenerationFailed, ModelNotFound, ModelRefused
from foundry_tui.domain.models import (
    CatalogKind,
    CatalogSnapshot,
    LoadReport,
    ModelVariant,
    Registration,
    SnapshotOrigin,
)
from foundry_tui.engines.frames import ScriptedConfig

__all__ = ["SCRIPTED_MODEL_ID", "ScriptedServer"]

SCRIPTED_MODEL_ID = "synthetic-generic-cpu:1"
_TICK_NS = 10_000_000
_BROKEN_MODEL_ID = "synthetic-broken-generic-cpu:1"


def _models() -> dict[str, ModelVariant]:
    return {
        model_id: ModelVariant(
            id=model_id,
            alias=model_id.partition("-generic")[0],
            catalog=CatalogKind.LOCAL,
            display_name="Synthetic replay",
            task="chat-completion",
            context_tokens=4096,
            is_cached=True,
            is_loaded=False,
        )
        for model_id in (SCRIPTED_MODEL_ID, _BROKEN_MODEL_ID)
    }


@dataclass
class ScriptedServer:
    """Implements ``ports.HostableEngine``: pieces stamped 10, 20, 30 … ms on a made-up clock.

    Attributes:
        gate: If set, every piece waits for it; lets a test hold a stream open.
        seen: Requests received, oldest first.
        open_streams: Streams begun and not yet closed.
        closed: Whether ``aclose`` was called.
    """

    script: ScriptedConfig = field(default_factory=ScriptedConfig)
    gate: asyncio.Event | None = None
    seen: list[ChatRequest] = field(default_factory=list)
    open_streams: int = 0
    closed: bool = False
    _models: dict[str, ModelVariant] = field(default_factory=_models)

    @property
    def info(self) -> EngineInfo:
        """A synthetic engine in this process."""
        return EngineInfo(
            kind=EndpointKind.SCRIPTED,
            url=None,
            pid=os.getpid(),
            capabilities=tuple(Capability),
            notes=("Synthetic: every answer is replayed.",),
        )

    async def stream_chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        """See ``ports.Engine``."""
        self.seen.append(request)
        self.open_streams += 1
        script = self.script
        at_ns = 0
        try:
            yield ClockRead(moment=Moment.CALL, at_ns=0)
            if request.model not in self._models:
                raise GenerationFailed(f"no model {request.model!r}", outcome=Outcome.HTTP_ERROR, end_ns=0)
            for moment in (Moment.SENT, Moment.HEADERS):
                yield ClockRead(moment=moment, at_ns=0)
            for number, text in enumerate(script.pieces, start=1):
                if self.gate is not None:
                    await self.gate.wait()
                # Zero gives the loop a turn, as a socket would.
                await asyncio.sleep(script.gap_ms / 1000)
                if script.die_after is not None and number > script.die_after:
                    _die()
                at_ns = number * _TICK_NS
                if number == 1:
                    yield ClockRead(moment=Moment.ROLE, at_ns=at_ns)
                yield ChunkReceived(at_ns=at_ns, text=text, read=number)
            if script.hold:
                await asyncio.Event().wait()
            if script.fail_with is not None:
                raise GenerationFailed("scripted failure", outcome=script.fail_with, end_ns=at_ns)
            yield GenerationFinished(
                outcome=Outcome.COMPLETED,
                finish_reason="stop",
                end_ns=at_ns,
                usage=TokenUsage(prompt_tokens=7, completion_tokens=len(script.pieces)),
                response_id="synthetic",
            )
        finally:
            self.open_streams -= 1

    async def list_models(self, *, public: bool) -> CatalogSnapshot:
        return CatalogSnapshot(models=tuple(self._models.values()), origin=SnapshotOrigin.LIVE)

    async def load(self, model_id: str) -> LoadReport:
        model = self._find(model_id)
        if model_id == _BROKEN_MODEL_ID:
            raise ModelRefused(f"{model_id} does not load: scripted", remedy="choose the other one")
        self._models[model_id] = replace(model, is_loaded=True)
        return LoadReport(model_id=model_id, load_ns=_TICK_NS, was_loaded=bool(model.is_loaded))

    async def unload(self, model_id: str) -> None:
        self._models[model_id] = replace(self._find(model_id), is_loaded=False)

    async def register(self, registration: Registration) -> ModelVariant:
        if ":" not in registration.model_id:
            raise ModelRefused("an id looks like name:version", remedy="add a version")
        known = self._models.get(registration.model_id)
        if known is not None and known.path == registration.path:
            return known
        if known is not None and known.is_loaded:
            raise ModelRefused(f"{known.id} is loaded", remedy="unload it first")
        if known is not None and not registration.replaces and _is_folder(known.path):
            raise ModelRefused(f"{known.id} is registered already", remedy="unregister it first")
        model = ModelVariant(
            id=registration.model_id,
            alias=registration.model_id.partition(":")[0],
            catalog=CatalogKind.LOCAL,
            path=registration.path,
            is_cached=True,
            is_loaded=False,
        )
        self._models[model.id] = model
        return model

    async def unregister(self, model_id: str) -> None:
        if self._find(model_id).is_loaded:
            raise ModelRefused(f"{model_id} is loaded", remedy="unload it first")
        del self._models[model_id]

    async def aclose(self) -> None:
        self.closed = True

    def _find(self, model_id: str) -> ModelVariant:
        try:
            return self._models[model_id]
        except KeyError:
            raise ModelNotFound(f"no model {model_id!r}") from None


def _is_folder(path: str | None) -> bool:
    return path is not None and Path(path).is_dir()


def _die() -> None:
    if sys.platform == "win32":
        os._exit(9)
    os.kill(os.getpid(), signal.SIGKILL)

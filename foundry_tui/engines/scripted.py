"""Replayed answers with a made-up clock, for tests; marked synthetic by its kind and its model's name."""

import asyncio
import os
import signal
import sys
import time
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
from foundry_tui.domain.downloads import DownloadPhase, DownloadReading
from foundry_tui.domain.engine import (
    Capability,
    EndpointKind,
    EngineInfo,
    ExecutionProvider,
    ProviderEvent,
    ProviderProgress,
    ProvidersRegistered,
)
from foundry_tui.domain.errors import GenerationFailed, ModelNotFound, ModelRefused, NotSupported
from foundry_tui.domain.models import (
    CatalogKind,
    CatalogSnapshot,
    Device,
    LoadReport,
    ModelVariant,
    ProviderEvidence,
    Registration,
    SnapshotOrigin,
)
from foundry_tui.engines.hosting.configs import ScriptedConfig

__all__ = ["SCRIPTED_MODEL_ID", "ScriptedServer"]

SCRIPTED_MODEL_ID = "synthetic-generic-cpu:1"
_TICK_NS = 10_000_000
_BROKEN_MODEL_ID = "synthetic-broken-generic-cpu:1"
_OFFERED_BYTES = 1_000_000


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


def _public(model_id: str) -> ModelVariant:
    return ModelVariant(
        id=model_id,
        alias=model_id.partition("-generic")[0],
        catalog=CatalogKind.PUBLIC,
        display_name="Synthetic replay",
        task="chat-completion",
        device=Device.CPU,
        execution_provider="CPUExecutionProvider",
        context_tokens=4096,
        is_cached=True,
        is_loaded=False,
    )


def _offered(model_id: str) -> ModelVariant:
    return replace(
        _public(model_id), catalog=CatalogKind.ENDPOINT, size_bytes=_OFFERED_BYTES, is_cached=False
    )


@dataclass
class ScriptedServer:
    """Implements ``ports.HostableEngine``: pieces stamped 10, 20, 30 … ms on a made-up clock.

    It is a ``ModelKeeper``, a ``ModelFetcher`` and a ``ProviderManager`` too.

    Attributes:
        downloading: Ids of public models that another process is made to fetch at this moment.
        gate: If set, every piece, reading and step waits for it; lets a test hold a stream open.
        seen: Requests received, oldest first.
        open_streams: Streams begun and not yet closed, downloads among them.
        closed: Whether ``aclose`` was called.
    """

    script: ScriptedConfig = field(default_factory=ScriptedConfig)
    gate: asyncio.Event | None = None
    seen: list[ChatRequest] = field(default_factory=list)
    open_streams: int = 0
    closed: bool = False
    downloading: set[str] = field(default_factory=set)
    _registered: set[str] = field(default_factory=set)
    _models: dict[str, ModelVariant] = field(default_factory=_models)

    def __post_init__(self) -> None:
        for model_id in self.script.public:
            self.put(_public(model_id))
        for model_id in self.script.offered:
            self.put(_offered(model_id))

    def put(self, model: ModelVariant) -> None:
        """List ``model`` too, as it is."""
        self._models[model.id] = model

    @property
    def info(self) -> EngineInfo:
        """A synthetic engine in this process."""
        lacking = () if self.script.offered else (Capability.DOWNLOAD,)
        return EngineInfo(
            kind=EndpointKind.SCRIPTED,
            url=None,
            pid=os.getpid(),
            capabilities=tuple(one for one in Capability if one not in lacking),
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
        if model.is_cached is False:
            raise ModelRefused(f"{model_id} is not on this machine", remedy="download it first")
        if model_id == _BROKEN_MODEL_ID:
            raise ModelRefused(f"{model_id} does not load: scripted", remedy="choose the other one")
        self._models[model_id] = replace(model, is_loaded=True)
        return LoadReport(
            model_id=model_id,
            load_ns=_TICK_NS,
            was_loaded=bool(model.is_loaded),
            device=Device.CPU,
            execution_providers=("CPUExecutionProvider",),
            provider_evidence=ProviderEvidence.DECLARED,
        )

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

    async def remove(self, model_id: str) -> None:
        model = self._find(model_id)
        if model.catalog is not CatalogKind.PUBLIC:
            raise ModelRefused(f"{model_id} is a folder of your own", remedy="unregister it")
        if model.is_loaded:
            raise ModelRefused(f"{model_id} is loaded", remedy="unload it first")
        if model_id in self.downloading:
            raise ModelRefused(f"{model_id} is being downloaded", remedy="wait, or cancel that first")
        self._models[model_id] = replace(model, is_cached=False, disk_bytes=None, path=None)

    async def download(self, model_id: str) -> AsyncGenerator[DownloadReading, None]:
        """See ``ports.ModelFetcher``: a start, a half, the whole, on the real clock."""
        model = self._find(model_id)
        if model_id not in self.script.offered:
            raise NotSupported(f"{model_id} is not offered for download")
        total_bytes = model.size_bytes
        steps = ((DownloadPhase.STARTING, 0), (DownloadPhase.FLOWING, 1), (DownloadPhase.DONE, 2))
        self.open_streams += 1
        try:
            for phase, halves in steps[2:] if model.is_cached else steps:
                # The first word comes at once, as from a service that has taken the order.
                if phase is not DownloadPhase.STARTING and self.gate is not None:
                    await self.gate.wait()
                await asyncio.sleep(0)
                if phase is DownloadPhase.DONE:
                    if model.alias.endswith("endless"):
                        await asyncio.Event().wait()
                    if model.alias.endswith("broken"):
                        raise ModelRefused(f"{model_id} was not downloaded: scripted", remedy="try again")
                    self._models[model_id] = replace(model, is_cached=True)
                yield DownloadReading(
                    at_ns=time.perf_counter_ns(),
                    phase=phase,
                    done_bytes=halves * (total_bytes or 0) // 2,
                    total_bytes=total_bytes,
                )
        finally:
            self.open_streams -= 1

    async def providers(self) -> tuple[ExecutionProvider, ...]:
        return tuple(ExecutionProvider(name, name in self._registered) for name in self.script.providers)

    async def register_providers(self, names: tuple[str, ...]) -> AsyncGenerator[ProviderEvent, None]:
        """See ``ports.ProviderManager``: steps of 50 %; a name that ends in ``Broken`` stops half-way."""
        wanted = names or self.script.providers
        if unknown := [name for name in wanted if name not in self.script.providers]:
            raise NotSupported(f"{', '.join(unknown)} cannot be had on this machine")
        for name in wanted:
            for percent in (0.0, 50.0, 100.0):
                if self.gate is not None:
                    await self.gate.wait()
                await asyncio.sleep(0)
                if percent == 100 and name.endswith("Broken"):
                    continue
                yield ProviderProgress(name, percent)
        self._registered.update(name for name in wanted if not name.endswith("Broken"))
        failed = tuple(name for name in wanted if name not in self._registered)
        yield ProvidersRegistered(await self.providers(), failed)

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

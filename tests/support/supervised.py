"""An engine whose life and death a test decides, without a process: scripted answers in this one."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TypeVar

from foundry_tui.aio import Feed, Tasks
from foundry_tui.domain.chat import ChatEvent, ChatRequest
from foundry_tui.domain.downloads import DownloadReading
from foundry_tui.domain.engine import (
    EngineDead,
    EngineIdle,
    EngineInfo,
    EngineReady,
    EngineStarting,
    EngineState,
    ExecutionProvider,
    HostDeath,
    ProviderEvent,
)
from foundry_tui.domain.errors import EngineDied, EngineError, EngineUnavailable
from foundry_tui.domain.models import CatalogSnapshot, LoadReport, ModelVariant, Registration, SnapshotOrigin
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import ScriptedServer

__all__ = ["SupervisedScript"]

T = TypeVar("T")


@dataclass(slots=True)
class _Call:
    """What the engine was asked and has not ended yet; ``wake`` is called when it has."""

    wake: Callable[[], None] = lambda: None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None

    def end(self, error: Exception | None) -> None:
        if not self.ended.is_set():
            self.error = error
            self.ended.set()
            self.wake()


@dataclass(slots=True)
class _Life:
    """From one start to the next end.

    Attributes:
        models: What it saw when it started, and sees until it ends.
        is_cut_off: Whether it once asked a catalog in vain; it never asks again.
    """

    server: ScriptedServer
    models: dict[str, ModelVariant] = field(default_factory=dict)
    is_cut_off: bool = False
    tasks: Tasks = field(default_factory=Tasks)
    calls: list[_Call] = field(default_factory=list)
    loaded: dict[str, None] = field(default_factory=dict)


class SupervisedScript:
    """Implements ``ports.SupervisedEngine`` over one ``ScriptedServer`` for each life.

    Errors reach those who wait before the new state reaches those who watch, as they do from a real child.

    Args:
        models: Listed beside the scripted ones; those that are cached can be loaded.

    Attributes:
        script: Of every answer asked from now on.
        gate: If set, every piece and reading waits for it; lets a test hold a stream open.
        starting: If set, a start waits for it.
        loading: If set, a load waits for it.
        stopping: If set, a stream that was left is confirmed ended only after it.
        refusal: If set, a start fails with it.
        is_offline: Whether a life that asks for the public catalog asks in vain.
        downloading: Ids that another process is made to fetch at this moment.
        listing: If set, a list of the public catalog waits for it.
        seen: Requests received in all lives, oldest first.
        starts: How often it came up.
    """

    def __init__(self, script: ScriptedConfig | None = None, models: Sequence[ModelVariant] = ()) -> None:
        self.script = script or ScriptedConfig()
        self.gate: asyncio.Event | None = None
        self.starting: asyncio.Event | None = None
        self.loading: asyncio.Event | None = None
        self.stopping: asyncio.Event | None = None
        self.refusal: EngineUnavailable | None = None
        self.is_offline = False
        self.downloading: set[str] = set()
        self.listing: asyncio.Event | None = None
        self.seen: list[ChatRequest] = []
        self.starts = 0
        self._models = {model.id: model for model in models}
        self._servers: list[ScriptedServer] = []
        self._life: _Life | None = None
        self._state: Feed[EngineState] = Feed(EngineIdle())

    @property
    def open_streams(self) -> int:
        """Streams begun and not yet closed, in all lives."""
        return sum(server.open_streams for server in self._servers)

    @property
    def state(self) -> EngineState:
        return self._state.value

    def states(self) -> AsyncIterator[EngineState]:
        return self._state.watch()

    async def start(self) -> EngineInfo:
        if isinstance(self.state, EngineReady):
            return self.state.info
        self._state.publish(EngineStarting())
        await _opened(self.starting)
        if self.refusal is not None:
            self._state.publish(EngineDead(self.refusal.message, remedy=self.refusal.remedy))
            raise self.refusal
        server = ScriptedServer(self.script, seen=self.seen, downloading=self.downloading)
        for model in self._models.values():
            server.put(replace(model, is_loaded=False))
        self._servers.append(server)
        self._life = _Life(server, models=dict(self._models))
        self.starts += 1
        self._state.publish(EngineReady(server.info))
        return server.info

    async def stop(self) -> None:
        if (life := self._life) is not None:
            await self._end(life, EngineDied("the engine was stopped"))
        if not isinstance(self.state, EngineDead):
            self._state.publish(EngineIdle())

    async def die(self, signal_name: str = "SIGKILL", last_log: tuple[str, ...] = ()) -> None:
        """End as a killed process does: whatever is under way fails with ``EngineDied``."""
        life = self._running()
        death = HostDeath(
            exit_code=None, signal_name=signal_name, last_log=last_log, was_loaded=tuple(life.loaded)
        )
        error = EngineDied(f"the engine's process {death.cause}", remedy="restart it")
        for call in life.calls:
            call.end(error)
        self._life = None
        self._state.publish(EngineDead(error.message, remedy=error.remedy, death=death))
        await self._end(life, error)

    def stream_chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        """See ``ports.Engine``."""
        return self._stream(lambda server: server.stream_chat(request))

    def download(self, model_id: str) -> AsyncGenerator[DownloadReading, None]:
        """See ``ports.ModelFetcher``."""
        return self._stream(lambda server: server.download(model_id))

    async def _stream(
        self, begin: Callable[[ScriptedServer], AsyncGenerator[T, None]]
    ) -> AsyncGenerator[T, None]:
        life, events = self._running(), asyncio.Queue[T | None]()
        call = _Call(wake=lambda: events.put_nowait(None))
        server = life.server
        server.script, server.gate = self.script, self.gate

        async def serve() -> None:
            async with aclosing(begin(server)) as begun:
                async for event in begun:
                    events.put_nowait(event)

        task = self._begin(life, call, serve)
        try:
            while (event := await events.get()) is not None:
                yield event
            if call.error is not None:
                raise call.error
        finally:
            if not call.ended.is_set():
                task.cancel()
                await call.ended.wait()
                await _opened(self.stopping)
            life.calls.remove(call)

    def put(self, model: ModelVariant) -> None:
        """Bring a model onto this machine as another process does: the next life sees it."""
        self._models[model.id] = model

    def take(self, model_id: str) -> None:
        """Take a model away as another process does: the next life does not know it."""
        del self._models[model_id]

    async def list_models(self, *, public: bool) -> CatalogSnapshot:
        life = self._running()
        if public:
            await _opened(self.listing)
            life.is_cut_off = life.is_cut_off or self.is_offline
        scripted = await life.server.list_models(public=public)
        plain = [model for model in scripted.models if model.id not in life.models]
        described = [model for model in scripted.models if model.id in life.models]
        return CatalogSnapshot(
            models=(*plain, *described),
            origin=SnapshotOrigin.LIVE,
            notice="offline: the catalog could not be reached" if life.is_cut_off else None,
            is_cut_off=life.is_cut_off,
        )

    async def load(self, model_id: str) -> LoadReport:
        life = self._running()

        async def load() -> LoadReport:
            await _opened(self.loading)
            return await life.server.load(model_id)

        report = await self._ask(life, load)
        life.loaded[model_id] = None
        return report

    async def unload(self, model_id: str) -> None:
        life = self._running()
        await self._ask(life, lambda: life.server.unload(model_id))
        life.loaded.pop(model_id, None)

    async def register(self, registration: Registration) -> ModelVariant:
        life = self._running()
        return await self._ask(life, lambda: life.server.register(registration))

    async def unregister(self, model_id: str) -> None:
        life = self._running()
        await self._ask(life, lambda: life.server.unregister(model_id))

    async def remove(self, model_id: str) -> None:
        life = self._running()
        await self._ask(life, lambda: life.server.remove(model_id))
        self._models.pop(model_id, None)

    async def providers(self) -> tuple[ExecutionProvider, ...]:
        life = self._running()
        return await self._ask(life, life.server.providers)

    async def register_providers(self, names: tuple[str, ...]) -> AsyncGenerator[ProviderEvent, None]:
        """See ``ports.ProviderManager``."""
        server = self._running().server
        server.gate = self.gate
        async with aclosing(server.register_providers(names)) as events:
            async for event in events:
                yield event

    def _running(self) -> _Life:
        if self._life is None:
            raise EngineUnavailable("the engine is not running", remedy="restart it")
        return self._life

    async def _ask(self, life: _Life, work: Callable[[], Awaitable[T]]) -> T:
        call, answers = _Call(), list[T]()

        async def serve() -> None:
            answers.append(await work())

        task = self._begin(life, call, serve)
        try:
            await call.ended.wait()
        finally:
            task.cancel()
            life.calls.remove(call)
        if call.error is not None:
            raise call.error
        return answers[0]

    def _begin(
        self, life: _Life, call: _Call, serve: Callable[[], Coroutine[object, object, None]]
    ) -> "asyncio.Task[None]":
        async def run() -> None:
            try:
                await serve()
            except EngineError as error:
                call.end(error)

        life.calls.append(call)
        task = life.tasks.start("call", run())
        # Not in a finally: a task that is cancelled before its first step runs none.
        task.add_done_callback(lambda _: call.end(None))
        return task

    async def _end(self, life: _Life, error: EngineError) -> None:
        for call in life.calls:
            call.end(error)
        self._life = None
        await life.tasks.aclose()
        await life.server.aclose()


async def _opened(gate: asyncio.Event | None) -> None:
    if gate is not None:
        await gate.wait()

"""An engine whose life and death a test decides, without a process: scripted answers in this one."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from foundry_tui.aio import Feed, Tasks
from foundry_tui.domain.chat import ChatEvent, ChatRequest
from foundry_tui.domain.engine import (
    EngineDead,
    EngineIdle,
    EngineInfo,
    EngineReady,
    EngineStarting,
    EngineState,
    HostDeath,
)
from foundry_tui.domain.errors import EngineDied, EngineError, EngineUnavailable
from foundry_tui.domain.models import CatalogSnapshot, LoadReport, ModelVariant, Registration, SnapshotOrigin
from foundry_tui.engines.frames import ScriptedConfig
from foundry_tui.engines.scripted import ScriptedServer

__all__ = ["SupervisedScript"]

T = TypeVar("T")


@dataclass(slots=True)
class _Call:
    """What the engine was asked and has not ended yet."""

    events: "asyncio.Queue[ChatEvent | None]" = field(default_factory=asyncio.Queue)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None

    def end(self, error: Exception | None) -> None:
        if not self.ended.is_set():
            self.error = error
            self.ended.set()
            self.events.put_nowait(None)


@dataclass(slots=True)
class _Life:
    """From one start to the next end."""

    server: ScriptedServer
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
        gate: If set, every piece waits for it; lets a test hold a stream open.
        starting: If set, a start waits for it.
        loading: If set, a load waits for it.
        stopping: If set, a stream that was left is confirmed ended only after it.
        refusal: If set, a start fails with it.
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
        server = ScriptedServer(seen=self.seen)
        for model in self._models.values():
            if model.is_cached:
                await server.register(Registration(path=model.path or "", model_id=model.id))
        self._servers.append(server)
        self._life = _Life(server)
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

    async def stream_chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        """See ``ports.Engine``."""
        life, call = self._running(), _Call()
        server = life.server
        server.script, server.gate = self.script, self.gate

        async def serve() -> None:
            async for event in server.stream_chat(request):
                call.events.put_nowait(event)

        task = self._begin(life, call, serve)
        try:
            while (event := await call.events.get()) is not None:
                yield event
            if call.error is not None:
                raise call.error
        finally:
            if not call.ended.is_set():
                task.cancel()
                await call.ended.wait()
                await _opened(self.stopping)
            life.calls.remove(call)

    async def list_models(self, *, public: bool) -> CatalogSnapshot:
        life = self._running()
        scripted = await life.server.list_models(public=public)
        is_loaded = {model.id: model.is_loaded for model in scripted.models}
        described = [
            replace(model, is_loaded=is_loaded.get(model.id, False)) for model in self._models.values()
        ]
        plain = [model for model in scripted.models if model.id not in self._models]
        return CatalogSnapshot(models=(*plain, *described), origin=SnapshotOrigin.LIVE)

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

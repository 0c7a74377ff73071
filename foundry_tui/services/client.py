"""The shared async client service: the only thing that panes and commands talk to."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum

from foundry_tui.aio import Feed, Tasks, pumped
from foundry_tui.domain.chat import ChatEvent, ChatMessage, ChatOptions, ChatRequest, Role
from foundry_tui.domain.engine import Capability, EngineDead, EngineInfo, EngineReady, EngineState
from foundry_tui.domain.errors import EngineError, ModelNotFound
from foundry_tui.domain.models import (
    CatalogSnapshot,
    LoadReport,
    ModelVariant,
    Registration,
    SnapshotOrigin,
)
from foundry_tui.metrics.tokens import answer_budget, estimate_prompt_tokens
from foundry_tui.ports import HostProbe, SupervisedEngine
from foundry_tui.services.lease import EngineLease

__all__ = ["ClientService", "Job", "JobKind"]


class JobKind(StrEnum):
    """Control work that takes long enough to be shown."""

    LOAD = "load"
    UNLOAD = "unload"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Control work under way.

    Attributes:
        model_id: None for a refresh of the whole list.
        started_ns: ``perf_counter_ns`` of this process.
    """

    kind: JobKind
    model_id: str | None
    started_ns: int


class ClientService:
    """Routes work to the engine, keeps pieces of work apart, and tells everybody the state of things.

    Args:
        engine: Not started yet; ``start`` does it.
        lease: Shared with whatever measures.
        registrations: Registered at every start, replacing stale ones; the demo model for example.
        read_snapshot: Reads the runtime's own list from disk, blocking; None where there is none.
        host_probe: Reads the engine's memory around a load; None leaves that out of the report.
        wants_public: Whether listing may ask the network.
    """

    def __init__(
        self,
        engine: SupervisedEngine,
        lease: EngineLease,
        *,
        registrations: tuple[Registration, ...] = (),
        read_snapshot: Callable[[], CatalogSnapshot] | None = None,
        host_probe: Callable[[], HostProbe] | None = None,
        wants_public: bool = True,
    ) -> None:
        self._engine = engine
        self._lease = lease
        self._registrations = registrations
        self._read_snapshot = read_snapshot
        self._host_probe = host_probe
        self._wants_public = wants_public
        self._tasks = Tasks()
        self._reload: tuple[str, ...] = ()
        self._watcher: asyncio.Task[None] | None = None
        self._listing = asyncio.Lock()
        self._starting = asyncio.Lock()
        self._set_up: EngineInfo | None = None
        self.catalog: Feed[CatalogSnapshot] = Feed(CatalogSnapshot(models=(), origin=SnapshotOrigin.FILE))
        self.jobs: Feed[tuple[Job, ...]] = Feed(())
        self.load_reports: dict[str, LoadReport] = {}

    @property
    def engine_state(self) -> EngineState:
        """The engine's state right now."""
        return self._engine.state

    @property
    def engine_info(self) -> EngineInfo | None:
        """What the engine said of itself; None unless it is up."""
        state = self._engine.state
        return state.info if isinstance(state, EngineReady) else None

    @property
    def process_id(self) -> int | None:
        """The process whose memory the models take, if it runs here."""
        info = self.engine_info
        return info.pid if info is not None and info.can(Capability.MEMORY) else None

    def engine_states(self) -> AsyncIterator[EngineState]:
        """The engine's state at once, then the newest after each change."""
        return self._engine.states()

    async def show_snapshot(self) -> None:
        """Publish the list that is on disk, so that there is something to see before the engine is up."""
        if self._read_snapshot is not None and self.catalog.value.origin is SnapshotOrigin.FILE:
            snapshot = await asyncio.to_thread(self._read_snapshot)
            if self.catalog.value.origin is SnapshotOrigin.FILE:
                self.catalog.publish(snapshot)

    async def start(self) -> EngineInfo:
        """Bring the engine up, register what must be, and publish what can be listed without the network.

        Whoever comes while that is under way waits for its end; afterwards it costs nothing.

        Raises:
            EngineUnavailable: It did not come up.
            ModelRefused: A registration was refused.
        """
        async with self._starting:
            info = await self._engine.start()
            if info is self._set_up:
                return info
            if self._watcher is None:
                self._watcher = self._tasks.start("engine watch", self._watch_engine())
            if info.can(Capability.REGISTER):
                for registration in self._registrations:
                    await self._engine.register(registration)
            await self.refresh(public=False)
            self._set_up = info
            return info

    def refresh_soon(self) -> None:
        """Ask for the public catalog too, in the background; it may take seconds."""
        if self._wants_public:
            self._tasks.start("refresh catalog", self._refresh_quietly())

    async def refresh(self, *, public: bool | None = None) -> CatalogSnapshot:
        """List all models again and publish the list.

        Args:
            public: Whether the network may be asked; None means as the service was told.
        """
        async with self._listing:
            with self._job(JobKind.REFRESH, None):
                wanted = self._wants_public if public is None else public
                snapshot = await self._engine.list_models(public=wanted)
        self.catalog.publish(snapshot)
        return snapshot

    def find(self, name: str) -> ModelVariant:
        """The variant of that id, or the best of that alias.

        Raises:
            ModelNotFound: With names that are close.
        """
        found = self.catalog.value.find(name)
        if found is not None:
            return found
        close = [model.id for model in self.catalog.value.models if name.lower() in model.id.lower()][:3]
        remedy = (
            f"did you mean {', '.join(close)}?" if close else "foundry-tui models list shows what there is"
        )
        raise ModelNotFound(f"no model {name!r}", remedy=remedy)

    async def load(self, model_id: str) -> LoadReport:
        """Load the exact variant and publish the change; the report has time and memory.

        Raises:
            EngineError: It was not loaded; the message says why.
        """
        with self._lease.hold(f"loading {model_id}"), self._job(JobKind.LOAD, model_id):
            before = await self._rss_bytes()
            report = await self._engine.load(model_id)
            report = replace(report, rss_before_bytes=before, rss_after_bytes=await self._rss_bytes())
        self.load_reports[model_id] = report
        self._mark(model_id, is_loaded=True)
        return report

    async def unload(self, model_id: str) -> None:
        """Unload the exact variant and publish the change.

        Raises:
            EngineError: It is in use, or the engine cannot.
        """
        with self._lease.hold(f"unloading {model_id}"), self._job(JobKind.UNLOAD, model_id):
            await self._engine.unload(model_id)
        self._mark(model_id, is_loaded=False)

    async def register(self, registration: Registration) -> ModelVariant:
        """List a folder as a model of the user's own.

        Raises:
            ModelRefused: With the reason.
        """
        model = await self._engine.register(registration)
        await self.refresh(public=False)
        return model

    async def unregister(self, model_id: str) -> None:
        """Forget a registered folder; its files stay.

        Raises:
            EngineError: It is loaded, or was not registered.
        """
        await self._engine.unregister(model_id)
        await self.refresh(public=False)

    def prepare(
        self,
        model: ModelVariant,
        messages: tuple[ChatMessage, ...],
        options: ChatOptions,
        *,
        prompt_tokens: int | None = None,
    ) -> ChatRequest:
        """A request for ``model``: the system prompt in front, ``max_tokens`` within the real context.

        Args:
            model: The variant to ask.
            messages: The conversation, without a system prompt.
            options: What the user set.
            prompt_tokens: What they all take, where that is known better than by their lengths.
        """
        if options.system_prompt:
            messages = (ChatMessage(role=Role.SYSTEM, text=options.system_prompt), *messages)
        return ChatRequest(
            model=model.id,
            messages=messages,
            max_tokens=answer_budget(
                options.max_tokens,
                context_tokens=model.context_tokens,
                prompt_tokens=estimate_prompt_tokens(messages) if prompt_tokens is None else prompt_tokens,
            ),
            temperature=options.temperature,
            seed=options.seed,
            timeouts=options.timeouts,
        )

    @asynccontextmanager
    async def chat(self, request: ChatRequest) -> AsyncGenerator[AsyncIterator[ChatEvent], None]:
        """Generate one answer; read its events with ``async for`` inside the block.

        Leaving the block early stops the engine.  By the time the block has been left, the engine's
        connection and the lease are free again.

        Raises:
            EngineBusy: A measurement holds the engine.
            EngineError: The engine failed; raised while reading.
        """
        with self._lease.hold(f"chat with {request.model}"):
            async with pumped(self._engine.stream_chat(request)) as events:
                yield events

    async def restart(self) -> tuple[LoadReport, ...]:
        """Start the engine afresh and load again what was loaded.

        Raises:
            EngineBusy: A measurement holds the engine.
            EngineError: It did not come up, or a model did not load again.
        """
        with self._lease.hold("restarting the engine"):
            state = self._engine.state
            if isinstance(state, EngineDead) and state.death is not None and state.death.was_loaded:
                self._reload = state.death.was_loaded
            elif isinstance(state, EngineReady):
                self._reload = tuple(model.id for model in self.catalog.value.models if model.is_loaded)
            await self._engine.stop()
            await self.start()
            reports = [await self.load(model_id) for model_id in self._reload]
            self._reload = ()
        return tuple(reports)

    async def aclose(self) -> None:
        """Stop background work and the engine."""
        try:
            await self._tasks.aclose()
        finally:
            await self._engine.stop()

    async def _watch_engine(self) -> None:
        """What a dead engine had loaded is loaded no more."""
        async for state in self._engine.states():
            if isinstance(state, EngineDead):
                snapshot = self.catalog.value
                models = tuple(replace(model, is_loaded=False) for model in snapshot.models)
                self.catalog.publish(replace(snapshot, models=models))

    async def _refresh_quietly(self) -> None:
        try:
            await self.refresh()
        except EngineError as error:
            self.catalog.publish(replace(self.catalog.value, notice=error.message))

    @contextmanager
    def _job(self, kind: JobKind, model_id: str | None) -> Iterator[None]:
        job = Job(kind=kind, model_id=model_id, started_ns=time.perf_counter_ns())
        self.jobs.publish((*self.jobs.value, job))
        try:
            yield
        finally:
            self.jobs.publish(tuple(other for other in self.jobs.value if other is not job))

    def _mark(self, model_id: str, *, is_loaded: bool) -> None:
        snapshot = self.catalog.value
        models = tuple(
            replace(model, is_loaded=is_loaded) if model.id == model_id else model
            for model in snapshot.models
        )
        self.catalog.publish(replace(snapshot, models=models))

    async def _rss_bytes(self) -> int | None:
        pid, make_probe = self.process_id, self._host_probe
        if pid is None or make_probe is None:
            return None
        sample = await asyncio.to_thread(lambda: make_probe().sample(pid))
        return sample.process_rss_bytes

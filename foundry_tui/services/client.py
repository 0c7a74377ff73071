"""The shared async client service: the only thing that panes and commands talk to."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, asynccontextmanager

from foundry_tui.aio import Feed, Tasks, pumped
from foundry_tui.domain.chat import ChatEvent, ChatMessage, ChatOptions, ChatRequest, Role
from foundry_tui.domain.engine import Capability, EngineInfo, EngineState, ExecutionProvider, ProviderEvent
from foundry_tui.domain.errors import EngineBusy, EngineError
from foundry_tui.domain.models import (
    CatalogSnapshot,
    LoadReport,
    ModelVariant,
    Registration,
    SnapshotOrigin,
)
from foundry_tui.metrics.tokens import answer_budget, estimate_prompt_tokens
from foundry_tui.ports.engines import SupervisedEngine
from foundry_tui.ports.machine import HostProbe
from foundry_tui.services.calm import calm
from foundry_tui.services.chronicle import Chronicle
from foundry_tui.services.engine.catalogs import CacheFolders, Catalogs
from foundry_tui.services.engine.fetching import FetchEnd, Fetching
from foundry_tui.services.engine.jobs import Job, JobKind, Jobs, Transfer
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.services.engine.life import Backend, EngineLife
from foundry_tui.services.engine.memory import LoadMemory, MemorySources
from foundry_tui.services.engine.revival import Revival, Revived
from foundry_tui.services.engine.shelf import Shelf
from foundry_tui.services.engine.watching import Pace, watch_folders, watch_network

__all__ = ["Backend", "ClientService", "FetchEnd", "Job", "JobKind", "Revived", "Transfer"]


class ClientService:
    """Routes work to the engine, keeps pieces of work apart, and tells everybody the state of things.

    Args:
        engine: Not started yet; ``start`` does it.
        lease: Shared with whatever measures.
        registrations: See ``Backend``, as for ``read_snapshot``, ``catalogs`` and ``wants_public``.
        host_probe: Reads the engine's memory around a load; None leaves that out of the report.
        problem_of: What is wrong with the files of a variant, if anything is known; answers at once.
        before_load: Looks at the files of a variant; raises what keeps it from being loaded.
        on_use: Told of each variant that is loaded or asked; returns at once.
        memory: Where what loads need and what is free is read; None asks nothing and learns nothing.
        pace: How often is looked for what changes behind the engine's back.

    Attributes:
        memory: Weighs loads; whoever loads for the user asks it first.
        chronicle: What has happened since it was made.
    """

    def __init__(
        self,
        engine: SupervisedEngine,
        lease: EngineLease,
        *,
        registrations: tuple[Registration, ...] = (),
        read_snapshot: Callable[[], CatalogSnapshot] | None = None,
        catalogs: Catalogs | None = None,
        host_probe: Callable[[], HostProbe] | None = None,
        wants_public: bool = True,
        problem_of: Callable[[ModelVariant], str | None] | None = None,
        before_load: Callable[[ModelVariant], Awaitable[None]] | None = None,
        on_use: Callable[[str], None] | None = None,
        memory: MemorySources | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._lease = lease
        self._before_load = before_load
        self._on_use = on_use
        self._pace = pace or Pace()
        self._tasks = Tasks()
        self._shelf = Shelf(catalogs, problem_of)
        backend = Backend(
            engine=engine,
            registrations=registrations,
            read_snapshot=read_snapshot,
            catalogs=catalogs,
            wants_public=wants_public,
        )
        self._jobs = Jobs()
        self.memory = LoadMemory(
            memory, self._shelf, state=lambda: self.engine_state, info=lambda: self.engine_info
        )
        self.chronicle = Chronicle()
        self._life = EngineLife(
            backend, self._shelf, self._jobs, host_probe, self.memory, self._tasks, self.chronicle
        )
        self._revival = Revival(lease, self._life.revive, self._tasks)
        self._fetching = Fetching(self._life, lease, self._jobs, self._list_quietly, self._tasks)
        self._is_watching = False
        self.catalog: Feed[CatalogSnapshot] = self._shelf.feed
        self.jobs: Feed[tuple[Job, ...]] = self._jobs.feed
        self.revived: Feed[Revived | None] = self._revival.last
        self.load_reports = self._life.load_reports

    @property
    def engine_state(self) -> EngineState:
        """The engine's state right now."""
        return self._life.engine.state

    @property
    def engine_info(self) -> EngineInfo | None:
        """What the engine said of itself; None unless it is up."""
        return self._life.info

    @property
    def process_id(self) -> int | None:
        """The process whose memory the models take, if it runs here."""
        info = self.engine_info
        return info.pid if info is not None and info.can(Capability.MEMORY) else None

    def engine_states(self) -> AsyncIterator[EngineState]:
        """The engine's state at once, then the newest after each change, whichever engine it is."""
        return self._life.states()

    # Its life

    async def show_snapshot(self) -> None:
        """Publish the list that is on disk, so that there is something to see before the engine is up."""
        read = self._life.backend.read_snapshot
        if read is not None and self.catalog.value.origin is SnapshotOrigin.FILE:
            with calm():
                snapshot = await asyncio.to_thread(read)
            if self.catalog.value.origin is SnapshotOrigin.FILE:
                await self._shelf.show(snapshot)

    async def start(self) -> EngineInfo:
        """Bring the engine up, register what must be, and publish what can be listed without the network.

        Whoever comes while that is under way waits for its end; afterwards it costs nothing.

        Raises:
            EngineUnavailable: It did not come up.
            ModelRefused: A registration was refused.
        """
        return await self._life.start()

    async def restart(self) -> tuple[LoadReport, ...]:
        """Start the engine afresh and load again what was loaded.

        Raises:
            EngineBusy: A measurement holds the engine.
            EngineError: It did not come up, or a model did not load again.
        """
        await self._revival.passed()
        with self._lease.hold("restarting the engine"):
            return await self._life.restart()

    async def switch(self, backend: Backend, *, stop_first: bool = False) -> EngineInfo:
        """Use another engine from now on, and publish its list; feeds and lease stay what they are.

        The old one goes on as it was if the new one does not come up.

        Args:
            backend: Its engine must be new.
            stop_first: For two that cannot be up at once: a pinned port, a cache directory that moves.

        Raises:
            EngineBusy: Somebody uses the engine.
            EngineError: The new one cannot be used; where the old one did not come back, the remedy says so.
        """
        await self._revival.passed()
        with self._lease.hold("switching the engine", exclusive=True):
            info = await self._life.switch(backend, stop_first=stop_first)
        self.refresh_soon()
        return info

    async def aclose(self) -> None:
        """Stop background work and the engine."""
        try:
            await self._tasks.aclose()
        finally:
            await self._life.aclose()
            await asyncio.to_thread(self.memory.close)

    # Lists

    def refresh_soon(self) -> None:
        """Ask for the public catalog too, in the background, and go on looking for what changes."""
        if self._life.backend.wants_public:
            self._tasks.start("refresh catalog", self._refresh_quietly())
        if not self._is_watching:
            self._is_watching = True
            self._tasks.start("folder watch", self._watch_folders())
            self._tasks.start("network watch", self._watch_network())

    async def refresh(self, *, public: bool | None = None) -> CatalogSnapshot:
        """List all models again and publish the list.

        Args:
            public: Whether the network may be asked; None means as the service was told.
        """
        wants_public = self._life.backend.wants_public
        return await self._life.list_models(public=wants_public if public is None else public)

    async def look_again(self) -> None:
        """Publish the list with what ``problem_of`` says by now."""
        await self._shelf.show_again()

    def find(self, name: str) -> ModelVariant:
        """The variant of that id, or the best of that alias.

        Raises:
            ModelNotFound: With names that are close.
        """
        return self._shelf.find(name)

    def adopt(self, model_ids: Iterable[str] = ()) -> None:
        """Have the engine see variants that came onto this machine, or left it, behind its back.

        Returns at once.  It is restarted when nobody uses it, once for all that was asked for until then, and
        loads again what was loaded; ``revived`` tells what became of it.
        """
        self._revival.ask(model_ids)

    async def adopted(self) -> None:
        """Return once the engine has seen all that it was to adopt."""
        await self._revival.settled()

    def measuring(self, label: str) -> AbstractContextManager[None]:
        """Keep the engine for what is called within the block, by this task and those that it starts.

        Raises:
            EngineBusy: Somebody uses it, or another process measures.
            StorageProblem: Other processes cannot be told.
        """
        return self._lease.measure(label)

    # Models

    async def load(self, model_id: str) -> LoadReport:
        """Load the exact variant and publish the change; the report has time, memory and what runs it.

        Raises:
            EngineBusy: A measurement holds the engine, or it is in use and must restart to see the model.
            ModelRefused: It does not load, or its files are damaged.
            EngineError: It was not loaded; the message says why.
        """
        if model_id in self._revival.wished_ids and (holders := self._lease.holders):
            raise EngineBusy(
                f"{model_id} is here, but the engine sees it only after a restart, and is in use:"
                f" {', '.join(holders)}",
                remedy="wait until that ends, or stop it",
            )
        if model_id in self._revival.wished_ids:
            await self._revival.settled()
        await self._revival.passed()
        known = self.catalog.value.find(model_id)
        with self._lease.hold(f"loading {model_id}"):
            if self._before_load is not None and known is not None and not known.is_loaded:
                await self._before_load(known)
            report = await self._life.load(model_id)
        self._note_use(model_id)
        return report

    async def unload(self, model_id: str) -> None:
        """Unload the exact variant and publish the change.

        Raises:
            EngineError: It is in use, or the engine cannot.
        """
        await self._revival.passed()
        with self._lease.hold(f"unloading {model_id}"), self._jobs.under_way(JobKind.UNLOAD, model_id):
            await self._life.engine.unload(model_id)
        self.memory.unloaded(model_id)
        self.chronicle.unloaded(model_id)
        self._shelf.mark(model_id, is_loaded=False)

    async def remove(self, model_id: str) -> None:
        """Delete the files of a downloaded variant and publish the change.

        Raises:
            EngineError: It is in memory, is being downloaded, is the user's own, or the engine cannot.
        """
        await self._revival.passed()
        with self._lease.hold(f"removing {model_id}"), self._jobs.under_way(JobKind.REMOVE, model_id):
            await self._life.engine.remove(model_id)
            await self._life.look_at_folders(only=model_id)
        await self.refresh(public=False)

    async def fetch(self, model_id: str) -> FetchEnd:
        """Have the server download a variant onto its own disk; the job tells how far it is.

        Being cancelled takes the order back, as ``stop_fetch`` does.  The list is asked anew by the return.

        Raises:
            NotSupported: The engine has no ``Capability.DOWNLOAD``.
            EngineBusy: A measurement holds the engine, or that very variant is being downloaded.
            EngineError: The server gave up, or went away; the message says why.
        """
        await self._revival.passed()
        return await self._fetching.fetch(model_id)

    def stop_fetch(self, model_id: str) -> bool:
        """Take the order for a variant back at once; False if there is none any more.

        What the server has by then is its own to keep; whether it stops too is up to it.
        """
        return self._fetching.stop(model_id)

    async def register(self, registration: Registration) -> ModelVariant:
        """List a folder as a model of the user's own.

        Raises:
            ModelRefused: With the reason.
        """
        await self._revival.passed()
        model = await self._life.engine.register(registration)
        await self.refresh(public=False)
        return model

    async def unregister(self, model_id: str) -> None:
        """Forget a registered folder; its files stay.

        Raises:
            EngineError: It is loaded, or was not registered.
        """
        await self._revival.passed()
        await self._life.engine.unregister(model_id)
        await self.refresh(public=False)

    # Execution providers

    async def providers(self) -> tuple[ExecutionProvider, ...]:
        """Those that this machine can have beside the CPU's; empty where there are none.

        Raises:
            EngineError: The engine cannot tell.
        """
        await self._revival.passed()
        return await self._life.engine.providers()

    @asynccontextmanager
    async def registering(
        self, names: tuple[str, ...] = ()
    ) -> AsyncGenerator[AsyncIterator[ProviderEvent], None]:
        """Download and register execution providers (none named: all); read the progress inside the block.

        What was registered is registered again after each restart, until the program ends.  The list is asked
        anew by the time the block has been left.

        Raises:
            EngineBusy: A measurement holds the engine.
            EngineError: It could not be done; raised while reading.
        """
        await self._revival.passed()
        with (
            self._lease.hold("registering execution providers"),
            self._jobs.under_way(JobKind.PROVIDERS, None),
        ):
            async with pumped(self._life.register_providers(names)) as events:
                yield events
        self._tasks.start("refresh catalog", self._refresh_quietly())

    # Answers

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
        connection and the lease are free again.  A restart that is under way is waited for.

        Raises:
            EngineBusy: A measurement holds the engine.
            EngineError: The engine failed; raised while reading.
        """
        await self._revival.passed()
        self._note_use(request.model)
        with self._lease.hold(f"chat with {request.model}"):
            answer = self.memory.explaining(self._life.engine.stream_chat(request), request)
            async with pumped(self.chronicle.answering(answer, request.model)) as events:
                yield events

    async def _refresh_quietly(self, *, public: bool | None = None) -> None:
        try:
            await self.refresh(public=public)
        except EngineError as error:
            self._shelf.note(error.message)

    async def _list_quietly(self) -> None:
        await self._refresh_quietly(public=False)

    async def _watch_folders(self) -> None:
        def folders() -> CacheFolders | None:
            catalogs = self._life.backend.catalogs
            return catalogs.folders if catalogs is not None else None

        await watch_folders(folders, lambda: self._life.seen, self.adopt, self._pace.folders_s)

    async def _watch_network(self) -> None:
        def catalogs() -> Catalogs | None:
            backend = self._life.backend
            return backend.catalogs if backend.wants_public else None

        def is_missed() -> bool:
            return self._shelf.is_cut_off or any(source.problem for source in self.catalog.value.sources)

        await watch_network(
            catalogs, is_missed, lambda: not self._lease.holders, self._meet_network, self._pace
        )

    async def _meet_network(self) -> None:
        """A catalog answers again: the runtime asks it only in a new life."""
        if self._shelf.is_cut_off:
            self._revival.ask(must=True)
            await self._revival.settled()
        await self._refresh_quietly()

    def _note_use(self, model_id: str) -> None:
        if self._on_use is not None:
            self._on_use(model_id)

"""The engine of the moment: up, listed, restarted, replaced; its state for everybody in spite of all that.

Nothing here asks for the lease: the callers know who uses the engine.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

from foundry_tui.aio import Feed, Tasks
from foundry_tui.domain.engine import (
    Capability,
    EngineDead,
    EngineInfo,
    EngineReady,
    EngineState,
    ProviderEvent,
    ProvidersRegistered,
)
from foundry_tui.domain.errors import EngineError, ModelNotFound, ModelRefused
from foundry_tui.domain.models import CatalogSnapshot, LoadReport, Registration
from foundry_tui.ports.engines import SupervisedEngine
from foundry_tui.ports.machine import HostProbe
from foundry_tui.services.calm import calm
from foundry_tui.services.chronicle import Chronicle
from foundry_tui.services.engine.catalogs import Catalogs
from foundry_tui.services.engine.jobs import JobKind, Jobs
from foundry_tui.services.engine.memory import LoadMemory
from foundry_tui.services.engine.revival import Revived, Wish
from foundry_tui.services.engine.shelf import Shelf
from foundry_tui.services.engine.watching import changed_ids

__all__ = ["Backend", "EngineLife"]

_RUNTIME = "foundry-local-sdk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """An engine with what belongs to it.

    Attributes:
        engine: Not started yet.
        registrations: Registered at every start, replacing stale ones; the demo model for example.
        read_snapshot: Reads the runtime's own list from disk, blocking; None where there is none.
        catalogs: What the public catalogs offer to any machine; None where the engine's list is all.
        wants_public: Whether the network may be asked for lists.
    """

    engine: SupervisedEngine
    registrations: tuple[Registration, ...] = ()
    read_snapshot: Callable[[], CatalogSnapshot] | None = None
    catalogs: Catalogs | None = None
    wants_public: bool = True


class EngineLife:
    """Starts, lists, loads, restarts and replaces the engine, and passes on the states of whichever it is.

    Args:
        host_probe: Reads the engine's memory around a load; None leaves that out of the report.
        memory: Weighs each load, learns from it, and explains it if memory ran out.
        tasks: Owns what goes on in the background.
        chronicle: Takes note of what happens.

    Attributes:
        seen: Folders of models as they were when the engine started; None until then.
    """

    def __init__(
        self,
        backend: Backend,
        shelf: Shelf,
        jobs: Jobs,
        host_probe: Callable[[], HostProbe] | None,
        memory: LoadMemory,
        tasks: Tasks,
        chronicle: Chronicle,
    ) -> None:
        self._shelf = shelf
        self._jobs = jobs
        self._host_probe = host_probe
        self._memory = memory
        self._tasks = tasks
        self._chronicle = chronicle
        self._follower: asyncio.Task[None] | None = None
        self._states: Feed[EngineState] = Feed(backend.engine.state)
        self._listing = asyncio.Lock()
        self._starting = asyncio.Lock()
        self._set_up: EngineInfo | None = None
        self._reload: tuple[str, ...] = ()
        self._providers: dict[str, None] = {}
        self.backend = backend
        self.seen: Mapping[str, int] | None = None
        self.load_reports: dict[str, LoadReport] = {}

    @property
    def engine(self) -> SupervisedEngine:
        """The engine right now."""
        return self.backend.engine

    @property
    def info(self) -> EngineInfo | None:
        """What it said of itself; None unless it is up."""
        state = self.engine.state
        return state.info if isinstance(state, EngineReady) else None

    def states(self) -> AsyncIterator[EngineState]:
        """The state at once, then the newest after each change, whichever engine it is."""
        self._follow()
        return self._states.watch()

    async def start(self) -> EngineInfo:
        """See ``ClientService.start``."""
        async with self._starting:
            self._follow()
            if self.info is None:
                # Before it starts: what comes after that it may miss.
                await self.look_at_folders()
            info = await self.engine.start()
            self._chronicle.engine(self.engine.state)  # before anything is loaded into it
            if info is not self._set_up:
                await self._equip(self.backend, info)
                await self.list_models(public=False)
                await self._memory.recall()
                self._set_up = info
            return info

    async def aclose(self) -> None:
        """Stop the engine and close what belongs to it."""
        if self.backend.catalogs is not None:
            await self.backend.catalogs.aclose()
        await self.engine.stop()

    async def list_models(self, *, public: bool) -> CatalogSnapshot:
        """Ask the engine, and if it is for the public the catalogs too, and publish what they say."""
        backend = self.backend
        async with self._listing:
            with self._jobs.under_way(JobKind.REFRESH, None):
                asking: asyncio.Task[None] | None = None
                if public and backend.catalogs is not None:
                    # Each takes seconds if the network is gone, and neither needs the other.
                    asking = self._tasks.start("ask catalogs", backend.catalogs.ask(self._publish_again))
                asked_at = self._shelf.changes
                with calm():
                    told = await backend.engine.list_models(public=public)
                self._note_runtime(self.info)
                snapshot = await self._shelf.show(told, asked_at=asked_at)
                if asking is not None:
                    await asyncio.wait([asking])
                    snapshot = await self._shelf.show_again()
        return snapshot

    async def load(self, model_id: str) -> LoadReport:
        """See ``ClientService.load``."""
        known = self._shelf.feed.value.find(model_id)
        if known is not None and (problem := self._shelf.problem(known)) is not None:
            raise ModelRefused(
                f"{model_id} is damaged: {problem}", remedy=f"repair it: foundry-tui models pull {model_id}"
            )
        with self._jobs.under_way(JobKind.LOAD, model_id), self._chronicle.loading(model_id):
            begun = await self._memory.begin(known)
            before = await self._rss_bytes()
            try:
                report = await self.engine.load(model_id)
            except ModelNotFound as error:
                if known is None or not known.is_cached:
                    raise
                # Measured: with one catalog alive the runtime forgets what it knew from those that are not.
                raise ModelRefused(
                    f"{model_id} is on this machine, but the runtime asks its catalog before it loads it, and"
                    " cannot reach it",
                    remedy="start with --offline, which uses what is on this machine",
                ) from error
            except EngineError as error:
                if (told := self._memory.explained_load(error, begun)) is error:
                    raise
                raise told from error
            report = replace(report, rss_before_bytes=before, rss_after_bytes=await self._rss_bytes())
            await self._memory.end(begun, report)
        self.load_reports[model_id] = report
        self._chronicle.loaded(report)
        self._shelf.mark(model_id, is_loaded=True)
        return report

    async def register_providers(self, names: tuple[str, ...]) -> AsyncGenerator[ProviderEvent, None]:
        """See ``ClientService.registering``."""
        async with aclosing(self.engine.register_providers(names)) as events:
            async for event in events:
                if isinstance(event, ProvidersRegistered):
                    self._note_providers(event)
                yield event

    async def restart(self) -> tuple[LoadReport, ...]:
        """See ``ClientService.restart``."""
        state = self.engine.state
        if isinstance(state, EngineDead) and state.death is not None and state.death.was_loaded:
            self._reload = state.death.was_loaded
        elif isinstance(state, EngineReady):
            self._reload = self._shelf.loaded_ids
        await self.engine.stop()
        await self.start()
        reports = [await self.load(model_id) for model_id in self._reload]
        self._reload = ()
        return tuple(reports)

    async def revive(self, wish: Wish) -> Revived | None:
        """Restart it for ``wish`` and load again what was loaded; None where there was nothing to do."""
        if isinstance(self.engine.state, EngineDead) or self._set_up is None:
            return None  # a start that is yet to come sees everything
        info = await self.start()
        if not info.can(Capability.REMOVE):
            await self._list_quietly()
            return None  # its models are not on this machine
        catalogs = self.backend.catalogs
        found = await asyncio.to_thread(catalogs.folders.complete) if catalogs is not None else None
        if not wish.must and found is not None and found == self.seen:
            await self._list_quietly()
            return None
        loaded, problems, reports = self._shelf.loaded_ids, list[str](), list[LoadReport]()
        await self.engine.stop()
        try:
            await self.start()
            for model_id in loaded:
                try:
                    reports.append(await self.load(model_id))
                except (ModelNotFound, ModelRefused) as error:
                    problems.append(error.message)
        except EngineError as error:
            self._reload = loaded  # the user's own restart goes on from here
            problems.append(error.message)
        return Revived(wish=wish, reports=tuple(reports), problems=tuple(problems))

    async def switch(self, backend: Backend, *, stop_first: bool) -> EngineInfo:
        """See ``ClientService.switch``."""
        old, loaded = self.backend, self._shelf.loaded_ids
        if stop_first:
            await old.engine.stop()
        try:
            info = await backend.engine.start()
            await self._equip(backend, info)
            told = await backend.engine.list_models(public=False)
        except BaseException as error:
            await backend.engine.stop()
            if stop_first and isinstance(error, EngineError):
                await self._bring_back(loaded, error)
            raise
        self._leave()
        self.backend, self._set_up, self._reload = backend, info, ()
        self._shelf.catalogs, self._shelf.usable = backend.catalogs, frozenset()
        self._note_runtime(info)
        self.load_reports.clear()
        self._follow()
        await self.look_at_folders()
        await self._shelf.show(told)
        await old.engine.stop()
        if old.catalogs is not None and old.catalogs is not backend.catalogs:
            await old.catalogs.aclose()
        return info

    async def look_at_folders(self, *, only: str | None = None) -> None:
        """Remember which models are on this machine; of what changed since the last time, only that one."""
        if self.backend.catalogs is None:
            self.seen = None
            return
        found = await asyncio.to_thread(self.backend.catalogs.folders.complete)
        if only is None or self.seen is None or changed_ids(self.seen, found) <= {only}:
            self.seen = found

    async def _publish_again(self) -> None:
        await self._shelf.show_again()

    async def _list_quietly(self) -> None:
        try:
            await self.list_models(public=False)
        except EngineError as error:
            self._shelf.note(error.message)

    async def _equip(self, backend: Backend, info: EngineInfo) -> None:
        """Register what a new life of the engine must have; it has forgotten its execution providers."""
        if info.can(Capability.REGISTER):
            for registration in backend.registrations:
                await backend.engine.register(registration)
        if self._providers and info.can(Capability.PROVIDERS):
            try:
                async with aclosing(backend.engine.register_providers(tuple(self._providers))) as events:
                    async for event in events:
                        if isinstance(event, ProvidersRegistered):
                            self._note_providers(event)
            except EngineError as error:
                self._shelf.note(error.message)

    async def _bring_back(self, loaded: tuple[str, ...], cause: EngineError) -> None:
        """Have the old engine again; ``cause``, which stopped the new one, tells what to do if that fails."""
        try:
            await self.start()
            for model_id in loaded:
                await self.load(model_id)
        except EngineError as error:
            self._reload = loaded
            cause.remedy = f"restart the engine: that brings the one before back ({error.message})"

    def _note_runtime(self, info: EngineInfo | None) -> None:
        self._shelf.runtime_version = dict(info.versions).get(_RUNTIME) if info is not None else None

    def _note_providers(self, event: ProvidersRegistered) -> None:
        registered = [one.name for one in event.providers if one.is_registered]
        self._providers = dict.fromkeys(registered)
        self._shelf.usable = frozenset(registered)

    async def _rss_bytes(self) -> int | None:
        info, make_probe = self.info, self._host_probe
        if info is None or info.pid is None or not info.can(Capability.MEMORY) or make_probe is None:
            return None
        pid = info.pid
        sample = await asyncio.to_thread(lambda: make_probe().sample(pid))
        return sample.process_rss_bytes

    def _follow(self) -> None:
        if self._follower is None:
            self._chronicle.engine(self.engine.state)
            self._states.publish(self.engine.state)
            self._follower = self._tasks.start("engine watch", self._pass_on(self.engine))

    def _leave(self) -> None:
        if self._follower is not None:
            self._follower.cancel()
            self._follower = None

    async def _pass_on(self, engine: SupervisedEngine) -> None:
        async for state in engine.states():
            if isinstance(state, EngineDead):
                self._shelf.empty_memory()
            self._chronicle.engine(state)
            self._states.publish(state)

"""Memory for models: what a load will need, whether one should ask first, and what to say if it ran out."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from foundry_tui.domain.chat import ChatEvent, ChatRequest
from foundry_tui.domain.engine import Capability, EngineDead, EngineInfo, EngineState
from foundry_tui.domain.errors import EngineError
from foundry_tui.domain.loads import LoadRecord, MemoryPlace
from foundry_tui.domain.models import LoadReport, ModelVariant
from foundry_tui.domain.resources import GpuSample, HostSample, ResourceSample
from foundry_tui.metrics.fit import (
    CONVERSATION_TOKENS,
    Fit,
    MemoryNow,
    ModelShape,
    fit_of,
    memory_of,
)
from foundry_tui.metrics.tokens import estimate_prompt_tokens
from foundry_tui.ports.machine import GpuProbe, HostProbe
from foundry_tui.services.engine.load_question import (
    InMemory,
    LoadQuestion,
    remedy_words,
    smaller_than,
    to_unload,
)
from foundry_tui.services.engine.out_of_memory import explained_answer, explained_load, is_for_memory
from foundry_tui.services.engine.shelf import Shelf

__all__ = ["LoadMemory", "LoadNotes", "MemorySources", "memory_now"]

SHORT_TOKENS = 1_024
"""A conversation that is offered where the usual one does not fit."""

_RUNTIME = "foundry-local-sdk"


class LoadNotes(Protocol):
    """What earlier loads took, on the disk.  Blocks, so not on the event loop."""

    def read(self) -> tuple[LoadRecord, ...]:
        """All that is kept, oldest first; never raises."""
        ...

    def add(self, record: LoadRecord) -> tuple[LoadRecord, ...]:
        """Keep one more; all that is kept then.  Never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySources:
    """Where numbers come from.

    Attributes:
        host: Reads the machine; made when it is first wanted.
        gpu: Reads the GPUs; likewise, and only for models that run there.
        shape_of: What the files of a model say of its sizes; None where they say nothing.  Blocks.
        notes: Of earlier loads.
        limit_percent: Of the whole memory, from where on a load asks first.
        unix_ms: The time of day.
    """

    host: Callable[[], HostProbe]
    gpu: Callable[[], GpuProbe]
    shape_of: Callable[[ModelVariant], ModelShape | None]
    notes: LoadNotes
    limit_percent: Callable[[], int]
    unix_ms: Callable[[], int]


@dataclass(slots=True)
class _Begun:
    """A load that is under way."""

    model: ModelVariant
    fit: Fit
    used_vram_bytes: int | None


@dataclass(slots=True)
class _Probes:
    host: HostProbe | None = None
    gpu: GpuProbe | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


def memory_now(sample: ResourceSample | None) -> MemoryNow:
    """The free memory as a sample has it."""
    return MemoryNow() if sample is None else _free(sample.host, sample.gpu.gpus)


def _free(host: HostSample, gpus: Sequence[GpuSample]) -> MemoryNow:
    roomy = max(gpus, key=lambda gpu: gpu.total_bytes - gpu.used_bytes, default=None)
    return MemoryNow(
        ram_available_bytes=host.ram_total_bytes - host.ram_used_bytes,
        ram_total_bytes=host.ram_total_bytes,
        vram_available_bytes=None if roomy is None else roomy.total_bytes - roomy.used_bytes,
        vram_total_bytes=None if roomy is None else roomy.total_bytes,
    )


class LoadMemory:
    """Weighs loads before they begin and measures them, so that the next estimate is better.

    Args:
        sources: None where nothing of this machine is to be read; then nothing is known and nothing asked.
        shelf: Which models there are, and which are in memory.
        state: Of the engine.
        info: What the engine said of itself; None while it is not up.
    """

    def __init__(
        self,
        sources: MemorySources | None,
        shelf: Shelf,
        state: Callable[[], EngineState],
        info: Callable[[], EngineInfo | None],
    ) -> None:
        self._sources = sources
        self._shelf = shelf
        self._state = state
        self._info = info
        self._probes = _Probes()
        self._records: tuple[LoadRecord, ...] | None = None
        self._taken: dict[str, int] = {}
        self._allowed: set[str] = set()
        self._life: EngineInfo | None = None
        self._is_fresh = True

    async def recall(self) -> None:
        """Read what earlier loads took, once."""
        if self._sources is not None and self._records is None:
            self._records = await asyncio.to_thread(self._sources.notes.read)

    def offered(self, model: ModelVariant, sample: ResourceSample | None) -> Fit:
        """What a model that is not here would need, from what is known without waiting."""
        return self._fit(model, memory_now(sample), None, CONVERSATION_TOKENS)

    async def weigh(self, model: ModelVariant, *, conversation_tokens: int = CONVERSATION_TOKENS) -> Fit:
        """What it needs, next to what is free now."""
        await self.recall()
        shape = await self._shape(model)
        return self._fit(model, (await self._now(model))[0], shape, conversation_tokens)

    async def weigh_all(self, models: Sequence[ModelVariant]) -> dict[str, Fit]:
        """By id, all next to what is free at one moment."""
        await self.recall()
        now: dict[MemoryPlace, MemoryNow] = {}
        fits: dict[str, Fit] = {}
        for model in models:
            memory = memory_of(model.device)
            if memory not in now:
                now[memory] = (await self._now(model))[0]
            fits[model.id] = self._fit(model, now[memory], await self._shape(model), CONVERSATION_TOKENS)
        return fits

    def allow(self, model_id: str) -> None:
        """The user wants it loaded all the same: not to be asked again in this session."""
        self._allowed.add(model_id)

    async def question(self, model: ModelVariant) -> LoadQuestion | None:
        """What to ask before it is loaded; None where nothing is to be asked, or it was answered before.

        Only of what our own runtime loads into this machine: what a server does with its memory is its own.
        """
        info = self._info()
        is_ours = info is not None and info.can(Capability.MEMORY) and info.can(Capability.LOAD)
        is_here = model.is_cached is not False and model.problem is None
        if (
            self._sources is None
            or model.is_loaded
            or model.id in self._allowed
            or not is_ours
            or not is_here
        ):
            return None
        found = await self.weigh(model)
        if not found.over_limit_bytes:
            return None
        loaded = self._loaded(found.memory, but=model.id)
        shorter = await self.weigh(model, conversation_tokens=SHORT_TOKENS)
        is_shorter = shorter.conversation_tokens < found.conversation_tokens and not shorter.over_limit_bytes
        return LoadQuestion(
            model=model,
            fit=found,
            loaded=loaded,
            to_unload=to_unload(loaded, found.over_limit_bytes),
            smaller=smaller_than(model, self._shelf.feed.value.models),
            shorter=shorter if is_shorter else None,
        )

    async def begin(self, model: ModelVariant | None) -> _Begun | None:
        """Weigh a load that begins now; None where nothing can be learned from it."""
        if self._sources is None or model is None or model.is_loaded:
            return None
        await self.recall()
        info = self._info()
        if info is not self._life:
            self._life, self._is_fresh = info, True
            self._taken.clear()
        now, used_vram = await self._now(model)
        return _Begun(model, self._fit(model, now, await self._shape(model), CONVERSATION_TOKENS), used_vram)

    def unloaded(self, model_id: str) -> None:
        """A model left memory: what it leaves behind makes the next load look cheaper than it is."""
        self._taken.pop(model_id, None)
        self._is_fresh = False

    async def end(self, begun: _Begun | None, report: LoadReport) -> None:
        """Note what a load took."""
        sources = self._sources
        if begun is None or sources is None or report.was_loaded:
            return
        taken = await self._taken_by(begun, report)
        if taken is None or taken <= 0:
            return
        model = begun.model
        self._taken[model.id] = taken
        if model.disk_bytes:
            record = LoadRecord(
                model_id=model.id,
                at_unix_ms=sources.unix_ms(),
                runtime=self._version(),
                memory=begun.fit.memory,
                file_bytes=model.disk_bytes,
                taken_bytes=taken,
                estimated_bytes=begun.fit.load_bytes,
                is_fresh=self._is_fresh,
            )
            self._records = await asyncio.to_thread(sources.notes.add, record)

    def explained_load(self, error: EngineError, begun: _Begun | None) -> EngineError:
        """``error``, or in its place one that says that memory ran out, how much, and what to do."""
        if begun is None:
            return error
        state = self._state()
        death = state.death if isinstance(state, EngineDead) else None
        return explained_load(error, begun.model.id, begun.fit, death, self._remedy(begun.model, begun.fit))

    async def explaining(
        self, answer: AsyncGenerator[ChatEvent, None], request: ChatRequest
    ) -> AsyncGenerator[ChatEvent, None]:
        """The events of ``answer``, which ends with it; where memory ran out its error says so."""
        async with aclosing(answer) as events:
            try:
                async for event in events:
                    yield event
            except EngineError as error:
                told = await self._explained_answer(error, request)
                if told is error:
                    raise
                raise told from error

    def close(self) -> None:
        """Let go of the driver.  Blocks."""
        if self._probes.gpu is not None:
            self._probes.gpu.close()
            self._probes.gpu = None

    async def _explained_answer(self, error: EngineError, request: ChatRequest) -> EngineError:
        model = self._shelf.feed.value.find(request.model)
        if self._sources is None or model is None or not is_for_memory(error):
            return error
        tokens = estimate_prompt_tokens(request.messages) + request.max_tokens
        found = await self.weigh(model, conversation_tokens=tokens)
        return explained_answer(error, model.id, found, self._remedy(model, found, shorter=True))

    def _remedy(self, model: ModelVariant, found: Fit, *, shorter: bool = False) -> str:
        loaded = self._loaded(found.memory, but=model.id)
        return remedy_words(loaded, smaller_than(model, self._shelf.feed.value.models), shorter=shorter)

    def _fit(
        self, model: ModelVariant, now: MemoryNow, shape: ModelShape | None, conversation_tokens: int
    ) -> Fit:
        return fit_of(
            model,
            now,
            shape=shape,
            records=self._records if self._sources is not None else None,
            runtime=self._version(),
            host_is_running=self._info() is not None,
            conversation_tokens=conversation_tokens,
            limit_percent=None if self._sources is None else self._sources.limit_percent(),
        )

    def _version(self) -> str | None:
        info = self._info()
        return self._shelf.runtime_version if info is None else dict(info.versions).get(_RUNTIME)

    async def _shape(self, model: ModelVariant) -> ModelShape | None:
        if self._sources is None or not model.is_cached or model.path is None:
            return None
        return await asyncio.to_thread(self._sources.shape_of, model)

    async def _now(self, model: ModelVariant) -> tuple[MemoryNow, int | None]:
        """What is free, and what is in use of all GPUs together; the GPUs only for a model that wants one."""
        sources = self._sources
        if sources is None:
            return MemoryNow(), None
        on_gpu = memory_of(model.device) is MemoryPlace.GPU

        def read() -> tuple[MemoryNow, int | None]:
            probes = self._probes
            probes.host = probes.host or sources.host()
            host = probes.host.sample(None)
            if not on_gpu:
                return _free(host, ()), None
            probes.gpu = probes.gpu or sources.gpu()
            gpus = probes.gpu.sample(None).gpus
            return _free(host, gpus), sum(gpu.used_bytes for gpu in gpus) if gpus else None

        async with self._probes.lock:
            return await asyncio.to_thread(read)

    async def _taken_by(self, begun: _Begun, report: LoadReport) -> int | None:
        if begun.fit.memory is MemoryPlace.GPU:
            _, used = await self._now(begun.model)
            return None if used is None or begun.used_vram_bytes is None else used - begun.used_vram_bytes
        before, after = report.rss_before_bytes, report.rss_after_bytes
        return None if before is None or after is None else after - before

    def _loaded(self, memory: MemoryPlace, *, but: str) -> tuple[InMemory, ...]:
        known = {model.id: model for model in self._shelf.feed.value.models}
        others = [
            InMemory(model_id, self._taken.get(model_id))
            for model_id in self._shelf.loaded_ids
            if model_id != but and model_id in known and memory_of(known[model_id].device) is memory
        ]
        return tuple(sorted(others, key=lambda one: one.taken_bytes or 0, reverse=True))

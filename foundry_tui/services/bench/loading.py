"""The models of a run in memory: loaded, unloaded, brought back after the engine died, made room for."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from foundry_tui.domain.bench import MemoryRescue
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.engine import Capability
from foundry_tui.domain.errors import (
    EngineBusy,
    EngineDied,
    EngineError,
    EngineUnavailable,
    KilledForMemory,
    ModelNotFound,
    OutOfMemory,
)
from foundry_tui.domain.models import LoadReport, ModelVariant
from foundry_tui.services.bench.facts import fact_changes, facts_of
from foundry_tui.services.bench.failures import outcome_of_load
from foundry_tui.services.bench.ledger import Ledger
from foundry_tui.services.bench.peaks import MemoryLevel, Peaks
from foundry_tui.services.bench.state import Step
from foundry_tui.services.client import ClientService
from foundry_tui.services.engine.out_of_memory import is_for_memory

__all__ = ["Loading"]


class Loading:
    """Knows which variant stands for each model of the plan, and which of them are in memory.

    Args:
        client: Started, and held for this run.
        ledger: Of the run.
        peaks: Reads the engine's memory.
    """

    def __init__(self, client: ClientService, ledger: Ledger, peaks: Peaks) -> None:
        self._client = client
        self._ledger = ledger
        self._peaks = peaks
        self._variants: dict[str, ModelVariant] = {}
        self._before: frozenset[str] = frozenset()
        self._loaded_by_us: set[str] = set()
        self._put_out: set[str] = set()
        self._life = 0
        self._reviving = asyncio.Lock()
        self._making_room = asyncio.Lock()
        self.is_crowded = False
        """Whether the models do not fit into memory together, so that each must be measured by itself."""
        self.rooms = 0
        """How often others were unloaded for a model that ran out of memory."""

    @property
    def life(self) -> int:
        """Which life of the engine this is; what failed in an earlier one brings nothing back."""
        return self._life

    def variant(self, model: str) -> ModelVariant | None:
        """What stands for ``model``; None before it was found."""
        return self._variants.get(model)

    async def begin(self) -> None:
        """Remember what is in memory before the run, which stays there after it."""
        self._before = await self._loaded_ids()

    async def load(self, model: str) -> None:
        """Find and load it, or say why it is left out.

        Raises:
            EngineUnavailable: The engine is gone and does not come back.
        """
        self._ledger.publish(step=Step.LOADING, model=model)
        try:
            variant = await self._find(model)
            is_cold = self._ledger.plan.has_cold_start and self._can_load()
            if is_cold and variant.id in await self._loaded_ids():
                await self._client.unload(variant.id)
        except ModelNotFound as error:
            await self._ledger.decide(model, Outcome.SKIPPED, error.message)
            return
        except EngineError as error:
            await self._leave_out(model, error)
            return
        if self._can_load() and (question := await self._client.memory.question(variant)) is not None:
            await self._ledger.warn(model, question.words)
        before, report = None, None
        if self._can_load():
            before, report = await self._peaks.level(), await self._load(model, variant)
        if isinstance(report, EngineError):
            await self._leave_out(model, report)
            return
        variant = self._client.find(variant.id)
        self._variants[model] = variant
        if variant.id not in self._before:
            self._loaded_by_us.add(variant.id)
        if self._ledger.is_rerun:
            await self._require_same(model, variant, report)
            return
        await self._ledger.put(
            model,
            **_of_load(report),
            **await self._levels(report, before),
            model_id=variant.id,
            facts=facts_of(variant, report),
        )

    async def have(self, model: str) -> bool:
        """Load it again if it was unloaded to make room for another, or say why it is left out.

        Returns:
            Whether it was loaded again.

        Raises:
            EngineUnavailable: The engine is gone and does not come back.
        """
        variant = self._variants.get(model)
        if variant is None or variant.id not in self._put_out:
            return False
        self._ledger.publish(step=Step.LOADING, model=model)
        report = await self._load(model, variant)
        if isinstance(report, EngineError):
            await self._leave_out(model, report)
            return False
        self._loaded_by_us.add(variant.id)
        return True

    async def make_room(self, model: str, model_id: str, *, since: int) -> bool:
        """Unload for a model that ran out of memory what the plan allows; whether there was anything.

        Args:
            model: Its name in the plan.
            model_id: Its variant, which stays.
            since: ``rooms`` before it was tried: what was made meanwhile is for all that were under way.
        """
        rescue = self._ledger.plan.rescue
        if rescue is MemoryRescue.NONE or not self._can_load():
            return False
        async with self._making_room:
            if since != self.rooms:
                return True
            allowed = set(self._loaded_by_us)
            if rescue is MemoryRescue.ALL:
                allowed |= await self._loaded_ids()
            put_out: list[str] = []
            for other_id in sorted(allowed - {model_id}):
                # What cannot be unloaded stays, and the second try shows whether that matters.
                with suppress(EngineError):
                    await self._client.unload(other_id)
                    put_out.append(other_id)
            if not put_out:
                return False
            self._loaded_by_us -= set(put_out)
            self._put_out |= set(put_out)
            self.is_crowded = True
            self.rooms += 1
            await self._ledger.warn(
                model, f"it ran out of memory, and was tried once more without {', '.join(put_out)} in memory"
            )
            return True

    async def bring_back(self, error: EngineError, life: int) -> None:
        """Have the engine again that a model took down with it, and in it what was loaded.

        Several requests that the same death ended bring it back once, and only when none is under way any
        more: of an endpoint that does not answer one of them, others may still be answered.

        Args:
            error: What says that it is gone; any other is no reason to do anything.
            life: The one in which that failed.

        Raises:
            EngineUnavailable: It does not come back.
        """
        if not isinstance(error, EngineDied | EngineUnavailable):
            return
        async with self._reviving:
            if life != self._life:
                return
            await self._ledger.until(lambda state: not state.under_way)
            self._ledger.publish(step=Step.LOADING, model=None)
            try:
                await self._client.restart()
            except (EngineBusy, EngineDied, EngineUnavailable):
                raise
            except EngineError:
                await self._load_one_by_one()
            self._life += 1

    async def settled(self) -> None:
        """Return once the engine is not being brought back."""
        async with self._reviving:
            pass

    async def unload(self, models: Sequence[str]) -> None:
        """Unload what was loaded for the run."""
        if not self._ledger.plan.unloads or not self._can_load():
            return
        for model in models:
            variant = self._variants.get(model)
            if variant is None or variant.id not in self._loaded_by_us:
                continue
            self._loaded_by_us.discard(variant.id)
            self._ledger.publish(step=Step.UNLOADING, model=model)
            with suppress(EngineError):  # it stays in memory, and the catalog shows that
                await self._client.unload(variant.id)
                self._put_out.add(variant.id)
                if self._ledger.is_rerun:
                    continue  # what was read around the first load belongs together
                after = await self._peaks.level()
                await self._ledger.put(
                    model,
                    rss_after_bytes=after.rss_bytes,
                    uss_after_bytes=after.uss_bytes,
                    vram_after_bytes=after.vram_bytes,
                )

    async def _load(self, model: str, variant: ModelVariant) -> LoadReport | EngineError:
        """Load it, or say what keeps it from being loaded.

        It is tried once more where memory was short and something could be unloaded, and where the engine
        died: somebody may have killed it.  If it dies again, memory may be why: the system kills for it.
        """
        has_died = has_room = False
        while True:
            life, rooms = self._life, self.rooms
            try:
                report = await self._client.load(variant.id)
            except (EngineDied, EngineUnavailable) as error:
                await self.bring_back(error, life)
                if has_died:
                    if has_room or not await self.make_room(model, variant.id, since=rooms):
                        return error
                    has_room = True
                has_died = True
            except EngineError as error:
                if has_room or not is_for_memory(error):
                    return error
                if not await self.make_room(model, variant.id, since=rooms):
                    return error
                has_room = True
            else:
                self._put_out.discard(variant.id)
                return report

    async def _require_same(self, model: str, variant: ModelVariant, report: LoadReport | None) -> None:
        """Leave the model's rounds as they are where it is not any more what they were measured with."""
        facts = facts_of(variant, report)
        changes = fact_changes(self._ledger.state.model_run(model).facts, facts)
        if changes:
            await self._ledger.decide(model, Outcome.SKIPPED, f"it is not the same now: {', '.join(changes)}")

    async def _levels(self, report: LoadReport | None, before: MemoryLevel | None) -> dict[str, object]:
        """Memory around a load that the report of it does not have."""
        if report is None or before is None or report.was_loaded:
            return {}
        loaded = await self._peaks.level()
        return {
            "uss_before_bytes": before.uss_bytes,
            "uss_loaded_bytes": loaded.uss_bytes,
            "vram_before_bytes": before.vram_bytes,
            "vram_loaded_bytes": loaded.vram_bytes,
        }

    async def _leave_out(self, model: str, error: EngineError) -> None:
        reason = error.message
        is_told = isinstance(error, OutOfMemory | KilledForMemory)
        if is_for_memory(error) and not is_told:  # the words of a system for it name no model
            reason = f"there is not enough memory to load it: {reason}"
        await self._ledger.decide(model, outcome_of_load(error), reason)

    async def _load_one_by_one(self) -> None:
        """Load again what is wanted of the run's models after one of them did not: that one is left out."""
        loaded = await self._loaded_ids()
        for model, variant in self._variants.items():
            is_out = variant.id in loaded or variant.id in self._put_out
            if is_out or not self._ledger.is_wanted(model):
                continue
            try:
                await self._client.load(variant.id)
            except (EngineBusy, EngineDied, EngineUnavailable):
                raise
            except EngineError as error:
                await self._leave_out(model, error)

    def _can_load(self) -> bool:
        info = self._client.engine_info
        return info is not None and info.can(Capability.LOAD)

    async def _find(self, model: str) -> ModelVariant:
        if self._client.catalog.value.find(model) is None:
            await self._client.refresh()
        return self._client.find(model)

    async def _loaded_ids(self) -> frozenset[str]:
        snapshot = await self._client.refresh(public=False)
        return frozenset(model.id for model in snapshot.models if model.is_loaded)


def _of_load(report: LoadReport | None) -> dict[str, object]:
    if report is None or report.was_loaded:
        return {}
    return {
        "load_ns": report.load_ns,
        "rss_before_bytes": report.rss_before_bytes,
        "rss_loaded_bytes": report.rss_after_bytes,
    }

"""The workshop's checklist for every target model: listed, cached, loads, answers."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum

from foundry_tui.aio import pumped
from foundry_tui.domain.chat import ChatMessage, ChatOptions, ChunkReceived, GenerationFinished, Role
from foundry_tui.domain.engine import Capability
from foundry_tui.domain.errors import EngineBusy, EngineDied, EngineError, EngineUnavailable, ModelNotFound
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.quantities import seconds_in_words
from foundry_tui.services.client import ClientService

__all__ = ["Check", "CheckResult", "ModelValidation", "Validation", "Verdict"]

_PROBE = "Reply with one word: ready"
_PROBE_TOKENS = 16
_NS_PER_S = 1_000_000_000
# Tasks whose models have nothing to say; what is not told is tried.
_SILENT_TASKS = ("embedding", "speech", "transcription", "rerank", "classification")


class Check(StrEnum):
    """What is looked at, in this order."""

    LISTED = "listed"
    CACHED = "cached"
    LOADS = "loads"
    ANSWERS = "answers"


class Verdict(StrEnum):
    """How a check ended."""

    PASSED = "ok"
    FAILED = "no"
    NOT_APPLICABLE = "n/a"
    """The engine cannot tell or do it, or an earlier check failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One check of one model.

    Attributes:
        detail: How long it took, or why it failed; as it came, to be cleaned where it is shown.
        remedy: What to do about a failure.
    """

    check: Check
    verdict: Verdict
    detail: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelValidation:
    """All checks of one target model.

    Attributes:
        name: As it was asked for, an alias or an id.
        model_id: The variant that was tried; None if there is none of that name.
        load_ns: Wall time of the load; None if it was not loaded for this.
        first_text_ns: From asking to the first text; None if there was none.
    """

    name: str
    model_id: str | None
    results: tuple[CheckResult, ...]
    load_ns: int | None = None
    first_text_ns: int | None = None

    @property
    def is_passed(self) -> bool:
        """Whether nothing failed; what could not be looked at is no failure."""
        return all(result.verdict is not Verdict.FAILED for result in self.results)

    @property
    def summary(self) -> str:
        """All checks on one line: ``listed ok, cached ok, loads ok (1.20 s), answers ok (80 ms)``."""
        return ", ".join(
            f"{result.check.value} {result.verdict.value}" + (f" ({result.detail})" if result.detail else "")
            for result in self.results
        )


class Validation:
    """Tries models one after the other on the engine as it is.

    Args:
        client: Started.
        options: Time limits of the probe chat are taken from them.
        clock_ns: What loads and first texts are timed by; the engine's own readings are for measurements.
    """

    def __init__(
        self,
        client: ClientService,
        options: ChatOptions,
        *,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self._client = client
        self._options = replace(
            options, system_prompt=None, max_tokens=_PROBE_TOKENS, temperature=0.0, seed=None
        )
        self._clock_ns = clock_ns

    @asynccontextmanager
    async def running(self, names: Sequence[str]) -> AsyncGenerator[AsyncIterator[ModelValidation], None]:
        """Validate ``names``; read a result for each, in that order, with ``async for`` inside the block.

        A model that was not loaded before is unloaded again, one that was loaded before is loaded at the
        end, however the block is left.

        Raises:
            EngineBusy: A measurement holds the engine; raised while reading.
            EngineUnavailable: The engine is gone and does not come back; raised while reading.
        """
        async with pumped(self._validate(tuple(dict.fromkeys(names)))) as results:
            yield results

    async def _validate(self, names: tuple[str, ...]) -> AsyncGenerator[ModelValidation, None]:
        before = await self._loaded()
        try:
            for name in names:
                yield await self._try(name, before)
        finally:
            await self._restore(before)

    async def _try(self, name: str, before: frozenset[str]) -> ModelValidation:
        try:
            model = await self._find(name)
        except ModelNotFound as error:
            return _only(name, None, _failed(Check.LISTED, error))
        results = [_passed(Check.LISTED), _cached(model)]
        if results[-1].verdict is Verdict.FAILED:
            return _only(name, model.id, *results)
        try:
            loads, load_ns = await self._load(model)
            results.append(loads)
            if loads.verdict is Verdict.FAILED:
                return _only(name, model.id, *results)
            answers, first_text_ns = await self._ask(model)
            results.append(answers)
            return ModelValidation(
                name=name,
                model_id=model.id,
                results=tuple(results),
                load_ns=load_ns,
                first_text_ns=first_text_ns,
            )
        finally:
            if model.id not in before:
                await self._unload(model.id)

    async def _find(self, name: str) -> ModelVariant:
        """The network is asked only if what is here does not know the name."""
        if self._client.catalog.value.find(name) is None:
            await self._client.refresh()
        return self._client.find(name)

    async def _load(self, model: ModelVariant) -> tuple[CheckResult, int | None]:
        info = self._client.engine_info
        if info is None or not info.can(Capability.LOAD):
            return _not_applicable(Check.LOADS), None
        try:
            report = await self._client.load(model.id)
        except EngineBusy:
            raise
        except EngineError as error:
            await self._go_on_after(error)
            return _failed(Check.LOADS, error), None
        if report.was_loaded:
            return CheckResult(check=Check.LOADS, verdict=Verdict.PASSED, detail="was loaded"), None
        took = seconds_in_words(report.load_ns / _NS_PER_S)
        return CheckResult(check=Check.LOADS, verdict=Verdict.PASSED, detail=took), report.load_ns

    async def _ask(self, model: ModelVariant) -> tuple[CheckResult, int | None]:
        if any(silent in (model.task or "").lower() for silent in _SILENT_TASKS):
            return _not_applicable(Check.ANSWERS, f"a model for {model.task}"), None
        request = self._client.prepare(model, (ChatMessage(role=Role.USER, text=_PROBE),), self._options)
        asked_ns = self._clock_ns()
        first_text_ns: int | None = None
        outcome = None
        try:
            async with self._client.chat(request) as events:
                async for event in events:
                    if isinstance(event, ChunkReceived) and first_text_ns is None:
                        first_text_ns = self._clock_ns() - asked_ns
                    if isinstance(event, GenerationFinished):
                        outcome = event.outcome
        except EngineBusy:
            raise
        except EngineError as error:
            await self._go_on_after(error)
            return _failed(Check.ANSWERS, error), first_text_ns
        if outcome is None or first_text_ns is None:
            return CheckResult(check=Check.ANSWERS, verdict=Verdict.FAILED, detail="it said nothing"), None
        took = f"first text after {seconds_in_words(first_text_ns / _NS_PER_S)}"
        return CheckResult(check=Check.ANSWERS, verdict=Verdict.PASSED, detail=took), first_text_ns

    async def _go_on_after(self, error: EngineError) -> None:
        """Bring back an engine that a model took down with it, for the models after it."""
        if isinstance(error, EngineDied):
            await self._client.start()
        elif isinstance(error, EngineUnavailable):
            await self._client.refresh(public=False)

    async def _unload(self, model_id: str) -> None:
        info = self._client.engine_info
        listed = self._client.catalog.value.find(model_id)
        is_loaded = listed is not None and listed.id == model_id and listed.is_loaded
        if is_loaded and info is not None and info.can(Capability.UNLOAD):
            try:
                await self._client.unload(model_id)
            except EngineBusy:
                return
            except EngineError as error:
                await self._go_on_after(error)

    async def _loaded(self) -> frozenset[str]:
        snapshot = await self._client.refresh(public=False)
        return frozenset(model.id for model in snapshot.models if model.is_loaded)

    async def _restore(self, before: frozenset[str]) -> None:
        """Load what the engine dropped or lost meanwhile, as far as it still can."""
        try:
            missing = sorted(before - await self._loaded())
        except EngineError:
            return  # it is gone, and whoever asks it next is told
        for model_id in missing:
            try:
                await self._client.load(model_id)
            except EngineError:
                continue  # the catalog shows it as not loaded


def _cached(model: ModelVariant) -> CheckResult:
    if model.problem is not None:
        return CheckResult(check=Check.CACHED, verdict=Verdict.FAILED, detail=model.problem)
    if model.is_cached is None:
        return _not_applicable(Check.CACHED)
    if model.is_cached or model.is_loaded:
        return _passed(Check.CACHED)
    if model.unavailable is not None:
        return CheckResult(check=Check.CACHED, verdict=Verdict.FAILED, detail=model.unavailable)
    return CheckResult(
        check=Check.CACHED,
        verdict=Verdict.FAILED,
        detail="not downloaded",
        remedy=f"foundry-tui models pull {model.id}",
    )


def _only(name: str, model_id: str | None, *results: CheckResult) -> ModelValidation:
    """What could be looked at; the checks after a failed one do not apply."""
    done = {result.check: result for result in results}
    every = tuple(done.get(check) or _not_applicable(check) for check in Check)
    return ModelValidation(name=name, model_id=model_id, results=every)


def _passed(check: Check) -> CheckResult:
    return CheckResult(check=check, verdict=Verdict.PASSED)


def _not_applicable(check: Check, why: str | None = None) -> CheckResult:
    return CheckResult(check=check, verdict=Verdict.NOT_APPLICABLE, detail=why)


def _failed(check: Check, error: EngineError) -> CheckResult:
    return CheckResult(check=check, verdict=Verdict.FAILED, detail=error.message, remedy=error.remedy)

"""A light prompt now and then keeps models warm, and what nobody uses is unloaded; both off at first."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from foundry_tui.aio import Feed
from foundry_tui.domain.chat import ChatEvent, ChatMessage, ChatOptions, ChatRequest, Role
from foundry_tui.domain.errors import EngineBusy, EngineError
from foundry_tui.domain.models import CatalogSnapshot, ModelVariant
from foundry_tui.services.setup import WarmthOptions

__all__ = ["KeepWarm", "KeptEngine", "Warmth", "WarmthState"]

_NS_PER_S = 1_000_000_000
_PROMPT = "Hi"
# A use is dated at the first look after it began: looking four times an interval, a quarter late at most.
_LOOKS_PER_INTERVAL = 4
_LOOK_S = (1.0, 30.0)


class KeptEngine(Protocol):
    """What of the client service is needed here."""

    @property
    def catalog(self) -> Feed[CatalogSnapshot]:
        """Which models are loaded."""
        ...

    def prepare(
        self, model: ModelVariant, messages: tuple[ChatMessage, ...], options: ChatOptions
    ) -> ChatRequest:
        """See ``ClientService.prepare``."""
        ...

    def chat(self, request: ChatRequest) -> AbstractAsyncContextManager[AsyncIterator[ChatEvent]]:
        """See ``ClientService.chat``."""
        ...

    async def unload(self, model_id: str) -> None:
        """See ``ClientService.unload``."""
        ...


class EngineUse(Protocol):
    """Who uses the engine, such as the lease."""

    @property
    def holders(self) -> tuple[str, ...]:
        """What it is used for right now."""
        ...

    @property
    def uses(self) -> int:
        """How often it has been taken into use so far."""
        ...


class WarmthState(StrEnum):
    """What is being done."""

    OFF = "off"
    WAITING = "waiting"
    WARMING = "warming"
    UNLOADING = "unloading"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmth:
    """What a front end shows.

    Attributes:
        warmed: Light prompts answered so far.
        last_warm_ns: When the last one was, on the clock of the service; None if never.
        unloaded: What was unloaded for want of use, the last time.
        problem: Why the last attempt failed; None if it did not.
    """

    state: WarmthState = WarmthState.OFF
    options: WarmthOptions = field(default_factory=WarmthOptions)
    warmed: int = 0
    last_warm_ns: int | None = None
    unloaded: tuple[str, ...] = ()
    problem: str | None = None


class KeepWarm:
    """Watches how the engine is used; acts only while nobody uses it.

    Args:
        client: Answers the light prompts.
        use: Who uses the engine; our own prompts are not counted as use.
        is_measured_elsewhere: Whether another process measures, which must not be disturbed either.
        clock_ns: A monotonic clock.
        sleep: Waits that many seconds of it.
    """

    def __init__(
        self,
        client: KeptEngine,
        use: EngineUse,
        *,
        options: WarmthOptions | None = None,
        is_measured_elsewhere: Callable[[], bool] = lambda: False,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._use = use
        self._is_measured_elsewhere = is_measured_elsewhere
        self._clock_ns = clock_ns
        self._sleep = sleep
        self._changed = asyncio.Event()
        self._uses = use.uses
        self._used_ns = self._warm_ns = clock_ns()
        self.warmth: Feed[Warmth] = Feed(Warmth())
        self.set(options or WarmthOptions())

    def set(self, options: WarmthOptions) -> None:
        """Want something else from now on; idleness counts from now."""
        self._used_ns = self._warm_ns = self._clock_ns()
        state = WarmthState.OFF if options.is_off else WarmthState.WAITING
        self.warmth.publish(replace(self.warmth.value, options=options, state=state, problem=None))
        self._changed.set()

    async def run(self) -> None:
        """Do what is wanted until cancelled; costs nothing while that is nothing."""
        while True:
            self._changed.clear()
            options = self.warmth.value.options
            if options.is_off:
                await self._changed.wait()
                continue
            await self._sleep(_look_s(options))
            await self._look(self.warmth.value.options)

    async def _look(self, options: WarmthOptions) -> None:
        now_ns = self._clock_ns()
        if self._use.holders or self._use.uses != self._uses:
            self._uses = self._use.uses
            self._used_ns = self._warm_ns = now_ns
            return
        loaded = tuple(model for model in self._client.catalog.value.models if model.is_loaded)
        if not loaded:
            self._used_ns = self._warm_ns = now_ns
            return
        if self._is_measured_elsewhere():
            return
        if _is_due(options.unload_after_s, now_ns - self._used_ns):
            await self._unload(loaded)
        elif _is_due(options.warm_every_s, now_ns - self._warm_ns):
            await self._warm(loaded)

    async def _warm(self, loaded: tuple[ModelVariant, ...]) -> None:
        self._tell(state=WarmthState.WARMING, problem=None)
        for model in loaded:
            if self._use.holders:
                break  # somebody came; what they do keeps it warm
            try:
                await self._ask(model)
            except EngineBusy:
                break
            except EngineError as error:
                self._tell(problem=error.message)
            else:
                self._tell(warmed=self.warmth.value.warmed + 1, last_warm_ns=self._clock_ns())
        self._warm_ns = self._clock_ns()
        self._back_to_waiting()

    async def _ask(self, model: ModelVariant) -> None:
        message = ChatMessage(role=Role.USER, text=_PROMPT)
        request = self._client.prepare(model, (message,), ChatOptions(max_tokens=1, temperature=0.0))
        async with self._client.chat(request) as events:
            # Let in: this use is ours and does not count; what others begin meanwhile does.
            self._uses += 1
            async for _ in events:
                continue

    async def _unload(self, loaded: tuple[ModelVariant, ...]) -> None:
        self._tell(state=WarmthState.UNLOADING, problem=None)
        gone: list[str] = []
        for model in loaded:
            if self._use.holders:
                break
            try:
                await self._client.unload(model.id)
            except EngineBusy:
                break
            except EngineError as error:
                self._tell(problem=error.message)
            else:
                gone.append(model.id)
            self._uses += 1  # ours, which does not count
        # One that cannot be unloaded is tried again after the same time, not at every look.
        self._used_ns = self._clock_ns()
        self._tell(unloaded=tuple(gone))
        self._back_to_waiting()

    def _tell(
        self,
        *,
        state: WarmthState | None = None,
        warmed: int | None = None,
        last_warm_ns: int | None = None,
        unloaded: tuple[str, ...] | None = None,
        problem: str | None = "",
    ) -> None:
        before = self.warmth.value
        self.warmth.publish(
            replace(
                before,
                state=before.state if state is None else state,
                warmed=before.warmed if warmed is None else warmed,
                last_warm_ns=before.last_warm_ns if last_warm_ns is None else last_warm_ns,
                unloaded=before.unloaded if unloaded is None else unloaded,
                problem=before.problem if problem == "" else problem,
            )
        )

    def _back_to_waiting(self) -> None:
        is_off = self.warmth.value.options.is_off
        self._tell(state=WarmthState.OFF if is_off else WarmthState.WAITING)


def _look_s(options: WarmthOptions) -> float:
    wanted = [seconds for seconds in (options.warm_every_s, options.unload_after_s) if seconds is not None]
    shortest, longest = _LOOK_S
    return min(max(min(wanted) / _LOOKS_PER_INTERVAL, shortest), longest)


def _is_due(after_s: float | None, idle_ns: int) -> bool:
    return after_s is not None and idle_ns >= after_s * _NS_PER_S

"""One benchmark from its first load to its last request."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

from foundry_tui.aio import Feed
from foundry_tui.domain.bench import Order, Phase, RequestRun
from foundry_tui.domain.chat import Outcome
from foundry_tui.ports.machine import Surroundings
from foundry_tui.ports.storage import RunStore
from foundry_tui.services.bench.asking import Asking
from foundry_tui.services.bench.ledger import Ledger
from foundry_tui.services.bench.loading import Loading
from foundry_tui.services.bench.peaks import Peaks
from foundry_tui.services.bench.probes import Probe, before_timing, doubt_of, warm_up
from foundry_tui.services.bench.schedule import Slot
from foundry_tui.services.bench.state import BenchState
from foundry_tui.services.bench.vigil import Vigil
from foundry_tui.services.client import ClientService

__all__ = ["BenchRun"]


class BenchRun:
    """Runs what is left of a plan; the caller holds the engine for it.

    Args:
        client: Started.
        store: Has the run already.
        state: What an earlier life has left, or a new run; published on from here.
        peaks: Reads the engine's memory meanwhile.
        unix_ms: The time of day.
        surroundings: Reads what limits are about; None where nothing of that can be read.
        clock_ns: For limits of time, no reading of a request.
        sleep: Waits that many seconds of the same clock.
    """

    def __init__(
        self,
        client: ClientService,
        store: RunStore,
        state: Feed[BenchState],
        peaks: Peaks,
        *,
        unix_ms: Callable[[], int],
        surroundings: Surroundings | None = None,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._peaks = peaks
        self._ledger = Ledger(store, state)
        self._loading = Loading(client, self._ledger, peaks)
        self._asking = Asking(client, self._ledger, self._loading, peaks, unix_ms=unix_ms)
        self._vigil = Vigil(self._ledger, surroundings, clock_ns=clock_ns, sleep=sleep)
        self._tried_out: set[str] = set()
        self._prompts = {prompt.id: prompt for prompt in self._ledger.plan.prompts}

    @property
    def reason(self) -> str | None:
        """Why it ends before its plan is done; None while it goes on."""
        return self._vigil.reason

    # --- what whoever watches may wish

    def pause(self) -> None:
        """Begin no further request until ``go_on``."""
        self._vigil.pause()

    def go_on(self) -> None:
        """Take a pause back."""
        self._vigil.go_on()

    def skip(self, model: str) -> None:
        """Leave out what is left of that model."""
        self._ledger.publish(skipped=self._ledger.state.skipped | {model})

    def stop_after_request(self) -> None:
        """Begin no further request at all."""
        self._vigil.stop("stopped by the user")

    # --- the run

    async def go(self) -> bool:
        """Do what is left; whether the plan was done to its end, which it is not after a stop.

        Raises:
            EngineUnavailable: The engine is gone and does not come back.
            StorageProblem: A request could not be kept; nothing was made after it.
        """
        plan, ledger = self._ledger.plan, self._ledger
        await ledger.catch_up()
        await self._loading.begin()
        async with self._peaks.reading():
            try:
                if plan.order is Order.BLOCKED:
                    for model in plan.models:
                        await self._prepare([model])
                        await self._ask_all([model])
                        await self._loading.unload([model])
                else:
                    await self._prepare(plan.models)
                    await self._ask_all(plan.models)
                    if self._loading.is_crowded:
                        await self._ask_one_by_one()
            finally:
                await self._loading.unload(plan.models)
        for model in () if ledger.is_rerun else plan.models:
            if ledger.state.model_run(model).outcome is None:
                if model in ledger.state.skipped:
                    await ledger.decide(model, Outcome.SKIPPED, "left out by the user")
                elif ledger.is_done(model):
                    await ledger.decide(model, Outcome.COMPLETED, None)
        return not ledger.state.stops or not any(map(self._has_left, plan.models))

    async def _prepare(self, models: Sequence[str]) -> None:
        for model in models:
            if self._has_left(model) and await self._may_go_on(model):
                await self._loading.load(model)
        for model in models:
            if len(models) > 1 and self._loading.is_crowded:
                return  # each is tried out when it is alone in memory
            if self._loading.variant(model) is not None and self._has_left(model):
                await self._try_out(model)

    async def _ask_one_by_one(self) -> None:
        """Do what is left model by model, for they do not fit into memory together."""
        models = self._ledger.plan.models
        for model in models:
            if self._loading.variant(model) is None or not self._has_left(model):
                continue
            if await self._may_go_on(model):
                await self._loading.unload([other for other in models if other != model])
                is_anew = await self._loading.have(model)
                await self._try_out(model, is_anew=is_anew)
                await self._ask_all([model])

    async def _try_out(self, model: str, *, is_anew: bool = True) -> None:
        """Everything before the first timed request; what fails here is a warning.

        Args:
            model: Loaded.
            is_anew: Whether it was loaded since it was tried out last: only then is it warmed up once more.
        """
        ledger, plan = self._ledger, self._ledger.plan
        if model in self._tried_out and not is_anew:
            return
        self._tried_out.add(model)
        probes = [
            probe
            for probe in before_timing(plan, f"{ledger.state.run.id}/{model}")
            if not ledger.has_probe(model, probe)
        ]
        for probe in (*probes, *warm_up(plan, after=ledger.warm_ups(model))):
            if not await self._may_go_on(model):
                return
            request = await self._ask(model, probe)
            if (doubt := doubt_of(request)) is not None:
                await ledger.warn(model, doubt)

    async def _ask_all(self, models: Sequence[str]) -> None:
        """Make the timed requests of those models, as long as they can be in memory together."""
        plan, ledger = self._ledger.plan, self._ledger
        await self._ask_rounds(models, ledger.rounds)
        rule = plan.precision
        if rule is None or ledger.is_rerun:
            return
        for number in range(plan.rounds + 1, rule.max_rounds + 1):
            if len(models) > 1 and self._loading.is_crowded:
                return
            wide = [
                model
                for model in models
                if ledger.is_wanted(model) and not ledger.latencies(model).precision(rule).is_reached
            ]
            if not wide or self._vigil.passed_s > rule.max_s or ledger.state.stops:
                return
            ledger.plan_further(wide, number)
            await self._ask_rounds(wide, [number])

    async def _ask_rounds(self, models: Sequence[str], rounds: Sequence[int]) -> None:
        plan = self._ledger.plan
        if plan.concurrency == 1:
            for slot in self._ledger.left(models, rounds):
                if len(models) > 1 and self._loading.is_crowded:
                    return
                await self._ask_timed(slot)
            return
        for model in models:  # models never share the machine
            if len(models) > 1 and self._loading.is_crowded:
                return
            own = iter(self._ledger.left([model], rounds))
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(plan.concurrency):
                        group.create_task(self._ask_each(own))
            except ExceptionGroup as failed:
                # What ends one ends all; whoever waits for the run is told the first of them, as it is.
                raise failed.exceptions[0] from None

    async def _ask_each(self, slots: Iterable[Slot]) -> None:
        for slot in slots:  # one iterator for several: each slot is taken once
            await self._ask_timed(slot)

    async def _ask_timed(self, slot: Slot) -> None:
        if not await self._may_go_on(slot.model):
            return
        plan = self._ledger.plan
        probe = Probe(
            phase=Phase.TIMED,
            prompt=self._prompts[slot.prompt_id],
            round=slot.round,
            max_tokens=plan.max_tokens,
            temperature=plan.temperature,
            seed=plan.seed,
        )
        request = await self._ask(slot.model, probe)
        failed = self._ledger.failed(slot.model, at_once=not request.trace.outcome.is_timed)
        if failed is not None and self._ledger.is_wanted(slot.model):
            await self._ledger.decide(slot.model, failed.trace.outcome, failed.trace.error)

    async def _ask(self, model: str, probe: Probe) -> RequestRun:
        """Ask, and once more if memory was short and others could be unloaded: both are kept."""
        rooms = self._loading.rooms
        request = await self._asking.ask(model, probe)
        is_short = request.trace.outcome is Outcome.OUT_OF_MEMORY and self._ledger.is_wanted(model)
        if is_short and await self._loading.make_room(model, request.model_id, since=rooms):
            return await self._asking.ask(model, probe)
        return request

    async def _may_go_on(self, model: str) -> bool:
        """Wait until the next thing may begin; whether it is to be begun for ``model`` at all."""
        if self._ledger.is_wanted(model):
            await self._vigil.passes()
        return self._ledger.is_wanted(model)

    def _has_left(self, model: str) -> bool:
        """Whether requests of it are left, a precision rule's among them, stopped or not."""
        ledger, rule = self._ledger, self._ledger.plan.precision
        if not ledger.is_open(model):
            return False
        if not ledger.is_done(model):
            return True
        if rule is None or ledger.is_rerun or ledger.has_rounds(model, rule.max_rounds):
            return False
        return not ledger.latencies(model).precision(rule).is_reached

"""One benchmark from its first load to its last request."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from foundry_tui.aio import Feed
from foundry_tui.domain.bench import BenchPlan, ModelRun, Order, Phase, PlannedPrompt, RequestRun, Run
from foundry_tui.domain.chat import ChatMessage, ChatOptions, Outcome, Role
from foundry_tui.domain.engine import Capability
from foundry_tui.domain.errors import EngineDied, EngineError, EngineUnavailable, ModelNotFound
from foundry_tui.domain.models import LoadReport, ModelVariant
from foundry_tui.domain.trace import GenerationTrace, TraceBuilder
from foundry_tui.metrics.precision import precision
from foundry_tui.ports.storage import RunStore
from foundry_tui.services.bench.facts import facts_of
from foundry_tui.services.bench.failures import is_runaway, runaway, will_repeat
from foundry_tui.services.bench.peaks import Peaks
from foundry_tui.services.bench.probes import (
    Probe,
    calibration,
    certificate,
    coherence,
    doubt_about,
    warm_up,
)
from foundry_tui.services.bench.schedule import Slot, done_slots, timed_slots
from foundry_tui.services.bench.state import BenchState, Step, UnderWay
from foundry_tui.services.client import ClientService

__all__ = ["BenchRun"]

_NS_PER_S = 1_000_000_000
_COLD = PlannedPrompt(id="cold-start", text="Say yes.")


class BenchRun:
    """Runs what is left of a plan; the caller holds the engine for it.

    Every request is in the store before the state shows it.

    Args:
        client: Started.
        store: Has the run already.
        state: What an earlier life has left, or a new run; published on from here.
        peaks: Reads the engine's memory meanwhile.
        unix_ms: The time of day.
        clock_ns: For the time that is left, no reading of a request.
    """

    def __init__(
        self,
        client: ClientService,
        store: RunStore,
        state: Feed[BenchState],
        peaks: Peaks,
        *,
        unix_ms: Callable[[], int],
        clock_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self._client = client
        self._store = store
        self._feed = state
        self._peaks = peaks
        self._unix_ms = unix_ms
        self._clock_ns = clock_ns
        self._number = max((request.number for request in self._state.requests), default=0)
        self._variants: dict[str, ModelVariant] = {}
        self._loaded_by_us: set[str] = set()
        self._goes_on = asyncio.Event()
        self._goes_on.set()
        self._began_ns = clock_ns()

    # --- what whoever watches may wish

    def pause(self) -> None:
        """Begin no further request until ``go_on``."""
        self._goes_on.clear()
        self._publish(pauses=True)

    def go_on(self) -> None:
        """Take a pause back."""
        self._goes_on.set()
        step = Step.ASKING if self._state.step is Step.PAUSED else self._state.step
        self._publish(step=step, pauses=False)

    def skip(self, model: str) -> None:
        """Leave out what is left of that model."""
        self._publish(skipped=self._state.skipped | {model})

    def stop_after_request(self) -> None:
        """Begin no further request at all."""
        self._publish(stops=True, pauses=False)
        self._goes_on.set()

    # --- the run

    async def go(self) -> bool:
        """Do what is left; whether the plan was done to its end, which it is not after a stop.

        Raises:
            EngineUnavailable: The engine is gone and does not come back.
            StorageProblem: A request could not be kept; nothing was made after it.
        """
        plan = self._plan
        self._publish(planned=len(list(timed_slots(plan, plan.models, range(1, plan.rounds + 1)))))
        before = await self._loaded_ids()
        async with self._peaks.reading():
            try:
                if plan.order is Order.BLOCKED:
                    for model in plan.models:
                        await self._prepare([model], before)
                        await self._ask_all([model])
                        await self._unload([model])
                else:
                    await self._prepare(plan.models, before)
                    await self._ask_all(plan.models)
            finally:
                await self._unload(plan.models)
        for model in plan.models:
            if self._state.model_run(model).outcome is None:
                if model in self._state.skipped:
                    await self._decide(model, Outcome.SKIPPED, "left out by the user")
                elif self._is_done(model):
                    await self._decide(model, Outcome.COMPLETED, None)
        return not self._state.stops

    async def _prepare(self, models: Sequence[str], before: frozenset[str]) -> None:
        for model in models:
            if self._is_wanted(model) and not self._is_done(model):
                await self._load(model, before)
        for model in models:
            if self._is_wanted(model) and not self._is_done(model):
                await self._try_out(model)

    async def _load(self, model: str, before: frozenset[str]) -> None:
        """Find and load it, or say why it is left out."""
        self._publish(step=Step.LOADING, model=model)
        try:
            variant = await self._find(model)
            if self._plan.has_cold_start and variant.id in await self._loaded_ids() and self._can_load():
                await self._client.unload(variant.id)
            report = await self._client.load(variant.id) if self._can_load() else None
        except ModelNotFound as error:
            await self._decide(model, Outcome.SKIPPED, error.message)
            return
        except EngineError as error:
            outcome = Outcome.ENGINE_DIED if isinstance(error, EngineDied) else Outcome.NOT_LOADED
            await self._decide(model, outcome, error.message)
            await self._bring_back(error)
            return
        variant = self._client.find(variant.id)
        self._variants[model] = variant
        if variant.id not in before:
            self._loaded_by_us.add(variant.id)
        await self._put(model, **_of_load(report), model_id=variant.id, facts=facts_of(variant, report))

    async def _try_out(self, model: str) -> None:
        """Everything before the first timed request; what fails here is a warning."""
        made = {request.phase for request in self._state.requests if request.model == model}
        probes: list[Probe] = []
        if self._plan.has_cold_start and Phase.WARMUP not in made:
            probes.append(replace(coherence(), phase=Phase.WARMUP, prompt=_COLD, max_tokens=8))
        if Phase.PROBE not in made:
            probes.append(coherence())
        if Phase.CALIBRATION not in made:
            probes += calibration(f"{self._state.run.id}/{model}")
        if self._plan.is_deterministic and Phase.CERTIFICATE not in made:
            probes += certificate()
        for probe in (*probes, *warm_up(self._plan)):
            await self._wait_out_a_pause()
            if not self._is_wanted(model):
                return
            request = await self._ask(model, probe)
            if request is None:
                return
            await self._note_doubt(model, request)

    async def _ask_all(self, models: Sequence[str]) -> None:
        rule, plan = self._plan.precision, self._plan
        await self._ask_rounds(models, range(1, plan.rounds + 1))
        if rule is None:
            return
        for number in range(plan.rounds + 1, rule.max_rounds + 1):
            wide = [model for model in models if self._is_wanted(model) and not self._is_precise(model)]
            is_late = (self._clock_ns() - self._began_ns) / _NS_PER_S > rule.max_s
            if not wide or is_late or self._state.stops:
                return
            self._publish(planned=self._state.planned + len(wide) * len(plan.prompts))
            await self._ask_rounds(wide, [number])

    async def _ask_rounds(self, models: Sequence[str], rounds: Iterable[int]) -> None:
        made = done_slots(self._state.requests)
        slots = (slot for slot in timed_slots(self._plan, models, rounds) if slot not in made)
        if self._plan.concurrency == 1:
            for slot in slots:
                await self._ask_timed(slot)
            return
        for model in models:  # models never share the machine
            own = iter([slot for slot in timed_slots(self._plan, [model], rounds) if slot not in made])
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(self._plan.concurrency):
                        group.create_task(self._ask_each(own))
            except ExceptionGroup as failed:
                # What ends one ends all; whoever waits for the run is told the first of them, as it is.
                raise failed.exceptions[0] from None

    async def _ask_each(self, slots: Iterable[Slot]) -> None:
        for slot in slots:  # one iterator for several: each slot is taken once
            await self._ask_timed(slot)

    async def _ask_timed(self, slot: Slot) -> None:
        await self._wait_out_a_pause()
        if self._state.stops or not self._is_wanted(slot.model):
            return
        prompt = next(prompt for prompt in self._plan.prompts if prompt.id == slot.prompt_id)
        probe = Probe(
            phase=Phase.TIMED,
            prompt=prompt,
            round=slot.round,
            max_tokens=self._plan.max_tokens,
            temperature=self._plan.temperature,
            seed=self._plan.seed,
        )
        if await self._ask(slot.model, probe) is None:
            return
        failed = will_repeat(self._timed_of(slot.model))
        if failed is not None and self._is_wanted(slot.model):
            await self._decide(slot.model, failed.trace.outcome, failed.trace.error)

    async def _wait_out_a_pause(self) -> None:
        if not self._goes_on.is_set():
            self._publish(step=Step.PAUSED)
            await self._goes_on.wait()

    async def _ask(self, model: str, probe: Probe, *, is_again: bool = False) -> RequestRun | None:
        """Make one request and keep it; None if the engine could not be brought back for it."""
        variant = self._variants[model]
        options = ChatOptions(
            system_prompt=probe.prompt.system,
            max_tokens=probe.max_tokens,
            temperature=probe.temperature,
            seed=probe.seed,
            timeouts=self._plan.timeouts,
        )
        message = ChatMessage(role=Role.USER, text=probe.prompt.text)
        chat = self._client.prepare(variant, (message,), options)
        builder, at_unix_ms = TraceBuilder(), self._unix_ms()
        self._number += 1
        number = self._number
        error: EngineError | None = None
        with self._peaks.window() as peak:
            async with self._shown(model, probe, builder):
                try:
                    async with self._client.chat(chat) as events:
                        async for event in events:
                            builder.observe(event)
                            if is_runaway(len(builder.chunks), chat.max_tokens):
                                raise runaway(chat.max_tokens)
                    trace = builder.finish()
                except EngineError as caught:
                    error, trace = caught, builder.failed(caught)
        if isinstance(error, EngineUnavailable) and trace.sent_ns is None and not is_again:
            await self._bring_back(error)  # nobody was asked, so there is nothing to keep
            return await self._ask(model, probe, is_again=True)
        request = RequestRun(
            number=number,
            model=model,
            model_id=variant.id,
            prompt_id=probe.prompt.id,
            round=probe.round,
            phase=probe.phase,
            at_unix_ms=at_unix_ms,
            trace=trace,
            peak_rss_bytes=peak.rss_bytes,
            peak_vram_bytes=peak.vram_bytes,
        )
        await self._keep(request)
        if error is not None:
            await self._bring_back(error)
        return request

    @asynccontextmanager
    async def _shown(self, model: str, probe: Probe, builder: TraceBuilder) -> AsyncIterator[None]:
        mine = UnderWay(
            model=model, prompt_id=probe.prompt.id, round=probe.round, phase=probe.phase, trace=builder
        )
        self._publish(step=Step.ASKING, model=model, under_way=(*self._state.under_way, mine))
        try:
            yield
        finally:
            others = tuple(one for one in self._state.under_way if one is not mine)
            self._publish(under_way=others)

    async def _keep(self, request: RequestRun) -> None:
        # It was measured: a stop that comes now does not throw it away.
        await _to_its_end(self._store.add_request(self._state.run.id, request))
        self._publish(requests=(*self._state.requests, request), eta_s=self._eta_s(request))

    async def _note_doubt(self, model: str, request: RequestRun) -> None:
        trace, phase = request.trace, request.phase
        doubt: str | None = None
        if not trace.outcome.is_timed:
            doubt = f"{phase.value}: {trace.outcome.value}" + (f": {trace.error}" if trace.error else "")
        elif phase is Phase.PROBE:
            doubt = doubt_about(trace.text)
        if doubt is not None:
            await self._put(model, warnings=(*self._state.model_run(model).warnings, doubt))

    async def _bring_back(self, error: EngineError) -> None:
        """Have the engine again that a model took down with it, and in it what was loaded."""
        if isinstance(error, EngineDied | EngineUnavailable):
            self._publish(step=Step.LOADING, model=None)
            await self._client.restart()

    async def _unload(self, models: Sequence[str]) -> None:
        if not self._plan.unloads or not self._can_load():
            return
        for model in models:
            variant = self._variants.get(model)
            if variant is None or variant.id not in self._loaded_by_us:
                continue
            self._loaded_by_us.discard(variant.id)
            self._publish(step=Step.UNLOADING, model=model)
            with suppress(EngineError):  # it stays in memory, and the catalog shows that
                await self._client.unload(variant.id)
                await self._put(model, rss_after_bytes=await self._peaks.rss_bytes())

    # --- what is known

    @property
    def _state(self) -> BenchState:
        return self._feed.value

    @property
    def _plan(self) -> BenchPlan:
        return self._state.run.plan

    def _publish(self, **changes: object) -> None:
        self._feed.publish(replace(self._state, **changes))  # type: ignore[arg-type]  # checked at run time

    def _timed_of(self, model: str) -> list[RequestRun]:
        requests = self._state.requests
        return [one for one in requests if one.model == model and one.phase is Phase.TIMED]

    def _is_wanted(self, model: str) -> bool:
        decided = self._state.model_run(model).outcome not in (None, Outcome.COMPLETED)
        return not decided and model not in self._state.skipped and not self._state.stops

    def _is_done(self, model: str) -> bool:
        made = done_slots(self._state.requests)
        return all(slot in made for slot in timed_slots(self._plan, [model], range(1, self._plan.rounds + 1)))

    def _is_precise(self, model: str) -> bool:
        rule = self._plan.precision
        return rule is not None and precision(self._timed_of(model), rule).is_reached

    def _can_load(self) -> bool:
        info = self._client.engine_info
        return info is not None and info.can(Capability.LOAD)

    def _eta_s(self, newest: RequestRun) -> float | None:
        """Timed requests that are left of each model, by how long its own took so far."""
        requests = (*self._state.requests, newest)
        spans: dict[str, list[float]] = {}
        for request in requests:
            if request.phase is Phase.TIMED and (span_s := _span_s(request.trace)) is not None:
                spans.setdefault(request.model, []).append(span_s)
        every = [span for own in spans.values() for span in own]
        if not every:
            return None
        left_s = 0.0
        made = done_slots(requests)
        for model in self._plan.models:
            if self._is_wanted(model):
                slots = timed_slots(self._plan, [model], range(1, self._plan.rounds + 1))
                own = spans.get(model, every)
                left_s += sum(slot not in made for slot in slots) * sum(own) / len(own)
        return left_s / self._plan.concurrency

    async def _find(self, model: str) -> ModelVariant:
        if self._client.catalog.value.find(model) is None:
            await self._client.refresh()
        return self._client.find(model)

    async def _loaded_ids(self) -> frozenset[str]:
        snapshot = await self._client.refresh(public=False)
        return frozenset(model.id for model in snapshot.models if model.is_loaded)

    async def _decide(self, model: str, outcome: Outcome, reason: str | None) -> None:
        await self._put(model, outcome=outcome, reason=reason)

    async def _put(self, model: str, **changes: object) -> None:
        """Keep what is known of a model by now, then show it."""
        changed = replace(self._state.model_run(model), **changes)  # type: ignore[arg-type]  # as above
        await _to_its_end(self._store.put_model(self._state.run.id, changed))
        self._publish(run=_with_model(self._state.run, changed))


def _with_model(run: Run, changed: ModelRun) -> Run:
    return replace(
        run, models=tuple(changed if model.model == changed.model else model for model in run.models)
    )


def _of_load(report: LoadReport | None) -> dict[str, object]:
    if report is None or report.was_loaded:
        return {}
    return {
        "load_ns": report.load_ns,
        "rss_before_bytes": report.rss_before_bytes,
        "rss_loaded_bytes": report.rss_after_bytes,
    }


def _span_s(trace: GenerationTrace) -> float | None:
    if trace.sent_ns is None or trace.end_ns is None:
        return None
    return (trace.end_ns - trace.sent_ns) / _NS_PER_S


async def _to_its_end(work: Awaitable[None]) -> None:
    """Wait for ``work`` even if one is cancelled meanwhile, and be cancelled then."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        task.result()
        raise

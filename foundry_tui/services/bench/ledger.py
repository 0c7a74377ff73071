"""What is known of a run by now: kept in the store first, then counted and shown."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace

from foundry_tui.aio import Feed
from foundry_tui.domain.bench import BenchPlan, ModelRun, Phase, RequestRun, Run
from foundry_tui.domain.bench_reruns import Rerun
from foundry_tui.domain.chat import Outcome
from foundry_tui.metrics.precision import Latencies
from foundry_tui.ports.storage import RunStore
from foundry_tui.services.bench.failures import Streak
from foundry_tui.services.bench.kept import Kept
from foundry_tui.services.bench.probes import COLD_START, Probe, doubt_of
from foundry_tui.services.bench.schedule import Slot, timed_slots
from foundry_tui.services.bench.state import BenchState

__all__ = ["Ledger"]

_NS_PER_S = 1_000_000_000


class Ledger:
    """Keeps, counts and publishes; what a request costs here does not grow with how many there were.

    Args:
        store: Has the run already.
        feed: What an earlier life has left, or a new run; published on from here.
    """

    def __init__(self, store: RunStore, feed: Feed[BenchState]) -> None:
        self._store = store
        self._feed = feed
        self._models: defaultdict[str, _OfModel] = defaultdict(_OfModel)
        self._number = 0
        self._made_probes: set[tuple[str, Phase, str, int]] = set()
        self._rerun = self.state.run.reruns[-1] if self.state.run.reruns else None
        self._again = {} if self._rerun is None else _slots_of(self._rerun, self.plan)
        self._given_up: set[str] = set()
        self._further: set[tuple[str, int]] = set()
        self._spans_s, self._spans = 0.0, 0
        for request in self.state.requests:
            self._count(request)
        self.publish(requests=Kept(self.state.requests), planned=self._planned())

    @property
    def state(self) -> BenchState:
        """The newest."""
        return self._feed.value

    @property
    def plan(self) -> BenchPlan:
        """What is to be done."""
        return self.state.run.plan

    @property
    def attempt(self) -> int:
        """What the requests of this life carry: above 1 while marked rounds are measured again."""
        return 1 if self._rerun is None else self._rerun.attempt

    @property
    def is_rerun(self) -> bool:
        """Whether marked rounds are measured again, so that all else of the run stays as it is."""
        return self._rerun is not None

    @property
    def rounds(self) -> Sequence[int]:
        """Rounds that are to be asked from the beginning, of one model or another."""
        if self._rerun is None:
            return range(1, self.plan.rounds + 1)
        return sorted({one.round for one in self._rerun.rounds})

    def publish(self, **changes: object) -> None:
        """Show a state that differs in ``changes``."""
        self._feed.publish(replace(self.state, **changes))  # type: ignore[arg-type]  # checked at run time

    async def until(self, holds: Callable[[BenchState], bool]) -> None:
        """Wait for a state in which something holds."""
        async with aclosing(self._feed.watch()) as states:
            async for state in states:
                if holds(state):
                    return

    # --- what is written

    def next_number(self) -> int:
        """A number for a request that is begun; none is given twice, in any life of the run."""
        self._number += 1
        return self._number

    async def keep(self, request: RequestRun) -> None:
        """Write a request that was made, even if one is stopped meanwhile; then show it."""
        await _to_its_end(self._store.add_request(self.state.run.id, request))
        self._count(request)
        requests = self.state.requests
        grown = requests.and_then(request) if isinstance(requests, Kept) else Kept([*requests, request])
        self.publish(requests=grown, eta_s=self._eta_s())

    async def put(self, model: str, **changes: object) -> None:
        """Write what is known of a model by now, then show it."""
        changed = replace(self.state.model_run(model), **changes)  # type: ignore[arg-type]  # as above
        await _to_its_end(self._store.put_model(self.state.run.id, changed))
        self.publish(run=_with_model(self.state.run, changed))

    async def decide(self, model: str, outcome: Outcome, reason: str | None) -> None:
        """Write what became of a model; but for COMPLETED it is asked no more.

        While marked rounds are measured again that was decided before: only a warning tells of it.
        """
        if self._rerun is None:
            await self.put(model, outcome=outcome, reason=reason)
            return
        self._given_up.add(model)
        words, why = outcome.words, f": {reason}" if reason else ""
        await self.warn(model, f"its marked rounds could not all be measured again, {words}{why}")

    async def warn(self, model: str, warning: str) -> None:
        """Write what speaks against a model's numbers, once."""
        known = self.state.model_run(model).warnings
        if warning not in known:
            await self.put(model, warnings=(*known, warning))

    async def catch_up(self) -> None:
        """Write what an earlier life has seen and could not write any more."""
        for request in self.state.requests:
            if (doubt := doubt_of(request)) is not None:
                await self.warn(request.model, doubt)
        for model in self.plan.models:
            failed = self.failed(model, at_once=False)
            if failed is not None and self.is_wanted(model):
                await self.decide(model, failed.trace.outcome, failed.trace.error)

    # --- what is asked of it

    def is_open(self, model: str) -> bool:
        """Whether it was not left out, by itself or by the user."""
        decided = self.state.model_run(model).outcome not in (None, Outcome.COMPLETED)
        return not decided and model not in self.state.skipped and model not in self._given_up

    def is_wanted(self, model: str) -> bool:
        """Whether requests of it are to be made now, if there are any left."""
        return self.is_open(model) and not self.state.stops

    def is_done(self, model: str) -> bool:
        """Whether every timed request that is to be made from the beginning was made."""
        if self._rerun is not None:
            return self._again.get(model, frozenset()) <= self._models[model].made
        return self._models[model].made_planned >= self._planned_each()

    def has_rounds(self, model: str, rounds: int) -> bool:
        """Whether as many timed requests of it were made as ``rounds`` have."""
        return len(self._models[model].made) >= rounds * len(self.plan.prompts)

    def is_left(self, slot: Slot) -> bool:
        """Whether that timed request is to be made, and was not, well or badly."""
        if self._rerun is not None and slot not in self._again.get(slot.model, frozenset()):
            return False
        return slot not in self._models[slot.model].made

    def has_probe(self, model: str, probe: Probe) -> bool:
        """Whether that request before the timed ones was made, well or badly."""
        return (model, probe.phase, probe.prompt.id, probe.round) in self._made_probes

    def warm_ups(self, model: str) -> int:
        """The highest round of its warm-up; 0 before the first."""
        return self._models[model].warm_ups

    def left(self, models: Iterable[str], rounds: Sequence[int]) -> Iterable[Slot]:
        """The timed requests of ``rounds`` that are left, in the order of the plan; looked up as one goes."""
        slots = timed_slots(self.plan, tuple(models), rounds)
        return (slot for slot in slots if self.is_left(slot))

    def plan_further(self, models: Iterable[str], number: int) -> None:
        """Count a round that a precision rule adds for those models."""
        for model in models:
            self._add_further(model, number)
        self.publish(planned=self._planned())

    def latencies(self, model: str) -> Latencies:
        """What is known of its latency."""
        return self._models[model].latencies

    def failed(self, model: str, *, at_once: bool = True) -> RequestRun | None:
        """The failure for which it is left out; None if it may go on."""
        return self._models[model].streak.will_repeat(at_once=at_once)

    def _count(self, request: RequestRun) -> None:
        self._number = max(self._number, request.number)
        if request.trace.outcome is Outcome.CANCELLED:
            return  # stopped in the middle, so not made
        known = self._models[request.model]
        if request.phase is not Phase.TIMED:
            self._made_probes.add((request.model, request.phase, request.prompt_id, request.round))
            if request.phase is Phase.WARMUP and request.prompt_id != COLD_START:
                known.warm_ups = max(known.warm_ups, request.round)
            return
        if request.round > self.plan.rounds:
            self._add_further(request.model, request.round)
        if request.attempt == self.attempt:
            self._count_made(known, request)
        trace = request.trace
        if trace.sent_ns is not None and trace.end_ns is not None:
            span_s = (trace.end_ns - trace.sent_ns) / _NS_PER_S
            known.spans_s, known.spans = known.spans_s + span_s, known.spans + 1
            self._spans_s, self._spans = self._spans_s + span_s, self._spans + 1

    def _count_made(self, known: "_OfModel", request: RequestRun) -> None:
        """Count one that is of what is done now: of an earlier attempt nothing is left, nor does it fail."""
        slot = Slot(model=request.model, prompt_id=request.prompt_id, round=request.round)
        if slot not in known.made:
            known.made.add(slot)
            known.made_planned += request.round <= self.plan.rounds
        known.streak.take(request, begun=max(self._number, request.number + self.plan.concurrency - 1))
        known.latencies.take(request)

    def _add_further(self, model: str, number: int) -> None:
        if (model, number) not in self._further:
            self._further.add((model, number))
            self._models[model].further += 1

    def _planned_each(self) -> int:
        return len(self.plan.prompts) * self.plan.rounds

    def _planned(self) -> int:
        again = sum(len(rerun.rounds) for rerun in self.state.run.reruns)
        prompts = len(self.plan.prompts)
        return len(self.plan.models) * self._planned_each() + (len(self._further) + again) * prompts

    def _eta_s(self) -> float | None:
        """Timed requests that are left of each model, by how long its own took so far."""
        if not self._spans:
            return None
        every_s = self._spans_s / self._spans
        left_s = 0.0
        for model in self.plan.models:
            if self.is_wanted(model):
                known = self._models[model]
                planned = self._planned_each() + known.further * len(self.plan.prompts)
                if self._rerun is not None:
                    planned = len(self._again.get(model, ()))
                left = max(0, planned - len(known.made))
                left_s += left * (known.spans_s / known.spans if known.spans else every_s)
        return left_s / self.plan.concurrency


class _OfModel:
    """What is counted of one model; ``further`` are rounds that a precision rule added."""

    def __init__(self) -> None:
        self.made: set[Slot] = set()
        self.made_planned = 0
        self.further = 0
        self.warm_ups = 0
        self.spans_s, self.spans = 0.0, 0
        self.streak = Streak()
        self.latencies = Latencies()


def _slots_of(rerun: Rerun, plan: BenchPlan) -> dict[str, frozenset[Slot]]:
    """What is to be asked again, by model."""
    return {
        model: frozenset(
            Slot(model=model, prompt_id=prompt.id, round=one.round)
            for one in rerun.rounds_of(model)
            for prompt in plan.prompts
        )
        for model in plan.models
    }


def _with_model(run: Run, changed: ModelRun) -> Run:
    return replace(
        run, models=tuple(changed if model.model == changed.model else model for model in run.models)
    )


async def _to_its_end(work: Awaitable[None]) -> None:
    """Wait for ``work`` even if one is cancelled meanwhile, and be cancelled then."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        task.result()
        raise

"""What is to be expected of models before they are measured, from what this machine has measured before."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from foundry_tui.domain.bench import BenchPlan, ModelRun, RequestRun, Run
from foundry_tui.domain.engine import Capability, EngineInfo
from foundry_tui.domain.models import Device, LoadReport, ModelVariant
from foundry_tui.domain.predictions import MemoryPrediction, ModelPrediction, NoSpeed, SpeedPrediction
from foundry_tui.metrics.fit import Fit
from foundry_tui.metrics.prediction import (
    MeasuredSpeed,
    SpeedError,
    SpeedQuery,
    measured_speed,
    predicted_speed,
    processor_of,
    speed_error,
)
from foundry_tui.ports.storage import RunStore
from foundry_tui.services.client import ClientService

__all__ = ["RUNTIME", "Predictor", "Speeds", "prediction_of"]

RUNTIME = "foundry-local-sdk"
"""What a run's environment calls the version of the runtime."""

_NEWEST_RUNS = 40
"""Further back is not looked: what was measured so long ago was another machine, or another state of it."""
_MOST_REQUESTS = 2_000
"""A longer run takes too long to be read for an expectation."""
_MOST_READ = 4_000
_SAME = ("engine", "machine", "cpu", "threads", "power")
_SAME_FOR_GPUS = ("gpu",)
"""What an earlier run must have been made with, as far as both sides know it."""


class Speeds:
    """What earlier runs measured of each model; what was read of a run is not read again.

    Args:
        store: Where runs are kept.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._read: dict[tuple[str, int], tuple[Run, tuple[MeasuredSpeed, ...]]] = {}

    async def measured(self, here: Mapping[str, str]) -> tuple[MeasuredSpeed, ...]:
        """All of this machine, the newest runs first.

        Args:
            here: The environment as it is now: what another machine measured, or this one on battery, tells
                nothing.

        Raises:
            StorageProblem: Earlier runs cannot be read.
        """
        found: list[MeasuredSpeed] = []
        known: dict[tuple[str, int], tuple[Run, tuple[MeasuredSpeed, ...]]] = {}
        taken = 0
        for summary in await self._store.runs(limit=_NEWEST_RUNS):
            key = (summary.id, summary.requests)
            if not 0 < summary.requests <= _MOST_REQUESTS:
                continue
            taken += summary.requests
            if taken > _MOST_READ:
                break
            kept = self._read.get(key)
            if kept is None:
                run = await self._store.run(summary.id)
                if run is None:
                    continue
                speeds: tuple[MeasuredSpeed, ...] = ()
                if run.plan.concurrency == 1:
                    requests = await self._store.requests(run.id)
                    speeds = await asyncio.to_thread(_speeds_of, run, requests)
                kept = (run, speeds)
            known[key] = kept
            run, speeds = kept
            found += [one for one in speeds if _is_of_here(run, here, one)]
        self._read = known
        return tuple(found)


class Predictor:
    """Says what is to be expected of models, and fixes it for a run that begins.

    Args:
        client: Which models there are, what runs them, and what they need of memory.
        store: Where earlier runs are kept.
        machine: What of a run's environment is the machine's; blocks for some milliseconds.
        unix_ms: The time of day.
    """

    def __init__(
        self,
        client: ClientService,
        store: RunStore,
        *,
        machine: Callable[[], tuple[tuple[str, str], ...]],
        unix_ms: Callable[[], int],
    ) -> None:
        self._client = client
        self._speeds = Speeds(store)
        self._machine = machine
        self._unix_ms = unix_ms

    async def of(
        self, models: Sequence[ModelVariant | None], *, plan: BenchPlan | None = None
    ) -> tuple[ModelPrediction, ...]:
        """What is to be expected of each, in the same order.

        Args:
            models: Exact variants; None where a name fits none.
            plan: For which run; None where it is for one request at a time.

        Raises:
            StorageProblem: Earlier runs cannot be read.
        """
        client, info = self._client, self._client.engine_info
        engine = () if info is None else (("engine", info.kind.value),)
        here = dict((*engine, *await asyncio.to_thread(self._machine)))
        measured = await self._speeds.measured(here)
        is_ours = info is None or info.can(Capability.MEMORY)
        known = [model for model in models if model is not None]
        needs = await client.memory.weigh_all(known) if is_ours else {}
        return tuple(
            prediction_of(
                model,
                measured,
                info=info,
                report=None if model is None else client.load_reports.get(model.id),
                need=None if model is None else needs.get(model.id),
                made_unix_ms=self._unix_ms(),
                plan=plan,
            )
            for model in models
        )

    async def begun(self, plan: BenchPlan) -> tuple[ModelRun, ...]:
        """The models of a run that begins, each with what is expected of it.

        Raises:
            StorageProblem: As ``of``.
        """
        snapshot = self._client.catalog.value
        made = await self.of([snapshot.find(name) for name in plan.models], plan=plan)
        pairs = zip(plan.models, made, strict=True)
        return tuple(ModelRun(model=name, prediction=prediction) for name, prediction in pairs)


def prediction_of(
    model: ModelVariant | None,
    measured: Sequence[MeasuredSpeed],
    *,
    info: EngineInfo | None,
    report: LoadReport | None,
    need: Fit | None,
    made_unix_ms: int,
    plan: BenchPlan | None = None,
) -> ModelPrediction:
    """What is to be expected of one model now.

    Args:
        model: The exact variant; None where the name fits none.
        measured: On this machine before.
        info: What the engine said of itself; None while it is not up.
        report: Of the last load of that model, which tells what runs it.
        need: What it is taken to need of memory; None where nobody weighs.
        made_unix_ms: The time of day.
        plan: For which run; None where it is for one request at a time.
    """
    if model is None:
        return ModelPrediction(model_id=None, made_unix_ms=made_unix_ms, no_speed=NoSpeed.NOT_FOUND)
    query = _query(model, info, report)
    found: SpeedPrediction | NoSpeed
    if info is not None and not info.can(Capability.MEMORY):
        found = NoSpeed.ELSEWHERE
    elif plan is not None and plan.concurrency > 1:
        found = NoSpeed.CONCURRENT
    else:
        found = predicted_speed(query, measured)
    if isinstance(found, NoSpeed):
        speed, no_speed, error = None, found, SpeedError()
    else:
        speed, no_speed, error = found, None, speed_error(measured, found.basis, query.processor)
    return ModelPrediction(
        model_id=model.id,
        made_unix_ms=made_unix_ms,
        speed=speed,
        no_speed=no_speed,
        speed_error_share=error.median_share,
        checked_speeds=error.checked,
        memory=_memory(need),
    )


def _query(model: ModelVariant, info: EngineInfo | None, report: LoadReport | None) -> SpeedQuery:
    told = ", ".join(report.execution_providers) if report is not None else ""
    provider = told or model.execution_provider
    device = None if model.device is None else model.device.value
    return SpeedQuery(
        model_id=model.id,
        processor=processor_of(device, provider),
        provider_name=provider or ("" if device is None else device.upper()),
        weights_bytes=model.disk_bytes or model.size_bytes,
        runtime=None if info is None else dict(info.versions).get(RUNTIME),
    )


def _memory(need: Fit | None) -> MemoryPrediction | None:
    if need is None or need.load_bytes is None:
        return None
    return MemoryPrediction(
        kind=need.memory,
        load_bytes=need.load_bytes,
        loads=need.loads,
        is_assumed=not need.loads,
        worst_error_share=None if need.error is None else need.error.worst_share,
        checked_loads=0 if need.error is None else need.error.loads,
    )


def _speeds_of(run: Run, requests: Sequence[RequestRun]) -> tuple[MeasuredSpeed, ...]:
    runtime = dict(run.environment).get(RUNTIME)
    found = [
        measured_speed(
            model,
            [request for request in requests if request.model == model.model],
            run_id=run.id,
            at_unix_ms=run.started_unix_ms,
            runtime=runtime,
        )
        for model in run.models
    ]
    return tuple(one for one in found if one is not None)


def _is_of_here(run: Run, here: Mapping[str, str], one: MeasuredSpeed) -> bool:
    there = dict(run.environment)
    device = None if one.processor is None else one.processor[0]
    names = (*_SAME, *_SAME_FOR_GPUS) if device == Device.GPU.value else _SAME
    return all(there[name] == here[name] for name in names if name in there and name in here)

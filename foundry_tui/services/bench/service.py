"""Benchmarks for everybody who wants one: one at a time, begun, watched, stopped, resumed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from foundry_tui.aio import Feed, Tasks
from foundry_tui.domain.bench import (
    BenchPlan,
    RequestRun,
    ResourceReading,
    Run,
    RunLimits,
    RunStatus,
)
from foundry_tui.domain.bench_reruns import RoundAgain
from foundry_tui.domain.engine import EndpointKind, EngineInfo
from foundry_tui.domain.errors import BadInput, FoundryTuiError
from foundry_tui.domain.models import ModelVariant
from foundry_tui.ports.machine import Surroundings
from foundry_tui.ports.storage import RunStore
from foundry_tui.services.bench.estimate import Estimate, estimated_s
from foundry_tui.services.bench.peaks import Peaks
from foundry_tui.services.bench.prediction import Predictor
from foundry_tui.services.bench.rerun import marked_in, next_rerun, require_same
from foundry_tui.services.bench.resource_log import earlier_resources, kept_resources
from foundry_tui.services.bench.run import BenchRun
from foundry_tui.services.bench.state import BenchState, Step
from foundry_tui.services.client import ClientService

__all__ = ["Benchmarks"]

_STOPPED = "stopped by the user, or with the program"


class Benchmarks:
    """Runs a plan in the background; whoever looks at ``state`` sees how far it is.

    A run belongs to no screen: it goes on when its pane is left, and ends with the program.

    Args:
        client: The one shared client.
        store: Where runs are kept.
        peaks: Reads the engine's memory while one runs.
        environment: What is known of machine and software, as name and value; may take a moment.
        new_id: Makes the ids of runs.
        unix_ms: The time of day.
        surroundings: Reads what limits of a run are about; None where nothing of that can be read.
        machine: What of the environment is the machine's; blocks for some milliseconds.
    """

    def __init__(
        self,
        client: ClientService,
        store: RunStore,
        peaks: Peaks,
        *,
        environment: Callable[[EngineInfo], Awaitable[tuple[tuple[str, str], ...]]],
        new_id: Callable[[], str],
        unix_ms: Callable[[], int],
        surroundings: Surroundings | None = None,
        machine: Callable[[], tuple[tuple[str, str], ...]] = tuple,
    ) -> None:
        self._client = client
        self._store = store
        self._peaks = peaks
        self._environment = environment
        self._new_id = new_id
        self._unix_ms = unix_ms
        self._surroundings = surroundings
        self._machine = machine
        self._tasks = Tasks()
        self.predictions = Predictor(client, store, machine=machine, unix_ms=unix_ms)
        self._task: asyncio.Task[None] | None = None
        self._active: BenchRun | None = None
        self.state: Feed[BenchState | None] = Feed(None)
        self.resources: list[ResourceReading] = []
        """What was read of the machine over the run of ``state``, in all its lives: only added to, and
        another list for another run or life."""

    @property
    def store(self) -> RunStore:
        """All runs that were kept."""
        return self._store

    @property
    def is_running(self) -> bool:
        """Whether one is under way."""
        return self._task is not None and not self._task.done()

    async def begin(self, plan: BenchPlan) -> str:
        """Begin a new run; its id.

        Raises:
            EngineBusy: Somebody uses the engine, or another benchmark runs here or in another process.
            EngineError: The engine cannot be used.
            StorageProblem: Nothing could be kept of it, so nothing was begun.
        """
        self._require_free()
        info = await self._client.start()
        run = Run(
            id=self._new_id(),
            name=plan.name,
            plan=plan,
            status=RunStatus.RUNNING,
            started_unix_ms=self._unix_ms(),
            environment=await self._environment(info),
            path="managed" if info.kind is EndpointKind.MANAGED else "endpoint",
            models=await self.predictions.begun(plan),
        )
        return await self._enter(BenchState(run=run), lambda: self._store.create_run(run))

    async def resume(self, run_id: str, *, limits: RunLimits | None = None) -> str:
        """Do what is left of a run that was stopped or died; its id.

        Args:
            run_id: Of a run that is not complete.
            limits: Instead of those of its plan, for this life of it; None leaves them.

        Raises:
            BadInput: There is no such run, or nothing is left of it.
            EngineBusy: As ``begin``.
            EngineError: As ``begin``.
            StorageProblem: As ``begin``.
        """
        self._require_free()
        run = await self._existing(run_id)
        if run.status is RunStatus.COMPLETED:
            raise BadInput(f"run {run_id} is complete: nothing is left of it", remedy="begin a new one")
        requests = await self._store.requests(run_id)
        info = await self._client.start()
        if run.reruns:
            await require_same(run, run.reruns[-1], self._client, info, self._machine)
        state = BenchState(run=_under_way(run, limits), requests=requests)
        return await self._enter(
            state, lambda: self._store.end_run(run_id, RunStatus.RUNNING, at_unix_ms=None)
        )

    async def marked_rounds(self, run: Run, requests: Sequence[RequestRun]) -> tuple[RoundAgain, ...]:
        """Rounds that ``measure_again`` would measure: under other conditions, or slower than the others."""
        if run.status is not RunStatus.COMPLETED:
            return ()
        return await asyncio.to_thread(marked_in, run, requests)

    async def measure_again(self, run_id: str, *, limits: RunLimits | None = None) -> str:
        """Measure the marked rounds of a complete run again, in that run, and nothing else; its id.

        Models are loaded and warmed up as in a resumed run.  What was measured first is kept, and stands
        where the same is not answered again.  It is stopped and resumed as any run.

        Args:
            run_id: Of a run that is complete.
            limits: As of ``resume``.

        Raises:
            BadInput: There is no such run, none of its rounds is marked, or engine, machine or models are not
                those of the record; nothing was changed.
            EngineBusy: As ``begin``.
            EngineError: As ``begin``.
            StorageProblem: As ``begin``.
        """
        self._require_free()
        run = await self._existing(run_id)
        requests = await self._store.requests(run_id)
        rerun = await next_rerun(run, requests, at_unix_ms=self._unix_ms())
        info = await self._client.start()
        await require_same(run, rerun, self._client, info, self._machine)
        again = replace(_under_way(run, limits), reruns=(*run.reruns, rerun))
        state = BenchState(run=again, requests=requests)
        return await self._enter(state, lambda: self._store.begin_rerun(run_id, rerun))

    async def estimated_s(self, plan: BenchPlan, variants: Sequence[ModelVariant | None]) -> Estimate | None:
        """How long ``plan`` will take, by what was measured here with such an engine; None if nothing was.

        Args:
            plan: What is to be measured.
            variants: The exact variant of each of its models, in its order; None where the name fits none.

        Raises:
            StorageProblem: Earlier runs cannot be read.
        """
        info = self._client.engine_info
        engine = () if info is None else (("engine", info.kind.value),)
        here = (*engine, *await asyncio.to_thread(self._machine))
        return await estimated_s(self._store, plan, variants, here=here)

    async def finished(self) -> BenchState:
        """Wait for the end of the run under way; its last state.

        Raises:
            FoundryTuiError: The engine or the disk ended it; what was measured before is kept.
        """
        if self._task is not None:
            await asyncio.wait([self._task])
        state = self.state.value
        assert state is not None
        if state.problem is not None:
            raise state.problem
        return state

    def pause(self) -> None:
        """Begin no further request until ``go_on``."""
        if self._active is not None:
            self._active.pause()

    def go_on(self) -> None:
        """Take a pause back."""
        if self._active is not None:
            self._active.go_on()

    def skip(self, model: str) -> None:
        """Leave out what is left of that model."""
        if self._active is not None:
            self._active.skip(model)

    def stop_after_request(self) -> None:
        """End the run when the request under way is answered; it can be resumed."""
        if self._active is not None:
            self._active.stop_after_request()

    async def stop(self) -> None:
        """End the run now; the request under way is not kept, and made again when it is resumed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def aclose(self) -> None:
        """Stop what runs, and leave it to be resumed."""
        await self.stop()
        await self._tasks.aclose()

    def _require_free(self) -> None:
        if self.is_running:
            raise BadInput("a benchmark is under way", remedy="wait until it ends, or stop it")

    async def _existing(self, run_id: str) -> Run:
        run = await self._store.run(run_id)
        if run is None:
            raise BadInput(f"there is no run {run_id}", remedy="foundry-tui runs list names them")
        return run

    async def _enter(self, state: BenchState, keep: Callable[[], Awaitable[None]]) -> str:
        """Take the engine, have the run kept, and go on in the background.

        Errors until then are the caller's.
        """
        entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = self._tasks.start("benchmark", self._run(state, entered, keep))
        try:
            await asyncio.shield(entered)
        except asyncio.CancelledError:
            await self.stop()
            raise
        return state.run.id

    async def _run(
        self, first: BenchState, entered: asyncio.Future[None], keep: Callable[[], Awaitable[None]]
    ) -> None:
        run_id, label = first.run.id, f"benchmark {first.run.name or first.run.id[:8]}"
        status, problem = RunStatus.INTERRUPTED, None
        reason: str | None = _STOPPED
        try:
            await self._client.adopted()
            with self._client.measuring(label):
                await keep()
                self.resources = await earlier_resources(self._store, run_id)
                state = Feed(first)
                active = self._active = BenchRun(
                    self._client,
                    self._store,
                    state,
                    self._peaks,
                    unix_ms=self._unix_ms,
                    surroundings=self._surroundings,
                )
                self.state.publish(state.value)
                entered.set_result(None)
                mirror = self._tasks.start("benchmark's state", self._mirror(state))
                try:
                    taken = self.resources
                    async with kept_resources(self._peaks, self._store, run_id, taken, self._tasks):
                        is_whole = await active.go()
                    status = RunStatus.COMPLETED if is_whole else RunStatus.INTERRUPTED
                    reason = None if is_whole else active.reason
                except FoundryTuiError as error:
                    problem, reason = error, error.message
                    has_any = any(request.trace.outcome.is_timed for request in state.value.requests)
                    status = RunStatus.INTERRUPTED if has_any else RunStatus.FAILED
                finally:
                    self._active = None
                    mirror.cancel()
                    await self._end(state.value, status, problem, reason)
        except FoundryTuiError as error:
            if entered.done():
                raise
            entered.set_exception(error)
        finally:
            if not entered.done():
                entered.cancel()  # nobody waits for what has not begun

    async def _end(
        self, last: BenchState, status: RunStatus, problem: FoundryTuiError | None, reason: str | None
    ) -> None:
        """Say how it ended, to the disk and to whoever watches, even while the program is leaving."""
        at_unix_ms = self._unix_ms()
        ended = replace(last.run, status=status, ended_unix_ms=at_unix_ms, reason=reason)
        self.state.publish(
            replace(last, run=ended, step=Step.ENDED, under_way=(), hold=None, problem=problem)
        )
        with suppress(FoundryTuiError):  # a disk that cannot be written was told of already
            await asyncio.shield(
                self._store.end_run(last.run.id, status, at_unix_ms=at_unix_ms, reason=reason)
            )

    async def _mirror(self, state: Feed[BenchState]) -> None:
        async for value in state.watch():
            self.state.publish(value)


def _under_way(run: Run, limits: RunLimits | None) -> Run:
    """``run`` as it goes on; with ``limits`` instead of those of its plan, if there are any."""
    plan = run.plan if limits is None else replace(run.plan, limits=limits)
    return replace(run, plan=plan, status=RunStatus.RUNNING, ended_unix_ms=None, reason=None)

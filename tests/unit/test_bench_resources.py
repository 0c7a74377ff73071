"""What the engine takes of the machine over a run: read, handed on, and kept without disturbing anything."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from foundry_tui.aio import Tasks
from foundry_tui.domain.bench import ResourceReading, RunStatus
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.domain.resources import GpuSample, GpuSamples, HostSample
from foundry_tui.services.bench.peaks import Peaks
from foundry_tui.services.bench.resource_log import kept_resources
from foundry_tui.services.sampling import ResourceSampler
from tests.support.benches import benches, plan
from tests.support.memory_runs import MemoryRuns
from tests.support.resource_readings import some_readings
from tests.support.runs import a_run

FULL = StorageProblem("the database cannot be written: no space", remedy="make room")
TENTH_NS = 100_000_000
HOST = HostSample(cpu_share=0.5, ram_total_bytes=1000, ram_used_bytes=300)


@dataclass
class Machine:
    """A host, a GPU and a clock that tell what a test wrote down, one entry a tick."""

    ticks: Sequence[tuple[int, HostSample, GpuSamples]]
    place: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    def sample(self, pid: int | None) -> HostSample:
        return self.ticks[self.place][1]

    def clock_ns(self) -> int:
        return self.ticks[min(self.place, len(self.ticks) - 1)][0]

    def wait(self, woken: threading.Event, seconds: float) -> None:
        self.place += 1
        if self.place == len(self.ticks):
            self.loop.call_soon_threadsafe(self.over.set)
            woken.wait()

    def peaks(self) -> Peaks:
        return Peaks(
            ResourceSampler(lambda: (self, _Gpu(self)), pid=lambda: 1, clock_ns=self.clock_ns, wait=self.wait)
        )


@dataclass
class _Gpu:
    machine: Machine

    def sample(self, pid: int | None) -> GpuSamples:
        return self.machine.ticks[self.machine.place][2]

    def close(self) -> None:
        """Nothing was opened."""


async def readings_of(machine: Machine) -> list[ResourceReading]:
    peaks, readings = machine.peaks(), list[ResourceReading]()
    with peaks.heard_by(readings.append):
        async with peaks.reading():
            await machine.over.wait()
    return readings


def spent(at_s: float, cpu_s: float | None) -> tuple[int, HostSample, GpuSamples]:
    return round(at_s * 1e9), replace(HOST, process_cpu_s=cpu_s), GpuSamples()


async def test_a_reading_has_the_engines_memory_and_what_the_machine_has_left() -> None:
    def gpu(process_bytes: int | None) -> GpuSample:
        return GpuSample(name="g", total_bytes=99, used_bytes=50, process_bytes=process_bytes)

    machine = Machine(
        [
            (0, replace(HOST, process_rss_bytes=7), GpuSamples(gpus=(gpu(3), gpu(0), gpu(4)))),
            # Of one GPU it is not known: what is left would pass for all of it.
            (TENTH_NS, HOST, GpuSamples(gpus=(gpu(3), gpu(None), gpu(4)))),
        ]
    )

    readings = await readings_of(machine)

    assert readings == [
        ResourceReading(at_ns=0, rss_bytes=7, vram_bytes=7, available_bytes=700),
        ResourceReading(at_ns=TENTH_NS, rss_bytes=None, vram_bytes=None, available_bytes=700),
    ]


async def test_the_share_of_a_core_is_of_the_time_since_the_reading_before() -> None:
    machine = Machine([spent(10.0, 4.0), spent(10.1, 4.05), spent(10.2, 4.35), spent(10.4, 4.35)])

    readings = await readings_of(machine)

    assert [reading.cpu_share for reading in readings] == [None, 0.5, 3.0, 0.0]


async def test_no_share_is_told_where_the_process_is_another_one_or_cannot_be_read() -> None:
    machine = Machine(
        [
            spent(1.0, 9.0),
            spent(1.1, 0.1),
            spent(1.2, 0.2),
            spent(1.3, None),
            spent(1.4, 0.3),
            spent(1.5, 0.4),
        ]
    )

    readings = await readings_of(machine)

    assert [reading.cpu_share for reading in readings] == [None, None, 1.0, None, None, 1.0]


async def test_a_run_and_its_store_have_the_readings_of_all_of_it_and_in_order() -> None:
    async with benches() as bench:
        run_id = await bench.service.begin(plan())
        state = await bench.service.finished()

        readings = bench.service.resources
        assert readings
        assert list(await bench.runs.resources(run_id)) == readings
        stamps = [reading.at_ns for reading in readings]
        assert stamps == sorted(stamps)
        assert {reading.rss_bytes for reading in readings} == {300_000_000}
        assert {reading.available_bytes for reading in readings} == {7 << 30}
        assert state.run.status is RunStatus.COMPLETED


async def test_a_run_that_is_resumed_goes_on_behind_what_its_earlier_life_has_read() -> None:
    async with benches() as bench:
        gate = bench.engine.gate = asyncio.Event()
        run_id = await bench.service.begin(plan())
        await bench.until(lambda state: bool(state.under_way))
        await bench.service.stop()
        earlier = list(bench.service.resources)
        bench.engine.gate = None
        gate.set()

        await bench.service.resume(run_id)
        await bench.service.finished()

        assert earlier
        assert bench.service.resources[: len(earlier)] == earlier
        assert len(bench.service.resources) > len(earlier)
        assert list(await bench.runs.resources(run_id)) == bench.service.resources


async def test_another_run_begins_another_list() -> None:
    async with benches() as bench:
        await bench.service.begin(plan())
        await bench.service.finished()
        first = bench.service.resources
        kept = list(first)
        second_id = await bench.service.begin(plan())
        await bench.service.finished()

        assert bench.service.resources is not first
        assert first == kept
        assert list(await bench.runs.resources(second_id)) == bench.service.resources


async def test_a_run_is_resumed_though_its_earlier_readings_cannot_be_had() -> None:
    class Damaged(MemoryRuns):
        async def resources(self, run_id: str) -> tuple[ResourceReading, ...]:
            raise StorageProblem("it is damaged", remedy="delete it")

    async with benches(runs=Damaged()) as bench:
        gate = bench.engine.gate = asyncio.Event()
        run_id = await bench.service.begin(plan())
        await bench.until(lambda state: bool(state.under_way))
        await bench.service.stop()
        bench.engine.gate = None
        gate.set()

        await bench.service.resume(run_id)
        state = await bench.service.finished()

        assert state.run.status is RunStatus.COMPLETED
        assert bench.service.resources


class Unwilling(MemoryRuns):
    """Keeps no readings as long as ``refusals`` are left."""

    refusals = 10**9
    tried = 0

    async def add_resources(self, run_id: str, readings: Sequence[ResourceReading]) -> None:
        self.tried += 1
        if self.refusals:
            self.refusals -= 1
            raise FULL
        await super().add_resources(run_id, readings)


async def test_readings_that_cannot_be_kept_end_no_run() -> None:
    runs = Unwilling()
    async with benches(runs=runs) as bench:
        run_id = await bench.service.begin(plan())
        state = await bench.service.finished()

        assert runs.tried
        assert state.run.status is RunStatus.COMPLETED
        assert state.problem is None
        assert len(bench.service.resources) > 0
        assert await bench.runs.resources(run_id) == ()


class Told(Unwilling):
    """Tells when it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_once = asyncio.Event()

    async def add_resources(self, run_id: str, readings: Sequence[ResourceReading]) -> None:
        try:
            await super().add_resources(run_id, readings)
        finally:
            self.asked_once.set()


@asynccontextmanager
async def keeping(
    runs: MemoryRuns, readings: list[ResourceReading], *, period_s: float = 0.001
) -> AsyncGenerator[None, None]:
    tasks = Tasks()
    peaks = Machine([]).peaks()
    await runs.create_run(a_run())
    async with kept_resources(peaks, runs, "a1", readings, tasks, period_s=period_s):
        yield
    await tasks.aclose()


async def test_what_was_read_is_kept_while_the_run_goes_on() -> None:
    runs, readings = Told(), list[ResourceReading]()
    runs.refusals = 0

    async with keeping(runs, readings):
        readings.extend(some_readings(4))
        await runs.asked_once.wait()
        during = await runs.resources("a1")

    assert during == some_readings(4)


async def test_what_could_not_be_kept_is_kept_with_what_comes_next_and_nothing_twice() -> None:
    runs, readings, made = Told(), list[ResourceReading](), some_readings(9)
    runs.refusals = 1

    async with keeping(runs, readings):
        readings.extend(made[:4])
        await runs.asked_once.wait()
        readings.extend(made[4:])

    assert await runs.resources("a1") == made
    assert runs.tried >= 2


async def test_the_end_keeps_what_is_left_even_if_the_run_is_cancelled() -> None:
    runs, readings, began = MemoryRuns(), list[ResourceReading](), asyncio.Event()

    async def go() -> None:
        async with keeping(runs, readings, period_s=3600):
            readings.extend(some_readings(3))
            began.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(go())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await runs.resources("a1") == some_readings(3)


async def test_a_run_that_was_deleted_meanwhile_costs_nothing() -> None:
    runs, readings = MemoryRuns(), list[ResourceReading]()

    async with keeping(runs, readings, period_s=3600):
        await runs.delete_run("a1")
        readings.extend(some_readings(3))

    assert await runs.resources("a1") == ()

"""Samples lie on a fixed grid, driven here by a clock that only moves when told."""

import asyncio
import threading
from collections.abc import Callable, Coroutine

import pytest

from foundry_tui.domain.resources import GpuSamples, HostSample, ResourceSample
from foundry_tui.services.sampling import ResourceSampler

MS = 1_000_000


class Machine:
    """A clock that moves only while somebody sleeps or reads, and the two probes that read beside it."""

    def __init__(self, *, reading_ms: list[int], oversleeping_ms: int = 0) -> None:
        self.now_ns = 7_000 * MS
        self.slept_s: list[float] = []
        self.pids: list[int | None] = []
        self.is_closed = False
        self.made_in: threading.Thread | None = None
        self.read_in: set[threading.Thread] = set()
        self._reading_ms = reading_ms
        self._oversleeping_ms = oversleeping_ms
        self.is_spent = asyncio.Event()

    def clock_ns(self) -> int:
        return self.now_ns

    async def sleep(self, seconds: float) -> None:
        if not self._reading_ms:
            self.is_spent.set()
            await asyncio.Event().wait()
        self.slept_s.append(seconds)
        self.now_ns += round(seconds * 1000) * MS + self._oversleeping_ms * MS

    def probes(self) -> tuple["Machine", "GpuOf"]:
        self.made_in = threading.current_thread()
        return self, GpuOf(self)

    def sample(self, pid: int | None) -> HostSample:
        self.pids.append(pid)
        self.read_in.add(threading.current_thread())
        self.now_ns += self._reading_ms.pop(0) * MS
        return HostSample(cpu_share=None, ram_total_bytes=2, ram_used_bytes=1)


class GpuOf:
    """The GPU side of a ``Machine``."""

    def __init__(self, machine: Machine, error: Exception | None = None) -> None:
        self._machine = machine
        self._error = error

    def sample(self, pid: int | None) -> GpuSamples:
        return GpuSamples(absence="no GPU")

    def close(self) -> None:
        self._machine.is_closed = True


def sampler_of(machine: Machine, pid: Callable[[], int | None] = lambda: None) -> ResourceSampler:
    return ResourceSampler(
        machine.probes, pid=pid, period_s=0.5, clock_ns=machine.clock_ns, sleep=machine.sleep
    )


async def samples_of(machine: Machine, sampler: ResourceSampler) -> list[ResourceSample]:
    """Every sample until the machine's readings are spent."""
    taken: list[ResourceSample] = []

    async def watch() -> None:
        async for sample in sampler.samples.watch():
            if sample is not None:
                taken.append(sample)

    watching = asyncio.create_task(watch())
    await run_until(machine.is_spent, sampler.run())
    watching.cancel()
    await asyncio.wait([watching])
    return taken


async def run_until(event: asyncio.Event, work: Coroutine[object, object, None]) -> None:
    running = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(event.wait())
    await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
    for task in (running, waiting):
        task.cancel()
    await asyncio.wait([running, waiting])
    if not running.cancelled():
        running.result()


async def test_samples_lie_half_a_second_apart_however_long_a_reading_takes() -> None:
    machine = Machine(reading_ms=[3, 40, 7, 100, 0])

    samples = await samples_of(machine, sampler_of(machine))

    assert [sample.at_ns // MS for sample in samples] == [7000, 7500, 8000, 8500, 9000]
    assert machine.slept_s == [0.0, 0.497, 0.46, 0.493, 0.4]


async def test_a_timer_that_comes_late_does_not_move_the_grid_and_the_lateness_is_told() -> None:
    machine = Machine(reading_ms=[0, 0, 0], oversleeping_ms=20)

    samples = await samples_of(machine, sampler_of(machine))

    assert [(sample.at_ns // MS, sample.late_ns // MS) for sample in samples] == [
        (7020, 20),
        (7520, 20),
        (8020, 20),
    ]


async def test_points_that_a_long_reading_missed_are_skipped_and_the_grid_holds() -> None:
    # The first reading ends at 8200, past the points 7500 and 8000
    machine = Machine(reading_ms=[1200, 0, 0])

    samples = await samples_of(machine, sampler_of(machine))

    assert [sample.at_ns // MS for sample in samples] == [7000, 8500, 9000]
    assert [sample.late_ns for sample in samples] == [0, 0, 0]


async def test_a_reading_that_ends_on_a_point_has_missed_it() -> None:
    machine = Machine(reading_ms=[500, 0])

    samples = await samples_of(machine, sampler_of(machine))

    assert [sample.at_ns // MS for sample in samples] == [7000, 8000]


async def test_the_process_to_watch_is_asked_for_at_every_tick() -> None:
    machine = Machine(reading_ms=[0, 0, 0])
    pids = iter([None, 41, 42])

    await samples_of(machine, sampler_of(machine, lambda: next(pids)))

    assert machine.pids == [None, 41, 42]


async def test_probes_are_made_and_read_off_the_event_loop() -> None:
    machine = Machine(reading_ms=[0, 0])

    await samples_of(machine, sampler_of(machine))

    here = threading.current_thread()
    assert machine.made_in not in (None, here)
    assert here not in machine.read_in
    assert machine.read_in


async def test_the_driver_is_let_go_when_sampling_is_cancelled() -> None:
    machine = Machine(reading_ms=[0])

    await samples_of(machine, sampler_of(machine))

    assert machine.is_closed


async def test_the_driver_is_let_go_when_a_reading_fails_and_the_error_is_told() -> None:
    machine = Machine(reading_ms=[0])

    def fail() -> int | None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        await sampler_of(machine, fail).run()

    assert machine.is_closed


async def test_before_the_first_tick_there_is_no_sample() -> None:
    assert sampler_of(Machine(reading_ms=[])).samples.value is None

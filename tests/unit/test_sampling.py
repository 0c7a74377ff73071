"""Samples lie on a fixed grid, driven here by a clock that only moves when told."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

import pytest

from foundry_tui.domain.resources import GpuSample, GpuSamples, HostSample, ResourceSample
from foundry_tui.services.sampling import ResourceSampler

MS = 1_000_000
NO_GPU = GpuSamples(absence="no GPU")
A_GPU = GpuSamples(gpus=(GpuSample(name="A GPU", total_bytes=2, used_bytes=1),))
SAFETY_S = 10.0


class Machine:
    """A clock that moves only while somebody waits or reads, and the two probes that read beside it."""

    def __init__(self, *, reading_ms: list[int], oversleeping_ms: int = 0) -> None:
        self.now_ns = 7_000 * MS
        self.slept_s: list[float] = []
        self.pids: list[int | None] = []
        self.gpus: list[GpuSamples] = []
        self.gpus_read_at: list[int] = []
        self.is_closed = False
        self.made_in: threading.Thread | None = None
        self.read_in: set[threading.Thread] = set()
        self._reading_ms = reading_ms
        self._oversleeping_ms = oversleeping_ms
        self._loop = asyncio.get_running_loop()
        self.is_spent = asyncio.Event()

    def clock_ns(self) -> int:
        return self.now_ns

    def wait(self, woken: threading.Event, seconds: float) -> None:
        if not self._reading_ms:
            self._loop.call_soon_threadsafe(self.is_spent.set)
            woken.wait()
            return
        self.slept_s.append(seconds)
        self.now_ns += round(seconds * 1000) * MS + self._oversleeping_ms * MS

    def probes(self) -> tuple["Machine", "GpuOf"]:
        self.made_in = threading.current_thread()
        return self, GpuOf(self)

    def sample(self, pid: int | None) -> HostSample:
        self.pids.append(pid)
        self.read_in.add(threading.current_thread())
        if self._reading_ms:
            self.now_ns += self._reading_ms.pop(0) * MS
        return HostSample(cpu_share=None, ram_total_bytes=2, ram_used_bytes=1)


class GpuOf:
    """The GPU side of a ``Machine``, which says what was put there, and at last that there is none."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def sample(self, pid: int | None) -> GpuSamples:
        self._machine.read_in.add(threading.current_thread())
        self._machine.gpus_read_at.append(self._machine.now_ns // MS)
        return self._machine.gpus.pop(0) if self._machine.gpus else NO_GPU

    def close(self) -> None:
        self._machine.is_closed = True


def sampler_of(machine: Machine, pid: Callable[[], int | None] = lambda: None) -> ResourceSampler:
    return ResourceSampler(
        machine.probes, pid=pid, period_s=0.5, clock_ns=machine.clock_ns, wait=machine.wait
    )


async def samples_of(machine: Machine, sampler: ResourceSampler) -> list[ResourceSample]:
    """Every sample until the machine's readings are spent."""
    taken: list[ResourceSample] = []
    with sampler.heard_by(taken.append):
        await run_until(machine.is_spent, sampler.run())
    return taken


async def run_until(event: asyncio.Event, work: Coroutine[object, object, None]) -> None:
    running = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(event.wait())
    await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED, timeout=SAFETY_S)
    for task in (running, waiting):
        task.cancel()
    await asyncio.wait([running, waiting])
    if not running.cancelled():
        running.result()


async def test_samples_lie_half_a_second_apart_however_long_a_reading_takes() -> None:
    machine = Machine(reading_ms=[3, 40, 7, 100, 0])

    samples = await samples_of(machine, sampler_of(machine))

    assert [sample.at_ns // MS for sample in samples] == [7000, 7500, 8000, 8500, 9000]
    assert machine.slept_s == [0.497, 0.46, 0.493, 0.4]
    assert {sample.missed for sample in samples} == {0}


async def test_a_timer_that_comes_late_does_not_move_the_grid_and_the_lateness_is_told() -> None:
    machine = Machine(reading_ms=[0, 0, 0], oversleeping_ms=20)

    samples = await samples_of(machine, sampler_of(machine))

    assert [(sample.at_ns // MS, sample.late_ns // MS) for sample in samples] == [
        (7000, 0),
        (7520, 20),
        (8020, 20),
    ]


async def test_points_that_a_long_reading_missed_are_skipped_and_counted_and_the_grid_holds() -> None:
    # The first reading ends at 8200, past the points 7500 and 8000
    machine = Machine(reading_ms=[1200, 0, 0])

    samples = await samples_of(machine, sampler_of(machine))

    assert [sample.at_ns // MS for sample in samples] == [7000, 8500, 9000]
    assert [sample.late_ns for sample in samples] == [0, 0, 0]
    assert [sample.missed for sample in samples] == [0, 2, 0]


async def test_a_reading_that_ends_on_a_point_has_missed_it() -> None:
    machine = Machine(reading_ms=[500, 0])

    samples = await samples_of(machine, sampler_of(machine))

    assert [(sample.at_ns // MS, sample.missed) for sample in samples] == [(7000, 0), (8000, 1)]


async def test_where_no_gpu_is_it_is_looked_for_every_five_seconds_and_told_in_every_sample() -> None:
    machine = Machine(reading_ms=[0] * 12)

    samples = await samples_of(machine, sampler_of(machine))

    assert machine.gpus_read_at == [7000, 12000]
    assert [sample.gpu for sample in samples] == [NO_GPU] * 12


async def test_a_gpu_that_was_there_once_is_read_at_every_tick_even_while_it_cannot_be() -> None:
    machine = Machine(reading_ms=[0] * 4)
    machine.gpus = [A_GPU, NO_GPU, A_GPU]

    samples = await samples_of(machine, sampler_of(machine))

    assert machine.gpus_read_at == [7000, 7500, 8000, 8500]
    assert [sample.gpu for sample in samples] == [A_GPU, NO_GPU, A_GPU, NO_GPU]


async def test_the_process_to_watch_is_asked_for_at_every_tick() -> None:
    machine = Machine(reading_ms=[0, 0, 0])
    pids = iter([None, 41, 42])

    await samples_of(machine, sampler_of(machine, lambda: next(pids)))

    assert machine.pids == [None, 41, 42]


async def test_probes_are_made_and_read_off_the_event_loop_and_the_gpu_in_a_thread_of_its_own() -> None:
    machine = Machine(reading_ms=[0, 0])

    await samples_of(machine, sampler_of(machine))

    here = threading.current_thread()
    assert machine.made_in not in (None, here)
    assert here not in machine.read_in
    assert len(machine.read_in) == 2
    assert all(thread.daemon for thread in machine.read_in)


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


async def test_after_a_failure_sampling_can_be_begun_again() -> None:
    machine = Machine(reading_ms=[0, 0])
    errors = [RuntimeError("a bug")]

    def fail_once() -> int | None:
        if errors:
            raise errors.pop()
        return 7

    sampler = sampler_of(machine, fail_once)
    with pytest.raises(RuntimeError, match="a bug"):
        await sampler.run()

    assert len(await samples_of(machine, sampler)) == 2


async def test_before_the_first_tick_there_is_no_sample() -> None:
    assert sampler_of(Machine(reading_ms=[])).samples.value is None


# Several readers


@dataclass
class Paced:
    """A machine whose clock moves on only as far as a test lets it."""

    now_ns: int = 0
    until_ns: int = 0
    opened: int = 0
    moved: threading.Condition = field(default_factory=threading.Condition)

    def clock_ns(self) -> int:
        return self.now_ns

    def wait(self, woken: threading.Event, seconds: float) -> None:
        due_ns = self.now_ns + round(seconds * 1_000_000_000)
        with self.moved:
            while due_ns > self.until_ns:
                if woken.is_set():
                    return
                self.moved.wait(0.001)  # the sampler's event wakes nobody here, so it is looked at
            self.now_ns = due_ns

    def advance_to(self, at_ms: int) -> None:
        with self.moved:
            self.until_ns = at_ms * MS

    def pass_to(self, at_ms: int) -> None:
        """Move the clock between two points, with nobody reading at it."""
        with self.moved:
            self.now_ns = self.until_ns = at_ms * MS

    def probes(self) -> tuple["Paced", "Paced.Gpu"]:
        self.opened += 1
        return self, Paced.Gpu()

    def sample(self, pid: int | None) -> HostSample:
        return HostSample(cpu_share=None, ram_total_bytes=2, ram_used_bytes=1)

    class Gpu:
        def sample(self, pid: int | None) -> GpuSamples:
            return GpuSamples(absence="no GPU")

        def close(self) -> None:
            """Nothing was opened."""


class Taken:
    """What a reader has heard, and a way to wait for the sample of a moment."""

    def __init__(self) -> None:
        self.at_ms: list[int] = []
        self._came = asyncio.Event()

    def __call__(self, sample: ResourceSample) -> None:
        self.at_ms.append(sample.at_ns // MS)
        self._came.set()
        self._came = asyncio.Event()

    async def until(self, at_ms: int) -> None:
        async with asyncio.timeout(SAFETY_S):
            while not self.at_ms or self.at_ms[-1] < at_ms:
                await self._came.wait()


async def test_who_wants_samples_closer_gets_them_for_as_long_as_that_and_everybody_reads_the_same() -> None:
    machine, taken = Paced(), Taken()
    sampler = ResourceSampler(
        machine.probes, pid=lambda: None, period_s=0.5, clock_ns=machine.clock_ns, wait=machine.wait
    )

    with sampler.heard_by(taken):
        async with sampler.wanted():
            machine.advance_to(500)
            await taken.until(500)
            machine.pass_to(630)
            async with sampler.wanted(0.1):
                machine.advance_to(900)
                await taken.until(900)
            machine.advance_to(1500)
            await taken.until(1500)

    assert taken.at_ms == [0, 500, 700, 800, 900, 1000, 1500]
    assert machine.opened == 1


async def test_with_the_last_reader_the_sampling_ends_and_the_next_begins_it_anew() -> None:
    machine, taken = Paced(), Taken()
    sampler = ResourceSampler(
        machine.probes, pid=lambda: None, period_s=0.5, clock_ns=machine.clock_ns, wait=machine.wait
    )

    with sampler.heard_by(taken):
        async with sampler.wanted():
            await taken.until(0)
        machine.pass_to(640)
        async with sampler.wanted():
            await taken.until(640)

    assert taken.at_ms == [0, 640]
    assert machine.opened == 2


async def test_samples_are_taken_while_the_event_loop_is_busy_and_none_is_lost() -> None:
    machine, taken = Paced(), Taken()
    sampler = ResourceSampler(
        machine.probes, pid=lambda: None, period_s=0.5, clock_ns=machine.clock_ns, wait=machine.wait
    )

    with sampler.heard_by(taken):
        async with sampler.wanted():
            await taken.until(0)
            machine.advance_to(2000)
            while machine.now_ns < 2000 * MS:
                pass  # the loop does nothing else meanwhile
            await taken.until(2000)

    assert taken.at_ms == [0, 500, 1000, 1500, 2000]

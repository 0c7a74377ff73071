"""A probe that hangs is named, asked nothing more and waited for by nobody."""

import asyncio
import threading
from dataclasses import dataclass, field

from foundry_tui.domain.resources import Conditions, GpuSamples, HostSample, ResourceSample
from foundry_tui.services.sampling import ResourceSampler

SAFETY_S = 10.0


class NoGpu:
    def sample(self, pid: int | None) -> GpuSamples:
        return GpuSamples(absence="no GPU")

    def close(self) -> None:
        """Nothing was opened."""


@dataclass
class Stuck:
    """A probe that answers once the gate is open."""

    gate: threading.Event = field(default_factory=threading.Event)
    asked: int = 0

    def sample(self, pid: int | None) -> GpuSamples:
        self.asked += 1
        answer = GpuSamples(absence=f"answer {self.asked}")
        self.gate.wait()
        return answer

    def close(self) -> None:
        """Nothing was opened."""


class Still:
    def sample(self, pid: int | None) -> HostSample:
        return HostSample(cpu_share=None, ram_total_bytes=2, ram_used_bytes=1)


async def heard(sampler: ResourceSampler, count: int) -> list[ResourceSample]:
    """The first ``count`` samples."""
    samples: list[ResourceSample] = []
    enough = asyncio.Event()

    def take(sample: ResourceSample) -> None:
        samples.append(sample)
        if len(samples) == count:
            enough.set()

    async with asyncio.timeout(SAFETY_S):
        with sampler.heard_by(take):
            async with sampler.wanted():
                await enough.wait()
    return samples[:count]


async def test_a_driver_that_hangs_is_named_asked_nothing_more_and_holds_up_nobody() -> None:
    stuck = Stuck()
    sampler = ResourceSampler(lambda: (Still(), stuck), pid=lambda: None, period_s=0.001, patience_s=0.01)

    samples = await heard(sampler, 4)
    stuck.gate.set()

    assert {sample.gpu.absence for sample in samples} == {"the GPU's driver has not answered for 0 s"}
    assert stuck.asked == 1


@dataclass
class OpensAtTheSecond(Still):
    """Lets go of the driver between the question of the second tick, which was not put, and its answer."""

    gate: threading.Event
    read: int = 0

    def sample(self, pid: int | None) -> HostSample:
        self.read += 1
        if self.read == 2:
            self.gate.set()
        return super().sample(pid)


async def test_an_answer_that_comes_too_late_is_not_taken_for_that_of_now() -> None:
    stuck = Stuck()
    sampler = ResourceSampler(
        lambda: (OpensAtTheSecond(stuck.gate), stuck), pid=lambda: None, period_s=0.001, patience_s=0.05
    )
    absences: list[str | None] = []
    again = asyncio.Event()

    def take(sample: ResourceSample) -> None:
        absences.append(sample.gpu.absence)
        if sample.gpu.absence == "answer 2":
            again.set()

    async with asyncio.timeout(SAFETY_S):
        with sampler.heard_by(take):
            async with sampler.wanted():
                await again.wait()

    assert absences[:2] == ["the GPU's driver has not answered for 0 s"] * 2
    assert "answer 1" not in absences


class StuckHost:
    """A machine whose reading never returns before the gate is open."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.asked = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def sample(self, pid: int | None) -> HostSample:
        self._loop.call_soon_threadsafe(self.asked.set)
        self.gate.wait()
        return HostSample(cpu_share=None, ram_total_bytes=2, ram_used_bytes=1)


async def test_the_end_does_not_wait_for_a_reading_that_hangs() -> None:
    host = StuckHost()
    sampler = ResourceSampler(lambda: (host, NoGpu()), pid=lambda: None, patience_s=0.01)

    async with asyncio.timeout(SAFETY_S):
        async with sampler.wanted():
            await host.asked.wait()

    assert sampler.samples.value is None
    host.gate.set()


@dataclass
class SlowDisk:
    """What changes slowly, from a disk that answers once the gate is open."""

    gate: threading.Event = field(default_factory=threading.Event)

    def sample(self, pid: int | None) -> Conditions:
        self.gate.wait()
        return Conditions(at_ns=5, pid=pid)


async def test_what_changes_slowly_is_never_waited_for_and_comes_when_it_comes() -> None:
    disk = SlowDisk()
    sampler = ResourceSampler(
        lambda: (Still(), NoGpu()),
        pid=lambda: 9,
        period_s=0.001,
        conditions=lambda: disk,
        patience_s=0.005,
    )
    samples: list[ResourceSample] = []
    came = asyncio.Event()

    def take(sample: ResourceSample) -> None:
        samples.append(sample)
        if sample.troubles:
            disk.gate.set()
        if sample.conditions is not None:
            came.set()

    async with asyncio.timeout(SAFETY_S):
        with sampler.heard_by(take):
            async with sampler.wanted():
                await came.wait()

    assert samples[0].conditions is None
    assert samples[0].troubles == ()
    assert ("what reads disk and sensors has not answered for 0 s",) in [each.troubles for each in samples]
    assert samples[-1].conditions == Conditions(at_ns=5, pid=9)

"""What it costs to read the machine, by clocks that a test moves."""

import asyncio
import time

import pytest

from foundry_tui.domain.resources import Conditions, GpuSamples, HostSample
from foundry_tui.ports.machine import HostProbe
from foundry_tui.services.sampler_cost import SamplerCost
from foundry_tui.services.sampling import ResourceSampler

MS = 1_000_000
S = 1_000 * MS


class Times:
    """A clock, and the processor time of whoever asks; each reading of the machine takes some of both."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.spent_ns = 0
        self.takes_ns = 3 * MS

    def clock(self) -> int:
        return self.now_ns

    def spent(self) -> int:
        return self.spent_ns


class Host:
    def __init__(self, times: Times) -> None:
        self.times = times

    def sample(self, pid: int | None) -> HostSample:
        self.times.spent_ns += self.times.takes_ns
        return HostSample(cpu_share=None, ram_total_bytes=2, ram_used_bytes=1)


class Gpu:
    def sample(self, pid: int | None) -> GpuSamples:
        return GpuSamples(absence="none")

    def close(self) -> None:
        """Nothing was opened."""


class Slow:
    def sample(self, pid: int | None) -> Conditions:
        return Conditions(at_ns=0)


def read_for(times: Times, host: HostProbe, seconds: float, *, period_s: float = 0.5) -> None:
    for _ in range(round(seconds / period_s)):
        times.now_ns += round(period_s * S)
        host.sample(None)


def test_the_share_is_processor_time_over_time() -> None:
    times = Times()
    cost = SamplerCost(clock_ns=times.clock, spent_ns=times.spent)
    host, _ = cost.of_probes(lambda: (Host(times), Gpu()))()

    read_for(times, host, 10)

    assert cost.share == pytest.approx(0.006)


def test_a_first_reading_for_which_a_driver_is_opened_is_not_in_it() -> None:
    times = Times()
    cost = SamplerCost(clock_ns=times.clock, spent_ns=times.spent)
    host, gpu = cost.of_probes(lambda: (Host(times), Gpu()))()

    host.sample(None)
    assert cost.share is None
    of_host_ns, times.spent_ns = times.spent_ns, 300 * MS  # the other thread's own
    gpu.sample(None)
    times.spent_ns = of_host_ns
    read_for(times, host, 4)

    assert cost.share == pytest.approx(0.006)


def test_it_is_that_of_the_last_quarter_of_a_minute() -> None:
    times = Times()
    cost = SamplerCost(clock_ns=times.clock, spent_ns=times.spent)
    host, _ = cost.of_probes(lambda: (Host(times), Gpu()))()

    times.takes_ns = 100 * MS
    read_for(times, host, 60)
    times.takes_ns = 5 * MS
    read_for(times, host, 17)

    assert cost.share == pytest.approx(0.01)


def test_all_threads_are_added_up() -> None:
    times = Times()
    cost = SamplerCost(clock_ns=times.clock, spent_ns=times.spent)
    host, gpu = cost.of_probes(lambda: (Host(times), Gpu()))()
    slow = cost.of_conditions(Slow)()
    for probe in (host, gpu, slow):
        probe.sample(None)

    for _ in range(20):
        times.now_ns += S // 2
        host.sample(None)
        gpu.sample(None)
        slow.sample(None)

    # Of one clock that runs on in all of them, so each of the three has seen those 60 ms go by.
    assert cost.share == pytest.approx(3 * 0.006, rel=0.06)


def test_another_stretch_of_readings_begins_anew() -> None:
    times = Times()
    cost = SamplerCost(clock_ns=times.clock, spent_ns=times.spent)
    make = cost.of_probes(lambda: (Host(times), Gpu()))
    first, _ = make()
    read_for(times, first, 5)

    times.now_ns += 3600 * S
    second, _ = make()

    assert cost.share is None
    read_for(times, second, 5)
    assert cost.share == pytest.approx(0.006)


async def test_a_sampler_tells_what_its_threads_take() -> None:
    class Working(Host):
        def sample(self, pid: int | None) -> HostSample:
            end_ns = time.thread_time_ns() + MS
            while time.thread_time_ns() < end_ns:
                pass
            return super().sample(pid)

    skipped = Times()

    def clock_ns() -> int:
        return time.perf_counter_ns() * 10  # ten times as fast: a second of it is soon over

    sampler = ResourceSampler(
        lambda: (Working(skipped), Gpu()),
        pid=lambda: None,
        period_s=0.1,
        clock_ns=clock_ns,
        wait=lambda event, seconds: event.wait(seconds / 10),
    )
    seen: asyncio.Event = asyncio.Event()

    async with sampler.wanted():
        with sampler.heard_by(lambda _: seen.set() if sampler.cost.share is not None else None):
            await asyncio.wait_for(seen.wait(), 30)
        found = sampler.cost.share

    assert found is not None
    assert found > 0

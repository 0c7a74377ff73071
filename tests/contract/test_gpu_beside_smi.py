"""GPUs beside ``nvidia-smi`` at the same moments: memory, load, power, energy, heat, clocks, whose they are.

On a machine with an NVIDIA GPU, ``python -m pytest -m gpu -n0 -s`` prints each reading beside what
``nvidia-smi`` says; without one the same tests hold of scripted GPUs.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from foundry_tui.domain.bench_conditions import EnergyScope
from foundry_tui.domain.resources import GpuSample, GpuSamples, HostSample, ResourceSample, why_missing
from foundry_tui.metrics.energy import counted_j, idle_power_w, integrated_j
from foundry_tui.metrics.energy_meter import power_sample
from foundry_tui.metrics.foreign_gpu import foreign_gpu
from foundry_tui.resources.nvml import NvmlGpuProbe
from tests.support.gpu_rigs import MIB, GpuRig, RealGpus, ScriptedGpus, SmiGpu
from tests.support.scripted_nvml import ScriptedGpu, old_gpu

HELD_MIB = 512
TICK_S, SETTLED_S, WINDOW_S = 0.1, 4.0, 5.0
HOST = HostSample(cpu_share=None, ram_total_bytes=1, ram_used_bytes=0, process_rss_bytes=1)


@pytest.fixture(
    params=["one scripted", "two scripted", "old scripted", pytest.param("real", marks=pytest.mark.gpu)]
)
def rig(request: pytest.FixtureRequest) -> GpuRig:
    match request.param:
        case "real":
            try:
                return RealGpus()
            except FileNotFoundError as error:
                pytest.skip(f"there is no {error} to compare with")
        case "two scripted":
            return ScriptedGpus([ScriptedGpu(name="A"), ScriptedGpu(name="B")])
        case "old scripted":
            return ScriptedGpus([old_gpu()])
        case _:
            return ScriptedGpus([ScriptedGpu()])


@pytest.fixture
def probe(rig: GpuRig) -> Iterator[NvmlGpuProbe]:
    probe = rig.probe()
    yield probe
    probe.close()


@dataclass(frozen=True)
class Line:
    """One reading beside the other's."""

    field: str
    ours: Callable[[GpuSample], object]
    smi: str


LINES = (
    Line("memory free, MiB", lambda gpu: (gpu.total_bytes - gpu.used_bytes) // MIB, "memory.free"),
    Line("memory in all, MiB", lambda gpu: gpu.total_bytes // MIB, "memory.total"),
    Line("busy_share", lambda gpu: gpu.busy_share, "utilization.gpu"),
    Line("foreign_busy_share", lambda gpu: gpu.foreign_busy_share, ""),
    Line("temperature_c", lambda gpu: gpu.temperature_c, "temperature.gpu"),
    Line("power_w", lambda gpu: gpu.power_w, "power.draw"),
    Line("power_limit_w", lambda gpu: gpu.power_limit_w, "power.limit"),
    Line("energy_j", lambda gpu: gpu.energy_j, ""),
    Line("sm_clock_mhz", lambda gpu: gpu.sm_clock_mhz, "clocks.sm"),
    Line("sm_clock_max_mhz", lambda gpu: gpu.sm_clock_max_mhz, "clocks.max.sm"),
    Line("memory_clock_mhz", lambda gpu: gpu.memory_clock_mhz, "clocks.mem"),
    Line("throttles", lambda gpu: gpu.throttles, ""),
    Line("process_bytes", lambda gpu: gpu.process_bytes, ""),
    Line("above_baseline_bytes", lambda gpu: gpu.above_baseline_bytes, ""),
)


def say(words: str) -> None:
    """For whoever reads along (``-s``)."""
    sys.stdout.write(f"{words}\n")


def show(before: GpuSample, told: SmiGpu, after: GpuSample) -> None:
    """Print all readings of one GPU beside each other, and why any is missing."""
    say(f"\n{before.name}\n{'':24}{'before':>16}{'nvidia-smi':>16}{'after':>16}")
    for line in LINES:
        words = [line.ours(before), told.words.get(line.smi, "-"), line.ours(after)]
        say(f"{line.field:24}" + "".join(f"{'n/a' if word is None else str(word):>16}" for word in words))
    for each in before.missing:
        say(f"  n/a {each.field}: {each.why}")


def near(ours: float | None, told: float | None, *, by: float) -> bool:
    """Whether both say the same, or either of them nothing."""
    return ours is None or told is None or abs(ours - told) <= by


def samples_of(rig: GpuRig, probe: NvmlGpuProbe, pid: int | None, seconds: float) -> list[ResourceSample]:
    """Ten a second."""
    found = []
    for _ in range(round(seconds / TICK_S) + 1):
        found.append(sampled(rig, probe.sample(pid)))
        rig.rest(TICK_S)
    return found


def sampled(rig: GpuRig, gpu: GpuSamples) -> ResourceSample:
    return ResourceSample(at_ns=rig.now_ns(), late_ns=0, host=HOST, gpu=gpu)


def test_readings_are_those_of_nvidia_smi_at_the_same_moment(rig: GpuRig, probe: NvmlGpuProbe) -> None:
    before = probe.sample(None).gpus
    told = rig.smi()
    after = probe.sample(None).gpus

    if len(before) != len(told):
        pytest.skip(f"{len(before)} readings of {len(told)} boards: a GPU is divided, or one cannot be read")
    for earlier, smi, later in zip(before, told, after, strict=True):
        show(earlier, smi, later)
        assert smi.words["name"] == earlier.name
        assert near(earlier.total_bytes / MIB, smi.number("memory.total"), by=1)
        free_mib = sorted((gpu.total_bytes - gpu.used_bytes) / MIB for gpu in (earlier, later))
        # Others may take or give back some between the three; what is free is told in whole MiB.
        assert free_mib[0] - 64 <= (smi.number("memory.free") or 0) <= free_mib[1] + 64
        assert near(earlier.temperature_c, smi.number("temperature.gpu"), by=3)
        assert near(earlier.sm_clock_max_mhz, smi.number("clocks.max.sm"), by=0.5)
        assert near(earlier.power_limit_w, smi.number("power.limit"), by=1)


def test_what_the_counter_rises_by_is_what_power_adds_up_to_idle_and_at_work(
    rig: GpuRig, probe: NvmlGpuProbe
) -> None:
    first = probe.sample(None).gpus[0]
    if first.energy_j is None:
        assert why_missing(first.missing, "energy_j") is not None
        return

    idle = [power_sample(one, EnergyScope.GPU) for one in samples_of(rig, probe, None, 3.0)]
    with rig.worker(HELD_MIB, is_busy=True):
        rig.rest(SETTLED_S)
        busy = [power_sample(one, EnergyScope.GPU) for one in samples_of(rig, probe, None, WINDOW_S)]

    begin_ns, end_ns = busy[0].at_ns, busy[-1].at_ns
    counted, added_up, idle_w = (
        counted_j(busy, begin_ns, end_ns),
        integrated_j(busy, begin_ns, end_ns),
        idle_power_w(idle),
    )
    say(f"\nat work for {WINDOW_S} s: counter {counted} J, power added up {added_up} J, idle {idle_w} W")
    assert counted is not None
    assert added_up is not None
    assert idle_w is not None
    assert 0.7 < counted / added_up < 1.4
    assert idle_w * WINDOW_S < counted


def test_memory_of_a_process_is_what_it_holds_and_its_context(rig: GpuRig, probe: NvmlGpuProbe) -> None:
    before = probe.sample(None).gpus[0]

    with rig.worker(HELD_MIB, is_busy=False) as pid:
        rig.rest(1.0)
        found = probe.sample(pid).gpus[0]
        say(
            f"\npid {pid} holds {HELD_MIB} MiB; process_bytes {found.process_bytes};"
            f" the device has {(found.used_bytes - before.used_bytes) // MIB} MiB more in use"
        )
        say(rig.smi_processes())
    after = probe.sample(None).gpus[0]

    if found.process_bytes is None:
        pytest.skip(f"not told by process: {why_missing(found.missing, 'process_bytes')}")
    # A context of its own takes some hundred MiB on a real GPU.
    assert HELD_MIB * MIB <= found.process_bytes <= (HELD_MIB + 1024) * MIB
    assert found.used_bytes - before.used_bytes >= HELD_MIB * MIB
    assert after.used_bytes - before.used_bytes < HELD_MIB * MIB // 2


def test_what_others_do_on_the_gpu_of_an_idle_engine_is_told_and_what_the_engine_does_is_not(
    rig: GpuRig, probe: NvmlGpuProbe
) -> None:
    with rig.worker(64, is_busy=False) as engine, rig.worker(HELD_MIB, is_busy=True) as other:
        rig.rest(SETTLED_S)
        of_engine = foreign_gpu(samples_of(rig, probe, engine, 1.0))
        beside = rig.probe()  # another engine is asked for anew
        of_other = foreign_gpu(samples_of(rig, beside, other, 1.0))
        beside.close()
        say(f"\nbeside an idle engine: {of_engine}\nbeside the busy one: {of_other}")
        say(rig.smi_processes())

    if of_engine.share is None:
        pytest.skip(f"not told: {of_engine.unknown}")
    assert of_engine.gpu == 0
    assert of_engine.share > 0.5
    assert of_other.share is not None
    assert of_other.share < 0.2
    assert of_engine.vram_bytes is not None
    assert of_engine.vram_bytes >= HELD_MIB * MIB

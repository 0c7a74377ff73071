"""What holds of every reading of GPUs, scripted or real; and the real ones next to ``nvidia-smi``."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator

import pynvml
import pytest

from foundry_tui.domain.resources import GpuSample, GpuSamples
from foundry_tui.ports.machine import GpuProbe
from foundry_tui.resources.nvml import NvmlGpuProbe
from foundry_tui.resources.nvml_library import NvmlLibrary
from tests.support.scripted_nvml import (
    GPU_LOST,
    ScriptedGpu,
    ScriptedNvml,
    ScriptedNvmlError,
    hides_processes,
    mig_gpu,
    old_gpu,
    wddm_gpu,
)

PID = 4711
MIB = 1024 * 1024
SCRIPTS = {
    "none": ScriptedNvml(),
    "one": ScriptedNvml([ScriptedGpu()]),
    "two": ScriptedNvml([ScriptedGpu(name="A"), ScriptedGpu(name="B")]),
    "old": ScriptedNvml([old_gpu()]),
    "Windows": ScriptedNvml([wddm_gpu(PID)]),
    "hides processes": ScriptedNvml([hides_processes()]),
    "divided": ScriptedNvml([mig_gpu(ScriptedGpu(name="1g"), None, ScriptedGpu(name="3g"))]),
    "one cannot be opened": ScriptedNvml([ScriptedNvmlError(GPU_LOST), ScriptedGpu()]),
    "no driver": ScriptedNvml(init_error=ScriptedNvmlError(12)),
}
NULLABLE = tuple(
    name
    for name in GpuSample.__dataclass_fields__
    if name not in ("name", "total_bytes", "used_bytes", "missing")
)


@pytest.fixture(params=[*SCRIPTS, pytest.param("real", marks=pytest.mark.gpu)])
def probe(request: pytest.FixtureRequest) -> Iterator[GpuProbe]:
    probe = NvmlGpuProbe() if request.param == "real" else NvmlGpuProbe(SCRIPTS[request.param])
    yield probe
    probe.close()


@pytest.mark.parametrize("pid", [None, PID])
def test_there_are_gpus_or_a_reason_and_never_both(probe: GpuProbe, pid: int | None) -> None:
    samples = probe.sample(pid)

    assert bool(samples.gpus) != (samples.absence is not None)


@pytest.mark.parametrize("pid", [None, PID])
def test_what_cannot_be_had_has_a_reason_and_what_can_has_none(probe: GpuProbe, pid: int | None) -> None:
    for gpu in probe.sample(pid).gpus:
        unknown = {name for name in NULLABLE if getattr(gpu, name) is None}
        assert {each.field for each in gpu.missing} == unknown
        assert all(each.why for each in gpu.missing)


def test_readings_are_of_a_sensible_size(probe: GpuProbe) -> None:
    for gpu in probe.sample(None).gpus:
        assert 0 <= gpu.used_bytes <= gpu.total_bytes
        assert gpu.busy_share is None or 0 <= gpu.busy_share <= 1
        assert gpu.power_w is None or 0 < gpu.power_w < 5000
        assert gpu.temperature_c is None or 0 < gpu.temperature_c < 130


def test_the_energy_counter_never_goes_back(probe: GpuProbe) -> None:
    first, second = probe.sample(None), probe.sample(None)

    for before, after in zip(first.gpus, second.gpus, strict=True):
        assert (before.energy_j or 0) <= (after.energy_j or 0)


def test_after_its_end_it_says_so(probe: GpuProbe) -> None:
    probe.sample(None)

    probe.close()

    assert probe.sample(None) == GpuSamples(absence="GPU readings have ended")


def test_the_drivers_binding_has_every_function_that_is_asked_for() -> None:
    used = {name for part in NvmlLibrary.__mro__ for name in vars(part) if name.startswith("nvml")}

    assert len(used) > 15
    assert {name for name in used if not callable(getattr(pynvml, name, None))} == set()


@pytest.mark.gpu
def test_real_readings_are_those_of_nvidia_smi_at_the_same_moment(
    record_property: Callable[[str, object], None],
) -> None:
    program = shutil.which("nvidia-smi")
    if program is None:
        pytest.skip("there is no nvidia-smi to compare with")
    asked = "name,memory.total,memory.free,temperature.gpu,clocks.max.sm,power.limit"
    probe = NvmlGpuProbe()

    before = probe.sample(None).gpus
    told = subprocess.run(
        [program, f"--query-gpu={asked}", "--format=csv,noheader,nounits"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    after = probe.sample(None).gpus
    probe.close()

    for line, earlier, later in zip(told.splitlines(), before, after, strict=True):
        name, total, free, celsius, clock, limit = (part.strip() for part in line.split(","))
        record_property(line, repr(earlier))
        assert name == earlier.name
        assert abs(int(total) * MIB - earlier.total_bytes) <= MIB
        # Others may take or give back some between the three; what is free is told in whole MiB.
        free_bytes = sorted(gpu.total_bytes - gpu.used_bytes for gpu in (earlier, later))
        assert free_bytes[0] - 64 * MIB <= int(free) * MIB <= free_bytes[1] + 64 * MIB
        assert earlier.temperature_c is not None
        assert abs(int(celsius) - earlier.temperature_c) <= 3
        assert clock == f"{earlier.sm_clock_max_mhz:.0f}"
        if earlier.power_limit_w is not None:
            assert abs(float(limit) - earlier.power_limit_w) <= 1


@pytest.mark.gpu
def test_real_energy_is_about_the_power_over_its_time(record_property: Callable[[str, object], None]) -> None:
    probe = NvmlGpuProbe()
    first = probe.sample(None).gpus[0]
    began_s = time.perf_counter()
    if first.energy_j is None or first.power_w is None:
        pytest.skip("this GPU tells no energy or no power")

    last, powers_w = first, [first.power_w]
    while (took_s := time.perf_counter() - began_s) < 3:
        last = probe.sample(None).gpus[0]
        powers_w.append(last.power_w or 0)
    probe.close()

    counted_j = (last.energy_j or 0) - first.energy_j
    integrated_j = sum(powers_w) / len(powers_w) * took_s
    record_property("counted and integrated, J", (counted_j, integrated_j))
    assert 0.5 < counted_j / integrated_j < 2

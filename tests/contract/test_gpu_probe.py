"""What holds of every reading of GPUs, scripted or real; beside ``nvidia-smi``: test_gpu_beside_smi.py."""

from collections.abc import Iterator

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

"""What others did on the GPUs while a request was under way, by a scripted driver."""

from dataclasses import replace

import pytest

from foundry_tui.domain.resources import GpuSamples, HostSample, ResourceSample
from foundry_tui.metrics.request_conditions import request_conditions
from foundry_tui.reports.run_markdown import run_markdown
from foundry_tui.resources.nvml import NvmlGpuProbe
from tests.support.runs import a_request, a_run
from tests.support.scripted_nvml import (
    GIB,
    ScriptedGpu,
    ScriptedLoad,
    ScriptedMemory,
    ScriptedNvml,
    ScriptedProcess,
    hides_processes,
    mig_gpu,
    wddm_gpu,
)

S = 1_000_000_000
PID = 4711
HOST = HostSample(cpu_share=0.5, ram_total_bytes=1000, ram_used_bytes=300, process_rss_bytes=7)


def gpu_samples(*gpus: ScriptedGpu, host: HostSample = HOST) -> list[ResourceSample]:
    """Two ticks, a second apart."""
    probe = NvmlGpuProbe(ScriptedNvml(gpus), pid_namespace=None)
    return [ResourceSample(at_ns=at * S, late_ns=0, host=host, gpu=probe.sample(PID)) for at in range(2)]


def a_shared_gpu(*, others_percent: int, others_gib: int = 1) -> ScriptedGpu:
    """1 GiB of it is the engine's."""
    return ScriptedGpu(
        memory=ScriptedMemory(8 * GIB, (1 + others_gib) * GIB),
        computing=[ScriptedProcess(PID, GIB), ScriptedProcess(1, others_gib * GIB)],
        loads=[ScriptedLoad(PID, 55), ScriptedLoad(1, others_percent)],
    )


def test_others_use_of_the_gpus_is_that_of_the_gpu_they_use_most_and_their_memory_that_of_all() -> None:
    gpus = [a_shared_gpu(others_percent=5), a_shared_gpu(others_percent=40, others_gib=3)]

    found = request_conditions(gpu_samples(*gpus), begin_ns=0, end_ns=S, idle={}, is_alone=True)

    assert found is not None
    assert (found.foreign_gpu_share, found.foreign_gpu) == (0.4, 1)
    assert found.foreign_vram_bytes == 4 * GIB
    assert found.foreign_unknown is None


@pytest.mark.parametrize(
    ("gpu", "words"),
    [
        (
            wddm_gpu(PID),
            "load of GPU 0 by others: this GPU does not tell it; GPU memory of others:"
            " Windows manages the memory of this GPU (WDDM): nobody tells it by process",
        ),
        (
            hides_processes(),
            "load of GPU 0 by others: no permission to read it;"
            " GPU memory of others: no permission to read it",
        ),
        (
            mig_gpu(ScriptedGpu(name="1g")),
            "load of GPU 0 by others: of a divided GPU (MIG) the driver tells no load by process",
        ),
    ],
    ids=["WDDM", "no permission", "MIG"],
)
def test_what_cannot_be_known_of_others_is_named_and_told_in_the_report(gpu: ScriptedGpu, words: str) -> None:
    samples = gpu_samples(gpu)

    found = request_conditions(samples, begin_ns=0, end_ns=S, idle={}, is_alone=True)

    assert found is not None
    assert (found.foreign_gpu_share, found.foreign_gpu) == (None, None)
    assert found.foreign_unknown == words
    assert f"alpha: n/a: {words}" in run_markdown(a_run(), [replace(a_request(), conditions=found)])


def test_without_a_gpu_or_with_an_engine_elsewhere_nothing_is_unknown_of_others() -> None:
    no_gpu = [ResourceSample(at_ns=0, late_ns=0, host=HOST, gpu=GpuSamples(absence="no driver"))]
    elsewhere = gpu_samples(wddm_gpu(PID), host=replace(HOST, process_rss_bytes=None))

    for samples in (no_gpu, elsewhere):
        found = request_conditions(samples, begin_ns=0, end_ns=S, idle={}, is_alone=True)

        assert found is not None
        assert (found.foreign_gpu_share, found.foreign_vram_bytes, found.foreign_unknown) == (None,) * 3

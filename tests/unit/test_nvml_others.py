"""How busy others keep a GPU, on a scripted driver library."""

from collections.abc import Sequence

import pytest

from foundry_tui.domain.resources import GpuSample, why_missing
from foundry_tui.resources.missing import Unreadable
from foundry_tui.resources.nvml import NvmlGpuProbe
from foundry_tui.resources.nvml_others import OthersLoad
from tests.support.scripted_nvml import (
    NO_PERMISSION,
    NOT_SUPPORTED,
    ScriptedGpu,
    ScriptedLoad,
    ScriptedNvml,
    ScriptedNvmlError,
    mig_gpu,
    wddm_gpu,
)

PID = 4711
S = 1_000_000


class Clock:
    """The time of day, in microseconds."""

    def __init__(self) -> None:
        self.now_us = 1_800_000_000 * S

    def __call__(self) -> int:
        return self.now_us


def share_of(loads: Sequence[ScriptedLoad], *, own: Sequence[int] = (PID,)) -> float:
    gpu = ScriptedGpu(loads=loads)
    return OthersLoad().share(ScriptedNvml([gpu]), gpu, own, 0.9)


def sample_of(gpu: ScriptedGpu, pid: int | None = PID) -> GpuSample:
    (sample,) = NvmlGpuProbe(ScriptedNvml([gpu]), pid_namespace=None).sample(pid).gpus
    return sample


def test_each_others_mean_is_added_up_and_the_engines_own_is_left_out() -> None:
    loads = [
        *(ScriptedLoad(1, 10), ScriptedLoad(1, 30)),
        ScriptedLoad(2, 15),
        *(ScriptedLoad(PID, 90), ScriptedLoad(PID + 1, 80)),
    ]

    assert share_of(loads, own=(PID, PID + 1)) == pytest.approx(0.20 + 0.15)


def test_together_they_have_no_more_than_all_of_the_time() -> None:
    assert share_of([ScriptedLoad(1, 80), ScriptedLoad(2, 70)]) == 1.0


def test_nonsense_of_processes_that_have_ended_is_left_out() -> None:
    assert share_of([ScriptedLoad(1, 3_000_000), ScriptedLoad(2, 40)]) == pytest.approx(0.4)


def test_without_any_sample_an_idle_gpu_has_no_others_and_a_busy_one_is_not_known() -> None:
    gpu = ScriptedGpu(loads=())
    load, library = OthersLoad(), ScriptedNvml([gpu])

    assert load.share(library, gpu, (PID,), 0.0) == 0.0
    with pytest.raises(Unreadable, match="samples no process"):
        OthersLoad().share(library, gpu, (PID,), 0.4)


def test_a_binding_that_raises_success_where_there_is_no_sample_is_no_error() -> None:
    gpu = ScriptedGpu(loads=ScriptedNvmlError(0))

    assert OthersLoad().share(ScriptedNvml([gpu]), gpu, (PID,), 0.0) == 0.0


def test_the_driver_is_asked_once_a_second_and_anew_for_another_engine() -> None:
    clock, gpu = Clock(), ScriptedGpu(loads=[ScriptedLoad(1, 40)])
    library = ScriptedNvml([gpu])
    load = OthersLoad(unix_us=clock)

    found = []
    for tick in range(21):
        clock.now_us = 1_800_000_000 * S + tick * S // 10
        gpu.loads = [ScriptedLoad(1, 40 + tick)]
        found.append(load.share(library, gpu, (PID,), 0.9))
    load.share(library, gpu, (PID + 1,), 0.9)

    assert library.asked == ["load of processes"] * 4
    assert found == [*[0.4] * 10, *[0.5] * 10, 0.6]


def test_samples_older_than_two_seconds_are_of_another_time() -> None:
    clock = Clock()
    gpu = ScriptedGpu(
        loads=[ScriptedLoad(1, 90, clock.now_us - 3 * S), ScriptedLoad(2, 20, clock.now_us - S)]
    )

    found = OthersLoad(unix_us=clock).share(ScriptedNvml([gpu]), gpu, (PID,), 0.9)

    assert found == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("gpu", "why"),
    [
        (wddm_gpu(PID), "this GPU does not tell it"),
        (ScriptedGpu(loads=ScriptedNvmlError(NO_PERMISSION)), "no permission to read it"),
        (mig_gpu(ScriptedGpu()), "of a divided GPU (MIG) the driver tells no load by process"),
    ],
    ids=["WDDM", "no permission", "MIG"],
)
def test_where_it_cannot_be_told_the_reason_is_named_and_the_rest_is_read(gpu: ScriptedGpu, why: str) -> None:
    sample = sample_of(gpu)

    assert sample.foreign_busy_share is None
    assert why_missing(sample.missing, "foreign_busy_share") == why
    assert sample.busy_share is not None


def test_without_an_engine_nobody_is_another() -> None:
    sample = sample_of(ScriptedGpu(loads=[ScriptedLoad(1, 40)]), pid=None)

    assert why_missing(sample.missing, "foreign_busy_share") == "no engine of this machine runs"


def test_a_binding_that_misreads_samples_is_not_asked() -> None:
    gpu = ScriptedGpu(loads=[ScriptedLoad(1, 40)])
    library = ScriptedNvml([gpu])

    with pytest.raises(Unreadable, match="misreads"):
        OthersLoad(is_misread=True).share(library, gpu, (PID,), 0.9)

    assert library.asked == []


def test_what_is_not_supported_is_not_asked_for_again() -> None:
    library = ScriptedNvml([ScriptedGpu(loads=ScriptedNvmlError(NOT_SUPPORTED))])
    probe = NvmlGpuProbe(library, pid_namespace=None)

    for _ in range(3):
        probe.sample(PID)

    assert library.asked.count("load of processes") == 1

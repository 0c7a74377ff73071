"""GPUs, on a scripted driver library; and on whatever this machine has."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from foundry_tui.domain.resources import GpuSample, GpuSamples, Throttle, why_missing
from foundry_tui.ports.machine import GpuProbe
from foundry_tui.resources.nvml import NvmlGpuProbe
from tests.support.scripted_nvml import (
    GIB,
    GPU_LOST,
    NOT_SUPPORTED,
    ScriptedGpu,
    ScriptedLoad,
    ScriptedMemory,
    ScriptedNvml,
    ScriptedNvmlError,
    ScriptedProcess,
    hides_processes,
    mig_gpu,
    old_gpu,
    wddm_gpu,
)

PID = 4711
UNKNOWN = ScriptedNvmlError(NOT_SUPPORTED)


def process_bytes(gpu: ScriptedGpu) -> int | None:
    """What the probe says of ``PID`` on ``gpu``."""
    (sample,) = NvmlGpuProbe(ScriptedNvml([gpu]), pid_namespace=None).sample(PID).gpus
    return sample.process_bytes


def test_one_gpu_is_read_whole() -> None:
    gpu = ScriptedGpu(
        computing=[ScriptedProcess(1, 5), ScriptedProcess(PID, 2 * GIB)],
        loads=[ScriptedLoad(1, 25), ScriptedLoad(PID, 17)],
    )
    probe: GpuProbe = NvmlGpuProbe(ScriptedNvml([gpu]), pid_namespace=None, began=lambda pid: 4e9)
    gpu.memory = ScriptedMemory(8 * GIB, 2 * GIB)
    probe.sample(None)
    gpu.memory = ScriptedMemory(8 * GIB, 3 * GIB)

    assert probe.sample(PID) == GpuSamples(
        gpus=(
            GpuSample(
                name="RTX",
                total_bytes=8 * GIB,
                used_bytes=3 * GIB,
                process_bytes=2 * GIB,
                above_baseline_bytes=1 * GIB,
                busy_share=0.42,
                source="NVML",
                temperature_c=61,
                power_w=70.5,
                power_limit_w=300,
                energy_j=1234.567,
                sm_clock_mhz=1410,
                sm_clock_max_mhz=1980,
                memory_clock_mhz=1215,
                throttles=(),
                foreign_busy_share=0.25,
            ),
        )
    )


def test_two_gpus_keep_their_order_and_their_own_process_memory() -> None:
    gpus = [ScriptedGpu(name="A", computing=[ScriptedProcess(PID, 7)]), ScriptedGpu(name="B")]

    samples = NvmlGpuProbe(ScriptedNvml(gpus), pid_namespace=None).sample(PID)

    assert [(gpu.name, gpu.process_bytes) for gpu in samples.gpus] == [("A", 7), ("B", 0)]


def test_no_process_to_watch_is_no_process_memory() -> None:
    (gpu,) = NvmlGpuProbe(ScriptedNvml([ScriptedGpu()]), pid_namespace=None).sample(None).gpus

    assert gpu.process_bytes is None


def test_a_process_on_both_lists_counts_once() -> None:
    assert (
        process_bytes(ScriptedGpu(computing=[ScriptedProcess(PID, 7)], drawing=[ScriptedProcess(PID, 7)]))
        == 7
    )


def test_several_entries_on_one_list_add_up() -> None:
    assert process_bytes(ScriptedGpu(computing=[ScriptedProcess(PID, 7), ScriptedProcess(PID, 5)])) == 12


@pytest.mark.parametrize(
    "gpu",
    [
        pytest.param(ScriptedGpu(drawing=[ScriptedProcess(PID, None)]), id="Windows hides it"),
        pytest.param(ScriptedGpu(computing=[ScriptedProcess(1, None)]), id="everybody is hidden"),
        pytest.param(ScriptedGpu(computing=UNKNOWN), id="not supported"),
        pytest.param(ScriptedGpu(drawing=UNKNOWN), id="graphics not supported"),
    ],
)
def test_hidden_process_memory_is_unknown_and_not_zero(gpu: ScriptedGpu) -> None:
    assert process_bytes(gpu) is None


@pytest.mark.parametrize(
    ("namespace", "expected"),
    [("pid:[4026531836]", 7), ("pid:[4026532001]", None), (None, None)],
)
def test_in_a_container_the_drivers_pids_are_not_trusted(
    tmp_path: Path, namespace: str | None, expected: int | None
) -> None:
    link = tmp_path / "pid"
    if namespace is not None:
        link.symlink_to(namespace)
    library = ScriptedNvml([ScriptedGpu(computing=[ScriptedProcess(PID, 7)])])

    (gpu,) = NvmlGpuProbe(library, pid_namespace=link).sample(PID).gpus

    assert gpu.process_bytes == expected


def test_unreadable_load_leaves_the_memory_readable() -> None:
    (gpu,) = NvmlGpuProbe(ScriptedNvml([ScriptedGpu(busy_percent=UNKNOWN)])).sample(None).gpus

    assert gpu.busy_share is None
    assert gpu.used_bytes == 3 * GIB


@pytest.mark.parametrize(
    ("code", "phrase"),
    [
        (4, "no permission to read the NVIDIA GPU"),
        (9, "NVIDIA driver not loaded"),
        (12, "no NVIDIA driver library"),
        (18, "NVIDIA driver was updated: restart the machine"),
        (999, "NVIDIA driver error: code 999␛[31m"),
    ],
)
def test_each_reason_for_no_driver_has_its_words(code: int, phrase: str) -> None:
    probe = NvmlGpuProbe(ScriptedNvml(init_error=ScriptedNvmlError(code)))

    assert probe.sample(PID) == GpuSamples(absence=phrase)


def test_a_driver_without_devices_is_no_gpu() -> None:
    assert NvmlGpuProbe(ScriptedNvml()).sample(PID) == GpuSamples(absence="no NVIDIA GPU")


def test_an_error_of_another_kind_is_an_absence_too() -> None:
    probe = NvmlGpuProbe(ScriptedNvml(init_error=OSError("wrong ELF class")))

    assert probe.sample(PID) == GpuSamples(absence="NVIDIA driver error: wrong ELF class")


def test_an_absent_driver_is_asked_for_once() -> None:
    library = ScriptedNvml(init_error=ScriptedNvmlError(9))
    probe = NvmlGpuProbe(library)

    probe.sample(None)
    probe.sample(None)

    assert library.inits == 1


def test_a_gpu_that_is_lost_leaves_the_other_readable() -> None:
    gpus = [ScriptedGpu(name="A", memory=ScriptedNvmlError(15)), ScriptedGpu(name="B")]

    samples = NvmlGpuProbe(ScriptedNvml(gpus)).sample(None)

    assert [gpu.name for gpu in samples.gpus] == ["B"]
    assert samples.absence is None
    assert samples.troubles == ("A: NVIDIA GPU lost: restart the machine",)


def test_the_only_gpu_lost_is_an_absence_until_it_returns() -> None:
    gpu = ScriptedGpu(memory=ScriptedNvmlError(15))
    probe = NvmlGpuProbe(ScriptedNvml([gpu]))

    lost = probe.sample(None)
    gpu.memory = ScriptedMemory(8, 3)
    back = probe.sample(None)

    assert lost == GpuSamples(absence="NVIDIA GPU lost: restart the machine")
    assert [sample.used_bytes for sample in back.gpus] == [3]


def test_closing_lets_go_of_the_driver_once_and_ends_the_readings() -> None:
    library = ScriptedNvml([ScriptedGpu()])
    probe = NvmlGpuProbe(library)
    probe.sample(None)

    probe.close()
    probe.close()

    assert library.shutdowns == 1
    assert probe.sample(None) == GpuSamples(absence="GPU readings have ended")


def test_closing_without_a_driver_is_harmless() -> None:
    library = ScriptedNvml(init_error=ScriptedNvmlError(12))
    probe = NvmlGpuProbe(library)
    probe.sample(None)

    probe.close()

    assert library.shutdowns == 0


def test_on_this_machine_there_is_a_gpu_or_a_reason() -> None:
    probe = NvmlGpuProbe()

    samples = probe.sample(None)
    probe.close()

    assert bool(samples.gpus) != (samples.absence is not None)


def test_a_record_gets_the_gpus_and_their_driver() -> None:
    library = ScriptedNvml(gpus=[ScriptedGpu(name="RTX"), ScriptedGpu(name="H100")])
    probe = NvmlGpuProbe(library)

    facts = probe.facts()
    probe.close()

    assert facts == (("gpu", "RTX, H100"), ("gpu_driver", "550.54␛[31m"))
    assert (library.inits, library.shutdowns) == (1, 1)


def test_without_a_gpu_or_a_driver_a_record_has_nothing_of_them() -> None:
    assert NvmlGpuProbe(ScriptedNvml()).facts() == ()
    assert NvmlGpuProbe(ScriptedNvml(gpus=[ScriptedGpu()], init_error=ScriptedNvmlError(12))).facts() == ()


def gpu_of(gpu: ScriptedGpu, pid: int | None = PID) -> GpuSample:
    """The one reading of the one device that there is."""
    (sample,) = NvmlGpuProbe(ScriptedNvml([gpu]), pid_namespace=None).sample(pid).gpus
    return sample


@pytest.mark.parametrize(
    ("gpu", "why"),
    [
        pytest.param(
            wddm_gpu(PID),
            "Windows manages the memory of this GPU (WDDM): nobody tells it by process",
            id="Windows",
        ),
        pytest.param(hides_processes(), "no permission to read it", id="no permission"),
        pytest.param(ScriptedGpu(computing=UNKNOWN), "this GPU does not tell it", id="not supported"),
    ],
)
def test_where_memory_by_process_is_hidden_the_reason_is_named(gpu: ScriptedGpu, why: str) -> None:
    sample = gpu_of(gpu)

    assert sample.process_bytes is None
    assert why_missing(sample.missing, "process_bytes") == why


def test_without_an_engine_and_in_a_container_the_reason_is_named_too(tmp_path: Path) -> None:
    link = tmp_path / "pid"
    link.symlink_to("pid:[4026532001]")
    inside = NvmlGpuProbe(ScriptedNvml([ScriptedGpu()]), pid_namespace=link).sample(PID).gpus[0]

    assert (
        why_missing(gpu_of(ScriptedGpu(), None).missing, "process_bytes") == "no engine of this machine runs"
    )
    assert (
        why_missing(inside.missing, "process_bytes")
        == "in a container or WSL the driver counts processes otherwise"
    )


def test_what_an_old_card_does_not_tell_is_none_with_a_reason_and_the_rest_is_read() -> None:
    sample = gpu_of(old_gpu())

    assert (sample.power_w, sample.power_limit_w, sample.energy_j, sample.throttles) == (None,) * 4
    assert {
        each.field: each.why for each in sample.missing if each.field != "above_baseline_bytes"
    } == dict.fromkeys(("power_w", "power_limit_w", "energy_j", "throttles"), "this GPU does not tell it")
    assert sample.temperature_c == 61
    assert sample.sm_clock_mhz == 1410


def test_what_a_card_does_not_tell_is_not_asked_for_again_and_stays_named() -> None:
    library = ScriptedNvml([old_gpu()])
    probe = NvmlGpuProbe(library, pid_namespace=None)

    probe.sample(PID)
    (sample,) = probe.sample(PID).gpus

    assert library.asked.count("power") == 1
    assert library.asked.count("memory") == 2
    assert why_missing(sample.missing, "power_w") == "this GPU does not tell it"


def test_a_driver_that_was_too_slow_once_is_asked_again() -> None:
    gpu = ScriptedGpu(power_mw=ScriptedNvmlError(10))
    probe = NvmlGpuProbe(ScriptedNvml([gpu]), pid_namespace=None)

    (slow,) = probe.sample(None).gpus
    gpu.power_mw = 5000
    (well,) = probe.sample(None).gpus

    assert why_missing(slow.missing, "power_w") == "the driver did not answer in time"
    assert well.power_w == 5


@pytest.mark.parametrize(
    ("bits", "throttles"),
    [
        (0x0, ()),
        (0x1, ()),
        (0x4 | 0x20, (Throttle.POWER_LIMIT, Throttle.HEAT)),
        (0x8 | 0x40, (Throttle.HARDWARE, Throttle.HEAT_HARDWARE)),
        (0x1 | 0x400, (Throttle.OTHER,)),
    ],
)
def test_what_holds_the_clocks_down_is_told_and_idling_is_none_of_it(
    bits: int, throttles: tuple[Throttle, ...]
) -> None:
    assert gpu_of(ScriptedGpu(throttle_bits=bits)).throttles == throttles


def test_a_divided_gpu_is_its_instances_with_the_heat_of_the_board_and_no_power_of_their_own() -> None:
    board = mig_gpu(
        ScriptedGpu(name="H100 MIG 1g.10gb", busy_percent=UNKNOWN, computing=[ScriptedProcess(PID, 7)]),
        None,
        ScriptedGpu(name="H100 MIG 3g.40gb", busy_percent=UNKNOWN, celsius=UNKNOWN),
    )
    board.celsius = 70

    samples = NvmlGpuProbe(ScriptedNvml([board]), pid_namespace=None).sample(PID)

    assert [(gpu.name, gpu.process_bytes) for gpu in samples.gpus] == [
        ("H100 MIG 1g.10gb", 7),
        ("H100 MIG 3g.40gb", 0),
    ]
    assert {gpu.temperature_c for gpu in samples.gpus} == {70}
    assert {gpu.power_w for gpu in samples.gpus} == {None}
    assert {why_missing(gpu.missing, "energy_j") for gpu in samples.gpus} == {
        "of the whole GPU only, not of one of its instances (MIG)"
    }


def test_a_divided_gpu_of_which_nothing_is_ours_is_read_as_a_whole() -> None:
    assert gpu_of(mig_gpu(None, None)).name == "H100"


def test_a_gpu_that_cannot_even_be_opened_leaves_the_other_readable_and_is_named() -> None:
    library = ScriptedNvml([ScriptedNvmlError(GPU_LOST), ScriptedGpu(name="B")])

    samples = NvmlGpuProbe(library).sample(None)

    assert [gpu.name for gpu in samples.gpus] == ["B"]
    assert samples.troubles == ("GPU 0: NVIDIA GPU lost: restart the machine",)


def test_a_gpu_that_is_lost_in_the_middle_is_named_and_its_neighbour_goes_on() -> None:
    lost, well = ScriptedGpu(name="A"), ScriptedGpu(name="B")
    probe = NvmlGpuProbe(ScriptedNvml([lost, well]), pid_namespace=None)

    before = probe.sample(None)
    lost.lose()
    after = probe.sample(None)

    assert [gpu.name for gpu in before.gpus] == ["A", "B"]
    assert before.troubles == ()
    assert [gpu.name for gpu in after.gpus] == ["B"]
    assert after.troubles == ("A: NVIDIA GPU lost: restart the machine",)


# What is in use above what was before the engine


def above(
    used_gib: list[float], *, began: Callable[[int], float | None], watched_from: int
) -> list[tuple[float | None, str | None]]:
    """What each reading has above the baseline, in GiB, and why it has none."""
    gpu = wddm_gpu(PID)
    probe = NvmlGpuProbe(ScriptedNvml([gpu]), pid_namespace=None, began=began)
    found: list[tuple[float | None, str | None]] = []
    for number, used in enumerate(used_gib):
        gpu.memory = ScriptedMemory(8 * GIB, int(used * GIB))
        (sample,) = probe.sample(PID if number >= watched_from else None).gpus
        above_bytes = sample.above_baseline_bytes
        found.append(
            (
                None if above_bytes is None else above_bytes / GIB,
                why_missing(sample.missing, "above_baseline_bytes"),
            )
        )
    return found


NEVER_READ = "the GPU was not read before the engine began"


def test_above_the_baseline_is_what_came_since_the_last_reading_before_the_engine() -> None:
    found = above([1, 1.5, 4, 6, 1], began=lambda pid: 4e9, watched_from=2)

    assert found == [(None, NEVER_READ), (None, NEVER_READ), (2.5, None), (4.5, None), (0, None)]


def test_an_engine_that_was_there_long_before_the_first_reading_has_no_baseline() -> None:
    assert above([4, 5], began=lambda pid: 0.0, watched_from=0) == [(None, NEVER_READ)] * 2


def test_an_engine_of_which_nobody_knows_when_it_began_has_no_baseline() -> None:
    assert above([1, 5], began=lambda pid: None, watched_from=1)[1] == (None, NEVER_READ)


def test_an_engine_that_has_just_begun_has_nothing_on_the_gpu_yet() -> None:
    assert above([1, 5], began=lambda pid: time.time() - 0.5, watched_from=0) == [(0, None), (4, None)]

"""GPUs, on a made-up driver library; and on whatever this machine has."""
# ruff: noqa: N802 - the names of the library's functions are its own

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from foundry_tui.domain.resources import GpuSample, GpuSamples
from foundry_tui.ports.machine import GpuProbe
from foundry_tui.resources.nvml import NvmlGpuProbe

GIB = 1024**3
PID = 4711


class FakeNvmlError(Exception):
    """Carries the driver's number, as pynvml's own errors do."""

    def __init__(self, value: int) -> None:
        super().__init__(f"code {value}\x1b[31m")
        self.value = value


@dataclass(frozen=True)
class FakeMemory:
    total: int
    used: int


@dataclass(frozen=True)
class FakeUtilization:
    gpu: int


@dataclass(frozen=True)
class FakeProcess:
    pid: int
    usedGpuMemory: int | None  # noqa: N815 - the library's name


@dataclass
class FakeGpu:
    name: str = "RTX"
    memory: FakeMemory | FakeNvmlError = field(default_factory=lambda: FakeMemory(8 * GIB, 3 * GIB))
    busy_percent: int | None = 42
    computing: list[FakeProcess] | None = field(default_factory=list[FakeProcess])
    drawing: list[FakeProcess] | None = field(default_factory=list[FakeProcess])


@dataclass
class FakeLibrary:
    gpus: list[FakeGpu] = field(default_factory=list[FakeGpu])
    init_error: Exception | None = None
    inits: int = 0
    shutdowns: int = 0

    def nvmlInit(self) -> None:
        self.inits += 1
        if self.init_error is not None:
            raise self.init_error

    def nvmlShutdown(self) -> None:
        self.shutdowns += 1

    def nvmlDeviceGetCount(self) -> int:
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int, /) -> object:
        return index

    def _gpu(self, handle: object) -> FakeGpu:
        assert isinstance(handle, int)
        return self.gpus[handle]

    def nvmlDeviceGetName(self, handle: object, /) -> str:
        return self._gpu(handle).name

    def nvmlDeviceGetMemoryInfo(self, handle: object, /) -> FakeMemory:
        memory = self._gpu(handle).memory
        if isinstance(memory, FakeNvmlError):
            raise memory
        return memory

    def nvmlDeviceGetUtilizationRates(self, handle: object, /) -> FakeUtilization:
        busy_percent = self._gpu(handle).busy_percent
        if busy_percent is None:
            raise FakeNvmlError(3)
        return FakeUtilization(busy_percent)

    def nvmlDeviceGetComputeRunningProcesses(self, handle: object, /) -> Sequence[FakeProcess]:
        computing = self._gpu(handle).computing
        if computing is None:
            raise FakeNvmlError(3)
        return computing

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: object, /) -> Sequence[FakeProcess]:
        drawing = self._gpu(handle).drawing
        if drawing is None:
            raise FakeNvmlError(3)
        return drawing


def process_bytes(gpu: FakeGpu) -> int | None:
    """What the probe says of ``PID`` on ``gpu``."""
    (sample,) = NvmlGpuProbe(FakeLibrary([gpu]), pid_namespace=None).sample(PID).gpus
    return sample.process_bytes


def test_one_gpu_is_read_whole() -> None:
    gpu = FakeGpu(computing=[FakeProcess(1, 5), FakeProcess(PID, 2 * GIB)])
    probe: GpuProbe = NvmlGpuProbe(FakeLibrary([gpu]), pid_namespace=None)

    assert probe.sample(PID) == GpuSamples(
        gpus=(
            GpuSample(
                name="RTX",
                total_bytes=8 * GIB,
                used_bytes=3 * GIB,
                process_bytes=2 * GIB,
                busy_share=0.42,
            ),
        )
    )


def test_two_gpus_keep_their_order_and_their_own_process_memory() -> None:
    gpus = [FakeGpu(name="A", computing=[FakeProcess(PID, 7)]), FakeGpu(name="B")]

    samples = NvmlGpuProbe(FakeLibrary(gpus), pid_namespace=None).sample(PID)

    assert [(gpu.name, gpu.process_bytes) for gpu in samples.gpus] == [("A", 7), ("B", 0)]


def test_no_process_to_watch_is_no_process_memory() -> None:
    (gpu,) = NvmlGpuProbe(FakeLibrary([FakeGpu()]), pid_namespace=None).sample(None).gpus

    assert gpu.process_bytes is None


def test_a_process_on_both_lists_counts_once() -> None:
    assert process_bytes(FakeGpu(computing=[FakeProcess(PID, 7)], drawing=[FakeProcess(PID, 7)])) == 7


def test_several_entries_on_one_list_add_up() -> None:
    assert process_bytes(FakeGpu(computing=[FakeProcess(PID, 7), FakeProcess(PID, 5)])) == 12


@pytest.mark.parametrize(
    "gpu",
    [
        pytest.param(FakeGpu(drawing=[FakeProcess(PID, None)]), id="Windows hides it"),
        pytest.param(FakeGpu(computing=[FakeProcess(1, None)]), id="everybody is hidden"),
        pytest.param(FakeGpu(computing=None), id="not supported"),
        pytest.param(FakeGpu(drawing=None), id="graphics not supported"),
    ],
)
def test_hidden_process_memory_is_unknown_and_not_zero(gpu: FakeGpu) -> None:
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
    library = FakeLibrary([FakeGpu(computing=[FakeProcess(PID, 7)])])

    (gpu,) = NvmlGpuProbe(library, pid_namespace=link).sample(PID).gpus

    assert gpu.process_bytes == expected


def test_unreadable_load_leaves_the_memory_readable() -> None:
    (gpu,) = NvmlGpuProbe(FakeLibrary([FakeGpu(busy_percent=None)])).sample(None).gpus

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
    probe = NvmlGpuProbe(FakeLibrary(init_error=FakeNvmlError(code)))

    assert probe.sample(PID) == GpuSamples(absence=phrase)


def test_a_driver_without_devices_is_no_gpu() -> None:
    assert NvmlGpuProbe(FakeLibrary()).sample(PID) == GpuSamples(absence="no NVIDIA GPU")


def test_an_error_of_another_kind_is_an_absence_too() -> None:
    probe = NvmlGpuProbe(FakeLibrary(init_error=OSError("wrong ELF class")))

    assert probe.sample(PID) == GpuSamples(absence="NVIDIA driver error: wrong ELF class")


def test_an_absent_driver_is_asked_for_once() -> None:
    library = FakeLibrary(init_error=FakeNvmlError(9))
    probe = NvmlGpuProbe(library)

    probe.sample(None)
    probe.sample(None)

    assert library.inits == 1


def test_a_gpu_that_is_lost_leaves_the_other_readable() -> None:
    gpus = [FakeGpu(name="A", memory=FakeNvmlError(15)), FakeGpu(name="B")]

    samples = NvmlGpuProbe(FakeLibrary(gpus)).sample(None)

    assert [gpu.name for gpu in samples.gpus] == ["B"]
    assert samples.absence is None


def test_the_only_gpu_lost_is_an_absence_until_it_returns() -> None:
    gpu = FakeGpu(memory=FakeNvmlError(15))
    probe = NvmlGpuProbe(FakeLibrary([gpu]))

    lost = probe.sample(None)
    gpu.memory = FakeMemory(8, 3)
    back = probe.sample(None)

    assert lost == GpuSamples(absence="NVIDIA GPU lost: restart the machine")
    assert [sample.used_bytes for sample in back.gpus] == [3]


def test_closing_lets_go_of_the_driver_once_and_ends_the_readings() -> None:
    library = FakeLibrary([FakeGpu()])
    probe = NvmlGpuProbe(library)
    probe.sample(None)

    probe.close()
    probe.close()

    assert library.shutdowns == 1
    assert probe.sample(None) == GpuSamples(absence="GPU readings have ended")


def test_closing_without_a_driver_is_harmless() -> None:
    library = FakeLibrary(init_error=FakeNvmlError(12))
    probe = NvmlGpuProbe(library)
    probe.sample(None)

    probe.close()

    assert library.shutdowns == 0


def test_on_this_machine_there_is_a_gpu_or_a_reason() -> None:
    probe = NvmlGpuProbe()

    samples = probe.sample(None)
    probe.close()

    assert bool(samples.gpus) != (samples.absence is not None)

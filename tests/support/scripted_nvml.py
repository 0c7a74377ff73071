"""NVML as a script: GPUs of any kind, any number and any ailment, without a driver."""
# ruff: noqa: N802, N815 - the names of the library's functions and fields are its own

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

__all__ = [
    "GIB",
    "GPU_LOST",
    "NOT_FOUND",
    "NOT_SUPPORTED",
    "NO_PERMISSION",
    "ScriptedGpu",
    "ScriptedLoad",
    "ScriptedMemory",
    "ScriptedNvml",
    "ScriptedNvmlError",
    "ScriptedProcess",
    "hides_processes",
    "mig_gpu",
    "old_gpu",
    "wddm_gpu",
]

T = TypeVar("T")

GIB = 1024**3
NOT_SUPPORTED, NO_PERMISSION, NOT_FOUND, GPU_LOST = 3, 4, 6, 15


class ScriptedNvmlError(Exception):
    """Carries the driver's number, as pynvml's own errors do."""

    def __init__(self, value: int) -> None:
        super().__init__(f"code {value}\x1b[31m")
        self.value = value


@dataclass(frozen=True)
class ScriptedMemory:
    total: int
    used: int


@dataclass(frozen=True)
class ScriptedUtilization:
    gpu: int


@dataclass(frozen=True)
class ScriptedProcess:
    """``usedGpuMemory`` is None where Windows manages the memory."""

    pid: int
    usedGpuMemory: int | None


@dataclass(frozen=True)
class ScriptedLoad:
    """``timeStamp`` is newer than any question unless a test says otherwise."""

    pid: int
    smUtil: int
    timeStamp: int = 2**62


@dataclass
class ScriptedGpu:
    """One GPU, or one instance of a divided one.  Any reading can be an error, which is what it then raises.

    Attributes:
        instances: What it is divided into; None if it cannot be divided.  An entry that is None is nobody's.
        loads: By process; empty is that the driver has sampled none.
        throttle_bits: As the driver gives them; 1 is idle.
    """

    name: str = "RTX"
    memory: ScriptedMemory | ScriptedNvmlError = field(
        default_factory=lambda: ScriptedMemory(8 * GIB, 3 * GIB)
    )
    busy_percent: int | ScriptedNvmlError = 42
    computing: Sequence[ScriptedProcess] | ScriptedNvmlError = ()
    drawing: Sequence[ScriptedProcess] | ScriptedNvmlError = ()
    loads: Sequence[ScriptedLoad] | ScriptedNvmlError = (ScriptedLoad(1, 0),)
    power_mw: int | ScriptedNvmlError = 70_500
    power_limit_mw: int | ScriptedNvmlError = 300_000
    energy_mj: int | ScriptedNvmlError = 1_234_567
    celsius: int | ScriptedNvmlError = 61
    clocks_mhz: dict[int, int] | ScriptedNvmlError = field(default_factory=lambda: {1: 1410, 2: 1215})
    max_clocks_mhz: dict[int, int] | ScriptedNvmlError = field(default_factory=lambda: {1: 1980, 2: 2619})
    throttle_bits: int | ScriptedNvmlError = 0
    instances: Sequence["ScriptedGpu | None"] | None = None

    def lose(self) -> None:
        """From now on it answers nothing, as one that fell off the bus."""
        lost = ScriptedNvmlError(GPU_LOST)
        self.memory = self.busy_percent = self.computing = self.drawing = self.power_mw = lost
        self.loads = lost
        self.power_limit_mw = self.energy_mj = self.celsius = self.throttle_bits = lost
        self.clocks_mhz = self.max_clocks_mhz = lost


@dataclass
class ScriptedNvml:
    """Implements ``resources.nvml_library.NvmlLibrary``.

    Attributes:
        inits: How often it was opened.
        shutdowns: How often it was let go of.
        asked: Name of every function that reads a device, in order.
    """

    gpus: Sequence[ScriptedGpu | ScriptedNvmlError] = ()
    init_error: Exception | None = None
    inits: int = 0
    shutdowns: int = 0
    asked: list[str] = field(default_factory=list[str])

    def nvmlInit(self) -> None:
        self.inits += 1
        if self.init_error is not None:
            raise self.init_error

    def nvmlShutdown(self) -> None:
        self.shutdowns += 1

    def nvmlSystemGetDriverVersion(self) -> str:
        return "550.54\x1b[31m"

    def nvmlDeviceGetCount(self) -> int:
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int, /) -> object:
        return _told(self.gpus[index])

    def nvmlDeviceGetName(self, handle: object, /) -> str:
        return _gpu(handle).name

    def nvmlDeviceGetMemoryInfo(self, handle: object, /) -> ScriptedMemory:
        return self._read("memory", _gpu(handle).memory)

    def nvmlDeviceGetUtilizationRates(self, handle: object, /) -> ScriptedUtilization:
        return ScriptedUtilization(self._read("utilization", _gpu(handle).busy_percent))

    def nvmlDeviceGetComputeRunningProcesses(self, handle: object, /) -> Sequence[ScriptedProcess]:
        return self._read("computing", _gpu(handle).computing)

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: object, /) -> Sequence[ScriptedProcess]:
        return self._read("drawing", _gpu(handle).drawing)

    def nvmlDeviceGetProcessUtilization(self, handle: object, since_us: int, /) -> Sequence[ScriptedLoad]:
        loads = [
            one for one in self._read("load of processes", _gpu(handle).loads) if one.timeStamp > since_us
        ]
        if not loads:
            raise ScriptedNvmlError(NOT_FOUND)
        return loads

    def nvmlDeviceGetTemperature(self, handle: object, sensor: int, /) -> float:
        assert sensor == 0, "a GPU has one sensor that every driver knows"
        return self._read("temperature", _gpu(handle).celsius)

    def nvmlDeviceGetPowerUsage(self, handle: object, /) -> int:
        return self._read("power", _gpu(handle).power_mw)

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: object, /) -> int:
        return self._read("power limit", _gpu(handle).power_limit_mw)

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: object, /) -> int:
        return self._read("energy", _gpu(handle).energy_mj)

    def nvmlDeviceGetClockInfo(self, handle: object, clock: int, /) -> int:
        return self._read("clock", _gpu(handle).clocks_mhz)[clock]

    def nvmlDeviceGetMaxClockInfo(self, handle: object, clock: int, /) -> int:
        return self._read("clock at most", _gpu(handle).max_clocks_mhz)[clock]

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: object, /) -> int:
        return self._read("throttle", _gpu(handle).throttle_bits)

    def nvmlDeviceGetMigMode(self, handle: object, /) -> Sequence[int]:
        if _gpu(handle).instances is None:
            raise ScriptedNvmlError(NOT_SUPPORTED)
        return [1, 1]

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: object, /) -> int:
        return len(_gpu(handle).instances or ())

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: object, index: int, /) -> object:
        instance = (_gpu(handle).instances or ())[index]
        if instance is None:
            raise ScriptedNvmlError(NOT_FOUND)
        return instance

    def _read(self, what: str, value: T | ScriptedNvmlError) -> T:
        self.asked.append(what)
        return _told(value)


def old_gpu() -> ScriptedGpu:
    """A card from before Volta, or of a laptop: no energy counter, no power, no throttle reasons."""
    unknown = ScriptedNvmlError(NOT_SUPPORTED)
    return ScriptedGpu(
        name="GTX", power_mw=unknown, power_limit_mw=unknown, energy_mj=unknown, throttle_bits=unknown
    )


def wddm_gpu(pid: int) -> ScriptedGpu:
    """A card of a Windows desktop: who is on it is told, how much of it each has is not."""
    return ScriptedGpu(
        name="RTX (WDDM)",
        computing=[ScriptedProcess(pid, None)],
        drawing=[ScriptedProcess(1, None)],
        loads=ScriptedNvmlError(NOT_SUPPORTED),
    )


def hides_processes() -> ScriptedGpu:
    """A card whose processes only an administrator may see."""
    refused = ScriptedNvmlError(NO_PERMISSION)
    return ScriptedGpu(computing=refused, drawing=refused, loads=refused)


def mig_gpu(*instances: ScriptedGpu | None) -> ScriptedGpu:
    """A card that is divided: only its instances tell who uses what."""
    unknown = ScriptedNvmlError(NOT_SUPPORTED)
    return ScriptedGpu(name="H100", busy_percent=unknown, instances=instances)


def _gpu(handle: object) -> ScriptedGpu:
    assert isinstance(handle, ScriptedGpu)
    return handle


def _told(value: T | ScriptedNvmlError) -> T:
    if isinstance(value, ScriptedNvmlError):
        raise value
    return value

"""What is used of NVIDIA's library (NVML), and what its errors mean."""
# ruff: noqa: N802 - the names of the library's functions are its own

from collections.abc import Sequence
from typing import Protocol

from foundry_tui.domain.text import clean_line

__all__ = [
    "ABSENCES",
    "GPU_DIE",
    "GPU_LOST",
    "NOT_FOUND",
    "PERMANENT",
    "NvmlLibrary",
    "NvmlMemory",
    "NvmlProcess",
    "NvmlProcessLoad",
    "NvmlUtilization",
    "ThermalLibrary",
    "absence_of",
    "code_of",
    "reading_words",
]

# nvmlReturn_t, which the driver never renumbers.
_NOT_SUPPORTED = 3
_NO_PERMISSION = 4
NOT_FOUND = 6
_DRIVER_NOT_LOADED = 9
_TIMEOUT = 10
_LIBRARY_NOT_FOUND = 12
_FUNCTION_NOT_FOUND = 13
GPU_LOST = 15
_VERSION_MISMATCH = 18
ABSENCES = {
    _NOT_SUPPORTED: "the NVIDIA driver does not tell the memory of this GPU",
    _NO_PERMISSION: "no permission to read the NVIDIA GPU",
    NOT_FOUND: "no NVIDIA GPU",
    _DRIVER_NOT_LOADED: "NVIDIA driver not loaded",
    _LIBRARY_NOT_FOUND: "no NVIDIA driver library",
    GPU_LOST: "NVIDIA GPU lost: restart the machine",
    _VERSION_MISMATCH: "NVIDIA driver was updated: restart the machine",
}
_WORDS = {
    _NOT_SUPPORTED: "this GPU does not tell it",
    _NO_PERMISSION: "no permission to read it",
    NOT_FOUND: "this GPU does not tell it",
    _TIMEOUT: "the driver did not answer in time",
    _FUNCTION_NOT_FOUND: "the NVIDIA driver is too old for it",
}
PERMANENT = frozenset({_NOT_SUPPORTED, _NO_PERMISSION, _FUNCTION_NOT_FOUND})
"""What stays as it is, so that it is not asked for again."""
GPU_DIE = 0
"""NVML_TEMPERATURE_GPU, the one sensor that every driver has."""
_CHARACTERS = 80


class NvmlMemory(Protocol):
    """Bytes; the driver's own part counts as used."""

    @property
    def total(self) -> int:
        """Of the device."""
        ...

    @property
    def used(self) -> int:
        """By everybody."""
        ...


class NvmlUtilization(Protocol):
    """Percent of the driver's last sampling period."""

    @property
    def gpu(self) -> int:
        """In which anything ran."""
        ...


class NvmlProcess(Protocol):
    """One process on a GPU."""

    @property
    def pid(self) -> int:
        """As the driver counts processes."""
        ...

    @property
    def usedGpuMemory(self) -> int | None:
        """Bytes; None where another than the driver manages them, as Windows does."""
        ...


class NvmlProcessLoad(Protocol):
    """How busy one process has kept a GPU, in one of the driver's sampling periods."""

    @property
    def pid(self) -> int:
        """As the driver counts processes."""
        ...

    @property
    def timeStamp(self) -> int:
        """Microseconds of the time of day."""
        ...

    @property
    def smUtil(self) -> int:
        """Percent of the period in which it computed or drew; of processes that have ended also nonsense."""
        ...


class ThermalLibrary(Protocol):
    """What is used of the module ``pynvml`` for heat."""

    def nvmlInit(self) -> None:
        """Open the driver; more than once is counted."""
        ...

    def nvmlDeviceGetCount(self) -> int:
        """Number of GPUs."""
        ...

    def nvmlDeviceGetHandleByIndex(self, index: int, /) -> object:
        """The handle of one GPU, from 0."""
        ...

    def nvmlDeviceGetName(self, handle: object, /) -> str:
        """Product name."""
        ...

    def nvmlDeviceGetTemperature(self, handle: object, sensor: int, /) -> float:
        """Degrees Celsius."""
        ...


class NvmlLibrary(ThermalLibrary, Protocol):
    """What is used of the module ``pynvml``; errors carry the driver's number in ``value``."""

    def nvmlShutdown(self) -> None:
        """Let go of the driver."""
        ...

    def nvmlSystemGetDriverVersion(self) -> str:
        """Of the driver, such as 550.54.15."""
        ...

    def nvmlDeviceGetMemoryInfo(self, handle: object, /) -> NvmlMemory:
        """Bytes of the whole device, or of the instance."""
        ...

    def nvmlDeviceGetUtilizationRates(self, handle: object, /) -> NvmlUtilization:
        """Percent of the last sampling period."""
        ...

    def nvmlDeviceGetComputeRunningProcesses(self, handle: object, /) -> Sequence[NvmlProcess]:
        """Processes that compute."""
        ...

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: object, /) -> Sequence[NvmlProcess]:
        """Processes that draw."""
        ...

    def nvmlDeviceGetProcessUtilization(self, handle: object, since_us: int, /) -> Sequence[NvmlProcessLoad]:
        """Samples of processes after that time of day; NOT_FOUND where there are none."""
        ...

    def nvmlDeviceGetPowerUsage(self, handle: object, /) -> int:
        """Milliwatts, of the whole board."""
        ...

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: object, /) -> int:
        """Milliwatts."""
        ...

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: object, /) -> int:
        """Millijoules since the driver was loaded; from Volta on."""
        ...

    def nvmlDeviceGetClockInfo(self, handle: object, clock: int, /) -> int:
        """MHz, now."""
        ...

    def nvmlDeviceGetMaxClockInfo(self, handle: object, clock: int, /) -> int:
        """MHz, at most."""
        ...

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: object, /) -> int:
        """A bit for each reason."""
        ...

    def nvmlDeviceGetMigMode(self, handle: object, /) -> Sequence[int]:
        """Whether the device is divided, now and after the next reset."""
        ...

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: object, /) -> int:
        """How many instances it can be divided into."""
        ...

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: object, index: int, /) -> object:
        """The handle of one instance; NOT_FOUND where there is none of that number."""
        ...


def code_of(error: Exception) -> int | None:
    """The driver's number; None of errors that are not the driver's."""
    code = getattr(error, "value", None)
    return code if isinstance(code, int) else None


def absence_of(error: Exception) -> str:
    """Why a GPU, or all of them, cannot be read."""
    code = code_of(error)
    known = None if code is None else ABSENCES.get(code)
    return known or f"NVIDIA driver error: {clean_line(str(error), _CHARACTERS)}"


def reading_words(error: Exception) -> str:
    """Why one reading of a GPU cannot be had."""
    code = code_of(error)
    known = None if code is None else _WORDS.get(code)
    return known or f"NVIDIA driver error: {clean_line(str(error), _CHARACTERS)}"

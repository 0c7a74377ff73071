"""NVIDIA GPUs, read through the driver's own library (NVML)."""
# ruff: noqa: N802 - the names of the library's functions are its own

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from foundry_tui.domain.resources import GpuSample, GpuSamples
from foundry_tui.domain.text import clean_line

__all__ = ["NvmlGpuProbe", "NvmlLibrary"]

# nvmlReturn_t, which the driver never renumbers.
_NO_PERMISSION = 4
_NOT_FOUND = 6
_DRIVER_NOT_LOADED = 9
_LIBRARY_NOT_FOUND = 12
_GPU_LOST = 15
_VERSION_MISMATCH = 18
_ABSENCES = {
    _NO_PERMISSION: "no permission to read the NVIDIA GPU",
    _NOT_FOUND: "no NVIDIA GPU",
    _DRIVER_NOT_LOADED: "NVIDIA driver not loaded",
    _LIBRARY_NOT_FOUND: "no NVIDIA driver library",
    _GPU_LOST: "NVIDIA GPU lost: restart the machine",
    _VERSION_MISMATCH: "NVIDIA driver was updated: restart the machine",
}
# The inode number that the kernel gives the first process namespace (PROC_PID_INIT_INO).
_FIRST_NAMESPACE = "pid:[4026531836]"


class _Memory(Protocol):
    @property
    def total(self) -> int: ...
    @property
    def used(self) -> int: ...


class _Utilization(Protocol):
    @property
    def gpu(self) -> int: ...


class _Process(Protocol):
    @property
    def pid(self) -> int: ...
    @property
    def usedGpuMemory(self) -> int | None: ...


class NvmlLibrary(Protocol):
    """What is used of the module ``pynvml``; errors carry the driver's number in ``value``."""

    def nvmlInit(self) -> None:
        """Open the driver."""
        ...

    def nvmlShutdown(self) -> None:
        """Let go of the driver."""
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

    def nvmlDeviceGetMemoryInfo(self, handle: object, /) -> _Memory:
        """Bytes of the whole device."""
        ...

    def nvmlDeviceGetUtilizationRates(self, handle: object, /) -> _Utilization:
        """Percent of the last sampling period."""
        ...

    def nvmlDeviceGetComputeRunningProcesses(self, handle: object, /) -> Sequence[_Process]:
        """Processes that compute."""
        ...

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: object, /) -> Sequence[_Process]:
        """Processes that draw."""
        ...


class NvmlGpuProbe:
    """Reads every NVIDIA GPU; opens the driver at the first sample, in the caller's thread.

    Args:
        library: In place of ``pynvml``, which is imported at the first sample.
        pid_namespace: Where Linux names our process namespace; None where pids are always the driver's.
    """

    def __init__(
        self,
        library: NvmlLibrary | None = None,
        *,
        pid_namespace: Path | None = Path("/proc/self/ns/pid") if sys.platform == "linux" else None,
    ) -> None:
        self._library = library
        self._pid_namespace = pid_namespace
        self._handles: list[object] = []
        self._is_open = False
        self._absence: str | None = None

    def sample(self, pid: int | None) -> GpuSamples:
        """One reading of every GPU that answers; a reason instead if none does."""
        if not self._is_open and self._absence is None:
            self._absence = self._open()
        library = self._library
        if self._absence is not None or library is None:
            return GpuSamples(absence=self._absence)
        gpus: list[GpuSample] = []
        trouble: str | None = None
        for handle in self._handles:
            try:
                gpus.append(self._read(library, handle, pid))
            except Exception as error:  # noqa: BLE001 - border: pynvml raises its own and ctypes' errors
                trouble = _absence(error)
        return GpuSamples(gpus=tuple(gpus), absence=None if gpus else trouble)

    def close(self) -> None:
        """Let go of the driver; later samples say that the readings have ended."""
        if self._is_open and self._library is not None:
            self._is_open = False
            with contextlib.suppress(Exception):  # a driver that is gone is as good as closed
                self._library.nvmlShutdown()
        self._handles = []
        self._absence = "GPU readings have ended"

    def _open(self) -> str | None:
        """Why there is nothing to read, or None.  Asked once: a driver does not appear by itself."""
        try:
            if self._library is None:
                import pynvml  # here and not above: most machines never need it before the first frame

                self._library = pynvml
            self._library.nvmlInit()
            self._is_open = True
            count = self._library.nvmlDeviceGetCount()
            self._handles = [self._library.nvmlDeviceGetHandleByIndex(index) for index in range(count)]
        except ImportError:
            return "NVIDIA readings are not installed"
        except Exception as error:  # noqa: BLE001 - border: pynvml raises its own and ctypes' errors
            return _absence(error)
        return None if self._handles else _ABSENCES[_NOT_FOUND]

    def _read(self, library: NvmlLibrary, handle: object, pid: int | None) -> GpuSample:
        memory = library.nvmlDeviceGetMemoryInfo(handle)
        try:
            busy_share = library.nvmlDeviceGetUtilizationRates(handle).gpu / 100
        except Exception:  # noqa: BLE001 - border: not readable on MIG and some laptops
            busy_share = None
        return GpuSample(
            name=clean_line(library.nvmlDeviceGetName(handle)),
            total_bytes=memory.total,
            used_bytes=memory.used,
            process_bytes=None if pid is None else self._process_bytes(library, handle, pid),
            busy_share=busy_share,
        )

    def _process_bytes(self, library: NvmlLibrary, handle: object, pid: int) -> int | None:
        """Memory of ``pid`` on the device; 0 where the driver hides nobody and does not list it."""
        if not self._pids_are_the_drivers():
            return None
        try:
            computing = _sum_of(library.nvmlDeviceGetComputeRunningProcesses(handle), pid)
            drawing = _sum_of(library.nvmlDeviceGetGraphicsRunningProcesses(handle), pid)
        except Exception:  # noqa: BLE001 - border: not supported, no permission (MIG), an old driver
            return None
        if computing is None or drawing is None:
            return None
        # Each list gives all memory of the process, so one that is on both must not count twice.
        return max(computing, drawing)

    def _pids_are_the_drivers(self) -> bool:
        """Whether the driver counts processes as we do.

        In a container (and in WSL) it does not: older drivers list the host's pids, which may by chance
        be ours, newer ones translate the pid but report 0 bytes for it.
        """
        if self._pid_namespace is None:
            return True
        try:
            return str(self._pid_namespace.readlink()) == _FIRST_NAMESPACE
        except OSError:
            return False


def _sum_of(processes: Sequence[_Process], pid: int) -> int | None:
    """Bytes of ``pid`` over its entries (one per MIG instance); None if any entry hides its own."""
    total_bytes = 0
    for process in processes:
        if process.usedGpuMemory is None:  # WDDM: Windows manages the memory, the driver does not know
            return None
        if process.pid == pid:
            total_bytes += process.usedGpuMemory
    return total_bytes


def _absence(error: Exception) -> str:
    code = getattr(error, "value", None)
    known = _ABSENCES.get(code) if isinstance(code, int) else None
    return known or f"NVIDIA driver error: {clean_line(str(error), 80)}"

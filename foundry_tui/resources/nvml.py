"""NVIDIA GPUs, read through the driver's own library (NVML)."""

import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from foundry_tui.domain.resources import GpuSample, GpuSamples
from foundry_tui.domain.text import clean_line
from foundry_tui.resources.missing import Unreadable
from foundry_tui.resources.nvml_device import NvmlDevice, devices_of
from foundry_tui.resources.nvml_library import (
    ABSENCES,
    GPU_DIE,
    NOT_FOUND,
    NvmlLibrary,
    ThermalLibrary,
    absence_of,
)
from foundry_tui.resources.processes import ProcessTree, began_unix_s
from foundry_tui.resources.vram_baseline import VramBaseline

__all__ = ["NvmlGpuProbe", "NvmlThermometer"]

# The inode number that the kernel gives the first process namespace (PROC_PID_INIT_INO).
_FIRST_NAMESPACE = "pid:[4026531836]"


class NvmlThermometer:
    """Reads how hot every NVIDIA GPU is; opens the driver at the first reading, and keeps it open.

    Args:
        library: In place of ``pynvml``, which is imported at the first reading.
    """

    def __init__(self, library: ThermalLibrary | None = None) -> None:
        self._library = library
        self._gpus: list[tuple[str, object]] | None = None

    def temperatures_c(self) -> tuple[tuple[str, float], ...]:
        """Name and degrees of each GPU that answers; empty where none does.  Never raises."""
        if self._gpus is None:
            self._gpus = self._open()
        library, found = self._library, list[tuple[str, float]]()
        if library is not None:
            for name, handle in self._gpus:
                with contextlib.suppress(Exception):  # border: pynvml raises its own and ctypes' errors
                    found.append((name, float(library.nvmlDeviceGetTemperature(handle, GPU_DIE))))
        return tuple(found)

    def _open(self) -> list[tuple[str, object]]:
        try:
            if self._library is None:
                import pynvml  # here and not above: as for the probe

                self._library = pynvml
            library = self._library
            library.nvmlInit()
            handles = [library.nvmlDeviceGetHandleByIndex(n) for n in range(library.nvmlDeviceGetCount())]
            return [(clean_line(library.nvmlDeviceGetName(handle)), handle) for handle in handles]
        except Exception:  # noqa: BLE001 - border: no driver, no permission, no GPU: nothing to read
            return []


class NvmlGpuProbe:
    """Reads every NVIDIA GPU; opens the driver at the first sample, in the caller's thread.

    Args:
        library: In place of ``pynvml``, which is imported at the first sample.
        pid_namespace: Where Linux names our process namespace; None where pids are always the driver's.
        began: When a process began, by the wall clock.
    """

    def __init__(
        self,
        library: NvmlLibrary | None = None,
        *,
        pid_namespace: Path | None = Path("/proc/self/ns/pid") if sys.platform == "linux" else None,
        began: Callable[[int], float | None] = began_unix_s,
    ) -> None:
        self._is_misread = library is None and sys.platform == "win32"
        self._library = library
        self._pid_namespace = pid_namespace
        self._tree = ProcessTree()
        self._baseline = VramBaseline(began)
        self._devices: list[NvmlDevice] = []
        self._unopened: tuple[str, ...] = ()
        self._is_open = False
        self._absence: str | None = None

    def sample(self, pid: int | None) -> GpuSamples:
        """One reading of every GPU that answers, and why others do not; a reason instead if none does."""
        if not self._is_open and self._absence is None:
            self._absence = self._open()
        if self._absence is not None:
            return GpuSamples(absence=self._absence)
        gpus: list[GpuSample] = []
        troubles: list[tuple[str, str]] = []
        pids = () if pid is None else (pid, *self._tree.below(pid))
        for number, device in enumerate(self._devices):
            try:
                gpus.append(self._read(number, device, pids))
            except Exception as error:  # noqa: BLE001 - border: pynvml raises its own and ctypes' errors
                troubles.append((device.name, absence_of(error)))
        if not gpus:
            return GpuSamples(absence=troubles[-1][1])
        lost = tuple(f"{name}: {why}" for name, why in troubles)
        return GpuSamples(gpus=tuple(gpus), troubles=(*self._unopened, *lost))

    def _read(self, number: int, device: NvmlDevice, pids: Sequence[int]) -> GpuSample:
        def own_pids() -> Sequence[int]:
            if not pids:
                raise Unreadable("no engine of this machine runs")
            if not self._pids_are_the_drivers():
                raise Unreadable("in a container or WSL the driver counts processes otherwise")
            return pids

        return device.read(
            own_pids=own_pids,
            above_bytes=lambda used: self._baseline.above(number, used, pids[0] if pids else None),
        )

    def facts(self) -> tuple[tuple[str, str], ...]:
        """What a measurement is taken on, as name and value: each GPU's name, and the driver's version."""
        if not self._is_open and self._absence is None:
            self._absence = self._open()
        library = self._library
        if self._absence is not None or library is None:
            return ()
        try:
            names = [device.name for device in self._devices]
            return (
                ("gpu", ", ".join(names)),
                ("gpu_driver", clean_line(library.nvmlSystemGetDriverVersion())),
            )
        except Exception:  # noqa: BLE001 - border: pynvml raises its own and ctypes' errors
            return ()

    def close(self) -> None:
        """Let go of the driver; later samples say that the readings have ended."""
        if self._is_open and self._library is not None:
            self._is_open = False
            with contextlib.suppress(Exception):  # a driver that is gone is as good as closed
                self._library.nvmlShutdown()
        self._devices = []
        self._absence = "GPU readings have ended"

    def _open(self) -> str | None:
        """Why there is nothing to read, or None.  Asked once: a driver does not appear by itself."""
        try:
            if self._library is None:
                import pynvml  # here and not above: most machines never need it before the first frame

                self._library = pynvml
            library = self._library
            library.nvmlInit()
            self._is_open = True
            count = library.nvmlDeviceGetCount()
        except ImportError:
            return "NVIDIA readings are not installed"
        except Exception as error:  # noqa: BLE001 - border: pynvml raises its own and ctypes' errors
            return absence_of(error)
        why = ABSENCES[NOT_FOUND]
        for index in range(count):
            try:
                self._devices += devices_of(
                    library, library.nvmlDeviceGetHandleByIndex(index), is_misread=self._is_misread
                )
            except Exception as error:  # noqa: BLE001 - border: as above; the others can be read
                why = absence_of(error)
                self._unopened += (f"GPU {index}: {why}",)
        return None if self._devices else why

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

"""What a measurement was taken on: machine and system, as far as they can be read."""

import os
import platform
import sys
from pathlib import Path

from foundry_tui.resources.nvml import NvmlGpuProbe

__all__ = ["machine_facts"]

_CPU_INFO = Path("/proc/cpuinfo")
_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


def machine_facts() -> tuple[tuple[str, str], ...]:
    """Name and value of each fact that is known, in a fixed order; what cannot be read is left out.

    Blocks for some milliseconds, and longer the first time where there is a GPU.
    """
    import psutil  # late: it is not needed before somebody measures

    memory = psutil.virtual_memory()
    gpus = NvmlGpuProbe()
    try:
        of_gpus = gpus.facts()
    finally:
        gpus.close()
    known = {
        "os": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpu": _cpu_name(),
        "cores": str(psutil.cpu_count(logical=False) or ""),
        "threads": str(_threads()),
        "ram_bytes": str(memory.total),
        **dict(of_gpus),
        "power": _power(),
        "governor": _first_line(_GOVERNOR),
    }
    return tuple((name, value) for name, value in known.items() if value)


def _threads() -> int:
    # Those that this process may use: a container or taskset can leave it fewer than there are.
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _cpu_name() -> str | None:
    try:
        lines = _CPU_INFO.read_text(errors="replace").splitlines()
    except OSError:
        return platform.processor() or None
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or None)


def _power() -> str | None:
    import psutil

    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is None:
        return None
    return "mains" if battery.power_plugged else "battery"


def _first_line(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip() or None
    except OSError:
        return None

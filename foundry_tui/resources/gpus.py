"""The GPUs of this machine: those of NVIDIA are read, of others it is told that they are there."""

import platform
import sys
from dataclasses import replace
from pathlib import Path

from foundry_tui.domain.resources import GpuSamples
from foundry_tui.ports.machine import GpuProbe
from foundry_tui.resources.nvml import NvmlGpuProbe

__all__ = ["LocalGpuProbe", "unread_gpus"]

_DRM = Path("/sys/class/drm")
_VENDORS = {
    "0x1002": "AMD GPU not read: no kept library",
    "0x8086": "Intel GPU not read: no kept library",
}
"""By PCI vendor; docs/decisions/0015-other-gpus.md says why."""
_APPLE = "Apple GPU not read: it has no memory of its own, and the rest is for root"


class LocalGpuProbe:
    """Implements ``ports.GpuProbe`` on this machine.

    Args:
        nvidia: Reads those of NVIDIA.
        unread: Words for those that nobody reads.
    """

    def __init__(self, nvidia: GpuProbe | None = None, *, unread: tuple[str, ...] | None = None) -> None:
        self._nvidia = nvidia or NvmlGpuProbe()
        self._unread = unread_gpus() if unread is None else unread

    def sample(self, pid: int | None) -> GpuSamples:
        """See ``ports.GpuProbe``."""
        found = self._nvidia.sample(pid)
        if found.absence is None or not self._unread:
            return found
        return replace(found, absence="; ".join((*self._unread, found.absence)))

    def close(self) -> None:
        """See ``ports.GpuProbe``."""
        self._nvidia.close()


def unread_gpus(
    drm: Path = _DRM, *, system: str = sys.platform, machine: str = platform.machine()
) -> tuple[str, ...]:
    """Words for each kind of GPU that is here and is not read; empty where the system tells of none.

    Args:
        drm: Where Linux lists GPUs; elsewhere it does not exist.
        system: As ``sys.platform``.
        machine: As ``platform.machine()``.
    """
    if system == "darwin":
        return (_APPLE,) if machine == "arm64" else ()
    vendors: set[str] = set()
    for file in drm.glob("card[0-9]*/device/vendor"):
        try:
            vendors.add(file.read_text(errors="replace").strip())
        except OSError:
            continue
    return tuple(words for vendor, words in _VENDORS.items() if vendor in vendors)

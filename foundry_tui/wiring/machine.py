"""What reads the machine; imported late, for drivers take their time."""

from foundry_tui.ports.machine import GpuProbe, HostProbe

__all__ = ["gpu_probe", "host_probe", "read_machine_facts"]


def read_machine_facts() -> tuple[tuple[str, str], ...]:
    """What a measurement is taken on; blocks."""
    from foundry_tui.resources.environment import machine_facts  # late: it brings psutil

    return machine_facts()


def host_probe() -> HostProbe:
    """Reads memory and processors; psutil is imported by the first."""
    from foundry_tui.resources.host import PsutilHostProbe

    return PsutilHostProbe()


def gpu_probe() -> GpuProbe:
    """Reads GPUs; the driver is opened by the first sample."""
    from foundry_tui.resources.nvml import NvmlGpuProbe

    return NvmlGpuProbe()

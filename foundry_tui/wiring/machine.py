"""What reads the machine; imported late, for drivers take their time."""

from pathlib import Path

from foundry_tui.ports.machine import ConditionsProbe, GpuProbe, HostProbe, Surroundings

__all__ = [
    "conditions_probe",
    "gpu_probe",
    "host_probe",
    "read_machine_facts",
    "surroundings_of",
    "unique_bytes",
]


def read_machine_facts() -> tuple[tuple[str, str], ...]:
    """What a measurement is taken on; blocks."""
    from foundry_tui.resources.environment import machine_facts  # late: it brings psutil

    return machine_facts()


def host_probe() -> HostProbe:
    """Reads memory and processors; psutil is imported by the first."""
    from foundry_tui.resources.host import PsutilHostProbe

    return PsutilHostProbe()


def conditions_probe(folder: Path) -> ConditionsProbe:
    """Reads what changes slowly: sensors, power, clocks, the disk of ``folder``."""
    from foundry_tui.resources.conditions import LocalConditionsProbe

    return LocalConditionsProbe(folder)


def gpu_probe() -> GpuProbe:
    """Reads GPUs; the driver is opened by the first sample."""
    from foundry_tui.resources.gpus import LocalGpuProbe

    return LocalGpuProbe()


def surroundings_of(folder: Path) -> Surroundings:
    """Reads the disk of ``folder`` and temperatures; drivers are opened by the first reading."""
    from foundry_tui.resources.surroundings import LocalSurroundings

    return LocalSurroundings(folder)


def unique_bytes(pid: int) -> int | None:
    """Memory that only that process has; None where it cannot be read.  Blocks."""
    from foundry_tui.resources.processes import unique_bytes as read

    return read(pid)

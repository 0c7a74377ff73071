"""Readings of the machine and of the engine's process."""

from dataclasses import dataclass

__all__ = ["GpuSample", "GpuSamples", "HostSample", "ResourceSample"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSample:
    """The machine and one process on it.

    Attributes:
        cpu_share: Busy share of all cores since the previous sample, 0 to 1; None on the first.
        ram_total_bytes: Installed memory, or the limit of our control group if that is lower.
        ram_used_bytes: Total minus what can be given to new work without swapping.
        process_rss_bytes: Resident memory of the watched process; None if there is none to watch.
    """

    cpu_share: float | None
    ram_total_bytes: int
    ram_used_bytes: int
    process_rss_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuSample:
    """One GPU.

    Attributes:
        used_bytes: Memory in use by everybody on the device.
        process_bytes: Memory of the watched process; None where the driver hides it.
        busy_share: 0 to 1; None where not readable.
    """

    name: str
    total_bytes: int
    used_bytes: int
    process_bytes: int | None = None
    busy_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuSamples:
    """All GPUs, or the reason why there are none to read."""

    gpus: tuple[GpuSample, ...] = ()
    absence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceSample:
    """One tick of the sampler.

    Attributes:
        at_ns: ``perf_counter_ns`` just before reading.
        late_ns: How far behind its grid point the tick was taken.
    """

    at_ns: int
    late_ns: int
    host: HostSample
    gpu: GpuSamples

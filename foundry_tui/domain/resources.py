"""Readings of the machine, of its GPUs and of the engine's process."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "Conditions",
    "GpuSample",
    "GpuSamples",
    "HostSample",
    "Missing",
    "PowerSource",
    "ProcessSample",
    "RamScope",
    "ResourceSample",
    "Temperature",
    "Throttle",
    "why_missing",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Why one reading is None.

    Attributes:
        field: Name of the attribute that is None.
        why: In a few words; may hold a driver's own words, harmless.
    """

    field: str
    why: str


class RamScope(StrEnum):
    """What memory in total and in use is told of."""

    MACHINE = "machine"
    CONTROL_GROUP = "control group"


class PowerSource(StrEnum):
    """What the machine lives on."""

    MAINS = "mains"
    BATTERY = "battery"


class Throttle(StrEnum):
    """Why a GPU runs slower than it could; that it idles is none."""

    POWER_LIMIT = "power limit"
    HEAT = "heat"
    HEAT_HARDWARE = "heat, stopped by the hardware"
    POWER_BRAKE = "power brake of the supply"
    HARDWARE = "slowed by the hardware"
    SET_CLOCKS = "clocks set by an administrator"
    SYNC_BOOST = "kept in step with another GPU"
    DISPLAY_CLOCKS = "clocks of the display"
    OTHER = "another reason"


def why_missing(missing: Iterable[Missing], field: str) -> str | None:
    """The reason why ``field`` is None; None where there is none to tell."""
    return next((each.why for each in missing if each.field == field), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSample:
    """One process, and those that it started.

    Attributes:
        rss_bytes: Resident memory of the process itself, pages that it shares included.
        peak_rss_bytes: The most that it ever had, as the system remembers it (VmHWM on Linux).
        threads: Of the process itself.
        cpu_s: Time that processors have spent on it since it began.
        children: Processes below it, at every depth; looked for every few seconds.
        children_rss_bytes: Resident memory of these; pages that several share count for each.
        missing: Why one of these is None.
    """

    pid: int
    rss_bytes: int
    peak_rss_bytes: int | None = None
    threads: int | None = None
    cpu_s: float | None = None
    children: int = 0
    children_rss_bytes: int = 0
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSample:
    """The machine and one process on it.

    Attributes:
        cpu_share: Busy share of all cores since the previous sample, 0 to 1; None on the first.
        ram_total_bytes: Installed memory, or the limit of our control group if that is lower.
        ram_used_bytes: Total minus what can be given to new work without swapping.
        process_rss_bytes: Resident memory of the watched process; None if there is none to watch.
        process_cpu_s: Time that processors have spent on it since it began; None likewise.
        core_shares: As ``cpu_share``, of each core; None on the first.
        swap_total_bytes: Read half a second before, at most; None where it cannot be read.
        swap_used_bytes: None likewise.
        ram_scope: Which of the two ``ram_total_bytes`` is.
        process: All that was read of the watched process; None if there is none to watch.
        package_energy_j: Drawn by the packages of all processors: only differences mean something.
        missing: Why one of these is None.
    """

    cpu_share: float | None
    ram_total_bytes: int
    ram_used_bytes: int
    process_rss_bytes: int | None = None
    process_cpu_s: float | None = None
    core_shares: tuple[float, ...] | None = None
    swap_total_bytes: int | None = None
    swap_used_bytes: int | None = None
    ram_scope: RamScope = RamScope.MACHINE
    process: ProcessSample | None = None
    package_energy_j: float | None = None
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuSample:
    """One GPU, or one instance of a GPU that is divided (MIG).

    Attributes:
        used_bytes: Memory in use by everybody on the device, the driver's own part included.
        process_bytes: Memory of the watched process and those that it started; None where that is hidden.
        busy_share: Share of the driver's last sampling period in which anything ran, 0 to 1.
        foreign_busy_share: Share of time in which others than the watched process and those that it started
            ran, added up over them, 0 to 1; read once a second at most.
        above_baseline_bytes: ``used_bytes`` minus what was in use before the watched process began: its
            memory if nobody else took or gave back any.  None where the device was not read at that time.
        source: Who told.
        temperature_c: Of the die.
        power_w: Drawn now, by the whole board.
        power_limit_w: What it is held to.
        energy_j: Drawn since the driver was loaded: only differences mean something.
        sm_clock_mhz: Of the processors, now.
        sm_clock_max_mhz: What they could run at.
        memory_clock_mhz: Now.
        throttles: What holds the clocks down now; empty if nothing does, None where not told.
        missing: Why one of these is None.
    """

    name: str
    total_bytes: int
    used_bytes: int
    process_bytes: int | None = None
    busy_share: float | None = None
    above_baseline_bytes: int | None = None
    source: str = "NVML"
    temperature_c: float | None = None
    power_w: float | None = None
    power_limit_w: float | None = None
    energy_j: float | None = None
    sm_clock_mhz: float | None = None
    sm_clock_max_mhz: float | None = None
    memory_clock_mhz: float | None = None
    throttles: tuple[Throttle, ...] | None = None
    foreign_busy_share: float | None = None
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuSamples:
    """All GPUs, or the reason why there are none to read.

    Attributes:
        absence: The reason; None as soon as one can be read.
        troubles: Of GPUs that cannot be read beside others that can: which, and why.
    """

    gpus: tuple[GpuSample, ...] = ()
    absence: str | None = None
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperature:
    """One part whose heat can be read."""

    name: str
    celsius: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What changes slowly or costs much to read, so that it is read every few seconds only.

    Attributes:
        at_ns: ``perf_counter_ns`` just before reading.
        pid: The process that was watched.
        uss_bytes: Memory that only the watched process has, and that would be free without it.
        uss_at_ns: When that was read: the larger the process, the more rarely.
        temperatures: Of processors, as far as the system tells; None where it tells none.
        battery_share: 0 to 1; None without a battery.
        governor: What the system prefers for the clocks of the processors.
        frequency_mhz: Mean over the cores.
        frequency_max_mhz: What the fastest core could run at.
        disk_free_bytes: Of the disk that keeps the app's data.
        disk_read_bytes: By everybody from all disks since the system began: only differences mean something.
        disk_written_bytes: Likewise.
        missing: Why one of these is None.
    """

    at_ns: int
    pid: int | None = None
    uss_bytes: int | None = None
    uss_at_ns: int | None = None
    temperatures: tuple[Temperature, ...] | None = None
    power_source: PowerSource | None = None
    battery_share: float | None = None
    governor: str | None = None
    frequency_mhz: float | None = None
    frequency_max_mhz: float | None = None
    disk_total_bytes: int | None = None
    disk_free_bytes: int | None = None
    disk_read_bytes: int | None = None
    disk_written_bytes: int | None = None
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceSample:
    """One tick of the sampler.

    Attributes:
        at_ns: ``perf_counter_ns`` just before reading.
        late_ns: How far behind its grid point the tick was taken.
        missed: Grid points since the tick before that were skipped.
        conditions: The newest; None until there are some.
        troubles: What does not answer and is not waited for, in words.
    """

    at_ns: int
    late_ns: int
    host: HostSample
    gpu: GpuSamples
    missed: int = 0
    conditions: Conditions | None = None
    troubles: tuple[str, ...] = ()

"""Under which conditions one request of a benchmark was answered, and what energy that took."""

from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.domain.resources import PowerSource, Throttle

__all__ = ["EnergyReading", "EnergyScope", "RequestConditions", "SharedEnergy"]


class EnergyScope(StrEnum):
    """What an energy is of, all of it, whoever used it; the values are those of the results format."""

    GPU = "gpu"
    """The boards of all GPUs that are read."""
    PACKAGE = "package"
    """The packages of all processors: cores, caches and what is built in with them, no memory, no disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyReading:
    """What one scope drew while a request was under way.

    Attributes:
        window_s: From the request fully sent to the end of its answer.
        counter_j: By the hardware's own counter; None without one.
        integrated_j: By readings of power over that time; None without any.
        idle_w: Drawn before the first request of the run, with nothing to answer; None where not read.
    """

    scope: EnergyScope
    window_s: float
    counter_j: float | None
    integrated_j: float | None
    idle_w: float | None

    def __post_init__(self) -> None:
        for value in (self.window_s, self.counter_j, self.integrated_j, self.idle_w):
            if value is not None and not 0 <= value < float("inf"):
                raise ValueError("an energy, a power and a time are numbers from 0 on")


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedEnergy:
    """What stood on the counters of one scope at both ends of a request that shared the machine with others.

    A difference is what all of the scope drew in between, the other requests included.  It is nobody's own:
    where windows overlap, differences are never added up.

    Attributes:
        counter_begin_j: On the hardware's own counter; None, as its end, without one.
        counter_end_j: Never less.
        power_begin_j: What readings of power added up to since the run began; None, as its end, without any.
        power_end_j: Never less.
        idle_w: Drawn before the first request of the run, with nothing to answer; None where not read.
    """

    scope: EnergyScope
    counter_begin_j: float | None = None
    counter_end_j: float | None = None
    power_begin_j: float | None = None
    power_end_j: float | None = None
    idle_w: float | None = None

    def __post_init__(self) -> None:
        if self.idle_w is not None and not 0 <= self.idle_w < float("inf"):
            raise ValueError("a power is a number from 0 on")
        for begin_j, end_j in (
            (self.counter_begin_j, self.counter_end_j),
            (self.power_begin_j, self.power_end_j),
        ):
            if (begin_j is None) != (end_j is None):
                raise ValueError("a counter is read at both ends, or at none")
            if begin_j is not None and end_j is not None and not 0 <= begin_j <= end_j < float("inf"):
                raise ValueError("a counter of energy rises from 0 on")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestConditions:
    """What was read of the machine while one request was under way; None and empty where it was not.

    Attributes:
        energy: Of each scope that can be read; empty where several requests shared the machine.
        no_energy: Why there is none, in words; None where there is some.
        shared_energy: Of each scope that can be read, where several requests shared the machine.
        throttles: All that held a GPU's clocks down at any of the readings.
        gpu_clock_mhz: Mean over the readings, of the GPU that runs slowest.
        gpu_clock_max_mhz: What that one could run at.
        cpu_clock_mhz: Mean over the cores, at the newest reading.
        foreign_cpu_share: Of all cores, used by others than the engine's process, this program's among them.
        foreign_gpu_share: Of the time of the GPU that others used most, by them; in the mean.
        foreign_gpu: Which one that is, from 0 in the order in which GPUs are read.
        foreign_vram_bytes: In use on all GPUs beside the engine's, the driver's own part included; at most.
        foreign_unknown: What of others' use of the GPUs is not known, and why, in words; None where all is,
            and where there is no GPU.
    """

    energy: tuple[EnergyReading, ...] = ()
    no_energy: str | None = None
    shared_energy: tuple[SharedEnergy, ...] = ()
    throttles: tuple[Throttle, ...] | None = None
    gpu_clock_mhz: float | None = None
    gpu_clock_max_mhz: float | None = None
    cpu_clock_mhz: float | None = None
    power_source: PowerSource | None = None
    governor: str | None = None
    foreign_cpu_share: float | None = None
    foreign_gpu_share: float | None = None
    foreign_gpu: int | None = None
    foreign_vram_bytes: int | None = None
    foreign_unknown: str | None = None

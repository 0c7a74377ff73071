"""Under which conditions one request of a benchmark was answered, and what energy that took."""

from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.domain.resources import PowerSource, Throttle

__all__ = ["EnergyReading", "EnergyScope", "RequestConditions"]


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
class RequestConditions:
    """What was read of the machine while one request was under way; None and empty where it was not.

    Attributes:
        energy: Of each scope that can be read; empty where several requests shared the machine.
        no_energy: Why there is none, in words; None where there is some.
        throttles: All that held a GPU's clocks down at any of the readings.
        gpu_clock_mhz: Mean over the readings, of the GPU that runs slowest.
        gpu_clock_max_mhz: What that one could run at.
        cpu_clock_mhz: Mean over the cores, at the newest reading.
        foreign_cpu_share: Of all cores, used by others than the engine's process, this program's among them.
    """

    energy: tuple[EnergyReading, ...] = ()
    no_energy: str | None = None
    throttles: tuple[Throttle, ...] | None = None
    gpu_clock_mhz: float | None = None
    gpu_clock_max_mhz: float | None = None
    cpu_clock_mhz: float | None = None
    power_source: PowerSource | None = None
    governor: str | None = None
    foreign_cpu_share: float | None = None

"""The machine: its readings, and locks among its processes."""

from typing import Protocol

from foundry_tui.domain.resources import Conditions, GpuSamples, HostSample

__all__ = ["ConditionsProbe", "GpuProbe", "HostProbe", "ProcessLock", "Surroundings"]


class HostProbe(Protocol):
    """Reads the machine and one process."""

    def sample(self, pid: int | None) -> HostSample:
        """One reading; blocks for about a millisecond, so not on the event loop."""
        ...


class GpuProbe(Protocol):
    """Reads the GPUs, where there are any."""

    def sample(self, pid: int | None) -> GpuSamples:
        """One reading, or the reason why there is none; never raises.  Not on the event loop."""
        ...

    def close(self) -> None:
        """Let go of the driver."""
        ...


class ConditionsProbe(Protocol):
    """Reads what changes slowly or costs much to read."""

    def sample(self, pid: int | None) -> Conditions:
        """One reading.  May take seconds where a disk or a driver does not answer: in a thread of its own."""
        ...


class Surroundings(Protocol):
    """Reads what a long run may have to stop for.  Blocks, so not on the event loop."""

    def free_disk_bytes(self) -> int | None:
        """What is left on the disk that keeps the runs; None if that cannot be read."""
        ...

    def temperatures_c(self) -> tuple[tuple[str, float], ...]:
        """Name and degrees of each part whose heat can be read; empty where none can.  Never raises."""
        ...


class ProcessLock(Protocol):
    """A lock among processes, which the system takes from one that dies.  Does not block."""

    def acquire(self, label: str) -> bool:
        """Take it and leave ``label`` for others to read; False if another process has it."""
        ...

    def release(self) -> None:
        """Give it back; no error if it was not held."""
        ...

    def holder(self) -> str | None:
        """The label of the process that has it; None if nobody does."""
        ...

"""The machine: its readings, and locks among its processes."""

from typing import Protocol

from foundry_tui.domain.resources import GpuSamples, HostSample

__all__ = ["GpuProbe", "HostProbe", "ProcessLock"]


class HostProbe(Protocol):
    """Reads the machine and one process."""

    def sample(self, pid: int | None) -> HostSample:
        """One reading; blocks for well under a millisecond, so not on the event loop."""
        ...


class GpuProbe(Protocol):
    """Reads the GPUs, where there are any."""

    def sample(self, pid: int | None) -> GpuSamples:
        """One reading, or the reason why there is none; never raises.  Not on the event loop."""
        ...

    def close(self) -> None:
        """Let go of the driver."""
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

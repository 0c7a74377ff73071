"""The machine's processors and memory and one process on it, read through psutil."""

from pathlib import Path

from foundry_tui.domain.resources import HostSample
from foundry_tui.resources.cgroup import MemoryGroups

__all__ = ["PsutilHostProbe"]


class PsutilHostProbe:
    """Reads the machine, or the part of it that our control group may use.

    Args:
        cgroup_root: Where Linux mounts the control groups; elsewhere it does not exist.
        cgroup_membership: The kernel's list of the groups we are in.
    """

    def __init__(
        self,
        *,
        cgroup_root: Path = Path("/sys/fs/cgroup"),
        cgroup_membership: Path = Path("/proc/self/cgroup"),
    ) -> None:
        import psutil  # here and not above: 30 ms that the first frame must not wait for

        self._psutil = psutil
        self._groups = MemoryGroups(cgroup_root, cgroup_membership)
        self._previous: tuple[float, float] | None = None

    def sample(self, pid: int | None) -> HostSample:
        """One reading; the caller, who knows when ``pid`` ends, does not ask for it afterwards."""
        machine = self._psutil.virtual_memory()
        total_bytes, used_bytes = machine.total, machine.total - machine.available
        limit = self._groups.lowest()
        if limit is not None and limit.limit_bytes < total_bytes:
            total_bytes, used_bytes = limit.limit_bytes, min(limit.used_bytes, limit.limit_bytes)
        return HostSample(
            cpu_share=self._cpu_share(),
            ram_total_bytes=total_bytes,
            ram_used_bytes=used_bytes,
            process_rss_bytes=None if pid is None else self._rss_bytes(pid),
        )

    def _cpu_share(self) -> float | None:
        """``Δbusy / Δall`` over all cores; None where no time has been counted since the last call."""
        # Our own differences: psutil.cpu_percent keeps its last reading for the whole process, so that
        # two callers would cut each other's windows short.
        now = _busy_and_all_s(self._psutil.cpu_times()._asdict())
        previous, self._previous = self._previous, now
        if previous is None or now[1] <= previous[1]:
            return None
        # The kernel's idle time may step back a little, hence the bounds.
        return min(1.0, max(0.0, (now[0] - previous[0]) / (now[1] - previous[1])))

    def _rss_bytes(self, pid: int) -> int | None:
        try:
            rss_bytes: int = self._psutil.Process(pid).memory_info().rss
        except self._psutil.Error:
            return None
        # A process that has ended and still waits for its parent reads as 0.
        return rss_bytes or None


def _busy_and_all_s(spent_s: dict[str, float]) -> tuple[float, float]:
    # Linux counts a guest's time a second time as its host's user time.
    all_s = sum(spent_s.values()) - spent_s.get("guest", 0.0) - spent_s.get("guest_nice", 0.0)
    return all_s - spent_s["idle"] - spent_s.get("iowait", 0.0), all_s

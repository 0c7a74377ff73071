"""The machine's processors and memory and one process on it, read through psutil."""

import time
from collections.abc import Callable
from pathlib import Path

from foundry_tui.domain.resources import HostSample, ProcessSample, RamScope, why_missing
from foundry_tui.resources.cgroup import MemoryGroups
from foundry_tui.resources.missing import Reasons, Unreadable
from foundry_tui.resources.processes import ProcessTree, process_sample
from foundry_tui.resources.rapl import PackageEnergy

__all__ = ["PsutilHostProbe"]

_SWAP_S = 0.4
"""Between two readings of the swap, which is dear to read: ten times a second while something is measured."""


class PsutilHostProbe:
    """Reads the machine, or the part of it that our control group may use.

    Args:
        cgroup_root: Where Linux mounts the control groups; elsewhere it does not exist.
        cgroup_membership: The kernel's list of the groups we are in.
        energy: Reads what the processors draw.
        clock_s: Of what is not read for each sample.
    """

    def __init__(
        self,
        *,
        cgroup_root: Path = Path("/sys/fs/cgroup"),
        cgroup_membership: Path = Path("/proc/self/cgroup"),
        energy: PackageEnergy | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        import psutil  # here and not above: 30 ms that the first frame must not wait for

        self._psutil = psutil
        self._groups = MemoryGroups(cgroup_root, cgroup_membership, clock_s=clock_s)
        self._clock_s = clock_s
        self._swap_known: tuple[float, tuple[int, int]] | None = None
        self._tree = ProcessTree()
        self._energy = energy or PackageEnergy()
        self._previous: tuple[tuple[float, float], ...] | None = None

    def sample(self, pid: int | None) -> HostSample:
        """One reading; the caller, who knows when ``pid`` ends, does not ask for it afterwards."""
        missing = Reasons()
        machine = self._psutil.virtual_memory()
        total_bytes, used_bytes = machine.total, machine.total - machine.available
        scope, limit = RamScope.MACHINE, self._groups.lowest(below_bytes=total_bytes)
        if limit is not None:
            total_bytes, used_bytes = limit.limit_bytes, min(limit.used_bytes, limit.limit_bytes)
            scope = RamScope.CONTROL_GROUP
        swap = missing.take(self._swap, "swap_total_bytes", "swap_used_bytes")
        process = missing.take(lambda: self._process(pid), "process", "process_rss_bytes", "process_cpu_s")
        if process is not None:
            why = why_missing(process.missing, "cpu_s")
            if why is not None:
                missing.note("process_cpu_s", why)
        cpu_share, core_shares = self._shares()
        if cpu_share is None:
            for field in ("cpu_share", "core_shares"):
                missing.note(field, "it is the share since the reading before, of which there is none")
        return HostSample(
            cpu_share=cpu_share,
            core_shares=core_shares,
            ram_total_bytes=total_bytes,
            ram_used_bytes=used_bytes,
            ram_scope=scope,
            swap_total_bytes=None if swap is None else swap[0],
            swap_used_bytes=None if swap is None else swap[1],
            process_rss_bytes=None if process is None else process.rss_bytes,
            process_cpu_s=None if process is None else process.cpu_s,
            process=process,
            package_energy_j=missing.take(self._energy.read_j, "package_energy_j"),
            missing=missing.all(),
        )

    def _shares(self) -> tuple[float | None, tuple[float, ...] | None]:
        """``Δbusy / Δall`` over all cores and of each; None where no time was counted since the last call.

        A core of which none has been counted, as of one that sleeps, was not busy.
        """
        # Our own differences: psutil.cpu_percent keeps its last reading for the whole process, so that
        # two callers would cut each other's windows short.
        now = tuple(_busy_and_all_s(core._asdict()) for core in self._psutil.cpu_times(percpu=True))
        previous, self._previous = self._previous, now
        if previous is None or len(previous) != len(now):  # a core was switched on or off
            return None, None
        spent = [(new[0] - old[0], new[1] - old[1]) for old, new in zip(previous, now, strict=True)]
        all_s = sum(each[1] for each in spent)
        if all_s <= 0:
            return None, None
        cores = tuple(_bounded(busy_s / core_s) if core_s > 0 else 0.0 for busy_s, core_s in spent)
        return _bounded(sum(each[0] for each in spent) / all_s), cores

    def _swap(self) -> tuple[int, int]:
        now_s = self._clock_s()
        if self._swap_known is None or now_s - self._swap_known[0] >= _SWAP_S:
            swap = self._psutil.swap_memory()
            self._swap_known = now_s, (int(swap.total), int(swap.used))
        return self._swap_known[1]

    def _process(self, pid: int | None) -> ProcessSample:
        if pid is None:
            raise Unreadable("no engine of this machine runs")
        return process_sample(pid, self._tree)


def _bounded(share: float) -> float:
    # The kernel's idle time may step back a little.
    return min(1.0, max(0.0, share))


def _busy_and_all_s(spent_s: dict[str, float]) -> tuple[float, float]:
    # Linux counts a guest's time a second time as its host's user time.
    all_s = sum(spent_s.values()) - spent_s.get("guest", 0.0) - spent_s.get("guest_nice", 0.0)
    return all_s - spent_s["idle"] - spent_s.get("iowait", 0.0), all_s

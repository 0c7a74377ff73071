"""GPUs beside ``nvidia-smi``: real ones with real work on them, and scripted ones that behave as such."""

import csv
import io
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from foundry_tui.resources.nvml import NvmlGpuProbe
from tests.support.scripted_nvml import (
    ScriptedGpu,
    ScriptedLoad,
    ScriptedMemory,
    ScriptedNvml,
    ScriptedNvmlError,
    ScriptedProcess,
)

__all__ = ["MIB", "GpuRig", "RealGpus", "ScriptedGpus", "SmiGpu"]

MIB = 1024 * 1024
_FIELDS = (
    *("name", "memory.total", "memory.free", "utilization.gpu", "temperature.gpu", "power.draw"),
    *("power.limit", "clocks.sm", "clocks.max.sm", "clocks.mem"),
)
_IDLE_MW, _BUSY_MW = 30_000, 120_000


@dataclass(frozen=True)
class SmiGpu:
    """What ``nvidia-smi`` says of one GPU, in its own words; the fields are its own too."""

    words: dict[str, str]

    def number(self, field: str) -> float | None:
        """None where it says that it does not know."""
        try:
            return float(self.words[field])
        except ValueError:
            return None


class GpuRig(Protocol):
    """Something that has GPUs, and a second opinion of them."""

    def probe(self) -> NvmlGpuProbe:
        """A probe that has read nothing yet."""
        ...

    def smi(self) -> list[SmiGpu]:
        """What ``nvidia-smi`` says now."""
        ...

    def smi_processes(self) -> str:
        """What it says of processes, as it prints it: memory of each, and load of each."""
        ...

    @contextmanager
    def worker(self, mib: int, *, is_busy: bool) -> Iterator[int]:
        """The pid of a process that holds so much of the first GPU, and keeps it busy."""
        ...

    def rest(self, seconds: float) -> None:
        """Let time go by."""
        ...

    def now_ns(self) -> int:
        """The present, on the clock by which it goes by."""
        ...


class RealGpus:
    """Those of this machine.

    Raises:
        FileNotFoundError: There is no ``nvidia-smi`` to compare with.
    """

    def __init__(self) -> None:
        program = shutil.which("nvidia-smi")
        if program is None:
            raise FileNotFoundError("nvidia-smi")
        self._program = program

    def probe(self) -> NvmlGpuProbe:
        return NvmlGpuProbe()

    def smi(self) -> list[SmiGpu]:
        told = self._asked(f"--query-gpu={','.join(_FIELDS)}", "--format=csv,noheader,nounits")
        rows = csv.reader(io.StringIO(told), skipinitialspace=True)
        return [SmiGpu(dict(zip(_FIELDS, (word.strip() for word in row), strict=True))) for row in rows]

    def smi_processes(self) -> str:
        memory = self._asked("--query-compute-apps=pid,used_memory", "--format=csv")
        return f"{memory}\n{self._asked('pmon', '-c', '1', '-s', 'um')}"

    @contextmanager
    def worker(self, mib: int, *, is_busy: bool) -> Iterator[int]:
        script = Path(__file__).with_name("gpu_worker.py")
        process = subprocess.Popen(
            [sys.executable, str(script), str(mib), "busy" if is_busy else "idle"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            if process.stdout.readline().strip() != "holds":
                process.kill()
                raise RuntimeError(process.communicate()[1].strip() or "the worker ended")
            yield process.pid
        finally:
            process.kill()
            process.communicate()

    def rest(self, seconds: float) -> None:
        time.sleep(seconds)  # the driver's own samples come by the clock: there is nothing else to wait for

    def now_ns(self) -> int:
        return time.perf_counter_ns()

    def _asked(self, *arguments: str) -> str:
        done = subprocess.run([self._program, *arguments], check=False, capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else f"n/a: {(done.stdout or done.stderr).strip()}"


class ScriptedGpus:
    """Scripted ones on a clock of their own; power, counter and load follow the work that is on them."""

    def __init__(self, gpus: Sequence[ScriptedGpu]) -> None:
        self.gpus = gpus
        self._now_s = 0.0
        self._first_pid = 100_000
        self._busy: dict[int, bool] = {}

    def probe(self) -> NvmlGpuProbe:
        # Anew for each: nothing that it remembers of a second ago is of the scripted clock.
        return NvmlGpuProbe(ScriptedNvml(self.gpus), pid_namespace=None)

    def smi(self) -> list[SmiGpu]:
        return [SmiGpu({field: _smi_word(gpu, field) for field in _FIELDS}) for gpu in self.gpus]

    def smi_processes(self) -> str:
        first = self.gpus[0]
        assert not isinstance(first.computing, ScriptedNvmlError)
        lines = [f"{one.pid}, {(one.usedGpuMemory or 0) // MIB} MiB" for one in first.computing]
        return "\n".join(["pid, used_gpu_memory [MiB]", *lines])

    @contextmanager
    def worker(self, mib: int, *, is_busy: bool) -> Iterator[int]:
        self._first_pid += 1
        pid, first = self._first_pid, self.gpus[0]
        assert isinstance(first.memory, ScriptedMemory)
        assert not isinstance(first.computing, ScriptedNvmlError)
        before = first.memory, tuple(first.computing)
        first.memory = ScriptedMemory(first.memory.total, first.memory.used + mib * MIB)
        first.computing = (*first.computing, ScriptedProcess(pid, mib * MIB))
        self._busy[pid] = is_busy
        self._follow()
        try:
            yield pid
        finally:
            first.memory, first.computing = before
            del self._busy[pid]
            self._follow()

    def now_ns(self) -> int:
        return round(self._now_s * 1e9)

    def rest(self, seconds: float) -> None:
        self._now_s += seconds
        for gpu in self.gpus:
            if isinstance(gpu.power_mw, int) and isinstance(gpu.energy_mj, int):
                gpu.energy_mj += round(gpu.power_mw * seconds)

    def _follow(self) -> None:
        first, is_busy = self.gpus[0], any(self._busy.values())
        if isinstance(first.power_mw, int):
            first.power_mw = _BUSY_MW if is_busy else _IDLE_MW
        first.busy_percent = 98 if is_busy else 0
        if not isinstance(first.loads, ScriptedNvmlError):
            first.loads = [ScriptedLoad(pid, 97 if busy else 0) for pid, busy in self._busy.items()]


def _smi_word(gpu: ScriptedGpu, field: str) -> str:
    memory = gpu.memory
    assert isinstance(memory, ScriptedMemory)
    values: dict[str, object] = {
        "name": gpu.name,
        "memory.total": memory.total // MIB,
        "memory.free": (memory.total - memory.used) // MIB,
        "utilization.gpu": gpu.busy_percent,
        "temperature.gpu": gpu.celsius,
        "power.draw": _watts(gpu.power_mw),
        "power.limit": _watts(gpu.power_limit_mw),
        "clocks.sm": _clock(gpu.clocks_mhz, 1),
        "clocks.max.sm": _clock(gpu.max_clocks_mhz, 1),
        "clocks.mem": _clock(gpu.clocks_mhz, 2),
    }
    value = values[field]
    return "[N/A]" if isinstance(value, ScriptedNvmlError) else str(value)


def _watts(milliwatts: int | ScriptedNvmlError) -> object:
    return milliwatts if isinstance(milliwatts, ScriptedNvmlError) else f"{milliwatts / 1000:.2f}"


def _clock(clocks: dict[int, int] | ScriptedNvmlError, which: int) -> object:
    return clocks if isinstance(clocks, ScriptedNvmlError) else clocks[which]

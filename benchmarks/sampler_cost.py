"""What reading the machine costs: the sampler as the app has it, next to the same loop that reads nothing.

Claims: at 2 Hz the sampler takes less than 1 % of a core, and so it does with one and with two GPUs, as far
as that is work of ours.

Run it in an environment in which foundry-tui is installed, on a quiet machine::

    python benchmarks/sampler_cost.py [--windows 6] [--seconds 10] [--watched-mb 1000]

Seven processes run side by side, each an asyncio loop with a ``ResourceSampler``: one with probes that read
nothing, which is what the grid, its threads and the handing over cost; one with those of the app, as it is
by default; one with those of the app at 10 Hz, as while a benchmark measures; and at either pace with the
tests' scripted driver in place of NVIDIA's, with one and with two GPUs.  A scripted driver answers at once:
that is what our own code costs for each GPU, and what a real driver takes comes on top of it, on a machine
that has one.  Each watches the same further process, which holds as much memory as is asked for, as an engine
does.  The processor time of each, system time included, is read at both ends of each window, in which a
machine that is busy favours none.  Beside it stands what the sampler says of itself, as the app shows it: its
threads alone, without the event loop and the first readings.

Besides, ``reading`` is the time that one sample of each kind takes, alone.  The claims are judged by a 95 %
interval of the windows: a busy machine leaves them undecided.

Exit code: 0 all claims hold, 1 one does not or is undecided, 2 something is missing or misbehaved.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import psutil
from figures import Spread, Verdict, give_up, interval_words, judge, machine, print_table

from foundry_tui.domain.resources import GpuSamples, HostSample
from foundry_tui.ports.machine import GpuProbe
from foundry_tui.resources.nvml import NvmlGpuProbe
from foundry_tui.services.sampling import ResourceSampler
from foundry_tui.wiring.machine import conditions_probe, gpu_probe, host_probe

sys.path.append(str(Path(__file__).resolve().parents[1]))  # for the scripted driver of the tests

from tests.support.scripted_nvml import GIB, ScriptedGpu, ScriptedLoad, ScriptedNvml, ScriptedProcess

CLAIMED_SHARE = 0.01
REST_S = 3.0
IDLE, NORMAL, DENSE = "the loop alone, 2 Hz", "the app's sampler, 2 Hz", "the app's sampler, 10 Hz"
ONE, TWO = "one scripted GPU, 2 Hz", "two scripted GPUs, 2 Hz"
ONE_DENSE, TWO_DENSE = "one scripted GPU, 10 Hz", "two scripted GPUs, 10 Hz"
SIDES = {IDLE: 0.5, NORMAL: 0.5, ONE: 0.5, TWO: 0.5, DENSE: 0.1, ONE_DENSE: 0.1, TWO_DENSE: 0.1}
GPUS = {ONE: 1, ONE_DENSE: 1, TWO: 2, TWO_DENSE: 2}
CLAIMED = (NORMAL, ONE, TWO)
_PROCESSES = 20
"""On each scripted GPU, as on a desktop on which much is drawn."""
_HOLD = (
    "import mmap, sys; held = mmap.mmap(-1, max(4096, int(sys.argv[1]) * 1000000));"
    "[held.__setitem__(at, 1) for at in range(0, len(held), 4096)];"
    "print('held', flush=True); sys.stdin.read()"
)


class _Nothing:
    """Probes that read nothing."""

    def sample(self, pid: int | None) -> HostSample:
        return HostSample(cpu_share=None, ram_total_bytes=1, ram_used_bytes=0)


class _NoGpu:
    def sample(self, pid: int | None) -> GpuSamples:
        return GpuSamples(absence="not asked")

    def close(self) -> None:
        """Nothing was opened."""


class _Silent(ScriptedNvml):
    """Remembers no question: it is asked all the time."""

    def __init__(self, gpus: int, watched: int) -> None:
        pids = (watched, *range(100_000, 100_000 + _PROCESSES - 1))
        super().__init__(
            [
                ScriptedGpu(
                    computing=[ScriptedProcess(pid, GIB // _PROCESSES) for pid in pids],
                    drawing=[ScriptedProcess(pid, 0) for pid in pids],
                    loads=[ScriptedLoad(pid, 3) for pid in pids],
                )
                for _ in range(gpus)
            ]
        )
        self.asked = deque(maxlen=0)  # type: ignore[assignment]  # a list that keeps nothing


def gpu_of(name: str, watched: int) -> GpuProbe:
    """What that side reads GPUs with."""
    if (count := GPUS.get(name, 0)) == 0:
        return gpu_probe()
    return NvmlGpuProbe(_Silent(count, watched), pid_namespace=None)


async def side(name: str, watched: int) -> None:
    """One of the processes: sample until stdin ends."""
    if name == IDLE:
        sampler = ResourceSampler(lambda: (_Nothing(), _NoGpu()), pid=lambda: watched, period_s=SIDES[name])
    else:
        sampler = ResourceSampler(
            lambda: (host_probe(), gpu_of(name, watched)),
            pid=lambda: watched,
            period_s=SIDES[name],
            conditions=lambda: conditions_probe(Path.home()),
        )
    async with sampler.wanted():
        await asyncio.to_thread(sys.stdin.read)
        last = sampler.samples.value
        share = sampler.cost.share
        if last is None or last.missed or share is None or len(last.gpu.gpus) < GPUS.get(name, 0):
            raise SystemExit(2)
        print(share, flush=True)


def spent_s(process: psutil.Process) -> float:
    """Processor time so far, system time included."""
    times = process.cpu_times()
    return float(times.user + times.system)


def measure(
    windows: int, window_s: float, watched_mb: int
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Share of a core that each side took, by window; and at last by its own word."""
    watched = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(watched_mb)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert watched.stdout is not None
    watched.stdout.readline()
    sides = {
        name: subprocess.Popen(
            [sys.executable, __file__, "--side", name, "--watched", str(watched.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in SIDES
    }
    found: dict[str, list[float]] = {name: [] for name in sides}
    try:
        time.sleep(REST_S)
        processes = {name: psutil.Process(process.pid) for name, process in sides.items()}
        for _ in range(windows):
            began_s = time.perf_counter()
            before = {name: spent_s(process) for name, process in processes.items()}
            time.sleep(window_s)
            took_s = time.perf_counter() - began_s
            for name, process in processes.items():
                found[name].append((spent_s(process) - before[name]) / took_s)
    finally:
        said = {name: child.communicate()[0] for name, child in sides.items()}
        watched.communicate()
    if any(child.returncode for child in sides.values()):
        give_up("a sampler ended with an error, missed points of its grid, or read no GPU")
    return found, {name: float(words) for name, words in said.items()}


def readings_ms(watched: int) -> list[tuple[str, Spread, Spread]]:
    """What one sample of each kind takes, alone: on the clock, and of processor time."""
    host, gpu, slow = host_probe(), gpu_probe(), conditions_probe(Path.home())
    one, two = gpu_of(ONE, watched), gpu_of(TWO, watched)
    asked: dict[str, tuple[Callable[[], object], int]] = {
        "machine and process": (lambda: host.sample(watched), 200),
        "GPUs": (lambda: gpu.sample(watched), 50),
        "one scripted GPU": (lambda: one.sample(watched), 200),
        "two scripted GPUs": (lambda: two.sample(watched), 200),
        "what changes slowly, every 5 s": (lambda: slow.sample(watched), 20),
    }
    found = []
    for name, (read, times) in asked.items():
        read()
        walls, spents = [], []
        for _ in range(times):
            began_s, spent = time.perf_counter(), time.thread_time()
            read()
            walls.append((time.perf_counter() - began_s) * 1000)
            spents.append((time.thread_time() - spent) * 1000)
        found.append((name, Spread.of(walls), Spread.of(spents)))
    gpu.close()
    return found


def report(found: dict[str, list[float]], said: dict[str, float]) -> bool:
    """Print the tables; whether all claims hold."""
    print_table(
        ("", "windows", "% of a core, median", "min", "max", "by its own word"),
        [
            (
                name,
                str(len(shares)),
                *Spread.of(shares).cells(scale=100, digits=2),
                f"{said[name] * 100:.2f}",
            )
            for name, shares in found.items()
        ],
    )
    beyond = Spread.of(found[NORMAL]).median - Spread.of(found[IDLE]).median
    print(f"\nthe app's sampler beyond the loop alone: {beyond:.2%} of a core, at 2 Hz")
    print("a scripted driver answers at once: what a real one takes comes on top\n")
    verdicts = []
    for name in CLAIMED:
        shown = interval_words(found[name], ".2%")
        verdicts.append(judge(found[name], at_most=CLAIMED_SHARE))
        print(f"{name}: 95 %: {shown}; claim: less than {CLAIMED_SHARE:.0%} of a core: {verdicts[-1]}")
    print()
    print_table(
        ("one reading, ms", "clock, median", "min", "max", "processor, median", "min", "max"),
        [
            (name, *wall.cells(digits=2), *spent.cells(digits=2))
            for name, wall, spent in readings_ms(os.getpid())
        ],
    )
    return all(verdict is Verdict.HOLDS for verdict in verdicts)


def main() -> int:
    """Run the benchmark; its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--windows", type=int, default=6, help="readings of each process (default 6)")
    parser.add_argument("--seconds", type=float, default=10, help="length of a window (default 10)")
    parser.add_argument(
        "--watched-mb", type=int, default=1000, help="what the watched one holds (default 1000)"
    )
    parser.add_argument("--side", choices=list(SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--watched", type=int, default=0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side is not None:
        asyncio.run(side(arguments.side, arguments.watched))
        return 0
    if arguments.windows < 1 or arguments.seconds < 1 or arguments.watched_mb < 0:
        give_up("--windows and --seconds must be at least 1, --watched-mb at least 0")
    print(machine("foundry-tui", "psutil", "nvidia-ml-py"))
    print(f"load average at start {os.getloadavg()[0]:.2f}")
    found, said = measure(arguments.windows, arguments.seconds, arguments.watched_mb)
    print(f"load average at end   {os.getloadavg()[0]:.2f}\n")
    return 0 if report(found, said) else 1


if __name__ == "__main__":
    raise SystemExit(main())

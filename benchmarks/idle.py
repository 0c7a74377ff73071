"""What the app costs while nobody touches it: ``foundry-tui demo`` next to a minimal Textual app.

Claim: left alone, the process of the app takes less than 1 % of a core.

Run it in an environment in which foundry-tui is installed, on a quiet machine::

    python benchmarks/idle.py [--windows 6] [--seconds 10]

Both apps run at the same time, each on a pseudo-terminal of 120 x 40 that answers no query: what little the
one does is no burden to the other.  The demo model is loaded, the strip at the top reads the machine once a
second, as it is set by default.  After five seconds of rest the processor time of each process is read at
both ends of each window; the engine has a process of its own and a row of its own.  The clock of processor
time ticks every 10 ms: 0.1 % of a core in a window of ten seconds.

The claim is judged by a 95 % interval of the windows: a busy machine leaves it undecided.

Exit code: 0 the claim holds, 1 it does not or is undecided, 2 something is missing or an app misbehaved.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
from figures import Spread, Verdict, give_up, interval_words, judge, machine, print_table
from minimal_app import PAINTED
from pseudo_terminal import cpu_s, foundry_tui, on_terminal

CLAIMED_SHARE = 0.01
REST_S = 5.0
OURS, ENGINE, MINIMAL = "foundry-tui demo", "its engine's process", "minimal Textual app"


def shares(processes: Mapping[str, psutil.Process], windows: int, window_s: float) -> dict[str, list[float]]:
    """For each process the share of a core that it took in each window."""
    found: dict[str, list[float]] = {name: [] for name in processes}
    time.sleep(REST_S)
    for _ in range(windows):
        begun_s = time.perf_counter()
        before = {name: cpu_s(process) for name, process in processes.items()}
        time.sleep(window_s)
        elapsed_s = time.perf_counter() - begun_s
        for name, process in processes.items():
            found[name].append((cpu_s(process) - before[name]) / elapsed_s)
    return found


def measure(windows: int, window_s: float) -> dict[str, list[float]]:
    """Start both apps, wait until the demo model is loaded, leave them alone."""
    minimal = (sys.executable, str(Path(__file__).with_name("minimal_app.py")))
    with (
        tempfile.TemporaryDirectory(prefix="idle-") as folder,
        on_terminal(OURS, foundry_tui(Path(folder), "demo")) as ours,
        on_terminal(MINIMAL, minimal) as other,
    ):
        other.wait_for(PAINTED.encode())
        ours.wait_for(b"loaded in")
        engines = ours.process.children()
        if len(engines) != 1:
            give_up(f"{OURS} has {len(engines)} child processes instead of one")
        return shares({OURS: ours.process, ENGINE: engines[0], MINIMAL: other.process}, windows, window_s)


def report(found: Mapping[str, list[float]]) -> Verdict:
    """Print the table; what it says of the claim."""
    print_table(
        ("", "windows", "% of a core, median", "min", "max"),
        [
            (name, str(len(readings)), *Spread.of(readings).cells(scale=100, digits=2))
            for name, readings in found.items()
        ],
    )
    ours = found[OURS]
    shown = interval_words(ours, ".2%")
    verdict = judge(ours, at_most=CLAIMED_SHARE)
    beyond = Spread.of(ours).median - Spread.of(found[MINIMAL]).median
    print(f"\nbeyond the minimal app: {beyond:.2%} of a core")
    print(f"by windows, 95 %: {shown}; claim: less than {CLAIMED_SHARE:.0%} of a core: {verdict}")
    return verdict


def main() -> int:
    """Run the benchmark; its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--windows", type=int, default=6, help="readings of each process (default 6)")
    parser.add_argument("--seconds", type=float, default=10, help="length of a window (default 10)")
    arguments = parser.parse_args()
    if arguments.windows < 1 or arguments.seconds < 1:
        give_up("--windows and --seconds must be at least 1")
    print(machine("foundry-tui", "textual"))
    print(f"load average at start {os.getloadavg()[0]:.2f}")
    found = measure(arguments.windows, arguments.seconds)
    print(f"load average at end   {os.getloadavg()[0]:.2f}\n")
    return 0 if report(found) is Verdict.HOLDS else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""From starting the process to the first painted screen: ``foundry-tui demo`` next to a minimal Textual app.

Claim: the median is at most 1.5 times that of the minimal app (``minimal_app.py``).

Run it in an environment in which foundry-tui is installed, on a quiet machine::

    python benchmarks/startup.py [--rounds 7] [--imports]

Both apps run as fresh processes on a pseudo-terminal of 120 x 40 that answers no query, in turns, after one
start each that is not counted: it fills the page cache and writes the byte code.  The clock starts just
before the fork and stops when the read returns that completes a known text of the first full screen, a pane's
title; resident memory is read right then.  The app keeps its data in a folder of its own, which is thrown
away.  Each app is then quit with Ctrl+Q, and the benchmark fails if a process that it started outlives that.

The claim is judged by a 95 % interval of the rounds' ratios: a busy machine leaves it undecided.

Exit code: 0 the claim holds, 1 it does not or is undecided, 2 something is missing or an app misbehaved.
"""

import argparse
import os
import re
import sys
import tempfile
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil
from figures import Spread, Verdict, give_up, interval_words, judge, machine, print_table
from minimal_app import PAINTED
from pseudo_terminal import CTRL_Q, forked, quiet_environment, read_some

CLAIMED_RATIO = 1.5
PATIENCE_S = 30.0
_MARK = "FOUNDRY_TUI_BENCHMARK_RUN"
_IMPORT = re.compile(rb"import time:\s+(\d+) \|\s+\d+ \| ( *)([\w.]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An app to start, and a text that is on its first full screen and in nothing it writes before."""

    name: str
    command: tuple[str, ...]
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start.

    Attributes:
        painted_s: From before the fork until the text had arrived.
        rss_bytes: Resident memory of the process right then.
        output: All that it had written by then.
    """

    painted_s: float
    rss_bytes: int
    output: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A module that was imported before the first screen.

    Attributes:
        own_s: Its own time, without what it imports.
        importer: The module whose import brought it in; None at the outermost level.
    """

    name: str
    own_s: float
    importer: str | None


def start_once(subject: Subject, *, traces_imports: bool = False) -> Start:
    """Start ``subject``, wait for its first screen, and end it with everything that it started."""
    mark = uuid.uuid4().hex
    traced = {"PYTHONPROFILEIMPORTTIME": "1"} if traces_imports else {}
    environment = quiet_environment(**{_MARK: mark}, **traced)
    started_s = time.perf_counter()
    with forked(subject.command, environment) as (pid, terminal):
        output = b""
        painted_s: float | None = None
        while painted_s is None:
            data = read_some(terminal, started_s + PATIENCE_S - time.perf_counter())
            now_s = time.perf_counter()
            if not data:
                give_up(f"{subject.name} showed no {subject.text.decode()!r}; it wrote: {output[-2000:]!r}")
            output += data
            if subject.text in output:
                painted_s = now_s - started_s
        rss_bytes = psutil.Process(pid).memory_info().rss
        code = _quit(pid, terminal)
    left = _outliving(mark)
    if code != 0 or left:
        give_up(f"{subject.name} ended with code {code} and left {len(left)} process(es) behind")
    return Start(painted_s=painted_s, rss_bytes=rss_bytes, output=output)


def _quit(pid: int, terminal: int) -> int:
    """Press Ctrl+Q, read on until the terminal closes, and return the exit code."""
    os.write(terminal, CTRL_Q)
    deadline_s = time.perf_counter() + PATIENCE_S
    while read_some(terminal, deadline_s - time.perf_counter()):
        pass
    if time.perf_counter() >= deadline_s:
        give_up(f"process {pid} did not end on Ctrl+Q")
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _outliving(mark: str) -> list[psutil.Process]:
    """Processes that carry ``mark``, given some seconds to end, then killed; a zombie carries nothing."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(_MARK) == mark:
                found.append(process)
        except psutil.Error:  # not ours to read, or gone
            continue
    _, alive = psutil.wait_procs(found, timeout=5)
    for process in alive:
        process.kill()
    return alive


def imports_of(output: bytes) -> list[Imported]:
    """The import times that stand in ``output``, in the order in which the imports ended."""
    # A line follows those of what it imported, each two spaces deeper: read backwards, importers come first.
    found: list[Imported] = []
    above: list[str] = []
    for own_us, indent, name in reversed(_IMPORT.findall(output)):
        depth = min(len(indent) // 2, len(above))
        del above[depth:]
        importer = above[-1] if above else None
        above.append(name.decode())
        found.append(Imported(name=name.decode(), own_s=int(own_us) / 1e6, importer=importer))
    return found[::-1]


def print_imports(app: list[Imported], minimal: list[Imported]) -> None:
    """What the app imports beyond the minimal one, by package and by module."""
    shared = {module.name for module in minimal}
    beyond = [module for module in app if module.name not in shared]
    print(
        f"\nImports before the first screen (traced, so slower than untraced): {len(app)} modules,"
        f" {sum(module.own_s for module in app) * 1e3:.0f} ms; minimal app {len(minimal)} modules,"
        f" {sum(module.own_s for module in minimal) * 1e3:.0f} ms; beyond it {len(beyond)} modules,"
        f" {sum(module.own_s for module in beyond) * 1e3:.0f} ms\n"
    )
    seconds: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    for module in beyond:
        package = module.name.partition(".")[0]
        modules[package] += 1
        seconds[package] += module.own_s  # type: ignore[assignment]  # a Counter adds up any number
    print_table(
        ("package", "modules", "ms"),
        [(name, str(modules[name]), f"{own_s * 1e3:.1f}") for name, own_s in seconds.most_common(10)],
    )
    print()
    print_table(
        ("module", "own ms", "imported by"),
        [
            (module.name, f"{module.own_s * 1e3:.1f}", module.importer or "-")
            for module in sorted(beyond, key=lambda module: -module.own_s)[:10]
        ],
    )


def print_starts(starts: dict[str, list[Start]]) -> None:
    """The table of all rounds."""
    rows = []
    for name, of_one in starts.items():
        times = Spread.of([start.painted_s for start in of_one])
        memory = Spread.of([start.rss_bytes / (1 << 20) for start in of_one])
        rows.append((name, str(len(of_one)), *times.cells(scale=1e3, digits=0), *memory.cells()))
    print_table(("", "n", "ms median", "min", "max", "RSS MiB median", "min", "max"), rows)


def judge_ratio(minimal: list[Start], app: list[Start]) -> Verdict:
    """Print the ratio and what it says of the claim, which is judged by the rounds' own ratios."""
    medians = [Spread.of([start.painted_s for start in of_one]).median for of_one in (app, minimal)]
    ratios = [ours.painted_s / least.painted_s for ours, least in zip(app, minimal, strict=True)]
    decision = judge(ratios, at_most=CLAIMED_RATIO)
    shown = interval_words(ratios, ".2f")
    print(f"\nratio of medians {medians[0] / medians[1]:.2f}; by rounds, 95 %: {shown}")
    print(f"claim: at most {CLAIMED_RATIO}: {decision}")
    return decision


def main() -> int:
    """Run the benchmark; its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help="counted starts of each app (default 7)")
    parser.add_argument("--imports", action="store_true", help="also show what the app imports beyond")
    arguments = parser.parse_args()
    if sys.platform == "win32":
        give_up("this benchmark needs a POSIX pseudo-terminal")
    if arguments.rounds < 1:
        give_up("--rounds must be at least 1")
    with tempfile.TemporaryDirectory(prefix="startup-") as data_dir:
        minimal = Subject(
            name="minimal Textual app",
            command=(sys.executable, str(Path(__file__).with_name("minimal_app.py"))),
            text=PAINTED.encode(),
        )
        app = Subject(
            name="foundry-tui demo",
            command=(sys.executable, "-m", "foundry_tui", "demo", "--data-dir", data_dir),
            text=b"Catalog",
        )
        subjects = (minimal, app)
        print(machine("foundry-tui", "textual"))
        for subject in subjects:
            start_once(subject)
        load_before = os.getloadavg()[0]
        starts: dict[str, list[Start]] = {subject.name: [] for subject in subjects}
        for number in range(arguments.rounds):
            for subject in subjects if number % 2 == 0 else subjects[::-1]:
                starts[subject.name].append(start_once(subject))
        print(f"load average {load_before:.2f} before, {os.getloadavg()[0]:.2f} after\n")
        print_starts(starts)
        decision = judge_ratio(starts[minimal.name], starts[app.name])
        if arguments.imports:
            traced = [imports_of(start_once(subject, traces_imports=True).output) for subject in subjects]
            print_imports(traced[1], traced[0])
    return 0 if decision is Verdict.HOLDS else 1


if __name__ == "__main__":
    raise SystemExit(main())

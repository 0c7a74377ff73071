"""From a key press in the catalog's filter to the painted rows, next to Textual's own DataTable.

Claim: at 2,000 and at 20,000 variants the median is at most 30 ms.

Run it in an environment in which foundry-tui is installed, on a quiet machine::

    python benchmarks/filter_keypress.py [--rounds 9] [--variants 2000 20000]

The whole app runs as ``foundry-tui --offline`` on a made-up catalog, with its engine, on a pseudo-terminal of
98 x 40 that answers no query; so narrow the catalog has the whole screen.  Beside it runs the least app that
does the same with Textual's own widgets: an Input, a DataTable of the same columns with fixed widths that is
cleared and filled again at each key, and the count.  Both seek in texts that were lower-cased beforehand.

A round types four characters, of which the first finds nine variants of ten and each further one a sixteenth
of what was left, and erases three.  The clock of a press starts just before the key is written and stops with
the read that brings the new count and a row that was found, the later of the two.  The next key waits for
80 ms of silence, so that nothing is left to do from the one before.  The processor time is that of the app's
own process over a round, shared among its presses; it has all that follows a press, and what the app does
besides, such as reading the machine once a second.  The rounds of the two apps take turns.

The claim is judged by a 95 % interval of the rounds' medians: a busy machine leaves it undecided.

Exit code: 0 the claim holds, 1 it does not or is undecided, 2 something is missing or an app misbehaved.
"""

import argparse
import json
import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from figures import Spread, Verdict, give_up, interval_words, judge, machine, print_table
from pseudo_terminal import CTRL_Q, forked, quiet_environment, read_some
from textual import on
from textual.app import App, ComposeResult
from textual.widgets import DataTable, Input, Static

COLUMNS = 98
CLAIMED_S = 0.030
QUIET_S = 0.080
PATIENCE_S = 60.0
BACKSPACE = b"\x7f"
SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One made-up variant, as both apps show it."""

    id: str
    alias: str
    size_mb: int
    device: str

    @property
    def haystack(self) -> str:
        """What the filter seeks in."""
        return f"{self.id}\n{self.alias}\n{self.device}".lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One text typed and mostly erased.

    Attributes:
        presses_s: From each key to the rows that it found.
        cpu_s: Processor time of the app, for one press.
    """

    presses_s: tuple[float, ...]
    cpu_s: float

    @property
    def median_s(self) -> float:
        """Of its presses."""
        return statistics.median(self.presses_s)


class Running:
    """An app on a pseudo-terminal, and what it has written."""

    def __init__(self, name: str, pid: int, terminal: int) -> None:
        self.name = name
        self.process = psutil.Process(pid)
        self._terminal = terminal

    def press(self, key: bytes, *awaited: bytes) -> float:
        """Write ``key``, wait for silence; seconds from the key until all that is ``awaited`` had come."""
        started_s = time.perf_counter()
        os.write(self._terminal, key)
        return self.settle(*awaited) - started_s

    def settle(self, *awaited: bytes) -> float:
        """Read on until nothing more comes; the time when the last of the ``awaited`` patterns had come."""
        output = b""
        came_s: float | None = None
        deadline_s = time.perf_counter() + PATIENCE_S
        while data := self._read(deadline_s - time.perf_counter() if came_s is None else QUIET_S):
            now_s = time.perf_counter()
            output += data
            if came_s is None and all(re.search(pattern, output, re.DOTALL) for pattern in awaited):
                came_s = now_s
        if came_s is None:
            give_up(f"{self.name} did not show all of {awaited!r}; it wrote: {output[-2000:]!r}")
        return came_s

    def quit(self) -> None:
        """Press Ctrl+Q and wait for the end."""
        os.write(self._terminal, CTRL_Q)
        while self._read(PATIENCE_S):
            pass
        _, status = os.waitpid(self.process.pid, 0)
        if (code := os.waitstatus_to_exitcode(status)) != 0:
            give_up(f"{self.name} ended with code {code}")

    def _read(self, wait_s: float) -> bytes:
        return read_some(self._terminal, wait_s)


@contextmanager
def on_terminal(name: str, command: tuple[str, ...]) -> Iterator[Running]:
    """``command`` on a terminal of its own; quit at the end of the block, killed if that fails."""
    with forked(command, quiet_environment(), columns=COLUMNS) as (pid, terminal):
        running = Running(name, pid, terminal)
        yield running
        running.quit()


def made_up(count: int) -> list[Variant]:
    """``count`` variants, the same at every run; nine ids of ten have a ``z`` with six digits behind it."""
    choose = random.Random(SEED)
    found = []
    for number in range(count):
        family = choose.choice(("phi", "qwen", "mistral", "llama", "gemma"))
        device = choose.choice(("CPU", "GPU", "NPU"))
        code = f"{'y' if number % 10 == 0 else 'z'}{choose.randrange(16**6):06x}"
        found.append(
            Variant(
                id=f"{family}-{code}-instruct-{device.lower()}:1",
                alias=f"{family}-{code}",
                size_mb=choose.randrange(100, 9000),
                device=device,
            )
        )
    return found


def write_catalog(variants: Sequence[Variant], data_dir: Path) -> None:
    """The list as the runtime keeps it of the last time that it reached the catalog."""
    records = [
        {
            "id": variant.id,
            "alias": variant.alias,
            "publisher": "Lab",
            "license": "MIT",
            "task": "chat-completion",
            "fileSizeMb": variant.size_mb,
            "runtime": {"deviceType": variant.device},
        }
        for variant in variants
    ]
    cache = data_dir / "cache"
    cache.mkdir(parents=True)
    content = {"models": records, "savedAtUnix": 1_780_400_000, "version": 1}
    (cache / "foundry.modelinfo.json").write_text(json.dumps(content), encoding="utf-8")


def texts_to_type(variants: Sequence[Variant], rounds: int) -> list[tuple[str, tuple[int, ...]]]:
    """A text for each round, and how many variants each of its beginnings finds; no two the same."""
    haystacks = [variant.haystack for variant in variants]
    choose = random.Random(SEED)
    found: list[tuple[str, tuple[int, ...]]] = []
    while len(found) < rounds:
        alias = choose.choice(variants).alias
        text = alias[alias.rindex("-") + 1 :][:4]
        counts = tuple(sum(text[:end] in hay for hay in haystacks) for end in range(1, 5))
        if text.startswith("z") and len({*counts, len(variants)}) == 5:
            found.append((text, counts))
    return found


def one_round(app: Running, text: str, counts: tuple[int, ...], total: int) -> Round:
    """Type ``text``, erase it again; the last press, to the whole list, is not counted."""
    beginnings = [text[:end] for end in (1, 2, 3, 4, 3, 2, 1)]
    keys = [beginning[-1].encode() for beginning in beginnings[:4]] + [BACKSPACE] * 3
    before = app.process.cpu_times()
    presses = [
        app.press(
            key,
            rb"-%s" % beginning.encode(),
            rb"(?<!\d)%d of %d variants" % (counts[len(beginning) - 1], total),
        )
        for key, beginning in zip(keys, beginnings, strict=True)
    ]
    after = app.process.cpu_times()
    app.press(BACKSPACE, _whole(total))
    cpu_s = after.user + after.system - before.user - before.system
    return Round(presses_s=tuple(presses), cpu_s=cpu_s / len(presses))


def measure(total: int, rounds: int) -> tuple[list[Round], list[Round]]:
    """The rounds of foundry-tui and of the DataTable, in turns, at ``total`` variants."""
    variants = made_up(total)
    texts = texts_to_type(variants, rounds + 1)
    with tempfile.TemporaryDirectory(prefix="filter-") as folder, ExitStack() as stack:
        write_catalog(variants, Path(folder) / "data")
        ours = stack.enter_context(
            on_terminal(
                "foundry-tui",
                (sys.executable, "-m", "foundry_tui", "--offline", "--data-dir", str(Path(folder) / "data")),
            )
        )
        ours.settle(_whole(total) + rb"[^\x1b]*offline by choice")
        ours.press(b"/", rb".")
        table = stack.enter_context(
            on_terminal(
                "DataTable", (sys.executable, str(Path(__file__).resolve()), "--datatable", str(total))
            )
        )
        table.settle(_whole(total))
        apps = (ours, table)
        found: dict[str, list[Round]] = {app.name: [] for app in apps}
        for number, (text, counts) in enumerate(texts):
            for app in apps if number % 2 == 0 else apps[::-1]:
                done = one_round(app, text, counts, total)
                if number > 0:  # the first one fills caches
                    found[app.name].append(done)
        return found[ours.name], found[table.name]


def _whole(total: int) -> bytes:
    return rb"(?<!of )(?<!\d)%d variants" % total


def print_rounds(measured: dict[int, tuple[list[Round], list[Round]]]) -> None:
    """The table of all rounds."""
    rows = []
    for total, sides in measured.items():
        for name, of_one in zip(("foundry-tui", "DataTable"), sides, strict=True):
            presses = Spread.of([press for one in of_one for press in one.presses_s])
            slowest = Spread.of([max(one.presses_s) for one in of_one])
            cpu = Spread.of([one.cpu_s for one in of_one])
            rows.append(
                (
                    f"{name}, {total:,} variants",
                    str(len(of_one)),
                    *presses.cells(scale=1e3),
                    slowest.cells(scale=1e3)[0],
                    cpu.cells(scale=1e3)[0],
                )
            )
    print_table(("", "rounds", "ms to paint, median", "min", "max", "slowest of a round", "CPU ms"), rows)


def judge_claim(total: int, ours: list[Round], table: list[Round]) -> Verdict:
    """Print what the rounds at ``total`` variants say of the claim, and of the two apps side by side."""
    medians = [one.median_s for one in ours]
    decision = judge(medians, at_most=CLAIMED_S)
    shown = interval_words(medians, ".1f", scale=1e3, unit=" ms")
    ratio = statistics.median(
        sum(theirs.presses_s) / sum(own.presses_s) for own, theirs in zip(ours, table, strict=True)
    )
    print(
        f"{total:,} variants: by rounds, 95 %: {shown}; claim of {CLAIMED_S * 1e3:.0f} ms: {decision};"
        f" DataTable takes {ratio:.1f} times as long for a round"
    )
    return decision


class DataTableApp(App[None]):
    """The same list with Textual's own widgets."""

    CSS = "Input { border: none; height: 1; } DataTable { height: 1fr; } Static { height: 1; }"

    def __init__(self, variants: Sequence[Variant]) -> None:
        super().__init__()
        self._total = len(variants)
        self._rows = [
            (
                variant.haystack,
                (variant.id, "not here", f"{variant.size_mb} MiB", variant.device.lower(), "n/a"),
            )
            for variant in variants
        ]

    def compose(self) -> ComposeResult:
        yield Input()
        yield DataTable[str](cursor_type="row")
        yield Static(markup=False)

    def on_mount(self) -> None:
        """Make the columns as wide as the other app has them."""
        table = self.query_one(DataTable)
        for label, width in (("Variant", 34), ("State", 11), ("Size", 9), ("Device", 7), ("Context", 9)):
            table.add_column(label, width=width)
        self._fill("")

    @on(Input.Changed)
    def _filtered(self, message: Input.Changed) -> None:
        self._fill(message.value.lower())

    def _fill(self, text: str) -> None:
        table = self.query_one(DataTable)
        rows = [cells for haystack, cells in self._rows if text in haystack]
        table.clear()
        table.add_rows(rows)
        of_total = "" if len(rows) == self._total else f"{len(rows)} of "
        self.query_one(Static).update(f"{of_total}{self._total} variants")


def main() -> int:
    """Run the benchmark; its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9, help="counted rounds of each app (default 9)")
    parser.add_argument("--variants", type=int, nargs="+", default=[2_000, 20_000], metavar="N")
    parser.add_argument("--datatable", type=int, help=argparse.SUPPRESS)  # the other app, started by itself
    arguments = parser.parse_args()
    if arguments.datatable is not None:
        DataTableApp(made_up(arguments.datatable)).run()
        return 0
    if sys.platform == "win32":
        give_up("this benchmark needs a POSIX pseudo-terminal")
    if arguments.rounds < 1 or min(arguments.variants) < 1_000:
        give_up("--rounds must be at least 1, --variants at least 1000")
    print(machine("foundry-tui", "textual"))
    load_before = os.getloadavg()[0]
    measured = {total: measure(total, arguments.rounds) for total in arguments.variants}
    print(f"load average {load_before:.2f} before, {os.getloadavg()[0]:.2f} after\n")
    print_rounds(measured)
    print()
    decisions = [judge_claim(total, *sides) for total, sides in measured.items()]
    return 0 if all(decision is Verdict.HOLDS for decision in decisions) else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""What the app's process holds in memory: after its start, after 500 answers, beside 50,000 kept messages.

Claim: at most 60 MB after the start.

Run it in an environment in which foundry-tui is installed with its development tools, on a quiet machine::

    python benchmarks/memory.py [--rounds 6] [--answers 500] [--conversations 5000]

Resident memory of the process of the app alone (the engine has its own), on a pseudo-terminal of 120 x 40:

* after the start: ``foundry-tui demo`` with its model loaded, three seconds later, in a fresh folder; beside
  it the minimal Textual app;
* a long conversation: a scripted server in a process of its own gives one answer of about 1.5 KB of Markdown
  after the other, all in one conversation, which is kept on disk as it goes; read at 0, 100, 200 ... answers;
* a large database: 5,000 conversations of 10 messages each, the app started on it, the list of conversations
  opened once (Ctrl+L) and closed again.

MB is 1,000,000 bytes.  Only the first has a claim, judged by a 95 % interval of the rounds; of the other two
there is one run each, and what matters is that the memory does not grow without end.

Exit code: 0 the claim holds, 1 it does not or is undecided, 2 something is missing or an app misbehaved.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import psutil
from conversations import fill
from figures import Spread, Verdict, give_up, interval_words, judge, machine, print_table
from minimal_app import PAINTED
from pseudo_terminal import foundry_tui, on_terminal, report_line
from responsiveness import tokens

sys.path.append(str(Path(__file__).resolve().parents[1]))  # for the scripted server of the tests

from tests.support.endpoint_process import endpoint_process
from tests.support.script import answer

CLAIMED_MB = 60.0
REST_S = 3.0
ANSWER_TOKENS = 190
TURNS = 10
ESCAPE, CTRL_L = b"\x1b", b"\x0c"


def rss_mb(process: psutil.Process) -> float:
    """Resident memory, in millions of bytes."""
    return float(process.memory_info().rss) / 1e6


def after_start(rounds: int) -> dict[str, list[float]]:
    """Fresh processes, each left alone for a moment."""
    found: dict[str, list[float]] = {"foundry-tui demo": [], "minimal Textual app": []}
    minimal = (sys.executable, str(Path(__file__).with_name("minimal_app.py")))
    for _ in range(rounds):
        with (
            tempfile.TemporaryDirectory(prefix="memory-") as folder,
            on_terminal("foundry-tui demo", foundry_tui(Path(folder), "demo")) as ours,
            on_terminal("minimal Textual app", minimal) as other,
        ):
            other.wait_for(PAINTED.encode())
            ours.wait_for(b"loaded in")
            time.sleep(REST_S)
            for app in (ours, other):
                found[app.name].append(rss_mb(app.process))
    return found


def long_conversation(answers: int) -> list[tuple[int, float]]:
    """How many answers there were, and the memory by then."""
    marks = sorted({*range(100, answers, 100), answers})
    script = answer(tokens(ANSWER_TOKENS), gap_ms=0, first_ms=0)
    found: list[tuple[int, float]] = []
    ours, theirs = os.pipe()
    try:
        with tempfile.TemporaryDirectory(prefix="memory-") as scratch, endpoint_process(script) as endpoint:
            (Path(scratch) / "config").mkdir()
            order = {"url": endpoint.url, "folder": scratch, "report": theirs, "marks": marks}
            side = str(Path(__file__).with_name("memory_side.py"))
            command = (sys.executable, side, json.dumps(order))
            with on_terminal("long conversation", command, pass_fds=[theirs]) as app:
                os.close(theirs)
                for _ in (0, *marks):
                    told = json.loads(report_line(ours, app))
                    found.append((int(told["answers"]), rss_mb(app.process)))
    finally:
        os.close(ours)
    return found


def large_database(conversations: int) -> list[tuple[str, float]]:
    """The app on many kept conversations, before, with and after its list."""
    with tempfile.TemporaryDirectory(prefix="memory-") as scratch:
        folder = Path(scratch)
        path = folder / "data" / "foundry-tui.db"
        path.parent.mkdir()
        begun_s = time.perf_counter()
        asyncio.run(fill(path, conversations, TURNS))
        size_mb = path.stat().st_size / 1e6
        print(f"a database of {size_mb:.0f} MB was written in {time.perf_counter() - begun_s:.0f} s")
        with on_terminal("large database", foundry_tui(folder, "demo")) as app:
            app.wait_for(b"loaded in")
            time.sleep(REST_S)
            found = [("at the start", rss_mb(app.process))]
            app.press(CTRL_L)
            app.wait_for(f"{conversations:,}".encode())
            time.sleep(REST_S)
            found.append(("with the list open", rss_mb(app.process)))
            app.press(ESCAPE)
            time.sleep(REST_S)
            found.append(("with the list closed again", rss_mb(app.process)))
    return found


def judge_start(found: dict[str, list[float]]) -> Verdict:
    """Print the table of fresh processes; what it says of the claim."""
    print_table(
        ("after the start", "n", "MB, median", "min", "max"),
        [(name, str(len(each)), *Spread.of(each).cells()) for name, each in found.items()],
    )
    ours = found["foundry-tui demo"]
    shown = interval_words(ours, ".1f", unit=" MB")
    verdict = judge(ours, at_most=CLAIMED_MB)
    print(f"\nby rounds, 95 %: {shown}; claim: at most {CLAIMED_MB:g} MB: {verdict}\n")
    return verdict


def main() -> int:
    """Run the benchmark; its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=6, help="fresh starts (default 6)")
    parser.add_argument("--answers", type=int, default=500, help="in one conversation (default 500)")
    parser.add_argument("--conversations", type=int, default=5_000, help="in the database (default 5000)")
    arguments = parser.parse_args()
    if min(arguments.rounds, arguments.answers, arguments.conversations) < 1:
        give_up("--rounds, --answers and --conversations must be at least 1")
    print(machine("foundry-tui", "textual", "sqlalchemy"))
    print(f"load average at start {os.getloadavg()[0]:.2f}\n")
    verdict = judge_start(after_start(arguments.rounds))
    length = len("".join(tokens(ANSWER_TOKENS)))
    print_table(
        (f"answers of {length:,} characters", "MB"),
        [(str(answers), f"{mb:.1f}") for answers, mb in long_conversation(arguments.answers)],
    )
    print()
    print_table(
        (f"{arguments.conversations * TURNS:,} kept messages", "MB"),
        [(state, f"{mb:.1f}") for state, mb in large_database(arguments.conversations)],
    )
    print(f"\nload average at end {os.getloadavg()[0]:.2f}")
    return 0 if verdict is Verdict.HOLDS else 1


if __name__ == "__main__":
    raise SystemExit(main())

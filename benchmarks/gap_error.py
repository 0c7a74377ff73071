"""How far the recorded gaps between tokens are from the true ones while the app draws what streams.

Claim: p50 of the error below 0.05 ms, and p99 within 0.2 ms of that of a run without a screen.

Run it in an environment in which foundry-tui is installed with its development tools, on a quiet machine
(Linux: the clocks of two processes compare there)::

    python benchmarks/gap_error.py [--rounds 6] [--tokens 3000] [--spin]

A server in a process of its own writes a token each millisecond on the average and logs when it handed each
to the kernel.  It does not spin on its clock, as it does for the tests (--spin): that would take one of two
cores, and how exact its schedule is does not matter, for what counts is when it wrote.  The engine's process
stamps each token as it is read from the socket.  The error of a gap is the absolute difference of the two.
Once the whole app shows the answer on a pseudo-terminal of 120 x 40 and the stamps are read back from its
database; once ``foundry-tui chat --json`` asks for the same and prints the stamps, with no screen.  Both take
turns.

Tokens that the kernel handed over in one read share a stamp; their share stands beside.

The claims are judged by a 95 % interval of the rounds: a busy machine leaves them undecided.

Exit code: 0 the claims hold, 1 they do not or are undecided, 2 something is missing or an app misbehaved.
"""

import argparse
import asyncio
import json
import os
import pickle
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from figures import Spread, Verdict, give_up, interval_words, judge, machine, percentile, print_table
from pseudo_terminal import foundry_tui, on_terminal, output_of
from schedules import server_process

from foundry_tui.storage import Database, StoredConversations

sys.path.append(str(Path(__file__).resolve().parents[1]))  # for the scripted server of the tests

from tests.support import player
from tests.support.endpoint import DEFAULT_MODEL, Setting
from tests.support.endpoint import main as serve
from tests.support.endpoint_process import EndpointProcess
from tests.support.script import Script, answer

CLAIMED_P50_MS = 0.05
CLAIMED_P99_BEYOND_MS = 0.2
GAP_MS = 1.0
FIRST_MS = 300.0
SCREEN, PLAIN = "with the screen", "chat --json"
LAST = "thelast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Errors of the gaps of one answer.

    Attributes:
        gap_ms: Absolute error of each gap.
        merged_share: Share of tokens whose stamp is that of the token before.
    """

    gap_ms: list[float]
    merged_share: float

    def at(self, share: float) -> float:
        """The error that ``share`` of the gaps do not exceed, in milliseconds."""
        return percentile(self.gap_ms, share)


@contextmanager
def server(script: Script, *, spins: bool) -> Iterator[EndpointProcess]:
    """The server in a process of its own; it sleeps where that of the tests spins, unless it ``spins``."""
    command = (sys.executable, str(Path(__file__).resolve()), "--serve", *(["--spin"] if spins else []))
    with server_process(command, pickle.dumps((script, Setting()))) as endpoint:
        yield endpoint


def compare(read_ns: Sequence[int], endpoint: EndpointProcess) -> Errors:
    """Our stamps against the log of the server."""
    written_ns = [write.at_ns for write in endpoint.record().written("text")]
    if len(read_ns) != len(written_ns):
        give_up(f"{len(written_ns)} tokens were written and {len(read_ns)} stamps kept")
    ours, theirs = (
        [later - earlier for earlier, later in pairwise(stamps)] for stamps in (read_ns, written_ns)
    )
    return Errors(
        gap_ms=[abs(our - their) / 1e6 for our, their in zip(ours, theirs, strict=True)],
        merged_share=sum(gap == 0 for gap in ours) / len(read_ns),
    )


async def kept_stamps(path: Path) -> list[int]:
    """The stamps of the one answer in the database."""
    database = Database(path)
    store = StoredConversations(database)
    try:
        found = await store.find()
        kept = await store.load(found[0].id) if len(found) == 1 else None
    finally:
        await database.aclose()
    traces = [turn.trace for turn in kept.path() if turn.trace is not None] if kept is not None else []
    if len(traces) != 1:
        give_up(f"the database has {len(traces)} answers with readings instead of one")
    return [chunk.at_ns for chunk in traces[0].chunks]


def with_screen(endpoint: EndpointProcess, folder: Path) -> list[int]:
    """Talk to the model in the app, leave, and read the stamps from its database."""
    with on_terminal(SCREEN, foundry_tui(folder, "--endpoint", endpoint.url)) as app:
        app.wait_for(DEFAULT_MODEL[:10].encode(), b"No model")
        app.press(b"\r")
        app.wait_for(b"anything")
        app.press(b"go\r")
        app.wait_for(LAST.encode(), b"TTFT")
    return asyncio.run(kept_stamps(folder / "data" / "foundry-tui.db"))


def without_screen(endpoint: EndpointProcess, folder: Path) -> list[int]:
    """The stamps that the command prints."""
    asked = ("chat", DEFAULT_MODEL, "--prompt", "go", "--json", "--endpoint", endpoint.url)
    return [int(at_ns) for at_ns in json.loads(output_of(folder, *asked))["chunk_ns"]]


def measure(rounds: int, tokens: int, *, spins: bool) -> dict[str, list[Errors]]:
    """All rounds, each with a server and a folder of its own."""
    pieces = [*(f"word{number} " for number in range(tokens - 1)), LAST]
    script = answer(pieces, gap_ms=GAP_MS, first_ms=FIRST_MS)
    ways = {SCREEN: with_screen, PLAIN: without_screen}
    found: dict[str, list[Errors]] = {name: [] for name in ways}
    for number in range(rounds):
        for name in ways if number % 2 == 0 else reversed(ways):
            with (
                tempfile.TemporaryDirectory(prefix="gap-error-") as folder,
                server(script, spins=spins) as endpoint,
            ):
                found[name].append(compare(ways[name](endpoint, Path(folder)), endpoint))
    return found


def report(found: Mapping[str, list[Errors]]) -> bool:
    """Print the table; whether both claims hold."""
    rows = []
    for name, runs in found.items():
        middle = Spread.of([run.at(0.5) for run in runs])
        high = Spread.of([run.at(0.99) for run in runs])
        largest = statistics.median(max(run.gap_ms) for run in runs)
        merged = statistics.median(run.merged_share for run in runs)
        cells = (*middle.cells(digits=3), *high.cells(digits=3), f"{largest:.2f}", f"{merged:.1%}")
        rows.append((name, str(len(runs)), *cells))
    heading = (
        "error of a gap, ms",
        "n",
        "p50",
        "min",
        "max",
        "p99",
        "min",
        "max",
        "largest",
        "shared a read",
    )
    print_table(heading, rows)
    middles = [run.at(0.5) for run in found[SCREEN]]
    beyond = [
        ours.at(0.99) - theirs.at(0.99) for ours, theirs in zip(found[SCREEN], found[PLAIN], strict=True)
    ]
    claims = (
        ("p50", middles, CLAIMED_P50_MS),
        ("p99 less that without a screen", beyond, CLAIMED_P99_BEYOND_MS),
    )
    decisions = []
    print()
    for what, readings, at_most in claims:
        shown = interval_words(readings, ".3f", unit=" ms")
        decision = judge(readings, at_most=at_most)
        print(f"{what} by rounds, 95 %: {shown}; claim: at most {at_most:g} ms: {decision}")
        decisions.append(decision)
    return all(decision is Verdict.HOLDS for decision in decisions)


def main() -> int:
    """Run the benchmark; its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=6, help="answers of each way (default 6)")
    parser.add_argument("--tokens", type=int, default=3_000, help="tokens of an answer (default 3000)")
    parser.add_argument("--spin", action="store_true", help="an exact schedule, at the cost of a core")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)  # the server, by itself
    arguments = parser.parse_args()
    if arguments.serve:
        if not arguments.spin:
            player.SPIN_NS = 0
        return serve(["--from-stdin"])
    if sys.platform != "linux":
        give_up("clock readings of two processes compare on Linux only")
    if arguments.rounds < 1 or arguments.tokens < 101:
        give_up("--rounds must be at least 1, --tokens at least 101")
    print(machine("foundry-tui", "textual"))
    print(f"load average at start {os.getloadavg()[0]:.2f}")
    found = measure(arguments.rounds, arguments.tokens, spins=arguments.spin)
    print(f"load average at end   {os.getloadavg()[0]:.2f}\n")
    return 0 if report(found) else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Our own error in a whole benchmark, while its pane draws and without a screen, against the server's log.

Claims, for each rate of 50, 200 and 1,000 chunks a second: the error of a gap has a p50 below 0.05 ms and a
p99 within 0.2 ms of that of the same run without a screen; the error of TTFT, from the moment at which the
request was sent, a p50 below 0.5 ms; that of the decode rate below 0.1 %.

Run it in an environment in which foundry-tui is installed with its development tools, on a quiet machine
(Linux: the clocks of two processes compare there)::

    python benchmarks/bench_error.py [--rounds 6] [--requests 1] [--seconds 2] [--server prompt] [--quick]

A server in a process of its own (``schedules.py``) answers by the model that is asked: one token in a chunk
at each rate, four tokens in a chunk, four events in a write; and the same rates from a server that leaves
TCP_NODELAY off, whose kernel holds a small write back until the one before is acknowledged.  It logs when it
handed each write to the kernel.  A round is a whole benchmark over all of them, each asked ``--requests``
times in interleaved order after a short warm-up: once by the app on a pseudo-terminal of 120 x 40 with the
benchmark pane open, as it is, and once by ``foundry-tui bench``.  Both keep the readings in a database, from
which they are read back.  Errors are absolute differences (``metrics.clock_error``); where the write of one
gap was late itself, that is in the log and no error.

Each round has a p50 and a p99 of the gaps of each schedule and a median of its errors of TTFT and rate; the
table has medians over the rounds.  A claim is judged by a 95 % interval of the rounds; fewer than six leave
it undecided.  Last, what a benchmark says of itself: in how many rounds it would have withheld percentiles.

Exit code: 0 the claims hold, 1 they do not or are undecided, 2 something is missing or misbehaved.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from figures import Spread, Verdict, give_up, interval_words, judge, machine, print_table
from gap_error import Errors
from pseudo_terminal import on_terminal, output_of, report_line
from schedules import PROMPT, Server, server, steady, written_ns

from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.domain.known_timing import Condition, KnownAnswer, WrittenAnswer
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.clock_error import gap_errors_ns, rate_error_share, ttft_error_ns
from foundry_tui.metrics.latency import merged_share
from foundry_tui.metrics.trust import withheld
from foundry_tui.storage import Database, StoredRuns

sys.path.append(str(Path(__file__).resolve().parents[1]))  # for the scripted server of the tests

from tests.support.record import Record

RATES = (50, 200, 1_000)
PLAIN_MODELS = (*(f"rate-{rate}" for rate in RATES), "packed-200", "together-200")
DELAYED_MODELS = tuple(f"rate-{rate}" for rate in RATES)
SERVERS = {"prompt": (PLAIN_MODELS, True), "delayed": (DELAYED_MODELS, False)}
CLAIMED_GAP_MS = 0.05
CLAIMED_BEYOND_MS = 0.2
CLAIMED_TTFT_MS = 0.5
CLAIMED_RATE_PERCENT = 0.1
SCREEN, HEADLESS = "with the pane", "bench"
DELAYED = ", no TCP_NODELAY"
MAX_TOKENS = 32_768
"""More than any schedule has, so that none counts as running away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The errors of one schedule in one run.

    Attributes:
        gaps: Of each gap, in milliseconds.
        ttft_ms: Of each answer, as is the next.
        is_withheld: Whether the benchmark would tell no percentiles of these gaps.
    """

    gaps: Errors
    ttft_ms: list[float]
    rate_share: list[float]
    is_withheld: bool


Found = Mapping[tuple[str, str], list[Round]]
"""By schedule and way, the rounds."""


def with_pane(endpoint: Server, folder: Path, models: Sequence[str], requests: int) -> None:
    """Run it in the app."""
    (folder / "config").mkdir(parents=True)
    ours, theirs = os.pipe()
    try:
        order = {
            "url": endpoint.url,
            "folder": str(folder),
            "models": ",".join(models),
            "prompt": PROMPT,
            "rounds": requests,
            "max_tokens": MAX_TOKENS,
            "report": theirs,
        }
        side = str(Path(__file__).with_name("bench_side.py"))
        with on_terminal(SCREEN, (sys.executable, side, json.dumps(order)), pass_fds=[theirs]) as app:
            os.close(theirs)
            told = json.loads(report_line(ours, app))
            if told["drawn"] < told["took_s"]:
                app.fail(f"drew only {told['drawn']} times in {told['took_s']:.0f} s")
    finally:
        os.close(ours)


def without(endpoint: Server, folder: Path, models: Sequence[str], requests: int) -> None:
    """Run it on the command line."""
    asked = (
        *("bench", "--models", ",".join(models), "--prompt", PROMPT, "--rounds", str(requests), "--json"),
        *("--max-tokens", str(MAX_TOKENS), "--temperature", "0", "--offline", "--endpoint", endpoint.url),
    )
    output_of(folder, *asked)


WAYS: Mapping[str, Callable[[Server, Path, Sequence[str], int], None]] = {
    SCREEN: with_pane,
    HEADLESS: without,
}


async def kept_requests(path: Path) -> list[RequestRun]:
    """The timed requests of the one run in the database."""
    database = Database(path)
    store = StoredRuns(database)
    try:
        found = await store.runs(limit=2)
        if len(found) != 1:
            give_up(f"the database has {len(found)} runs instead of one")
        return [one for one in await store.requests(found[0].id) if one.phase is Phase.TIMED]
    finally:
        await database.aclose()


def known_answer(trace: GenerationTrace, record: Record, model: str, seconds: float) -> KnownAnswer:
    """``trace`` and what the server wrote of it, found by the id that it gave the answer."""
    if trace.response_id is None or not trace.outcome.is_timed:
        give_up(f"an answer of {model} ended as {trace.outcome.value}: {trace.error}")
    number = int(trace.response_id.rpartition("-")[2]) - 1
    texts_ns = written_ns(record, number)
    if len(texts_ns) != len(trace.chunks):
        give_up(f"{model}: {len(texts_ns)} pieces were written and {len(trace.chunks)} kept")
    return KnownAnswer(
        condition=Condition.IDLE,
        schedule=steady(model, seconds).schedule,
        trace=trace,
        written=WrittenAnswer(name=model, request_ns=record.requests[number].at_ns, text_ns=texts_ns),
    )


def errors_of(answers: Sequence[KnownAnswer]) -> Round:
    """The errors of the answers of one schedule."""
    pairs = sum(len(answer.trace.chunks) - 1 for answer in answers)
    merged = sum(
        (merged_share(answer.trace.chunks) or 0) * (len(answer.trace.chunks) - 1) for answer in answers
    )
    delays_ns = [answer.trace.delay_p99_ns for answer in answers if answer.trace.delay_p99_ns is not None]
    reasons = withheld(same_read=round(merged), pairs=pairs, delay_p99_ns=max(delays_ns, default=None))
    return Round(
        gaps=Errors(
            gap_ms=[error for answer in answers for error in _gap_errors_ms(answer)],
            merged_share=merged / pairs,
        ),
        ttft_ms=[error / 1e6 for answer in answers if (error := ttft_error_ns(answer)) is not None],
        rate_share=[error for answer in answers if (error := rate_error_share(answer)) is not None],
        is_withheld=bool(reasons),
    )


def _gap_errors_ms(answer: KnownAnswer) -> list[float]:
    """Of the gaps between two writes: within one there is none to be wrong about."""
    gaps = pairwise(answer.written.text_ns)
    return [
        error / 1e6
        for error, (earlier, later) in zip(gap_errors_ns(answer), gaps, strict=True)
        if later != earlier
    ]


def measure(
    rounds: int, requests: int, seconds: float, servers: Sequence[tuple[tuple[str, ...], bool]]
) -> dict[tuple[str, str], list[Round]]:
    """All rounds, each run with a server and a folder of its own.

    Args:
        rounds: Runs of each way.
        requests: Of each schedule in a run.
        seconds: Length of an answer.
        servers: What each is asked, and whether it sets TCP_NODELAY.
    """
    found: dict[tuple[str, str], list[Round]] = {}
    for number in range(rounds):
        for way in (SCREEN, HEADLESS) if number % 2 == 0 else (HEADLESS, SCREEN):
            for models, nodelay in servers:
                with (
                    tempfile.TemporaryDirectory(prefix="bench-error-") as scratch,
                    server(models, seconds=seconds, nodelay=nodelay, spares_first=True) as endpoint,
                ):
                    WAYS[way](endpoint, Path(scratch), models, requests)
                    kept = asyncio.run(kept_requests(Path(scratch) / "data" / "foundry-tui.db"))
                    record = endpoint.record()
                for model in models:
                    answers = [
                        known_answer(one.trace, record, model, seconds) for one in kept if one.model == model
                    ]
                    key = (model if nodelay else model + DELAYED, way)
                    found.setdefault(key, []).append(errors_of(answers))
    return found


def in_words(name: str) -> str:
    """A schedule, as the table has it."""
    model, comma, rest = name.partition(",")
    return steady(model, 1).what + comma + rest


def report(found: Found) -> bool:
    """Print the tables; whether all claims hold."""
    rows = []
    for (name, way), rounds in found.items():
        rows.append(
            (
                f"{in_words(name)}; {way}",
                str(len(rounds)),
                *Spread.of([one.gaps.at(0.5) for one in rounds]).cells(digits=3),
                *Spread.of([one.gaps.at(0.99) for one in rounds]).cells(digits=3),
                *Spread.of([statistics.median(one.ttft_ms) for one in rounds]).cells(digits=3),
                *Spread.of([statistics.median(one.rate_share) for one in rounds]).cells(scale=100, digits=4),
                f"{statistics.median(one.gaps.merged_share for one in rounds):.1%}",
                f"{sum(one.is_withheld for one in rounds)} of {len(rounds)}",
            )
        )
    gaps = ("gap p50 ms", "min", "max", "p99 ms", "min", "max")
    others = ("TTFT p50 ms", "min", "max", "rate %", "min", "max")
    print_table(("error at", "n", *gaps, *others, "shared a read", "withheld"), rows)
    print()
    decided = [
        _decided(in_words(name), what, readings, at_most)
        for name in dict.fromkeys(name for name, _ in found)
        for what, readings, at_most in _claims(found[name, SCREEN], found[name, HEADLESS])
    ]
    heading = ("with the pane, at", "", "median", "by rounds, 95 %", "at most", "claim")
    print_table(heading, [row for row, _ in decided])
    return all(decision is Verdict.HOLDS for _, decision in decided)


def _claims(drawn: Sequence[Round], plain: Sequence[Round]) -> tuple[tuple[str, list[float], float], ...]:
    beyond = [ours.gaps.at(0.99) - theirs.gaps.at(0.99) for ours, theirs in zip(drawn, plain, strict=True)]
    return (
        ("gap p50, ms", [one.gaps.at(0.5) for one in drawn], CLAIMED_GAP_MS),
        ("gap p99 less without pane, ms", beyond, CLAIMED_BEYOND_MS),
        ("TTFT p50, ms", [statistics.median(one.ttft_ms) for one in drawn], CLAIMED_TTFT_MS),
        ("rate, %", [100 * statistics.median(one.rate_share) for one in drawn], CLAIMED_RATE_PERCENT),
    )


def _decided(
    name: str, what: str, readings: Sequence[float], at_most: float
) -> tuple[tuple[str, ...], Verdict]:
    decision = judge(readings, at_most=at_most)
    shown = (f"{statistics.median(readings):.3f}", interval_words(readings, ".3f"), f"{at_most:g}")
    return (name, what, *shown, decision.value), decision


def main() -> int:
    """Run the benchmark; its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=6, help="runs of each way (default 6)")
    parser.add_argument("--requests", type=int, default=1, help="of each schedule in a run (default 1)")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of an answer (default 2)")
    parser.add_argument("--server", choices=list(SERVERS), action="append", help="only this (default: both)")
    parser.add_argument("--quick", action="store_true", help="one short round, to see that it runs")
    arguments = parser.parse_args()
    if sys.platform != "linux":
        give_up("clock readings of two processes compare on Linux only")
    if arguments.quick:
        arguments.rounds, arguments.requests, arguments.seconds = 1, 1, 0.5
    if arguments.rounds < 1 or arguments.requests < 1 or not 0.5 <= arguments.seconds <= 20:
        give_up("--rounds and --requests must be at least 1, --seconds from 0.5 to 20")
    print(machine("foundry-tui", "textual"))
    print(f"load average at start {os.getloadavg()[0]:.2f}")
    servers = [SERVERS[name] for name in arguments.server or SERVERS]
    found = measure(arguments.rounds, arguments.requests, arguments.seconds, servers)
    print(f"load average at end   {os.getloadavg()[0]:.2f}\n")
    return 0 if report(found) else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Opens and lists benchmark runs in a database of 10,000 runs with up to 1,000,000 requests.

Claim: opening a run of 2,000 requests of 120 chunks each, all readings among them, takes at most 0.5 s, and
listing 10,000 runs at most 0.2 s, the database driver being imported already.

Run it in an environment in which foundry-tui is installed, on a quiet machine::

    python benchmarks/results_store.py [--requests 100000] [--runs 10000] [--rounds 15] [--folder DIR]

With ``--requests 1000000`` it takes some 2.1 GB of disk in ``--folder``.  Ten of the runs have 2,000
requests, the others share the rest evenly.  The requests are made up (seeded; words and gaps are drawn anew
for each of those that are opened).  The ten runs, and one of the others, go in through the port that the
program uses; of that other one copies are made by SQL.  Each reading is the time between asking the port and
its answer, on the event loop, garbage being looked for as in the program.  "From the disk" means that the
system was asked to forget the file before; whether it does is its own affair, so that nothing is claimed.

Exit code: 0 the claim holds, 1 it does not or is undecided.
"""

import argparse
import asyncio
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import cycle
from pathlib import Path

from figures import Spread, Verdict, judge, machine, print_table
from store_timing import Writes, timed

from foundry_tui.domain.bench import (
    BenchPlan,
    ModelRun,
    Phase,
    PlannedPrompt,
    RequestRun,
    Run,
    RunStatus,
)
from foundry_tui.domain.chat import ChunkReceived, Outcome, TokenUsage
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.services import calm
from foundry_tui.storage import Database, StoredRuns

OPENED_S = 0.5
LISTED_S = 0.2
LARGE_RUNS = 10
LARGE = 2_000
CHUNKS = 120
FIRST_UNIX_MS = 1_700_000_000_000
MINUTE_MS = 60_000
MODELS = ("qwen2.5-0.5b", "phi-4-mini", "smollm2-135m-instruct", "tiny-demo")


class Writer:
    """Makes up runs, the same ones each time."""

    def __init__(self) -> None:
        self._random = random.Random(5)
        letters = "etaoinshrdlucmfwypvbgkjqxz"
        self._words = [
            " " + "".join(self._random.choices(letters, range(26, 0, -1), k=self._random.randint(2, 7)))
            for _ in range(2_000)
        ]

    def run(self, number: int) -> Run:
        """One without requests."""
        prompts = tuple(
            PlannedPrompt(id=f"p{place}", text="".join(self._random.choices(self._words, k=40)))
            for place in range(1, 11)
        )
        return Run(
            id=run_id(number),
            name=f"nightly {number}",
            plan=BenchPlan(models=MODELS, prompts=prompts, rounds=50, seed=7),
            status=RunStatus.COMPLETED,
            started_unix_ms=FIRST_UNIX_MS + number * MINUTE_MS,
            ended_unix_ms=FIRST_UNIX_MS + (number + 1) * MINUTE_MS,
            environment=tuple((f"name-{place}", f"value of {place}") for place in range(30)),
            models=tuple(
                ModelRun(model=name, model_id=variant(name), outcome=Outcome.COMPLETED, load_ns=10**9)
                for name in MODELS
            ),
            tags=("nightly", "cpu"),
        )

    def requests(self, count: int) -> tuple[RequestRun, ...]:
        """So many, each with an answer of its own."""
        return tuple(
            RequestRun(
                number=number,
                model=MODELS[number % len(MODELS)],
                model_id=variant(MODELS[number % len(MODELS)]),
                prompt_id=f"p{number % 10 + 1}",
                round=number // 40 + 1,
                phase=Phase.TIMED,
                at_unix_ms=FIRST_UNIX_MS + number * 1000,
                trace=self._trace(),
                peak_rss_bytes=self._random.randrange(2**31),
            )
            for number in range(1, count + 1)
        )

    def _trace(self) -> GenerationTrace:
        at_ns = first_ns = self._random.randrange(2**50)
        chunks: list[ChunkReceived] = []
        for read, word in enumerate(self._random.choices(self._words, k=CHUNKS), start=2):
            chunks.append(ChunkReceived(at_ns=at_ns, text=word, read=read))
            at_ns += int(self._random.gauss(7e6, 4e5))
        return GenerationTrace(
            call_ns=first_ns - 20_154_321,
            sent_ns=first_ns - 19_054_321,
            headers_ns=first_ns - 1_254_321,
            role_ns=first_ns - 554_321,
            chunks=tuple(chunks),
            end_ns=at_ns,
            usage=TokenUsage(prompt_tokens=40, completion_tokens=CHUNKS),
            outcome=Outcome.COMPLETED,
            finish_reason="stop",
            response_id=f"chatcmpl-{self._random.randrange(2**40)}",
            delay_p99_ns=self._random.randrange(10**6),
        )


def variant(model: str) -> str:
    """The exact one that was asked."""
    return f"{model}-generic-cpu:1"


def run_id(number: int) -> str:
    """As random ones, the same each time."""
    return f"{random.Random(number).getrandbits(128):032x}"


async def fill(path: Path, requests: int, runs: int) -> list[str]:
    """Write everything; the ids of the large runs."""
    database, writer, share = Database(path), Writer(), max(1, (requests - LARGE_RUNS * LARGE) // runs)
    store, large = StoredRuns(database), [number * (runs // LARGE_RUNS) for number in range(LARGE_RUNS)]
    try:
        for number in large:
            await store.import_run(writer.run(number), writer.requests(LARGE))
            tell(f"large run {number}")
        await store.import_run(writer.run(runs), writer.requests(share))
    finally:
        await database.aclose()
    copy(path, run_id(runs), [number for number in range(runs) if number not in large])
    return [run_id(number) for number in large]


def copy(path: Path, original: str, numbers: Sequence[int]) -> None:
    """Write that run again under each of these numbers."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        (source,) = connection.execute("SELECT number FROM run WHERE id = ?", (original,)).fetchone()
        own = {"number", "id", "name", "started_unix_ms", "ended_unix_ms"}
        same = _columns(connection, "run", without=own)
        tables = {
            table: _columns(connection, table, without={"run"})
            for table in ("run_plan", "run_model", "run_request")
        }
        connection.execute("BEGIN")
        for place, number in enumerate(numbers):
            started_unix_ms = FIRST_UNIX_MS + number * MINUTE_MS
            made = connection.execute(
                f"INSERT INTO run (id, name, started_unix_ms, ended_unix_ms, {same})"
                f" SELECT ?, ?, ?, ?, {same} FROM run WHERE number = ?",
                (run_id(number), f"nightly {number}", started_unix_ms, started_unix_ms + MINUTE_MS, source),
            ).lastrowid
            for table, columns in tables.items():
                connection.execute(
                    f"INSERT INTO {table} (run, {columns}) SELECT ?, {columns} FROM {table} WHERE run = ?",
                    (made, source),
                )
            if place % 500 == 499:
                connection.execute("COMMIT")
                connection.execute("BEGIN")
                tell(f"{place + 1} of {len(numbers)} other runs")
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _columns(connection: sqlite3.Connection, table: str, *, without: set[str]) -> str:
    """As the newest version of the database has them."""
    names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    return ", ".join(name for name in names if name not in without)


def tell(line: str) -> None:
    """Say on a terminal how far it is."""
    if sys.stderr.isatty():
        print(f"\r{line}  ", end="", file=sys.stderr, flush=True)


def forget(path: Path) -> None:
    """Ask the system to keep nothing of the file in memory, where it can be asked."""
    if hasattr(os, "posix_fadvise"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


async def measure_reads(path: Path, rounds: int, large: Sequence[str], runs: int) -> list[Verdict]:
    """Print the table of reads; what it says of the claims."""
    database = Database(path)
    store, each = StoredRuns(database), cycle(large)
    rows: list[tuple[str, ...]] = []
    verdicts: list[Verdict] = []

    async def open_run() -> None:
        chosen = next(each)
        found, requests = await store.run(chosen), await store.requests(chosen)
        assert found is not None
        assert len(requests) == LARGE

    async def list_all() -> None:
        assert len(await store.runs(limit=runs)) == runs

    def add(name: str, taken: list[float], claimed_s: float | None = None) -> None:
        verdict = None if claimed_s is None else judge(taken, at_most=claimed_s)
        verdicts.extend([verdict] if verdict is not None else [])
        claim = "" if claimed_s is None else f"{claimed_s * 1e3:.0f}"
        rows.append((name, *Spread.of(taken).cells(scale=1e3), claim, verdict or ""))

    drop = partial(forget, path)
    try:
        await store.runs(limit=1)
        add(f"open a run of {LARGE}", await timed(rounds, open_run), OPENED_S)
        add(f"list {runs} runs", await timed(rounds, list_all), LISTED_S)
        add("open, from the disk", await timed(rounds, open_run, before=drop))
        add("list, from the disk", await timed(rounds, list_all, before=drop))
        add("list 100 runs", await timed(rounds, store.runs))
        add("list 100 in the middle", await timed(rounds, partial(store.runs, offset=runs // 2)))
        add("ids by a beginning", await timed(rounds, partial(store.run_ids, large[0][:6])))
        add("last 10 requests", await timed(rounds, partial(store.requests, large[1], after=LARGE - 10)))
    finally:
        await database.aclose()
    print_table(("reading", "median, ms", "least", "greatest", "at most", ""), rows)
    return verdicts


async def measure_writes(path: Path, rounds: int, runs: int) -> None:
    """Print the table of writes of one run, and of its removal."""
    database, writer = Database(path), Writer()
    store, (request,) = StoredRuns(database), writer.requests(1)
    run, writes = writer.run(runs + 1), Writes()
    try:
        await store.runs(limit=1)
        for _ in range(rounds):
            await writes.time("create_run", store.create_run(run))
            for number in range(1, 21):
                await writes.time("add_request", store.add_request(run.id, replace(request, number=number)))
            await writes.time("put_model", store.put_model(run.id, run.models[0]))
            await writes.time("end_run", store.end_run(run.id, RunStatus.COMPLETED, at_unix_ms=1))
            await writes.time("delete_run of 20 requests", store.delete_run(run.id))
        many = writer.requests(LARGE)
        for _ in range(3):
            await writes.time(f"import_run of {LARGE} requests", store.import_run(run, many))
            await writes.time(f"delete_run of {LARGE} requests", store.delete_run(run.id))
    finally:
        await database.aclose()
    writes.print_table()


async def measure(folder: Path, requests: int, runs: int, rounds: int) -> int:
    """Fill, print the tables; the exit code."""
    path, begun = folder / "foundry-tui.db", time.perf_counter()
    large = await fill(path, requests, runs)
    with closing(sqlite3.connect(path)) as connection:
        (there,) = connection.execute("SELECT count(*) FROM run").fetchone()
        (kept,) = connection.execute("SELECT count(*) FROM run_request").fetchone()
    print(
        f"\n{there} runs, {kept} requests of {CHUNKS} chunks, {path.stat().st_size / 1e6:.0f} MB;"
        f" written in {time.perf_counter() - begun:.0f} s\n"
    )
    verdicts = await measure_reads(path, rounds, large, runs)
    print()
    await measure_writes(path, rounds, runs)
    holds = all(verdict is Verdict.HOLDS for verdict in verdicts)
    print(f"\nThe claim of {OPENED_S} and {LISTED_S} s: {Verdict.HOLDS if holds else Verdict.FAILS}")
    return 0 if holds else 1


def main() -> int:
    """Read the command line, run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--folder", type=Path, help="where the database is made; a temporary folder else")
    options = parser.parse_args()
    calm.begin()
    print(machine("sqlalchemy", "foundry-tui"), f", SQLite {sqlite3.sqlite_version}", sep="")
    print(f"load average {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        return asyncio.run(measure(Path(folder), options.requests, options.runs, options.rounds))


if __name__ == "__main__":
    raise SystemExit(main())

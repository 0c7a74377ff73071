"""Lists, searches and writes in a database of 5,000 conversations with 50,000 messages.

Claim: opening the file, a page of the list (500), of a search (100 hits with their snippets) and a count each
take at most 50 ms, the database driver being imported already.

Run it in an environment in which foundry-tui is installed, on a quiet machine::

    python benchmarks/conversations.py [--conversations 5000] [--turns 10] [--rounds 15] [--folder DIR]

The messages are made up (words by a power law, as in language; seeded) and go in through the same port that
the program uses; every answer has readings of as many chunks as it has words.  Each reading is the time
between asking the port and its answer, on the event loop.  Beside each search stands what a plain
``LIKE '%...%'`` over the same rows takes, by the driver alone and without title, tags, snippets and order.
Writes are timed with each commit on the disk (as the program does it), and beside them the same commit
without waiting for the disk.

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
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from figures import Spread, Verdict, judge, machine, print_table
from store_timing import Writes, timed

from foundry_tui.domain.chat import ChunkReceived, Outcome, Role, TokenUsage
from foundry_tui.domain.conversations import Conversation, Turn, new_id
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.storage import Database, StoredConversations

CLAIMED_S = 0.050
FIRST_UNIX_MS = 1_700_000_000_000
MINUTE_MS = 60_000
VOCABULARY = 20_000
COMMON = ("the", "of", "and", "to", "in", "that", "this", "model", "there", "think")
RARE = "zymurgy"
CHINESE = "今天天气很好我们去公园散步吧"


class Writer:
    """Makes up messages, the same ones each time."""

    def __init__(self) -> None:
        self._random = random.Random(4)
        letters = "etaoinshrdlucmfwypvbgkjqxz"
        self._vocabulary = [
            "".join(self._random.choices(letters, range(26, 0, -1), k=self._random.randint(3, 10)))
            for _ in range(VOCABULARY)
        ]

    def conversation(self, number: int, turns: int) -> Conversation:
        """One of ``turns`` turns; every hundredth holds a rare word, every fiftieth some Chinese."""
        said: list[Turn] = []
        begun_unix_ms = FIRST_UNIX_MS + number * MINUTE_MS
        for place in range(turns):
            words = self._words(
                self._random.randint(10, 40) if place % 2 == 0 else self._random.randint(40, 320)
            )
            if place == 3 and number % 100 == 0:
                words[5] = RARE
            if place == 1 and number % 50 == 0:
                words[7] = CHINESE
            text = " ".join(words)
            said.append(
                Turn(
                    id=new_id(),
                    parent_id=said[-1].id if said else None,
                    role=Role.ASSISTANT if place % 2 else Role.USER,
                    text=text,
                    at_unix_ms=begun_unix_ms + place,
                    model_id=f"model-{number % 7}" if place % 2 else None,
                    trace=self._trace(words) if place % 2 else None,
                )
            )
        return Conversation(
            id=new_id(),
            title=" ".join(self._words(6)),
            created_unix_ms=begun_unix_ms,
            updated_unix_ms=begun_unix_ms + turns,
            tags=tuple(self._random.sample(("work", "code", "home", "travel"), k=self._random.randint(0, 2))),
            turns=tuple(said),
            head_id=said[-1].id if said else None,
        )

    def _words(self, count: int) -> list[str]:
        ranks = (min(int(self._random.paretovariate(0.7)) - 1, VOCABULARY - 1) for _ in range(count))
        return [
            self._random.choice(COMMON) if self._random.random() < 0.35 else self._vocabulary[rank]
            for rank in ranks
        ]

    def _trace(self, words: list[str]) -> GenerationTrace:
        at_ns = self._random.randrange(2**50)
        chunks: list[ChunkReceived] = []
        for place, word in enumerate(words):
            at_ns += self._random.randrange(5_000_000, 9_000_000)
            text = word if place == 0 else f" {word}"
            chunks.append(ChunkReceived(at_ns=at_ns, text=text, read=place + 2))
        first_ns = chunks[0].at_ns
        return GenerationTrace(
            call_ns=first_ns - 20_000_000,
            sent_ns=first_ns - 19_000_000,
            headers_ns=first_ns - 1_000_000,
            role_ns=first_ns - 500_000,
            chunks=tuple(chunks),
            end_ns=at_ns,
            usage=TokenUsage(prompt_tokens=40, completion_tokens=len(chunks)),
            outcome=Outcome.COMPLETED,
            finish_reason="stop",
        )


def scanned(path: Path, rounds: int, word: str) -> list[float]:
    """The same by looking into every message."""
    taken: list[float] = []
    with closing(sqlite3.connect(path)) as connection:
        for _ in range(rounds + 1):
            begun = time.perf_counter()
            connection.execute(
                "SELECT DISTINCT conversation FROM turn WHERE text LIKE ?", (f"%{word}%",)
            ).fetchall()
            taken.append(time.perf_counter() - begun)
    return taken[1:]


async def fill(path: Path, conversations: int, turns: int) -> tuple[int, str]:
    """Write everything; the characters that were written, and the id of one conversation."""
    database = Database(path)
    store, writer, characters, middle = StoredConversations(database), Writer(), 0, ""
    try:
        for number in range(conversations):
            made = writer.conversation(number, turns)
            characters += sum(len(turn.text) for turn in made.turns)
            middle = made.id if number == conversations // 2 else middle
            await store.create(made)
            if sys.stderr.isatty() and number % 250 == 0:
                print(f"\r{number} of {conversations}", end="", file=sys.stderr)
    finally:
        await database.aclose()
    return characters, middle


async def opened(path: Path) -> None:
    """Open, ask the least that can be asked, close."""
    database = Database(path)
    await StoredConversations(database).load("nobody")
    await database.aclose()


async def measure_reads(path: Path, rounds: int, middle: str) -> list[Verdict]:
    """Print the table of reads; what it says of the claim."""
    database = Database(path)
    store = StoredConversations(database)
    rows: list[tuple[str, ...]] = []
    verdicts: list[Verdict] = []

    def add(name: str, found: str, taken: list[float], scan: list[float] | None, *, is_claimed: bool) -> None:
        verdict = judge(taken, at_most=CLAIMED_S) if is_claimed else None
        verdicts.extend([verdict] if verdict is not None else [])
        beside = "" if scan is None else Spread.of(scan).cells(scale=1e3)[0]
        rows.append((name, found, *Spread.of(taken).cells(scale=1e3), beside, verdict or ""))

    try:
        add("open", "", await timed(rounds, partial(opened, path)), None, is_claimed=True)
        for limit in (50, 500):
            taken = await timed(rounds, partial(store.find, limit=limit))
            add(f"list, {limit} of them", str(await store.count()), taken, None, is_claimed=True)
        for text in (RARE, "the", "th", "t", "model think", "weather", "天气"):
            found = str(await store.count(text=text))
            taken = await timed(rounds, partial(store.find, text=text, limit=100))
            word = text.partition(" ")[0]
            add(f"search {text!r}", found, taken, scanned(path, rounds, word), is_claimed=True)
        taken = await timed(rounds, partial(store.find, text="the"))
        add("search 'the', 500 of them", str(await store.count(text="the")), taken, None, is_claimed=False)
        taken = await timed(rounds, partial(store.find, tag="work", limit=100))
        add("list of a tag", str(await store.count(tag="work")), taken, None, is_claimed=True)
        for text in ("", "the"):
            taken = await timed(rounds, partial(store.count, text=text))
            add(f"count {text!r}", "", taken, None, is_claimed=True)
        add("tags", "", await timed(rounds, store.tags), None, is_claimed=True)
        add("load one", "1", await timed(rounds, partial(store.load, middle)), None, is_claimed=True)
    finally:
        await database.aclose()
    print_table(("reading", "found", "median, ms", "least", "greatest", "LIKE, ms", "at most 50 ms"), rows)
    return verdicts


async def measure_writes(path: Path, rounds: int) -> None:
    """Print the table of writes of one question and its answer."""
    database = Database(path)
    store, writer = StoredConversations(database), Writer()
    made = writer.conversation(1, 2)
    question, answer = made.turns
    pieces = [f"{word} " * 10 for word in answer.text.split()]
    writes = Writes()
    try:
        for _ in range(rounds):
            conversation_id, question_id, answer_id = new_id(), new_id(), new_id()
            empty = Conversation(id=conversation_id, title="t", created_unix_ms=1, updated_unix_ms=1)
            await writes.time("create", store.create(empty))
            asked = Turn(
                id=question_id, parent_id=None, role=Role.USER, text=question.text, at_unix_ms=FIRST_UNIX_MS
            )
            await writes.time("add_turn, question", store.add_turn(conversation_id, asked))
            draft = Turn(
                id=answer_id, parent_id=question_id, role=Role.ASSISTANT, text="", at_unix_ms=FIRST_UNIX_MS
            )
            await writes.time("add_turn, answer", store.add_turn(conversation_id, draft))
            for piece in pieces:
                await writes.time("extend_turn", store.extend_turn(answer_id, text=piece, reasoning=""))
            done = Turn(
                id=answer_id,
                parent_id=question_id,
                role=Role.ASSISTANT,
                text=answer.text,
                at_unix_ms=FIRST_UNIX_MS,
                trace=answer.trace,
            )
            await writes.time("finish_turn", store.finish_turn(done))
            await writes.time("delete", store.delete(conversation_id))
    finally:
        await database.aclose()
    for level in ("FULL", "NORMAL"):
        writes.taken[f"bare commit, {level}"] = list(bare_commits(path, level, rounds * 5))
    writes.print_table()


def bare_commits(path: Path, level: str, rounds: int) -> Iterator[float]:
    """What a commit of one small row takes, with or without waiting for the disk."""
    with closing(sqlite3.connect(path.with_suffix(".bare"), isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {level}")
        connection.execute("CREATE TABLE IF NOT EXISTS kept (text TEXT)")
        for _ in range(rounds):
            begun = time.perf_counter()
            connection.execute("INSERT INTO kept VALUES (?)", ("a piece of an answer " * 10,))
            yield time.perf_counter() - begun


async def measure(folder: Path, conversations: int, turns: int, rounds: int) -> int:
    """Fill, print the tables; the exit code."""
    path = folder / "foundry-tui.db"
    begun = time.perf_counter()
    characters, middle = await fill(path, conversations, turns)
    print(
        f"\n{conversations} conversations, {conversations * turns} messages, {characters / 1e6:.1f} million"
        f" characters, {path.stat().st_size / 1e6:.0f} MB; written in {time.perf_counter() - begun:.0f} s\n"
    )
    verdicts = await measure_reads(path, rounds, middle)
    print()
    await measure_writes(path, rounds)
    holds = all(verdict is Verdict.HOLDS for verdict in verdicts)
    print(f"\nThe claim of {CLAIMED_S * 1e3:.0f} ms: {Verdict.HOLDS if holds else Verdict.FAILS}")
    return 0 if holds else 1


def main() -> int:
    """Read the command line, run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--conversations", type=int, default=5000)
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--folder", type=Path, help="where the database is made; a temporary folder else")
    options = parser.parse_args()
    print(machine("sqlalchemy", "foundry-tui"), f", SQLite {sqlite3.sqlite_version}", sep="")
    print(f"load average {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        return asyncio.run(measure(Path(folder), options.conversations, options.turns, options.rounds))


if __name__ == "__main__":
    raise SystemExit(main())

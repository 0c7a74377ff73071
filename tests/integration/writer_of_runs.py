"""A program that keeps requests of a run and says which are on disk: for tests of how it ends.

``python -m tests.integration.writer_of_runs FILE RUN FIRST LAST``

It creates the run if it is not there, prints ``begun``, then the number of each request once that is kept,
and ``finished``.
"""

import argparse
import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from foundry_tui.domain.bench import RequestRun
from foundry_tui.storage import Database, StoredRuns
from tests.support.runs import a_request, a_run
from tests.support.traces import random_trace

__all__ = ["request_of"]


def request_of(number: int) -> RequestRun:
    """What is kept under that number."""
    return replace(a_request(number), trace=random_trace(number))


async def main(path: Path, run_id: str, first: int, last: int) -> None:
    """Keep the requests from ``first`` to ``last``."""
    database = Database(path)
    store = StoredRuns(database)
    if await store.run(run_id) is None:
        await store.create_run(a_run(run_id))
    _say("begun")
    for number in range(first, last + 1):
        await store.add_request(run_id, request_of(number))
        _say(str(number))
    await database.aclose()
    _say("finished")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("run")
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    given = parser.parse_args()
    asyncio.run(main(given.path, given.run, given.first, given.last))

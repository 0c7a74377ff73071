"""Real processes that keep requests of a benchmark: killed in the middle, resumed, side by side."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from foundry_tui.domain.bench import RequestRun, Run, RunStatus
from foundry_tui.storage import Database, StoredRuns
from tests.integration.writer_of_runs import request_of
from tests.support.runs import a_run

END_S = 30.0
"""A safety net: what is waited for here takes a second at most."""
ENDLESS = 1_000_000
ROOT = Path(__file__).parents[2]

POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "foundry-tui.db"


@asynccontextmanager
async def writer(path: Path, first: int, last: int) -> AsyncGenerator[Process, None]:
    """A process that keeps those requests; killed when the block is left, if it lives."""
    program = ("-m", "tests.integration.writer_of_runs", str(path), "a1", str(first), str(last))
    process = await asyncio.create_subprocess_exec(sys.executable, *program, stdout=PIPE, cwd=ROOT)
    try:
        async with asyncio.timeout(END_S):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until(process: Process, line: str) -> None:
    assert process.stdout is not None
    while (read := (await process.stdout.readline()).decode().strip()) != line:
        assert read, f"it ended without saying {line}"


async def rest_of(process: Process) -> list[str]:
    assert process.stdout is not None
    return (await process.stdout.read()).decode().split()


async def kept(path: Path) -> tuple[Run | None, tuple[RequestRun, ...], int]:
    """The run, its requests, and how many the list says that it has."""
    database = Database(path)
    store = StoredRuns(database)
    try:
        (summary,) = await store.runs()
        return await store.run("a1"), await store.requests("a1"), summary.requests
    finally:
        await database.aclose()


@POSIX_ONLY
@pytest.mark.parametrize("last_seen", [1, 2, 30])
async def test_a_kill_loses_no_request_that_was_acknowledged_and_none_is_half_there(
    path: Path, last_seen: int
) -> None:
    async with writer(path, 1, ENDLESS) as process:
        await until(process, str(last_seen))
        process.kill()
        acknowledged = [last_seen, *map(int, await rest_of(process))]
        code = await process.wait()

    run, requests, counted = await kept(path)

    assert code == -signal.SIGKILL
    assert len(requests) in (acknowledged[-1], acknowledged[-1] + 1)
    assert requests == tuple(request_of(number) for number in range(1, len(requests) + 1))
    assert counted == len(requests)
    # Whoever comes next decides what a run without its process is.
    assert run == a_run()
    assert run.status is RunStatus.RUNNING


@POSIX_ONLY
async def test_a_run_goes_on_behind_what_a_killed_process_kept(path: Path) -> None:
    async with writer(path, 1, ENDLESS) as process:
        await until(process, "5")
        process.kill()
    _, before, _ = await kept(path)

    async with writer(path, len(before) + 1, len(before) + 5) as process:
        await until(process, "finished")

    _, requests, counted = await kept(path)
    assert requests == tuple(request_of(number) for number in range(1, len(before) + 6))
    assert counted == len(before) + 5


async def test_a_reader_sees_what_another_process_was_told_is_kept(path: Path) -> None:
    database = Database(path)
    store = StoredRuns(database)
    before = await store.runs()
    async with writer(path, 1, ENDLESS) as process:
        for number in (1, 10):
            await until(process, str(number))

            requests = await store.requests("a1")

            assert requests[:number] == tuple(request_of(each) for each in range(1, number + 1))
        await store.describe_run("a1", name="renamed", note="while it runs", tags=("x",))
        await until(process, "20")
    await database.aclose()

    run, _, _ = await kept(path)
    assert before == ()
    assert run is not None
    assert (run.name, run.note, run.tags) == ("renamed", "while it runs", ("x",))

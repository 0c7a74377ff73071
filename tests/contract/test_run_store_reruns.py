"""What every store of benchmarks promises of rounds that are measured again, asked of each of them."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.domain.bench import RunStatus
from foundry_tui.domain.bench_reruns import Rerun, RoundAgain
from foundry_tui.domain.errors import BadInput
from foundry_tui.ports.storage import RunStore
from foundry_tui.storage import Database, StoredRuns
from tests.support.memory_runs import MemoryRuns
from tests.support.runs import a_request, a_run

ODD = "null \x00, a lone \ud83d, \x1b[31m, '; DROP TABLE run; --"
SECOND = Rerun(
    attempt=2,
    started_unix_ms=1_700_000_000_000,
    rounds=(
        RoundAgain(model="alpha", round=2, reasons=("throttled", "slower")),
        RoundAgain(model=ODD, round=2**31, reasons=(ODD,)),
    ),
)
THIRD = replace(SECOND, attempt=3, started_unix_ms=0)


@pytest.fixture(params=["memory", "database"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[RunStore, None]:
    if request.param == "memory":
        yield MemoryRuns()
        return
    database = Database(tmp_path / "foundry-tui.db")
    yield StoredRuns(database)
    await database.aclose()


async def test_a_run_that_is_measured_again_runs_and_says_which_rounds(store: RunStore) -> None:
    await store.create_run(a_run())
    await store.end_run("a1", RunStatus.COMPLETED, at_unix_ms=5, reason="done")

    await store.begin_rerun("a1", SECOND)

    run = await store.run("a1")
    assert run == replace(a_run(), reruns=(SECOND,))
    assert run.status is RunStatus.RUNNING


async def test_each_time_comes_behind_the_ones_before(store: RunStore) -> None:
    await store.create_run(a_run())
    await store.begin_rerun("a1", SECOND)

    await store.begin_rerun("a1", THIRD)

    run = await store.run("a1")
    assert run is not None
    assert run.reruns == (SECOND, THIRD)


async def test_an_attempt_that_is_taken_is_refused_and_changes_nothing(store: RunStore) -> None:
    await store.create_run(a_run())
    await store.begin_rerun("a1", THIRD)
    await store.end_run("a1", RunStatus.COMPLETED, at_unix_ms=7)
    before = await store.run("a1")

    for late in (SECOND, THIRD):
        with pytest.raises(BadInput, match="kept here already"):
            await store.begin_rerun("a1", late)

    assert await store.run("a1") == before


async def test_a_run_that_is_not_there_is_not_measured_again(store: RunStore) -> None:
    with pytest.raises(BadInput, match="not kept here any more"):
        await store.begin_rerun("a1", SECOND)


async def test_several_requests_of_one_slot_are_kept_each_with_its_attempt(store: RunStore) -> None:
    await store.create_run(a_run())
    made = tuple(replace(a_request(number), attempt=attempt) for number, attempt in ((1, 1), (2, 2), (3, 7)))

    for request in made:
        await store.add_request("a1", request)

    assert await store.requests("a1") == made


async def test_an_imported_run_keeps_them_too(store: RunStore) -> None:
    run = replace(a_run(), status=RunStatus.COMPLETED, reruns=(SECOND, THIRD))
    made = (a_request(1), replace(a_request(2), attempt=3))

    await store.import_run(run, made)

    assert await store.run("a1") == run
    assert await store.requests("a1") == made

"""Runs of files from before rounds could be measured again, and lists of such rounds that are damaged."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from foundry_tui.domain.bench_reruns import Rerun, RoundAgain
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.storage import Database, StoredRuns
from foundry_tui.storage.migrations import STEPS, migrate
from tests.support.runs import a_request, a_run

BEFORE = 4
"""The last version of a file that knew of first attempts only."""
SECOND = Rerun(
    attempt=2, started_unix_ms=5, rounds=(RoundAgain(model="alpha", round=1, reasons=("throttled",)),)
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "foundry-tui.db"


async def file_of_before(path: Path) -> None:
    """A run with two requests, as a program of that version has written it."""
    database = Database(path)
    await StoredRuns(database).import_run(a_run(), (a_request(1), a_request(2)))
    await database.aclose()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for table, column in (
            ("run_request", "attempt"),
            ("run_plan", "reruns"),
            ("run_model", "prediction"),
        ):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        for table in tables_of(connection) - tables_before():  # which came later still
            connection.execute(f"DROP TABLE {table}")
        connection.execute(f"PRAGMA user_version = {BEFORE}")


def tables_before() -> set[str]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for step in STEPS[:BEFORE]:
            step(connection)
        return tables_of(connection)


def tables_of(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


async def test_what_an_older_file_has_are_first_attempts_and_more_can_follow(path: Path) -> None:
    await file_of_before(path)

    database = Database(path)
    store = StoredRuns(database)
    run, requests = await store.run("a1"), await store.requests("a1")
    await store.begin_rerun("a1", SECOND)
    again = await store.run("a1")
    await database.aclose()

    assert run == a_run()
    assert requests == (a_request(1), a_request(2))
    assert again is not None
    assert again.reruns == (SECOND,)
    assert path.with_name(f"foundry-tui.db.v{BEFORE}.bak").is_file()


def test_the_older_form_is_the_one_that_its_steps_make(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, STEPS[:BEFORE])
        before = [row[1] for row in connection.execute("PRAGMA table_info(run_request)")]
        migrate(connection, path, STEPS)
        after = [row[1] for row in connection.execute("PRAGMA table_info(run_request)")]

    assert after == [*before, "attempt"]


@pytest.mark.parametrize("line", ["", "[1]", "[[2, 5, []]]", '[[2, 5, [["m", 1, []]]]]'])
async def test_a_damaged_list_of_rounds_is_told_with_the_run_that_has_it(path: Path, line: str) -> None:
    database = Database(path)
    await StoredRuns(database).create_run(a_run())
    await database.aclose()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE run_plan SET reruns = ?", (line,))

    database = Database(path)
    store = StoredRuns(database)
    with pytest.raises(StorageProblem, match="run a1 is damaged"):
        await store.run("a1")
    with pytest.raises(StorageProblem, match="run a1 is damaged"):
        await store.begin_rerun("a1", SECOND)
    await database.aclose()

"""What a run took of the machine: in files of the version before, in little room, and damaged."""

import sqlite3
import zlib
from collections.abc import AsyncGenerator
from contextlib import closing
from pathlib import Path

import pytest

from foundry_tui.domain.bench import ResourceReading
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.storage import Database, StoredRuns
from foundry_tui.storage.migrations import STEPS, migrate
from foundry_tui.storage.resource_batches import pressed_batch
from tests.support.resource_readings import some_readings
from tests.support.runs import a_request, a_run

TABLES_BEFORE = ("run", "run_plan", "run_model", "run_request")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "foundry-tui.db"


@pytest.fixture
async def store(path: Path) -> AsyncGenerator[StoredRuns, None]:
    database = Database(path)
    yield StoredRuns(database)
    await database.aclose()


async def test_a_file_of_the_version_before_keeps_its_runs_and_takes_readings(tmp_path: Path) -> None:
    of_today, old = tmp_path / "today.db", tmp_path / "foundry-tui.db"
    database = Database(of_today)
    await StoredRuns(database).import_run(a_run(), (a_request(1), a_request(2)))
    await database.aclose()
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        migrate(connection, old, STEPS[:3])
        connection.execute("ATTACH ? AS today", (str(of_today),))
        for table in TABLES_BEFORE:
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))
            connection.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM today.{table}")

    database = Database(old)
    runs = StoredRuns(database)
    before = await runs.resources("a1")
    await runs.add_resources("a1", some_readings(5))
    found = (await runs.run("a1"), await runs.requests("a1"), await runs.resources("a1"))
    await database.aclose()

    assert before == ()
    assert found == (a_run(), (a_request(1), a_request(2)), some_readings(5))
    assert old.with_name("foundry-tui.db.v3.bak").is_file()


def test_an_hour_at_ten_a_second_takes_about_a_megabyte() -> None:
    readings = [
        ResourceReading(
            at_ns=10**15 + place * 100_000_000 + place * 7919 % 300_000,
            rss_bytes=2_000_000_000 + place * 104729 % 5000 * 4096,
            cpu_share=round(place * 31 % 97 / 100, 3),
            available_bytes=8_000_000_000 + place * 7907 % 90_000 * 4096,
        )
        for place in range(20)
    ]

    whole = len(pressed_batch(readings)) * 36_000 / len(readings)

    assert whole < 1_200_000


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"nonsense",
        "text",
        pressed_batch(some_readings(3))[:-5],
        zlib.compress(b"[2,[],[],[],[],[]]"),
        zlib.compress(b"[1,[1],[],[],[],[]]"),
        zlib.compress(b"[1,[1],[-5],[null],[null],[null]]"),
        zlib.compress(b'[1,["1"],[5],[null],[null],[null]]'),
        zlib.compress(b"[1,[1],[5],[null],[NaN],[null]]"),
    ],
)
async def test_damaged_readings_are_told_with_their_run_and_the_rest_of_it_is_read(
    store: StoredRuns, path: Path, damage: bytes | str
) -> None:
    await store.import_run(a_run(), (a_request(),), some_readings(3))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE run_resource SET readings = ?", (damage,))

    with pytest.raises(StorageProblem, match="run a1 took of the machine is damaged"):
        await store.resources("a1")

    assert await store.run("a1") == a_run()
    assert await store.requests("a1") == (a_request(),)


async def test_nothing_of_a_deleted_run_stays(store: StoredRuns, path: Path) -> None:
    await store.import_run(a_run(), (a_request(),), some_readings(700))

    await store.delete_run("a1")

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM run_resource").fetchone() == (0,)

"""Runs in files of older versions, in little room, and in rows that somebody damaged."""

import json
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.domain.bench import BenchPlan, ModelRun, PlannedPrompt
from foundry_tui.domain.chat import ChunkKind, ChunkReceived, PhaseTimeouts
from foundry_tui.domain.conversations import Conversation
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.storage import Database, StoredConversations, StoredDownloads, StoredRuns
from foundry_tui.storage.migrations import STEPS, migrate
from foundry_tui.storage.migrations.runner import check_ours
from foundry_tui.storage.plans import packed_plan, unpacked_plan
from tests.support.runs import a_request, a_run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "foundry-tui.db"


@pytest.fixture
async def database(path: Path) -> AsyncGenerator[Database, None]:
    database = Database(path)
    yield database
    await database.aclose()


@pytest.fixture
def store(database: Database) -> StoredRuns:
    return StoredRuns(database)


def contents_of(path: Path) -> bytes:
    return path.read_bytes()


def altered(path: Path, statement: str, *values: object) -> None:
    """Do that behind the program's back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        assert connection.execute(statement, values).rowcount > 0


@pytest.mark.parametrize("version", [1, 2])
async def test_an_older_file_keeps_what_it_has_and_takes_runs(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, STEPS[:version])
        connection.execute("INSERT INTO conversation VALUES (1, 'c', 'kept', 5, 6, '{}', NULL)")
        if version == 2:
            connection.execute(
                "INSERT INTO download VALUES ('d', 'm:1', 1, 2, 'paused', 3, NULL, 4, NULL, NULL, 1, NULL)"
            )

    database = Database(path)
    await StoredRuns(database).import_run(a_run(), (a_request(),))
    conversation = await StoredConversations(database).load("c")
    downloads = await StoredDownloads(database).downloads()
    requests = await StoredRuns(database).requests("a1")
    await database.aclose()

    assert conversation == Conversation(id="c", title="kept", created_unix_ms=5, updated_unix_ms=6)
    assert [(entry.id, entry.attempts) for entry in downloads] == ([("d", 4)] if version == 2 else [])
    assert requests == (a_request(),)
    assert path.with_name(f"foundry-tui.db.v{version}.bak").is_file()


async def test_a_program_that_knows_no_runs_is_told_and_leaves_the_file(path: Path) -> None:
    database = Database(path)
    await StoredRuns(database).create_run(a_run())
    await database.aclose()
    before = contents_of(path)

    with (
        closing(sqlite3.connect(path, isolation_level=None)) as connection,
        pytest.raises(StorageProblem, match="newer version") as caught,
    ):
        check_ours(connection, path, STEPS[:2])

    assert caught.value.remedy is not None
    assert contents_of(path) == before


async def test_a_text_is_kept_once_whatever_its_kind(
    store: StoredRuns, database: Database, path: Path
) -> None:
    texts = {kind: f"marked {kind} to be found".encode() for kind in ChunkKind}
    request = a_request()
    chunks = tuple(
        ChunkReceived(at_ns=51_000_000 + place, text=text.decode(), kind=kind, read=place)
        for place, (kind, text) in enumerate(texts.items())
    )
    await store.create_run(a_run())

    await store.add_request("a1", replace(request, trace=replace(request.trace, chunks=chunks)))
    await database.aclose()

    contents = contents_of(path)
    assert contents.count(texts[ChunkKind.CONTENT]) == 1
    assert contents.count(texts[ChunkKind.REASONING]) == 1
    assert contents.count(texts[ChunkKind.TOOL]) == 0  # compressed with the readings


async def test_a_list_neither_counts_nor_reads_requests(store: StoredRuns, path: Path) -> None:
    await store.import_run(a_run(), (a_request(1), a_request(2)))
    altered(path, "DELETE FROM run_request")
    altered(path, "UPDATE run_plan SET plan = 'damaged'")

    (summary,) = await store.runs()

    assert (summary.requests, summary.planned) == (2, 12)


async def test_requests_and_lists_are_found_by_an_index(store: StoredRuns, path: Path) -> None:
    await store.create_run(a_run())

    def plan_of(statement: str) -> str:
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        return "; ".join(row[3] for row in rows)

    assert "SEARCH" in plan_of("SELECT * FROM run_request WHERE run = 1 AND number > 3 ORDER BY number")
    assert "USING INDEX run_by_start" in plan_of(
        "SELECT * FROM run ORDER BY started_unix_ms DESC, number DESC"
    )
    assert "TEMP B-TREE" not in plan_of("SELECT * FROM run ORDER BY started_unix_ms DESC, number DESC")
    assert "SEARCH" in plan_of("SELECT id FROM run WHERE id >= 'a' AND id < 'b' ORDER BY id")


@pytest.mark.parametrize("damage", [b"", b"nonsense", "text"])
async def test_damaged_readings_are_told_with_run_and_request(
    store: StoredRuns, path: Path, damage: bytes | str
) -> None:
    await store.import_run(a_run(), (a_request(1), a_request(2)))
    altered(path, "UPDATE run_request SET readings = ? WHERE number = 2", damage)

    with pytest.raises(StorageProblem, match="request 2 of run a1 is damaged") as caught:
        await store.requests("a1")

    assert caught.value.remedy is not None
    assert [summary.id for summary in await store.runs()] == ["a1"]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE run_plan SET plan = '{'",
        "UPDATE run_plan SET plan = '{}'",
        "UPDATE run_plan SET plan = '[]'",
        "UPDATE run_plan SET environment = '[[1]]'",
        "UPDATE run_model SET outcome = 'perfect'",
        "UPDATE run_model SET facts = '7'",
        "UPDATE run SET status = 'unheard of'",
    ],
)
async def test_a_damaged_run_is_told_by_its_id_and_can_be_deleted(
    store: StoredRuns, path: Path, damage: str
) -> None:
    await store.create_run(a_run())
    altered(path, damage)

    with pytest.raises(StorageProblem, match="run a1 is damaged"):
        await store.run("a1")
    await store.delete_run("a1")

    assert await store.runs() == ()


async def test_a_number_that_no_column_holds_is_refused_and_nothing_is_kept(store: StoredRuns) -> None:
    await store.create_run(a_run())

    with pytest.raises(BadInput, match="too large"):
        await store.add_request("a1", replace(a_request(), peak_rss_bytes=1 << 64))
    with pytest.raises(BadInput, match="too large"):
        await store.put_model("a1", ModelRun(model="alpha", load_ns=1 << 64))

    assert await store.requests("a1") == ()
    assert await store.run("a1") == a_run()
    assert [summary.requests for summary in await store.runs()] == [0]


async def test_nothing_of_a_deleted_run_stays_in_the_tables(store: StoredRuns, path: Path) -> None:
    await store.import_run(a_run(), (a_request(1), a_request(2)))

    await store.delete_run("a1")

    with closing(sqlite3.connect(path)) as connection:
        for table in ("run", "run_plan", "run_model", "run_request"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_a_plan_of_a_version_that_knew_less_has_defaults() -> None:
    plan = BenchPlan(
        models=("m",), prompts=(PlannedPrompt(id="p", text="t"),), timeouts=PhaseTimeouts(between_s=7.0)
    )
    line = json.loads(packed_plan(plan))
    for name in ("precision", "has_cold_start", "unloads"):
        del line[name]

    assert unpacked_plan(json.dumps(line)) == plan

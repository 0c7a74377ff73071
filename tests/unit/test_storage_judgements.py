"""Judgements in files of the version before, and damaged."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from foundry_tui.domain.errors import StorageProblem
from foundry_tui.domain.judging import Verdict
from foundry_tui.storage import Database, StoredJudgements, StoredRuns
from foundry_tui.storage.migrations import STEPS, migrate
from foundry_tui.storage.migrations.v8 import make_judge_tables
from tests.support.judgements import judgement, preference
from tests.support.runs import a_run
from tests.support.scores import RUBRIC

BEFORE = STEPS.index(make_judge_tables)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "foundry-tui.db"


async def keep(path: Path) -> None:
    database = Database(path)
    await StoredRuns(database).create_run(a_run("a1"))
    store = StoredJudgements(database)
    await store.keep_judgement(RUBRIC, judgement(1, 4, 5, run_id="a1"))
    await store.keep_preference(RUBRIC, preference(1, 2, Verdict.A, run_id="a1"))
    await database.aclose()


async def test_a_file_of_the_version_before_takes_judgements(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, STEPS[:BEFORE])

    await keep(path)

    database = Database(path)
    assert await StoredJudgements(database).judgements("a1") == (judgement(1, 4, 5, run_id="a1"),)
    await database.aclose()
    assert path.with_name(f"foundry-tui.db.v{BEFORE}.bak").is_file()


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("judge_score", "scores", "nonsense"),
        ("judge_score", "scores", "[]"),
        ("judge_score", "scores", "7"),
        ("judge_score", "scores", '[["correctness", 6]]'),
        ("judge_score", "scores", '[["correctness", null]]'),
        ("judge_score", "attempts", 0),
        ("judge_preference", "verdict", "c"),
        ("judge_preference", "attempts", 0),
    ],
)
async def test_what_is_damaged_is_told_with_its_run(
    path: Path, table: str, column: str, value: object
) -> None:
    await keep(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE {table} SET {column} = ?", (value,))
    database = Database(path)
    store = StoredJudgements(database)

    with pytest.raises(StorageProblem, match="a judgement of run a1"):
        await (store.judgements("a1") if table == "judge_score" else store.preferences("a1"))

    await database.aclose()

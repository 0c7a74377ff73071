"""What the store of scores promises."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.scoring import AnswerNote, Criterion, Rubric, Score
from foundry_tui.ports.storage import ScoreStore
from foundry_tui.storage import Database, StoredRuns, StoredScores
from tests.support.runs import a_request, a_run

ODD = "null \x00, a lone \ud83d, \x1b[31m, '; DROP TABLE score; -- %"
RUBRIC = Rubric(
    name=f"ours {ODD}",
    criteria=(
        Criterion(id="right", name="Right", low="wrong", high="all right"),
        Criterion(id="brief", name="Brief", low="long", high=ODD),
    ),
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database, None]:
    opened = Database(tmp_path / "kept.db")
    runs = StoredRuns(opened)
    for run_id in ("a1", "a2"):
        await runs.create_run(a_run(run_id))
        await runs.add_request(run_id, a_request(1))
    yield opened
    await opened.aclose()


@pytest.fixture
def store(database: Database) -> ScoreStore:
    return StoredScores(database)


def a_score(**changes: object) -> Score:
    score = Score(
        run_id="a1",
        number=1,
        criterion="right",
        annotator="Ada",
        occasion=1,
        value=4,
        rubric_sha256=RUBRIC.sha256,
        at_unix_ms=1_000,
    )
    return replace(score, **changes)  # type: ignore[arg-type]  # any field of it


async def test_scores_notes_and_their_rubric_come_back_as_they_went_in(store: ScoreStore) -> None:
    scores = (a_score(), a_score(criterion="brief", value=1), a_score(annotator=ODD, value=5))
    notes = (AnswerNote(run_id="a1", number=1, annotator="Ada", text=ODD),)

    await store.keep(RUBRIC, scores, notes)

    assert set(await store.scores("a1")) == set(scores)
    assert await store.notes("a1") == notes
    assert await store.rubric(RUBRIC.sha256) == RUBRIC
    assert await store.scores("a2") == await store.scores("none") == ()


async def test_a_later_score_of_the_same_takes_the_place_of_the_earlier_one(store: ScoreStore) -> None:
    await store.keep(RUBRIC, (a_score(),), (AnswerNote(run_id="a1", number=1, annotator="Ada", text="old"),))

    await store.keep(
        RUBRIC, (a_score(value=2),), (AnswerNote(run_id="a1", number=1, annotator="Ada", text="new"),)
    )

    assert await store.scores("a1") == (a_score(value=2),)
    assert [note.text for note in await store.notes("a1")] == ["new"]


@pytest.mark.parametrize(
    "changes",
    [{"annotator": "Bob"}, {"occasion": 2}, {"criterion": "brief"}, {"number": 2}, {"run_id": "a2"}],
)
async def test_what_differs_in_who_when_or_what_stands_beside_it(
    store: ScoreStore, changes: dict[str, object]
) -> None:
    await store.keep(RUBRIC, (a_score(), a_score(**changes)))

    kept = (*await store.scores("a1"), *await store.scores("a2"))

    assert set(kept) == {a_score(), a_score(**changes)}


async def test_scores_by_another_version_of_the_rubric_replace_none(store: ScoreStore) -> None:
    other = replace(RUBRIC, name="another")
    await store.keep(RUBRIC, (a_score(),))

    await store.keep(other, (a_score(rubric_sha256=other.sha256, value=1),))

    assert {score.value for score in await store.scores("a1")} == {1, 4}


async def test_of_a_run_that_is_not_there_nothing_at_all_is_kept(store: ScoreStore) -> None:
    with pytest.raises(BadInput):
        await store.keep(RUBRIC, (a_score(), a_score(run_id="gone")))

    assert await store.scores("a1") == ()
    assert await store.rubric(RUBRIC.sha256) is None


async def test_a_run_that_is_deleted_takes_its_scores_along(database: Database, store: ScoreStore) -> None:
    await store.keep(
        RUBRIC,
        (a_score(), a_score(run_id="a2")),
        (AnswerNote(run_id="a1", number=1, annotator="A", text="t"),),
    )

    await StoredRuns(database).delete_run("a1")

    assert (await store.scores("a1"), await store.notes("a1")) == ((), ())
    assert await store.scores("a2") == (a_score(run_id="a2"),)

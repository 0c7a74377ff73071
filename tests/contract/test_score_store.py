"""What the store of scores promises."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.scoring import (
    AnswerMark,
    AnswerNote,
    Chosen,
    Criterion,
    MarkKind,
    Preference,
    Rubric,
    Said,
    Score,
)
from foundry_tui.ports.storage import ScoreStore
from foundry_tui.storage import Database, StoredRuns, StoredScores
from tests.support.memory_scores import MemoryScores
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


@pytest.fixture(params=["stored", "memory"])
def store(database: Database, request: pytest.FixtureRequest) -> ScoreStore:
    return StoredScores(database) if request.param == "stored" else MemoryScores(runs=("a1", "a2"))


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

    await store.keep(RUBRIC, Said(scores=scores, notes=notes))

    assert set(await store.scores("a1")) == set(scores)
    assert await store.notes("a1") == notes
    assert await store.rubric(RUBRIC.sha256) == RUBRIC
    assert await store.scores("a2") == await store.scores("none") == ()


async def test_a_later_score_of_the_same_takes_the_place_of_the_earlier_one(store: ScoreStore) -> None:
    await store.keep(
        RUBRIC,
        Said(scores=(a_score(),), notes=(AnswerNote(run_id="a1", number=1, annotator="Ada", text="old"),)),
    )

    await store.keep(
        RUBRIC,
        Said(
            scores=(a_score(value=2),),
            notes=(AnswerNote(run_id="a1", number=1, annotator="Ada", text="new"),),
        ),
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
    await store.keep(RUBRIC, Said(scores=(a_score(), a_score(**changes))))

    kept = (*await store.scores("a1"), *await store.scores("a2"))

    assert set(kept) == {a_score(), a_score(**changes)}


async def test_scores_by_another_version_of_the_rubric_replace_none(store: ScoreStore) -> None:
    other = replace(RUBRIC, name="another")
    await store.keep(RUBRIC, Said(scores=(a_score(),)))

    await store.keep(other, Said(scores=(a_score(rubric_sha256=other.sha256, value=1),)))

    assert {score.value for score in await store.scores("a1")} == {1, 4}


async def test_of_a_run_that_is_not_there_nothing_at_all_is_kept(store: ScoreStore) -> None:
    with pytest.raises(BadInput):
        await store.keep(RUBRIC, Said(scores=(a_score(), a_score(run_id="gone"))))

    assert await store.scores("a1") == ()
    assert await store.rubric(RUBRIC.sha256) is None


@pytest.mark.parametrize("store", ["stored"], indirect=True)
async def test_a_run_that_is_deleted_takes_its_scores_along(database: Database, store: ScoreStore) -> None:
    await store.keep(
        RUBRIC,
        Said(
            scores=(a_score(), a_score(run_id="a2")),
            notes=(AnswerNote(run_id="a1", number=1, annotator="A", text="t"),),
        ),
    )

    await StoredRuns(database).delete_run("a1")

    assert (await store.scores("a1"), await store.notes("a1")) == ((), ())
    assert await store.scores("a2") == (a_score(run_id="a2"),)


def a_mark(**changes: object) -> AnswerMark:
    mark = AnswerMark(
        run_id="a1", number=1, annotator="Ada", occasion=1, kind=MarkKind.FLAG, aspect="", at_unix_ms=1_000
    )
    return replace(mark, **changes)  # type: ignore[arg-type]  # any field of it


def a_preference(**changes: object) -> Preference:
    preference = Preference(
        run_id="a1",
        first=1,
        second=2,
        annotator="Ada",
        occasion=1,
        left=2,
        chosen=Chosen.FIRST,
        at_unix_ms=1_000,
    )
    return replace(preference, **changes)  # type: ignore[arg-type]  # any field of it


async def test_marks_and_preferences_come_back_as_they_went_in(store: ScoreStore) -> None:
    marks = (a_mark(), a_mark(kind=MarkKind.ASPECT, aspect=ODD), a_mark(annotator=ODD, kind=MarkKind.SKIP))
    preferences = (a_preference(), a_preference(occasion=2, left=1, chosen=Chosen.TIE))

    await store.keep(RUBRIC, Said(marks=marks, preferences=preferences))

    assert set(await store.marks("a1")) == set(marks)
    assert set(await store.preferences("a1")) == set(preferences)
    assert (await store.marks("a2"), await store.preferences("a2")) == ((), ())


async def test_what_is_taken_back_is_gone_whatever_it_said_and_nothing_else_is(store: ScoreStore) -> None:
    note, other = (
        AnswerNote(run_id="a1", number=1, annotator=who, text="worth a word") for who in ("Ada", "Bob")
    )
    kept_scores = (a_score(), a_score(occasion=2))
    kept_marks = (a_mark(), a_mark(kind=MarkKind.ASPECT, aspect="is brief"))
    kept_preferences = (a_preference(), a_preference(annotator="Bob"))
    kept = Said(scores=kept_scores, notes=(note, other), marks=kept_marks, preferences=kept_preferences)
    await store.keep(RUBRIC, kept)
    gone = Said(
        scores=(a_score(value=1),),
        notes=(replace(note, text="other words"),),
        marks=(a_mark(at_unix_ms=9),),
        preferences=(a_preference(chosen=Chosen.TIE),),
    )

    await store.keep(RUBRIC, Said(), gone=gone)
    await store.keep(RUBRIC, Said(), gone=gone)  # once more: nothing of it is there

    assert await store.scores("a1") == kept_scores[1:]
    assert await store.notes("a1") == (other,)
    assert await store.marks("a1") == kept_marks[1:]
    assert await store.preferences("a1") == kept_preferences[1:]


async def test_a_later_choice_between_the_same_two_takes_the_place_of_the_earlier_one(
    store: ScoreStore,
) -> None:
    await store.keep(RUBRIC, Said(preferences=(a_preference(),)))

    await store.keep(RUBRIC, Said(preferences=(a_preference(chosen=Chosen.SECOND, left=1),)))

    assert await store.preferences("a1") == (a_preference(chosen=Chosen.SECOND, left=1),)


@pytest.mark.parametrize("store", ["stored"], indirect=True)
async def test_a_run_that_is_deleted_takes_marks_and_preferences_along(
    database: Database, store: ScoreStore
) -> None:
    await store.keep(RUBRIC, Said(marks=(a_mark(),), preferences=(a_preference(),)))

    await StoredRuns(database).delete_run("a1")

    assert (await store.marks("a1"), await store.preferences("a1")) == ((), ())


async def test_what_is_said_and_what_is_taken_back_happens_together_or_not_at_all(store: ScoreStore) -> None:
    await store.keep(RUBRIC, Said(marks=(a_mark(),)))

    with pytest.raises(BadInput):
        await store.keep(RUBRIC, Said(scores=(a_score(run_id="gone"),)), gone=Said(marks=(a_mark(),)))

    assert await store.marks("a1") == (a_mark(),)

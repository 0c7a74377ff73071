"""What the store of judgements promises."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.judging import REPLY_CHARACTERS, Judgement, JudgePreference, Verdict
from foundry_tui.domain.scoring import Rubric, Said
from foundry_tui.ports.storage import JudgeStore
from foundry_tui.storage import Database, StoredJudgements, StoredRuns, StoredScores
from tests.support.judgements import BY, judgement, preference
from tests.support.runs import a_request, a_run
from tests.support.scores import RUBRIC, score

ODD = "null \x00, a lone \ud83d, \x1b[31m, '; DROP TABLE judge_score; -- %"


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
def store(database: Database) -> JudgeStore:
    return StoredJudgements(database)


async def keep(
    store: JudgeStore, *given: Judgement | JudgePreference, rubric: Rubric = RUBRIC
) -> tuple[set[Judgement], set[JudgePreference]]:
    """Keep them one by one; all that is there of run a1 then."""
    for one in given:
        if isinstance(one, Judgement):
            await store.keep_judgement(rubric, one)
        else:
            await store.keep_preference(rubric, one)
    return set(await store.judgements("a1")), set(await store.preferences("a1"))


async def test_judgements_refusals_and_preferences_come_back_as_they_went_in(store: JudgeStore) -> None:
    judgements = {
        judgement(1, 4, 5, run_id="a1", attempts=2, reply=ODD, same_family=True, at=7),
        judgement(2, run_id="a1", reply="x" * REPLY_CHARACTERS),
        judgement(1, 1, 1, run_id="a1", by=replace(BY, judge=ODD)),
    }
    preferences = {
        preference(1, 2, Verdict.A, run_id="a1"),
        preference(2, 1, Verdict.TIE, run_id="a1", attempts=2),
        preference(1, 3, None, run_id="a1"),
    }

    assert await keep(store, *judgements, *preferences) == (judgements, preferences)
    assert await store.judgements("a2") == await store.judgements("none") == ()
    assert await store.preferences("a2") == await store.preferences("none") == ()


async def test_the_same_judged_again_takes_the_place_of_what_was_before(store: JudgeStore) -> None:
    await keep(store, judgement(1, 4, 4, run_id="a1"), preference(1, 2, Verdict.A, run_id="a1"))
    again = judgement(1, run_id="a1", attempts=2), preference(1, 2, None, run_id="a1")

    found = await keep(store, *again)

    assert found == ({again[0]}, {again[1]})


async def test_another_judge_rubric_or_prompt_replaces_nothing(store: JudgeStore) -> None:
    rubric = replace(RUBRIC, name="another")
    versions = [BY, replace(BY, judge="other"), replace(BY, prompt_sha256="q")]
    given = {judgement(1, 3, 3, run_id="a1", by=by) for by in versions}
    by_other_rubric = judgement(1, 3, 3, run_id="a1", by=replace(BY, rubric_sha256=rubric.sha256))
    await keep(store, *given)

    found, _ = await keep(store, by_other_rubric, rubric=rubric)

    assert found == {*given, by_other_rubric}


async def test_of_a_run_that_is_not_there_nothing_is_kept(database: Database, store: JudgeStore) -> None:
    for one in (judgement(1, 3, 3, run_id="gone"), preference(1, 2, Verdict.A, run_id="gone")):
        with pytest.raises(BadInput):
            await keep(store, one)

    assert await store.judgements("gone") == ()
    assert await StoredScores(database).rubric(RUBRIC.sha256) is None


async def test_judgements_never_stand_among_the_scores_of_people(
    database: Database, store: JudgeStore
) -> None:
    people = StoredScores(database)
    given = score(1, 2, run_id="a1")
    await people.keep(RUBRIC, Said(scores=(given,)))

    await keep(store, judgement(1, 5, 5, run_id="a1"))

    assert await people.scores("a1") == (given,)
    assert await people.rubric(RUBRIC.sha256) == RUBRIC


async def test_a_run_that_is_deleted_takes_its_judgements_along(
    database: Database, store: JudgeStore
) -> None:
    other = judgement(1, 3, 3, run_id="a2")
    await keep(store, judgement(1, 4, 4, run_id="a1"), preference(1, 2, Verdict.A, run_id="a1"), other)

    await StoredRuns(database).delete_run("a1")

    assert (await store.judgements("a1"), await store.preferences("a1")) == ((), ())
    assert await store.judgements("a2") == (other,)

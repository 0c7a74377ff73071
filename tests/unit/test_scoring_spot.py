"""Judging the answers to one question where they stand: what is kept, taken back, and when it is all."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from foundry_tui.domain.scoring import Chosen
from foundry_tui.services.scoring.spot import SpotSession
from foundry_tui.storage import Database, StoredRuns, StoredScores
from tests.support.scored_runs import answered_run
from tests.support.scores import RUBRIC

RUN, REQUESTS = answered_run(("alpha", "beta"), prompts=1)
THREE, OF_THREE = answered_run(("alpha", "beta", "gamma"), prompts=1, run_id="a3")
FIRST, SECOND = (one.id for one in RUBRIC.criteria)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[StoredScores, None]:
    database = Database(tmp_path / "kept.db")
    await StoredRuns(database).import_run(RUN, REQUESTS)
    await StoredRuns(database).import_run(THREE, OF_THREE)
    yield StoredScores(database)
    await database.aclose()


async def spot(store: StoredScores, *shown: int) -> SpotSession:
    return await SpotSession.open(store, RUN, REQUESTS, RUBRIC, "Ada", shown=shown or (1, 2))


async def test_scores_go_to_the_answer_that_is_meant_and_are_found_again(
    store: StoredScores,
) -> None:
    one = await spot(store)
    await one.score(2, FIRST, 4)
    await one.score(1, FIRST, 1)
    await one.score(2, SECOND, 5)

    again = await spot(store)

    assert (dict(again.values(2)), dict(again.values(1))) == ({FIRST: 4, SECOND: 5}, {FIRST: 1})
    assert (again.has_all(2), again.has_all(1)) == (True, False)


@pytest.mark.parametrize("shown", [(1, 2), (2, 1)])
@pytest.mark.parametrize(("which", "side"), [("left", 0), ("right", 1)])
async def test_the_left_one_is_the_one_that_is_shown_there(
    store: StoredScores, shown: tuple[int, int], which: str, side: int
) -> None:
    one = await spot(store, *shown)
    await one.prefer(which)

    (kept,) = await store.preferences(RUN.id)

    assert one.preferred == which
    assert kept.left == shown[0]
    assert kept.chosen is (Chosen.FIRST if shown[side] == 1 else Chosen.SECOND)


async def test_undo_goes_back_through_scores_and_preferences_as_they_were_said(store: StoredScores) -> None:
    one = await spot(store, 2, 1)
    await one.score(1, FIRST, 4)
    await one.prefer("tie")
    await one.prefer("tie")  # says nothing new

    assert await one.undo() == 2
    assert one.preferred is None
    assert await one.undo() == 1
    assert await one.undo() is None
    assert await store.scores(RUN.id) == ()


async def test_a_preference_alone_is_all_and_so_are_all_scores_but_not_some(store: StoredScores) -> None:
    one = await spot(store)
    found = [one.is_complete]
    await one.prefer("left")
    found.append(one.is_complete)
    await one.score(1, FIRST, 3)
    found.append(one.is_complete)
    for number, criterion in ((1, SECOND), (2, FIRST), (2, SECOND)):
        await one.score(number, criterion, 3)
    found.append(one.is_complete)

    assert found == [False, True, False, True]


async def test_of_three_none_is_preferred_and_what_has_no_answer_is_not_scored(store: StoredScores) -> None:
    one = await SpotSession.open(store, THREE, OF_THREE, RUBRIC, "Ada", shown=(1, 2, 3))

    await one.prefer("left")

    assert (one.is_pair, one.preferred) == (False, None)
    assert not await one.score(99, FIRST, 3)
    assert dict(one.values(99)) == {}
    assert await store.preferences(THREE.id) == ()

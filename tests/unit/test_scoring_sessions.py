"""One person's way through answers and pairs: what is kept, taken back, gone on with, and in which order."""

import random
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.domain.scoring import AnswerNote, Chosen, MarkKind, Rubric, Said
from foundry_tui.services.scoring.blind import COVER, Cover, names_of
from foundry_tui.services.scoring.pairing import PairSession
from foundry_tui.services.scoring.people import people_of
from foundry_tui.services.scoring.session import ScoringSession
from foundry_tui.storage import Database, StoredRuns, StoredScores
from tests.support.scored_runs import answered_run
from tests.support.scores import RUBRIC

MODELS = ("alpha", "beta", "gamma")
RUN, REQUESTS = answered_run(MODELS, prompts=4, aspects=("is right", "is brief"))
FIRST, SECOND = (one.id for one in RUBRIC.criteria)


class Broken(StoredScores):
    """Cannot keep anything while it is broken."""

    is_broken = False

    async def keep(self, rubric: Rubric, said: Said, *, gone: Said | None = None) -> None:
        if self.is_broken:
            raise StorageProblem("the disk is full", remedy="make room")
        await super().keep(rubric, said, gone=gone)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Broken, None]:
    database = Database(tmp_path / "kept.db")
    await StoredRuns(database).import_run(RUN, REQUESTS)
    yield Broken(database)
    await database.aclose()


async def session(store: StoredScores, name: str = "Ada", clock: list[float] | None = None) -> ScoringSession:
    time = clock or [0.0]
    return await ScoringSession.open(
        store, RUN, REQUESTS, RUBRIC, name, unix_ms=lambda: 77, clock_s=lambda: time[0]
    )


async def pairs(store: StoredScores, name: str = "Ada") -> PairSession:
    return await PairSession.open(store, RUN, REQUESTS, RUBRIC, name, unix_ms=lambda: 77)


async def test_everybody_has_an_order_of_his_own_and_the_same_one_again(store: Broken) -> None:
    ada, again, bob = [await session(store, name) for name in ("Ada", "Ada", "Bob")]

    assert ada.items == again.items
    assert [item.number for item in ada.items] != [item.number for item in bob.items]
    assert {item.number for item in ada.items} == {request.number for request in REQUESTS}
    assert [item.occasion for item in ada.items].count(2) == 1


async def test_each_key_is_kept_before_the_next_and_a_new_sitting_goes_on_with_it(store: Broken) -> None:
    one = await session(store)
    await one.score(FIRST, 4)
    await one.score(SECOND, 2)
    await one.tick("is brief")
    await one.flag()
    await one.note("odd: =1+1")
    one.to_next_open()
    await one.score(FIRST, 1)

    other = await session(store)

    assert (other.place, other.standing.values) == (1, {FIRST: 1})
    other.go(-1)
    assert other.standing == one._standings[0]
    assert other.standing.ticked == {"is brief"}
    assert (other.standing.is_flagged, other.standing.note) == (True, "odd: =1+1")
    assert {score.at_unix_ms for score in await store.scores(RUN.id)} == {77}


async def test_undo_takes_back_key_by_key_until_nothing_of_it_is_kept(store: Broken) -> None:
    one = await session(store)
    await one.score(FIRST, 4)
    await one.score(FIRST, 5)
    await one.tick("is right")
    await one.score(SECOND, 3)
    one.to_next_open()
    await one.skip()
    one.to_next_open()

    seen = []
    while await one.undo():
        kept = sorted((score.criterion, score.value) for score in await store.scores(RUN.id))
        seen.append((one.place, kept, len(await store.marks(RUN.id))))

    assert seen == [
        (1, sorted([(FIRST, 5), (SECOND, 3)]), 1),
        (0, [(FIRST, 5)], 1),
        (0, [(FIRST, 5)], 0),
        (0, [(FIRST, 4)], 0),
        (0, [], 0),
    ]


async def test_whatever_is_done_and_undone_the_store_says_what_is_shown(store: Broken) -> None:
    draw = random.Random(5)
    one = await session(store)
    for _ in range(120):
        match draw.randrange(8):
            case 0 | 1 | 2:
                await one.score(draw.choice((FIRST, SECOND)), draw.randint(1, 5))
            case 3:
                await one.tick(draw.choice(("is right", "is brief")))
            case 4:
                await draw.choice((one.flag, one.skip))()
            case 5:
                await one.note(draw.choice(("", "a", "b")))
            case 6:
                await one.undo()
            case _:
                one.go(draw.choice((-1, 1, 3)))

    other = await session(store)

    of_first = [place for place, item in enumerate(one.items) if item.occasion == 1]
    repeated = {item.number for item in one.items if item.occasion == 2}
    for place in of_first:
        if one.items[place].number not in repeated:  # whose notes are joined
            assert other._standings[place] == one._standings[place]


async def test_what_cannot_be_kept_is_not_said_and_is_no_step_to_undo(store: Broken) -> None:
    one = await session(store)
    await one.score(FIRST, 4)
    store.is_broken = True

    with pytest.raises(StorageProblem):
        await one.score(SECOND, 3)
    with pytest.raises(StorageProblem):
        await one.undo()
    store.is_broken = False

    assert one.standing.values == {FIRST: 4}
    assert await one.undo()
    assert await store.scores(RUN.id) == ()


async def test_a_score_takes_the_skip_away(store: Broken) -> None:
    one = await session(store)
    await one.skip()
    assert one.is_done(one.standing)

    await one.score(FIRST, 2)

    assert not one.is_done(one.standing)
    assert await store.marks(RUN.id) == ()


async def test_a_repeat_shows_no_note_and_what_is_noted_at_it_is_added(store: Broken) -> None:
    one = await session(store)
    repeat = len(one.items) - 1
    number = one.items[repeat].number
    first = next(place for place, item in enumerate(one.items) if item.number == number)
    one.go(first)
    await one.note("the first time")
    one.go(repeat - first)
    assert one.standing.note == ""

    await one.note("the second time")

    own = AnswerNote(run_id=RUN.id, number=number, annotator="Ada", text="the first time\nthe second time")
    assert await store.notes(RUN.id) == (own,)
    await one.undo()
    assert [note.text for note in await store.notes(RUN.id)] == ["the first time"]


async def test_speed_and_time_left_are_of_this_sitting(store: Broken) -> None:
    clock = [0.0]
    one = await session(store, clock=clock)
    assert one.progress.each_s is None
    for seconds in (10.0, 600.0, 20.0):
        clock[0] += seconds
        await one.skip()
        one.to_next_open()

    found = one.progress

    assert (found.done, found.total, found.each_s) == (3, 13, 20.0)
    assert found.left_s == 200.0


async def test_when_the_last_is_done_nothing_is_open(store: Broken) -> None:
    one = await session(store)
    for _ in one.items:
        await one.score(FIRST, 3)
        await one.score(SECOND, 3)
        one.to_next_open()

    assert one.is_complete
    assert not one.to_next_open()
    assert one.progress.left_s is None
    assert len(await store.scores(RUN.id)) == 2 * len(one.items)


async def test_scores_by_another_rubric_are_not_gone_on_with(store: Broken) -> None:
    other = Rubric(name="another", criteria=RUBRIC.criteria)
    await (await session(store)).score(FIRST, 5)

    one = await ScoringSession.open(store, RUN, REQUESTS, other, "Ada")

    assert one.standing.values == {}


async def test_a_run_without_answers_cannot_be_begun(store: Broken) -> None:
    with pytest.raises(BadInput, match="no answer"):
        await ScoringSession.open(store, RUN, (), RUBRIC, "Ada")
    with pytest.raises(BadInput, match="two answers"):
        await PairSession.open(store, RUN, REQUESTS[:1], RUBRIC, "Ada")


async def test_all_pairs_of_a_prompt_come_once_and_a_tenth_again_with_the_sides_changed(
    store: Broken,
) -> None:
    one = await pairs(store)
    met = {occasion: [item for item in one.items if item.occasion == occasion] for occasion in (1, 2)}

    both = [frozenset((item.left.number, item.right.number)) for item in met[1]]
    assert len(both) == len(set(both)) == 4 * 3
    assert all(item.left.prompt_id == item.right.prompt_id for item in one.items)
    (again,) = met[2]
    before = next(item for item in met[1] if item.left.number == again.right.number
                  and item.right.number == again.left.number)  # fmt: skip
    assert before.left.answer == again.right.answer


async def test_a_preference_is_kept_whichever_side_it_was_on_gone_on_with_and_taken_back(
    store: Broken,
) -> None:
    one = await pairs(store)
    item = one.item
    await one.prefer_left()
    assert one.preferred == "left"
    (kept,) = await store.preferences(RUN.id)
    assert (kept.left, kept.first < kept.second) == (item.left.number, True)
    assert kept.chosen is (Chosen.FIRST if kept.first == item.left.number else Chosen.SECOND)
    one.to_next_open()
    await one.prefer_right()
    assert one.preferred == "right"
    one.to_next_open()
    await one.tie()
    one.to_next_open()
    await one.skip()

    again = await pairs(store)
    assert again.place == 4
    assert again._standings == one._standings

    while await one.undo():
        pass
    assert await store.preferences(RUN.id) == ()


async def test_who_scored_is_told_with_how_far(store: Broken) -> None:
    ada, bob = await session(store), await pairs(store, "Bob")
    await ada.skip()
    for _ in bob.items:
        await bob.tie()
        bob.to_next_open()

    found = await people_of(store, RUN, REQUESTS, RUBRIC)

    assert [one.name for one in found] == ["Ada", "Bob"]
    assert [one.is_between for one in found] == [True, False]
    assert (found[0].answers.done, found[1].pairs and found[1].pairs.done) == (1, 13)
    assert {mark.kind for mark in await store.marks(RUN.id)} == {MarkKind.SKIP}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I am Alpha, not alphabet.", f"I am {COVER}, not alphabet."),
        ("alpha-cpu:1 or alpha-cpu", f"{COVER} or {COVER}"),
        ("nothing to hide", "nothing to hide"),
        ("(BETA)", f"({COVER})"),
    ],
)
def test_names_of_models_are_covered_and_words_are_not(text: str, expected: str) -> None:
    assert Cover(names_of(RUN)).over(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I am alp", "I am "),
        ("I am Alpha", "I am "),
        ("I am alpha-cpu:1", "I am "),
        ("I am alpha and", f"I am {COVER} and"),
        ("a cat", "a cat"),
        ("on a map", "on a map"),
        ("", ""),
    ],
)
def test_what_may_become_a_name_is_held_back_while_a_text_grows(text: str, expected: str) -> None:
    assert Cover(names_of(RUN)).over_growing(text) == expected


def test_without_names_nothing_is_covered() -> None:
    assert Cover(["", "ab"]).over("ab is left") == "ab is left"

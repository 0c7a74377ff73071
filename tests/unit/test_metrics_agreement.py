"""Agreement of scores: against an independent library, and what may never be put together."""

import random
from collections.abc import Sequence
from itertools import product

import pytest

from foundry_tui.domain.scoring import Score
from foundry_tui.metrics.agreement import (
    Agreement,
    NoInterval,
    NoKappa,
    Pair,
    agreement,
    agreements,
    between,
    disagreements,
    of_one_rubric,
    weighted_kappa,
    within,
)
from tests.support.scores import score

# Sixty answers from one to five and what a second person gave them, mostly the same.
ANN = "113222151541112255152542453124332231141335314514153535211231"
BOB = "114242151541112455151532552124544231142435333414152545211231"


def pairs(one: str, other: str) -> list[Pair]:
    """A digit for each answer."""
    return [
        Pair(answer=number, one=int(first), other=int(second))
        for number, (first, second) in enumerate(zip(one, other, strict=True))
    ]


def given(values: str, annotator: str, *, criterion: str = "correctness", occasion: int = 1) -> list[Score]:
    return [
        score(number, int(value), annotator, criterion=criterion, occasion=occasion)
        for number, value in enumerate(values)
    ]


def drawn(draw: random.Random, count: int) -> list[tuple[int, int]]:
    return [(draw.randint(1, 5), draw.randint(1, 5)) for _ in range(count)]


@pytest.mark.parametrize(
    ("one", "other", "kappa"),
    # Of scikit-learn 1.9.1, cohen_kappa_score(one, other, weights="quadratic", labels=[1, 2, 3, 4, 5]).
    [
        ("5432154324", "4431155334", 0.8830409356725146),
        ("12345", "54321", -0.9999999999999996),
        ("12341234", "23452345", 0.7142857142857143),
        ("4444444544", "4444544444", -0.11111111111111116),
        ("333333", "123453", 0.0),
        ("222", "444", 0.0),
        ("115515", "155115", 0.33333333333333337),
        (ANN, BOB, 0.8849058865843424),
    ],
)
def test_weighted_kappa_is_that_of_an_independent_library(one: str, other: str, kappa: float) -> None:
    found = agreement(pairs(one, other))

    assert found.kappa == pytest.approx(kappa, abs=1e-12)
    assert found.no_kappa is None


def test_the_table_has_the_first_rater_in_rows_and_the_second_in_columns() -> None:
    found = agreement(pairs(ANN, BOB))

    # Of scikit-learn 1.9.1, confusion_matrix(one, other, labels=[1, 2, 3, 4, 5]).
    assert found.table == (
        (16, 1, 1, 0, 0),
        (1, 8, 0, 3, 0),
        (0, 2, 4, 4, 1),
        (0, 0, 2, 4, 1),
        (0, 0, 0, 1, 11),
    )
    assert found.n == 60
    assert found.same_share == pytest.approx(43 / 60)
    assert found.near_share == pytest.approx(55 / 60)


def test_kappa_is_the_same_with_the_raters_swapped_and_on_a_scale_turned_round() -> None:
    draw = random.Random(1)

    for count in range(2, 30):
        values = drawn(draw, count)
        kappa = weighted_kappa(values)

        assert kappa is not None
        assert weighted_kappa([(b, a) for a, b in values]) == pytest.approx(kappa)
        assert weighted_kappa([(6 - a, 6 - b) for a, b in values]) == pytest.approx(kappa)


def test_kappa_lies_between_minus_1_and_1_and_is_1_only_where_all_is_the_same() -> None:
    draw = random.Random(2)

    for count in range(2, 40):
        values = drawn(draw, count)
        same = [(a, a) for a, _ in values]

        assert -1 <= (weighted_kappa(values) or 0) < 1
        assert weighted_kappa(same) in (1, None)
    assert weighted_kappa(list(product(range(1, 6), range(1, 6)))) == 0


def test_without_a_pair_everything_is_unknown_and_nothing_is_0() -> None:
    found = agreement([])

    assert (found.kappa, found.interval, found.same_share, found.near_share) == (None, None, None, None)
    assert found.no_kappa is NoKappa.NO_PAIRS
    assert (found.n, found.answers) == (0, 0)


def test_one_value_throughout_leaves_kappa_undefined_and_the_share_known() -> None:
    found = agreement(pairs("44444444", "44444444"))

    assert found.kappa is None
    assert found.no_kappa is NoKappa.NO_VARIANCE
    assert found.same_share == 1
    assert (found.interval, found.no_interval) == (None, None)


def test_the_interval_is_the_same_for_the_same_seed_and_holds_kappa() -> None:
    found = agreement(pairs(ANN, BOB), seed=3)

    assert found.interval is not None
    assert found.interval.low < (found.kappa or 0) < found.interval.high
    assert agreement(pairs(ANN, BOB), seed=3) == found
    assert agreement(pairs(ANN, BOB), seed=4).interval != found.interval


def test_the_interval_is_the_percentiles_of_kappa_over_drawn_answers() -> None:
    values, draw = pairs(ANN, BOB), random.Random(5)
    kappas = sorted(
        weighted_kappa([(one.one, one.other) for one in draw.choices(values, k=60)]) or 0
        for _ in range(4_000)
    )

    interval = agreement(values).interval

    assert interval is not None
    assert interval.low == pytest.approx(kappas[100], abs=0.01)
    assert interval.high == pytest.approx(kappas[-100], abs=0.01)


def test_criteria_of_one_answer_are_drawn_together() -> None:
    alone = pairs(ANN, BOB)
    thrice = [pair for pair in alone for _ in range(3)]

    once, together = agreement(alone), agreement(thrice)

    # The same three times over says nothing new: as if apart the interval would be √3 narrower.
    assert (together.n, together.answers) == (180, 60)
    assert together.interval is not None
    assert once.interval is not None
    assert together.interval.half_width == pytest.approx(once.interval.half_width)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("12345", "12344", NoInterval.TOO_FEW),
        ("12345123", "12345123", NoInterval.NO_SPREAD),  # each sample agrees wholly
        ("22222222", "44444444", NoInterval.NO_SPREAD),  # and here each is at 0
        ("4444444", "4444445", NoInterval.NO_SPREAD),  # a third of the samples have nothing but 4
    ],
)
def test_an_interval_that_would_claim_too_much_is_withheld_with_the_reason(
    one: str, other: str, why: NoInterval
) -> None:
    found = agreement(pairs(one, other))

    assert found.kappa is not None
    assert found.interval is None
    assert found.no_interval is why


def test_a_few_samples_without_a_kappa_leave_an_interval() -> None:
    # Of samples of these twenty (16/20)²⁰ = 1.2 % have nothing but 4s in them.
    found = agreement(pairs("44444444444444441235", "44444444444444443225"))

    assert found.interval is not None
    assert -1 < found.interval.low < (found.kappa or 0) < found.interval.high <= 1


def test_a_score_off_the_scale_makes_no_pair() -> None:
    with pytest.raises(ValueError, match="1 to 5"):
        Pair(answer=1, one=0, other=3)
    with pytest.raises(ValueError, match="1 to 5"):
        Pair(answer=1, one=3, other=6)


def test_within_holds_the_first_occasion_against_the_second_of_the_same_answer_and_criterion() -> None:
    scores = [
        *(score(number, value) for number, value in ((1, 5), (2, 3), (3, 1))),
        score(1, 5, occasion=2),
        score(2, 4, occasion=2),
        score(1, 2, criterion="brevity"),
        score(1, 2, criterion="brevity", occasion=2),
        score(1, 1, "bob", occasion=2),  # of somebody else
        score(1, 1, occasion=2, run_id="another"),  # another answer
    ]

    found = within(scores, "ann")

    assert (found.one, found.other) == ("ann", None)
    assert [(name, own.n) for name, own in found.criteria] == [("brevity", 1), ("correctness", 2)]
    correctness = dict(found.criteria)["correctness"]
    assert correctness.table[4][4] == 1
    assert correctness.table[2][3] == 1
    assert (found.overall.n, found.overall.answers) == (3, 2)


def test_between_holds_two_people_against_each_other_at_the_first_occasion() -> None:
    scores = [
        *given("12345", "ann"),
        *given("2234", "bob"),
        *given("11111", "bob", occasion=2),
        *given("555", "cyd"),
        *given("33", "ann", criterion="brevity"),
    ]

    found = between(scores, "ann", "bob")

    assert found.overall == dict(found.criteria)["correctness"]
    assert found.overall.n == 4
    assert found.overall.same_share == 0.75
    # Of a criterion that one of them never scored by nothing is known.
    assert dict(found.criteria)["brevity"].no_kappa is NoKappa.NO_PAIRS


def test_nobody_is_two_people() -> None:
    with pytest.raises(ValueError, match="two people"):
        between([], "ann", "ann")


def test_two_versions_of_a_rubric_are_never_put_together() -> None:
    scores = [
        *(score(number, 5, who, rubric="old", at=1) for number in range(4) for who in ("ann", "bob")),
        *(score(number, 1, "ann", rubric="new", at=2) for number in range(4)),
        *(score(number, 2, "bob", rubric="new", at=2) for number in range(3)),
        score(9, 5, "cyd", rubric="old", at=1),
    ]

    newest = between(scores, "ann", "bob")
    older = between(scores, "ann", "bob", rubric_sha256="old")

    assert newest.rubric_sha256 == "new"
    assert (newest.overall.n, newest.overall.table[0][1]) == (3, 3)
    assert newest.other_rubric_scores == 8
    assert (older.overall.n, older.overall.table[4][4]) == (4, 4)
    assert older.other_rubric_scores == 7


def test_what_a_person_gave_last_is_what_they_gave() -> None:
    scores = [score(1, 5, at=20), score(1, 2, at=10), score(2, 1, at=30), score(2, 3, at=30)]

    found = of_one_rubric(scores)

    assert [(one.number, one.value) for one in found.scores] == [(1, 5), (2, 3)]
    assert found.others == ()
    assert of_one_rubric([]).rubric_sha256 is None


def test_the_order_of_the_scores_changes_nothing() -> None:
    scores = [
        *given(ANN, "ann"),
        *given(BOB, "bob"),
        *given(BOB[:20], "ann", occasion=2),
        *given(BOB[::-1], "ann", criterion="brevity"),
        *given(ANN[::-1], "bob", criterion="brevity"),
    ]
    shuffled = random.Random(1).sample(scores, len(scores))

    assert agreements(shuffled) == agreements(scores)
    assert disagreements(shuffled) == disagreements(scores)


def test_everybody_is_held_against_themselves_and_against_each_other() -> None:
    scores: Sequence[Score] = [*given("123", "cyd"), *given("123", "ann"), *given("123", "bob")]

    found = [(one.one, one.other) for one in agreements(scores)]

    assert found == [
        ("ann", None),
        ("bob", None),
        ("cyd", None),
        ("ann", "bob"),
        ("ann", "cyd"),
        ("bob", "cyd"),
    ]


def test_disagreements_are_two_points_or_more_and_the_farthest_apart_comes_first() -> None:
    scores = [
        *(score(1, 5), score(1, 4, "bob")),  # one point is none
        *(score(2, 4), score(2, 2, "bob")),
        *(score(3, 5), score(3, 1, "bob"), score(3, 3, "cyd")),
        *(score(4, 1), score(4, 5, "ann", occasion=2)),  # with themselves
        *(score(5, 1, criterion="brevity"), score(5, 3, "bob", criterion="brevity")),
        *(score(6, 1), score(6, 5, "bob", criterion="brevity")),  # by two criteria
    ]

    found = disagreements(scores)

    assert [(one.number, one.criterion, one.apart) for one in found] == [
        (3, "correctness", 4),
        (2, "correctness", 2),
        (5, "brevity", 2),
    ]
    assert found[0].values == (("bob", 1), ("cyd", 3), ("ann", 5))
    assert [one.number for one in disagreements(scores, least=3)] == [3]


def test_disagreements_under_two_rubrics_are_none() -> None:
    assert disagreements([score(1, 5, rubric="old"), score(1, 1, "bob", rubric="new", at=1)]) == ()


def test_planted_disagreements_lower_kappa() -> None:
    def kappa(found: Agreement) -> float:
        assert found.kappa is not None
        return found.kappa

    planted = BOB[:50] + "".join("5" if value in "12" else "1" for value in BOB[50:])

    assert kappa(agreement(pairs(ANN, planted))) < kappa(agreement(pairs(ANN, BOB))) - 0.2

"""Agreement of scores in words, rows and JSON: what is unknown, what is left out, and nothing that harms."""

import json
from dataclasses import replace

import pytest

from foundry_tui.domain.scoring import Score
from foundry_tui.metrics.agreement import Pair, agreement, agreements, between, disagreements, within
from foundry_tui.reports.agreement_words import (
    AGREEMENT_HEADER,
    DISAGREEMENT_HEADER,
    agreement_lines,
    agreement_object,
    agreement_rows,
    agreement_words,
    agreements_words,
    confusion_header,
    confusion_rows,
    criterion_word,
    disagreement_object,
    disagreement_rows,
    percent_words,
)
from tests.support.scores import RUBRIC, score

ANN = "5432154324"
BOB = "4431155334"
HOSTILE = "ann\x1b[31m\n[b]\u202e\x07"


def given(
    values: str,
    annotator: str = "ann",
    *,
    criterion: str = "correctness",
    occasion: int = 1,
    rubric: str = RUBRIC.sha256,
    at: int = 1,
) -> list[Score]:
    return [
        score(
            number,
            int(value),
            annotator,
            criterion=criterion,
            occasion=occasion,
            rubric=rubric,
            at=at,
            run_id="3f2a1b2c9d8e",
        )
        for number, value in enumerate(values, 1)
    ]


def words_of(one: str, other: str) -> str:
    pairs = [
        Pair(answer=number, one=int(first), other=int(second))
        for number, (first, second) in enumerate(zip(one, other, strict=True))
    ]
    return agreement_words(agreement(pairs))


def test_kappa_is_told_with_its_interval_its_pairs_and_plain_shares() -> None:
    # Of scikit-learn 1.9.1 it is 0.8830; 6 of 10 are the same, the others one point apart.
    assert words_of(ANN, BOB).startswith("weighted kappa 0.88 [0.")
    assert words_of(ANN, BOB).endswith("] (n=10), 60 % the same, 100 % within one")


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("", "", "weighted kappa n/a: no answer has two scores to hold against each other"),
        (
            "4444444",
            "4444444",
            "weighted kappa n/a (n=7; nothing was given but 4, where chance would agree as well),"
            " 100 % the same, 100 % within one",
        ),
        (
            "123",
            "125",
            "weighted kappa 0.67 (n=3; no interval: fewer than 6 answers), 67 % the same, 67 % within one",
        ),
        (
            "1234512",
            "1234512",
            "weighted kappa 1.00 (n=7; no interval: these hardly differ, so samples of them tell nothing),"
            " 100 % the same, 100 % within one",
        ),
    ],
)
def test_what_is_unknown_says_why(one: str, other: str, words: str) -> None:
    assert words_of(one, other) == words


def test_criteria_together_say_of_how_many_answers_they_are() -> None:
    scores = [
        *(*given(ANN), *given(BOB, "bob")),
        *(*given(BOB, criterion="brevity"), *given(ANN, "bob", criterion="brevity")),
    ]

    assert "(n=20 of 10 answers)" in agreements_words(between(scores, "ann", "bob"))


def test_each_line_names_who_and_what_is_left_out() -> None:
    scores = [*given("12345"), *given("12", "bob", rubric="old", at=0), *given("123", "bob")]

    lines = agreement_lines(agreements(scores))

    assert lines[0] == "ann, first and second time: weighted kappa n/a: no answer was scored a second time"
    assert lines[1].endswith("; 2 scores under another version of the rubric left out")
    assert lines[2] == (
        "ann and bob: weighted kappa 1.00 (n=3; no interval: fewer than 6 answers), 100 % the same,"
        " 100 % within one; 2 scores under another version of the rubric left out"
    )
    assert agreements_words(between(scores, "ann", "cyd")) == (
        "ann and cyd: weighted kappa n/a: no answer was scored by both"
    )


def test_how_much_there_is_to_talk_over_is_told_last() -> None:
    several = disagreements([*given("155"), *given("531", "bob")])
    one = disagreements([*given("1"), *given("3", "bob")])

    assert agreement_lines([], several) == ["3 disagreements to talk over, 2 to 4 points apart"]
    assert agreement_lines([], one) == ["1 disagreement to talk over, 2 points apart"]
    assert agreement_lines([]) == []


def test_the_table_has_a_row_for_each_criterion_as_the_rubric_orders_them_and_one_for_all() -> None:
    scores = [
        *(*given("123"), *given("125", "bob")),
        *(*given("444", criterion="brevity"), *given("44", "bob", criterion="brevity")),
    ]

    rows = agreement_rows([between(scores, "ann", "bob")], rubric=RUBRIC)

    assert rows == [
        ("ann and bob", "Is it right?", "0.67", "n/a", "3", "67 %", "67 %"),
        ("ann and bob", "Is it short?", "n/a", "n/a", "2", "100 %", "100 %"),
        ("ann and bob", "all", "0.78", "n/a", "5", "80 %", "80 %"),
    ]
    assert {len(row) for row in rows} == {len(AGREEMENT_HEADER)}


def test_the_name_of_a_criterion_is_that_of_its_own_version_of_the_rubric_only() -> None:
    assert criterion_word("brevity", RUBRIC.sha256, RUBRIC) == "Is it short?"
    assert criterion_word("brevity", "another", RUBRIC) == "brevity"
    assert criterion_word("brevity", None, None) == "brevity"


def test_the_confusion_table_says_whose_rows_and_whose_columns_it_has() -> None:
    scores = [*given("115"), *given("135", "bob"), *given("2", occasion=2)]
    two, one = between(scores, "ann", "bob"), within(scores, "ann")

    assert confusion_header(two) == ("ann ↓ bob →", "1", "2", "3", "4", "5")
    assert confusion_header(one)[0] == "first time ↓ second time →"
    assert confusion_rows(two.overall) == [
        ("1", "1", "0", "1", "0", "0"),
        ("2", "0", "0", "0", "0", "0"),
        ("3", "0", "0", "0", "0", "0"),
        ("4", "0", "0", "0", "0", "0"),
        ("5", "0", "0", "0", "0", "1"),
    ]


def test_a_disagreement_names_the_answer_and_who_gave_what() -> None:
    found = disagreements([*given("15"), *given("53", "bob")])

    rows = disagreement_rows(found, rubric=RUBRIC, rubric_sha256=RUBRIC.sha256)

    assert rows == [
        ("3f2a1b2c", "1", "Is it right?", "ann 1, bob 5", "4"),
        ("3f2a1b2c", "2", "Is it right?", "bob 3, ann 5", "2"),
    ]
    assert {len(row) for row in rows} == {len(DISAGREEMENT_HEADER)}


def test_names_of_people_and_criteria_are_made_harmless() -> None:
    scores = [*given("15", HOSTILE, criterion=HOSTILE), *given("53", "bob", criterion=HOSTILE)]
    found, apart = agreements(scores), disagreements(scores)

    shown = [
        *agreement_lines(found, apart),
        *(cell for row in agreement_rows(found) for cell in row),
        *(cell for one in found for cell in confusion_header(one)),
        *(cell for row in disagreement_rows(apart) for cell in row),
    ]

    assert any("[b]" in cell for cell in shown)
    assert not [cell for cell in shown if set(cell) & set("\x1b\x07\n\u202e")]


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.625, "62 %"), (0.0, "0 %"), (1.0, "100 %"), (0.999, "99 %"), (0.001, "1 %"), (None, "n/a")],
)
def test_only_none_is_0_percent_and_only_all_is_100(share: float | None, words: str) -> None:
    assert percent_words(share) == words


def test_a_little_below_0_has_no_sign() -> None:
    found = replace(agreement([Pair(answer=1, one=1, other=2)]), kappa=-0.004)

    assert agreement_words(found).startswith("weighted kappa 0.00 ")


def test_the_object_is_json_with_the_reasons_beside_what_is_null() -> None:
    scores = [*given("123"), *given("125", "bob"), *given("44", criterion="brevity")]

    two = json.loads(json.dumps(agreement_object(between(scores, "ann", "bob"))))
    one = agreement_object(within(scores, "ann"))

    assert (two["kind"], two["annotators"]) == ("between", ["ann", "bob"])
    assert two["rubric_sha256"] == RUBRIC.sha256
    assert two["overall"]["weighted_kappa"] == pytest.approx(2 / 3)
    assert (two["overall"]["interval"], two["overall"]["no_interval"]) == (None, "too-few")
    assert (two["criteria"][0]["id"], two["criteria"][0]["no_kappa"]) == ("brevity", "no-pairs")
    assert two["overall"]["confusion"][2][4] == 1
    assert two["other_rubric_scores"] == 0
    assert (one["kind"], one["annotators"]) == ("within", ["ann"])


def test_a_disagreement_as_an_object_keeps_names_as_they_came() -> None:
    (found,) = disagreements([*given("1", HOSTILE), *given("3", "bob")])

    assert disagreement_object(found) == {
        "run": "3f2a1b2c9d8e",
        "number": 1,
        "criterion": "correctness",
        "apart": 2,
        "scores": [{"annotator": HOSTILE, "value": 1}, {"annotator": "bob", "value": 3}],
    }

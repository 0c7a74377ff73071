"""Quality in words, rows and JSON: what is unknown, what is left out, and nothing that harms."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from foundry_tui.domain.scoring import Score
from foundry_tui.metrics.intervals import Interval
from foundry_tui.metrics.quality import ScorableAnswer, model_quality, time_to_good_s
from foundry_tui.reports.quality_words import (
    QUALITY_HEADER,
    good_words,
    quality_lines,
    quality_object,
    quality_rows,
    quality_words,
    time_to_good_words,
)
from tests.support.scores import RUBRIC, score

HOSTILE = "phi\x1b[31m\n[b]\u202e\x07"
ENDS = Interval(3.609, 4.2)


def answers(count: int, *, model: str = "phi") -> list[ScorableAnswer]:
    return [
        ScorableAnswer(run_id="run", number=number, model=model, prompt_id=f"p{number}", latency_s=2.0)
        for number in range(1, count + 1)
    ]


def scored(
    values: Sequence[int],
    annotator: str = "ann",
    *,
    criterion: str = "correctness",
    occasion: int = 1,
    rubric: str = RUBRIC.sha256,
    at: int = 1,
) -> list[Score]:
    return [
        score(number, value, annotator, criterion=criterion, occasion=occasion, rubric=rubric, at=at)
        for number, value in enumerate(values, 1)
    ]


def test_quality_is_told_with_its_interval_and_of_how_much_it_is() -> None:
    scores = [*scored([4, 5, 3, 4, 2, 5, 4]), *scored([5], "bob")]
    found = model_quality(scores, answers(9), "phi")
    found = replace(found, overall=replace(found.overall, interval=ENDS))

    # (4.5 + 5 + 3 + 4 + 2 + 5 + 4)/7
    assert quality_words(found) == (
        "quality 3.93 [3.61, 4.20] of 5 (7 of 9 answers scored, 7 prompts, 2 people)"
    )


@pytest.mark.parametrize(
    ("values", "count", "words"),
    [
        ([], 0, "quality n/a: it has no answer to score"),
        ([], 3, "quality n/a: none of 3 answers is scored"),
        (
            [4],
            1,
            "quality 4.00 of 5 (1 of 1 answer scored, 1 prompt, 1 person, no interval: fewer than 6 scored"
            " prompts)",
        ),
        (
            [4] * 6,
            6,
            "quality 4.00 of 5 (6 of 6 answers scored, 6 prompts, 1 person, no interval: every prompt came to"
            " the same, so samples of them tell nothing)",
        ),
    ],
)
def test_what_is_unknown_says_why(values: list[int], count: int, words: str) -> None:
    assert quality_words(model_quality(scored(values), answers(count), "phi")) == words


def test_answers_that_lack_a_criterion_are_told_and_are_not_called_unscored() -> None:
    found = model_quality(scored([4, 5]), answers(3), "phi", rubric=RUBRIC)

    assert quality_words(found) == "quality n/a: none of 3 answers is scored by every criterion, 2 by some"
    assert quality_lines(found) == [f"phi: {quality_words(found)}"]


def test_the_share_of_good_answers_is_told_with_what_good_means() -> None:
    found = model_quality(scored([5, 4, 3, 1]), answers(4), "phi").good

    assert good_words(found) == "50 % of the answers good (2 of 4 at 4 or more)"
    assert good_words(replace(found, interval=Interval(0.2, 0.85))).startswith("50 % [20, 85] of")
    assert good_words(model_quality([], answers(4), "phi").good) == (
        "good answers n/a: none is scored by every criterion"
    )


def test_the_time_to_a_good_answer_is_told_with_what_it_is_made_of() -> None:
    found = time_to_good_s(scored([5, 4, 3, 1]), answers(4), "phi")

    assert time_to_good_words(found) == (
        "a good answer takes 4.00 s (median latency 2.00 s, 2 of 4 at 4 or more, no interval: fewer than 6"
        " scored prompts)"
    )
    assert time_to_good_words(replace(found, interval=Interval(2.5, 70))).startswith(
        "a good answer takes 4.00 s [2.50 s, 1 min 10 s] (median"
    )


@pytest.mark.parametrize(
    ("values", "count", "why"),
    [
        ([], 0, "no answer has a latency"),
        ([], 2, "no answer is scored by every criterion"),
        ([1, 2], 2, "none of 2 scored answers is at 4 or more"),
    ],
)
def test_a_time_that_is_unknown_says_why(values: list[int], count: int, why: str) -> None:
    found = time_to_good_s(scored(values), answers(count), "phi")

    assert time_to_good_words(found) == f"time to a good answer n/a: {why}"


def test_a_time_without_an_upper_end_says_so() -> None:
    found = time_to_good_s(scored([5, 1, 1, 1, 1, 1, 1, 1]), answers(8), "phi")

    assert "no interval: so few answers are good that it has no upper end" in time_to_good_words(found)


def test_the_lines_of_a_model_end_with_what_is_left_out() -> None:
    scores = [
        *(*scored([5, 4, 2]), *scored([5, 4], criterion="brevity")),
        *(*scored([1], occasion=2), *scored([1, 1], rubric="old", at=0)),
    ]
    found, time = model_quality(scores, answers(3), "phi"), time_to_good_s(scores, answers(3), "phi")

    lines = quality_lines(found, time)

    assert [line.partition(" ")[0] for line in lines] == ["phi:"] * 4
    assert lines[2].startswith("phi: a good answer takes 2.00 s")
    assert lines[3] == (
        "phi: left out: 1 answer scored by some criteria only, 2 scores under another version of the rubric,"
        " 1 score given when an answer was shown again"
    )


def test_the_table_has_a_row_for_each_criterion_and_one_for_all() -> None:
    scores = [*scored([5, 4, 2]), *scored([5, 4], criterion="brevity")]

    rows = quality_rows([model_quality(scores, answers(4), "phi", rubric=RUBRIC)], rubric=RUBRIC)

    assert rows == [
        ("phi", "Is it right?", "3.67", "n/a", "3 of 4", "3"),
        ("phi", "Is it short?", "4.50", "n/a", "2 of 4", "2"),
        ("phi", "all", "4.50", "n/a", "2 of 4", "2"),
    ]
    assert {len(row) for row in rows} == {len(QUALITY_HEADER)}


def test_an_unscored_criterion_is_unknown_and_not_0() -> None:
    rows = quality_rows([model_quality(scored([3]), answers(1), "phi", rubric=RUBRIC)])

    assert rows[1] == ("phi", "brevity", "n/a", "n/a", "0 of 1", "0")


def test_names_of_models_and_criteria_are_made_harmless() -> None:
    scores = scored([5, 4], criterion=HOSTILE)
    known = answers(2, model=HOSTILE)
    found, time = model_quality(scores, known, HOSTILE), time_to_good_s(scores, known, HOSTILE)

    shown = [*quality_lines(found, time), *(cell for row in quality_rows([found]) for cell in row)]

    assert any("[b]" in cell for cell in shown)
    assert not [cell for cell in shown if set(cell) & set("\x1b\x07\n\u202e")]


def test_the_object_is_json_with_the_reasons_beside_what_is_null() -> None:
    scores = [*scored([5, 4, 3, 3, 3, 3]), *scored([5], criterion="brevity")]
    found = model_quality(scores, answers(8), "phi")
    time = time_to_good_s(scores, answers(8), "phi")

    told = json.loads(json.dumps(quality_object(found, time)))

    assert (told["model"], told["rubric_sha256"]) == ("phi", RUBRIC.sha256)
    assert (told["overall"]["mean"], told["overall"]["coverage"]) == (5, 0.125)
    assert (told["overall"]["interval"], told["overall"]["no_interval"]) == (None, "too-few")
    correctness = told["criteria"][1]
    assert (correctness["id"], correctness["answers"], correctness["prompts"]) == ("correctness", 6, 6)
    assert correctness["interval"][0] < correctness["mean"] < correctness["interval"][1]
    assert (told["good"]["good"], told["good"]["share"], told["good"]["least"]) == (1, 1, 4)
    assert (told["partly_scored"], told["annotators"]) == (5, 1)
    assert (told["time_to_good"]["seconds"], told["time_to_good"]["no_time"]) == (2, None)
    assert quality_object(found)["time_to_good"] is None


def test_an_unknown_time_is_null_with_the_reason() -> None:
    found = model_quality([], answers(2), "phi")

    told = quality_object(found, time_to_good_s([], answers(2), "phi"))["time_to_good"]

    assert isinstance(told, dict)
    assert (told["seconds"], told["no_time"], told["median_latency_s"]) == (None, "no-scores", 2.0)

"""Judges in words, rows and JSON: no figure without how far it can be trusted, and nothing that harms."""

import json
from dataclasses import replace

import jsonschema
import pytest

from foundry_tui.config.schema import json_schema
from foundry_tui.domain.judging import Judgement, JudgePreference, Verdict
from foundry_tui.domain.scoring import Score
from foundry_tui.metrics.judging import JudgedAnswer, JudgeFigures, judge_figures
from foundry_tui.metrics.quality import ModelQuality, ScorableAnswer, model_quality
from foundry_tui.reports.agreement_words import AGREEMENT_HEADER
from foundry_tui.reports.judge_words import (
    JUDGE_HEADER,
    PAIR_HEADER,
    judge_agreement_object,
    judge_agreement_rows,
    judge_lines,
    judge_object,
    judge_rows,
    pair_rows,
)
from tests.support.judgements import BY, judgement, preference
from tests.support.scores import RUBRIC, score

QWEN = replace(BY, judge="qwen2.5-7b")
WHO = "judge qwen2.5-7b"
OLDER = replace(BY, prompt_sha256="older")
HOSTILE = replace(BY, judge="judge\x1b[31m\n[b]\u202e\x07")


def answers(count: int) -> list[JudgedAnswer]:
    """Of alpha and beta in turns, each longer than the one before."""
    return [
        JudgedAnswer(
            answer=ScorableAnswer(
                run_id="run", number=number, model=("alpha", "beta")[number % 2], prompt_id=f"p{number // 2}"
            ),
            characters=10 + number,
        )
        for number in range(count)
    ]


def figures(
    judgements: list[Judgement],
    scores: list[Score] | None = None,
    preferences: list[JudgePreference] | None = None,
) -> JudgeFigures:
    (found,) = judge_figures(judgements, preferences or (), scores or (), answers(24))
    return found


def models(found: JudgeFigures) -> list[ModelQuality]:
    known = [one.answer for one in answers(24)]
    return [model_quality(found.scores, known, model, rubric=RUBRIC) for model in ("alpha", "beta")]


def judged(count: int, **changes: object) -> list[Judgement]:
    """More the longer the answer."""
    given = [judgement(n, 1 + n * 4 // 23, 1 + n * 4 // 23, by=QWEN) for n in range(count)]
    return [replace(one, **changes) for one in given]  # type: ignore[arg-type]  # any field of it


def given(count: int) -> list[Score]:
    return [score(n, 1 + n % 5, criterion=one.id) for n in range(count) for one in RUBRIC.criteria]


PAIRS = [
    preference(0, 1, Verdict.A, by=QWEN),
    preference(1, 0, Verdict.B, by=QWEN),
    preference(2, 3, Verdict.A, by=QWEN),
    preference(3, 2, Verdict.A, by=QWEN, attempts=2),
]


def test_a_judge_of_whom_little_is_known_bears_that_in_every_line_and_row() -> None:
    found = figures(judged(24, same_family=True), given(3), PAIRS)

    lines = judge_lines(found)
    rows = [*judge_rows(found, models(found)), *pair_rows(found), *judge_agreement_rows(found)]

    assert lines[:3] == [
        f"{WHO}: not to be trusted yet: people scored 3 of the answers that it judged, 20 are needed",
        f"{WHO}: it is, or is kin to, a model of this run, which was allowed; a judge prefers its kin",
        f"{WHO}: warning: it goes by length: longer answers got more",
    ]
    assert all(line.startswith(f"{WHO} (not trusted yet, own family): ") for line in lines[3:])
    assert all("not yet (3 of 20), own family" in f"{row[0]} {row[-1]}" for row in rows)


def test_kappa_rho_flips_and_refusals_stand_beside_every_mean() -> None:
    found = figures(judged(24), given(24), PAIRS)

    rows = judge_rows(found, models(found), rubric=RUBRIC)

    assert all(len(row) == len(JUDGE_HEADER) for row in rows)
    assert [row[1:3] for row in rows] == [
        ("alpha", "Is it right?"),
        ("alpha", "Is it short?"),
        ("alpha", "all"),
        ("beta", "Is it right?"),
        ("beta", "Is it short?"),
        ("beta", "all"),
    ]
    kappas = [f"{own.kappa:.2f}" for own in (*(own for _, own in found.criteria), found.human)]
    assert [row[6] for row in rows] == [*kappas, *kappas]
    assert {row[7:] for row in rows} == {("0.97", "50 %", "0 %", "from 24 answers")}


def test_what_came_of_asking_of_length_and_of_position_is_told_in_words() -> None:
    refused = [replace(one, values=None, attempts=2) for one in judged(24)[:4]]
    found = figures([*refused, *judged(24)[4:]], given(24), PAIRS)

    lines = judge_lines(found)

    assert f"{WHO}: 24 answers judged, 4 refused (17 % [7, 36]), asked again 4 times" in lines
    assert any(line.startswith(f"{WHO}: with people: weighted kappa ") for line in lines)
    assert any("rho 0.97 [" in line and "with what people gave taken out" in line for line in lines)
    assert (
        f"{WHO}: the verdict followed the position in 1 of 2 pairs (50 % [9, 91]), 1 time to the first;"
        " 0 were a tie in one order alone; shares are of the 1 whose orders agree"
    ) in lines


@pytest.mark.parametrize(
    ("judgements", "words"),
    [
        (judged(2), "rho n/a: fewer than 3 answers have scores"),
        ([judgement(n, 3, 3) for n in range(4)], "rho n/a: all have one score, or one length"),
        (judged(8)[::2], "no interval: fewer than 6 prompts"),
        ([judgement(1)], "with people: weighted kappa n/a: nobody scored one of these answers"),
        ([judgement(1)], "no family is known by its name: whether it judged its own kin cannot be told"),
        ([judgement(n, 5 - n // 2, 5 - n // 2) for n in range(8)], "by length: shorter answers got more"),
        (
            [judgement(1, 2, 2, at=1), judgement(1, 2, 2, by=OLDER), judgement(99, 2, 2)],
            "left out: 1 judgement by another rubric or in other words, 1 judgement of answers that were",
        ),
    ],
)
def test_what_is_not_known_is_said_with_the_reason(judgements: list[Judgement], words: str) -> None:
    assert any(words in line for line in judge_lines(figures(judgements)))


def test_pairs_have_their_wins_in_agreement_alone_and_without_any_that_is_told() -> None:
    found = figures([], None, PAIRS)
    (half,) = judge_figures((), PAIRS[:1], (), answers(4))

    assert pair_rows(found) == [
        (
            *("qwen2.5-7b", "alpha", "beta", "1", "0", "0", "100 %", "[21, 100]"),
            *("50 %", "0 %", "not yet (0 of 20)"),
        )
    ]
    assert len(pair_rows(found)[0]) == len(PAIR_HEADER)
    assert any(
        line.endswith("position flips n/a: no pair was judged in both orders") for line in judge_lines(half)
    )
    assert pair_rows(figures(judged(3))) == []


def test_agreement_with_people_names_no_model_of_the_run() -> None:
    found = figures(judged(24), given(24))

    rows = judge_agreement_rows(found, rubric=RUBRIC)

    assert [row[:2] for row in rows] == [
        ("people and judge qwen2.5-7b, trusted from 24 answers", word)
        for word in ("Is it right?", "Is it short?", "all")
    ]
    assert all(len(row) == len(AGREEMENT_HEADER) for row in rows)
    assert "alpha" not in json.dumps(judge_agreement_object(found))


@pytest.mark.parametrize(
    "found",
    [
        figures(judged(24), given(24), PAIRS),
        figures(judged(2)),
        figures([judgement(1)]),
        figures([], None, PAIRS),
    ],
)
def test_the_object_is_of_its_schema_and_unknown_is_null(found: JudgeFigures) -> None:
    work = {"of": "pairs", "total": 1, "known": 0, "made": 1, "refused": 0, "retries": 0, "failed": 0}

    content = {
        "schema": "foundry-tui/judge@1",
        "run": "a1",
        "work": {**work, "problem": None},
        "judge": judge_object(found, models(found)),
    }

    jsonschema.validate(json.loads(json.dumps(content, allow_nan=False)), json_schema("judge"))


def test_a_hostile_name_is_harmless_in_words_and_whole_in_the_object() -> None:
    found = figures([judgement(1, 2, 2, by=HOSTILE)], None, [preference(0, 1, Verdict.A, by=HOSTILE)])

    shown = [*judge_lines(found), *(cell for row in judge_rows(found, models(found)) for cell in row)]
    shown += [cell for row in judge_agreement_rows(found) for cell in row]

    assert not [text for text in shown if not text.isprintable()]
    assert judge_object(found, [])["judge"] == HOSTILE.judge

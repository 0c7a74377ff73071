"""Sheets of answers: blind, harmless, read back as they were filled in, every bad cell named."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from foundry_tui.domain.bench import PlannedPrompt, RequestRun
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.scoring import Criterion, Rubric, SheetItem
from foundry_tui.reports.score_sheet import ScoredRow, read_sheet, rubric_mark, sheet_csv, sheet_json
from foundry_tui.services.scoring.sheet import answers_by_key, answers_to_score, sheet_items
from tests.support.hostile import CORPUS, Payload, harm_in
from tests.support.runs import a_run
from tests.support.timed import request, trace

RUBRIC = Rubric(
    name="ours",
    criteria=tuple(Criterion(id=key, name=key, low="bad", high="good") for key in ("right", "brief")),
)
HEADER = ("item", "run", "rubric", "right", "brief")
MODELS = ("phi-secret", "qwen-secret")
PROMPTS = tuple(PlannedPrompt(id=f"p{number}", text=f"Question {number}?") for number in range(1, 6))
RUN = replace(a_run(), plan=replace(a_run().plan, models=MODELS, prompts=PROMPTS))


def answers(rounds: int = 2) -> list[RequestRun]:
    """Of both models to all prompts, each word of them its own."""
    slots = [
        (round_, prompt, model) for round_ in range(1, rounds + 1) for prompt in PROMPTS for model in MODELS
    ]
    return [
        request(
            number,
            trace(text=f"w{number} "),
            model=model,
            prompt_id=prompt.id,
            round_=round_,
        )
        for number, (round_, prompt, model) in enumerate(slots, start=1)
    ]


def item(key: str = "k1", answer: str = "An answer.", prompt: str = "A prompt?") -> SheetItem:
    return SheetItem(key=key, number=1, occasion=1, prompt_id="p1", prompt=prompt, answer=answer)


def as_csv(
    *rows: tuple[str, ...], header: tuple[str, ...] = ("item", "run", "rubric", "right", "brief")
) -> str:
    lines = [header, *((key, "r1", rubric_mark(RUBRIC), *cells) for key, *cells in rows)]
    return "\n".join(",".join(line) for line in lines) + "\n"


def test_each_model_is_scored_once_for_each_prompt_by_its_first_answer_that_ended_well() -> None:
    made = answers()
    made[0] = replace(made[0], trace=trace(outcome=Outcome.STALLED))
    made[1] = replace(made[1], trace=trace(text=" "))

    found = answers_to_score(RUN, made)

    assert [one.number for one in found] == [*range(3, 11), 11, 12]
    assert {(one.model, one.prompt_id) for one in found} == {
        (model, prompt.id) for model in MODELS for prompt in PROMPTS
    }


def test_the_order_is_drawn_by_the_seed_with_the_answers_to_a_prompt_side_by_side() -> None:
    orders = {tuple(one.number for one in sheet_items(RUN, answers(), seed=seed)) for seed in range(8)}
    once = [one.prompt_id for one in sheet_items(RUN, answers(), seed=3) if one.occasion == 1]

    assert len(orders) == 8
    assert sheet_items(RUN, answers(), seed=3) == sheet_items(RUN, answers(), seed=3)
    assert once[::2] == once[1::2]
    assert sorted(set(once)) == [prompt.id for prompt in PROMPTS]


def test_a_tenth_comes_twice_behind_all_others_and_its_key_does_not_tell() -> None:
    items = sheet_items(RUN, answers())
    *first, again = items

    assert {one.occasion for one in first} == {1}
    assert (again.occasion, again.number in {one.number for one in first}) == (2, True)
    assert len({one.key for one in items}) == len(items)
    assert answers_by_key(RUN, answers())[again.key] == (again.number, 2)


@pytest.mark.parametrize("write", [sheet_csv, sheet_json])
def test_no_sheet_names_a_model(write: Callable[[str, tuple[SheetItem, ...], Rubric], str]) -> None:
    text = write(RUN.id, sheet_items(RUN, answers()), RUBRIC)

    assert "secret" not in text
    assert "w3 w3" in text


@pytest.mark.parametrize("write", [sheet_csv, sheet_json])
def test_a_sheet_that_nobody_filled_in_says_nothing(
    write: Callable[[str, tuple[SheetItem, ...], Rubric], str],
) -> None:
    found = read_sheet(write("r1", (item(answer='=1+1, "two"\nlines'),), RUBRIC), "sheet", RUBRIC)

    assert (found.run_id, found.rows, found.problems, found.notes) == ("r1", (), (), ())


def test_what_was_filled_in_comes_back_whatever_the_spreadsheet_made_of_the_numbers() -> None:
    text = as_csv(("a", "4", ""), ("b", " 5.0 ", "1,0"))
    excel = text.replace("1,0", '"1,0"')

    found = read_sheet(excel, "sheet.csv", RUBRIC)

    assert found.problems == ()
    assert [(row.place, row.key, row.values) for row in found.rows] == [
        ("row 2", "a", {"right": 4}),
        ("row 3", "b", {"right": 5, "brief": 1}),
    ]


def test_semicolons_and_columns_in_another_order_are_read_and_columns_of_others_named() -> None:
    text = f"mine;right;note;run;item;rubric\nx;3;fine;r1;k1;{rubric_mark(RUBRIC)}\n"

    found = read_sheet(text, "sheet.csv", RUBRIC)

    assert found.rows == (ScoredRow(place="row 2", key="k1", values={"right": 3}, note="fine"),)
    assert found.notes == ("the column 'mine' was left out", "the column 'brief' is not there")


@pytest.mark.parametrize("cell", ["0", "6", "3.5", "three", "=3", "-1", "1e0", "٣", "true"])
def test_every_bad_cell_is_named_and_the_good_rows_stay(cell: str) -> None:
    found = read_sheet(as_csv(("a", cell, cell), ("b", "2", "3")), "sheet.csv", RUBRIC)

    expected = f"expected a whole number from 1 to 5 or nothing, found {cell!r}"
    assert found.problems == (f"row 2, right: {expected}", f"row 2, brief: {expected}")
    assert [row.key for row in found.rows] == ["b"]


@pytest.mark.parametrize("value", [True, 3.0, "x", [], 7])
def test_a_bad_value_of_json_is_named_with_its_place(value: object) -> None:
    content = json.loads(sheet_json("r1", (item(), item(key="k2")), RUBRIC))
    content["items"][1]["scores"]["brief"] = value

    found = read_sheet(json.dumps(content), "sheet.json", RUBRIC)

    (problem,) = found.problems
    assert problem.startswith("/items/1, brief: expected a whole number from 1 to 5")


def test_an_answer_in_two_rows_another_rubric_and_another_run_are_named() -> None:
    text = as_csv(("a", "1", "1"), ("a", "2", "2"), ("b", "3", "3"))
    text = text.replace(f"b,r1,{rubric_mark(RUBRIC)}", "b,r2,another")

    found = read_sheet(text, "sheet.csv", RUBRIC)

    assert found.problems == (
        "sheet.csv: answers of several runs: r1, r2",
        "row 3, item: a stands in another row already",
        f"row 4, rubric: expected {rubric_mark(RUBRIC)}, found another: it is of another version",
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        'item,run\n"k',
        "item,run,run\n",
        "item,run\n",
        "{",
        '{"schema": "other@1", "items": []}',
        '{"schema": "foundry-tui/score-sheet@1", "items": [1]}',
        '{"schema": "foundry-tui/score-sheet@1", "items": [{"scores": 1}]}',
        '{"schema": "foundry-tui/score-sheet@1", "rubric": 1, "items": []}',
        "[" * 100_000,
        "{" + '"a":[' * 100_000,
    ],
    ids=range(12),
)
def test_what_is_no_sheet_is_refused_with_what_makes_one(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_sheet(text, "sheet", RUBRIC)

    assert "score export" in (caught.value.remedy or "")


@pytest.mark.parametrize("payload", CORPUS[::7], ids=lambda payload: payload.name)
def test_whatever_an_answer_says_it_is_no_formula_and_no_escape_in_a_sheet(payload: Payload) -> None:
    items = (item(answer=payload.text, prompt=payload.text),)

    text = sheet_csv("r1", items, RUBRIC)
    rows = list(csv.reader(io.StringIO(text, newline="")))

    assert not harm_in(text.replace("\n", " "))
    assert len(rows) == 2
    assert all(not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r")) for cell in rows[1])
    assert read_sheet(text, "sheet.csv", RUBRIC).problems == ()
    assert read_sheet(sheet_json("r1", items, RUBRIC), "sheet.json", RUBRIC).problems == ()

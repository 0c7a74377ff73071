"""``foundry-tui score``: a sheet out, a spreadsheet's work on it, the scores in."""

import csv
import json
from pathlib import Path

import jsonschema
import pytest

from foundry_tui.cli.exit_codes import ExitCode
from foundry_tui.config.schema import json_schema
from tests.cli.program import Ended, one_process, run_async
from tests.support.bench_schedules import PROMPT, good_model
from tests.support.endpoint import Setting, scripted_endpoint

HOSTILE = "=cmd|' /C calc'!A0"


@pytest.fixture
async def measured(tmp_path: Path) -> Path:
    """A data directory with a run of two models."""
    data_dir = tmp_path / "data"
    async with scripted_endpoint(good_model, Setting(models=("secret-phi", HOSTILE))) as endpoint:
        arguments = ("bench", "--endpoint", endpoint.url, "--prompt", PROMPT, "--rounds", "2")
        await run_async(*arguments, data_dir=data_dir)
    return data_dir


def asked(data_dir: Path, *arguments: str) -> Ended:
    (end,) = one_process([("score", *arguments)], data_dir=data_dir)
    return end


def filled_in(path: Path, value: str, *, row: int | None = None) -> None:
    """Write ``value`` into all cells of the criteria, or of one row."""
    header, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
    for number, cells in enumerate(rows):
        if row in (None, number):
            for place in range(header.index("answer") + 1, header.index("note")):
                cells[place] = value
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows([header, *rows])


def test_a_sheet_goes_through_a_spreadsheet_and_its_scores_are_kept(measured: Path) -> None:
    path = measured.parent / "sheet.csv"

    out = asked(measured, "export", "last", "--output", str(path))
    filled_in(path, "4")
    back = asked(measured, "import", str(path), "--annotator", " Ada ")

    assert (out.code, back.code) == (ExitCode.DONE, ExitCode.DONE)
    assert "secret-phi" not in path.read_text(encoding="utf-8")
    assert "2 answers to score" in out.err
    assert "Ada: 8 scores of 2 answers, 0 notes" in back.out


def test_of_a_sheet_with_a_bad_cell_nothing_is_kept_but_with_partial_the_other_rows(measured: Path) -> None:
    path = measured.parent / "sheet.csv"
    asked(measured, "export", "last", "--output", str(path))
    filled_in(path, "3")
    content = path.read_text(encoding="utf-8").replace(";3;3;3;3;", ";3;six;3;3;", 1)
    path.write_text(content, encoding="utf-8")

    whole = asked(measured, "import", str(path), "--annotator", "Ada")
    partial = asked(measured, "import", str(path), "--annotator", "Ada", "--partial")

    named = "row 2, instructions: expected a whole number from 1 to 5 or nothing, found 'six'"
    assert (whole.code, partial.code) == (ExitCode.USAGE, ExitCode.FAILED)
    assert named in whole.err
    assert "nothing was kept" in whole.err
    assert named in partial.err
    assert "Ada: 4 scores of 1 answer, 0 notes" in partial.out


def test_a_sheet_as_json_has_what_the_numbers_mean_and_comes_back_too(measured: Path) -> None:
    path = measured.parent / "sheet.json"
    asked(measured, "export", "last", "--output", str(path))
    content = json.loads(path.read_text(encoding="utf-8"))
    content["items"][0]["scores"]["clarity"] = 5
    content["items"][0]["note"] = "good\x1b[31m"
    path.write_text(json.dumps(content), encoding="utf-8")

    back = asked(measured, "import", str(path), "--annotator", "\x1b[31mBob")

    assert all(one["low"] and one["high"] for one in content["rubric"]["criteria"])
    assert "1 score of 1 answer, 1 note" in back.out
    assert "\x1b" not in back.out


def test_what_cannot_be_used_is_refused_and_nothing_is_overwritten(measured: Path) -> None:
    path = measured.parent / "sheet.csv"
    path.write_text("mine", encoding="utf-8")

    ends = one_process(
        [
            ("score", "export", "last", "--output", str(path)),
            ("score", "export", "none", "--output", str(measured.parent / "other.csv")),
            ("score", "export", "last", "--output", str(measured.parent / "sheet.xlsx")),
            ("score", "import", str(path), "--annotator", "Ada"),
            ("score", "import", str(path), "--annotator", " "),
        ],
        data_dir=measured,
    )

    assert [end.code for end in ends] == [ExitCode.USAGE] * len(ends)
    assert path.read_text(encoding="utf-8") == "mine"
    assert not (measured.parent / "other.csv").exists()


async def test_what_several_people_gave_is_told_by_model_and_how_they_agree_without_one(
    measured: Path,
) -> None:
    sheets = [(measured.parent / f"{name}.csv", name, value) for name, value in (("Ada", "5"), ("Bob", "2"))]
    for path, name, value in sheets:
        asked(measured, "export", "last", "--output", str(path))
        filled_in(path, value)
        asked(measured, "import", str(path), "--annotator", name)

    show, as_json, agreement, agreed_json = one_process(
        [
            ("score", "show", "last"),
            ("score", "show", "last", "--json"),
            ("score", "agreement", "last"),
            ("score", "agreement", "last", "--json"),
        ],
        data_dir=measured,
    )

    quality, agreed = json.loads(as_json.out), json.loads(agreed_json.out)
    jsonschema.validate(quality, json_schema("quality"))
    jsonschema.validate(agreed, json_schema("agreement"))
    models = quality["models"]
    assert [one["overall"]["mean"] for one in models] == [3.5, 3.5]
    assert "secret-phi: quality 3.50 of 5 (1 of 1 answer scored, 1 prompt, 2 people" in show.out
    assert "Ada and Bob" in agreement.out
    assert [line.split() for line in agreement.out.splitlines() if line.startswith("5 ")] == [
        ["5", "0", "8", "0", "0", "0"]
    ]
    assert "8 disagreements to talk over, 3 points apart" in agreement.out
    assert "secret-phi" not in agreement.out


def test_of_a_run_that_nobody_scored_that_is_said_and_what_begins_it(measured: Path) -> None:
    ends = one_process([("score", "show", "last"), ("score", "agreement", "last")], data_dir=measured)

    assert [end.code for end in ends] == [ExitCode.DONE] * 2
    assert all("score export writes a sheet" in end.err for end in ends)


def test_models_are_picked_by_the_scores_that_they_got(measured: Path) -> None:
    path = measured.parent / "sheet.csv"
    asked(measured, "export", "last", "--output", str(path))
    filled_in(path, "2", row=0)
    filled_again = path.read_text(encoding="utf-8").replace(";;;;", ";5;5;5;5")
    path.write_text(filled_again, encoding="utf-8")
    asked(measured, "import", str(path), "--annotator", "Ada")

    picked, exported, report = one_process(
        [
            ("models", "pick", "last", "--min-quality", "4", "--json"),
            ("runs", "export", "last"),
            ("report", "last"),
        ],
        data_dir=measured,
    )

    content = json.loads(picked.out)
    assert picked.code == ExitCode.DONE
    assert "not scored" not in picked.out
    assert sorted(one["fit"] for one in content["candidates"]) == ["does-not-fit", "fits"]
    assert sorted(one["quality"]["mean"]["value"] for one in content["candidates"]) == [2, 5]
    results = json.loads(exported.out)
    jsonschema.validate(results, json_schema("results"))
    assert sorted(one["quality"]["overall"]["mean"] for one in results["summary"]) == [2, 5]
    assert "## Quality" in report.out
    assert "## Six dimensions to choose by" in report.out

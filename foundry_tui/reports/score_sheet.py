"""Sheets of answers to be scored by hand, as CSV and JSON; and what came back in them.

No model is named in a sheet, and an answer is harmless in it: no escape sequence, no formula.
"""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.scoring import HIGHEST, LOWEST, SHEET_COLUMNS, Rubric, SheetItem
from foundry_tui.domain.text import clean_line, clean_text
from foundry_tui.reports.csv_cells import csv_table

__all__ = ["SHEET_SCHEMA", "ReadSheet", "ScoredRow", "read_sheet", "rubric_mark", "sheet_csv", "sheet_json"]

SHEET_SCHEMA = "foundry-tui/score-sheet@1"

_MARK_CHARACTERS = 12
_CELL_CHARACTERS = 40
_DELIMITERS = ",;\t"
"""A spreadsheet writes the one of its country."""
_WHOLE = re.compile(r"([0-9]{1,3})(?:[.,]0+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredRow:
    """What one row says.

    Attributes:
        place: Of the row, for people: ``row 7``, as a spreadsheet counts.
        key: Names the answer.
        values: By criterion, those that were given.
        note: As it came; empty without one.
    """

    place: str
    key: str
    values: Mapping[str, int]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSheet:
    """A sheet that came back.

    Attributes:
        run_id: The run that its answers are of.
        rows: Those that say something, and are well.
        problems: Every bad cell, with its place and what was expected.
        notes: What else is worth knowing, such as columns that were left out.
    """

    run_id: str
    rows: tuple[ScoredRow, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Raw:
    place: str
    cells: Mapping[str, object]


def rubric_mark(rubric: Rubric) -> str:
    """What tells two versions of a rubric apart in a sheet."""
    return rubric.sha256[:_MARK_CHARACTERS]


def sheet_csv(run_id: str, items: Sequence[SheetItem], rubric: Rubric) -> str:
    """A row for each answer, an empty cell for each criterion."""
    criteria = [one.id for one in rubric.criteria]
    *before, note = SHEET_COLUMNS
    empty = [None] * len(criteria)
    return csv_table(
        [*before, *criteria, note],
        (
            [
                *(item.key, run_id, rubric_mark(rubric), clean_line(item.prompt_id)),
                *(clean_text(item.prompt), clean_text(item.answer), *empty, None),
            ]
            for item in items
        ),
    )


def sheet_json(run_id: str, items: Sequence[SheetItem], rubric: Rubric) -> str:
    """The same as one object, with what each number means."""
    content = {
        "schema": SHEET_SCHEMA,
        "run": run_id,
        "rubric": {
            "mark": rubric_mark(rubric),
            "name": rubric.name,
            "criteria": [
                {"id": one.id, "name": one.name, "low": one.low, "high": one.high} for one in rubric.criteria
            ],
        },
        "items": [
            {
                "item": item.key,
                "prompt_id": clean_line(item.prompt_id),
                "prompt": clean_text(item.prompt),
                "answer": clean_text(item.answer),
                "scores": {one.id: None for one in rubric.criteria},
                "note": "",
            }
            for item in items
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def read_sheet(text: str, name: str, rubric: Rubric) -> ReadSheet:
    """What ``sheet_csv`` or ``sheet_json`` wrote, filled in.

    Args:
        text: Of the file.
        name: Of the file, for errors.
        rubric: What it must have been scored by.

    Raises:
        BadInput: It is no sheet, or no row of it names the run.
    """
    rows, columns = _json_rows(text, name) if text.lstrip().startswith("{") else _csv_rows(text, name)
    criteria = [one.id for one in rubric.criteria]
    unknown = [column for column in columns if column not in (*SHEET_COLUMNS, *criteria)]
    notes = [f"the column {clean_line(column, _CELL_CHARACTERS)!r} was left out" for column in unknown]
    notes += [f"the column {column!r} is not there" for column in criteria if column not in columns]
    runs = dict.fromkeys(str(row.cells["run"]) for row in rows if row.cells.get("run"))
    if not runs:
        raise _no_sheet(name, "no row of it names the run that it is of")
    run_id, *others = runs
    problems: list[str] = []
    if others:
        problems.append(
            f"{clean_line(name)}: answers of several runs: {', '.join(clean_line(one, 40) for one in runs)}"
        )
    found: list[ScoredRow] = []
    seen: set[str] = set()
    for row in rows:
        scored, bad = _row(row, criteria, rubric_mark(rubric))
        if scored is not None and not bad and scored.key in seen:
            bad = [f"{row.place}, item: {scored.key} stands in another row already"]
        problems += bad
        if scored is not None and not bad:
            seen.add(scored.key)
            found.append(scored)
    return ReadSheet(run_id=run_id, rows=tuple(found), problems=tuple(problems), notes=tuple(notes))


def _row(row: _Raw, criteria: Sequence[str], mark: str) -> tuple[ScoredRow | None, list[str]]:
    """What it says, None of nothing; and its bad cells."""
    values: dict[str, int] = {}
    bad: list[str] = []
    for criterion in criteria:
        cell = row.cells.get(criterion)
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        value = _value(cell)
        if value is None:
            found = clean_line(str(cell), _CELL_CHARACTERS)
            expected = f"expected a whole number from {LOWEST} to {HIGHEST} or nothing"
            bad.append(f"{row.place}, {criterion}: {expected}, found {found!r}")
        else:
            values[criterion] = value
    note = row.cells.get("note")
    text = note.strip() if isinstance(note, str) else ""
    if not values and not text and not bad:
        return None, []
    key, its_mark = row.cells.get("item"), row.cells.get("rubric")
    if not isinstance(key, str) or not key.strip():
        bad.append(f"{row.place}, item: expected the name of an answer, found nothing")
        return None, bad
    if its_mark != mark:
        found = clean_line(str(its_mark or "nothing"), _CELL_CHARACTERS)
        bad.append(f"{row.place}, rubric: expected {mark}, found {found}: it is of another version")
    return ScoredRow(place=row.place, key=key.strip(), values=values, note=text), bad


def _value(cell: object) -> int | None:
    if isinstance(cell, str):
        # A spreadsheet may have made 4 into 4.0, or 4,0.
        whole = _WHOLE.fullmatch(cell.strip())
        cell = int(whole.group(1)) if whole else None
    if isinstance(cell, bool) or not isinstance(cell, int):
        return None
    return cell if LOWEST <= cell <= HIGHEST else None


def _csv_rows(text: str, name: str) -> tuple[list[_Raw], Sequence[str]]:
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        header, *records = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except (csv.Error, ValueError) as error:
        raise _no_sheet(name, f"it is no CSV ({error})") from error
    columns = [column.strip() for column in header]
    if "item" not in columns or "run" not in columns:
        raise _no_sheet(name, "its first row has no columns item and run")
    twice = [column for column in dict.fromkeys(columns) if column and columns.count(column) > 1]
    if twice:
        raise _no_sheet(name, f"the column {clean_line(twice[0], _CELL_CHARACTERS)!r} stands in it twice")
    rows = [
        # Short rows are what some programs make of empty cells at the end.
        _Raw(f"row {number}", dict(zip(columns, record, strict=False)))
        for number, record in enumerate(records, start=2)
        if any(cell.strip() for cell in record)
    ]
    return rows, [column for column in columns if column]


def _json_rows(text: str, name: str) -> tuple[list[_Raw], Sequence[str]]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_sheet(name, f"it is no JSON ({clean_line(str(error), 100)})") from error
    items = content.get("items")
    mark = content["rubric"].get("mark") if isinstance(content.get("rubric"), dict) else None
    if content.get("schema") != SHEET_SCHEMA or not isinstance(items, list):
        raise _no_sheet(name, f"it has no schema {SHEET_SCHEMA} with a list of items")
    rows: list[_Raw] = []
    columns: dict[str, None] = {}
    for index, item in enumerate(items):
        place = f"/items/{index}"
        if not isinstance(item, dict) or not isinstance(item.get("scores", {}), dict):
            raise _no_sheet(name, f"{place}: expected an object with scores")
        scores = item.get("scores", {})
        columns |= dict.fromkeys(map(str, scores))
        own = {"item": item.get("item"), "run": content.get("run"), "rubric": mark, "note": item.get("note")}
        rows.append(_Raw(place, {**scores, **own}))
    return rows, list(columns)


def _no_sheet(name: str, why: str) -> BadInput:
    return BadInput(
        f"{clean_line(name)}: {why}",
        remedy="foundry-tui score export writes a sheet to fill in; nothing was kept",
    )

"""``rubric.json``: what answers are scored by."""

import json
from pathlib import Path

from foundry_tui.config.documents import file_problem, pointer, read_json
from foundry_tui.domain.scoring import SHEET_COLUMNS, Criterion, Rubric
from foundry_tui.domain.text import clean_line

__all__ = ["load_rubric"]


def load_rubric(path: Path) -> Rubric:
    """Read ``{"name": …, "criteria": [{"id": …, "name": …, "low": …, "high": …}, …]}``.

    Raises:
        BadInput: The file cannot be read or is not of that form; an id stands twice, or is a sheet's own.
    """
    document = read_json(path)

    # Late, and after the file has parsed: pydantic is slow to import.
    from pydantic import ValidationError

    from foundry_tui.config.problems import shape_problem
    from foundry_tui.config.shapes import RubricFile

    try:
        checked = RubricFile.model_validate(document.content)
    except ValidationError as error:
        raise shape_problem(document, RubricFile, error, "rubric") from error
    seen = set(SHEET_COLUMNS)
    for index, one in enumerate(checked.criteria):
        if one.id in seen:
            found = json.dumps(clean_line(one.id, 40), ensure_ascii=False)
            place = pointer("criteria", index, "id")
            problem = f"{place}: expected an id of its own that is no column of a sheet, found {found}"
            raise file_problem(document.path, problem, "Give every criterion another id.")
        seen.add(one.id)
    return Rubric(
        name=checked.name,
        criteria=tuple(
            Criterion(id=one.id, name=one.name, low=one.low, high=one.high) for one in checked.criteria
        ),
    )

"""The rubric: what is read, and what is refused with its place."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.config.locate import shipped_folder
from foundry_tui.config.rubric_file import load_rubric
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.scoring import Criterion, Rubric

RIGHT = {"id": "right", "name": "Right", "low": "wrong", "high": "all right"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rubric.json"


def test_a_rubric_is_read_in_its_order(path: Path) -> None:
    path.write_text(json.dumps({"name": "ours", "criteria": [RIGHT, RIGHT | {"id": "brief"}]}))

    found = load_rubric(path)

    assert found.name == "ours"
    assert [one.id for one in found.criteria] == ["right", "brief"]
    assert found.criteria[0] == Criterion(id="right", name="Right", low="wrong", high="all right")


def test_the_one_that_is_shipped_has_a_meaning_at_both_ends_of_each_criterion() -> None:
    found = load_rubric(shipped_folder() / "rubric.json")

    assert len(found.criteria) >= 3
    assert all(one.low != one.high for one in found.criteria)


def test_whatever_changes_makes_another_version() -> None:
    one = Criterion(id="right", name="Right", low="wrong", high="all right")
    rubrics = (
        Rubric(name="ours", criteria=(one,)),
        Rubric(name="ours!", criteria=(one,)),
        Rubric(name="ours", criteria=(one, replace(one, id="more"))),
        Rubric(name="ours", criteria=(Criterion(id="right", name="Right", low="wrong", high="right"),)),
    )

    assert len({rubric.sha256 for rubric in rubrics}) == len(rubrics)
    assert rubrics[0].sha256 == Rubric(name="ours", criteria=(one,)).sha256


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"name": "n", "criteria": []}, "/criteria"),
        ({"name": "n", "criteria": [RIGHT | {"id": "Right one"}]}, "/criteria/0/id"),
        ({"name": "n", "criteria": [RIGHT | {"low": " "}]}, "/criteria/0/low"),
        ({"name": "n", "criteria": [RIGHT, RIGHT]}, "/criteria/1/id: expected an id of its own"),
        ({"name": "n", "criteria": [RIGHT | {"id": "answer"}]}, "/criteria/0/id: expected an id of its own"),
        ({"name": "n", "criteria": [RIGHT], "more": 1}, "/more"),
    ],
)
def test_what_is_no_rubric_is_refused_with_its_place(path: Path, content: object, told: str) -> None:
    path.write_text(json.dumps(content))

    with pytest.raises(BadInput) as caught:
        load_rubric(path)

    assert told in str(caught.value)
    assert caught.value.remedy

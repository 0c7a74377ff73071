"""A small file of ours is the old one or the new one, never a part of either."""

import json
from pathlib import Path

import pytest

from foundry_tui.services.small_files import put_json


def test_what_was_there_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_text("old")

    put_json(path, {"new": [1, "zwei"]})

    assert json.loads(path.read_text()) == {"new": [1, "zwei"]}
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_put_there_leaves_what_was_and_nothing_beside_it(tmp_path: Path) -> None:
    taken = tmp_path / "kept.json"
    (taken / "inside").mkdir(parents=True)

    with pytest.raises(OSError, match=r"kept\.json"):
        put_json(taken, {"new": 1})

    assert list(tmp_path.iterdir()) == [taken]
    assert (taken / "inside").is_dir()

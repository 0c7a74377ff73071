"""The kept result of the last self-test."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.services.own_error import KeptOwnError, OwnErrorFile, is_wanted

MACHINE = (("cpu", "fast"), ("cores", "2"))
DAY_MS = 24 * 60 * 60 * 1000
KEPT = KeptOwnError(
    measured_unix_ms=100 * DAY_MS, version="1.2", machine=MACHINE, facts=(("own_error_idle", "TTFT 1 ms"),)
)


def test_what_was_kept_is_read_again_on_that_machine_and_on_no_other(tmp_path: Path) -> None:
    file = OwnErrorFile(tmp_path / "new" / "selftest.json")

    file.write(replace(KEPT, version="1.1"))
    file.write(KEPT)

    assert file.read(MACHINE) == KEPT
    assert file.read((("cpu", "slow"), ("cores", "2"))) is None
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["selftest.json"]


def test_nothing_is_known_before_the_first(tmp_path: Path) -> None:
    assert OwnErrorFile(tmp_path / "selftest.json").read(MACHINE) is None


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "7", "{}", '{"schema": "foundry-tui/own-error@1"}', "[" * 100_000],
)
def test_a_damaged_file_is_as_none_and_the_next_result_replaces_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "selftest.json"
    path.write_text(content)
    file = OwnErrorFile(path)

    assert file.read(MACHINE) is None

    file.write(KEPT)
    assert file.read(MACHINE) == KEPT


def test_a_file_of_other_kinds_of_values_is_as_none(tmp_path: Path) -> None:
    path = tmp_path / "selftest.json"
    file = OwnErrorFile(path)
    file.write(KEPT)
    whole = json.loads(path.read_text())

    for change in ({"facts": [["a", 1]]}, {"facts": [["a"]]}, {"measured_unix_ms": True}, {"machine": None}):
        path.write_text(json.dumps(whole | change))

        assert file.read(MACHINE) is None, change


def test_a_file_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")

    OwnErrorFile(in_the_way / "selftest.json").write(KEPT)

    assert in_the_way.read_text() == ""


def test_a_result_is_fresh_for_its_version_and_thirty_days() -> None:
    at_ms = KEPT.measured_unix_ms

    assert KEPT.is_fresh(version="1.2", now_unix_ms=at_ms + 30 * DAY_MS)
    assert not KEPT.is_fresh(version="1.2", now_unix_ms=at_ms + 30 * DAY_MS + 1)
    assert not KEPT.is_fresh(version="1.3", now_unix_ms=at_ms)
    assert not KEPT.is_fresh(version="1.2", now_unix_ms=at_ms - 1)


def test_the_variable_decides_where_it_says_something() -> None:
    assert [is_wanted(said, default=True) for said in (None, "", "0", " No ", "1")] == [
        *(True, True, False, False, True)
    ]
    assert [is_wanted(said, default=False) for said in (None, " ", "yes")] == [False, False, True]

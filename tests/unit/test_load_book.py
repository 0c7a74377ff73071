"""What loads took, kept in a file."""

import json
from pathlib import Path

import pytest

from foundry_tui.domain.loads import LoadRecord, MemoryPlace
from foundry_tui.services.load_book import LoadBook


def load(at_unix_ms: int = 1) -> LoadRecord:
    return LoadRecord(
        model_id="phi:1",
        at_unix_ms=at_unix_ms,
        runtime=None,
        memory=MemoryPlace.GPU,
        file_bytes=5,
        taken_bytes=7,
        estimated_bytes=6,
        is_fresh=False,
    )


def test_what_one_instance_kept_another_reads_and_adds_to(tmp_path: Path) -> None:
    first, second = LoadBook(tmp_path / "loads.json"), LoadBook(tmp_path / "loads.json")
    first.add(load(1))

    added = second.add(load(2))

    assert added == first.read() == (load(1), load(2))


def test_the_oldest_go_when_there_are_many(tmp_path: Path) -> None:
    path = tmp_path / "loads.json"
    book = LoadBook(path)
    book.add(load(0))
    content = json.loads(path.read_text())
    content["loads"] = [{**content["loads"][0], "at_unix_ms": n} for n in range(300)]
    path.write_text(json.dumps(content))

    for n in range(300, 303):
        book.add(load(n))

    assert [record.at_unix_ms for record in book.read()] == list(range(3, 303))


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"schema": "other", "loads": []}', "[" * 100_000, "null"]
)
def test_a_file_that_is_none_of_ours_teaches_nothing(tmp_path: Path, content: str) -> None:
    path = tmp_path / "loads.json"
    path.write_text(content)

    assert LoadBook(path).read() == ()


@pytest.mark.parametrize(
    "change",
    [
        {"taken_bytes": 0},
        {"taken_bytes": True},
        {"file_bytes": "5"},
        {"memory": "disk"},
        {"model_id": None},
        {"estimated_bytes": -1},
        {"is_fresh": 1},
    ],
)
def test_an_entry_that_cannot_be_is_left_out_and_the_others_stay(
    tmp_path: Path, change: dict[str, object]
) -> None:
    path = tmp_path / "loads.json"
    book = LoadBook(path)
    book.add(load(1))
    book.add(load(2))
    content = json.loads(path.read_text())
    content["loads"][0].update(change)
    path.write_text(json.dumps(content))

    assert book.read() == (load(2),)


def test_a_folder_that_is_gone_costs_nothing_but_the_record(tmp_path: Path) -> None:
    book = LoadBook(tmp_path / "gone" / "loads.json")

    book.add(load())

    assert book.read() == ()

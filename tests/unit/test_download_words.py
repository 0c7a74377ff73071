import dataclasses
import json
from pathlib import Path

import pytest

from foundry_tui.domain.downloads import DownloadFailure, DownloadPhase
from foundry_tui.engines.downloads.words import Order, Word, order_line, read_order, read_word, write_word
from foundry_tui.engines.hosting.configs import ManagedConfig

WORD = Word(
    model_id="phi:1",
    pid=4711,
    mark="boot-12",
    cache_dir="/cache",
    phase=DownloadPhase.FAILED,
    place=("Ünï cödé", "phi-1"),
    percent=12.5,
    total_bytes=1_000,
    failure=DownloadFailure.NETWORK,
    message="no route \ud800",
)


@pytest.mark.parametrize("word", [WORD, Word(model_id="m:1", pid=2, mark=None, cache_dir="c")])
def test_a_word_is_read_as_it_was_written(tmp_path: Path, word: Word) -> None:
    write_word(tmp_path / "word.json", word)

    assert read_word(tmp_path / "word.json") == word
    assert [path.name for path in tmp_path.iterdir()] == ["word.json"]


def test_an_order_is_read_as_it_was_written() -> None:
    config = ManagedConfig(
        data_dir="d", cache_dir="c", logs_dir="l", catalog_urls=("http://x",), catalog_region="r"
    )
    order = Order(config=config, model_id="m:1\n\ud800", total_bytes=None, word_path="w", log_path="l")

    line = order_line(order)

    assert line.count(b"\n") == 1
    assert read_order(line) == order


@pytest.mark.parametrize("line", [b"", b"{}\n", b"[]\n", b"null\n", b'{"config": 3}\n', b"\xff\n"])
def test_what_is_no_order_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        read_order(line)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"pid": "1"},
        {"pid": None},
        {"pid": 0},
        {"pid": -1},
        {"pid": 1},
        {"percent": 101},
        {"percent": "1"},
        {"total_bytes": -1},
        {"total_bytes": 1.5},
        {"phase": "lost"},
        {"failure": "bad"},
        {"mark": 3},
        {"place": [3, "x"]},
        {"place": None},
        {"message": ["x"]},
        {"model_id": None},
    ],
)
def test_a_word_that_is_not_ours_is_none(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "word.json"
    write_word(path, WORD)
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **change}))

    assert read_word(path) is None


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"3", b"\xff\xfe", b"[" * 10_000, b'"x"' * 50_000])
def test_nonsense_is_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "word.json").write_bytes(data)

    assert read_word(tmp_path / "word.json") is None
    assert read_word(tmp_path / "missing.json") is None
    assert read_word(tmp_path) is None


def test_where_there_is_no_room_for_another_file_the_word_is_written_over_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "word.json"
    write_word(path, WORD)
    size = path.stat().st_size
    path.with_suffix(".new").mkdir()
    shorter = dataclasses.replace(WORD, message=None, phase=DownloadPhase.DONE, failure=None)

    write_word(path, shorter)

    assert read_word(path) == shorter
    assert path.stat().st_size == size

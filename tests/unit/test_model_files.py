"""What a model's own folder says."""

import os
from pathlib import Path

import pytest

from foundry_tui.engines.model_files.folders import real_context_tokens, size_on_disk_bytes


def with_config(folder: Path, content: bytes) -> Path:
    (folder / "genai_config.json").write_bytes(content)
    return folder


def test_the_context_is_the_models_own_and_not_that_of_the_search(tmp_path: Path) -> None:
    content = b'{"model": {"context_length": 4096, "type": "llama"}, "search": {"max_length": 131072}}'

    assert real_context_tokens(with_config(tmp_path, content)) == 4096


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"5",
        b'"model"',
        b"\xff\xfe",
        b"{broken",
        b'{"model": 5}',
        b'{"model": []}',
        b'{"model": {}}',
        b'{"model": {"context_length": null}}',
        b'{"model": {"context_length": "4096"}}',
        b'{"model": {"context_length": 4096.0}}',
        b'{"model": {"context_length": true}}',
        b'{"model": {"context_length": 0}}',
        b'{"model": {"context_length": -1}}',
        b'{"model": {"context_length": ' + b"9" * 5000 + b"}}",
        b'{"model": {"context_length": 1}}' + b" " * 4_000_000,
    ],
    ids=lambda content: repr(content[:40]),
)
def test_a_config_that_says_nothing_usable_gives_none(tmp_path: Path, content: bytes) -> None:
    assert real_context_tokens(with_config(tmp_path, content)) is None


def test_a_folder_without_a_config_or_no_folder_gives_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert real_context_tokens(tmp_path) is None
    assert real_context_tokens(tmp_path / "none") is None
    assert real_context_tokens(tmp_path / "file") is None


def test_a_config_that_is_a_folder_gives_none(tmp_path: Path) -> None:
    (tmp_path / "genai_config.json").mkdir()

    assert real_context_tokens(tmp_path) is None


def test_an_empty_folder_takes_nothing_and_no_folder_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")

    assert size_on_disk_bytes(tmp_path / "none") is None
    assert size_on_disk_bytes(tmp_path / "file") is None
    (tmp_path / "empty").mkdir()
    assert size_on_disk_bytes(tmp_path / "empty") == 0


def test_files_at_every_depth_are_counted(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "one").write_bytes(os.urandom(10_000))
    (inner / "two").write_bytes(os.urandom(20_000))

    size = size_on_disk_bytes(tmp_path)

    assert size is not None
    assert 30_000 <= size < 30_000 + 2 * 131_072  # whole blocks of whatever file system this is


def test_a_hard_link_is_counted_once(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(os.urandom(100_000))
    before = size_on_disk_bytes(tmp_path)

    (tmp_path / "two").hardlink_to(tmp_path / "one")

    assert size_on_disk_bytes(tmp_path) == before


def test_what_a_link_points_to_is_not_counted(tmp_path: Path) -> None:
    folder, outside = tmp_path / "model", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "big").write_bytes(os.urandom(500_000))
    (folder / "link").symlink_to(outside / "big")
    (folder / "folder-link").symlink_to(outside)
    (folder / "dangling").symlink_to(tmp_path / "none")
    (folder / "self").symlink_to(folder)

    size = size_on_disk_bytes(folder)

    assert size is not None
    assert size < 100_000


@pytest.mark.skipif(not hasattr(os.stat_result, "st_blocks"), reason="this platform tells no blocks")
def test_a_file_that_was_only_reserved_takes_what_is_written(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(100_000_000)

    size = size_on_disk_bytes(tmp_path)

    assert size is not None
    assert size < 1_000_000


def test_a_config_of_too_many_brackets_gives_none(tmp_path: Path) -> None:
    assert real_context_tokens(with_config(tmp_path, b"[" * 100_000)) is None

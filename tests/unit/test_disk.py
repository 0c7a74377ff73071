"""What a disk has left and what folders take on it."""

import os
from pathlib import Path

import pytest

from foundry_tui.resources.disk import LocalDisk, allocated_bytes, disk_space, freed_bytes

BLOCK = 131_072  # no file system in use has larger ones


def with_file(path: Path, size: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(size))
    return path


def test_the_disk_of_a_folder_that_is_not_there_yet_is_that_of_its_nearest_parent(tmp_path: Path) -> None:
    space = disk_space(tmp_path / "not" / "yet")

    assert space is not None
    assert 0 < space.free_bytes <= space.total_bytes
    assert space.total_bytes == getattr(disk_space(tmp_path), "total_bytes", None)


def test_files_at_every_depth_are_counted(tmp_path: Path) -> None:
    with_file(tmp_path / "a" / "b" / "one", 20_000)
    with_file(tmp_path / "two", 10_000)

    found = allocated_bytes(tmp_path)

    assert found is not None
    assert 30_000 <= found < 30_000 + 2 * BLOCK


def test_a_hard_link_is_counted_once(tmp_path: Path) -> None:
    one = with_file(tmp_path / "a" / "one", 300_000)
    before = allocated_bytes(tmp_path)

    (tmp_path / "two").hardlink_to(one)

    assert allocated_bytes(tmp_path) == before


def test_removing_a_folder_frees_what_no_other_has(tmp_path: Path) -> None:
    shared = with_file(tmp_path / "other" / "shared", 400_000)
    with_file(tmp_path / "model" / "own", 100_000)
    (tmp_path / "model" / "shared").hardlink_to(shared)
    (tmp_path / "model" / "twice").hardlink_to(tmp_path / "model" / "own")

    freed = freed_bytes(tmp_path / "model")

    assert freed is not None
    assert 100_000 <= freed < 100_000 + BLOCK


def test_what_a_link_leads_to_is_not_counted(tmp_path: Path) -> None:
    big = with_file(tmp_path / "outside" / "big", 500_000)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "link").symlink_to(big)
    (tmp_path / "model" / "folder").symlink_to(big.parent)

    assert (allocated_bytes(tmp_path / "model") or 0) < BLOCK
    assert (freed_bytes(tmp_path / "model") or 0) < BLOCK


@pytest.mark.skipif(not hasattr(os.stat_result, "st_blocks"), reason="this platform tells no blocks")
def test_a_file_that_is_only_reserved_takes_what_is_written(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(100_000_000)

    assert (allocated_bytes(tmp_path) or 0) < 1_000_000


def test_what_is_no_folder_is_unknown(tmp_path: Path) -> None:
    disk = LocalDisk()

    assert disk.allocated(tmp_path / "none") is None
    assert disk.freed(with_file(tmp_path / "file", 1)) is None
    ours, plain = disk.space(tmp_path), disk_space(tmp_path)
    assert ours is not None
    assert plain is not None
    assert ours.total_bytes == plain.total_bytes  # what is free changes while one looks

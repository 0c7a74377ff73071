import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from foundry_tui.domain.errors import ModelRefused
from foundry_tui.engines.downloads.allocated import allocated_bytes
from foundry_tui.engines.downloads.partials import (
    LOCK_FILE,
    find_partials,
    lock_owner,
    model_place,
    remove_partial,
    unfinished_place,
)

fcntl = pytest.importorskip("fcntl", reason="locks as POSIX takes them")


def unfinished(cache: Path, *steps: str, data: bytes = b"x" * 10_000) -> Path:
    folder = cache.joinpath(*steps)
    folder.mkdir(parents=True)
    (folder / "download.tmp").touch()
    (folder / "model.onnx.data").write_bytes(data)
    (folder / "model.onnx.data.dlstate").write_bytes(b"FLDS")
    return folder


def finished(cache: Path, *steps: str) -> Path:
    folder = cache.joinpath(*steps)
    folder.mkdir(parents=True)
    (folder / "genai_config.json").write_text("{}")
    (folder / "inference_model.json").write_text("{}")
    return folder


@contextmanager
def locked(folder: Path, pid: int = 4711) -> Iterator[None]:
    """Hold the lock as the runtime does."""
    with (folder / LOCK_FILE).open("w") as file:
        file.write(f"PID:{pid},Time:2026-11-22T23:03:07Z")
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_partials_are_found_with_their_model_and_size_and_finished_models_are_not(tmp_path: Path) -> None:
    folder = unfinished(tmp_path, "Some Publisher", "phi-4-mini-generic-cpu-3")
    finished(tmp_path, "Some Publisher", "other-generic-cpu-1")

    (found,) = find_partials(tmp_path)

    assert (found.model_id, found.path) == ("phi-4-mini-generic-cpu:3", str(folder))
    assert found.disk_bytes == allocated_bytes(folder) >= 10_000
    assert found.touched_unix == pytest.approx((folder / "model.onnx.data").stat().st_mtime, abs=1)
    assert not found.is_locked


def test_the_one_touched_last_comes_first(tmp_path: Path) -> None:
    for name, touched in (("old-1", 1_000), ("new-1", 3_000), ("middle-1", 2_000)):
        folder = unfinished(tmp_path, "P", name)
        for path in folder.iterdir():
            os.utime(path, (touched, touched))

    names = [found.model_id for found in find_partials(tmp_path)]

    assert names == ["new:1", "middle:1", "old:1"]


def test_a_model_without_a_publisher_lies_in_the_cache_itself(tmp_path: Path) -> None:
    folder = unfinished(tmp_path, "bare-generic-cpu-2")

    (found,) = find_partials(tmp_path)
    remove_partial(tmp_path, found.path)

    assert (found.model_id, found.path) == ("bare-generic-cpu:2", str(folder))
    assert model_place(None, "bare-generic-cpu:2") == model_place("", "bare-generic-cpu:2") == (folder.name,)
    assert not folder.exists()


def test_a_folder_whose_name_tells_no_model_is_a_partial_all_the_same(tmp_path: Path) -> None:
    unfinished(tmp_path, "P", "whatever")

    (found,) = find_partials(tmp_path)

    assert found.model_id is None


def test_a_missing_or_unreadable_cache_has_no_partials(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert find_partials(tmp_path / "nowhere") == find_partials(tmp_path / "file") == ()


@pytest.mark.parametrize("name", ["..", ".", "a/b", "/etc", "a\\b", "nul\0", "../../x"])
def test_a_hostile_name_leads_nowhere(name: str) -> None:
    assert model_place(name, "m:1") == ()
    if name not in ("..", "."):
        assert model_place("P", f"{name}:1") == ()


def test_removing_frees_what_was_there_and_leaves_the_neighbours(tmp_path: Path) -> None:
    folder = unfinished(tmp_path, "P", "gone-1", data=b"x" * 100_000)
    (folder / "sub").mkdir()
    (folder / "sub" / "tokenizer.json").write_text("{}")
    other = unfinished(tmp_path, "P", "kept-1")
    before = allocated_bytes(folder)

    freed = remove_partial(tmp_path, str(folder))

    assert freed == before >= 100_000
    assert not folder.exists()
    assert (other / "model.onnx.data").exists()


@pytest.mark.parametrize("steps", [("P", "whole-1"), ("whole-1",)])
def test_a_finished_model_is_never_removed(tmp_path: Path, steps: tuple[str, ...]) -> None:
    folder = finished(tmp_path, *steps)

    with pytest.raises(ModelRefused, match="no unfinished download"):
        remove_partial(tmp_path, str(folder))

    assert (folder / "genai_config.json").exists()


def test_what_a_server_put_into_a_finished_model_is_no_partial(tmp_path: Path) -> None:
    folder = finished(tmp_path, "bare-1")
    inner = unfinished(folder, "inner-1")

    with pytest.raises(ModelRefused):
        remove_partial(tmp_path, str(inner))

    assert find_partials(tmp_path) == ()
    assert (inner / "model.onnx.data").exists()


@pytest.mark.parametrize(
    "way", ["{cache}", "{outside}", "{cache}/../outside", "{cache}/P/../../outside", "P"]
)
def test_nothing_outside_the_cache_is_removed(tmp_path: Path, way: str) -> None:
    cache = tmp_path / "cache"
    (cache / "P").mkdir(parents=True)
    (cache / "download.tmp").touch()
    outside = unfinished(tmp_path, "outside")

    with pytest.raises(ModelRefused):
        remove_partial(cache, way.format(cache=cache, outside=outside))

    assert (outside / "model.onnx.data").exists()
    assert cache.is_dir()


def test_a_link_is_neither_found_nor_followed(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (cache / "P").mkdir(parents=True)
    outside = unfinished(tmp_path, "outside", "real-1")
    (cache / "P" / "link-1").symlink_to(outside)
    (cache / "Link").symlink_to(outside.parent)

    for path in (cache / "P" / "link-1", cache / "Link" / "real-1"):
        with pytest.raises(ModelRefused):
            remove_partial(cache, str(path))

    assert find_partials(cache) == ()
    assert (outside / "model.onnx.data").exists()


def test_links_within_a_partial_go_and_what_they_lead_to_stays(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    folder = unfinished(cache, "P", "some-1")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("kept")
    (folder / "a-folder").symlink_to(tmp_path / "precious")
    (folder / "a-file").symlink_to(tmp_path / "precious" / "file")
    (folder / "sub").mkdir()
    (folder / "sub" / "deeper").symlink_to(tmp_path / "precious")

    remove_partial(cache, str(folder))

    assert not folder.exists()
    assert (tmp_path / "precious" / "file").read_text() == "kept"


def test_a_lock_that_leads_out_of_the_folder_is_not_written_to(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    folder = unfinished(cache, "P", "some-1")
    (folder / LOCK_FILE).symlink_to(tmp_path / "made")

    assert lock_owner(folder) is None
    with pytest.raises(Exception, match="cannot be deleted"):
        remove_partial(cache, str(folder))

    assert not (tmp_path / "made").exists()


def test_a_held_lock_is_seen_with_its_owner_and_keeps_the_partial(tmp_path: Path) -> None:
    folder = unfinished(tmp_path, "P", "busy-1")

    with locked(folder, pid=4711):
        owner = lock_owner(folder)
        (found,) = find_partials(tmp_path)
        with pytest.raises(ModelRefused, match="at work"):
            remove_partial(tmp_path, str(folder))

    assert owner == 4711
    assert found.is_locked
    assert (folder / "model.onnx.data").exists()
    # What the dead leave of a lock holds nobody up.
    assert lock_owner(folder) is None


def test_a_lock_that_says_nothing_is_held_by_nobody_known(tmp_path: Path) -> None:
    folder = unfinished(tmp_path, "P", "busy-1")

    with (folder / LOCK_FILE).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        assert lock_owner(folder) == 0


def test_the_place_of_an_unfinished_download_is_known_before_its_publisher_is(tmp_path: Path) -> None:
    unfinished(tmp_path, "Some Publisher", "phi-4-mini-generic-cpu-3")

    assert unfinished_place(tmp_path, "phi-4-mini-generic-cpu:3") == (
        "Some Publisher",
        "phi-4-mini-generic-cpu-3",
    )
    assert unfinished_place(tmp_path, "phi-4-mini-generic-cpu:4") == ()


def test_holes_are_not_counted(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(100_000_000)
        file.write(b"x" * 8_192)

    assert 8_192 <= allocated_bytes(tmp_path) < 100_000

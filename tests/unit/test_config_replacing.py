"""A file rewritten whole or not at all, whoever else writes it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from foundry_tui.config.replacing import rewrite


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "file"


def written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def while_edited(path: Path, *edits: bytes) -> Callable[[bytes | None], bytes]:
    """Adds a line, and at each of its first calls somebody else writes the file."""
    waiting = list(edits)

    def change(before: bytes | None) -> bytes:
        if waiting:
            written(path, waiting.pop(0))
        return (before or b"") + b"ours\n"

    return change


@pytest.mark.parametrize("before", [b"old\n", None])
def test_an_edit_that_comes_meanwhile_is_not_lost(path: Path, before: bytes | None) -> None:
    if before is not None:
        written(path, before)

    rewrite(path, while_edited(path, b"one\n", b"two\n"))

    assert path.read_bytes() == b"two\nours\n"
    assert path.with_name("file.bak").read_bytes() == b"two\n"


def test_a_file_that_never_rests_is_given_up_untouched(path: Path) -> None:
    edits = [b"%d\n" % number for number in range(9)]

    with pytest.raises(OSError, match="somebody else keeps writing it"):
        rewrite(path, while_edited(path, *edits))

    assert path.read_bytes() == b"4\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_is_new_has_nothing_to_keep(path: Path) -> None:
    rewrite(path, lambda before: b"new" if before is None else b"wrong")

    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("same", [b"old", None])
def test_a_file_that_stays_as_it_is_is_not_touched(path: Path, same: bytes | None) -> None:
    written(path, b"old")

    rewrite(path, lambda _: same)

    assert list(path.parent.iterdir()) == [path]


def test_nothing_is_left_behind_where_it_cannot_be_written(path: Path) -> None:
    written(path, b"old")
    path.with_name("file.bak").mkdir()

    with pytest.raises(OSError):
        rewrite(path, lambda _: b"new")

    assert path.read_bytes() == b"old"
    assert sorted(name.name for name in path.parent.iterdir()) == ["file", "file.bak"]

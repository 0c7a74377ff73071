"""The layout comes back as it was left, and a broken file costs nothing but the layout."""

import json
from pathlib import Path

import pytest

from foundry_tui.domain.layout import Layout
from foundry_tui.services.remembering import LayoutMemory

LEFT = Layout(left_percent=60, columns=("id", "size"), sort="size", descending=True, shows_ribbon=False)


async def test_what_was_left_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "screen.json"
    await LayoutMemory(path).remember(LEFT)

    assert await LayoutMemory(path).recall() == LEFT


async def test_without_a_file_it_is_the_default(tmp_path: Path) -> None:
    assert await LayoutMemory(tmp_path / "none.json").recall() == Layout()


@pytest.mark.parametrize(
    "content",
    [b"", b"[1, 2", b"\xff\xfe", b"[]", b'"text"', b'{"left_percent": 500}', b"[" * 100_000],
    ids=["empty", "broken", "bytes", "list", "text", "out of range", "deep"],
)
async def test_a_file_that_says_nothing_usable_is_the_default(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "screen.json"
    path.write_bytes(content)

    assert await LayoutMemory(path).recall() == Layout()


async def test_values_of_another_kind_are_left_out_and_the_rest_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "screen.json"
    path.write_text(
        json.dumps({"left_percent": "wide", "columns": ["id", 7], "descending": 1, "new": 3, "sort": "size"})
    )

    assert await LayoutMemory(path).recall() == Layout(columns=("id",), sort="size")


async def test_a_folder_that_is_gone_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    memory = LayoutMemory(tmp_path / "gone" / "screen.json")

    await memory.remember(LEFT)

    assert memory.layout == LEFT
    assert "cannot be remembered" in caplog.text

"""When each model was used last."""

import json
from pathlib import Path

import pytest

from foundry_tui.services.cache.last_used import LastUsed


async def written(path: Path, model_id: str, at_unix: int) -> None:
    used = LastUsed(path, now_unix=lambda: at_unix)
    used.touch(model_id)
    await used.aclose()


async def test_what_was_used_is_known_at_once_and_after_a_start(tmp_path: Path) -> None:
    path = tmp_path / "used.json"
    used = LastUsed(path, now_unix=lambda: 1_700_000_000)

    used.touch("a:1")

    assert used.times == {"a:1": 1_700_000_000}
    await used.aclose()
    later = LastUsed(path)
    await later.recall()
    assert later.times == {"a:1": 1_700_000_000}


async def test_two_programs_share_the_file_and_the_later_time_wins(tmp_path: Path) -> None:
    path = tmp_path / "used.json"
    used = LastUsed(path, now_unix=lambda: 100)
    await written(path, "a:1", 300)
    await written(path, "b:1", 200)

    used.touch("a:1")
    await used.aclose()

    assert json.loads(path.read_text()) == {"a:1": 300, "b:1": 200}
    assert used.times == {"a:1": 300, "b:1": 200}


async def test_a_removed_model_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "used.json"
    await written(path, "a:1", 300)
    await written(path, "b:1", 200)
    used = LastUsed(path)
    await used.recall()

    used.forget("a:1")
    await used.aclose()

    assert used.times == {"b:1": 200}
    assert json.loads(path.read_text()) == {"b:1": 200}


@pytest.mark.parametrize(
    "content", ["", "[]", '{"a:1": "x", "b:1": -1, "c:1": true, "d:1": 7}', "[" * 99_999]
)
async def test_what_cannot_be_read_counts_as_never(tmp_path: Path, content: str) -> None:
    path = tmp_path / "used.json"
    path.write_text(content)
    used = LastUsed(path)

    await used.recall()

    assert set(used.times) <= {"d:1"}


async def test_a_folder_that_is_gone_keeps_nobody_from_working(tmp_path: Path) -> None:
    used = LastUsed(tmp_path / "none" / "used.json", now_unix=lambda: 5)

    used.touch("a:1")
    await used.aclose()

    assert used.times == {"a:1": 5}

"""Whether a file is JSON as far as its shape goes."""

import json
from pathlib import Path

import pytest

from foundry_tui.engines.model_files.json_shape import json_problem

LARGE = json.dumps({f'key "{n}" {{': ["]", "\\", n] for n in range(40_000)}).encode()  # over 1 MB


def problem_of(folder: Path, content: bytes) -> str | None:
    path = folder / "tokenizer.json"
    path.write_bytes(content)
    return json_problem(path)


@pytest.mark.parametrize("content", [b"{}", b' \n {"a": 1}', b'{"a": 1}\n// a remark', LARGE], ids=len)
def test_an_object_passes(tmp_path: Path, content: bytes) -> None:
    assert problem_of(tmp_path, content) is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (bytes(500), "holds nothing but zeros"),
        (bytes(1_000_000), "holds nothing but zeros"),
        (b"[]", "is no JSON object"),
        (b"<html>", "is no JSON object"),
        (b'{"a": ', "is not valid JSON"),
        (b"\xef\xbb\xbf{}", "is no JSON object"),
        (b'{"a": "\xff"}', "is not valid JSON"),
        (b"{" * 100_000, "is not valid JSON"),
        (LARGE[:-1], "is cut off"),
        (LARGE[:700_000], "is cut off"),
        (LARGE[:600_000] + bytes(4096) + LARGE[604_096:], "has zeros in it"),
        (LARGE[:900_000] + bytes(len(LARGE) - 900_000), "has zeros in it"),
        (LARGE + b"}", "brackets do not match"),
        (LARGE[:-1] + b', "' + b"x" * 2_000_000, "a string in it does not end"),
    ],
    ids=lambda content: repr(content)[:20],
)
def test_what_is_wrong_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in (problem_of(tmp_path, content) or "")

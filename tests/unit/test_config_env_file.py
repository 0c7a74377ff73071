from pathlib import Path

import pytest

from foundry_tui.config.env_file import with_env_file
from foundry_tui.domain.errors import BadInput


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("BENCH_MODELS=phi-4-mini,qwen2.5-0.5b", "phi-4-mini,qwen2.5-0.5b"),
        ("  export BENCH_MODELS = phi ", "phi"),
        ('BENCH_MODELS="phi, qwen" # both', "phi, qwen"),
        ("BENCH_MODELS='a # b'", "a # b"),
        ("BENCH_MODELS=phi # the small one", "phi"),
        ("BENCH_MODELS=a#b", "a#b"),
        ("BENCH_MODELS=", ""),
        ("BENCH_MODELS=one\r\nBENCH_MODELS=two\r\n", "two"),
        ("\ufeffBENCH_MODELS=phi", "phi"),
        ('BENCH_MODELS="open', '"open'),
    ],
)
def test_a_variable_of_the_file_is_read(tmp_path: Path, line: str, value: str) -> None:
    (tmp_path / ".env").write_text(f"{line}\n")

    assert with_env_file({}, tmp_path) == {"BENCH_MODELS": value}


def test_the_environment_is_stronger_than_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BENCH_ROUNDS=5\nBENCH_PROMPT=from the file\n")

    found = with_env_file({"BENCH_ROUNDS": "2", "HOME": "/"}, tmp_path)

    assert found == {"BENCH_ROUNDS": "2", "BENCH_PROMPT": "from the file", "HOME": "/"}


@pytest.mark.parametrize(
    "line",
    ["FOUNDRY_LOCAL_ENDPOINT=http://elsewhere", "API_KEY=k", "# BENCH_ROUNDS=2", "BENCH_ROUNDS", "bench_x=1"],
)
def test_nothing_else_of_the_file_is_taken(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(line)

    assert with_env_file({}, tmp_path) == {}


def test_without_a_file_there_is_only_the_environment(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()

    assert with_env_file({"A": "b"}, tmp_path) == {"A": "b"}
    assert with_env_file({"A": "b"}, tmp_path / "nowhere") == {"A": "b"}


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"BENCH_ROUNDS=\xff")

    with pytest.raises(BadInput, match=r"\.env: expected UTF-8 text"):
        with_env_file({}, tmp_path)

"""Which program shows a folder, and when there is none."""

from pathlib import Path

import pytest

from foundry_tui.tui.panes.folder_opener import open_folder, opener_of


@pytest.mark.parametrize(
    ("platform", "environment", "program"),
    [
        ("linux", {"DISPLAY": ":0"}, "xdg-open"),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, "xdg-open"),
        ("linux", {}, None),
        ("linux", {"DISPLAY": ":10", "SSH_CONNECTION": "1 2 3 4"}, None),
        ("darwin", {}, "open"),
        ("darwin", {"SSH_TTY": "/dev/ttys1"}, None),
        ("win32", {}, "explorer"),
    ],
)
def test_a_folder_is_shown_where_somebody_sits_before_this_machine(
    platform: str, environment: dict[str, str], program: str | None
) -> None:
    assert opener_of(platform, environment) == program


def opener(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Put an ``xdg-open`` of our own first in the path."""
    program = folder / "bin" / "xdg-open"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")


async def test_the_folder_goes_to_the_program_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener(tmp_path, monkeypatch, f'printf "%s" "$1" > {tmp_path}/seen')
    folder = tmp_path / "-rf some models"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)

    assert await open_folder("-rf some models")

    assert (tmp_path / "seen").read_text() == str(folder)


async def test_a_program_that_fails_and_a_folder_that_is_gone_open_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener(tmp_path, monkeypatch, "exit 3")

    assert not await open_folder(str(tmp_path))
    assert not await open_folder(str(tmp_path / "gone"))

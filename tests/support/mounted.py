"""A file system of its own for a folder: one that is small, or that nobody can write, not even root."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["mounted", "remount"]


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    """A disk of that size, such as ``16m``, at ``folder``; the test is skipped where none can be mounted."""
    folder.mkdir()
    problem = _mount("-t", "tmpfs", "-o", f"size={size}", "small", str(folder))
    if problem is not None:
        pytest.skip(f"no file system can be mounted here: {problem}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, options: str) -> None:
    """Change it to ``options``, such as ``ro`` or ``size=64m``."""
    problem = _mount("-o", f"remount,{options}", str(folder))
    assert problem is None, problem


def _mount(*arguments: str) -> str | None:
    """Why it could not be mounted; None if it was."""
    try:
        done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error)
    return None if done.returncode == 0 else done.stderr.strip() or "mount failed"

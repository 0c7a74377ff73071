"""Who may import whom, and how long a module may be."""

import subprocess
import sys
from pathlib import Path

import pytest

import foundry_tui

PACKAGE = Path(foundry_tui.__file__).parent
ROOT = PACKAGE.parent
LINES = 450

pytestmark = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").is_file(), reason="the contracts lie in the source checkout"
)


def test_every_import_keeps_the_contracts() -> None:
    # In a process of its own: the linter changes the import path and caches what it has seen.
    program = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"

    done = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    count = len(path.read_text(encoding="utf-8").splitlines())

    assert count <= LINES, f"{count} lines: split it by what it is about"

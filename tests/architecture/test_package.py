import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = (
    "foundry_tui/demo/tiny/model.onnx",
    "foundry_tui/demo/tiny/genai_config.json",
    "foundry_tui/demo/tiny/tokenizer.json",
    "foundry_tui/demo/tiny/LICENSE",
    "foundry_tui/demo/tiny/PROVENANCE.md",
    "foundry_tui/tui/css/app.tcss",
    "foundry_tui/web/static/page.html",
    "foundry_tui/web/static/page.css",
    "foundry_tui/web/static/page.js",
    "foundry_tui/py.typed",
)
DEFAULTS = (
    "models.json",
    "prompts.json",
    "prompts-rag.json",
    "rubric.json",
    "settings.toml",
    "schema/prompts.json",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    # Without isolation, for nothing may be fetched here; the extra `dev` holds the build back end.
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_wheel_carries_the_demo_the_styles_and_the_default_configuration(built: Path) -> None:
    (wheel,) = built.glob("*.whl")

    names = set(zipfile.ZipFile(wheel).namelist())

    wanted = {*NEEDED, *(f"foundry_tui/config/defaults/{name}" for name in DEFAULTS)}
    assert wanted - names == set()
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]


def test_the_sdist_carries_all_that_builds_and_tests_it(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")

    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    wanted = {*NEEDED, *(f"config/{name}" for name in DEFAULTS), "README.md", "LICENSE", "pyproject.toml"}
    assert wanted - names == set()
    assert any(name.startswith("tests/unit/") for name in names)

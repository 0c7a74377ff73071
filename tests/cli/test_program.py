"""What holds for the program as a whole: help, versions, schemas, bad input, closed pipes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from foundry_tui import __version__
from tests.cli.program import COMMAND, ROOT, Ended, environment, one_process, run

COMMANDS: tuple[tuple[str, ...], ...] = (
    (),
    ("demo",),
    ("web",),
    ("models",),
    ("models", "list"),
    ("models", "info"),
    ("models", "load"),
    ("models", "unload"),
    ("models", "register"),
    ("models", "unregister"),
    ("models", "pick"),
    ("chat",),
    ("bench",),
    ("runs",),
    ("runs", "list"),
    ("runs", "show"),
    ("runs", "export"),
    ("runs", "import"),
    ("runs", "history"),
    ("runs", "tag"),
    ("runs", "note"),
    ("runs", "rename"),
    ("runs", "delete"),
    ("score",),
    ("score", "export"),
    ("score", "import"),
    ("score", "judge"),
    ("score", "show"),
    ("score", "agreement"),
    ("report",),
    ("compare",),
    ("selftest",),
    ("conversations",),
    ("conversations", "list"),
    ("conversations", "search"),
    ("conversations", "show"),
    ("conversations", "export"),
    ("conversations", "import"),
    ("conversations", "delete"),
    ("doctor",),
    ("schema",),
)
SCHEMAS = (
    "models",
    "prompts",
    "results",
    "settings",
    "model-list",
    "conversation",
    "conversation-list",
    "doctor",
    "validation",
    "verification",
    "plan",
    "run-list",
    "run-history",
    "bench-plan",
    "comparison",
    "quality",
    "agreement",
    "judge",
    "choice",
    "selftest",
)
HEAVY = (
    "textual",
    "rich",
    "openai",
    "httpx2",
    "foundry_local_sdk",
    "pydantic",
    "numpy",
    "psutil",
    "pynvml",
    "sqlalchemy",
    "aiohttp",
    "textual_serve",
)


@pytest.fixture(scope="module")
def without_engine(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], Ended]:
    """Every command line that needs no engine, from one process."""
    lines = [*((*command, "--help") for command in COMMANDS), *(("schema", name) for name in SCHEMAS)]
    ends = one_process(lines, data_dir=tmp_path_factory.mktemp("cli") / "data")
    return dict(zip(lines, ends, strict=True))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command) or "the app")
def test_help_has_an_example_and_ends_well(
    without_engine: dict[tuple[str, ...], Ended], command: tuple[str, ...]
) -> None:
    end = without_engine[*command, "--help"]

    assert (end.code, end.err) == (0, "")
    assert end.out.startswith(" ".join(("usage: foundry-tui", *command)))
    assert "example" in end.out
    assert "--endpoint URL" in end.out


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_schema_is_a_valid_one_and_the_one_in_the_repository(
    without_engine: dict[tuple[str, ...], Ended], name: str
) -> None:
    end = without_engine["schema", name]

    assert (end.code, end.err) == (0, "")
    schema = json.loads(end.out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema == json.loads((ROOT / "config" / "schema" / f"{name}.json").read_text(encoding="utf-8"))


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    end = run("--version", data_dir=tmp_path / "data")

    assert end == Ended(code=0, out=f"foundry-tui {__version__}\n", err="")
    assert not (tmp_path / "data").exists()


def test_wrong_usage_ends_with_two_and_leaves_stdout_empty(tmp_path: Path) -> None:
    end = run("modls", data_dir=tmp_path / "data")

    assert (end.code, end.out) == (2, "")
    assert "invalid choice: 'modls'" in end.err
    assert not (tmp_path / "data").exists()


@pytest.fixture
def bad_settings(tmp_path: Path) -> Path:
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "settings.toml").write_text("[chat]\nmax_tokens = lots\n")
    return folder


def test_input_that_cannot_be_used_ends_with_two_before_anything_is_made(
    tmp_path: Path, bad_settings: Path
) -> None:
    data_dir = tmp_path / "data"
    (tmp_path / "file").touch()
    unset = "FOUNDRY_TUI_NO_SUCH_KEY"
    cases = {
        ("models", "list", "--endpoint", "nonsense"): "endpoint 'nonsense' is no http address",
        ("--endpoint", "http://me:pw@h", "models", "list"): "the endpoint holds a user name or password",
        ("models", "list", "--endpoint", "http://h", "--api-key-env", unset): f"variable {unset} is not set",
        ("models", "list", "--config", str(bad_settings)): (
            f"{bad_settings / 'settings.toml'}: line 2, column 14: expected a value"
        ),
        ("models", "list", "--config", str(tmp_path / "none")): "expected a folder, found nothing",
        ("models", "list", "--data-dir", str(tmp_path / "file")): (
            f"{tmp_path / 'file'} cannot be written: File exists"
        ),
        ("models", "list", "--log-file", str(tmp_path / "none" / "log")): "cannot be written: No such file",
        ("models", "list", "--catalog-url", "x"): "catalog URL 'x' is no http address",
        ("chat", "m", "--prompt", "  "): "the prompt is empty",
        ("chat", "m", "--prompt", "\udcff"): "the prompt is not text from character 1 on",
        ("chat", "m", "--prompt", "x", "--system", "a\udcff"): "the system prompt is not text",
    }

    ends = one_process(list(cases), data_dir=data_dir)

    for (arguments, problem), end in zip(cases.items(), ends, strict=True):
        assert (end.code, end.out) == (2, ""), arguments
        assert problem in end.err, arguments
        assert "  → " in end.err, arguments
        assert "Traceback" not in end.err, arguments
    assert not data_dir.exists()


def test_what_is_told_is_in_the_log_file_too(tmp_path: Path) -> None:
    log = tmp_path / "told.log"

    (end,) = one_process(
        [("models", "list", "--endpoint", "nonsense", "--log-file", str(log), "--verbose")],
        data_dir=tmp_path / "data",
    )

    assert end.err.splitlines() == [
        "foundry-tui: endpoint 'nonsense' is no http address",
        "  → an example: http://127.0.0.1:5273/v1",
    ]
    assert [line.split(" INFO ")[1] for line in log.read_text(encoding="utf-8").splitlines()] == [
        "foundry-tui: endpoint 'nonsense' is no http address",
        "→ an example: http://127.0.0.1:5273/v1",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="needs the pipes of POSIX")
@pytest.mark.parametrize("arguments", [["--help"], ["schema", "results"]], ids=" ".join)
def test_a_reader_that_has_left_is_no_error(tmp_path: Path, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(tmp_path / "data"),
        stdout=writing,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_takes_no_output_is_told_in_words(tmp_path: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [*COMMAND, "schema", "results"],
            env=environment(tmp_path / "data"),
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    assert done.returncode == 2
    assert done.stderr.startswith("foundry-tui: stdout cannot be written: No space left on device")
    assert "Traceback" not in done.stderr


@pytest.mark.native
def test_commands_load_neither_the_screen_nor_what_the_child_needs(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from foundry_tui.cli.main import main\n"
        "code = main(['models', 'list', '--offline', '--json'])\n"
        f"heavy = sorted({{name.partition('.')[0] for name in sys.modules}} & set({HEAVY!r}))\n"
        "sys.exit(f'{code} {heavy}')\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(tmp_path / "data"),
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )

    assert done.stderr.splitlines()[-1] == "0 []"
    assert json.loads(done.stdout)["models"] == []


def test_ctrl_c_while_the_program_is_still_being_imported_ends_it_with_130_and_no_traceback() -> None:
    pressed_while_importing = (
        "import sys\n"
        "class Pressed:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'foundry_tui.cli.main':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Pressed())\n"
        "from foundry_tui.__main__ import entry_point\n"
        "entry_point()\n"
    )

    end = subprocess.run([sys.executable, "-c", pressed_while_importing], capture_output=True, check=False)

    assert (end.returncode, end.stdout, end.stderr) == (130, b"", b"")

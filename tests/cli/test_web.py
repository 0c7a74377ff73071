"""``foundry-tui web``: its command line, what it passes on to the app, and how it ends."""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from foundry_tui.cli import web
from foundry_tui.cli.options import add_common, launch_options
from foundry_tui.domain.errors import BadInput
from tests.cli.program import ROOT, environment

# The program's own options, and `web` behind them.
PROGRAM = """
import argparse, asyncio, sys
from foundry_tui.cli import web
from foundry_tui.cli.options import add_common
parser = argparse.ArgumentParser(prog="foundry-tui", allow_abbrev=False)
add_common(parser, top=True)
web.add_commands(parser.add_subparsers())
arguments = parser.parse_args()
sys.exit(asyncio.run(arguments.run(arguments)))
"""
HEAVY = ("aiohttp", "jinja2", "textual", "textual_serve")
TIMEOUT_S = 30.0
ALL = (
    *(
        "--endpoint",
        "http://h:1/v1",
        "--api-key-env",
        "MY_KEY",
        "--config",
        "a folder",
        "--data-dir",
        "-data",
    ),
    *(
        "--model-cache-dir",
        "$HOME/`x`;'\"",
        "--catalog-url",
        "https://one/",
        "--catalog-url",
        "https://two/?a=b&c",
    ),
    *(
        "--catalog-region",
        "west europe",
        "--store",
        "sqlite:////a b/runs.db",
        "--offline",
        "--timeout",
        "first-token=0.1",
        "--timeout",
        "total=1e3",
    ),
    *("--verbose", "--log-file", "web.log", "--no-color"),
)


def parser() -> argparse.ArgumentParser:
    program = argparse.ArgumentParser(prog="foundry-tui", allow_abbrev=False)
    add_common(program, top=True)
    web.add_commands(program.add_subparsers())
    return program


def joined(options: tuple[str, ...]) -> list[str]:
    """With a value that begins with a dash bound to its option."""
    return [
        f"{option}={value}" if value.startswith("-data") else option
        for option, value in zip(options, (*options[1:], ""), strict=True)
        if not option.startswith("-data")
    ]


def of_the_app(*arguments: str) -> list[str]:
    """What the app in a tab is given by ``foundry-tui`` with these arguments."""
    command = web.app_command(parser().parse_args(arguments))
    assert command[:4] == (sys.executable, "-P", "-m", "foundry_tui")
    return list(command[4:])


@pytest.mark.parametrize("is_before", [True, False], ids=["before its name", "after it"])
def test_the_app_gets_exactly_the_options_that_were_given(is_before: bool) -> None:
    given = joined(ALL)

    passed = of_the_app(*(*given, "web") if is_before else ("web", *given))

    app = argparse.ArgumentParser(prog="foundry-tui", allow_abbrev=False)
    add_common(app, top=True)
    here, there = app.parse_args(given), app.parse_args(passed)
    assert launch_options(there) == launch_options(here)
    assert (there.verbose, there.log_file, there.no_color) == (True, Path("web.log"), True)


def test_no_common_option_is_forgotten() -> None:
    common = argparse.ArgumentParser(add_help=False)
    add_common(common, top=True)

    known = set(re.findall(r"--[a-z-]+", common.format_usage()))

    # Here --port is the page's.
    assert known - {"--port"} == {option for option in ALL if option.startswith("--")}


def test_without_options_the_app_gets_none() -> None:
    assert of_the_app("web") == []
    assert of_the_app("web", "--port", "8080", "--open") == []


def test_the_demo_and_a_port_for_the_service_are_passed_on() -> None:
    passed = of_the_app("--port", "8080", "web", "--demo", "--service-port", "5273", "--offline")

    assert passed == ["--port=5273", "--offline", "demo"]


@pytest.mark.parametrize("arguments", [("web", "--port", "8080"), ("--port", "8080", "web")], ids=" ".join)
def test_the_port_is_the_pages_before_the_name_and_after(arguments: tuple[str, ...]) -> None:
    assert parser().parse_args(arguments).port == 8080


@pytest.mark.parametrize(
    "option", ["--host=0.0.0.0", "--port=0", "--port=65536", "--port=x", "--service-port=0"]
)
def test_no_other_address_and_no_impossible_port_can_be_asked_for(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        parser().parse_args(["web", option])

    assert end.value.code == 2
    assert option.partition("=")[0] in capsys.readouterr().err


async def test_what_cannot_be_used_is_told_before_anything_is_served() -> None:
    arguments = parser().parse_args(["web", "--endpoint", "nonsense"])

    with pytest.raises(BadInput, match="endpoint 'nonsense' is no http address"):
        await arguments.run(arguments)


def test_the_servers_libraries_are_imported_by_nothing_before_it_serves() -> None:
    program = (
        "import sys, foundry_tui.cli.main, foundry_tui.cli.web\n"
        f"sys.exit(str([name for name in {HEAVY!r} if name in sys.modules]))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.stderr.strip() == "[]"


@contextmanager
def serving(
    folder: Path, *arguments: str, extra: dict[str, str] | None = None
) -> Generator[tuple["subprocess.Popen[str]", str], None, None]:
    """The command in a process of its own, and the address it prints."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM, "web", *arguments],
        cwd=folder,
        env=environment(folder / "data", extra),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of POSIX")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)], ids=["Ctrl+C", "SIGTERM"]
)
def test_stdout_is_the_address_and_the_end_is_in_order(tmp_path: Path, number: int, code: int) -> None:
    with serving(tmp_path, "--log-file", "web.log", "--verbose") as (process, line):
        process.send_signal(number)
        out, err = process.communicate(timeout=TIMEOUT_S)

    found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=([\w-]{43})\n", line)
    assert found is not None
    port, token = found.groups()
    assert (process.returncode, out) == (code, "")
    assert f"ssh -L {port}:127.0.0.1:{port} " in err
    assert "Ctrl+C" in err
    assert token not in err


# Opens the address twice, the second time without the cookie, and tells how that went through a named pipe.
BROWSER = """#!{python}
import json, sys, urllib.request
from urllib.error import HTTPError
print("a browser's chatter")
statuses = []
for _ in range(2):
    try:
        with urllib.request.build_opener(urllib.request.HTTPCookieProcessor()).open(sys.argv[1]) as response:
            statuses.append(response.status)
    except HTTPError as refused:
        with refused:
            statuses.append(refused.code)
with open({pipe!r}, "w") as pipe:
    json.dump([sys.argv[1], statuses], pipe)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs the named pipes of POSIX")
def test_the_browser_gets_an_address_that_is_good_for_one_time_only(tmp_path: Path) -> None:
    pipe, browser = tmp_path / "pipe", tmp_path / "browser"
    os.mkfifo(pipe)
    browser.write_text(BROWSER.format(python=sys.executable, pipe=str(pipe)))
    browser.chmod(0o755)

    with serving(tmp_path, "--open", extra={"BROWSER": str(browser)}) as (process, line):
        url, statuses = json.loads(pipe.read_text())
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=TIMEOUT_S)

    assert url.partition("token=")[0] == line.partition("token=")[0]
    assert url != line.strip()
    assert statuses == [200, 403]
    assert out == ""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a program called false")
def test_where_no_browser_can_be_opened_the_user_is_told(tmp_path: Path) -> None:
    with serving(tmp_path, "--open", extra={"BROWSER": "false"}) as (process, _):
        assert process.stderr is not None
        told = [process.stderr.readline() for _ in range(4)]

    assert told[-1] == "no browser could be opened: open the address yourself\n"

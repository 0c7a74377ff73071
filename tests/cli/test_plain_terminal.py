"""Plain mode of the real program, on the bundled model, in a real dumb terminal."""

import os
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.processes import hosts, until_gone

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal of this kind is not there on Windows", allow_module_level=True)

from tests.support.terminal import Terminal, terminal
from tests.support.whole_app import likeliest

pytestmark = [pytest.mark.terminal, pytest.mark.native]

PROGRAM = (sys.executable, "-m", "foundry_tui", "demo", "--plain")
CTRL_C, CTRL_D = "\x03", "\x04"


@contextmanager
def running(folder: Path) -> Generator[Terminal, None, None]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "FOUNDRY_TUI_DATA_DIR": str(folder / "data"),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
    }
    with terminal(
        [*PROGRAM, "--config", str(likeliest(folder))], environment=environment, size=(200, 50)
    ) as opened:
        yield opened
        engines = hosts(opened.process.pid)
        opened.close()
        assert until_gone(engines) == []


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Terminal]:
    with running(tmp_path) as opened:
        opened.shows("Questions go to tiny-demo", "> ")
        yield opened


def test_the_demo_answers_without_an_escape_and_ctrl_d_ends_it_with_0(plain: Terminal) -> None:
    plain.send("What is the capital of France?\n/messages\n/status\n/help\n")
    plain.shows("/help all everything")

    plain.send(CTRL_D)
    code = plain.exit_code()

    assert code == 0
    # The terminal itself writes a line feed as two characters.
    written = plain.raw.replace(b"\r\n", b"\n")
    # On a busy machine a line that says how long it has waited may stand between an answer and its numbers.
    _, answered, after = written.partition(b"\nThe capital of France is Paris.\n")
    assert answered, written.decode()
    assert b"\nTime to first token" in b"\n" + after, written.decode()
    assert not [byte for byte in written if (byte < 0x20 and byte != 0x0A) or byte == 0x7F]
    assert written.decode("ascii")


def test_an_engine_that_is_killed_is_told_at_the_prompt_and_restart_brings_it_back(plain: Terminal) -> None:
    (engine,) = hosts(plain.process.pid)

    engine.kill()
    plain.shows("SIGKILL", "/restart brings it back")
    plain.send("/restart\nWhat is the capital of France?\n/quit\n")

    assert plain.exit_code() == 0
    assert b"The engine was restarted.\r\n" in plain.raw
    assert b"The capital of France is Paris." in plain.raw


def test_ctrl_c_twice_at_the_prompt_ends_it_with_130_and_says_nothing_else(plain: Terminal) -> None:
    plain.send("half a line" + CTRL_C)
    plain.shows("Ctrl+C once more leaves")
    plain.send(CTRL_C)

    assert plain.exit_code() == 128 + signal.SIGINT
    assert b"Error" not in plain.raw


def test_closing_the_terminal_ends_the_program_and_its_engine(plain: Terminal) -> None:
    engines = hosts(plain.process.pid)

    plain.close()
    plain.exit_code()

    assert until_gone(engines) == []

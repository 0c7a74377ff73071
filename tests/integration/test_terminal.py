"""The real program in a real pseudo-terminal: what a person at a keyboard would see."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support.endpoint import Setting
from tests.support.endpoint_process import endpoint_process
from tests.support.processes import hosts, until_gone
from tests.support.script import ErrorObject, Headers, Role, Script, answer

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal of this kind is not there on Windows", allow_module_level=True)

from tests.support.terminal import Terminal, terminal
from tests.support.whole_app import likeliest

pytestmark = [pytest.mark.terminal, pytest.mark.native]

# A title, a clipboard write, a colour, the same by a C1 control, an override.  The bell in it proves nothing:
# Textual ends a sequence of its own with one.
HOSTILE = "\x1b]0;owned\x07 \x1b]52;c;eA==\x1b\\ \x1b[31;47;5mred \x9b31;47;5m \u202egnp.exe"
HARMFUL = (b"\x1b]0;", b"\x1b]52;", b"\x1b[31;47;5m", "\x9b".encode(), "\u202e".encode())
QUESTION = "What is the capital of France?"
ANSWER = "Paris"
CTRL_Q, CTRL_R, ENTER = "\x11", "\x12", "\r"
END_OF_ALTERNATE_SCREEN = b"\x1b[?1049l"
PROGRAM = (sys.executable, "-m", "foundry_tui")


def environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return kept | {
        "HOME": str(folder),
        "FOUNDRY_TUI_DATA_DIR": str(folder / "data"),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
    }


@contextmanager
def running(folder: Path, *arguments: str) -> Generator[Terminal, None, None]:
    """The program on the screen; at the end its window is closed and nothing of it may be left."""
    with terminal(
        [*PROGRAM, *arguments, "--config", str(likeliest(folder))], environment=environment(folder)
    ) as opened:
        yield opened
        engines = hosts(opened.process.pid)
        opened.close()
        assert until_gone(engines) == []


def engine_of(opened: Terminal) -> psutil.Process:
    (engine,) = hosts(opened.process.pid)
    return engine


def harm_in(opened: Terminal) -> list[bytes]:
    return [sequence for sequence in HARMFUL if sequence in opened.raw]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Terminal]:
    with running(tmp_path, "demo") as opened:
        opened.shows("loaded in", "Ask")
        yield opened


def ask(opened: Terminal, question: str = QUESTION, expected: str = ANSWER) -> str:
    opened.send(question + ENTER)
    return opened.shows(expected, "in all")


def test_alt_with_a_digit_goes_to_a_pane_from_within_the_prompt(demo: Terminal) -> None:
    demo.resize(80, 24)
    demo.shows("[3 Chat]")

    demo.send("\x1b1")
    demo.shows("[1 Catalog]")
    demo.send("\x1b3")

    demo.shows("[3 Chat]", "Ask anything")


def test_the_demo_answers_and_ctrl_q_ends_it_with_0_and_leaves_nothing(demo: Terminal) -> None:
    engine = engine_of(demo)

    screen = ask(demo)
    demo.send(CTRL_Q)

    assert "The capital of France is Paris." in screen
    assert demo.exit_code() == 0
    assert until_gone([engine]) == []
    assert END_OF_ALTERNATE_SCREEN in demo.raw


def test_an_engine_killed_in_mid_life_is_told_and_ctrl_r_brings_it_back(demo: Terminal) -> None:
    first = engine_of(demo)

    first.kill()
    demo.shows("SIGKILL", "Ctrl+R")
    demo.send(CTRL_R)
    demo.shows("restarted")
    ask(demo)
    second = engine_of(demo)
    demo.send(CTRL_Q)

    assert demo.exit_code() == 0
    assert until_gone([first, second]) == []


def test_closing_the_terminal_ends_the_program_and_its_engine(demo: Terminal) -> None:
    engine = engine_of(demo)

    demo.close()
    demo.exit_code()

    assert until_gone([engine]) == []


def test_sigterm_ends_the_program_and_restores_the_terminal(demo: Terminal) -> None:
    engine = engine_of(demo)

    demo.process.send_signal(signal.SIGTERM)

    assert demo.exit_code() == 128 + signal.SIGTERM
    assert until_gone([engine]) == []
    assert END_OF_ALTERNATE_SCREEN in demo.raw
    assert b"\x1b[?25h" in demo.raw.rpartition(b"\x1b[?25l")[2]


def test_a_resized_window_keeps_what_was_typed_and_the_answer(demo: Terminal) -> None:
    ask(demo)
    demo.send("draft")
    demo.shows("draft")

    demo.resize(80, 24)
    demo.shows_what(lambda screen: "Paris" in screen and "draft" in screen, "narrow screen")
    demo.resize(160, 50)
    demo.shows("Paris", "draft", "Catalog", "On this disk")


def test_a_terminal_that_answers_no_query_is_no_reason_to_wait(demo: Terminal) -> None:
    assert b"\x1b[?2026$p" in demo.raw, "nothing was asked, so nothing is shown by this test"

    ask(demo)
    demo.send(CTRL_Q)

    assert demo.exit_code() == 0


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not on this machine")
def test_the_demo_answers_and_ends_with_0_in_tmux(tmp_path: Path) -> None:
    code_path = tmp_path / "code"
    inner = f"{shlex.join([*PROGRAM, 'demo'])}; echo $? > {shlex.quote(str(code_path))}"
    tmux = ("tmux", "-S", str(tmp_path / "tmux"), "-f", os.devnull)
    try:
        with terminal([*tmux, "new-session", inner], environment=environment(tmp_path)) as opened:
            opened.shows("loaded in", "Ask")
            screen = ask(opened)
            opened.send(CTRL_Q)

            assert opened.exit_code() == 0
    finally:
        subprocess.run([*tmux, "kill-server"], capture_output=True, check=False)
    assert "The capital of France is Paris." in screen
    assert code_path.read_text().strip() == "0"


def test_a_hostile_answer_and_a_hostile_error_do_nothing_to_the_terminal(tmp_path: Path) -> None:
    failing = Script((Headers(), Role(), ErrorObject(f"broken {HOSTILE}")))
    with (
        endpoint_process([answer(["before ", HOSTILE, " after"]), failing]) as endpoint,
        running(tmp_path, "--endpoint", endpoint.url) as opened,
    ):
        opened.shows("1 variant")
        opened.send(ENTER)
        opened.shows("Ask scripted")

        ask(opened, "hi", "after")
        opened.send("again" + ENTER)
        opened.shows("broken")
        opened.send(CTRL_Q)

        assert opened.exit_code() == 0
        assert harm_in(opened) == []


def test_a_hostile_model_name_does_nothing_to_the_terminal(tmp_path: Path) -> None:
    with (
        endpoint_process(answer(["before"]), Setting(models=(f"evil{HOSTILE}:1",))) as endpoint,
        running(tmp_path, "--endpoint", endpoint.url) as opened,
    ):
        opened.shows("1 variant")
        opened.send(ENTER)
        opened.shows("Ask evil")

        opened.send("hi" + ENTER)
        opened.shows("before")

        assert harm_in(opened) == []

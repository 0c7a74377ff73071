"""What was said survives the end of the program, whatever ended it: the real program, a real file."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.endpoint_process import endpoint_process
from tests.support.script import answer

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal of this kind is not there on Windows", allow_module_level=True)

from tests.support.terminal import Terminal, terminal

pytestmark = [pytest.mark.terminal, pytest.mark.native]

PROGRAM = (sys.executable, "-m", "foundry_tui")
GAP_MS = 20
WORDS_IN_A_SECOND = 1000 // GAP_MS
WORDS = [f"w{number:03} " for number in range(400)]
CTRL_L, CTRL_Q, ENTER = "\x0c", "\x11", "\r"


def environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return kept | {
        "HOME": str(folder),
        "FOUNDRY_TUI_DATA_DIR": str(folder / "data"),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
    }


def ask(opened: Terminal, expected: str) -> None:
    opened.shows("1 variant")
    opened.send(ENTER)
    opened.shows("Ask scripted")
    opened.send("count" + ENTER)
    opened.shows(expected)


def kept(folder: Path) -> dict[str, object]:
    """The only conversation, as a command exports it."""
    done = subprocess.run(
        [*PROGRAM, "conversations", "show", "--json", listed(folder)[0]],
        env=environment(folder),
        capture_output=True,
        text=True,
        check=True,
    )
    read: dict[str, object] = json.loads(done.stdout)
    return read


def listed(folder: Path) -> list[str]:
    done = subprocess.run(
        [*PROGRAM, "conversations", "list", "--json"],
        env=environment(folder),
        capture_output=True,
        text=True,
        check=True,
    )
    return [entry["id"] for entry in json.loads(done.stdout)["conversations"]]


def test_a_crash_in_mid_answer_loses_at_most_the_last_second_and_the_answer_is_shown_as_cut_off(
    tmp_path: Path,
) -> None:
    with endpoint_process(answer(WORDS, gap_ms=GAP_MS)) as endpoint:
        command = [*PROGRAM, "--endpoint", endpoint.url]
        with terminal(command, environment=environment(tmp_path)) as opened:
            ask(opened, "w150")
            opened.process.send_signal(signal.SIGKILL)
            opened.exit_code()

        text = str(kept(tmp_path))
        with terminal(command, environment=environment(tmp_path)) as opened:
            opened.shows("1 variant")
            opened.send(CTRL_L)
            opened.shows("count")
            opened.send(ENTER)
            opened.shows("cut off", f"w{150 - WORDS_IN_A_SECOND:03}")
            opened.send(CTRL_Q)
            assert opened.exit_code() == 0

    assert f"w{150 - WORDS_IN_A_SECOND:03}" in text


def test_an_answer_that_is_left_by_quitting_is_kept_to_its_last_word(tmp_path: Path) -> None:
    with (
        endpoint_process(answer(WORDS, gap_ms=GAP_MS)) as endpoint,
        terminal([*PROGRAM, "--endpoint", endpoint.url], environment=environment(tmp_path)) as opened,
    ):
        ask(opened, "w050")
        opened.send(CTRL_Q)
        opened.shows("Quit all the same")
        opened.send("\t" + ENTER)
        code = opened.exit_code()

    assert code == 0
    assert "w050" in str(kept(tmp_path))

"""A machine that sleeps in mid-answer: every process stands still for a while, and then goes on."""

import re
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from tests.contract.runtime import ENDLESS_ID, endless_registration
from tests.support.endpoint_process import endpoint_process
from tests.support.processes import hosts
from tests.support.script import answer

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal of this kind is not there on Windows", allow_module_level=True)

from tests.support.terminal import Terminal
from tests.support.whole_app import CTRL_Q, ENTER, PROGRAM, environment, running_app, said_in, until

pytestmark = [pytest.mark.terminal, pytest.mark.native]

ASLEEP_S = 3.0
AT_WORK_S = 0.1
"""Of the processor's time; the whole answer takes ten times as much."""
MOST_TOKENS = 3_900
SUMS = re.compile(r"([\d,.]+) tok/s .*?([\d,]+) out · ([\d.]+) s in all")


def put_to_sleep(*processes: psutil.Process) -> None:
    """Stop them all for a while, as a lid that is closed does."""
    for process in processes:
        process.suspend()
    threading.Event().wait(ASLEEP_S)
    for process in reversed(processes):
        process.resume()


def everything_of(opened: Terminal) -> tuple[psutil.Process, psutil.Process]:
    """The app, and its engine."""
    (engine,) = hosts(opened.process.pid)
    return psutil.Process(opened.process.pid), engine


def sums_in(screen: str) -> tuple[float, float, float]:
    """Tokens in a second, tokens and seconds, as the line below the answer has them."""
    found = SUMS.search(said_in(screen))
    assert found is not None, screen
    rate, tokens, seconds = (float(part.replace(",", "")) for part in found.groups())
    return rate, tokens, seconds


def is_summed_up(screen: str) -> bool:
    """Whether the sums of the answer are there, and the ribbon has the stall in them."""
    return SUMS.search(said_in(screen)) is not None and "1 stall 3." in screen


def test_an_answer_of_our_own_runtime_goes_on_after_a_sleep_which_is_shown_and_counted(
    tmp_path: Path,
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text(
        f"[chat]\nmax_tokens = {MOST_TOKENS}\ntemperature = 0.0\n"
    )
    registration = endless_registration(tmp_path)
    register = ("models", "register", registration.path, "--id", ENDLESS_ID, "--offline")
    subprocess.run([*PROGRAM, *register], env=environment(tmp_path), check=True, capture_output=True)

    with running_app(tmp_path, "--offline", "--config", str(tmp_path / "config"), size=(160, 40)) as opened:
        opened.shows("1 variant · offline by choice", "○ on disk")
        opened.send("l")
        opened.shows("● loaded")
        opened.send(ENTER)
        opened.shows("Ask endless")
        app, engine = everything_of(opened)
        worked_s = engine.cpu_times().user
        opened.send("Tell me a story" + ENTER)
        # What is drawn comes late for that: the tiny model is quick.
        until(lambda: engine.cpu_times().user > worked_s + AT_WORK_S)
        put_to_sleep(app, engine)
        screen = opened.shows_what(is_summed_up, "end of the answer with its stall")
        opened.send(CTRL_Q)
        code = opened.exit_code()

    rate, tokens, seconds = sums_in(screen)
    assert code == 0
    assert seconds > ASLEEP_S
    assert rate == pytest.approx(tokens / seconds, rel=0.05)
    assert "does not answer" not in screen


def test_an_answer_of_a_server_goes_on_after_a_sleep_which_is_shown_and_counted(tmp_path: Path) -> None:
    words = [f"w{number:03} " for number in range(120)]
    with (
        endpoint_process(answer(words, gap_ms=15)) as endpoint,
        running_app(tmp_path, "--endpoint", endpoint.url, size=(160, 40)) as opened,
    ):
        opened.shows("1 variant")
        opened.send(ENTER)
        opened.shows("Ask scripted")
        opened.send("count" + ENTER)
        opened.shows("w020")
        # Of this machine, too: what it had sent meanwhile would bear the moment at which it came.
        put_to_sleep(*everything_of(opened), psutil.Process(endpoint.pid))
        screen = opened.shows_what(is_summed_up, "end of the answer with its stall")
        opened.send(CTRL_Q)
        code = opened.exit_code()

    rate, tokens, seconds = sums_in(screen)
    assert code == 0
    assert seconds > ASLEEP_S
    assert rate == pytest.approx(tokens / seconds, rel=0.05)
    assert words[-1] in screen
    assert "does not answer" not in screen

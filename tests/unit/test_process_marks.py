import os
import shutil
import subprocess
import sys

import pytest

from foundry_tui.engines.downloads.process_marks import mark_by_ps, start_mark

SLEEPER = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]


def test_a_process_keeps_its_mark() -> None:
    assert start_mark(os.getpid()) == start_mark(os.getpid()) is not None


def test_another_process_has_another_mark_and_none_once_it_has_ended() -> None:
    with subprocess.Popen(SLEEPER, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        living = start_mark(process.pid)
        process.kill()
        if sys.platform != "win32":
            # It has ended; nobody has collected it yet.
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            assert start_mark(process.pid) is None

    assert living is not None
    assert living != start_mark(os.getpid())
    assert start_mark(process.pid) is None


@pytest.mark.parametrize("pid", [0, -1, -4711])
def test_what_is_no_number_of_a_process_has_no_mark(pid: int) -> None:
    assert start_mark(pid) is None


@pytest.mark.skipif(sys.platform == "win32" or shutil.which("ps") is None, reason="needs ps")
def test_ps_tells_the_living_from_the_dead_too() -> None:
    with subprocess.Popen(SLEEPER, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        living = mark_by_ps(process.pid)
        again = mark_by_ps(process.pid)
        process.kill()

    assert living is not None
    assert living == again
    assert mark_by_ps(process.pid) is None

"""kill -9 of the app, and of its engine, while a model is fetched: what the next start makes of it."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.support.downloading import downloaders
from tests.support.hub import Hub, Stalled, demo_model, differing, folder_of
from tests.support.processes import hosts, until_gone

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal of this kind is not there on Windows", allow_module_level=True)

from tests.support.terminal import Terminal
from tests.support.whole_app import (
    CTRL_Q,
    CTRL_R,
    ESCAPE,
    F8,
    chat_about,
    data_in,
    lie_in_cache,
    ours_in,
    pick,
    running_app,
    talk_to,
)

pytestmark = [pytest.mark.terminal, pytest.mark.native]

MB = 1_000_000
HERE = demo_model()
FETCHED = replace(demo_model(name="fetched-generic-cpu", padding_bytes=40 * MB), alias="fetched")
TOTAL = FETCHED.size_bytes
HUGE_BYTES = 1 << 40
"""Of a file with nothing but a hole: nobody has read it before the test ends."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub([HERE, FETCHED]) as hub:
        yield hub


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the app keeps everything; one model is complete there already."""
    lie_in_cache(HERE, tmp_path)
    return tmp_path


def begin_download(opened: Terminal) -> psutil.Process:
    """Have it fetched, and give back the process that does it."""
    opened.shows("2 variants")
    pick(opened, "fetched")
    opened.shows("Accept the licence and download")
    opened.send("a")
    opened.shows("in the queue of downloads")
    opened.send(F8)
    opened.shows("downloading", "1 under way")
    (process,) = downloaders(opened.process.pid)
    return process


def kill(opened: Terminal, folder: Path) -> list[psutil.Process]:
    """End the app as the kernel does; those of its processes that live on."""
    opened.process.kill()
    opened.exit_code()
    return until_gone(ours_in(folder))


def test_an_app_killed_early_midway_and_late_in_a_download_goes_on_with_it_each_time(
    hub: Hub, folder: Path
) -> None:
    left: list[psutil.Process] = []
    # Of what came the runtime keeps whole 16 MiB: so it is killed at a tenth, at the half and near the end.
    for life, further_bytes in enumerate((TOTAL // 10, TOTAL // 2, TOTAL // 2)):
        hub.fault(FETCHED.id, Stalled(after_bytes=further_bytes))
        with running_app(folder, *hub.arguments(), extra=hub.environment()) as opened:
            opened.shows("2 variants")
            if life == 0:
                begin_download(opened)
            else:
                opened.send(F8)
                opened.shows(FETCHED.id, "1 under way")
            hub.wait_until(lambda: hub.stalled(FETCHED.id))
            left += kill(opened, folder)
        hub.mend()

    with running_app(folder, *hub.arguments(), extra=hub.environment()) as opened:
        opened.shows("2 variants")
        opened.send(F8)
        opened.shows("done: it is here and sound")
        opened.send(ESCAPE)
        opened.shows_what(lambda screen: screen.count("○ on disk") == 4, "both models in both lists")
        talk_to(opened, "fetched")
        chat_about(opened, "What does the cow say?", "moo")
        opened.send(CTRL_Q)
        code = opened.exit_code()

    assert left == []
    assert code == 0
    assert differing(FETCHED, folder_of(FETCHED, data_in(folder))) == []
    assert differing(HERE, folder_of(HERE, data_in(folder))) == []


def test_an_app_killed_while_it_checks_what_came_checks_it_at_its_next_start(hub: Hub, folder: Path) -> None:
    hub.fault(FETCHED.id, Stalled(after_bytes=TOTAL // 2))
    with running_app(folder, *hub.arguments(), extra=hub.environment()) as opened:
        begin_download(opened)
        hub.wait_until(lambda: hub.stalled(FETCHED.id))
        hole = folder_of(FETCHED, data_in(folder)) / "hole"
        with hole.open("wb") as file:
            file.truncate(HUGE_BYTES)
        hub.mend()
        opened.shows("its files are checked")
        left = kill(opened, folder)
    sent_bytes = hub.sent_bytes(FETCHED.id)
    hole.unlink()

    with running_app(folder, *hub.arguments(), extra=hub.environment()) as opened:
        opened.shows("2 variants")
        opened.send(F8)
        opened.shows("done: it is here and sound")
        opened.send(CTRL_Q)
        code = opened.exit_code()

    assert left == []
    assert code == 0
    assert hub.sent_bytes(FETCHED.id) == sent_bytes
    assert differing(FETCHED, folder_of(FETCHED, data_in(folder))) == []


def test_an_engine_killed_in_mid_download_comes_back_and_the_download_is_not_touched(
    hub: Hub, folder: Path
) -> None:
    hub.fault(FETCHED.id, Stalled(after_bytes=TOTAL // 2))
    with running_app(folder, *hub.arguments(), extra=hub.environment()) as opened:
        download = begin_download(opened)
        hub.wait_until(lambda: hub.stalled(FETCHED.id))
        opened.send(ESCAPE)
        talk_to(opened, "tiny-hub")
        chat_about(opened, "What is the capital of France?", "Paris")
        (engine,) = hosts(opened.process.pid)
        engine.kill()
        opened.shows("SIGKILL", "Ctrl+R")
        opened.send(CTRL_R)
        opened.shows("restarted")
        chat_about(opened, "What does the cow say?", "moo")
        is_same = download.is_running() and downloaders(opened.process.pid) == [download]
        hub.mend()
        opened.send(F8)
        opened.shows("done: it is here and sound")
        opened.send(CTRL_Q)
        code = opened.exit_code()

    assert is_same
    assert code == 0
    assert hub.sent_bytes(FETCHED.id) < TOTAL * 1.01
    assert differing(FETCHED, folder_of(FETCHED, data_in(folder))) == []

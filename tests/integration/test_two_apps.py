"""Two of the app side by side on one cache and one database: a normal state, in which each sees the other."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.downloading import downloaders
from tests.support.hub import Hub, Stalled, demo_model, differing, folder_of

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal of this kind is not there on Windows", allow_module_level=True)

from tests.support.terminal import Terminal
from tests.support.whole_app import (
    CTRL_L,
    CTRL_Q,
    ENTER,
    ESCAPE,
    F8,
    answered,
    data_in,
    lie_in_cache,
    pick,
    running_app,
    talk_to,
)

pytestmark = [pytest.mark.terminal, pytest.mark.native]

MB = 1_000_000
HERE = demo_model()
FETCHED = replace(demo_model(name="fetched-generic-cpu", padding_bytes=40 * MB), alias="fetched")
TOTAL = FETCHED.size_bytes
ON_DISK = re.compile(r"fetched-generic-cpu:1 +○ on disk +39\.0 MiB")
"""In the catalog; the cache pane says 39.1 MiB of it."""
BUSY = b"in use by another program"
"""How our database says that it is locked."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub([HERE, FETCHED]) as hub:
        yield hub


@contextmanager
def two_apps(folder: Path, hub: Hub) -> Iterator[tuple[Terminal, Terminal]]:
    """Two of the app, each in a terminal and with an engine of its own; one model is here already."""
    lie_in_cache(HERE, folder)
    with (
        running_app(folder, *hub.arguments(), extra=hub.environment()) as one,
        running_app(folder, *hub.arguments(), extra=hub.environment()) as other,
    ):
        one.shows("2 variants")
        other.shows("2 variants")
        yield one, other


def look_at_conversations(app: Terminal, *titles: str) -> None:
    """Open the list of them, find these in it, and close it."""
    app.send(CTRL_L)
    app.shows("─ Conversations ─", *titles)
    app.send(ESCAPE)
    app.shows_what(lambda screen: "─ Conversations ─" not in screen, "list that is closed")


def leave(*apps: Terminal) -> list[int]:
    """Quit all of them at once; their exit codes."""
    for app in apps:
        app.send(CTRL_Q)
    return [app.exit_code() for app in apps]


def test_both_chat_at_once_and_each_finds_what_the_other_was_asked(hub: Hub, tmp_path: Path) -> None:
    questions = ("What does the cow say?", "What is the capital of France?")
    with two_apps(tmp_path, hub) as apps:
        for app in apps:
            talk_to(app, "tiny-hub")
        for app, question in zip(apps, questions, strict=True):
            app.send(question + ENTER)
        answered(apps[0], questions[0], "moo")
        answered(apps[1], questions[1], "Paris")
        for app in apps:
            app.send("What is 3 + 4?" + ENTER)
        for app, question in zip(apps, questions, strict=True):
            answered(app, "What is 3 + 4?", "= 7")
            look_at_conversations(app, question)  # what it writes behind is written then
        for app in apps:
            look_at_conversations(app, *questions)
        codes = leave(*apps)

    assert codes == [0, 0]
    assert [app for app in apps if BUSY in app.raw] == []


def test_a_download_of_one_is_shown_and_steered_by_the_other_and_both_can_use_it_then(
    hub: Hub, tmp_path: Path
) -> None:
    hub.fault(FETCHED.id, Stalled(after_bytes=TOTAL // 2))
    with two_apps(tmp_path, hub) as (one, other):
        pick(one, "fetched")
        one.shows("Accept the licence and download")
        one.send("a")
        one.shows("in the queue of downloads")
        hub.wait_until(lambda: hub.stalled(FETCHED.id))
        other.send(F8)
        other.shows(FETCHED.id, "downloading", "another process of the app does the work")
        workers = [len(downloaders(app.process.pid)) for app in (one, other)]
        other.send("p")
        one.shows("paused")
        other.shows("paused")
        hub.mend()
        other.send("p")
        other.shows("done: it is here and sound")
        other.send(ESCAPE)
        for app in (one, other):
            app.shows_what(lambda screen: ON_DISK.search(screen) is not None, "row of a model that is here")
            talk_to(app, "fetched")
            app.send("What does the cow say?" + ENTER)
        for app in (one, other):
            answered(app, "What does the cow say?", "moo")
        codes = leave(one, other)

    assert workers == [1, 0]
    assert codes == [0, 0]
    assert [app for app in (one, other) if BUSY in app.raw] == []
    assert differing(FETCHED, folder_of(FETCHED, data_in(tmp_path))) == []


def test_when_the_one_that_fetches_is_killed_the_other_goes_on_with_it(hub: Hub, tmp_path: Path) -> None:
    hub.fault(FETCHED.id, Stalled(after_bytes=TOTAL // 2))
    with two_apps(tmp_path, hub) as (one, other):
        pick(one, "fetched")
        one.shows("Accept the licence and download")
        one.send("a")
        one.shows("in the queue of downloads")
        hub.wait_until(lambda: hub.stalled(FETCHED.id))
        other.send(F8)
        other.shows("another process of the app does the work")
        one.process.kill()
        one.exit_code()
        hub.mend()
        other.shows("done: it is here and sound")
        codes = leave(other)

    assert codes == [0]
    assert differing(FETCHED, folder_of(FETCHED, data_in(tmp_path))) == []

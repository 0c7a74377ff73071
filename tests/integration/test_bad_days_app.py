"""Bad days of the whole app: a catalog of nonsense, a model that is taken away, a disk that refuses."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.hub import (
    DEMO_ID,
    NONSENSE,
    CutAt,
    Fault,
    Hub,
    Nonsense,
    Place,
    demo_model,
    synthetic_model,
)
from tests.support.mounted import mounted, remount

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal of this kind is not there on Windows", allow_module_level=True)

import resource

from tests.support.terminal import Terminal
from tests.support.whole_app import (
    CTRL_L,
    CTRL_Q,
    ENTER,
    ESCAPE,
    PROGRAM,
    chat_about,
    data_in,
    environment,
    lie_in_cache,
    pick,
    running_app,
    talk_to,
)

pytestmark = [pytest.mark.terminal, pytest.mark.native]

HERE = demo_model()
OTHER = synthetic_model("other")
ZEROS = Nonsense(body=bytes(200_000_000))
PATIENCE_S = 60.0


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub([HERE, OTHER]) as hub:
        yield hub


@contextmanager
def chatting(folder: Path, hub: Hub) -> Iterator[Terminal]:
    """The app after one answer of the model that is here."""
    with running_app(folder, *hub.arguments(), extra=hub.environment(), size=(160, 40)) as opened:
        opened.shows("2 variants")
        talk_to(opened, "tiny-hub")
        chat_about(opened, "What does the cow say?", "moo")
        yield opened


def ran(folder: Path, *arguments: str, hub: Hub | None = None) -> "subprocess.CompletedProcess[str]":
    """A command of another process, on the same folders."""
    return subprocess.run(
        [*PROGRAM, *arguments, *(hub.arguments() if hub else ())],
        env=environment(folder, hub.environment() if hub else None),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=True,
    )


def test_a_model_that_another_process_removes_while_it_is_loaded_is_told_and_can_be_fetched_again(
    hub: Hub, tmp_path: Path
) -> None:
    lie_in_cache(HERE, tmp_path)
    with chatting(tmp_path, hub) as opened:
        ran(tmp_path, "models", "remove", DEMO_ID, hub=hub)
        opened.shows(f"{DEMO_ID} is not on this machine")
        opened.send("What is the capital of France?" + ENTER)
        opened.shows("What is the capital of France?", "download it first, or choose another")
        pick(opened, "tiny-hub")
        opened.shows("Accept the licence and download")
        opened.send("a")
        opened.shows_what(lambda screen: "○ on disk" in screen, "model on the disk")
        talk_to(opened, "tiny-hub")
        chat_about(opened, "What is 3 + 4?", "= 7")
        opened.send(CTRL_Q)
        code = opened.exit_code()

    assert code == 0


def test_a_catalog_that_answers_nonsense_is_named_and_takes_nothing_from_the_list(
    hub: Hub, tmp_path: Path
) -> None:
    lie_in_cache(HERE, tmp_path)
    faults: dict[str, tuple[Fault, ...]] = {name: (fault,) for name, fault in NONSENSE.items()}
    faults["zeros"] = (ZEROS, CutAt(at_byte=150_000_000, times=None))
    host = hub.catalog_url.split("/")[2]
    with running_app(tmp_path, *hub.arguments(), extra=hub.environment(), size=(160, 40)) as opened:
        opened.shows_what(lambda screen: "2 variants · catalog of" in screen, "complete list")
        for fault in faults.values():
            hub.fault(Place.CATALOG, *fault)
            opened.send("r")
            opened.shows("2 variants", host, OTHER.id, HERE.id)
            hub.mend()
            opened.send("r")
            opened.shows_what(lambda screen: "2 variants · catalog of" in screen, "complete list")
        opened.send(CTRL_Q)
        code = opened.exit_code()

    assert code == 0


@pytest.mark.skipif(sys.platform != "linux", reason="sets the limits of another process")
def test_what_is_said_while_nothing_can_be_written_is_told_of_and_kept_when_it_can(
    hub: Hub, tmp_path: Path
) -> None:
    lie_in_cache(HERE, tmp_path)
    with chatting(tmp_path, hub) as opened:
        pid = opened.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        # Every write to a file fails, whoever the user is; terminals and pipes have no such limit.
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
        chat_about(opened, "What is the capital of France?", "Paris")
        opened.shows("foundry-tui.db", "check that its disk is there and has free space")
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        chat_about(opened, "What is 3 + 4?", "= 7")
        opened.send(CTRL_L)
        opened.shows("1 conversation ")
        opened.send(ESCAPE)
        opened.shows("Ask anything")
        opened.send(CTRL_Q)
        code = opened.exit_code()
    (kept,) = json.loads(ran(tmp_path, "conversations", "list", "--json").stdout)["conversations"]
    text = ran(tmp_path, "conversations", "show", "--json", kept["id"]).stdout

    assert code == 0
    assert "Paris" in text
    assert "= 7" in text


def test_a_data_directory_that_nobody_can_write_is_named_and_left_as_it_is(hub: Hub, tmp_path: Path) -> None:
    with mounted(data_in(tmp_path), "64m") as data:
        model_folder = lie_in_cache(HERE, tmp_path)
        before = sorted(data.rglob("*"))
        remount(data, "ro")
        with running_app(tmp_path, *hub.arguments(), extra=hub.environment(), size=(240, 24)) as opened:
            opened.shows(f"{data} cannot be written: Read-only file system", "--data-dir")
            code = opened.exit_code()
        after = sorted(data.rglob("*"))

    assert code == 2
    assert model_folder in after
    assert after == before

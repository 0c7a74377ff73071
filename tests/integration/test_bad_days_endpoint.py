"""A server that goes away and comes back: the app says so, loses nothing, and goes on without a restart."""

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.endpoint import Setting
from tests.support.endpoint_process import endpoint_process
from tests.support.script import answer

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal of this kind is not there on Windows", allow_module_level=True)

from tests.support.whole_app import (
    CTRL_Q,
    CTRL_R,
    ENTER,
    PROGRAM,
    chat_about,
    environment,
    running_app,
    said_in,
)

pytestmark = [pytest.mark.terminal, pytest.mark.native]

WORDS = [f"w{number:03} " for number in range(400)]


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def exported(folder: Path) -> str:
    """The only conversation, as a command writes it."""

    def ran(*arguments: str) -> str:
        command = [*PROGRAM, "conversations", *arguments, "--json"]
        return subprocess.run(
            command, env=environment(folder), capture_output=True, encoding="utf-8", check=True
        ).stdout

    (kept,) = json.loads(ran("list"))["conversations"]
    return ran("show", kept["id"])


def test_a_server_that_goes_in_mid_answer_and_comes_back_leaves_the_conversation_whole(
    tmp_path: Path,
) -> None:
    with ExitStack() as server:
        first = server.enter_context(endpoint_process(answer(WORDS, gap_ms=15)))
        with running_app(tmp_path, "--endpoint", first.url) as opened:
            opened.shows("1 variant")
            opened.send(ENTER)
            opened.shows("Ask scripted")
            opened.send("count" + ENTER)
            opened.shows("w030")
            server.close()
            cut = opened.shows_what(
                lambda screen: "cut in the middle of the answer" in said_in(screen), "answer that was cut"
            )
            opened.send("are you there?" + ENTER)
            opened.shows_what(
                lambda screen: f"Cannot reach {first.url}" in said_in(screen), "word of a server that is gone"
            )
            with endpoint_process(answer(["here ", "again"]), Setting(port=port_of(first.url))):
                chat_about(opened, "and now?", "here again")
                opened.send(CTRL_Q)
                code = opened.exit_code()
    text = exported(tmp_path)

    assert "what had arrived is kept" in said_in(cut)
    assert code == 0
    assert [words for words in ("w030", "are you there?", "here again") if words not in text] == []


def test_an_app_that_is_opened_while_its_server_is_gone_is_brought_to_it_by_one_key(tmp_path: Path) -> None:
    with endpoint_process(answer(["never"])) as gone:
        pass
    with running_app(tmp_path, "--endpoint", gone.url) as opened:
        opened.shows("Ctrl+R")
        with endpoint_process(answer(["here ", "now"]), Setting(port=port_of(gone.url))):
            opened.send(CTRL_R)
            opened.shows("1 variant", "restarted")
            opened.send(ENTER)
            opened.shows("⏎ Send")
            chat_about(opened, "hello?", "here now")
            opened.send(CTRL_Q)
            code = opened.exit_code()

    assert code == 0

"""The whole program as a user has it: in a terminal, on folders of its own, and every process of it."""

import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil

from tests.support.hub import HubModel, folder_of
from tests.support.processes import until_gone
from tests.support.terminal import Terminal, terminal

__all__ = [
    "ALT_1", "CTRL_L", "CTRL_Q", "CTRL_R", "CTRL_U", "ENTER", "ESCAPE", "F8", "PROGRAM", "answered",
    "chat_about", "data_in", "environment", "lie_in_cache", "likeliest", "ours_in", "pick", "running_app",
    "said_in", "talk_to", "until",
]  # fmt: skip

ALT_1, F8 = "\x1b1", "\x1b[19~"
CTRL_L, CTRL_Q, CTRL_R, CTRL_U, ENTER, ESCAPE = "\x0c", "\x11", "\x12", "\x15", "\r", "\x1b"
PROGRAM = (sys.executable, "-m", "foundry_tui")
SOON_S = 30.0
"""A safety net: what is waited for here takes a few seconds at most."""
_LOOK_EVERY_S = 0.005
_TABLE_KEYS = "l Load d Download"
_PROMPT_KEYS = "⏎ Send"
_NO_FILTER = "/ filters:"
_SUMS = re.compile(r" out · \S+ m?s in all · ")

T = TypeVar("T")


def data_in(folder: Path) -> Path:
    """Where the program that is run in ``folder`` keeps everything."""
    return folder / "data"


def environment(folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Of a program that keeps everything below ``folder``, with what a hub wants set."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return kept | {
        "HOME": str(folder),
        "FOUNDRY_TUI_DATA_DIR": str(data_in(folder)),
        "LANG": "C.UTF-8",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "TERM": "xterm-256color",
        **(extra or {}),
    }


@contextmanager
def running_app(
    folder: Path, *arguments: str, extra: Mapping[str, str] | None = None, size: tuple[int, int] = (120, 40)
) -> Generator[Terminal, None, None]:
    """The program on the screen; at the end its window is closed and nothing that it started may be left.

    Without a configuration of the caller's own it always asks for the likeliest answer, the same each time.
    """
    if "--config" not in arguments:
        arguments = (*arguments, "--config", str(likeliest(folder)))
    with terminal([*PROGRAM, *arguments], environment=environment(folder, extra), size=size) as opened:
        try:
            yield opened
        finally:
            started = descendants(opened.process.pid)
            opened.close()
        assert until_gone(started) == [], "the program left a process behind"


def descendants(pid: int) -> list[psutil.Process]:
    """What that process has started, and what those have; nothing if it has ended."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def ours_in(folder: Path) -> list[psutil.Process]:
    """Every living process that keeps its data below ``folder``, whoever has started it."""
    return [process for process in psutil.process_iter() if _keeps_data_in(process, str(data_in(folder)))]


def until(look: Callable[[], T], *, within_s: float = SOON_S) -> T:
    """What ``look`` gives as soon as that is anything; it is asked often.

    Raises:
        TimeoutError: It never was.
    """
    until_s = time.monotonic() + within_s
    while not (seen := look()):
        if time.monotonic() > until_s:
            raise TimeoutError(f"still {seen!r} after {within_s:g} s")
        threading.Event().wait(_LOOK_EVERY_S)
    return seen


def said_in(screen: str) -> str:
    """What the chat pane shows of the conversation, its lines joined."""
    lines = (line.split("│") for line in screen.splitlines())
    return " ".join(" ".join(parts[-2] for parts in lines if len(parts) > 2).split())


def chat_about(opened: Terminal, question: str, expected: str) -> str:
    """Ask, and wait for the whole answer with its sums; the screen then."""
    opened.send(question + ENTER)
    return answered(opened, question, expected)


def answered(opened: Terminal, question: str, expected: str) -> str:
    """Wait for the whole answer to what was asked last, and for its sums; the screen then."""

    def is_whole(screen: str) -> bool:
        _, _, answer = said_in(screen).rpartition(question)
        return expected in answer and _SUMS.search(answer) is not None

    return opened.shows_what(is_whole, f"whole answer with {expected} to {question}")


def pick(opened: Terminal, alias: str) -> None:
    """Press Enter on the variant of that family: it is talked to, or offered for download."""
    if _TABLE_KEYS not in opened.text:
        opened.send(ALT_1)
    opened.shows(_TABLE_KEYS)
    # One after the other: a key with a binding takes effect after the letters that came together with it.
    opened.send("/")
    screen = opened.shows_what(lambda screen: _TABLE_KEYS not in screen, "field for a filter")
    if _NO_FILTER not in screen:
        opened.send(CTRL_U)
        opened.shows(_NO_FILTER)
    opened.send(alias)
    opened.shows(f"│ {alias} ")
    opened.send(ENTER)
    opened.shows(_TABLE_KEYS)
    opened.send(ENTER)


def talk_to(opened: Terminal, alias: str) -> None:
    """Make it the active model, and wait until the prompt takes what is typed."""
    pick(opened, alias)
    opened.shows(_PROMPT_KEYS)


def lie_in_cache(model: HubModel, folder: Path) -> Path:
    """Put it where the program in ``folder`` has its models, as the runtime would; its folder."""
    target = folder_of(model, data_in(folder))
    target.mkdir(parents=True)
    for name, content in model.files.items():
        (target / name).write_bytes(content.read(0, content.size_bytes))
    (target / "inference_model.json").write_text(json.dumps({"Name": model.id}))
    return target


def likeliest(folder: Path) -> Path:
    """A folder of configuration that lets a model draw no lots: it would say "moo" only most of the time."""
    config = folder / "config"
    config.mkdir(parents=True, exist_ok=True)
    (config / "settings.toml").write_text("[chat]\ntemperature = 0.0\n", encoding="utf-8")
    return config


def _keeps_data_in(process: psutil.Process, data_dir: str) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.environ().get("FOUNDRY_TUI_DATA_DIR") == data_dir
    except psutil.Error:
        return False  # gone while it was looked at, or somebody else's

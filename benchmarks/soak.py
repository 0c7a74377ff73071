"""Drives the app in tmux by random but sensible keys for as long as one likes, and looks at what it logged.

``python -m benchmarks.soak --minutes 10 --size 120x40 --seed 1`` drives the demo; what follows ``--`` is
given to the app in its place, such as the addresses that ``python -m tests.support.hub`` prints.  Exit code 0
if the program was alive to the end, logged no error, left with 0 and left no process behind.
"""

import argparse
import contextlib
import itertools
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.support.processes import HOST_MODULE, until_gone
from tests.support.sensible_keys import Press, presses

_KEY_S = 0.02
_SETTLE_S = 0.6
_DESKTOP = ("DISPLAY", "WAYLAND_DISPLAY")
"""Without these a key that opens a folder opens no window."""


class _Tmux:
    def __init__(self, folder: Path) -> None:
        self._command = ("tmux", "-S", str(folder / "tmux"), "-f", os.devnull)

    def start(self, command: str, size: tuple[int, int], environment: dict[str, str]) -> None:
        columns, lines = map(str, size)
        options = ("-d", "-x", columns, "-y", lines)
        subprocess.run([*self._command, "new-session", *options, command], check=True, env=environment)
        self.run("set", "-g", "status", "off")
        self.run("set", "-g", "window-size", "manual")

    def run(self, *arguments: str) -> str:
        done = subprocess.run([*self._command, *arguments], capture_output=True, text=True, check=False)
        return done.stdout

    def press(self, press: Press) -> None:
        if press.size is not None:
            columns, lines = map(str, press.size)
            self.run("resize-window", "-x", columns, "-y", lines)
        if press.keys:
            codes = [f"{byte:02x}" for byte in press.keys.encode()]
            self.run("send-keys", "-H", *codes)


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--size", default="120x40")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("arguments", nargs="*", default=["demo"], help="of foundry-tui")
    given = parser.parse_args()
    columns, lines = (int(part) for part in given.size.split("x"))
    with tempfile.TemporaryDirectory() as name:
        return _soak(Path(name), given.minutes * 60, (columns, lines), given.seed, given.arguments)


def _soak(folder: Path, seconds: float, size: tuple[int, int], seed: int, arguments: list[str]) -> int:
    log, code = folder / "log", folder / "code"
    program = [sys.executable, "-m", "foundry_tui", *arguments, "--log-file", str(log)]
    inner = f"{shlex.join(program)}; echo $? > {code}; sleep 60"  # what it said at its end stays readable
    environment = {name: value for name, value in os.environ.items() if name not in _DESKTOP}
    environment |= {"HOME": str(folder), "FOUNDRY_TUI_DATA_DIR": str(folder / "data")}
    tmux = _Tmux(folder)
    tmux.start(inner, size, environment)
    time.sleep(3)
    started = time.monotonic()
    pane = psutil.Process(int(tmux.run("list-panes", "-F", "#{pane_pid}")))
    children = pane.children(recursive=True)
    pressed: list[Press] = []
    try:
        for press in presses(seed):
            if time.monotonic() - started > seconds or code.exists():
                break
            tmux.press(press)
            pressed.append(press)
            time.sleep(_SETTLE_S if press.settles else _KEY_S)
        screen = tmux.run("capture-pane", "-p")
        memory = ", ".join(f"{name} {mb:.0f} MB" for name, mb in _memory_mb(pane))
        children += pane.children(recursive=True)  # a download or another engine may have come meanwhile
        for keys in ("\x1b", "\x1b", "\x1b", "\x11"):
            tmux.press(Press(keys))
            time.sleep(1)
        for _ in itertools.takewhile(lambda _: not code.exists(), range(20)):
            time.sleep(0.5)
        last = tmux.run("capture-pane", "-p", "-S", "-200").strip()
    finally:
        tmux.run("kill-server")
    left = until_gone([child for child in children if child.is_running()])
    errors = [line for line in _lines(log) if " ERROR " in line or "Traceback" in line] + _lines(
        folder / "stderr"
    )
    ended = code.read_text().strip() if code.exists() else "none"
    print(screen)
    rate = f"{len(pressed)} presses in {time.monotonic() - started:.0f} s"
    print(f"seed {seed}, {rate}, at the end {memory}")
    print(f"exit code {ended}, {len(left)} processes left, {len(errors)} lines of error")
    for line in errors[:40]:
        print("  ", line)
    if ended != "0":
        print(last)
        print("the last presses:", [press.keys for press in pressed[-40:]])
    return 0 if ended == "0" and not left and not errors else 1


def _memory_mb(pane: psutil.Process) -> list[tuple[str, float]]:
    """Resident memory of the app and of the engine that it has now, in this order."""
    found = []
    for process in pane.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            name = "engine" if HOST_MODULE in process.cmdline() else "app"
            found.append((name, process.memory_info().rss / 1e6))
    return found


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines() if path.exists() else []


if __name__ == "__main__":
    sys.exit(_main())

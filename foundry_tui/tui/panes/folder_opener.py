"""Shows a folder in the desktop's own window, where there is a desktop to show it on."""

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["open_folder", "opener_of"]

_WAIT_S = 3.0
# Whoever came over the network sits before another screen than this machine's.
_REMOTE = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")


def opener_of(platform: str, environment: Mapping[str, str]) -> str | None:
    """The program that opens a folder; None over SSH, or where nothing could be shown."""
    if any(environment.get(name) for name in _REMOTE):
        return None
    if platform == "darwin":
        return "open"
    if platform == "win32":
        return "explorer"
    return "xdg-open" if any(environment.get(name) for name in _DISPLAYS) else None


async def open_folder(path: str) -> bool:
    """Open ``path``, if it is a folder, in a window of the desktop; False if there is no way to.

    What the program says is thrown away: it would be written over the screen.
    """
    name = opener_of(sys.platform, os.environ)
    command = None if name is None else await asyncio.to_thread(_command, name, path)
    if command is None:
        return False
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(_WAIT_S):
            code = await process.wait()
    except TimeoutError:
        return True  # it stays open as long as its window
    # Explorer says 1 when all went well.
    return code == 0 or name == "explorer"


def _command(name: str, path: str) -> tuple[str, str] | None:
    program = shutil.which(name)
    folder = Path(path).absolute()  # in full, so that it can never be taken for an option
    if program is None or not os.path.isdir(folder):  # noqa: PTH112 - no error for a name too long
        return None
    return (program, str(folder))

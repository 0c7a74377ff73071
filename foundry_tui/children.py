"""How a child process of ours is started: where it finds this package, and in which session."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import foundry_tui

__all__ = ["CREATION_FLAGS", "OWN_SESSION", "python_path"]

CREATION_FLAGS: Final = 0x00000200 | 0x08000000 if sys.platform == "win32" else 0
"""CREATE_NEW_PROCESS_GROUP and CREATE_NO_WINDOW, which the standard library names only on Windows."""
OWN_SESSION: Final = sys.platform != "win32"
"""Whether it gets a session of its own: Ctrl-C on the terminal is for us, who see the child off."""


def python_path(environment: Mapping[str, str] = os.environ) -> str:
    """``PYTHONPATH`` with which a child finds this very package, whatever its working directory is."""
    own = str(Path(foundry_tui.__file__).parent.parent)
    return os.pathsep.join([own, *filter(None, [environment.get("PYTHONPATH")])])

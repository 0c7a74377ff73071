"""The runtime's own log, where it tells what it raises to nobody."""

import time
from pathlib import Path

__all__ = ["LogMark"]

# The runtime writes its log from a thread of its own, a moment after the call that it tells of has returned.
_LOG_LAG_S = 1.0
# A failed fetch has waited three times before it gives up; a quicker one has not failed.
_SHORTEST_FAILURE_S = 1.0


class LogMark:
    """The end of the runtime's log at one moment, so that what it writes after can be read.

    An unreachable catalog raises nothing and returns what is on disk; only the log tells.
    """

    def __init__(self, logs_dir: Path) -> None:
        self._dir = logs_dir
        self._made_s = time.perf_counter()
        self._sizes = {path: path.stat().st_size for path in self._files()}

    def soon_says(self, phrase: str) -> bool:
        """Whether ``phrase`` was written since the mark, or is within a second from now."""
        if time.perf_counter() - self._made_s < _SHORTEST_FAILURE_S:
            return self._says(phrase)
        deadline_s = time.perf_counter() + _LOG_LAG_S
        while not (found := self._says(phrase)) and time.perf_counter() < deadline_s:
            time.sleep(0.05)
        return found

    def _says(self, phrase: str) -> bool:
        for path in self._files():
            with path.open("rb") as file:
                file.seek(self._sizes.get(path, 0))
                if phrase.encode() in file.read():
                    return True
        return False

    def _files(self) -> list[Path]:
        return sorted(self._dir.glob("foundry_local_*.log"))[-2:]

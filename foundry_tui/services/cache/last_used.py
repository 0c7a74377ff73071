"""When each model was used last, kept in a small file and written behind."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from foundry_tui.aio import Tasks
from foundry_tui.services.small_files import put_json

__all__ = ["LastUsed"]

_LOG = logging.getLogger(__name__)
_LIMIT_BYTES: Final = 4_000_000
_KEPT: Final = 10_000


class LastUsed:
    """Reads once and writes after each change, never keeping anybody waiting.

    It is a convenience: a file that cannot be read or written is logged.  Two instances of the program share
    it; the later time wins.

    Args:
        path: The file, in a folder that is there or is not; then nothing is kept.
        now_unix: The clock, in seconds.
    """

    def __init__(self, path: Path, *, now_unix: Callable[[], int] = lambda: int(time.time())) -> None:
        self._path = path
        self._now_unix = now_unix
        self._times: dict[str, int] = {}
        self._forgotten: set[str] = set()
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None
        self._is_dirty = False

    @property
    def times(self) -> Mapping[str, int]:
        """By model id, in seconds."""
        return MappingProxyType(self._times)

    async def recall(self) -> None:
        """Read what was left; what was touched before that stays."""
        self._merge(await asyncio.to_thread(self._read))

    def touch(self, model_id: str) -> None:
        """It is used now: loaded, or asked something."""
        self._times[model_id] = self._now_unix()
        self._forgotten.discard(model_id)
        self._write_soon()

    def forget(self, model_id: str) -> None:
        """It was removed."""
        self._times.pop(model_id, None)
        self._forgotten.add(model_id)
        self._write_soon()

    async def aclose(self) -> None:
        """Write what is left to write."""
        if self._task is not None:
            # Not cancelled: a write under way would go on in its thread all the same.
            await asyncio.wait([self._task])
        await self._tasks.aclose()

    def _write_soon(self) -> None:
        self._is_dirty = True
        if self._task is None or self._task.done():
            self._task = self._tasks.start("last used", self._write_behind())

    async def _write_behind(self) -> None:
        while self._is_dirty:
            self._is_dirty = False
            forgotten = frozenset(self._forgotten)
            merged = await asyncio.to_thread(self._write, dict(self._times), forgotten)
            self._merge(merged)

    def _merge(self, others: Mapping[str, int]) -> None:
        for model_id, at_unix in others.items():
            if model_id not in self._forgotten:
                self._times[model_id] = max(at_unix, self._times.get(model_id, at_unix))

    def _read(self) -> dict[str, int]:
        try:
            with self._path.open("rb") as file:
                content: object = json.loads(file.read(_LIMIT_BYTES))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            _LOG.warning("when models were used last cannot be read: %s", error)
            return {}
        if not isinstance(content, dict):
            return {}
        return {
            str(model_id): at_unix
            for model_id, at_unix in content.items()
            if isinstance(at_unix, int) and not isinstance(at_unix, bool) and at_unix >= 0
        }

    def _write(self, times: dict[str, int], forgotten: frozenset[str]) -> dict[str, int]:
        """Put the file in the place of the one before; what it says now, another instance's times in it."""
        merged = {key: at for key, at in self._read().items() if key not in forgotten}
        for model_id, at_unix in times.items():
            merged[model_id] = max(at_unix, merged.get(model_id, at_unix))
        newest = dict(sorted(merged.items(), key=lambda item: item[1], reverse=True)[:_KEPT])
        try:
            put_json(self._path, newest)
        except OSError as error:
            _LOG.warning("when models were used last cannot be kept: %s", error)
        return newest

"""The settings as a front end sees them: read, checked and saved away from the event loop."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

from foundry_tui.domain.settings import SettingEntry
from foundry_tui.ports.storage import SettingsStore

__all__ = ["SettingsService"]


class SettingsService:
    """Asks the file each time and keeps nothing of what it said."""

    def __init__(self, file: SettingsStore) -> None:
        self._file = file
        self._saving = asyncio.Lock()

    async def target(self) -> Path:
        """The file that ``save`` writes, whether it is there yet or not."""
        return await asyncio.to_thread(self._file.target)

    async def entries(self, actions: Iterable[str] = ()) -> tuple[SettingEntry, ...]:
        """Every setting as it is now, the keys of ``actions`` and of others in the file among them.

        Raises:
            BadInput: The file cannot be read, or says what is not allowed.
        """
        return await asyncio.to_thread(self._file.entries, tuple(actions))

    async def check(self, key: str, text: str) -> str | None:
        """Why ``text`` cannot be saved under ``key``, in words; None if it can."""
        return await asyncio.to_thread(self._file.check, key, text)

    async def save(self, changes: Mapping[str, str | None]) -> Path:
        """Write these keys, None for the default, and nothing else; where they were written.

        A save that has begun is carried to its end, even if nobody waits for it any more.

        Raises:
            BadInput: A text is not allowed, or the file is broken; nothing was written.
            StorageProblem: It cannot be written.
        """
        kept = dict(changes)
        # One after the other: of two at once, the second would be told that the file keeps changing.
        async with self._saving:
            return await asyncio.to_thread(self._file.save, kept)

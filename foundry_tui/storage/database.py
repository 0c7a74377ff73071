"""The database as the rest of the program holds it: opened on first use, used in a thread of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from foundry_tui.domain.errors import StorageProblem

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from foundry_tui.storage.opened import OpenFile

__all__ = ["BUSY_S", "Database"]

T = TypeVar("T")

BUSY_S = 10.0
"""How long a write waits for another program's before it is given up."""


class Database:
    """One SQLite file, shared with other processes; whoever made this closes it.

    Nothing is opened, and no thread started, before the first use.  Work is done in the order in which it was
    asked for.  Whoever is cancelled while waiting leaves when its work is done, or was never begun.

    Args:
        path: The file; its folder must be there.
        busy_s: How long to wait for other programs.
    """

    def __init__(self, path: Path, *, busy_s: float = BUSY_S) -> None:
        self._path = path
        self._busy_s = busy_s
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        self._file: OpenFile | None = None  # the thread's own
        self._is_closed = False

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    async def read(self, work: Callable[["Connection"], T]) -> T:
        """What ``work``, called in the database's thread, finds; all of it as the file was at one moment.

        Raises:
            StorageProblem: The file cannot be opened or read.
        """
        return await self._in_thread(lambda: self._opened().read(work))

    async def write(self, work: Callable[["Connection"], T]) -> T:
        """Do ``work`` in the database's thread, whole or not at all; it is on disk when this returns.

        Raises:
            StorageProblem: The file cannot be opened or written, or another program writes for too long.
        """
        return await self._in_thread(lambda: self._opened().write(work))

    async def aclose(self) -> None:
        """Finish what was asked for and let go of the file; a second time does nothing."""
        if not self._is_closed:
            self._is_closed = True
            closing = self._thread.submit(self._let_go)
            self._thread.shutdown(wait=False)
            await asyncio.shield(asyncio.wrap_future(closing))

    async def _in_thread(self, job: Callable[[], T]) -> T:
        running = self._thread.submit(job)
        answer = asyncio.wrap_future(running)
        try:
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            if not running.cancel():
                await asyncio.wait([answer])
                answer.exception()  # looked at: nobody waits for it any more
            raise

    def _opened(self) -> "OpenFile":
        file = self._file
        if file is not None and not file.is_in_place:
            self._let_go()
            raise StorageProblem(
                f"{self._path} was moved, replaced or deleted while it was in use",
                remedy="put it back; without it a new one is begun",
            )
        if file is None or not file.is_sound:
            self._let_go()
            # Late: the driver takes a tenth of a second, and nobody needs it before the first frame.
            from foundry_tui.storage.opened import OpenFile

            self._file = file = OpenFile(self._path, busy_s=self._busy_s)
        return file

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

"""Writing behind: what must be kept is written in order, in the background, and again where it failed."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from foundry_tui.aio import Feed, Tasks
from foundry_tui.domain.errors import BadInput, StorageProblem

__all__ = ["Recorder", "Write"]

_LOG = logging.getLogger(__name__)
_TRY_AGAIN_S = 5.0

Write: TypeAlias = Callable[[], Awaitable[None]]


class Recorder:
    """Takes writes without making anybody wait; a disk that is full delays them, and is told of.

    Attributes:
        problem: Why something is not written yet; None while all is well.
        changes: Grows with each write, so that lists know when to look again.
    """

    def __init__(self) -> None:
        self.problem: Feed[StorageProblem | BadInput | None] = Feed(None)
        self.changes: Feed[int] = Feed(0)
        self._waiting: deque[Write] = deque()
        self._more = asyncio.Event()
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False

    def submit(self, write: Write) -> None:
        """Write this after everything that was submitted before."""
        self._waiting.append(write)
        self._more.set()
        if self._task is None:
            self._task = self._tasks.start("recorder", self._run())

    async def settled(self) -> None:
        """Wait until everything that was submitted is written, or could not be."""
        async for _ in self.changes.watch():
            if not self._waiting or self.problem.value is not None:
                return

    async def aclose(self) -> None:
        """Write what is left, each once; what fails now is logged and lost."""
        self._is_closing = True
        self._more.set()
        if self._task is not None:
            # Not cancelled: a write under way would be done by its thread all the same, and once more here.
            await asyncio.wait([self._task])
        await self._tasks.aclose()

    async def _run(self) -> None:
        while True:
            while self._waiting:
                try:
                    await self._waiting[0]()
                except BadInput as error:
                    # Trying again would not help: it was removed by another program, for one.
                    _LOG.warning("a write was refused: %s", error)
                    self.problem.publish(error)
                except StorageProblem as error:
                    if self._is_closing:
                        _LOG.error("%d writes are lost: %s", len(self._waiting), error)
                        return
                    if self.problem.value is None:
                        _LOG.warning("a write failed and is tried again: %s", error)
                    self.problem.publish(error)
                    self._told()
                    await self._until_worth_trying()
                    continue
                else:
                    self.problem.publish(None)
                self._waiting.popleft()
                self._told()
            if self._is_closing:
                return
            self._more.clear()
            await self._more.wait()

    async def _until_worth_trying(self) -> None:
        self._more.clear()
        if self._is_closing:
            return
        try:
            async with asyncio.timeout(_TRY_AGAIN_S):
                await self._more.wait()
        except TimeoutError:
            return

    def _told(self) -> None:
        self.changes.publish(self.changes.value + 1)

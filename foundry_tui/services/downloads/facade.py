"""The queue of downloads: what can be asked of it, by whichever process of the app.

All processes share one queue on disk.  One of them does the work; a wish of another reaches it through the
store, and what is to be stopped is stopped at once by whoever wishes it.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

from foundry_tui.aio import Feed, Tasks
from foundry_tui.domain.downloads import ENDED_STATES, Download, DownloadPhase, DownloadState, Partial
from foundry_tui.domain.errors import BadInput, ModelRefused, StorageProblem
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.domain.text import clean_line
from foundry_tui.ports.downloads import DownloadProcess
from foundry_tui.ports.storage import DownloadStore
from foundry_tui.services.downloads import changes
from foundry_tui.services.downloads.board import (
    DownloadBoard,
    DownloadQueue,
    Pace,
    RunningDownload,
)
from foundry_tui.services.downloads.changes import AT_WORK, WAITING, Change, existing, find, unfinished
from foundry_tui.services.downloads.licenses import Licenses
from foundry_tui.services.downloads.preflight import NotEnoughRoom, Preflight, Removable
from foundry_tui.services.downloads.retry import RetryPolicy, next_quiet_unix_ms
from foundry_tui.services.downloads.work import DownloadTools, DownloadWork

__all__ = [
    "DownloadQueue",
    "DownloadTools",
    "Downloads",
    "NotEnoughRoom",
    "Pace",
    "Preflight",
    "Removable",
    "RetryPolicy",
    "RunningDownload",
]

_OVER = frozenset({DownloadPhase.DONE, DownloadPhase.FAILED, DownloadPhase.DIED})


class Downloads:
    """Takes wishes at any time; does the work from ``start`` to ``aclose``, if no other process does.

    Every wish raises ``BadInput`` where the entry is not there (any more) or is in no state for it, and
    ``StorageProblem`` where the queue cannot be written; nothing was changed then.

    Args:
        store: The queue on disk.
        licenses: Nothing is added whose licence was not agreed to.
        tools: What the work is done with.
        on_ready: Told the id of each model that was fetched and found sound, by this process or another;
            called on the event loop, and returns at once.
        quiet_hour: From 0 to 23, asked anew each time, for settings change.
    """

    def __init__(
        self,
        store: DownloadStore,
        licenses: Licenses,
        tools: DownloadTools,
        *,
        on_ready: Callable[[str], None],
        quiet_hour: Callable[[], int] = lambda: 2,
    ) -> None:
        self._licenses = licenses
        self._tools = tools
        self._quiet_hour = quiet_hour
        self._board = DownloadBoard(store, on_ready=on_ready)
        self._work = DownloadWork(self._board, tools)
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None

    @property
    def queue(self) -> Feed[DownloadQueue]:
        """The newest value: new about four times a second while bytes flow, never while nothing happens.

        Where another process does the work it is kept up to date for as long as somebody is ``watching``.
        """
        return self._board.queue

    def start(self) -> None:
        """Read the queue, take up what an earlier life has left, and work in the background."""
        if self._task is None:
            self._task = self._tasks.start("downloads", self._work.run())

    async def aclose(self) -> None:
        """Stop working; a download that does not outlive the app waits for the next start.

        Raises:
            Exception: What ended the work before, if anything did.
        """
        self._board.is_closing = True
        self._board.wake()
        if self._task is not None:
            # Not cancelled: a process that is being started would be left to nobody.
            await asyncio.wait([self._task])
        await self._tasks.aclose()

    @asynccontextmanager
    async def watching(self) -> AsyncGenerator[AsyncIterator[DownloadQueue], None]:
        """The queue at once, then the newest after each change, for the length of the block."""
        self._board.watchers += 1
        self._board.wake()
        try:
            async with aclosing(self.queue.watch()) as values:
                yield values
        finally:
            self._board.watchers -= 1

    async def refresh(self) -> DownloadQueue:
        """Read the queue from disk now.

        Raises:
            StorageProblem: It cannot be read.
        """
        await self._board.read()
        return self.queue.value

    def next_quiet_unix_ms(self) -> int:
        """When the next quiet hour begins, for ``add``."""
        return next_quiet_unix_ms(self._tools.unix_ms(), self._quiet_hour())

    async def preflight(self, model: ModelVariant) -> Preflight:
        """Whether there is room for that model behind all that is on its way.

        Raises:
            StorageProblem: The queue or the disk cannot be read.
        """
        entries = await self._board.read()
        before_it = tuple(
            entry for entry in entries if entry.state in AT_WORK | WAITING and entry.model_id != model.id
        )
        return await self._work.room_for(model.id, model.size_bytes, before_it)

    async def add(
        self, model: ModelVariant, *, not_before_unix_ms: int | None = None, outlives_app: bool = False
    ) -> Download:
        """Put that model at the end of the queue; if it is on its way already, that entry goes on.

        Raises:
            NotEnoughRoom: There is no room for it; the error has the numbers.
            BadInput: Its licence is denied or not agreed to, or it is a folder of the user's own.
        """
        if model.catalog is CatalogKind.LOCAL:
            raise BadInput(f"{clean_line(model.id)} is a folder of your own: there is nothing to download")
        await self._licenses.require(model)
        if unfinished(await self._board.read(), model.id) is None:
            room = await self.preflight(model)
            if not room.is_enough:
                raise NotEnoughRoom(room)
        new = Download(
            id=self._tools.new_id(),
            model_id=model.id,
            added_unix_ms=self._tools.unix_ms(),
            place=0,
            size_bytes=model.size_bytes if model.size_bytes is not None and model.size_bytes > 0 else None,
            not_before_unix_ms=not_before_unix_ms,
            outlives_app=outlives_app,
        )
        entries = await self._board.change(lambda entries: changes.added(entries, new))
        entry = unfinished(entries, model.id) or existing(entries, new.id)
        self._board.own.add(entry.id)
        self._board.wake()
        return entry

    async def move(self, download_id: str, by: int) -> None:
        """Move it so many places down, up if negative, among those that have not ended."""
        await self._wish(lambda entries: changes.moved(entries, download_id, by))

    async def resume(self, download_id: str) -> None:
        """Let it go on as soon as its turn comes: it was paused, or waits for its time."""
        await self._wish(lambda entries: changes.resumed(entries, download_id))
        self._own(download_id)

    async def retry(self, download_id: str) -> None:
        """Queue it again, at the end: it failed or was cancelled."""
        await self._wish(lambda entries: changes.retried(entries, download_id))
        self._own(download_id)

    async def let_live(self, download_id: str) -> None:
        """Let it go on when the app is quit; that cannot be taken back."""
        await self._wish(lambda entries: changes.letting_live(entries, download_id))

    async def clear_ended(self) -> None:
        """Forget the entries that have ended."""
        await self._wish(changes.without_ended)

    async def pause(self, download_id: str) -> None:
        """Stop it at once and keep what is here, until it is resumed.

        Where the queue cannot be written it is stopped all the same, and written as soon as that works.
        """
        await self._stop(download_id, lambda entries: changes.paused(entries, download_id))

    async def cancel(self, download_id: str, *, removes_partial: bool = False) -> int:
        """Stop it at once, and take what is here of it off the disk if that is wanted; the bytes it freed.

        A model all of which is here stays, and so does the result of a check.  Where the queue cannot be
        written it is stopped all the same, and written as soon as that works.

        Raises:
            ModelRefused: A process that we did not start is at work on the partial.
        """
        at_unix_ms = self._tools.unix_ms()
        model_id = await self._stop(
            download_id,
            lambda entries: changes.cancelled(entries, download_id, at_unix_ms=at_unix_ms),
        )
        return await self._remove_partials(model_id) if removes_partial else 0

    async def _wish(self, change: Change) -> None:
        await self._board.change(change)
        self._board.wake()

    def _own(self, download_id: str) -> None:
        self._board.own.add(download_id)
        self._board.wake()

    async def _stop(self, download_id: str, change: Change) -> str:
        """Write that it is to stop, and see that it does; the model's id."""
        before: list[Download] = []

        def noted(entries: changes.Entries) -> changes.Entries:
            before[:] = [existing(entries, download_id)]
            return change(entries)

        try:
            await self._board.change(noted)
        except StorageProblem:
            known = find(self._board.entries, download_id)
            if known is None or known.state in ENDED_STATES:
                raise
            before[:] = [known]
            self._board.held[download_id] = change
        self._board.wake()
        model_id = before[0].model_id
        if before[0].state is DownloadState.RUNNING:
            await self._kill(model_id)
        return model_id

    async def _kill(self, model_id: str) -> None:
        """End its process, whoever has started it, and wait until it is gone."""
        pace = self._tools.pace
        processes = await asyncio.to_thread(self._processes, model_id)
        for process in processes:
            if (await asyncio.to_thread(process.look)).phase not in _OVER:
                await asyncio.to_thread(process.kill)
        for _ in range(max(1, round(pace.gone_s / pace.poll_s))):
            phases = [(await asyncio.to_thread(process.look)).phase for process in processes]
            if all(phase in _OVER for phase in phases):
                return
            await asyncio.sleep(pace.poll_s)  # a process of somebody else's tells nobody when it ends

    def _processes(self, model_id: str) -> tuple[DownloadProcess, ...]:
        return tuple(one for one in self._tools.runner.running() if one.model_id == model_id)

    async def _remove_partials(self, model_id: str) -> int:
        pace, runner = self._tools.pace, self._tools.runner
        freed_bytes = 0
        for partial in await asyncio.to_thread(self._partials, model_id):
            for attempts_left in reversed(range(max(1, round(pace.gone_s / pace.poll_s)))):
                try:
                    freed_bytes += await asyncio.to_thread(runner.remove_partial, partial.path)
                    break
                except ModelRefused:
                    if not attempts_left:
                        raise
                    await asyncio.sleep(pace.poll_s)  # the lock of a killed process goes a moment after it
        return freed_bytes

    def _partials(self, model_id: str) -> tuple[Partial, ...]:
        return tuple(one for one in self._tools.runner.partials() if one.model_id == model_id)

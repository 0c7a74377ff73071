"""What is known of the queue right now, for whoever shows it and for whoever does the work."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from foundry_tui.aio import Feed
from foundry_tui.domain.downloads import Download, DownloadPhase, DownloadState, TransferProgress
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.ports.storage import DownloadStore
from foundry_tui.services.downloads.changes import Change, Entries, find

__all__ = ["DownloadBoard", "DownloadQueue", "Pace", "RunningDownload"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often things are looked at, and how long is waited, in seconds.

    Attributes:
        look_s: Between two looks at a download that runs.
        read_s: Between two readings of the store while something runs here: by then a wish of another
            process is carried out.
        watch_s: Between two readings of the store while somebody watches and another process runs it.
        lock_s: Between two tries to take over from another process, and two readings of what it may have
            changed, while nobody watches.
        again_s: Before the store is tried again after it failed.
        clock_s: At most between two looks at the clock on the wall, which a sleeping machine puts forward.
        gone_s: How long a killed process may take to be gone.
        poll_s: Between two looks at one that was killed.
    """

    look_s: float = 0.25
    read_s: float = 0.5
    watch_s: float = 1.0
    lock_s: float = 5.0
    again_s: float = 5.0
    clock_s: float = 30.0
    gone_s: float = 2.0
    poll_s: float = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningDownload:
    """The download that bytes come for, whichever process of the app runs it."""

    download_id: str
    model_id: str
    phase: DownloadPhase
    progress: TransferProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadQueue:
    """The queue at one moment.

    Attributes:
        entries: All of them by place, those that ended among them.
        running: What is fetched right now; None while nothing is, or while another process of the app
            fetches and nobody here watches.
        is_runner: Whether this process does the work.
        problem: Why the queue on disk cannot be read or written; None while all is well.
    """

    entries: Entries = ()
    running: RunningDownload | None = None
    is_runner: bool = False
    problem: StorageProblem | None = None

    def of(self, model_id: str) -> Download | None:
        """The entry of that model: the one under way, else the newest that ended; None if there is none."""
        mine = [entry for entry in self.entries if entry.model_id == model_id]
        return max(mine, key=lambda entry: (entry.ended_unix_ms is None, entry.added_unix_ms), default=None)


class DownloadBoard:
    """Keeps the newest value of everything, and wakes the worker.

    Attributes:
        queue: The newest value; published only when it differs.
        held: Wishes that were carried out here and could not be written yet, by the entry's id.
        own: Ids of the entries that were asked for through this process.
        watchers: How many look at the queue right now.
        is_closing: Whether the worker is to end.
    """

    def __init__(self, store: DownloadStore, *, on_ready: Callable[[str], None]) -> None:
        self.queue: Feed[DownloadQueue] = Feed(DownloadQueue())
        self.held: dict[str, Change] = {}
        self.own: set[str] = set()
        self.watchers = 0
        self.is_closing = False
        self._store = store
        self._on_ready = on_ready
        self._woken = asyncio.Event()
        self._has_read = False
        self._cannot_write = False

    @property
    def entries(self) -> Entries:
        """The entries as they were last read."""
        return self.queue.value.entries

    async def read(self) -> Entries:
        """The entries as they are on disk now.

        Raises:
            StorageProblem: They cannot be read; that is published too.
        """
        try:
            entries = await self._store.downloads()
        except StorageProblem as problem:
            self._publish(problem=problem)
            raise
        # That reading works says nothing about a disk that is full.
        self._take(entries, self.queue.value.problem if self._cannot_write else None)
        return entries

    async def change(self, change: Change) -> Entries:
        """Change the queue on disk; the entries as they are then.

        Raises:
            StorageProblem: It cannot be written; that is published too.
            BadInput: What was asked for cannot be; nothing was changed.
        """
        try:
            entries = await self._store.change_downloads(change)
        except StorageProblem as problem:
            self._cannot_write = True
            self._publish(problem=problem)
            raise
        self._cannot_write = False
        self._take(entries, None)
        return entries

    def tell(self, problem: StorageProblem) -> None:
        """Publish why the work cannot go on."""
        self._cannot_write = True
        self._publish(problem=problem)

    def show(self, running: RunningDownload | None) -> None:
        """Publish how far the running download is."""
        if running != self.queue.value.running:
            self.queue.publish(replace(self.queue.value, running=running))

    def show_runner(self, is_runner: bool) -> None:
        """Publish whether this process does the work."""
        if is_runner is not self.queue.value.is_runner:
            self.queue.publish(replace(self.queue.value, is_runner=is_runner))

    def wake(self) -> None:
        """Let the worker look at once."""
        self._woken.set()

    async def rest(self, seconds: float | None) -> bool:
        """Wait until woken, at most so long; whether it was woken.  The worker alone may call this.

        While the board closes nothing is waited for, but others have their turn.
        """
        if self.is_closing:
            await asyncio.sleep(0)
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True

    def _take(self, entries: Entries, problem: StorageProblem | None) -> None:
        before, has_read = self.entries, self._has_read
        self._has_read = True
        self._publish(entries=entries, problem=problem)
        if not has_read:
            return  # what was done before this process looked is no news
        for entry in entries:
            if entry.state is DownloadState.DONE:
                known = find(before, entry.id)
                if known is None or known.state is not DownloadState.DONE:
                    self._on_ready(entry.model_id)

    def _publish(self, *, problem: StorageProblem | None, entries: Entries | None = None) -> None:
        now = self.queue.value
        new = replace(now, entries=now.entries if entries is None else entries, problem=problem)
        if new != now:
            self.queue.publish(new)

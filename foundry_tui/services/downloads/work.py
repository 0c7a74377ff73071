"""The one that does what the queue says, while this process has the lock."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from foundry_tui.domain.downloads import (
    Download,
    DownloadFailure,
    DownloadPhase,
    DownloadReading,
    DownloadState,
)
from foundry_tui.domain.errors import BadInput, EngineUnavailable, FoundryTuiError, StorageProblem
from foundry_tui.domain.health import HealthState
from foundry_tui.domain.models import ModelVariant
from foundry_tui.metrics.transfer import TransferTrack, observed, progress
from foundry_tui.ports.downloads import DownloadProcess, DownloadRunner, ModelChecker
from foundry_tui.ports.machine import ProcessLock
from foundry_tui.services.downloads.board import DownloadBoard, Pace, RunningDownload
from foundry_tui.services.downloads.changes import (
    WAITING,
    Change,
    Entries,
    due,
    find,
    next_due_unix_ms,
    stepped,
    unfinished,
)
from foundry_tui.services.downloads.check import check_of, in_daemon_thread
from foundry_tui.services.downloads.preflight import NotEnoughRoom, Preflight, preflight, removal_in_words
from foundry_tui.services.downloads.retry import RetryPolicy, after_failure

__all__ = ["DownloadTools", "DownloadWork"]

_OVER = frozenset({DownloadPhase.DONE, DownloadPhase.FAILED, DownloadPhase.DIED})
_RUNNING = frozenset({DownloadState.RUNNING})
_VERIFYING = frozenset({DownloadState.VERIFYING})
_SETTLED = frozenset({DownloadState.DONE, DownloadState.CANCELLED})
_MS_PER_S = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadTools:
    """What the work is done with.

    Attributes:
        free_bytes: Room on the disk of the cache; blocks, and may raise ``OSError``.
        models: All that are known, for what could make room.
        folder_of: Where the files of a model lie; blocks.  None if they are not there.
        discard: Takes a damaged model off the disk before it is fetched anew, for the runtime would say
            that all of it is here; None leaves that to the user.
        new_id: A name for an entry that no other has.
        chance: A random number from 0 to 1.
        unix_ms: The time of day.
        label: What others are told of this process.
        only_own: Whether only what was asked for through this process is begun here, as a command does.
    """

    runner: DownloadRunner
    lock: ProcessLock
    checker: ModelChecker
    free_bytes: Callable[[], int]
    models: Callable[[], tuple[ModelVariant, ...]]
    folder_of: Callable[[str], Path | None]
    new_id: Callable[[], str]
    discard: Callable[[str], Awaitable[None]] | None = None
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    pace: Pace = field(default_factory=Pace)
    chance: Callable[[], float] = random.random
    unix_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    label: str = "another process"
    only_own: bool = False


class DownloadWork:
    """Takes the lock when something is due, does one thing after the other, and gives it back.

    Whoever has the lock is alone with entries that are ``RUNNING`` or ``VERIFYING``; everybody may change
    the others, and put an end to those two.  Each step is written before what it rests on is forgotten, so
    that the next one to take the lock finds out what became of it, whenever this process was killed.
    """

    def __init__(self, board: DownloadBoard, tools: DownloadTools) -> None:
        self._board = board
        self._tools = tools
        self._has_lock = False
        self._attached: dict[str, DownloadProcess] = {}
        self._seen: tuple[str, TransferTrack] | None = None

    async def run(self) -> None:
        """Work until the board closes."""
        try:
            while not self._board.is_closing:
                try:
                    await self._turn()
                except StorageProblem as problem:
                    self._board.tell(problem)
                    await self._board.rest(self._tools.pace.again_s)
        finally:
            await self._give_back()

    async def room_for(self, model_id: str, size_bytes: int | None, before_it: Entries) -> Preflight:
        """Whether it fits on the disk.

        Raises:
            StorageProblem: The disk cannot be asked.
        """
        models = self._tools.models()

        def add_up() -> Preflight:
            return preflight(
                model_id,
                size_bytes,
                models=models,
                partials=self._tools.runner.partials(),
                free_bytes=self._tools.free_bytes(),
                before_it=before_it,
            )

        try:
            return await asyncio.to_thread(add_up)
        except OSError as error:
            raise StorageProblem(
                f"the disk of the model cache cannot be asked for its free space: {error.strerror}",
                remedy="check that the folder is there, or name another with --model-cache-dir",
            ) from error

    async def _turn(self) -> None:
        board, tools = self._board, self._tools
        for download_id, wish in tuple(board.held.items()):
            with suppress(BadInput):  # it was cleared away meanwhile
                await board.change(wish)
            board.held.pop(download_id, None)
        entries = await board.read()
        entry = self._next(entries)
        if self._has_lock:
            if entry is not None:
                await self._do(entry)
            else:
                # The next turn reads once more: who added something until now could not take the lock.
                await self._give_back()
        elif entry is None:
            board.show(None)
            await board.rest(self._pause_s(entries))
        elif await asyncio.to_thread(tools.lock.acquire, tools.label):
            self._has_lock = True
            board.show_runner(True)
            try:
                await self._take_over()
            except StorageProblem:
                await self._give_back()  # what was not taken over is not to be begun a second time
                raise
        else:
            await self._look_on(entries)

    def _next(self, entries: Entries) -> Download | None:
        tools = self._tools
        others = (
            {entry.id for entry in entries if entry.state in WAITING} - self._board.own
            if tools.only_own
            else set()
        )
        return due(entries, tools.unix_ms(), but=others)

    def _pause_s(self, entries: Entries) -> float | None:
        pace, pauses = self._tools.pace, []
        if self._board.watchers:
            pauses.append(pace.watch_s)
        elif any(entry.state not in _SETTLED for entry in entries):
            # Another process may let it go on, and here it would be shown as it was for ever.
            pauses.append(pace.lock_s)
        now_ms = self._tools.unix_ms()
        if (next_ms := next_due_unix_ms(entries, now_ms)) is not None:
            pauses.append(min((next_ms - now_ms) / _MS_PER_S, pace.clock_s))
        return min(pauses, default=None)

    async def _give_back(self) -> None:
        if self._has_lock:
            self._has_lock = False
            self._attached.clear()
            self._board.show_runner(False)
            await asyncio.to_thread(self._tools.lock.release)

    async def _take_over(self) -> None:
        """Find what an earlier life, or a process that had the lock, has left."""
        for process in await asyncio.to_thread(self._tools.runner.running):
            reading = await asyncio.to_thread(process.look)
            entries = await self._board.read()
            entry = unfinished(entries, process.model_id)
            is_over = reading.phase in _OVER
            is_known = any(other.model_id == process.model_id for other in entries)
            if entry is None and not is_known and not is_over:
                await self._adopt(process, reading)
            elif entry is None or entry.state is not DownloadState.RUNNING:
                # It was cancelled or paused, or its end was acted upon, and nobody came to say so.
                await self._end(process)
            elif reading.phase is DownloadPhase.DIED:
                await asyncio.to_thread(process.forget)
            else:
                self._attached[entry.id] = process

    async def _adopt(self, process: DownloadProcess, reading: DownloadReading) -> None:
        """A download goes on of which the queue knows nothing: it is shown, and can be cancelled."""
        entry = Download(
            id=self._tools.new_id(),
            model_id=process.model_id,
            added_unix_ms=self._tools.unix_ms(),
            place=0,
            state=DownloadState.RUNNING,
            size_bytes=reading.total_bytes,
            outlives_app=True,
        )
        await self._board.change(lambda entries: (*entries, entry))
        self._attached[entry.id] = process

    async def _look_on(self, entries: Entries) -> None:
        """Another process has the lock: show what it does to whoever watches."""
        board, pace = self._board, self._tools.pace
        running = next((entry for entry in entries if entry.state is DownloadState.RUNNING), None)
        if not board.watchers or running is None:
            self._seen = None
            board.show(None)
            await board.rest(pace.watch_s if board.watchers else pace.lock_s)
            return
        processes = await asyncio.to_thread(self._tools.runner.running)
        process = next((one for one in processes if one.model_id == running.model_id), None)
        for _ in range(max(1, round(pace.watch_s / pace.look_s))):
            if process is not None:
                await self._look(running, process)
            if await board.rest(pace.look_s):
                return

    async def _do(self, entry: Download) -> None:
        if entry.state is DownloadState.VERIFYING:
            await self._verify(entry)
        elif entry.state is not DownloadState.RUNNING:
            await self._begin(entry)
        elif (process := self._attached.pop(entry.id, None)) is not None:
            await self._follow(entry, process)
        else:
            # Its process died with the app, or with the machine; what it fetched is there.
            await self._step(entry, _RUNNING, lambda now: replace(now, state=DownloadState.QUEUED))

    async def _begin(self, entry: Download) -> None:
        try:
            await self._clear_the_way(entry)
        except FoundryTuiError as error:
            message, remedy = error.message, error.remedy
            await self._failed(entry, WAITING, DownloadFailure.OTHER, message, remedy=remedy)
            return
        entries = await self._board.change(lambda entries: stepped(entries, entry.id, WAITING, _begun))
        claimed = find(entries, entry.id)
        if claimed is None or claimed.state is not DownloadState.RUNNING:
            return
        try:
            process = await asyncio.to_thread(
                self._tools.runner.begin, entry.model_id, total_bytes=entry.size_bytes
            )
        except EngineUnavailable as error:
            await self._failed(claimed, _RUNNING, DownloadFailure.NETWORK, error.message, remedy=error.remedy)
        except FoundryTuiError as error:
            await self._failed(claimed, _RUNNING, DownloadFailure.OTHER, error.message, remedy=error.remedy)
        else:
            if claimed.outlives_app:
                await asyncio.to_thread(process.let_live)
            await self._follow(claimed, process)

    async def _clear_the_way(self, entry: Download) -> None:
        """See that there is room, and that no damaged files make the runtime believe that all is here."""
        with suppress(StorageProblem):  # a folder that is not there yet is made by the runtime
            room = await self.room_for(entry.model_id, entry.size_bytes, ())
            if not room.is_enough:
                raise NotEnoughRoom(room)
        if self._tools.discard is not None:
            health = await asyncio.to_thread(self._tools.checker.last, entry.model_id)
            if health.state is HealthState.DAMAGED:
                await self._tools.discard(entry.model_id)

    async def _follow(self, entry: Download, process: DownloadProcess) -> None:
        """Look at it until it ends, or until somebody wants it to."""
        board, pace = self._board, self._tools.pace
        looks_per_read = max(1, round(pace.read_s / pace.look_s))
        lives_on = entry.outlives_app
        looks = 0
        try:
            while True:
                reading = await self._look(entry, process)
                if reading.phase in _OVER:
                    await self._act_on_end(entry, process, reading)
                    return
                is_woken = await board.rest(pace.look_s)
                looks += 1
                if not is_woken and looks % looks_per_read:
                    continue
                try:
                    now = find(await board.read(), entry.id)
                except StorageProblem:
                    now = entry  # it is told of; the download goes on
                if now is None or now.state is not DownloadState.RUNNING or entry.id in board.held:
                    await self._end(process)
                    return
                if now.outlives_app and not lives_on:
                    await asyncio.to_thread(process.let_live)
                    lives_on = True
                if board.is_closing:
                    if not lives_on:
                        await self._end(process)
                        await self._step(
                            entry, _RUNNING, lambda now: replace(now, state=DownloadState.QUEUED)
                        )
                    return
        finally:
            self._seen = None
            board.show(None)

    async def _look(self, entry: Download, process: DownloadProcess) -> DownloadReading:
        reading = await asyncio.to_thread(process.look)
        before = self._seen[1] if self._seen is not None and self._seen[0] == entry.id else None
        track = observed(before, reading)
        self._seen = (entry.id, track)
        self._board.show(
            RunningDownload(
                download_id=entry.id,
                model_id=entry.model_id,
                phase=reading.phase,
                progress=progress(track, reading.at_ns),
            )
        )
        return reading

    async def _act_on_end(self, entry: Download, process: DownloadProcess, reading: DownloadReading) -> None:
        if reading.phase is DownloadPhase.DONE:
            is_written = await self._step(
                entry,
                _RUNNING,
                lambda now: replace(now, state=DownloadState.VERIFYING, problem=None, remedy=None),
            )
        else:
            failure = reading.failure or DownloadFailure.OTHER
            is_written = await self._failed(
                entry,
                _RUNNING,
                None if reading.phase is DownloadPhase.DIED else failure,
                reading.message,
                fetched_bytes=0 if self._seen is None else self._seen[1].fetched_bytes,
            )
        if is_written:
            await asyncio.to_thread(process.forget)

    async def _failed(
        self,
        entry: Download,
        states: frozenset[DownloadState],
        failure: DownloadFailure | None,
        message: str | None,
        *,
        fetched_bytes: int = 0,
        remedy: str | None = None,
    ) -> bool:
        if failure is DownloadFailure.DISK_FULL:
            try:
                room = await self.room_for(entry.model_id, entry.size_bytes, ())
                remedy = f"{removal_in_words(room.removable)}; then retry: what is here is kept"
            except StorageProblem:
                remedy = None
        tools, chance = self._tools, self._tools.chance()
        return await self._step(
            entry,
            states,
            lambda now: after_failure(
                now,
                failure,
                message,
                fetched_bytes=fetched_bytes,
                now_unix_ms=tools.unix_ms(),
                policy=tools.policy,
                chance=chance,
                remedy=remedy,
            ),
        )

    async def _verify(self, entry: Download) -> None:
        board, tools = self._board, self._tools
        check = check_of(entry.model_id, checker=tools.checker, folder_of=tools.folder_of)
        checking = in_daemon_thread(f"check of {entry.id}", check, on_done=board.wake)
        while not checking.done():
            await board.rest(tools.pace.read_s)
            now = find(await board.read(), entry.id)
            is_wanted = (
                now is not None and now.state is DownloadState.VERIFYING and entry.id not in board.held
            )
            if not checking.done() and (board.is_closing or not is_wanted):
                checking.cancel()  # the thread reads on, and nobody listens
                return
        problem = checking.result().problem
        done = DownloadState.DONE if problem is None else DownloadState.FAILED
        remedy = "retry fetches it anew" if tools.discard else "remove it, and download it again"
        await self._step(
            entry,
            _VERIFYING,
            lambda now: replace(
                now,
                state=done,
                problem=problem,
                remedy=None if problem is None else remedy,
                ended_unix_ms=tools.unix_ms(),
            ),
        )

    async def _step(
        self, entry: Download, states: frozenset[DownloadState], step: Callable[[Download], Download]
    ) -> bool:
        """Write what became of ``entry``, unless somebody put an end to it; False if it cannot be written."""
        change: Change = lambda entries: stepped(entries, entry.id, states, step)  # noqa: E731
        while True:
            try:
                await self._board.change(change)
            except StorageProblem:
                if self._board.is_closing:
                    return False
                await self._board.rest(self._tools.pace.again_s)
            else:
                return True

    async def _end(self, process: DownloadProcess) -> None:
        """Kill it and take its words off the disk; if it does not die, who takes over next does that."""
        pace = self._tools.pace
        await asyncio.to_thread(process.kill)
        for _ in range(max(1, round(pace.gone_s / pace.poll_s))):
            if (await asyncio.to_thread(process.look)).phase in _OVER:
                await asyncio.to_thread(process.forget)
                return
            await asyncio.sleep(pace.poll_s)  # a process of somebody else's tells nobody when it ends


def _begun(entry: Download) -> Download:
    return replace(entry, state=DownloadState.RUNNING, not_before_unix_ms=None, problem=None, remedy=None)

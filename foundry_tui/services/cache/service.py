"""The models on this disk: what they take, when they were used, removing one, moving all of them.

A model is removed by deleting its folder, not by the runtime's ``remove_from_cache``.  That one removes only
what a catalog lists, so not what a catalog no longer has, and leaves the empty folder behind.  Measured on
2.2.1: a host that runs does not see what others remove.  It goes on saying "cached" until it is restarted or
the files are back, and a load fails with "model not found at path".  What it had loaded goes on answering, on
Linux.  A model that is loaded is refused here all the same.
"""

import asyncio
import json
import logging
import secrets
import shutil
import threading
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from foundry_tui.aio import Feed
from foundry_tui.domain.cache import (
    CachedModel,
    CacheReport,
    DiskSpace,
    MoveOutcome,
    MovePhase,
    MoveProgress,
    UnfinishedMove,
)
from foundry_tui.domain.downloads import Partial
from foundry_tui.domain.errors import BadInput, ModelNotFound, ModelRefused, StorageProblem
from foundry_tui.domain.health import HealthState, ModelHealth
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.services.cache.health import HealthService
from foundry_tui.services.cache.last_used import LastUsed
from foundry_tui.services.cache.move import CacheMove
from foundry_tui.services.small_files import put_json

__all__ = ["CacheService", "Disk"]

_LOG = logging.getLogger(__name__)
_TRASH = ".removed-"
_UNFINISHED = "download.tmp"
# <publisher>/<name>-<version>: whatever lies higher holds more than one model.
_DEPTH = 2


class Disk(Protocol):
    """Reads disks and folders.  Blocks."""

    def space(self, path: Path) -> DiskSpace | None:
        """The disk that ``path`` lies on, or would; None if it cannot be read."""
        ...

    def allocated(self, folder: Path) -> int | None:
        """Bytes that a folder takes; None if it is none."""
        ...

    def freed(self, folder: Path) -> int | None:
        """Bytes that removing it would give back; None if it is none."""
        ...


class CacheService:
    """Implements what a cache pane and ``models remove`` offer.

    Args:
        folder: Where downloads go.
        journal: A small file in the data directory that remembers a move under way.
        models: The list as it is now.
        downloading: Ids that are being fetched right now.
        partials: Finds unfinished downloads; blocks.
        disk: Reads disks.
        health: What is known of the files; told of a removal.
        used: When models were used; told of a removal.

    Attributes:
        progress: A move under way; None otherwise.
    """

    def __init__(
        self,
        folder: Path,
        *,
        journal: Path,
        models: Callable[[], Sequence[ModelVariant]],
        downloading: Callable[[], Collection[str]],
        partials: Callable[[], Sequence[Partial]],
        disk: Disk,
        health: HealthService,
        used: LastUsed,
    ) -> None:
        self._folder = folder
        self._journal = journal
        self._models = models
        self._downloading = downloading
        self._partials = partials
        self._disk = disk
        self._health = health
        self._used = used
        self._changing = asyncio.Lock()
        self.progress: Feed[MoveProgress | None] = Feed(None)

    @property
    def folder(self) -> Path:
        """Where downloads go; the new place after a move."""
        return self._folder

    def touch(self, model_id: str) -> None:
        """That model is used now; written behind."""
        self._used.touch(model_id)

    async def report(self) -> CacheReport:
        """Look at the disk now; takes milliseconds for each model."""
        models = [model for model in self._models() if model.path is not None]
        results, times = self._health.results.value, self._used.times
        folder = self._folder

        def read() -> CacheReport:
            rows = [
                CachedModel(
                    model_id=model.id,
                    path=model.path,
                    disk_bytes=self._disk.allocated(Path(model.path)),
                    is_own=model.catalog is CatalogKind.LOCAL,
                    is_loaded=model.is_loaded is True,
                    last_used_unix=times.get(model.id),
                    health=results.get(model.id) or ModelHealth(model_id=model.id, state=HealthState.UNKNOWN),
                )
                for model in models
                if model.path is not None
            ]
            return CacheReport(
                folder=str(folder),
                models=tuple(sorted(rows, key=lambda row: -(row.disk_bytes or 0))),
                partials=tuple(self._partials()),
                total_bytes=self._disk.allocated(folder),
                space=self._disk.space(folder),
            )

        return await asyncio.to_thread(read)

    async def frees(self, model_id: str) -> int | None:
        """What removing that model would give back, in bytes; None if it cannot be read.

        Raises:
            ModelNotFound, ModelRefused: As ``remove``.
        """
        return await asyncio.to_thread(lambda: self._disk.freed(self._removable(model_id)))

    async def remove(self, model_id: str) -> int:
        """Delete the files of a downloaded model; the bytes that this freed.

        Its folder is put aside first, in one step: a model is there whole or not at all.  The caller lists
        the models again.

        Raises:
            ModelNotFound: There is none of that id.
            ModelRefused: It is loaded, being downloaded, the user's own, or not below the cache directory.
            StorageProblem: It cannot be deleted, in use by another program for example.
        """
        async with self._changing:
            freed = await asyncio.to_thread(lambda: self._delete(self._removable(model_id)))
            await self._health.forget(model_id)
            self._used.forget(model_id)
            return freed

    async def tidy(self) -> int:
        """Delete what a removal that was interrupted had put aside; the bytes that this freed."""
        async with self._changing:
            return await asyncio.to_thread(self._empty_trash)

    async def unfinished_move(self) -> UnfinishedMove | None:
        """A move that was interrupted, by this program or the system; None if there is none.

        ``move`` to the same target goes on with it, ``abandon_move`` takes it back.  Once switched,
        ``finish_move`` removes the old folder.
        """
        return await asyncio.to_thread(self._read_journal)

    async def move(self, target: Path, switch: Callable[[Path], Awaitable[None]]) -> MoveOutcome:
        """Bring all models to another folder; the old one goes last, and only after all was found equal.

        Cancelled before the switch, it takes back what was copied.  Cancelled later, or killed at any time,
        it leaves one whole copy in force and ``unfinished_move`` tells what is left to do.

        Args:
            target: A folder that is missing or empty, in full.
            switch: Makes the program use the new folder from now on, lastingly: saves the setting, starts the
                engine anew.  Where it fails, nothing is deleted.

        Raises:
            BadInput: ``target`` cannot be used, or a folder of the user's own lies below the old one.
            ModelRefused: A model is loaded or being downloaded.
            StorageProblem: Not enough room, or something cannot be read or written.
        """
        async with self._changing:
            await asyncio.to_thread(self._refuse_while_in_use)
            source = self._folder.absolute()
            stop = threading.Event()
            work = self._work(source, target, stop)
            loop = asyncio.get_running_loop()
            try:
                await asyncio.to_thread(self._write_journal, source, target)
                copying = loop.run_in_executor(None, work.bring_over)
                try:
                    moved = await asyncio.shield(copying)
                except BaseException:
                    stop.set()
                    await asyncio.wait([copying])
                    copying.exception()  # seen; what the caller gets is the first one
                    await asyncio.to_thread(self._take_back, work)
                    raise
                self._publish(MoveProgress(phase=MovePhase.SWITCHING, done_bytes=moved, total_bytes=moved))
                await switch(target)
                self._folder = target
                left = await asyncio.to_thread(work.remove_source)
                await asyncio.to_thread(self._journal.unlink, missing_ok=True)
            finally:
                stop.set()
                self._publish(None)
        return MoveOutcome(source=str(source), target=str(target), moved_bytes=moved, left=left)

    async def finish_move(self) -> MoveOutcome | None:
        """Remove what is left of the old folder after a move that was interrupted behind the switch.

        Each file is compared with its copy again before it goes.  None if there is nothing to finish.

        Raises:
            StorageProblem: Something cannot be read or deleted.
        """
        async with self._changing:
            found = await asyncio.to_thread(self._read_journal)
            if found is None or not found.is_switched:
                return None
            stop = threading.Event()
            work = self._work(Path(found.source), Path(found.target), stop)
            try:
                left = await asyncio.to_thread(work.remove_source)
                await asyncio.to_thread(self._journal.unlink, missing_ok=True)
            finally:
                stop.set()
                self._publish(None)
            return MoveOutcome(source=found.source, target=found.target, moved_bytes=0, left=left)

    async def abandon_move(self) -> None:
        """Take back what an interrupted move had copied; the old folder was in force all the time."""
        async with self._changing:
            found = await asyncio.to_thread(self._read_journal)
            if found is not None and not found.is_switched:
                work = self._work(Path(found.source), Path(found.target), threading.Event())
                await asyncio.to_thread(self._take_back, work)

    def _removable(self, model_id: str) -> Path:
        """The folder that may be deleted for that model."""
        model = next((model for model in self._models() if model.id == model_id), None)
        if model is None:
            raise ModelNotFound(f"no model {model_id!r}", remedy="foundry-tui models list shows the ids")
        if model.path is None or model.catalog is CatalogKind.ENDPOINT:
            raise ModelRefused(f"{model_id} is not on this disk", remedy="there is nothing to remove")
        if model.catalog is CatalogKind.LOCAL:
            raise ModelRefused(
                f"{model_id} is a folder of your own and is not deleted",
                remedy="unregister it; its files stay where they are",
            )
        if model.is_loaded:
            raise ModelRefused(f"{model_id} is in memory", remedy="unload it first")
        if model_id in self._downloading():
            raise ModelRefused(f"{model_id} is being downloaded", remedy="cancel the download first")
        path, cache = Path(model.path), self._folder
        # Of the folder that it lies in, since the last part may be a link.
        real = path.parent.resolve() / path.name
        is_below = real.is_relative_to(cache.resolve()) and ".." not in path.parts
        if not is_below or len(real.relative_to(cache.resolve()).parts) < _DEPTH or path.is_symlink():
            raise ModelRefused(
                f"{path} is not a folder of the cache {cache} and is not deleted", remedy="remove it by hand"
            )
        if (real / _UNFINISHED).exists():
            raise ModelRefused(f"{model_id} is an unfinished download", remedy="remove it as such")
        for other in self._models():
            if other.id != model_id and other.path and Path(other.path).resolve().is_relative_to(real):
                raise ModelRefused(
                    f"{path} holds {other.id} too", remedy="unregister or remove that one first"
                )
        return real

    def _delete(self, path: Path) -> int:
        freed = self._disk.freed(path) or 0
        aside = self._folder / f"{_TRASH}{secrets.token_hex(6)}"
        try:
            path.rename(aside)
            with suppress(OSError):  # of another model too
                path.parent.rmdir()
            shutil.rmtree(aside)
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise StorageProblem(
                f"{error.filename or path} cannot be deleted: {error.strerror or error}",
                remedy="close what uses it, or look at its permissions",
            ) from error
        return freed

    def _empty_trash(self) -> int:
        freed = 0
        for path in self._folder.glob(f"{_TRASH}*"):
            taken = self._disk.freed(path) or 0
            try:
                shutil.rmtree(path)
            except OSError as error:
                _LOG.warning("%s cannot be deleted: %s", path, error)
            else:
                freed += taken
        return freed

    def _refuse_while_in_use(self) -> None:
        before = self._read_journal()
        if before is not None and before.is_switched:
            raise BadInput(
                f"what the last move left in {before.source} is not removed yet",
                remedy="finish that move first",
            )
        loaded = [model.id for model in self._models() if model.is_loaded]
        if loaded:
            raise ModelRefused(f"{loaded[0]} is in memory", remedy="unload all models first")
        if busy := sorted(self._downloading()):
            raise ModelRefused(f"{busy[0]} is being downloaded", remedy="pause the downloads first")
        if locked := [partial for partial in self._partials() if partial.is_locked]:
            raise ModelRefused(
                f"another program downloads {locked[0].model_id or locked[0].path}",
                remedy="wait for its end, or stop it, first",
            )
        cache = self._folder.resolve()
        for model in self._models():
            own = model.catalog is CatalogKind.LOCAL and model.path is not None
            if own and Path(model.path or "").resolve().is_relative_to(cache):
                raise BadInput(
                    f"{model.id} is a folder of your own and lies below {self._folder}",
                    remedy="unregister it, or move it elsewhere, first",
                )

    def _work(self, source: Path, target: Path, stop: threading.Event) -> CacheMove:
        loop = asyncio.get_running_loop()

        def step(progress: MoveProgress) -> None:
            if stop.is_set():
                raise _Stopped
            loop.call_soon_threadsafe(show, progress)

        def show(progress: MoveProgress) -> None:
            if not stop.is_set():
                self._publish(progress)

        return CacheMove(source, target, space=self._disk.space, step=step)

    def _publish(self, progress: MoveProgress | None) -> None:
        self.progress.publish(progress)

    def _take_back(self, work: CacheMove) -> None:
        work.undo()
        with suppress(OSError):
            self._journal.unlink(missing_ok=True)

    def _write_journal(self, source: Path, target: Path) -> None:
        try:
            put_json(self._journal, {"source": str(source), "target": str(target)})
        except OSError as error:
            raise StorageProblem(
                f"{self._journal} cannot be written: {error.strerror or error}",
                remedy="free some space or its permissions; nothing was moved",
            ) from error

    def _read_journal(self) -> UnfinishedMove | None:
        try:
            content: object = json.loads(self._journal.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            _LOG.warning("%s cannot be read: %s", self._journal, error)
            return None
        match content:
            case {"source": str() as source, "target": str() as target}:
                in_force = str(self._folder.absolute())
                if in_force in (source, target):
                    return UnfinishedMove(source=source, target=target, is_switched=in_force == target)
        return None


class _Stopped(Exception):
    """Ends a move in its thread after its task was cancelled."""

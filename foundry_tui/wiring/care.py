"""Everything around one model cache."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from foundry_tui.aio import Tasks
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.models import ModelVariant
from foundry_tui.engines.catalog.files import ModelFolders
from foundry_tui.engines.downloads.runner import ChildDownloads
from foundry_tui.engines.hosting.configs import ManagedConfig
from foundry_tui.engines.model_files.check import FileModelChecker
from foundry_tui.launching import Launch, host_of
from foundry_tui.resources.disk import LocalDisk, disk_space
from foundry_tui.services.cache.health import HealthService
from foundry_tui.services.cache.last_used import LastUsed
from foundry_tui.services.cache.removing import remove_model
from foundry_tui.services.cache.service import CacheService
from foundry_tui.services.client import ClientService
from foundry_tui.services.downloads.changes import AT_WORK
from foundry_tui.services.downloads.facade import Downloads, DownloadTools
from foundry_tui.services.downloads.licenses import Licenses
from foundry_tui.services.model_care import ModelCare
from foundry_tui.services.settings import SettingsService
from foundry_tui.services.setup import Setup
from foundry_tui.storage import (
    FileLock,
    has_unfinished_downloads,
)
from foundry_tui.wiring.archive import Archive, database_path, settings_file
from foundry_tui.wiring.engines import backend_of

__all__ = ["Shelf", "open_care"]


@asynccontextmanager
async def open_care(
    launch: Launch,
    shelf: "Shelf",
    archive: Archive,
    client: ClientService,
    health: HealthService,
    licenses: Licenses,
    background: Tasks,
    *,
    latest: Callable[[], Setup],
    only_own: bool,
) -> AsyncGenerator[ModelCare, None]:
    """What looks after the models of one cache directory; the queue begins to work when it is started."""
    data_dir = launch.setup.data_dir
    used = LastUsed(data_dir / "last-used.json")
    runner = ChildDownloads(
        shelf.config, state_dir=data_dir / "downloads", log_dir=launch.setup.logs_dir / "downloads"
    )

    def models() -> tuple[ModelVariant, ...]:
        return client.catalog.value.models

    def at_work() -> set[str]:
        return {entry.model_id for entry in downloads.queue.value.entries if entry.state in AT_WORK}

    def ready(model_id: str) -> None:
        background.start("note a download", _note(client, health, model_id))

    async def discard(model_id: str) -> None:
        await remove_model(client, cache, model_id)

    async def move_to(folder: Path) -> None:
        """Use that cache directory from now on, lastingly."""
        if launch.options.model_cache_dir is not None:
            raise BadInput(
                "the cache directory was given on the command line, where it cannot be changed",
                remedy="start without --model-cache-dir, or with the new folder",
            )
        await SettingsService(settings_file(launch)).save({"engine.model_cache_dir": str(folder)})
        host = await asyncio.to_thread(host_of, launch, None, None)
        if isinstance(host, ManagedConfig):
            await client.switch(backend_of(launch, host), stop_first=True)
            shelf.use(host)
            runner.use(host)

    cache = CacheService(
        Path(shelf.config.cache_dir),
        journal=data_dir / "cache-move.json",
        models=models,
        downloading=at_work,
        partials=runner.partials,
        disk=LocalDisk(),
        health=health,
        used=used,
    )
    downloads = Downloads(
        archive.downloads,
        licenses,
        DownloadTools(
            runner=runner,
            lock=FileLock(data_dir / "downloads.lock"),
            checker=FileModelChecker(data_dir / "manifests"),
            free_bytes=shelf.free_bytes,
            models=models,
            folder_of=lambda model_id: shelf.folder_of(model_id, models()),
            new_id=lambda: uuid4().hex,
            discard=discard,
            label=f"foundry-tui, process {os.getpid()}",
            only_own=only_own,
        ),
        on_ready=ready,
        quiet_hour=lambda: latest().quiet_hour,
    )
    try:
        yield ModelCare(
            client=client,
            downloads=downloads,
            runner=runner,
            licenses=licenses,
            health=health,
            cache=cache,
            used=used,
            has_queue=lambda: has_unfinished_downloads(database_path(launch)),
            space=disk_space,
            move_to=move_to,
        )
    finally:
        try:
            await downloads.aclose()
        finally:
            await used.aclose()


class Shelf:
    """Where the runtime puts the models of the cache directory of the moment."""

    def __init__(self, config: ManagedConfig) -> None:
        self.use(config)

    def use(self, config: ManagedConfig) -> None:
        """Look there from now on."""
        self.config = config
        self._folders = ModelFolders(Path(config.cache_dir))

    def free_bytes(self) -> int:
        """Room on its disk.

        Raises:
            OSError: It cannot be read.
        """
        space = disk_space(Path(self.config.cache_dir))
        if space is None:
            raise OSError(f"the disk of {self.config.cache_dir} cannot be read")
        return space.free_bytes

    def folder_of(self, model_id: str, models: Sequence[ModelVariant]) -> Path | None:
        """Where the files of that very variant lie; None if they are not here.  Blocks."""
        model = next((model for model in models if model.id == model_id), None)
        path = None if model is None else model.path or self._folders.find(model)
        if path is None or not os.path.isdir(path):  # noqa: PTH112 - no error for a name too long
            return None
        return Path(path)


async def _note(client: ClientService, health: HealthService, model_id: str) -> None:
    """A download is complete: what its check found counts, and the engine is to see it."""
    await health.recall([model_id])
    client.adopt([model_id])

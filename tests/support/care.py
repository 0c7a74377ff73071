"""What looks after the models on a disk, with downloads that the test drives and a queue in memory."""

from pathlib import Path
from uuid import uuid4

from foundry_tui.domain.cache import DiskSpace
from foundry_tui.domain.models import ModelVariant
from foundry_tui.engines.model_files.check import FileModelChecker
from foundry_tui.resources.disk import LocalDisk
from foundry_tui.services.cache.health import HealthService
from foundry_tui.services.cache.last_used import LastUsed
from foundry_tui.services.cache.service import CacheService
from foundry_tui.services.client import ClientService
from foundry_tui.services.downloads.changes import AT_WORK
from foundry_tui.services.downloads.facade import Downloads, DownloadTools
from foundry_tui.services.downloads.licenses import Licenses
from foundry_tui.services.model_care import ModelCare
from foundry_tui.services.setup import LicensePolicy
from tests.support.download_rig import QUICK
from tests.support.downloads import ScriptedDownloads
from tests.support.memory_downloads import MemoryDownloads, MemoryLicenses, MemoryLock

__all__ = ["FREE_BYTES", "care_over"]

FREE_BYTES = 100_000_000_000


class _SteadyDisk(LocalDisk):
    """A disk with as much room on every machine."""

    def space(self, path: Path) -> DiskSpace | None:
        return DiskSpace(total_bytes=4 * FREE_BYTES, free_bytes=FREE_BYTES)


def care_over(
    client: ClientService, folder: Path, runner: ScriptedDownloads, *, policy: LicensePolicy | None = None
) -> ModelCare:
    """Everything around the cache at ``folder / "cache"``; the queue works once it is started."""
    cache_dir = folder / "cache"
    cache_dir.mkdir(parents=True, exist_ok=True)
    checker = FileModelChecker(folder / "manifests")

    def models() -> tuple[ModelVariant, ...]:
        return client.catalog.value.models

    def folder_of(model_id: str) -> Path | None:
        found = next((model for model in models() if model.id == model_id), None)
        return None if found is None or found.path is None else Path(found.path)

    def at_work() -> set[str]:
        return {entry.model_id for entry in downloads.queue.value.entries if entry.state in AT_WORK}

    async def move_to(target: Path) -> None:
        del target  # nothing runs on the cache

    disk = _SteadyDisk()
    health = HealthService(checker, folder_of)
    used = LastUsed(folder / "last-used.json")
    licenses = Licenses(MemoryLicenses(), policy=lambda: policy or LicensePolicy())
    cache = CacheService(
        cache_dir,
        journal=folder / "cache-move.json",
        models=models,
        downloading=at_work,
        partials=runner.partials,
        disk=disk,
        health=health,
        used=used,
    )
    downloads = Downloads(
        MemoryDownloads(),
        licenses,
        DownloadTools(
            runner=runner,
            lock=MemoryLock(),
            checker=checker,
            free_bytes=lambda: FREE_BYTES,
            models=models,
            folder_of=folder_of,
            new_id=lambda: uuid4().hex,
            pace=QUICK,
        ),
        on_ready=lambda model_id: client.adopt([model_id]),
    )
    return ModelCare(
        client=client,
        downloads=downloads,
        runner=runner,
        licenses=licenses,
        health=health,
        cache=cache,
        used=used,
        has_queue=lambda: False,
        space=disk.space,
        move_to=move_to,
    )

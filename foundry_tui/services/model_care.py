"""What looks after the models on this machine's disk: fetched, licensed, sound, removed, moved."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from foundry_tui.domain.cache import DiskSpace
from foundry_tui.domain.downloads import Download
from foundry_tui.ports.downloads import DownloadRunner
from foundry_tui.services.cache.health import HealthService
from foundry_tui.services.cache.last_used import LastUsed
from foundry_tui.services.cache.removing import remove_model
from foundry_tui.services.cache.service import CacheService
from foundry_tui.services.client import ClientService
from foundry_tui.services.downloads.facade import Downloads
from foundry_tui.services.downloads.licenses import Licenses

__all__ = ["ModelCare"]

_LOOK_S = 5.0
"""Between two looks for downloads that another process has begun; each takes a millisecond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCare:
    """The services around one model cache.

    Attributes:
        runner: Finds what was left in the middle.
        used: When each model was used last.
        has_queue: Whether an earlier life has left downloads that have not ended; blocks.
        space: What the disk of a path has left; blocks.
        move_to: Uses another cache directory from now on, lastingly; for ``CacheService.move``.
    """

    client: ClientService
    downloads: Downloads
    runner: DownloadRunner
    licenses: Licenses
    health: HealthService
    cache: CacheService
    used: LastUsed
    has_queue: Callable[[], bool]
    space: Callable[[Path], DiskSpace | None]
    move_to: Callable[[Path], Awaitable[None]]

    async def take_up(self) -> None:
        """Go on with the queue that earlier lives have left or another process fills; waits for one.

        Not before the first frame.
        """
        await self.used.recall()
        # An empty queue is not worth the 20 MB of the database's driver.
        while not await asyncio.to_thread(self.has_queue):  # noqa: ASYNC110 - other processes tell nobody
            await asyncio.sleep(_LOOK_S)
        self.downloads.start()

    async def recall(self) -> None:
        """Have the list say what earlier checks found, so that nothing damaged is loaded silently."""
        here = [model.id for model in self.client.catalog.value.models if model.is_cached]
        await self.health.recall(here)
        if any(self.health.problem_of(model_id) is not None for model_id in here):
            await self.client.look_again()

    async def repair(self, model_id: str) -> Download:
        """Take a damaged model off the disk and queue it again: the runtime would say that all is here.

        Raises:
            BadInput: It is a folder of the user's own, its licence is denied, or there is no room.
            EngineError: It is in memory, or is in no catalog.
            StorageProblem: It cannot be deleted, or the queue cannot be written.
        """
        model = self.client.find(model_id)
        await self.licenses.require(model)
        await remove_model(self.client, self.cache, model_id)
        self.downloads.start()
        return await self.downloads.add(model)

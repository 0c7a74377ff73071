"""What the public catalogs offer to any machine: from their files at once, from the network when asked."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Set
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import urlsplit

from foundry_tui.domain.errors import EngineUnavailable, StorageProblem
from foundry_tui.domain.models import (
    CatalogKind,
    CatalogListing,
    CatalogSnapshot,
    CatalogSource,
    ModelVariant,
)
from foundry_tui.services.calm import calm
from foundry_tui.services.engine.availability import why_unavailable

__all__ = ["CacheFolders", "CatalogReader", "CatalogStore", "Catalogs"]

_LOG = logging.getLogger(__name__)


class CatalogReader(Protocol):
    """Asks public catalogs what they offer to any machine, over the network."""

    async def fetch(self, url: str) -> tuple[ModelVariant, ...]:
        """All variants that the catalog at ``url`` has; nothing is known here of files and memory.

        Raises:
            EngineUnavailable: It cannot be reached, or what it says is no catalog; the message is the reason.
        """
        ...

    async def probe(self, url: str) -> bool:
        """Whether the catalog at ``url`` answers as one, found out at little cost."""
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


class CatalogStore(Protocol):
    """What the catalogs said last, on disk.  Blocks, so not on the event loop."""

    def read(self, url: str) -> CatalogListing | None:
        """What was kept of that catalog; None if there is nothing that can be read."""
        ...

    def write(self, url: str, listing: CatalogListing) -> None:
        """Keep it in the place of what was there.

        Raises:
            StorageProblem: It cannot be written; what was there is still there.
        """
        ...


class CacheFolders(Protocol):
    """The folders of downloaded models.  Blocks for milliseconds, so not on the event loop."""

    def complete(self) -> Mapping[str, int]:
        """Folders whose download is complete, by path, with a number that another download would change."""
        ...

    def find(self, model: ModelVariant) -> str | None:
        """The path at which the folder of ``model`` would be; None for a name that can be no folder."""
        ...


@dataclass(slots=True)
class _Source:
    """One catalog, and what is known of it."""

    url: str
    listing: CatalogListing | None = None
    problem: str | None = None

    def told(self) -> CatalogSource:
        saved_at = self.listing.saved_at_unix if self.listing is not None else None
        return CatalogSource(host=_host(self.url), saved_at_unix=saved_at, problem=self.problem)


class Catalogs:
    """All catalogs together: one that is dead takes nothing from the others, and its last list stays.

    Args:
        urls: Asked in this order; what two of them offer is the first one's.
        open_reader: Makes the reader when it is first wanted, in a worker thread, for its imports take time.
        store: Keeps what each said last.
        folders: Where downloads are.
        now_unix: The clock, in seconds.
    """

    def __init__(
        self,
        urls: tuple[str, ...],
        *,
        open_reader: Callable[[], CatalogReader],
        store: CatalogStore,
        folders: CacheFolders,
        now_unix: Callable[[], float] = time.time,
    ) -> None:
        self._sources = [_Source(url) for url in dict.fromkeys(urls)]
        self._open_reader = open_reader
        self._store = store
        self._now_unix = now_unix
        self._reader: CatalogReader | None = None
        self._asking = asyncio.Lock()
        self._is_recalled = False
        self.folders = folders

    @property
    def sources(self) -> tuple[CatalogSource, ...]:
        """How it stands with each."""
        return tuple(source.told() for source in self._sources)

    async def recall(self) -> None:
        """Take what was kept of each, once; what has been fetched meanwhile is fresher."""
        if self._is_recalled:
            return
        self._is_recalled = True
        for source in self._sources:
            with calm():
                kept = await asyncio.to_thread(self._store.read, source.url)
            if source.listing is None:
                source.listing = kept

    async def ask(self, on_answer: Callable[[], Awaitable[None]] | None = None) -> None:
        """Ask all of them at once, and keep what they say; those that fail say why in ``sources``.

        Args:
            on_answer: Called after each that answered, for what the others take their time with.
        """
        async with self._asking, asyncio.TaskGroup() as group:
            for source in self._sources:
                group.create_task(self._ask(source, on_answer))

    async def is_one_back(self) -> bool:
        """Whether one that failed last time answers now; with none that failed, whether any answers."""
        reader = await self._opened()
        failed = [source for source in self._sources if source.problem is not None]
        async with self._asking:
            answers = await asyncio.gather(*(reader.probe(source.url) for source in failed or self._sources))
        return any(answers)

    async def merged(
        self, told: CatalogSnapshot, *, usable: Set[str], runtime_version: str | None
    ) -> CatalogSnapshot:
        """``told`` by the engine, and beside it all that it leaves out.

        Args:
            told: Decides what is on this machine and in memory, and what can run.
            usable: Execution providers that are registered.
            runtime_version: None if it is not known yet.
        """
        await self.recall()
        listings = [source.listing for source in self._sources if source.listing is not None]
        with calm():
            models = await asyncio.to_thread(self._merge, told, listings, usable, runtime_version)
        ages = [listing.saved_at_unix for listing in listings]
        return replace(
            told,
            models=models,
            sources=self.sources,
            # The oldest: what is shown is at least as fresh as that.
            saved_at_unix=min(ages) if ages and len(ages) == len(self._sources) else told.saved_at_unix,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.aclose()

    async def _opened(self) -> CatalogReader:
        if self._reader is None:
            reader = await asyncio.to_thread(self._open_reader)
            if self._reader is None:
                self._reader = reader
        return self._reader

    async def _ask(self, source: _Source, on_answer: Callable[[], Awaitable[None]] | None) -> None:
        reader = await self._opened()
        try:
            with calm():
                models = await reader.fetch(source.url)
        except EngineUnavailable as error:
            source.problem = error.message
            return
        source.problem = None
        source.listing = CatalogListing(models=models, saved_at_unix=int(self._now_unix()))
        try:
            await asyncio.to_thread(self._store.write, source.url, source.listing)
        except StorageProblem as error:
            # It is shown all the same; only the next start will not have it.
            _LOG.warning("%s", error.message)
        if on_answer is not None:
            await on_answer()

    def _merge(
        self,
        told: CatalogSnapshot,
        listings: list[CatalogListing],
        usable: Set[str],
        runtime_version: str | None,
    ) -> tuple[ModelVariant, ...]:
        models = {model.id: model for model in told.models}
        # What the engine lists it can run, so its provider is there.
        running = {
            model.execution_provider
            for model in told.models
            if model.catalog is CatalogKind.PUBLIC and model.execution_provider is not None
        }
        complete = self.folders.complete()
        for listing in listings:
            for model in listing.models:
                if model.id not in models:
                    path = self.folders.find(model)
                    is_here = path in complete
                    models[model.id] = replace(
                        model,
                        is_cached=is_here,
                        is_loaded=False,
                        path=path if is_here else None,
                        unavailable=why_unavailable(model, usable | running, runtime_version),
                    )
        return tuple(models.values())


def _host(url: str) -> str:
    """The part of an address that holds no secret."""
    return urlsplit(url).netloc.rpartition("@")[2]

"""Catalogs, their store and the folders of downloads, in memory, as ``services.catalogs`` wants them."""

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from foundry_tui.domain.errors import EngineUnavailable, StorageProblem
from foundry_tui.domain.models import CatalogKind, CatalogListing, Device, ModelVariant
from foundry_tui.services.engine.catalogs import Catalogs

__all__ = ["SOON_S", "MadeUpCatalogs", "MadeUpFolders", "MadeUpStore", "catalogs_over", "offered"]

SOON_S = 10.0
"""A safety net: what is waited for here takes some hundredths of a second."""
_PROVIDERS = {
    "generic-cpu": (Device.CPU, "CPUExecutionProvider"),
    "cuda-gpu": (Device.GPU, "CUDAExecutionProvider"),
}


def offered(alias: str, kind: str = "generic-cpu") -> ModelVariant:
    """A variant as a catalog tells of it; ``kind`` is ``generic-cpu`` or ``cuda-gpu``."""
    device, provider = _PROVIDERS[kind]
    return ModelVariant(
        id=f"{alias}-{kind}:1",
        alias=alias,
        catalog=CatalogKind.PUBLIC,
        publisher="P",
        device=device,
        execution_provider=provider,
    )


@dataclass
class MadeUpCatalogs:
    """Implements ``CatalogReader``.

    Attributes:
        lists: What each address offers.
        dead: Addresses that do not answer, with the reason.
        gate: If set, every answer waits for it.
        fetched: Addresses that were asked for all, in order.
        probed: Addresses that were probed, in order.
        was_probed: Set with the first of them.
    """

    lists: dict[str, tuple[ModelVariant, ...]] = field(default_factory=dict)
    dead: dict[str, str] = field(default_factory=dict)
    gate: asyncio.Event | None = None
    fetched: list[str] = field(default_factory=list)
    probed: list[str] = field(default_factory=list)
    was_probed: asyncio.Event = field(default_factory=asyncio.Event)
    is_closed: bool = False

    async def fetch(self, url: str) -> tuple[ModelVariant, ...]:
        self.fetched.append(url)
        if self.gate is not None:
            await self.gate.wait()
        if url in self.dead:
            raise EngineUnavailable(self.dead[url])
        return self.lists[url]

    async def probe(self, url: str) -> bool:
        self.probed.append(url)
        self.was_probed.set()
        return url not in self.dead

    async def aclose(self) -> None:
        self.is_closed = True


@dataclass
class MadeUpStore:
    """Implements ``CatalogStore``."""

    kept: dict[str, CatalogListing] = field(default_factory=dict)
    is_full: bool = False

    def read(self, url: str) -> CatalogListing | None:
        return self.kept.get(url)

    def write(self, url: str, listing: CatalogListing) -> None:
        if self.is_full:
            raise StorageProblem("no space left")
        self.kept[url] = listing


@dataclass
class MadeUpFolders:
    """Implements ``CacheFolders``.

    Attributes:
        here: Folders that are complete, with their numbers.
        looks: How often they were looked at.
    """

    here: dict[str, int] = field(default_factory=dict)
    looks: int = 0
    _looked: threading.Condition = field(default_factory=threading.Condition, repr=False)

    def complete(self) -> Mapping[str, int]:
        with self._looked:
            self.looks += 1
            self._looked.notify_all()
        return dict(self.here)

    async def looked_at(self, times: int) -> None:
        """Wait until they were looked at so often since they were made; whoever looks has a thread."""

        def wait() -> None:
            with self._looked:
                assert self._looked.wait_for(lambda: self.looks >= times, SOON_S), "nobody looks any more"

        await asyncio.to_thread(wait)

    def find(self, model: ModelVariant) -> str | None:
        return f"/cache/{model.publisher}/{model.id.replace(':', '-')}"


def catalogs_over(
    reader: MadeUpCatalogs, store: MadeUpStore | None = None, folders: MadeUpFolders | None = None
) -> Catalogs:
    """The service over them, for all addresses that the reader has; its clock stands at 1000 s."""
    return Catalogs(
        tuple(reader.lists),
        open_reader=lambda: reader,
        store=store or MadeUpStore(),
        folders=folders or MadeUpFolders(),
        now_unix=lambda: 1000.0,
    )

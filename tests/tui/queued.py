"""A queue of downloads as a screen is handed one: the real service on a runner and clocks set by hand."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from foundry_tui.domain.downloads import Download, DownloadState, Partial
from foundry_tui.domain.models import CatalogKind, Device, ModelVariant
from foundry_tui.metrics.fit import Fit, MemoryNow, fit_of
from foundry_tui.services.downloads.facade import Downloads, DownloadTools
from foundry_tui.services.downloads.licenses import Licenses
from foundry_tui.services.setup import LicensePolicy
from foundry_tui.tui.screens.download_offer import DownloadOfferScreen
from foundry_tui.tui.screens.downloads import DownloadsScreen
from tests.support.download_rig import QUICK, ScriptedChecker
from tests.support.downloads import ScriptedDownloads
from tests.support.memory_downloads import MemoryDownloads, MemoryLicenses, MemoryLock

__all__ = ["GIB", "MIB", "NIGHT_MS", "NOON_MS", "Queued", "entry", "partial", "queued", "variant"]

MIB = 1 << 20
GIB = 1 << 30
NOON_MS = 1_767_355_200_000  # noon UTC on 2 January 2026
HOUR_MS = 3_600_000
NIGHT_MS = NOON_MS + 14 * HOUR_MS


def variant(model_id: str = "phi-4-mini-generic-cpu:3", **known: object) -> ModelVariant:
    base = ModelVariant(
        id=model_id,
        alias=model_id.partition("-generic")[0],
        catalog=CatalogKind.PUBLIC,
        display_name="Phi 4 mini",
        publisher="Microsoft",
        license="MIT",
        license_text="Permission is hereby granted, free of charge.",
        task="chat-completion",
        device=Device.CPU,
        execution_provider="CPUExecutionProvider",
        size_bytes=2 * GIB,
        context_tokens=131_072,
        is_cached=False,
        is_loaded=False,
    )
    return replace(base, **known)  # type: ignore[arg-type] # each by its name, as the tests give them


def entry(
    name: str, place: int = 1, state: DownloadState = DownloadState.QUEUED, **known: object
) -> Download:
    base = Download(
        id=name,
        model_id=f"{name}-generic-cpu:1",
        added_unix_ms=NOON_MS - HOUR_MS,
        place=place,
        state=state,
        size_bytes=2 * GIB,
    )
    return replace(base, **known)  # type: ignore[arg-type] # likewise


def partial(
    model_id: str | None, disk_bytes: int, *, path: str | None = None, is_locked: bool = False
) -> Partial:
    return Partial(
        model_id=model_id,
        path=path or f"/cache/Loopback/{(model_id or 'unknown').replace(':', '-')}",
        disk_bytes=disk_bytes,
        touched_unix=NOON_MS / 1000 - 7200,
        is_locked=is_locked,
    )


@dataclass(kw_only=True)
class Queued:
    """The queue and everything it stands on.

    Attributes:
        free_bytes: On the disk.
        models: What catalogs list and the cache holds.
        now_ms: The time of day.
        clock_ns: What progress is measured on.
    """

    store: MemoryDownloads = field(default_factory=MemoryDownloads)
    accepted: MemoryLicenses = field(default_factory=MemoryLicenses)
    lock: MemoryLock = field(default_factory=MemoryLock)
    policy: LicensePolicy = field(default_factory=LicensePolicy)
    free_bytes: int = 100 * GIB
    models: list[ModelVariant] = field(default_factory=list[ModelVariant])
    now_ms: int = NOON_MS
    clock_ns: int = 0
    runner: ScriptedDownloads = field(init=False)
    licenses: Licenses = field(init=False)
    downloads: Downloads = field(init=False)

    def __post_init__(self) -> None:
        self.runner = ScriptedDownloads(clock_ns=lambda: self.clock_ns)
        self.licenses = Licenses(self.accepted, policy=lambda: self.policy, unix_ms=lambda: self.now_ms)
        ids = iter(range(1, 10_000))
        tools = DownloadTools(
            runner=self.runner,
            lock=self.lock,
            checker=ScriptedChecker(),
            free_bytes=lambda: self.free_bytes,
            models=lambda: tuple(self.models),
            folder_of=lambda model_id: Path(),
            new_id=lambda: f"new-{next(ids)}",
            pace=QUICK,
            chance=lambda: 1.0,
            unix_ms=lambda: self.now_ms,
        )
        self.downloads = Downloads(self.store, self.licenses, tools, on_ready=lambda model_id: None)

    def find(self, model_id: str) -> ModelVariant | None:
        return next((model for model in self.models if model.id == model_id), None)

    def need(self, model: ModelVariant) -> Fit:
        return fit_of(model, MemoryNow(), host_is_running=True)

    def offer(self, model: ModelVariant, need: Fit | None = None) -> DownloadOfferScreen:
        return DownloadOfferScreen(
            model,
            downloads=self.downloads,
            licenses=self.licenses,
            need=need or self.need(model),
            unix_ms=lambda: self.now_ms,
        )

    def screen(self) -> DownloadsScreen:
        return DownloadsScreen(
            self.downloads,
            runner=self.runner,
            find=self.find,
            offer=self.offer,
            unix_ms=lambda: self.now_ms,
        )

    def state_of(self, name: str) -> DownloadState:
        """What the store says."""
        return self.store.kept[name].state

    def pass_s(self, seconds: float) -> None:
        """Let time go by on both clocks."""
        self.clock_ns += round(seconds * 1e9)
        self.now_ms += round(seconds * 1000)


@asynccontextmanager
async def queued(
    *entries: Download, runs: bool = True, prepare: Callable[[Queued], None] | None = None
) -> AsyncGenerator[Queued, None]:
    """A queue with these entries for the length of the block.

    Args:
        entries: What is in it at first.
        runs: Whether its work is done.
        prepare: Called before anything begins.
    """
    queue = Queued(store=MemoryDownloads({one.id: one for one in entries}))
    if prepare is not None:
        prepare(queue)
    if runs:
        queue.downloads.start()
    else:
        await queue.downloads.refresh()
    try:
        yield queue
    finally:
        await queue.downloads.aclose()

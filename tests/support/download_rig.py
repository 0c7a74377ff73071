"""The queue of downloads on fakes: made by ``Rig``, run by a test, waited for by its own feed."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from foundry_tui.domain.downloads import Download, DownloadState
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.domain.health import FileProblem, HealthState, ModelHealth
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.ports.machine import ProcessLock
from foundry_tui.ports.storage import DownloadStore
from foundry_tui.services.downloads.facade import (
    DownloadQueue,
    Downloads,
    DownloadTools,
    Pace,
    RetryPolicy,
)
from foundry_tui.services.downloads.licenses import Licenses
from foundry_tui.services.setup import LicensePolicy
from tests.support.downloads import ScriptedDownload, ScriptedDownloads
from tests.support.memory_downloads import MemoryDownloads, MemoryLicenses, MemoryLock

__all__ = [
    "DISK_FULL",
    "QUICK",
    "SOON_S",
    "Rig",
    "ScriptedChecker",
    "Wall",
    "has",
    "model",
    "states",
    "until",
]

DISK_FULL = StorageProblem("the disk is full", remedy="free some space")
"""What the runner or the store is told to say."""

SOON_S = 10.0
"""A safety net: what is waited for here takes some hundredths of a second."""
QUICK = Pace(
    look_s=0.004,
    read_s=0.008,
    watch_s=0.012,
    lock_s=0.02,
    again_s=0.01,
    clock_s=0.01,
    gone_s=1.0,
    poll_s=0.002,
)


def model(name: str = "a", *, size_bytes: int | None = 1000) -> ModelVariant:
    """A variant that can be downloaded, under a licence that nobody needs to agree to."""
    return ModelVariant(
        id=f"{name}:1", alias=name, catalog=CatalogKind.PUBLIC, license="MIT", size_bytes=size_bytes
    )


@dataclass
class Wall:
    """The clock on the wall, set by hand."""

    unix_ms: int = 1_000_000

    def __call__(self) -> int:
        return self.unix_ms


@dataclass
class ScriptedChecker:
    """Implements ``ModelChecker``.

    Attributes:
        damaged: What is found wrong, by model.
        gate: If set, a check waits for it.
        raises: Raised by every check.
        checked: Models that were checked, oldest first.
        before: What ``last`` says, by model.
    """

    damaged: dict[str, tuple[FileProblem, ...]] = field(default_factory=dict[str, tuple[FileProblem, ...]])
    gate: threading.Event | None = None
    raises: Exception | None = None
    checked: list[str] = field(default_factory=list[str])
    before: dict[str, HealthState] = field(default_factory=dict[str, HealthState])

    def check(self, model_id: str, folder: Path, *, is_deep: bool) -> ModelHealth:
        self.checked.append(model_id)
        if self.gate is not None:
            self.gate.wait(SOON_S)
        if self.raises is not None:
            raise self.raises
        problems = self.damaged.get(model_id, ())
        state = HealthState.DAMAGED if problems else HealthState.SOUND
        self.before[model_id] = state
        return ModelHealth(model_id=model_id, state=state, is_deep=is_deep, problems=problems)

    def last(self, model_id: str) -> ModelHealth:
        return ModelHealth(model_id=model_id, state=self.before.get(model_id, HealthState.UNKNOWN))

    def forget(self, model_id: str) -> None:
        self.before.pop(model_id, None)


@dataclass(kw_only=True)
class Rig:
    """Everything that one process of the app has; ``other`` makes a second one on the same disk.

    Attributes:
        free: Room on the disk.
        here: All models that the process knows.
        ready: Models that were told to be ready, oldest first.
        folder: Where every model's files lie; None if they do not.
        discarded: Models that were taken off the disk before they were fetched anew.
    """

    store: DownloadStore = field(default_factory=MemoryDownloads)
    runner: ScriptedDownloads = field(default_factory=ScriptedDownloads)
    lock: ProcessLock = field(default_factory=MemoryLock)
    checker: ScriptedChecker = field(default_factory=ScriptedChecker)
    wall: Wall = field(default_factory=Wall)
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    pace: Pace = QUICK
    free: int | OSError = 1 << 40
    here: tuple[ModelVariant, ...] = ()
    ready: list[str] = field(default_factory=list[str])
    folder: Path | None = Path("models")
    discarded: list[str] = field(default_factory=list[str])
    discards: bool = False
    only_own: bool = False
    licenses: LicensePolicy = field(default_factory=lambda: LicensePolicy(allow=("MIT",)))
    prefix: str = "d"

    def make(self) -> Downloads:
        """The service, not started."""
        numbers = count(1)
        tools = DownloadTools(
            runner=self.runner,
            lock=self.lock,
            checker=self.checker,
            free_bytes=self._free_bytes,
            models=lambda: self.here,
            folder_of=lambda _: self.folder,
            new_id=lambda: f"{self.prefix}{next(numbers)}",
            discard=self._discard if self.discards else None,
            policy=self.policy,
            pace=self.pace,
            chance=lambda: 1.0,
            unix_ms=self.wall,
            label=f"process {self.prefix}",
            only_own=self.only_own,
        )
        licenses = Licenses(MemoryLicenses(), policy=lambda: self.licenses)
        return Downloads(self.store, licenses, tools, on_ready=self.ready.append)

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[Downloads, None]:
        """The service at work, for the length of the block."""
        downloads = self.make()
        downloads.start()
        try:
            yield downloads
        finally:
            await downloads.aclose()

    def other(self) -> "Rig":
        """A second process of the app on the same disk and cache."""
        assert isinstance(self.lock, MemoryLock)
        return replace(self, lock=self.lock.other(), ready=[], prefix="o")

    async def begun(self, downloads: Downloads, times: int = 1) -> ScriptedDownload:
        """Wait until so many downloads were begun; the last one."""
        await until(downloads, lambda queue: len(self.runner.begun) >= times and queue.running is not None)
        return self.runner.last

    def _free_bytes(self) -> int:
        if isinstance(self.free, OSError):
            raise self.free
        return self.free

    async def _discard(self, model_id: str) -> None:
        self.discarded.append(model_id)
        self.checker.forget(model_id)


async def until(downloads: Downloads, holds: Callable[[DownloadQueue], object]) -> DownloadQueue:
    """Wait until something holds of the queue; how it was then."""
    async with asyncio.timeout(SOON_S), downloads.watching() as values:
        async for queue in values:
            if holds(queue):
                return queue
    raise AssertionError("a feed does not end")


def states(rig: Rig) -> dict[str, DownloadState]:
    """How each model stands on the disk."""
    assert isinstance(rig.store, MemoryDownloads)
    return {entry.model_id: entry.state for entry in rig.store.kept.values()}


def has(state: DownloadState, download_id: str = "d1") -> Callable[[DownloadQueue], bool]:
    """Whether that entry is in that state."""
    return lambda queue: _entry(queue, download_id).state is state


def _entry(queue: DownloadQueue, download_id: str) -> Download:
    found = next((entry for entry in queue.entries if entry.id == download_id), None)
    return found or Download(id="", model_id="", added_unix_ms=0, place=0)

"""The real runtime led to a hub: its configuration, and downloads in a process that may be killed."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from foundry_tui.engines.hosting.configs import ManagedConfig
from tests.support.hub.content import FileContent, sha256
from tests.support.hub.hub import Hub
from tests.support.hub.model import HubModel

__all__ = ["Pull", "Pulled", "differing", "folder_of", "managed_config", "pulling"]

_ROOT = Path(__file__).parents[3]


def managed_config(hub: Hub, folder: Path) -> ManagedConfig:
    """A runtime that keeps everything below ``folder`` and asks ``hub``.

    The variables of ``hub.environment()`` must stand in the environment when its process is started.
    """
    for name in ("data", "cache", "logs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return ManagedConfig(
        data_dir=str(folder / "data"),
        cache_dir=str(folder / "cache"),
        logs_dir=str(folder / "logs"),
        catalog_urls=hub.catalog_urls,
        catalog_region=hub.catalog_region,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What the runtime said of one download.

    Attributes:
        path: Where it says that the model is; None where it says nothing.
        code: Of the exception that it raised; None if it raised none.
    """

    id: str
    took_s: float
    is_cached: bool
    path: Path | None
    code: int | None
    error: str | None


class Pull:
    """A process that downloads with the runtime's own SDK; ``pulling`` makes it and ends it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ended(self) -> dict[str, Pulled]:
        """Wait for its end; what it said of each model, by id.

        Raises:
            RuntimeError: It ended by itself with another code than 0.
        """
        said, logged = await self._process.communicate()
        if self._process.returncode != 0:
            words = logged.decode(errors="replace")
            raise RuntimeError(f"the download ended with {self._process.returncode}: {words}")
        entries = [json.loads(line) for line in said.splitlines()]
        pulled = [
            Pulled(**{**entry, "path": Path(entry["path"]) if entry["path"] else None})
            for entry in entries
            if "id" in entry
        ]
        return {entry.id: entry for entry in pulled}

    async def kill(self) -> None:
        """Kill it as ``kill -9`` does, and wait until it is gone."""
        self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def pulling(hub: Hub, folder: Path, *ids: str, threads: int = 4) -> AsyncGenerator[Pull, None]:
    """Download ``ids`` one after the other into the cache below ``folder``, in a process of its own.

    Args:
        folder: As given to ``managed_config``: the two share a cache.
        threads: Chunks of 2 MiB at once.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.support.hub.pull"),
        *(str(folder), hub.catalog_url, hub.catalog_region, str(threads), *ids),
        cwd=_ROOT,
        env=os.environ | hub.environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    pull = Pull(process)
    try:
        yield pull
    finally:
        if process.returncode is None:
            await pull.kill()
        # Reads the pipes to their end, so that nothing of theirs outlives the loop.
        await process.communicate()


def folder_of(model: HubModel, folder: Path) -> Path:
    """Where the runtime puts the files of ``model`` in the cache below ``folder``."""
    return folder / "cache" / model.publisher / f"{model.name}-{model.version}"


def differing(model: HubModel, folder: Path) -> list[str]:
    """Names of the files of ``model`` that are not in ``folder`` byte for byte."""
    return [
        name
        for name, content in model.files.items()
        if not (folder / name).is_file() or sha256(content) != sha256(FileContent(folder / name))
    ]

"""Taking a model off this disk so that the engine that runs knows of it at once."""

import asyncio
from contextlib import suppress
from pathlib import Path

from foundry_tui.domain.errors import (
    EngineDied,
    EngineError,
    EngineUnavailable,
    ModelNotFound,
    ModelRefused,
    NotSupported,
)
from foundry_tui.services.cache.service import CacheService
from foundry_tui.services.client import ClientService

__all__ = ["remove_model"]


async def remove_model(client: ClientService, cache: CacheService, model_id: str) -> int:
    """Delete the files of a downloaded model; the bytes that this freed.

    The engine is asked first.  One that removes a model by itself need not be restarted to see that it is
    gone, which would unload what somebody talks to.  What it leaves, or cannot remove, the service removes.

    Raises:
        EngineBusy: A measurement holds the engine.
        EngineError: It is in memory, being downloaded, the user's own, or there is none of that id.
        StorageProblem: It cannot be deleted.
    """
    freed, path = await cache.frees(model_id) or 0, client.find(model_id).path
    is_known = True
    try:
        await client.remove(model_id)
    except (EngineDied, EngineUnavailable, ModelNotFound, ModelRefused, NotSupported):
        is_known = False  # the catalog lists it no more, or no engine is up: its files can go all the same
    try:
        await cache.remove(model_id)
    except (ModelNotFound, ModelRefused):
        if not is_known:
            raise
        # The engine lists it no more; what is left of it, if anything, are empty folders.
        await asyncio.to_thread(_drop_if_empty, path)
    if not is_known:
        with suppress(EngineError):
            await client.refresh(public=False)
        client.adopt()
    return freed


def _drop_if_empty(path: str | None) -> None:
    """Delete a model's folder and its publisher's, each only if nothing is in it."""
    if path is not None:
        with suppress(OSError):
            Path(path).rmdir()
            Path(path).parent.rmdir()

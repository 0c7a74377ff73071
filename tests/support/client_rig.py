"""The client service over a scripted engine, with looks and probes that come within milliseconds."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from foundry_tui.domain.engine import EngineStarting
from foundry_tui.domain.models import CatalogSnapshot, ModelVariant
from foundry_tui.services.client import ClientService
from foundry_tui.services.engine.catalogs import Catalogs
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.services.engine.revival import Revived
from foundry_tui.services.engine.watching import Pace
from tests.support.catalogs import SOON_S
from tests.support.supervised import SupervisedScript

__all__ = ["Opened", "loaded", "opened", "until"]

T = TypeVar("T")
SOON = Pace(folders_s=0.005, first_probe_s=0.005, longest_probe_s=0.01)


class Opened:
    """A service that is up, and what stands around it."""

    def __init__(
        self,
        engine: SupervisedScript,
        catalogs: Catalogs | None,
        problem_of: Callable[[ModelVariant], str | None] | None,
        wants_public: bool,
        before_load: Callable[[ModelVariant], Awaitable[None]] | None,
        on_use: Callable[[str], None] | None,
    ) -> None:
        self.engine = engine
        self.lease = EngineLease()
        self.client = ClientService(
            engine,
            self.lease,
            catalogs=catalogs,
            problem_of=problem_of,
            before_load=before_load,
            on_use=on_use,
            pace=SOON,
            wants_public=wants_public,
        )

    async def listed(self, holds: Callable[[CatalogSnapshot], object]) -> None:
        """Return once ``holds`` is true of the published list."""
        await until(self.client.catalog.watch(), holds)

    async def revived(self) -> Revived:
        """What became of the restart, once there was one."""
        revived = await until(self.client.revived.watch(), lambda last: last is not None)
        assert revived is not None
        return revived

    async def begins_to_start(self) -> None:
        """Return once the engine is about to come up."""
        await until(self.client.engine_states(), lambda state: isinstance(state, EngineStarting))


async def until(values: AsyncIterator[T], holds: Callable[[T], object]) -> T:
    """The first of ``values`` that something holds of."""
    async with asyncio.timeout(SOON_S):
        async for value in values:
            if holds(value):
                return value
    raise AssertionError("a feed does not end")


@asynccontextmanager
async def opened(
    engine: SupervisedScript | None = None,
    *,
    catalogs: Catalogs | None = None,
    problem_of: Callable[[ModelVariant], str | None] | None = None,
    wants_public: bool = True,
    before_load: Callable[[ModelVariant], Awaitable[None]] | None = None,
    on_use: Callable[[str], None] | None = None,
) -> AsyncGenerator[Opened, None]:
    """The service over ``engine``, or over one with a scripted model, for the length of the block."""
    service = Opened(engine or SupervisedScript(), catalogs, problem_of, wants_public, before_load, on_use)
    try:
        await service.client.start()
        yield service
    finally:
        await service.client.aclose()


def loaded(client: ClientService) -> list[str]:
    """The models that the list shows as being in memory."""
    return [model.id for model in client.catalog.value.models if model.is_loaded]

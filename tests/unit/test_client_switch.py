"""What the client service does when another engine takes the place of the one it has."""

import asyncio

import pytest

from foundry_tui.domain.engine import EngineDead, EngineReady
from foundry_tui.domain.errors import EngineBusy, EngineUnavailable, ModelNotFound
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.services.client import Backend
from tests.contract.chats import ask
from tests.support.client_rig import loaded, opened, until
from tests.support.supervised import SupervisedScript


def other_engine() -> SupervisedScript:
    model = ModelVariant(id="other:1", alias="other", catalog=CatalogKind.ENDPOINT, is_cached=True)
    return SupervisedScript(models=[model])


async def test_another_engine_takes_over_and_whoever_watches_goes_on() -> None:
    async with opened() as service:
        await service.client.load(SCRIPTED_MODEL_ID)
        seen_dead = asyncio.ensure_future(
            until(service.client.engine_states(), lambda state: isinstance(state, EngineDead))
        )
        other = other_engine()

        info = await service.client.switch(Backend(engine=other, wants_public=False))
        await other.die()
        await seen_dead

        assert info.kind.value == "scripted"
        assert service.client.find("other:1").is_cached
        assert loaded(service.client) == []
        assert service.client.load_reports == {}
        assert not isinstance(service.engine.state, EngineReady)


@pytest.mark.parametrize("stop_first", [False, True])
async def test_an_engine_that_does_not_come_up_leaves_the_one_before(stop_first: bool) -> None:
    async with opened() as service:
        await service.client.load(SCRIPTED_MODEL_ID)
        other = other_engine()
        other.refusal = EngineUnavailable("nobody there")

        with pytest.raises(EngineUnavailable, match="nobody there"):
            await service.client.switch(Backend(engine=other), stop_first=stop_first)

        assert loaded(service.client) == [SCRIPTED_MODEL_ID]
        async with service.client.chat(ask(model=SCRIPTED_MODEL_ID)) as events:
            assert [event async for event in events]
        with pytest.raises(ModelNotFound):
            service.client.find("other:1")


async def test_an_engine_before_that_does_not_come_back_either_says_how_to_go_on() -> None:
    async with opened() as service:
        other = other_engine()
        other.refusal = EngineUnavailable("nobody there")
        service.engine.refusal = EngineUnavailable("no memory")

        with pytest.raises(EngineUnavailable, match="nobody there") as caught:
            await service.client.switch(Backend(engine=other), stop_first=True)

        assert caught.value.remedy == "restart the engine: that brings the one before back (no memory)"


async def test_nobody_is_cut_off_by_a_switch() -> None:
    async with opened() as service:
        with service.lease.hold("chat with m"), pytest.raises(EngineBusy):
            await service.client.switch(Backend(engine=other_engine()))

        assert isinstance(service.client.engine_state, EngineReady)

"""The engine's contract, and what a supervised one adds, asked of the fake that these tests stand on."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from foundry_tui.domain.engine import EngineDead, EngineIdle, EngineReady
from foundry_tui.domain.errors import EngineDied, EngineUnavailable
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.ports.engines import SupervisedEngine
from tests.contract.chats import ask, hear, pieces_until
from tests.contract.test_engine import (  # noqa: F401 - collected here, with the subject below
    PIECES,
    Subject,
    over_script,
    test_a_reader_cancelled_while_it_waits_frees_the_stream,
    test_a_stream_cancelled_before_its_first_event_is_freed_too,
    test_a_stream_has_one_end_and_it_comes_last,
    test_a_stream_left_early_is_freed_by_then_and_the_next_one_flows,
    test_an_unknown_model_is_an_error_and_not_a_wait,
    test_every_moment_is_read_once_and_in_order,
    test_the_clock_never_goes_back,
    test_the_counts_are_those_that_the_engine_reports,
    test_the_first_event_is_the_call,
    test_the_pieces_join_to_the_answer,
    test_two_streams_at_once_do_not_mix,
)
from tests.support.supervised import SupervisedScript

OPEN_ENDED = ScriptedConfig(pieces=PIECES, hold=True)
REQUEST = ask(model=SCRIPTED_MODEL_ID)


@pytest.fixture
async def subject() -> AsyncGenerator[Subject, None]:
    answering, holding = SupervisedScript(ScriptedConfig(pieces=PIECES)), SupervisedScript(OPEN_ENDED)
    await answering.start()
    await holding.start()
    yield over_script(answering, holding, lambda: holding.open_streams)
    await answering.stop()
    await holding.stop()


async def test_it_serves_the_port_from_idle_to_ready_and_back() -> None:
    engine: SupervisedEngine = SupervisedScript()

    before = engine.state
    info = await engine.start()
    during = engine.state
    await engine.stop()

    assert (before, during, engine.state) == (EngineIdle(), EngineReady(info), EngineIdle())


async def test_nothing_can_be_asked_before_the_start_and_after_the_stop() -> None:
    engine = SupervisedScript()

    with pytest.raises(EngineUnavailable):
        await engine.load(SCRIPTED_MODEL_ID)
    await engine.start()
    await engine.stop()

    assert isinstance((await hear(engine, REQUEST)).error, EngineUnavailable)


async def test_a_death_ends_the_stream_with_what_had_arrived_and_names_what_was_loaded() -> None:
    engine = SupervisedScript(OPEN_ENDED)
    await engine.start()
    await engine.load(SCRIPTED_MODEL_ID)
    async with aclosing(engine.stream_chat(REQUEST)) as stream:
        pieces = await pieces_until(stream, 3)

        await engine.die()
        with pytest.raises(EngineDied):
            await anext(stream)

    assert "".join(pieces) == "Hello, world"
    assert isinstance(engine.state, EngineDead)
    assert engine.state.death is not None
    assert engine.state.death.was_loaded == (SCRIPTED_MODEL_ID,)
    assert engine.open_streams == 0


async def test_a_death_ends_a_load_that_is_under_way() -> None:
    engine = SupervisedScript()
    engine.loading = asyncio.Event()
    await engine.start()
    load = asyncio.ensure_future(engine.load(SCRIPTED_MODEL_ID))
    await asyncio.sleep(0)  # one turn, in which the load begins

    await engine.die()

    with pytest.raises(EngineDied):
        await load


async def test_a_new_life_has_nothing_loaded() -> None:
    engine = SupervisedScript()
    await engine.start()
    await engine.load(SCRIPTED_MODEL_ID)
    await engine.die()

    await engine.start()

    assert not any(model.is_loaded for model in (await engine.list_models(public=False)).models)
    await engine.stop()

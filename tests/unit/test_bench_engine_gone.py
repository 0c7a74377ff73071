"""A benchmark whose engine goes away: it is brought back, once for all that it took down, or the run ends."""

import asyncio
from collections import Counter

import pytest

from foundry_tui.domain.bench import Phase, RunStatus
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.errors import EngineUnavailable
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.services.bench.state import BenchState, Step
from tests.support.benches import OTHER_MODEL_ID, benches, plan

AT_ONCE = 3
PLAN = plan(models=(SCRIPTED_MODEL_ID,), concurrency=AT_ONCE, rounds=50, warmup=0)


def is_full(state: BenchState) -> bool:
    return len(state.under_way) == AT_ONCE


async def test_an_engine_that_does_not_come_back_ends_the_run_with_its_own_error() -> None:
    async with benches() as bench:
        run_id = await bench.service.begin(PLAN)
        await bench.until(lambda state: state.done > 0)
        bench.engine.gate = asyncio.Event()
        await bench.until(is_full)
        bench.engine.refusal = EngineUnavailable("it does not come up", remedy="look at its log")
        await bench.engine.die()
        with pytest.raises(EngineUnavailable, match="it does not come up"):
            await bench.service.finished()
        run = await bench.runs.run(run_id)

        assert run is not None
        assert (run.status, run.reason) == (RunStatus.INTERRUPTED, "it does not come up")
        assert bench.state.step is Step.ENDED
        assert not bench.lease.holders


async def test_several_requests_that_die_together_bring_the_engine_back_once() -> None:
    async with benches() as bench:
        await bench.service.begin(PLAN)
        await bench.until(lambda state: state.done > 0)
        bench.engine.gate = asyncio.Event()
        await bench.until(is_full)
        starts, bench.engine.gate = bench.engine.starts, None
        await bench.engine.die()
        state = await bench.service.finished()

        outcomes = Counter(one.trace.outcome for one in state.requests if one.phase is Phase.TIMED)
        assert bench.engine.starts == starts + 1
        assert outcomes == {Outcome.COMPLETED: 100 - AT_ONCE, Outcome.ENGINE_DIED: AT_ONCE}
        assert state.run.models[0].outcome is Outcome.COMPLETED  # one death is no proof against it


async def test_a_model_whose_load_kills_the_engine_once_is_measured_all_the_same() -> None:
    async with benches() as bench:
        bench.engine.loading = asyncio.Event()
        await bench.service.begin(plan(models=(SCRIPTED_MODEL_ID,)))
        await bench.until(lambda state: state.step is Step.LOADING)
        bench.engine.loading = None
        await bench.engine.die()
        state = await bench.service.finished()

        assert state.run.models[0].outcome is Outcome.COMPLETED
        assert Counter(one.phase for one in state.requests)[Phase.TIMED] == 4


async def test_a_model_that_kills_the_engine_in_the_middle_costs_the_others_nothing() -> None:
    async with benches() as bench:
        await bench.service.begin(plan(warmup=0, rounds=20))
        await bench.until(lambda state: state.done > 0)
        bench.engine.gate = asyncio.Event()
        await bench.until(lambda state: bool(state.under_way))
        bench.engine.gate = None
        await bench.engine.die()
        state = await bench.service.finished()

        timed = [one for one in state.requests if one.phase is Phase.TIMED]
        slots = Counter((one.model, one.prompt_id, one.round) for one in timed)
        assert len(slots) == 80
        assert set(slots.values()) == {1}
        assert Counter(one.trace.outcome for one in timed) == {Outcome.COMPLETED: 79, Outcome.ENGINE_DIED: 1}
        assert {model.outcome for model in state.run.models} == {Outcome.COMPLETED}
        assert {model.model for model in state.run.models} == {SCRIPTED_MODEL_ID, OTHER_MODEL_ID}

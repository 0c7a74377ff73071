"""A pause of a benchmark: nothing more is asked, the warm-up and what comes before it included."""

import asyncio
from contextlib import aclosing
from pathlib import Path

from foundry_tui.domain.bench import BenchPlan
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.services.bench.service import Benchmarks
from foundry_tui.services.bench.state import BenchState, Step
from tests.support.services import PROMPTS, services_over
from tests.support.supervised import SupervisedScript

SOON_S = 10.0
PLAN = BenchPlan(models=(SCRIPTED_MODEL_ID,), prompts=PROMPTS, rounds=1)


async def at(bench: Benchmarks, step: Step) -> BenchState:
    """The state as soon as it is at that step."""
    async with asyncio.timeout(SOON_S), aclosing(bench.state.watch()) as states:
        async for state in states:
            if state is not None and state.step is step:
                return state
    raise AssertionError("a feed does not end")


async def test_a_pause_before_the_first_request_holds_the_probes_too(tmp_path: Path) -> None:
    engine = SupervisedScript()
    async with services_over(engine, tmp_path) as services:
        await services.bench.begin(PLAN)
        services.bench.pause()
        paused = await at(services.bench, Step.PAUSED)
        asked = len(engine.seen)
        services.bench.go_on()
        ended = await services.bench.finished()

    assert (paused.pauses, paused.requests, asked) == (True, (), 0)
    assert (ended.pauses, ended.done) == (False, 2)


async def test_going_on_while_a_model_loads_leaves_the_step_as_it_is(tmp_path: Path) -> None:
    engine = SupervisedScript()
    engine.loading = asyncio.Event()
    async with services_over(engine, tmp_path) as services:
        await services.bench.begin(PLAN)
        await at(services.bench, Step.LOADING)
        services.bench.pause()
        services.bench.go_on()
        await asyncio.sleep(0)  # the state is told on by a task
        loading = services.bench.state.value
        engine.loading.set()
        await services.bench.finished()

    assert loading is not None
    assert loading.step is Step.LOADING


async def test_stopping_ends_a_pause(tmp_path: Path) -> None:
    async with services_over(SupervisedScript(), tmp_path) as services:
        await services.bench.begin(PLAN)
        services.bench.pause()
        await at(services.bench, Step.PAUSED)
        services.bench.stop_after_request()
        ended = await services.bench.finished()

    assert (ended.stops, ended.pauses, ended.requests) == (True, False, ())

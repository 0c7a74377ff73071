"""Answers that never end by themselves are ended."""

import pytest

from foundry_tui.domain.bench import Phase
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.engine import EndpointKind
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.services.bench.failures import stops_repetition
from tests.support.benches import benches, plan

CIRCLES = ScriptedConfig(pieces=(" round", " and") * 400)
FAR = ScriptedConfig(pieces=tuple(f" {n}" for n in range(200)))


async def outcomes(script: ScriptedConfig, **changes: object) -> list[Outcome]:
    async with benches() as bench:
        bench.engine.script = script
        await bench.service.begin(plan(models=(SCRIPTED_MODEL_ID,), warmup=0, rounds=3, **changes))
        state = await bench.service.finished()
        timed = [one.trace for one in state.requests if one.phase is Phase.TIMED]
        assert state.run.models[0].outcome is timed[-1].outcome
        return [trace.outcome for trace in timed]


async def test_one_that_goes_round_in_circles_is_stopped_and_twice_in_a_row_ends_the_model() -> None:
    assert await outcomes(CIRCLES, max_tokens=1000) == [Outcome.RUNAWAY] * 2


async def test_what_was_written_until_then_is_kept() -> None:
    async with benches() as bench:
        bench.engine.script = CIRCLES
        await bench.service.begin(plan(models=(SCRIPTED_MODEL_ID,), warmup=0, max_tokens=1000))
        state = await bench.service.finished()
        trace = state.requests[-1].trace

        assert 512 < len(trace.chunks) < 540
        assert trace.error == "it repeated the same text for more than 512 tokens, and was stopped"
        assert state.run.models[0].reason == trace.error
        assert bench.engine.open_streams == 0


async def test_the_plan_may_let_it_go_on() -> None:
    made = await outcomes(CIRCLES, max_tokens=1000, stops_repetition=False)

    assert made == [Outcome.COMPLETED] * 6


@pytest.mark.parametrize("stops_repetition", [True, False, None])
async def test_one_that_goes_on_far_beyond_what_was_asked_for_is_stopped_anyway(
    stops_repetition: bool | None,
) -> None:
    made = await outcomes(FAR, max_tokens=16, stops_repetition=stops_repetition)

    assert made == [Outcome.RUNAWAY] * 2


@pytest.mark.parametrize("kind", list(EndpointKind))
def test_somebody_elses_server_is_watched_for_circles_only_if_the_plan_asks_for_it(
    kind: EndpointKind,
) -> None:
    is_ours = kind in (EndpointKind.MANAGED, EndpointKind.SCRIPTED)

    assert stops_repetition(plan(), kind) is is_ours
    assert stops_repetition(plan(stops_repetition=True), kind)
    assert not stops_repetition(plan(stops_repetition=False), kind)

"""A benchmark that is cut off after any of its requests, and resumed: each planned request is made once."""

from collections import Counter
from dataclasses import dataclass, replace

import pytest

from foundry_tui.domain.bench import BenchPlan, Order, Phase, PrecisionRule, RequestRun, RunStatus
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.services.bench.schedule import timed_slots
from tests.support.benches import OTHER_MODEL_ID, benches, plan
from tests.support.memory_runs import MemoryRuns

CUT = StorageProblem("the process was killed")
SMALL = plan(is_deterministic=True, warmup=2, rounds=1, has_cold_start=True)
REQUESTS = 2 * (1 + 1 + 2 + 7 + 2 + 2)
"""Cold start, probe, calibration, certificate, warm-up and timed, of each of two models."""


@dataclass
class CutOff(MemoryRuns):
    """Nothing is written any more after so many requests, as if the process had been killed then."""

    after: int = 0

    async def add_request(self, run_id: str, request: RequestRun) -> None:
        await super().add_request(run_id, request)
        if len(self.asked[run_id]) == self.after:
            self.fail_with = CUT


def keys(requests: tuple[RequestRun, ...]) -> Counter[tuple[str, Phase, str, int]]:
    return Counter((one.model, one.phase, one.prompt_id, one.round) for one in requests)


async def whole(planned: BenchPlan) -> Counter[tuple[str, Phase, str, int]]:
    async with benches() as bench:
        await bench.service.begin(planned)
        return keys(tuple((await bench.service.finished()).requests))


async def cut_and_resumed(planned: BenchPlan, *after: int) -> tuple[RequestRun, ...]:
    """The requests of a run that was cut off after each of those counts, and resumed to its end."""
    runs = CutOff()
    for count in after:
        runs.after, runs.fail_with = count, None
        async with benches(runs=runs) as bench:
            if not runs.kept:
                await bench.service.begin(planned)
            else:
                await bench.service.resume("run1")
            with pytest.raises(StorageProblem, match="killed"):
                await bench.service.finished()
        assert len(runs.asked["run1"]) == count
    runs.after, runs.fail_with = 0, None
    async with benches(runs=runs) as bench:
        await bench.service.resume("run1")
        await bench.service.finished()
    assert runs.kept["run1"].status is RunStatus.COMPLETED
    return await runs.requests("run1")


@pytest.mark.parametrize("order", list(Order))
async def test_whatever_the_last_request_was_the_rest_is_made_once_each(order: Order) -> None:
    planned = replace(SMALL, order=order)
    wanted = await whole(planned)
    assert sum(wanted.values()) == REQUESTS

    for after in range(1, REQUESTS):
        made = keys(await cut_and_resumed(planned, after))
        further = {key for key in made - wanted if key[1] is not Phase.WARMUP}

        assert not wanted - made, f"cut after {after}: {wanted - made} is missing"
        assert set(made.values()) == {1}, f"cut after {after}: made twice"
        assert not further, f"cut after {after}: {further} was not planned"


async def test_a_run_that_is_cut_off_again_and_again_still_ends_with_each_request_once() -> None:
    wanted = await whole(SMALL)

    made = keys(await cut_and_resumed(SMALL, *range(1, REQUESTS, 2)))

    assert not wanted - made
    assert set(made.values()) == {1}


async def test_several_at_once_are_made_once_each_too() -> None:
    planned = plan(concurrency=3, rounds=5)
    every = timed_slots(planned, planned.models, range(1, 6))
    slots = {(one.model, one.prompt_id, one.round) for one in every}

    for after in range(8, 25):
        requests = await cut_and_resumed(planned, after)
        timed = Counter((one.model, one.prompt_id, one.round) for one in requests if one.phase is Phase.TIMED)
        assert timed == dict.fromkeys(slots, 1)


async def test_rounds_that_a_precision_adds_are_made_once_each_after_a_cut() -> None:
    planned = plan(models=(SCRIPTED_MODEL_ID,), warmup=0, precision=PrecisionRule(max_rounds=9))
    wanted = await whole(planned)

    for after in range(4, sum(wanted.values())):
        assert keys(await cut_and_resumed(planned, after)) == wanted


async def test_the_time_that_is_left_after_a_resume_counts_only_what_is_left() -> None:
    runs = CutOff(after=12)
    planned = plan(rounds=3)
    async with benches(runs=runs) as bench:
        await bench.service.begin(planned)
        with pytest.raises(StorageProblem):
            await bench.service.finished()
    runs.after, runs.fail_with = 0, None
    async with benches(runs=runs) as bench:
        await bench.service.resume("run1")
        state = await bench.service.finished()

        assert (state.done, state.planned, state.eta_s) == (12, 12, 0)


async def test_a_model_that_had_failed_twice_in_a_row_is_asked_no_more_after_a_cut() -> None:
    """The requests were kept, and what follows from them was not."""
    runs = CutOff(after=6)
    planned = plan(models=(SCRIPTED_MODEL_ID,), rounds=9, warmup=1)
    async with benches(runs=runs) as bench:
        bench.engine.script = ScriptedConfig(fail_with=Outcome.MALFORMED)
        await bench.service.begin(planned)
        with pytest.raises(StorageProblem):
            await bench.service.finished()
    last_two = [one.trace.outcome for one in (await runs.requests("run1"))[-2:]]
    runs.after, runs.fail_with = 0, None
    async with benches(runs=runs) as bench:
        bench.engine.script = ScriptedConfig(fail_with=Outcome.MALFORMED)
        await bench.service.resume("run1")
        state = await bench.service.finished()

        assert last_two == [Outcome.MALFORMED] * 2
        assert bench.engine.seen == []
        assert state.run.models[0].outcome is Outcome.MALFORMED
        assert any("probe: malformed" in warning for warning in state.run.models[0].warnings)


async def test_models_of_the_resumed_run_are_warmed_up_again_with_numbers_of_their_own() -> None:
    requests = await cut_and_resumed(plan(models=(OTHER_MODEL_ID,), warmup=2), 6)
    rounds = [one.round for one in requests if one.phase is Phase.WARMUP]

    assert rounds == [1, 2, 3, 4]

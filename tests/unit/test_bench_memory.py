"""Models that do not fit into memory together: others are unloaded, and it is tried once more."""

from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from foundry_tui.domain.bench import MemoryRescue, Order, Phase, PrecisionRule
from foundry_tui.domain.chat import ChatEvent, ChatRequest, Outcome
from foundry_tui.domain.errors import ModelRefused
from foundry_tui.domain.models import LoadReport
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from tests.support.benches import OTHER_MODEL_ID, Bench, benches, plan
from tests.support.catalogs import offered
from tests.support.supervised import SupervisedScript

THIRD_MODEL_ID = "third-generic-cpu:1"
MODELS = (SCRIPTED_MODEL_ID, OTHER_MODEL_ID, THIRD_MODEL_ID)
BAD_ALLOC = "failed to load model: std::bad_alloc"


class Small(SupervisedScript):
    """A machine with room for a few models; one that is too big finds none even alone.

    Attributes:
        room: How many models fit.
        too_big: Ids that never load.
        loads: Ids in the order in which they were loaded.
    """

    def __init__(self, room: int) -> None:
        others = [
            replace(offered(alias), id=model_id, alias=alias, is_cached=True)
            for alias, model_id in (("other", OTHER_MODEL_ID), ("third", THIRD_MODEL_ID))
        ]
        super().__init__(models=others)
        self.room = room
        self.too_big: set[str] = set()
        self.held: set[str] = set()
        self.loads: list[str] = []

    async def load(self, model_id: str) -> LoadReport:
        if model_id in self.too_big or len(self.held - {model_id}) >= self.room:
            raise ModelRefused(f"{model_id} does not load: {BAD_ALLOC}")
        report = await super().load(model_id)
        self.held.add(model_id)
        self.loads.append(model_id)
        return report

    async def unload(self, model_id: str) -> None:
        await super().unload(model_id)
        self.held.discard(model_id)


class ShortOfAnswers(Small):
    """Has memory for loads, and for timed answers only while one model is loaded."""

    def stream_chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        is_short = len(self.held) > 1 and request.max_tokens == plan().max_tokens
        self.script = ScriptedConfig(fail_with=Outcome.OUT_OF_MEMORY if is_short else None)
        return super().stream_chat(request)


def timed(bench: Bench) -> Counter[tuple[str, str, int]]:
    return Counter(
        (one.model, one.prompt_id, one.round) for one in bench.state.requests if one.phase is Phase.TIMED
    )


def outcomes(bench: Bench) -> list[Outcome | None]:
    return [model.outcome for model in bench.state.run.models]


@pytest.mark.parametrize("room", [1, 2])
async def test_all_are_measured_one_after_the_other_where_they_do_not_fit_together(room: int) -> None:
    engine = Small(room)
    async with benches(engine=engine) as bench:
        await bench.service.begin(plan(models=MODELS, precision=PrecisionRule(max_rounds=7)))
        state = await bench.service.finished()

        assert outcomes(bench) == [Outcome.COMPLETED] * 3
        # Every answer takes the same here, so six rounds are enough for an interval.
        assert set(timed(bench).values()) == {1}
        assert len(timed(bench)) == 3 * 2 * 6
        warnings = [warning for model in state.run.models for warning in model.warnings]
        assert "ran out of memory" in warnings[0]
        assert engine.held == set()


async def test_once_they_are_measured_apart_each_is_loaded_no_more_than_once_again() -> None:
    engine = Small(1)
    async with benches(engine=engine) as bench:
        await bench.service.begin(plan(models=MODELS, rounds=6))
        await bench.service.finished()

        assert max(Counter(engine.loads).values()) <= 2
        assert outcomes(bench) == [Outcome.COMPLETED] * 3


async def test_a_model_that_does_not_fit_alone_says_so_and_the_next_one_goes_on() -> None:
    engine = Small(2)
    engine.too_big = {OTHER_MODEL_ID}
    async with benches(engine=engine) as bench:
        await bench.service.begin(plan(models=MODELS))
        state = await bench.service.finished()

        assert outcomes(bench) == [Outcome.COMPLETED, Outcome.OUT_OF_MEMORY, Outcome.COMPLETED]
        reason = state.run.models[1].reason or ""
        assert "not enough memory" in reason
        assert BAD_ALLOC in reason
        assert {model for model, _, _ in timed(bench)} == {SCRIPTED_MODEL_ID, THIRD_MODEL_ID}


@pytest.mark.parametrize("order", list(Order))
async def test_nothing_is_unloaded_where_the_plan_forbids_it(order: Order) -> None:
    engine = Small(1)
    async with benches(engine=engine) as bench:
        await bench.client.start()
        await bench.client.load(THIRD_MODEL_ID)
        await bench.service.begin(plan(models=(SCRIPTED_MODEL_ID,), order=order, rescue=MemoryRescue.NONE))
        await bench.service.finished()

        assert outcomes(bench) == [Outcome.OUT_OF_MEMORY]
        assert engine.held == {THIRD_MODEL_ID}


@pytest.mark.parametrize(
    ("rescue", "expected"),
    [(MemoryRescue.OWN, Outcome.OUT_OF_MEMORY), (MemoryRescue.ALL, Outcome.COMPLETED)],
)
async def test_models_of_others_are_unloaded_only_where_the_plan_allows_it(
    rescue: MemoryRescue, expected: Outcome
) -> None:
    engine = Small(1)
    async with benches(engine=engine) as bench:
        await bench.client.start()
        await bench.client.load(THIRD_MODEL_ID)
        await bench.service.begin(plan(models=(SCRIPTED_MODEL_ID,), rescue=rescue))
        await bench.service.finished()

        assert outcomes(bench) == [expected]
        assert (THIRD_MODEL_ID in engine.held) is (rescue is MemoryRescue.OWN)


async def test_a_request_without_memory_is_made_once_more_and_both_are_kept() -> None:
    async with benches(engine=ShortOfAnswers(3)) as bench:
        await bench.service.begin(plan(models=MODELS[:2], warmup=0))
        state = await bench.service.finished()

        failed = [one for one in state.requests if one.trace.outcome is Outcome.OUT_OF_MEMORY]
        assert outcomes(bench) == [Outcome.COMPLETED] * 2
        assert len(failed) == 1
        assert Counter(timed(bench).values()) == {1: 7, 2: 1}
        assert "ran out of memory" in " ".join(state.model_run(failed[0].model).warnings)


async def test_a_request_without_memory_alone_leaves_the_model_out() -> None:
    async with benches(engine=Small(3)) as bench:
        bench.engine.script = ScriptedConfig(fail_with=Outcome.OUT_OF_MEMORY)
        await bench.service.begin(plan(models=(SCRIPTED_MODEL_ID,), rounds=9))
        state = await bench.service.finished()

        assert outcomes(bench) == [Outcome.OUT_OF_MEMORY]
        assert sum(timed(bench).values()) == 1
        assert state.run.models[0].reason == "scripted failure"

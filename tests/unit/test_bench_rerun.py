"""Marked rounds of a run are measured again in it, and nothing else is; both measurements are kept."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from statistics import median

import pytest

from foundry_tui.domain.bench import Order, Phase, PrecisionRule, RequestRun, RunStatus
from foundry_tui.domain.bench_conditions import RequestConditions
from foundry_tui.domain.bench_reruns import RoundAgain
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.domain.resources import PowerSource
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.metrics.attempts import standing
from foundry_tui.metrics.drift import DriftVerdict
from foundry_tui.metrics.measures import Measure, read
from foundry_tui.reports.reruns import again_lines
from foundry_tui.reports.run_costs import model_costs
from foundry_tui.reports.run_results import model_results
from tests.support.benches import OTHER_MODEL_ID, Bench, benches, plan
from tests.support.catalogs import offered
from tests.support.memory_runs import MemoryRuns
from tests.support.slowing import SlowingScript

TEN = plan(models=(SCRIPTED_MODEL_ID,), rounds=10, warmup=1)
TIMED = 20
"""Of ten rounds of two prompts; before them comes one warm-up."""
AGAIN = 1 + 10
"""What measuring five rounds again asks: a warm-up, and two prompts in each round."""
CUT = StorageProblem("the process was killed")


def slow_from_round_6(number: int) -> float:
    """A run slows down by 30 % at its sixth round; what is asked after it is as fast as its beginning."""
    return 1 / 0.7 if 1 + 10 < number <= 1 + TIMED else 1.0


@dataclass
class CutOff(MemoryRuns):
    """Nothing is written any more once so many requests are kept, as if the process had been killed then."""

    at: int | None = None

    async def add_request(self, run_id: str, request: RequestRun) -> None:
        await super().add_request(run_id, request)
        if len(self.asked[run_id]) == self.at:
            self.fail_with = CUT


def paced(pace: object = slow_from_round_6) -> SlowingScript:
    other = replace(offered("other"), id=OTHER_MODEL_ID, alias="other", is_cached=True)
    assert callable(pace)
    return SlowingScript([prompt.text for prompt in TEN.prompts], pace, models=[other])


@asynccontextmanager
async def drifted(runs: MemoryRuns | None = None) -> AsyncGenerator[Bench, None]:
    """A service with a run of ten rounds that slowed down from the sixth on."""
    async with benches(engine=paced(), runs=runs) as bench:
        await bench.service.begin(TEN)
        await bench.service.finished()
        yield bench


async def again(bench: Bench) -> tuple[RequestRun, ...]:
    """All requests of the run after its marked rounds were measured again."""
    await bench.service.measure_again("run1")
    await bench.service.finished()
    return await bench.runs.requests("run1")


def rates(requests: "list[RequestRun] | tuple[RequestRun, ...]") -> list[float]:
    readings = [read(one.trace, Measure.DECODE_RATE) for one in requests if one.phase is Phase.TIMED]
    return [reading.value for reading in readings if reading is not None]


def of_attempt(requests: tuple[RequestRun, ...], attempt: int) -> list[RequestRun]:
    return [one for one in requests if one.attempt == attempt]


async def test_a_slowdown_from_round_6_is_drift_and_just_these_rounds_are_measured_again() -> None:
    async with drifted() as bench:
        before = await bench.runs.requests("run1")

        requests = await again(bench)

        new = requests[len(before) :]
        assert requests[: len(before)] == before
        assert [one.phase for one in new] == [Phase.WARMUP] + [Phase.TIMED] * 10
        assert [one.round for one in new if one.phase is Phase.TIMED] == [6, 6, 7, 7, 8, 8, 9, 9, 10, 10]
        assert {one.attempt for one in new} == {2}
        assert bench.runs.kept["run1"].status is RunStatus.COMPLETED
        assert [(one.round, one.reasons) for one in bench.runs.kept["run1"].reruns[0].rounds] == [
            (number, ("slower",)) for number in range(6, 11)
        ]


async def test_what_is_asked_again_is_the_same_in_the_same_order() -> None:
    async with drifted() as bench:
        asked = list(bench.engine.seen)

        await again(bench)

        assert bench.engine.seen[len(asked) + 1 :] == asked[-10:]


async def test_both_are_kept_and_the_numbers_are_of_the_second() -> None:
    async with drifted() as bench:
        requests = await again(bench)
        run = bench.runs.kept["run1"]

        (result,) = model_results(run, requests)
        (costs,) = model_costs(run, [result])

        first = [one for one in of_attempt(requests, 1) if one.round > 5]
        assert median(rates(first)) == pytest.approx(0.7 * 100, abs=0.1)
        assert result.summary.rounds_ok == result.summary.tried == TIMED
        assert result.summary.decode_tokens_per_s is not None
        assert result.summary.decode_tokens_per_s.min == pytest.approx(100, abs=0.1)
        assert [one.number for one in result.superseded] == [one.number for one in first]
        assert costs.drift is not None
        assert costs.drift.verdict is DriftVerdict.NONE_SHOWN
        assert again_lines([result])[0] == (
            f"{SCRIPTED_MODEL_ID}: rounds 6 to 10 (slower than the others): 70.0 tok/s; measured again:"
            " 100 tok/s; the numbers use the second of these, and both are kept"
        )
        assert "that choice was made on results" in again_lines([result])[1]


async def test_rounds_that_are_marked_again_can_be_measured_a_third_time() -> None:
    async with drifted() as bench:
        assert isinstance(bench.engine, SlowingScript)
        bench.engine.pace = lambda number: 1 / 0.7 if number <= 1 + TIMED + AGAIN else 1.0
        await again(bench)
        marked = await bench.service.marked_rounds(bench.runs.kept["run1"], await bench.runs.requests("run1"))

        requests = await again(bench)

        (result,) = model_results(bench.runs.kept["run1"], requests)
        assert [one.round for one in marked] == [6, 7, 8, 9, 10]
        assert [one.attempt for one in requests if one.round > 5] == [1] * 10 + [2] * 10 + [3] * 10
        assert len(rates(standing(requests))) == TIMED
        assert {one.attempt for one in standing(requests) if one.round > 5} == {3}
        assert "these were measured once more in their turn" in again_lines([result])[0]
        assert "the numbers use the second of these" in again_lines([result])[2]


@pytest.mark.parametrize("cut", range(AGAIN + 1))
async def test_a_kill_at_any_request_loses_none_and_a_resume_makes_the_rest_once_each(cut: int) -> None:
    runs = CutOff()
    async with drifted(runs) as bench:
        whole = len(runs.asked["run1"])
        runs.at = whole + cut
        if cut == 0:
            bench.engine.gate = asyncio.Event()
            await bench.service.measure_again("run1")
            await bench.until(lambda state: bool(state.under_way))
            runs.fail_with = CUT
            await bench.service.stop()
        else:
            await bench.service.measure_again("run1")
            # Behind the last one only the end is written, which nobody waits for.
            with nullcontext() if cut == AGAIN else pytest.raises(StorageProblem, match="killed"):
                await bench.service.finished()
    runs.at = runs.fail_with = None
    killed = runs.kept["run1"]
    assert killed.status is RunStatus.RUNNING
    assert len(runs.asked["run1"]) == whole + cut

    async with benches(engine=paced(lambda number: 1.0), runs=runs) as bench:
        await bench.service.resume("run1")
        await bench.service.finished()

    requests = await runs.requests("run1")
    made = Counter((one.prompt_id, one.round) for one in of_attempt(requests, 2) if one.phase is Phase.TIMED)
    assert made == {(prompt.id, number): 1 for prompt in TEN.prompts for number in range(6, 11)}
    resumed = runs.kept["run1"]
    assert resumed.status is RunStatus.COMPLETED
    assert resumed.reruns == killed.reruns
    assert len(rates(standing(requests))) == TIMED


@pytest.mark.parametrize("order", list(Order))
async def test_of_several_models_only_the_marked_rounds_of_each_are_asked(order: Order) -> None:
    both = plan(rounds=10, warmup=0, order=order)
    slow = {OTHER_MODEL_ID: range(0), SCRIPTED_MODEL_ID: range(6, 11)}
    async with benches(engine=paced(lambda number: 1.0)) as bench:
        await bench.service.begin(both)
        await bench.service.finished()
        kept = bench.runs.asked["run1"]
        for number, one in kept.items():
            if one.phase is Phase.TIMED and one.round in slow[one.model]:
                mains = RequestConditions(power_source=PowerSource.BATTERY)
                kept[number] = replace(one, conditions=mains)

        requests = await again(bench)

        new = Counter((one.model, one.round) for one in of_attempt(requests, 2))
        assert new == {(SCRIPTED_MODEL_ID, number): 2 for number in range(6, 11)}


async def test_it_is_loaded_for_it_and_what_was_read_of_the_first_load_stays() -> None:
    async with drifted() as bench:
        before = bench.runs.kept["run1"].models
        bench.engine.gate = asyncio.Event()

        await bench.service.measure_again("run1")
        await bench.until(lambda state: bool(state.under_way))
        loaded = [model.id for model in bench.client.catalog.value.models if model.is_loaded]
        bench.engine.gate.set()
        await bench.service.finished()

        assert loaded == [SCRIPTED_MODEL_ID]
        assert bench.runs.kept["run1"].models == before


async def test_a_precision_rule_adds_no_round_to_what_is_measured_again() -> None:
    wide = replace(TEN, precision=PrecisionRule(half_width_share=0.01, max_rounds=12))
    async with benches(engine=paced(lambda number: 1 / 0.7 if 1 + 10 < number <= 1 + 24 else 1.0)) as bench:
        await bench.service.begin(wide)
        await bench.service.finished()
        before = await bench.runs.requests("run1")
        marked = await bench.service.marked_rounds(bench.runs.kept["run1"], before)

        requests = await again(bench)

        new = [one for one in requests[len(before) :] if one.phase is Phase.TIMED]
        assert sorted({one.round for one in new}) == [one.round for one in marked] == list(range(6, 13))
        assert len(new) == 2 * len(marked)


async def test_where_the_second_measurement_fails_the_first_stands_and_the_model_is_as_well_as_before() -> (
    None
):
    async with drifted() as bench:
        bench.engine.script = ScriptedConfig(fail_with=Outcome.MALFORMED)

        requests = await again(bench)

        run = bench.runs.kept["run1"]
        (result,) = model_results(run, requests)
        assert [one.trace.outcome for one in of_attempt(requests, 2)] == [Outcome.MALFORMED] * 3
        assert run.status is RunStatus.COMPLETED
        assert result.is_well
        assert (result.summary.rounds_ok, result.summary.tried) == (TIMED, TIMED)
        assert any("could not all be measured again, malformed" in one for one in run.models[0].warnings)
        assert "no answer came of it: the first stand" in again_lines([result])[0]


async def test_what_goes_on_is_counted_and_told_as_such() -> None:
    async with drifted() as bench:
        bench.engine.gate = asyncio.Event()

        await bench.service.measure_again("run1")
        state = await bench.until(lambda state: bool(state.under_way))
        bench.engine.gate.set()
        last = await bench.service.finished()

        assert (state.done, state.planned) == (TIMED, TIMED + 10)
        assert (last.done, last.planned, last.eta_s) == (TIMED + 10, TIMED + 10, 0)


async def test_a_run_without_a_marked_round_is_refused_and_stays_as_it_is() -> None:
    async with benches(engine=paced(lambda number: 1.0)) as bench:
        await bench.service.begin(TEN)
        await bench.service.finished()
        before = bench.runs.kept["run1"]

        with pytest.raises(BadInput, match="no round of run run1 is marked"):
            await bench.service.measure_again("run1")

        assert bench.runs.kept["run1"] == before


async def test_a_run_that_is_not_complete_is_to_be_resumed_first() -> None:
    async with drifted() as bench:
        bench.runs.kept["run1"] = replace(bench.runs.kept["run1"], status=RunStatus.INTERRUPTED)

        with pytest.raises(BadInput, match="not complete") as caught:
            await bench.service.measure_again("run1")

        assert caught.value.remedy is not None
        assert "resume it first" in caught.value.remedy


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"environment": (("engine", "managed"),)}, "engine scripted, was managed"),
        ({"path": "managed"}, "path endpoint, was managed"),
        (
            {"model_id": "synthetic-generic-cpu:2"},
            "is synthetic-generic-cpu:1 now, was synthetic-generic-cpu:2",
        ),
        ({"facts": (("context_tokens", "512"),)}, "context_tokens 4096, was 512"),
    ],
)
async def test_where_it_would_be_measured_with_something_else_it_is_refused_by_name(
    change: dict[str, object], words: str
) -> None:
    async with drifted() as bench:
        run = bench.runs.kept["run1"]
        own = {name: value for name, value in change.items() if name in ("environment", "path")}
        of_model = {name: value for name, value in change.items() if name not in own}
        models = tuple(replace(model, **of_model) for model in run.models)  # type: ignore[arg-type] # as named
        changed = replace(run, models=models, **own)  # type: ignore[arg-type] # likewise
        bench.runs.kept["run1"] = changed
        asked = len(bench.engine.seen)

        with pytest.raises(BadInput, match=words) as caught:
            await bench.service.measure_again("run1")

        assert caught.value.remedy is not None
        assert "begin a new run" in caught.value.remedy
        assert bench.runs.kept["run1"] == changed
        assert len(bench.engine.seen) == asked


async def test_a_model_that_is_gone_is_told_and_nothing_is_begun() -> None:
    async with drifted() as bench:
        run = bench.runs.kept["run1"]
        gone = replace(run.models[0], model="gone:1")
        bench.runs.kept["run1"] = replace(run, models=(gone,), plan=replace(run.plan, models=("gone:1",)))
        kept = bench.runs.asked["run1"]
        for number, one in kept.items():
            kept[number] = replace(one, model="gone:1")

        with pytest.raises(BadInput, match="gone:1 is not here any more"):
            await bench.service.measure_again("run1")


async def test_what_differs_since_is_found_before_a_resume_too() -> None:
    runs = CutOff()
    async with drifted(runs) as bench:
        runs.at = len(runs.asked["run1"]) + 3
        await bench.service.measure_again("run1")
        with pytest.raises(StorageProblem):
            await bench.service.finished()
    runs.at = runs.fail_with = None
    runs.kept["run1"] = replace(runs.kept["run1"], environment=(("engine", "managed"),))

    async with benches(runs=runs) as bench:
        with pytest.raises(BadInput, match="engine scripted, was managed"):
            await bench.service.resume("run1")


async def test_a_model_that_loads_as_another_one_keeps_its_first_measurement() -> None:
    async with drifted() as bench:
        run = bench.runs.kept["run1"]
        facts = tuple(
            (name, "CUDA" if name == "execution_provider" else value) for name, value in run.models[0].facts
        )
        bench.runs.kept["run1"] = replace(run, models=(replace(run.models[0], facts=facts),))
        before = await bench.runs.requests("run1")

        requests = await again(bench)

        assert requests == before
        (warning,) = bench.runs.kept["run1"].models[0].warnings
        assert "execution_provider CPUExecutionProvider, was CUDA" in warning
        assert bench.runs.kept["run1"].status is RunStatus.COMPLETED


async def test_another_process_that_began_it_already_is_told_apart() -> None:
    async with drifted() as bench:
        rounds = (RoundAgain(model=SCRIPTED_MODEL_ID, round=6, reasons=("slower",)),)
        await bench.service.measure_again("run1")
        await bench.service.finished()
        (rerun,) = bench.runs.kept["run1"].reruns

        with pytest.raises(BadInput):
            await bench.runs.begin_rerun("run1", replace(rerun, rounds=rounds))

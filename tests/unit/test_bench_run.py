"""Benchmarks: each planned request once, kept before it is shown, whatever happens in between."""

import asyncio
from collections import Counter

import pytest

from foundry_tui.domain.bench import Order, Phase, PrecisionRule, RequestRun, RunStatus
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.errors import BadInput, EngineBusy, StorageProblem
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.services.bench.state import Step
from tests.support.benches import OTHER_MODEL_ID, Bench, benches, plan

SLOTS = {
    (model, prompt, number)
    for model in (SCRIPTED_MODEL_ID, OTHER_MODEL_ID)
    for prompt in "ab"
    for number in (1, 2)
}


def timed(requests: "tuple[RequestRun, ...]") -> "Counter[tuple[str, str, int]]":
    return Counter(
        (request.model, request.prompt_id, request.round)
        for request in requests
        if request.phase is Phase.TIMED
    )


async def ended(bench: Bench) -> "tuple[RequestRun, ...]":
    state = await bench.service.finished()
    return await bench.runs.requests(state.run.id)


@pytest.mark.parametrize("order", list(Order))
async def test_each_model_answers_each_prompt_in_each_round_once(order: Order) -> None:
    async with benches() as bench:
        run_id = await bench.service.begin(plan(order=order))
        requests = await ended(bench)
        run = await bench.runs.run(run_id)

        assert timed(requests) == dict.fromkeys(SLOTS, 1)
        assert [request.number for request in requests] == list(range(1, len(requests) + 1))
        assert run is not None
        assert run.status is RunStatus.COMPLETED
        assert run.environment == (("engine", "scripted"), ("machine", "made up"))
        assert [model.outcome for model in run.models] == [Outcome.COMPLETED] * 2
        assert requests == bench.state.requests
        assert not bench.lease.holders


async def test_before_timing_each_model_is_probed_calibrated_and_warmed_up() -> None:
    async with benches() as bench:
        await bench.service.begin(plan(is_deterministic=True, warmup=3))
        requests = await ended(bench)

        for model in (SCRIPTED_MODEL_ID, OTHER_MODEL_ID):
            phases = Counter(request.phase for request in requests if request.model == model)
            assert phases == {
                Phase.PROBE: 1,
                Phase.CALIBRATION: 2,
                Phase.CERTIFICATE: 7,
                Phase.WARMUP: 3,
                Phase.TIMED: 4,
            }
        before = [request for request in requests if request.phase is not Phase.TIMED]
        assert max(request.number for request in before) < min(
            request.number for request in requests if request.phase is Phase.TIMED
        )


async def test_what_is_sent_is_what_was_planned() -> None:
    async with benches() as bench:
        await bench.service.begin(plan(temperature=0.25, max_tokens=9, seed=11, warmup=0))
        requests = await ended(bench)
        first = min(request.number for request in requests if request.phase is Phase.TIMED)
        sent = bench.engine.seen[first - 1 :]

        assert {(one.temperature, one.max_tokens, one.seed) for one in sent} == {(0.25, 9, 11)}
        assert {one.messages[-1].text for one in sent} == {"What is a hen?", "And a cow?"}


async def test_load_times_and_memory_are_kept_and_only_what_was_loaded_for_it_is_unloaded() -> None:
    async with benches() as bench:
        await bench.client.start()
        await bench.client.load(SCRIPTED_MODEL_ID)
        run_id = await bench.service.begin(plan())
        requests = await ended(bench)
        run = await bench.runs.run(run_id)
        loaded = {model.id for model in bench.client.catalog.value.models if model.is_loaded}

        assert run is not None
        was_there, was_not = run.models
        assert was_there.load_ns is None
        assert was_not.load_ns is not None
        assert loaded == {SCRIPTED_MODEL_ID}
        assert {request.peak_rss_bytes for request in requests} == {300_000_000}


async def test_a_model_that_is_not_there_is_told_and_the_others_go_on() -> None:
    async with benches() as bench:
        run_id = await bench.service.begin(plan(models=("nobody", SCRIPTED_MODEL_ID)))
        requests = await ended(bench)
        run = await bench.runs.run(run_id)

        assert run is not None
        assert [model.outcome for model in run.models] == [Outcome.SKIPPED, Outcome.COMPLETED]
        assert "nobody" in (run.models[0].reason or "")
        assert len(timed(requests)) == 4
        assert run.status is RunStatus.COMPLETED


async def test_a_model_whose_timed_requests_fail_alike_twice_is_left_out_and_they_are_kept() -> None:
    async with benches() as bench:
        bench.engine.script = ScriptedConfig(fail_with=Outcome.MALFORMED)
        run_id = await bench.service.begin(plan(models=(SCRIPTED_MODEL_ID,), rounds=5))
        requests = await ended(bench)
        run = await bench.runs.run(run_id)

        assert run is not None
        failed = [request for request in requests if request.phase is Phase.TIMED]
        assert [request.trace.outcome for request in failed] == [Outcome.MALFORMED] * 2
        assert run.models[0].outcome is Outcome.MALFORMED
        assert run.models[0].warnings  # the probe failed too, which is a warning
        assert run.status is RunStatus.COMPLETED


async def test_a_run_is_stopped_and_resumed_and_nothing_is_made_twice() -> None:
    async with benches() as bench:
        run_id = await bench.service.begin(plan())
        bench.engine.gate = asyncio.Event()
        await bench.until(lambda state: bool(state.under_way))
        await bench.service.stop()
        stopped = await bench.runs.run(run_id)
        kept = await bench.runs.requests(run_id)
        bench.engine.gate = None
        await bench.service.resume(run_id)
        requests = await ended(bench)
        whole = await bench.runs.run(run_id)

        assert stopped is not None
        assert stopped.status is RunStatus.INTERRUPTED
        assert all(request.trace.outcome.is_timed for request in kept)
        assert timed(requests) == dict.fromkeys(SLOTS, 1)
        assert whole is not None
        assert whole.status is RunStatus.COMPLETED
        assert whole.started_unix_ms == stopped.started_unix_ms


async def test_to_stop_after_the_request_keeps_it() -> None:
    async with benches() as bench:
        gate = bench.engine.gate = asyncio.Event()
        run_id = await bench.service.begin(plan())
        await bench.until(lambda state: bool(state.under_way))
        bench.service.stop_after_request()
        gate.set()
        requests = await ended(bench)
        run = await bench.runs.run(run_id)

        assert len(requests) == 1
        assert run is not None
        assert run.status is RunStatus.INTERRUPTED


async def test_a_pause_begins_nothing_until_it_is_taken_back() -> None:
    async with benches() as bench:
        await bench.service.begin(plan(warmup=0))
        bench.service.pause()
        await bench.until(lambda state: state.step is Step.PAUSED)
        count = len(bench.engine.seen)
        for _ in range(50):
            await asyncio.sleep(0)
        paused = len(bench.engine.seen)
        bench.service.go_on()
        requests = await ended(bench)

        assert paused == count
        assert timed(requests) == dict.fromkeys(SLOTS, 1)


async def test_a_model_that_the_user_leaves_out_says_so() -> None:
    async with benches() as bench:
        gate = bench.engine.gate = asyncio.Event()
        run_id = await bench.service.begin(plan())
        bench.service.skip(OTHER_MODEL_ID)
        gate.set()
        requests = await ended(bench)
        run = await bench.runs.run(run_id)

        assert run is not None
        assert run.models[1].outcome is Outcome.SKIPPED
        assert run.models[1].reason == "left out by the user"
        assert {model for model, _, _ in timed(requests)} == {SCRIPTED_MODEL_ID}


async def test_requests_at_once_are_as_many_as_planned_and_never_of_two_models() -> None:
    async with benches() as bench:
        await bench.service.begin(plan(concurrency=3, rounds=4))
        together: set[int] = set()
        mixed = False
        async with asyncio.timeout(10):
            async for state in bench.service.state.watch():
                assert state is not None
                own = [one for one in state.under_way if one.phase is Phase.TIMED]
                together.add(len(own))
                mixed = mixed or len({one.model for one in own}) > 1
                if state.step is Step.ENDED:
                    break
        requests = await ended(bench)

        assert max(together) == 3
        assert not mixed
        assert len(timed(requests)) == 16
        assert set(timed(requests).values()) == {1}


@pytest.mark.parametrize(("most", "made"), [(8, 6), (4, 4)])
async def test_rounds_are_added_until_the_median_is_known_or_the_limit_is_reached(
    most: int, made: int
) -> None:
    """Every answer takes the same here, so that it is known as soon as an interval can be given at all."""
    rule = PrecisionRule(half_width_share=0.05, max_rounds=most)
    async with benches() as bench:
        await bench.service.begin(plan(models=(SCRIPTED_MODEL_ID,), precision=rule))
        requests = await ended(bench)

        assert {number for _, _, number in timed(requests)} == set(range(1, made + 1))
        assert bench.state.planned == made * 2


async def test_a_chat_and_a_benchmark_keep_out_of_each_others_way() -> None:
    async with benches() as bench:
        with bench.lease.hold("a chat"), pytest.raises(EngineBusy, match="a chat"):
            await bench.service.begin(plan())
        gate = bench.engine.gate = asyncio.Event()
        await bench.service.begin(plan(name="nightly"))
        with pytest.raises(EngineBusy, match="benchmark nightly"), bench.lease.hold("a chat"):
            pytest.fail("it was let in")
        with pytest.raises(BadInput, match="under way"):
            await bench.service.begin(plan())
        gate.set()
        await bench.service.finished()

        assert not bench.runs.kept.keys() - {"run2"}


async def test_a_disk_that_cannot_be_written_ends_the_run_at_once_and_is_told() -> None:
    full = StorageProblem("the database cannot be written: no space", remedy="make room")
    async with benches() as bench:
        gate = bench.engine.gate = asyncio.Event()
        await bench.service.begin(plan())
        await bench.until(lambda state: bool(state.under_way))
        bench.runs.fail_with = full
        gate.set()
        with pytest.raises(StorageProblem, match="no space"):
            await bench.service.finished()

        assert len(bench.engine.seen) == 1
        assert bench.state.step is Step.ENDED
        assert not bench.lease.holders


async def test_a_run_that_cannot_be_kept_is_not_begun() -> None:
    async with benches() as bench:
        bench.runs.fail_with = StorageProblem("the database cannot be written", remedy="make room")
        with pytest.raises(StorageProblem):
            await bench.service.begin(plan())

        assert bench.engine.seen == []
        assert bench.service.state.value is None
        assert not bench.lease.holders


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, None])
async def test_what_is_complete_or_not_there_is_not_resumed(status: RunStatus | None) -> None:
    async with benches() as bench:
        run_id = await bench.service.begin(plan(rounds=1))
        await bench.service.finished()

        with pytest.raises(BadInput):
            await bench.service.resume(run_id if status is RunStatus.COMPLETED else "nowhere")


async def test_the_time_that_is_left_is_known_after_the_first_timed_request() -> None:
    async with benches() as bench:
        await bench.service.begin(plan(rounds=5))
        first = await bench.until(lambda state: state.done > 0)
        await bench.service.finished()

        assert first.eta_s is not None
        assert first.eta_s >= 0
        assert bench.state.eta_s == 0

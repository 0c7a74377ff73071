"""Predictions are made before a run begins, by what this machine has measured, and never changed."""

from dataclasses import dataclass, field, replace

import pytest

from foundry_tui.domain.bench import BenchPlan, ModelRun, RequestRun, Run
from foundry_tui.domain.engine import EndpointKind, EngineInfo
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.domain.models import Device, ModelVariant
from foundry_tui.domain.predictions import ModelPrediction, NoSpeed, SpeedBasis
from foundry_tui.reports.race_words import race_lines
from foundry_tui.reports.run_results import model_results
from foundry_tui.services.bench.prediction import RUNTIME, Speeds, prediction_of
from tests.support.benches import Bench, benches, plan
from tests.support.memory_runs import MemoryRuns
from tests.support.paced import CPU_VARIANT, GPU_VARIANT, TOKENS_PER_S, PacedScript, built_for
from tests.support.runs import a_run
from tests.support.timed import request, trace

BIG = built_for("big-generic-cpu:1", Device.CPU, alias="big", disk_bytes=2_000_000_000)
FACTS = (("device", "cpu"), ("execution_provider", "CPUExecutionProvider"), ("disk_bytes", "1000000000"))
HERE = {
    "engine": "managed",
    "cpu": "slow",
    "machine": "x86_64",
    "power": "mains",
    "gpu": "one",
    RUNTIME: "2.2.1",
}


def paced(**known: str) -> PacedScript:
    """The variant for the processor is a third as fast as the other; both read 1 GB for a token."""
    models = [built_for(CPU_VARIANT, Device.CPU), built_for(GPU_VARIANT, Device.GPU), BIG]
    return PacedScript(models, times={CPU_VARIANT: 3, BIG.id: 3}, providers=known)


def of_one(model_id: str, **changes: object) -> BenchPlan:
    return plan(models=(model_id,), **changes)


async def made(bench: Bench, wanted: BenchPlan) -> Run:
    run_id = await bench.service.begin(wanted)
    await bench.service.finished()
    kept = await bench.runs.run(run_id)
    assert kept is not None
    return kept


def predicted(run: Run) -> ModelPrediction:
    (model,) = run.models
    assert model.prediction is not None
    return model.prediction


async def test_the_first_run_has_no_prediction_and_says_why() -> None:
    async with benches(engine=paced()) as bench:
        first = predicted(await made(bench, of_one(CPU_VARIANT)))

        assert (first.speed, first.no_speed) == (None, NoSpeed.NOTHING_MEASURED)
        assert first.model_id == CPU_VARIANT
        assert first.memory is not None


async def test_the_next_run_of_a_variant_is_predicted_by_the_one_before() -> None:
    async with benches(engine=paced()) as bench:
        await made(bench, of_one(CPU_VARIANT))
        second = predicted(await made(bench, of_one(CPU_VARIANT)))

        assert second.speed is not None
        assert second.speed.basis is SpeedBasis.SAME_VARIANT
        assert second.speed.tokens_per_s == pytest.approx(TOKENS_PER_S / 3)
        assert second.made_unix_ms == 1_780_000_000_000


async def test_a_model_that_was_never_measured_is_predicted_by_another_on_the_same_provider() -> None:
    async with benches(engine=paced()) as bench:
        await made(bench, of_one(CPU_VARIANT))
        first = predicted(await made(bench, of_one(BIG.id)))
        second = predicted(await made(bench, of_one(BIG.id)))

        # Twice the bytes for a token: half as fast as the other, which it is not.
        assert first.speed is not None
        assert first.speed.basis is SpeedBasis.BANDWIDTH
        assert first.speed.tokens_per_s == pytest.approx(TOKENS_PER_S / 3 / 2)
        assert second.speed is not None
        assert second.speed.tokens_per_s == pytest.approx(TOKENS_PER_S / 3)


async def test_how_far_earlier_predictions_were_off_is_part_of_the_next() -> None:
    third = built_for("third-generic-cpu:1", Device.CPU, alias="third")
    engine = PacedScript([built_for(CPU_VARIANT, Device.CPU), BIG, third], times={})
    async with benches(engine=engine) as bench:
        await made(bench, of_one(CPU_VARIANT))
        await made(bench, of_one(BIG.id))
        last = predicted(await made(bench, of_one(third.id)))

        # 50 tok/s were expected of what came with 100.
        assert last.checked_speeds == 1
        assert last.speed_error_share == pytest.approx(0.5)


async def test_a_prediction_is_fixed_when_the_run_begins_and_a_resume_keeps_it() -> None:
    async with benches(engine=paced()) as bench:
        await made(bench, of_one(CPU_VARIANT))
        run_id = await bench.service.begin(of_one(CPU_VARIANT, rounds=50))
        first = bench.state.run.models[0].prediction
        await bench.until(lambda state: state.done > 0)
        await bench.service.stop()
        await made(bench, of_one(CPU_VARIANT, rounds=1))

        await bench.service.resume(run_id)
        await bench.service.finished()

        kept = await bench.runs.run(run_id)
        assert kept is not None
        assert kept.models[0].prediction == first
        assert first is not None


async def test_a_plan_for_several_at_once_predicts_no_rate_of_one() -> None:
    async with benches(engine=paced()) as bench:
        await made(bench, of_one(CPU_VARIANT))
        together = predicted(await made(bench, of_one(CPU_VARIANT, concurrency=4)))
        alone = predicted(await made(bench, of_one(CPU_VARIANT)))

        assert together.no_speed is NoSpeed.CONCURRENT
        # What shared the machine is no basis for what does not.
        assert alone.speed is not None
        assert alone.speed.runs == 1


async def test_a_name_that_fits_nothing_has_no_prediction() -> None:
    async with benches(engine=paced()) as bench:
        nobody = predicted(await made(bench, of_one("nobody")))

        assert (nobody.model_id, nobody.no_speed, nobody.memory) == (None, NoSpeed.NOT_FOUND, None)


async def test_a_variant_for_the_gpu_that_ran_on_the_processor_teaches_nothing_of_the_gpu() -> None:
    other = built_for("other-cuda-gpu:1", Device.GPU, alias="other")
    models = [built_for(CPU_VARIANT, Device.CPU), built_for(GPU_VARIANT, Device.GPU), other]
    async with benches(
        engine=PacedScript(models, times={})
    ) as bench:  # which reports the processor's provider
        await made(bench, of_one(GPU_VARIANT))

        (found,) = await bench.service.predictions.of([other])

        assert found.no_speed is NoSpeed.NOTHING_MEASURED


async def test_two_variants_of_known_speed_are_told_as_they_are() -> None:
    engine = paced(**{GPU_VARIANT: "CUDAExecutionProvider"})
    async with benches(engine=engine) as bench:
        run = await made(bench, plan(models=(CPU_VARIANT, GPU_VARIANT), rounds=4))
        requests = await bench.runs.requests(run.id)

        line, doubt = race_lines(run, model_results(run, requests))

        # No GPU memory can be read here: so nobody says that a GPU was at work.
        assert line.startswith(
            f"phi: {GPU_VARIANT} decodes 3.0x [3.0, 3.0] as fast as CPU, first token after 0.33x"
        )
        assert doubt.startswith(f"phi: whether the GPU worked for {GPU_VARIANT} is not known")


async def test_a_silent_fallback_to_the_processor_is_told() -> None:
    async with benches(engine=paced()) as bench:
        run = await made(bench, plan(models=(CPU_VARIANT, GPU_VARIANT), rounds=4))
        requests = await bench.runs.requests(run.id)

        line, told = race_lines(run, model_results(run, requests))

        assert line.startswith(f"phi: {GPU_VARIANT} on the processor decodes 3.0x")
        assert "no GPU worked for it" in told


async def test_a_disk_that_cannot_be_read_is_told_before_anything_begins() -> None:
    runs = MemoryRuns()
    async with benches(engine=paced(), runs=runs) as bench:
        runs.unreadable = StorageProblem("the disk is gone", remedy="look for it")

        with pytest.raises(StorageProblem):
            await bench.service.begin(of_one(CPU_VARIANT))
        assert not runs.kept
        assert not bench.lease.holders


# --- which runs are read


async def kept(
    runs: MemoryRuns,
    run_id: str,
    *,
    facts: tuple[tuple[str, str], ...] = FACTS,
    runtime: str = "2.2.1",
    **environment: str,
) -> None:
    """One answer at 100 tok/s; what the environment differs in from ``HERE``."""
    model = ModelRun(model="tiny", model_id="tiny-generic-cpu:1", facts=facts)
    run = replace(
        a_run(run_id, models=(model,)), environment=tuple((HERE | environment | {RUNTIME: runtime}).items())
    )
    await runs.import_run(run, [request(1, trace(completion=10))])


async def test_runs_of_this_machine_are_read_and_those_of_others_are_not() -> None:
    runs = MemoryRuns()
    await kept(runs, "mine")
    await kept(runs, "older", runtime="2.0.0")
    await kept(runs, "other processor", cpu="fast")
    await kept(runs, "other engine", engine="openai")
    await kept(runs, "on battery", power="battery")
    await kept(runs, "other gpu", gpu="another")

    found = await Speeds(runs).measured(HERE)

    # What runs on the processor does not care for the GPU.
    assert {one.run_id for one in found} == {"mine", "older", "other gpu"}


async def test_with_another_gpu_what_ran_on_a_gpu_tells_nothing() -> None:
    runs = MemoryRuns()
    facts = (("device", "gpu"), ("execution_provider", "CUDAExecutionProvider"))
    await kept(runs, "mine", facts=facts)
    await kept(runs, "other gpu", facts=facts, gpu="another")

    assert [one.run_id for one in await Speeds(runs).measured(HERE)] == ["mine"]


@dataclass
class _Watched(MemoryRuns):
    """Notes of which runs the requests were read."""

    reads: list[str] = field(default_factory=list[str])

    async def requests(
        self, run_id: str, *, after: int = 0, model: str | None = None
    ) -> tuple[RequestRun, ...]:
        self.reads.append(run_id)
        return await super().requests(run_id, after=after, model=model)


async def test_a_run_is_read_once_and_again_only_when_requests_came() -> None:
    runs = _Watched()
    await kept(runs, "mine")
    speeds = Speeds(runs)
    first = await speeds.measured(HERE)

    assert await speeds.measured(HERE) == first
    assert runs.reads == ["mine"]
    await runs.add_request("mine", request(2, trace(completion=10), round_=2))
    (again,) = await speeds.measured(HERE)
    assert (runs.reads, len(again.rates)) == (["mine", "mine"], 2)


async def test_a_run_that_would_take_long_to_read_is_left_out() -> None:
    runs = MemoryRuns()
    run = replace(a_run("long", models=(ModelRun(model="tiny", model_id="tiny-generic-cpu:1", facts=FACTS),)))
    await runs.import_run(run, [request(number, trace(completion=10)) for number in range(1, 2_002)])

    assert await Speeds(runs).measured({}) == ()


# --- one model


def variant(**known: object) -> ModelVariant:
    return built_for(CPU_VARIANT, Device.CPU, **known)


def test_of_somebody_elses_machine_nothing_is_predicted() -> None:
    remote = EngineInfo(kind=EndpointKind.OPENAI, url="http://far", pid=None, capabilities=())

    found = prediction_of(variant(), [], info=remote, report=None, need=None, made_unix_ms=1)

    assert (found.no_speed, found.memory) == (NoSpeed.ELSEWHERE, None)


def test_the_size_of_the_catalog_stands_for_files_that_are_not_here() -> None:
    absent = variant(disk_bytes=None, size_bytes=None)

    assert (
        prediction_of(absent, [], info=None, report=None, need=None, made_unix_ms=1).no_speed
        is NoSpeed.NO_SIZE
    )
    told = replace(absent, size_bytes=1_000_000_000)
    found = prediction_of(told, [], info=None, report=None, need=None, made_unix_ms=1)
    assert found.no_speed is NoSpeed.NOTHING_MEASURED

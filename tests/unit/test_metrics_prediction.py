"""How fast a model is expected to be: by itself, by others with its provider, or not at all."""

from dataclasses import replace

import pytest

from foundry_tui.domain.bench import ModelRun
from foundry_tui.domain.loads import MemoryPlace
from foundry_tui.domain.predictions import (
    MemoryPrediction,
    ModelPrediction,
    NoSpeed,
    SpeedBasis,
    SpeedPrediction,
)
from foundry_tui.metrics.acceleration import Worked
from foundry_tui.metrics.prediction import (
    MeasuredSpeed,
    SpeedError,
    SpeedQuery,
    error_share,
    measured_load_bytes,
    measured_speed,
    predicted_speed,
    processor_of,
    speed_error,
)
from tests.support.timed import request, trace

CPU = ("cpu", "cpuexecutionprovider")
CUDA = ("gpu", "cudaexecutionprovider")
GB = 1_000_000_000
MIB = 1 << 20


def asked(model_id: str = "phi-cpu:1", **known: object) -> SpeedQuery:
    base = SpeedQuery(
        model_id=model_id,
        processor=CPU,
        provider_name="CPUExecutionProvider",
        weights_bytes=2 * GB,
        runtime="2.2.1",
    )
    return replace(base, **known)  # type: ignore[arg-type]  # each by its name


def measured(model_id: str, *rates: float, **known: object) -> MeasuredSpeed:
    base = MeasuredSpeed(
        run_id=f"run of {model_id}",
        at_unix_ms=1_000,
        model_id=model_id,
        processor=CPU,
        weights_bytes=2 * GB,
        runtime="2.2.1",
        rates=rates,
        is_estimate=False,
        worked=Worked.YES,
        prediction=None,
    )
    return replace(base, **known)  # type: ignore[arg-type]  # likewise


def found(query: SpeedQuery, *known: MeasuredSpeed) -> SpeedPrediction:
    prediction = predicted_speed(query, known)
    assert isinstance(prediction, SpeedPrediction)
    return prediction


# --- by itself


def test_a_variant_that_was_measured_is_expected_to_do_as_it_did() -> None:
    prediction = found(asked(), measured("phi-cpu:1", 10.0, 14.0, 12.0))

    assert (prediction.tokens_per_s, prediction.low, prediction.high) == (12.0, 10.0, 14.0)
    assert prediction.basis is SpeedBasis.SAME_VARIANT
    assert (prediction.models, prediction.runs, prediction.answers) == (1, 1, 3)


def test_several_runs_give_the_median_of_their_medians_and_range_over_these() -> None:
    runs = [
        measured("phi-cpu:1", rate - 5, rate, rate + 5, run_id=f"r{place}", at_unix_ms=place)
        for place, rate in enumerate((20.0, 30.0, 28.0), start=1)
    ]

    prediction = found(asked(), *runs)

    assert (prediction.tokens_per_s, prediction.low, prediction.high) == (28.0, 20.0, 30.0)
    assert (prediction.runs, prediction.answers, prediction.newest_unix_ms) == (3, 9, 3)


def test_only_the_newest_five_runs_count() -> None:
    runs = [
        measured("phi-cpu:1", float(place), run_id=f"r{place}", at_unix_ms=place) for place in range(1, 8)
    ]

    prediction = found(asked(), *runs)

    assert (prediction.low, prediction.tokens_per_s, prediction.high) == (3.0, 5.0, 7.0)


def test_runs_with_the_same_runtime_are_preferred_and_others_are_told() -> None:
    old = measured("phi-cpu:1", 99.0, runtime="2.0.0", at_unix_ms=9_000)

    assert found(asked(), old, measured("phi-cpu:1", 10.0)).tokens_per_s == 10.0
    only_old = found(asked(), old)
    assert (only_old.tokens_per_s, only_old.is_same_runtime) == (99.0, False)


def test_files_of_another_size_are_another_model() -> None:
    prediction = found(asked(), measured("phi-cpu:1", 10.0, weights_bytes=1 * GB))

    assert prediction.basis is SpeedBasis.BANDWIDTH


def test_a_gpu_that_did_not_work_for_it_is_told_and_never_mixed_with_one_that_did() -> None:
    query = asked("phi-cuda:1", processor=CUDA)
    well = measured("phi-cuda:1", 100.0, processor=CUDA, run_id="well", at_unix_ms=1)
    failed = measured("phi-cuda:1", 9.0, processor=CUDA, worked=Worked.NO, run_id="failed", at_unix_ms=2)

    last_failed = found(query, well, failed)
    assert (last_failed.tokens_per_s, last_failed.is_fallback, last_failed.runs) == (9.0, True, 1)
    last_well = found(query, replace(well, at_unix_ms=3), failed)
    assert (last_well.tokens_per_s, last_well.is_fallback, last_well.runs) == (100.0, False, 1)


def test_what_is_told_only_by_a_load_need_not_be_known_of_a_variant_that_was_measured() -> None:
    before = measured("phi-gpu:1", 9.0, processor=("gpu", "cpuexecutionprovider"), worked=Worked.NO)

    unloaded = found(asked("phi-gpu:1", processor=("gpu", None)), before)
    assert (unloaded.tokens_per_s, unloaded.is_fallback) == (9.0, True)
    assert found(asked("phi-gpu:1", processor=None), before).tokens_per_s == 9.0
    other = predicted_speed(asked("phi-gpu:1", processor=CUDA), [before])
    assert other is NoSpeed.NOTHING_MEASURED


# --- by others


def test_a_model_twice_as_big_is_half_as_fast() -> None:
    # 20 tok/s of 1 GB, and 9 of 2 GB: 20 and 18 GB/s, so 10 and 9 tok/s of 2 GB.
    prediction = found(
        asked(),
        measured("a-cpu:1", 20.0, weights_bytes=1 * GB),
        measured("b-cpu:1", 9.0, weights_bytes=2 * GB),
    )

    assert prediction.tokens_per_s == pytest.approx(9.5)
    assert [prediction.low, prediction.high] == pytest.approx([9.0, 10.0])
    assert prediction.basis is SpeedBasis.BANDWIDTH
    assert (prediction.models, prediction.runs, prediction.answers) == (2, 2, 2)


def test_a_model_that_was_measured_often_counts_once() -> None:
    often = [
        measured("a-cpu:1", 20.0, run_id=f"r{place}", at_unix_ms=place, weights_bytes=2 * GB)
        for place in range(4)
    ]

    prediction = found(asked(), *often, measured("b-cpu:1", 10.0), measured("c-cpu:1", 12.0))

    assert prediction.tokens_per_s == 12.0
    assert (prediction.low, prediction.high) == (10.0, 20.0)


def test_of_one_other_model_the_interval_is_that_of_its_answers() -> None:
    prediction = found(asked(), measured("a-cpu:1", 36.0, 40.0, 44.0, weights_bytes=1 * GB))

    assert prediction.tokens_per_s == pytest.approx(20.0)
    assert [prediction.low, prediction.high] == pytest.approx([18.0, 22.0])
    assert prediction.models == 1


@pytest.mark.parametrize(
    "other",
    [
        measured("a-cuda:1", 200.0, processor=CUDA),
        measured("a-dml:1", 200.0, processor=("gpu", "dmlexecutionprovider")),
        measured("a-npu:1", 50.0, processor=("npu", "cpuexecutionprovider")),
        measured("a:1", 50.0, processor=None),
    ],
)
def test_another_device_or_provider_is_no_basis(other: MeasuredSpeed) -> None:
    assert predicted_speed(asked(), [other]) is NoSpeed.NOTHING_MEASURED


def test_what_ran_on_the_processor_though_built_for_the_gpu_is_no_basis_for_a_gpu() -> None:
    fallback = measured("a-cuda:1", 9.0, processor=CUDA, worked=Worked.NO)
    query = asked("phi-cuda:1", processor=CUDA)

    assert predicted_speed(query, [fallback]) is NoSpeed.NOTHING_MEASURED
    assert predicted_speed(asked(), [fallback]) is NoSpeed.NOTHING_MEASURED


def test_weights_that_fit_into_caches_tell_nothing_of_memory_and_memory_nothing_of_them() -> None:
    tiny = measured("tiny-cpu:1", 5_000.0, weights_bytes=1 * MIB)

    assert predicted_speed(asked(), [tiny]) is NoSpeed.NOTHING_MEASURED
    small = asked(weights_bytes=31 * MIB)
    assert predicted_speed(small, [measured("a-cpu:1", 20.0)]) is NoSpeed.TOO_SMALL


def test_without_a_basis_there_is_a_reason_and_never_a_number() -> None:
    known = [measured("a-cpu:1", 20.0)]

    assert predicted_speed(asked(), []) is NoSpeed.NOTHING_MEASURED
    assert predicted_speed(asked(processor=None), known) is NoSpeed.NO_PROVIDER
    assert predicted_speed(asked(weights_bytes=None), known) is NoSpeed.NO_SIZE
    assert (
        predicted_speed(asked(), [measured("a-cpu:1", 20.0, weights_bytes=None)]) is NoSpeed.NOTHING_MEASURED
    )


# --- what runs it


@pytest.mark.parametrize(
    ("device", "provider", "expected"),
    [
        ("CPU", "CPUExecutionProvider", CPU),
        ("cpu", None, CPU),
        (None, " CPUExecutionProvider ", CPU),
        ("gpu", "CUDAExecutionProvider", CUDA),
        ("gpu", None, ("gpu", None)),
        (None, "QNNExecutionProvider", (None, "qnnexecutionprovider")),
        (None, None, None),
        ("", " ", None),
    ],
)
def test_the_processors_provider_and_its_device_stand_for_each_other(
    device: str | None, provider: str | None, expected: tuple[str | None, str | None] | None
) -> None:
    assert processor_of(device, provider) == expected


# --- how it turned out


def made(
    rate: float, *, basis: SpeedBasis = SpeedBasis.BANDWIDTH, model_id: str = "a-cpu:1"
) -> ModelPrediction:
    speed = SpeedPrediction(
        tokens_per_s=rate,
        low=rate,
        high=rate,
        basis=basis,
        models=1,
        runs=1,
        answers=1,
        newest_unix_ms=0,
        provider="CPUExecutionProvider",
    )
    return ModelPrediction(model_id=model_id, made_unix_ms=0, speed=speed)


def test_the_error_is_the_median_of_how_far_the_predictions_of_that_kind_were_off() -> None:
    known = [
        measured("a-cpu:1", 10.0, prediction=made(11.0)),  # 10 % too high
        measured("a-cpu:1", 10.0, prediction=made(7.0)),  # 30 % too low
        measured("a-cpu:1", 10.0, prediction=made(12.0)),  # 20 % too high
        measured("a-cpu:1", 10.0, prediction=made(99.0, basis=SpeedBasis.SAME_VARIANT)),
        measured("a-cpu:1", 10.0, prediction=made(99.0), processor=CUDA),
        measured("a-cpu:1", 10.0, prediction=made(99.0, model_id="another-cpu:1")),
        measured("a-cpu:1", 10.0),
    ]

    error = speed_error(known, SpeedBasis.BANDWIDTH, CPU)

    assert error.checked == 3
    assert error.median_share == pytest.approx(0.2)
    assert speed_error([], SpeedBasis.BANDWIDTH, CPU) == SpeedError()


def test_only_the_last_ten_predictions_are_held_against_what_came() -> None:
    old = [measured("a-cpu:1", 10.0, at_unix_ms=place, prediction=made(1000.0)) for place in range(5)]
    new = [measured("a-cpu:1", 10.0, at_unix_ms=100 + place, prediction=made(11.0)) for place in range(10)]

    error = speed_error([*new, *old], SpeedBasis.BANDWIDTH, CPU)

    assert error.checked == 10
    assert error.median_share == pytest.approx(0.1)


def test_an_error_is_above_0_where_too_much_was_expected() -> None:
    assert error_share(12.0, 10.0) == pytest.approx(0.2)
    assert error_share(9.0, 10.0) == pytest.approx(-0.1)


def test_the_memory_that_was_predicted_is_held_against_what_its_load_took() -> None:
    model = ModelRun(
        model="a",
        model_id="a-cpu:1",
        rss_before_bytes=100 * MIB,
        rss_loaded_bytes=700 * MIB,
        vram_before_bytes=5 * MIB,
        vram_loaded_bytes=905 * MIB,
    )

    def of(kind: MemoryPlace, model_id: str = "a-cpu:1") -> ModelPrediction:
        memory = MemoryPrediction(kind=kind, load_bytes=1)
        return ModelPrediction(
            model_id=model_id, made_unix_ms=0, no_speed=NoSpeed.NOTHING_MEASURED, memory=memory
        )

    assert measured_load_bytes(model, of(MemoryPlace.RAM)) == 600 * MIB
    assert measured_load_bytes(model, of(MemoryPlace.GPU)) == 900 * MIB
    assert measured_load_bytes(model, of(MemoryPlace.RAM, "b-cpu:1")) is None
    assert measured_load_bytes(ModelRun(model="a", model_id="a-cpu:1"), of(MemoryPlace.RAM)) is None


def test_a_run_tells_the_rates_of_its_counted_answers() -> None:
    model = ModelRun(
        model="tiny",
        model_id="tiny-generic-cpu:1",
        facts=(
            ("device", "cpu"),
            ("execution_provider", "CPUExecutionProvider"),
            ("disk_bytes", "2000000000"),
        ),
    )
    # Ten tokens in ten chunks, 10 ms apart: 100 tok/s.
    answers = [
        request(1, trace(completion=10)),
        request(2, trace(completion=None, prompt=None, has_text=False)),
    ]

    one = measured_speed(model, answers, run_id="r", at_unix_ms=7, runtime="2.2.1")

    assert one is not None
    assert list(one.rates) == pytest.approx([100.0])
    assert (one.processor, one.weights_bytes, one.worked) == (CPU, 2 * GB, Worked.YES)
    assert measured_speed(model, answers[1:], run_id="r", at_unix_ms=7, runtime=None) is None
    assert (
        measured_speed(replace(model, model_id=None), answers, run_id="r", at_unix_ms=7, runtime=None) is None
    )

"""Whether what a variant is built for has worked for it."""

from dataclasses import replace

import pytest

from foundry_tui.domain.bench import ModelRun, RequestRun
from foundry_tui.domain.bench_conditions import EnergyReading, EnergyScope, RequestConditions
from foundry_tui.metrics.acceleration import Evidence, Worked, acceleration
from tests.support.timed import request

MIB = 1 << 20


def model(
    device: str | None,
    provider: str | None = None,
    *,
    weights: int | None = 800 * MIB,
    before: int | None = 100 * MIB,
    loaded: int | None = None,
) -> ModelRun:
    facts = (("device", device), ("execution_provider", provider), ("disk_bytes", weights))
    return ModelRun(
        model="m",
        model_id="m-cuda-gpu:1",
        vram_before_bytes=before,
        vram_loaded_bytes=loaded,
        facts=tuple((name, str(value)) for name, value in facts if value is not None),
    )


def drew(gross_j: float, *, idle_w: float | None = 10.0) -> list[RequestRun]:
    """One answer over a second."""
    reading = EnergyReading(
        scope=EnergyScope.GPU, window_s=1.0, counter_j=gross_j, integrated_j=None, idle_w=idle_w
    )
    return [replace(request(1), conditions=RequestConditions(energy=(reading,)))]


@pytest.mark.parametrize(
    ("of", "worked", "evidence"),
    [
        (model("cpu", "CPUExecutionProvider"), Worked.YES, Evidence.DEVICE),
        (model("cpu"), Worked.YES, Evidence.DEVICE),
        (model(None, "CPUExecutionProvider"), Worked.YES, Evidence.DEVICE),
        (model("gpu", "CPUExecutionProvider"), Worked.NO, Evidence.PROVIDER),
        (model("npu", "CPUExecutionProvider"), Worked.NO, Evidence.PROVIDER),
        (model("npu", "QNNExecutionProvider"), Worked.UNKNOWN, Evidence.NOTHING),
        (model("gpu", "CUDAExecutionProvider", loaded=112 * MIB), Worked.NO, Evidence.MEMORY),
        (model("gpu", "CUDAExecutionProvider", loaded=1100 * MIB), Worked.YES, Evidence.MEMORY),
        (model("gpu", "CUDAExecutionProvider", loaded=700 * MIB), Worked.UNKNOWN, Evidence.NOTHING),
        (model("gpu", "CUDAExecutionProvider", loaded=None), Worked.UNKNOWN, Evidence.NOTHING),
        (
            model("gpu", "CUDAExecutionProvider", loaded=900 * MIB, before=None),
            Worked.UNKNOWN,
            Evidence.NOTHING,
        ),
        (
            model("gpu", "CUDAExecutionProvider", loaded=900 * MIB, weights=None),
            Worked.UNKNOWN,
            Evidence.NOTHING,
        ),
    ],
)
def test_what_the_record_tells(of: ModelRun, worked: Worked, evidence: Evidence) -> None:
    found = acceleration(of, [])

    assert (found.worked, found.evidence) == (worked, evidence)


def test_a_drivers_context_is_not_taken_for_small_weights_on_the_gpu() -> None:
    small = model("gpu", "CUDAExecutionProvider", weights=200 * MIB, loaded=500 * MIB)

    assert acceleration(small, []).worked is Worked.UNKNOWN


def test_the_peak_over_the_answers_counts_too() -> None:
    of = model("gpu", "CUDAExecutionProvider", loaded=None)
    peak = [replace(request(1), peak_vram_bytes=1200 * MIB)]

    found = acceleration(of, peak)

    assert (found.worked, found.grown_bytes) == (Worked.YES, 1100 * MIB)


@pytest.mark.parametrize(
    ("gross_j", "idle_w", "worked"),
    [(11.4, 10.0, Worked.NO), (11.6, 10.0, Worked.UNKNOWN), (11.4, None, Worked.UNKNOWN)],
)
def test_where_memory_does_not_tell_boards_that_stay_idle_do(
    gross_j: float, idle_w: float | None, worked: Worked
) -> None:
    assert acceleration(model("gpu", "CUDAExecutionProvider"), drew(gross_j, idle_w=idle_w)).worked is worked


def test_power_does_not_overrule_weights_that_lie_on_the_gpu() -> None:
    of = model("gpu", "CUDAExecutionProvider", loaded=1100 * MIB)

    assert acceleration(of, drew(10.0)).worked is Worked.YES


@pytest.mark.parametrize("size", ["", "many", "-5", "0", "9" * 5000, "1e9"])
def test_a_size_that_is_none_is_not_known(size: str) -> None:
    of = ModelRun(model="m", facts=(("device", "gpu"), ("disk_bytes", size)))

    assert acceleration(of, []).weights_bytes is None

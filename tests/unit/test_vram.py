"""GPU memory of the engine over all GPUs, worked out by hand."""

from foundry_tui.domain.resources import GpuSample, GpuSamples, Missing
from foundry_tui.metrics.vram import EngineVram, VramBasis, engine_vram


def gpu(process: int | None, above: int | None = None, *missing: Missing) -> GpuSample:
    return GpuSample(
        name="g",
        total_bytes=99,
        used_bytes=50,
        process_bytes=process,
        above_baseline_bytes=above,
        missing=missing,
    )


def test_memory_on_several_gpus_adds_up() -> None:
    assert engine_vram(GpuSamples(gpus=(gpu(3), gpu(0), gpu(4)))) == EngineVram(
        total_bytes=7, basis=VramBasis.PROCESS
    )


def test_where_the_driver_hides_it_the_device_less_its_baseline_stands_in_and_is_labelled() -> None:
    assert engine_vram(GpuSamples(gpus=(gpu(3, 5), gpu(None, 6)))) == EngineVram(
        total_bytes=9, basis=VramBasis.ABOVE_BASELINE
    )


def test_a_sum_over_some_gpus_is_none_and_says_why() -> None:
    hidden = gpu(
        None,
        None,
        Missing(field="process_bytes", why="hidden"),
        Missing(field="above_baseline_bytes", why="not read before"),
    )

    assert engine_vram(GpuSamples(gpus=(gpu(3), hidden))) == EngineVram(why="hidden; not read before")


def test_without_a_gpu_the_reason_is_that_of_its_absence() -> None:
    assert engine_vram(GpuSamples(absence="no driver")) == EngineVram(why="no driver")

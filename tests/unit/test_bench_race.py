"""Who runs in a race of the variants of one model, who does not and why, and in which order."""

from dataclasses import replace

import pytest

from foundry_tui.domain.bench import Order
from foundry_tui.domain.loads import MemoryPlace
from foundry_tui.domain.models import CatalogKind, Device, ModelVariant
from foundry_tui.metrics.fit import Fit, FitVerdict
from foundry_tui.services.bench.order import memory_order
from foundry_tui.services.bench.race import Race, race_of, rounds_of_race

GIB = 1 << 30


def variant(model_id: str, device: Device | None = Device.CPU, **known: object) -> ModelVariant:
    base = ModelVariant(
        id=model_id,
        alias="phi",
        catalog=CatalogKind.PUBLIC,
        device=device,
        is_cached=True,
        is_loaded=False,
    )
    return replace(base, **known)  # type: ignore[arg-type]  # each by its name


def race(*models: ModelVariant, name: str = "phi") -> Race:
    found = race_of(models, name)
    assert found is not None
    return found


def ids(models: tuple[ModelVariant, ...]) -> list[str]:
    return [model.id for model in models]


CPU = variant("phi-generic-cpu:1")
GPU = variant("phi-cuda-gpu:2", Device.GPU)
NPU = variant("phi-qnn-npu:3", Device.NPU)


@pytest.mark.parametrize("name", ["phi", "phi-cuda-gpu:2", "phi-cuda-gpu"])
def test_all_variants_of_the_alias_run_the_processors_first(name: str) -> None:
    other = variant("llama-generic-cpu:1", alias="llama")

    found = race(NPU, GPU, other, CPU, name=name)

    assert (found.alias, ids(found.runners), found.left_out) == ("phi", [CPU.id, GPU.id, NPU.id], ())


def test_what_cannot_run_is_named_with_its_reason_and_what_a_download_brings_comes_first() -> None:
    broken = replace(GPU, problem="model.onnx is missing")
    elsewhere = replace(NPU, is_cached=False, unavailable="no NPU here")
    absent = variant("phi-generic-gpu:1", Device.GPU, is_cached=False)

    found = race(broken, elsewhere, absent, CPU)

    assert ids(found.runners) == [CPU.id]
    assert [(one.model.id, one.why, one.can_download) for one in found.left_out] == [
        ("phi-generic-gpu:1", "not downloaded", True),
        (GPU.id, "model.onnx is missing", False),
        (NPU.id, "no NPU here", False),
    ]
    assert found.is_one


def test_of_several_versions_the_newest_that_is_here_runs() -> None:
    second, tenth = variant("phi-generic-cpu:2"), variant("phi-generic-cpu:10", is_cached=False)

    found = race(CPU, second, tenth, GPU)

    assert ids(found.runners) == [second.id, GPU.id]
    assert {one.model.id: one.why for one in found.left_out} == {
        CPU.id: f"another version runs: {second.id}",
        tenth.id: f"another version runs: {second.id}",
    }


def test_versions_are_numbers_and_no_words() -> None:
    second, tenth = variant("phi-generic-cpu:2"), variant("phi-generic-cpu:10")

    assert ids(race(second, tenth, GPU).runners) == [tenth.id, GPU.id]
    assert ids(race(tenth, second, GPU).runners) == [tenth.id, GPU.id]


def test_where_nobody_knows_what_is_here_all_can_be_tried() -> None:
    served = [replace(one, is_cached=None, is_loaded=None) for one in (CPU, GPU)]

    assert ids(race(*served).runners) == [CPU.id, GPU.id]


def test_one_variant_alone_is_no_race_unless_another_can_be_downloaded() -> None:
    assert not race(CPU).is_one
    assert not race(CPU, replace(GPU, unavailable="no GPU here")).is_one
    assert race(CPU, replace(GPU, is_cached=False)).is_one


def test_what_nothing_is_called_by_is_no_race() -> None:
    assert race_of([CPU], "llama") is None
    assert race_of([], "phi") is None


def test_hostile_names_are_names() -> None:
    hostile = [replace(one, alias="\x1b[31m[b]:\u202e9" + "9" * 999) for one in (CPU, GPU)]
    odd = replace(CPU, id=":" * 50 + "9" * 5000, alias=hostile[0].alias)

    found = race(*hostile, odd, name=hostile[0].alias)

    assert found.alias == hostile[0].alias
    assert len(found.runners) == 3


# --- order and rounds


def need(gib: float | None, free_gib: float | None, memory: MemoryPlace = MemoryPlace.RAM) -> Fit:
    return Fit(
        verdict=FitVerdict.UNKNOWN,
        memory=memory,
        terms=(),
        need_bytes=None if gib is None else int(gib * GIB),
        available_bytes=None if free_gib is None else int(free_gib * GIB),
        margin_bytes=None,
        conversation_tokens=1,
    )


def test_what_fits_into_memory_together_is_interleaved_so_that_drift_favours_none() -> None:
    assert memory_order([need(3, 8), need(5, 8)]).order is Order.INTERLEAVED


def test_what_does_not_is_measured_one_after_the_other_and_that_is_said() -> None:
    found = memory_order([need(3, 8), need(5.5, 8)])

    assert found.order is Order.BLOCKED
    assert found.why is not None
    assert "about 8.50 GiB of RAM and 8.00 GiB are free" in found.why
    assert "drift" in found.why


def test_memory_of_the_gpu_is_another_one_than_that_of_the_machine() -> None:
    assert memory_order([need(7, 8), need(7, 8, MemoryPlace.GPU)]).order is Order.INTERLEAVED
    assert memory_order([need(1, 8), *[need(5, 8, MemoryPlace.GPU)] * 2]).order is Order.BLOCKED


@pytest.mark.parametrize(
    "needs", [[], [need(9, 8)], [need(None, 8), need(7, 8)], [need(9, None), need(9, None)]]
)
def test_one_alone_and_what_nobody_knows_is_not_said_to_lack_memory(needs: list[Fit]) -> None:
    assert memory_order(needs).order is Order.INTERLEAVED


@pytest.mark.parametrize(("prompts", "rounds"), [(0, 6), (1, 6), (2, 4), (3, 4), (9, 4)])
def test_rounds_are_even_and_enough_to_show_a_difference(prompts: int, rounds: int) -> None:
    assert rounds_of_race(prompts) == rounds

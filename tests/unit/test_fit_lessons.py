"""What loads teach, by numbers worked out by hand."""

import pytest

from foundry_tui.domain.loads import LoadRecord, MemoryPlace
from foundry_tui.domain.models import Device
from foundry_tui.metrics.fit import Fit, fit
from foundry_tui.metrics.fit_lessons import EstimateError, Lessons, lessons

MIB = 1_048_576
GIB = 1024 * MIB


def load(
    model_id: str,
    file_mib: int,
    taken_mib: int,
    *,
    estimated_mib: int | None = None,
    runtime: str = "2.2.1",
    memory: MemoryPlace = MemoryPlace.RAM,
    is_fresh: bool = True,
) -> LoadRecord:
    return LoadRecord(
        model_id=model_id,
        at_unix_ms=0,
        runtime=runtime,
        memory=memory,
        file_bytes=file_mib * MIB,
        taken_bytes=taken_mib * MIB,
        estimated_bytes=None if estimated_mib is None else estimated_mib * MIB,
        is_fresh=is_fresh,
    )


def learned(*records: LoadRecord, model_id: str = "new:1", file_mib: int = 400) -> Lessons:
    return lessons(
        records,
        memory=MemoryPlace.RAM,
        runtime="2.2.1",
        model_id=model_id,
        file_bytes=file_mib * MIB,
        copies=2.0,
        own_bytes=15 * MIB,
    )


def weighed(*records: LoadRecord, model_id: str = "new:1", limit_percent: int | None = 90) -> Fit:
    return fit(
        file_bytes=400 * MIB,
        available_ram_bytes=GIB,
        total_bytes=4 * GIB,
        host_is_running=True,
        conversation_tokens=0,
        limit_percent=limit_percent,
        learned=learned(*records, model_id=model_id),
    )


def test_small_models_teach_what_the_runtime_takes_and_big_ones_how_often_weights_are_held() -> None:
    found = learned(load("a:1", 1, 20), load("b:1", 2, 30), load("c:1", 100, 172), load("d:1", 200, 422))

    # (20 - 2 × 1 + 30 - 2 × 2) / 2 = 22; (172 - 22) / 100 = 1.5; (422 - 22) / 200 = 2; their middle
    assert found.own_bytes == 22 * MIB
    assert found.copies == pytest.approx(1.75)
    assert found.load_bytes is None


def test_what_was_learned_takes_the_place_of_the_rules_of_thumb() -> None:
    found = weighed(load("a:1", 1, 20), load("c:1", 100, 168))

    # 400 + 0.5 × 400 + 18
    assert found.load_bytes == 618 * MIB
    assert [(term.label, term.size_bytes) for term in found.terms if term.size_bytes] == [
        ("weights", 400 * MIB),
        ("weights packed for the processor, as loads here took", 200 * MIB),
        ("the runtime's own, as loads here took", 18 * MIB),
    ]


def test_the_very_same_model_is_expected_to_take_what_it_took() -> None:
    found = weighed(
        load("new:1", 400, 700), load("new:1", 400, 720), load("new:1", 400, 900), load("new:1", 7, 1)
    )

    assert found.load_bytes == 720 * MIB
    assert found.terms[0].label == "the model in memory, median of its 3 loads here"
    assert not found.terms[0].is_assumed


@pytest.mark.parametrize(
    "other",
    [
        load("new:1", 400, 999, runtime="2.3.0"),
        load("new:1", 400, 999, memory=MemoryPlace.GPU),
        load("new:1", 400, 999, is_fresh=False),
    ],
)
def test_loads_of_other_circumstances_teach_nothing(other: LoadRecord) -> None:
    assert learned(other, model_id="new:1") == Lessons()


def test_weights_are_held_at_least_once() -> None:
    found = weighed(load("c:1", 100, 50))

    assert found.load_bytes == 415 * MIB


def test_the_error_is_the_worst_of_the_last_ten_loads() -> None:
    far = load("a:1", 100, 100, estimated_mib=300)
    near = [load("a:1", 100, 100, estimated_mib=100 + n % 2 * 8) for n in range(10)]

    assert learned(far, *near[1:]).error == EstimateError(10, 2.0)
    assert learned(far, *near).error == EstimateError(10, 0.08)
    assert learned(load("a:1", 100, 100)).error == EstimateError(0, None)


def test_what_would_be_in_use_is_weighed_against_the_limit() -> None:
    # 4 GiB, 3 of them in use: 815 MiB more make 3,887 of 4,096; 90 % are 3,686.4
    found = weighed()

    assert found.used_then_bytes == 3_887 * MIB
    assert found.limit_bytes == 3_865_470_566
    assert found.over_limit_bytes == 3_887 * MIB - 3_865_470_566
    assert weighed(limit_percent=95).over_limit_bytes == 0
    assert weighed(limit_percent=None).over_limit_bytes == 0


def test_a_gpu_has_a_limit_of_its_own_memory() -> None:
    found = fit(
        file_bytes=5 * GIB,
        device=Device.GPU,
        available_ram_bytes=None,
        available_vram_bytes=6 * GIB,
        total_bytes=8 * GIB,
        conversation_tokens=0,
        limit_percent=90,
    )

    # 2 in use, 5 of weights and 500 MiB of the driver's own; 7.2 are 90 %
    assert found.used_then_bytes == 7 * GIB + 500 * MIB
    assert found.over_limit_bytes == found.used_then_bytes - 7_730_941_132


def test_what_nobody_told_is_named() -> None:
    found = fit(file_bytes=None, available_ram_bytes=GIB)

    assert found.unknown == ("the size of its files", "its layers, heads and vocabulary", "its context")

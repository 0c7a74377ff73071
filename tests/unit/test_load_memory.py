"""Loads weighed before they begin, asked about beyond the limit, learned from, and explained."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest

from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.engine import HostDeath
from foundry_tui.domain.errors import (
    EngineDied,
    EngineError,
    GenerationFailed,
    KilledForMemory,
    ModelRefused,
    OutOfMemory,
)
from foundry_tui.domain.loads import MemoryPlace
from foundry_tui.domain.models import CatalogKind, Device, ModelVariant
from foundry_tui.domain.resources import GpuSample
from foundry_tui.metrics.fit import fit
from foundry_tui.ports.machine import HostProbe
from foundry_tui.services.client import ClientService
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.services.engine.load_question import InMemory, to_unload
from foundry_tui.services.engine.out_of_memory import explained_answer, explained_load
from tests.support.scales import Scales
from tests.support.supervised import SupervisedScript

MIB, GIB = 1 << 20, 1 << 30


def variant(
    model_id: str,
    size_gib: float,
    *,
    alias: str | None = None,
    device: Device = Device.CPU,
    here: bool = True,
) -> ModelVariant:
    size = int(size_gib * GIB)
    return ModelVariant(
        id=model_id,
        alias=alias or model_id,
        catalog=CatalogKind.PUBLIC,
        device=device,
        size_bytes=size,
        disk_bytes=size if here else None,
        is_cached=here,
        is_loaded=False,
    )


BIG = variant("big:1", 6, alias="phi")
SMALL = variant("small:1", 1, alias="phi", here=False)
SMALLER = variant("smaller:1", 0.5, alias="phi")
OTHER, THIRD = variant("other:1", 1), variant("third:1", 2)
SHELF = (BIG, SMALL, SMALLER, OTHER, THIRD)


@asynccontextmanager
async def opened(
    scales: Scales, models: Sequence[ModelVariant] = SHELF
) -> AsyncGenerator[ClientService, None]:
    probe: HostProbe = scales.host()
    client = ClientService(
        SupervisedScript(models=models),
        EngineLease(),
        host_probe=lambda: probe,
        wants_public=False,
        memory=scales.sources(),
    )
    try:
        await client.start()
        yield client
    finally:
        await client.aclose()


async def test_within_the_limit_nothing_is_asked() -> None:
    async with opened(Scales(total_bytes=64 * GIB)) as client:
        assert await client.memory.question(client.find("big:1")) is None


async def test_beyond_the_limit_the_question_has_the_numbers_and_the_ways_out() -> None:
    scales = Scales(steps=[0, 2 * GIB, 0, 4 * GIB])
    async with opened(scales) as client:
        await client.load("other:1")
        await client.load("third:1")

        question = await client.memory.question(client.find("big:1"))

    assert question is not None
    # 4 of 16 GiB in use; the two loads held their weights 1.985 and 1.993 times beside 15 MiB, so that
    # 6 × 1.989 + 15 / 1,024 GiB and 2 × 6 GiB / 20,000 × 4,096 tokens make 14.41
    assert question.words == (
        "big:1 needs about 14.4 GiB: then 18.4 GiB of 16.0 GiB of RAM would be in use,"
        " 4.01 GiB more than the limit of 14.4 GiB"
    )
    assert question.loaded == (InMemory("third:1", 4 * GIB), InMemory("other:1", 2 * GIB))
    assert question.to_unload == question.loaded
    assert [model.id for model in question.smaller] == ["smaller:1", "small:1"]
    assert question.remedy.startswith(
        "unload third:1 (its load took 4.00 GiB), other:1 (its load took 2.00 GiB)"
    )


async def test_what_was_allowed_is_not_asked_again() -> None:
    async with opened(Scales()) as client:
        asked = await client.memory.question(client.find("big:1"))
        client.memory.allow("big:1")

        again = await client.memory.question(client.find("big:1"))

    assert asked is not None
    assert again is None


async def test_what_is_loaded_or_not_here_is_not_asked_about() -> None:
    async with opened(Scales(used_bytes=16 * GIB)) as client:
        await client.load("big:1")

        assert await client.memory.question(client.find("big:1")) is None
        assert await client.memory.question(client.find("small:1")) is None
        assert await client.memory.question(client.find("other:1")) is not None


async def test_a_load_is_measured_and_the_next_estimate_is_what_was_measured() -> None:
    scales = Scales(steps=[0, 3 * GIB])
    async with opened(scales) as client:
        before = await client.memory.weigh(client.find("other:1"))
        await client.load("other:1")
        await client.unload("other:1")
        after = await client.memory.weigh(client.find("other:1"))

    (record,) = scales.records
    assert (before.load_bytes, after.load_bytes) == (2 * GIB + 15 * MIB, 3 * GIB)
    assert (record.estimated_bytes, record.taken_bytes, record.is_fresh) == (
        2 * GIB + 15 * MIB,
        3 * GIB,
        True,
    )
    assert after.error is not None
    assert after.error.worst_share == pytest.approx(1 - (2 + 15 / 1024) / 3)


async def test_a_load_after_an_unload_is_marked_and_one_in_a_new_life_is_not() -> None:
    scales = Scales(steps=[0, GIB, 0, GIB, 0, GIB])
    async with opened(scales) as client:
        await client.load("other:1")
        await client.unload("other:1")
        await client.load("third:1")
        await client.restart()

    assert [(one.model_id, one.is_fresh) for one in scales.records] == [
        ("other:1", True),
        ("third:1", False),
        ("third:1", True),
    ]


async def test_a_variant_for_a_gpu_is_weighed_against_the_freest_gpu_and_measured_by_all() -> None:
    scales = Scales(
        gpus=(
            GpuSample(name="a", total_bytes=8 * GIB, used_bytes=7 * GIB),
            GpuSample(name="b", total_bytes=24 * GIB, used_bytes=20 * GIB),
        )
    )
    async with opened(scales, [variant("gpu:1", 3, device=Device.GPU)]) as client:
        question = await client.memory.question(client.find("gpu:1"))
        await client.load("gpu:1")

    assert question is not None
    assert (question.fit.memory, question.fit.available_bytes) == (MemoryPlace.GPU, 4 * GIB)
    assert scales.records == []  # nothing grew, so nothing was learned


def test_the_smallest_that_suffices_is_unloaded_else_the_largest_first() -> None:
    loaded = [InMemory("c", 40), InMemory("b", 20), InMemory("a", 10), InMemory("x", None)]

    assert to_unload(loaded, 15) == (InMemory("b", 20),)
    assert to_unload(loaded, 55) == (InMemory("c", 40), InMemory("b", 20))
    assert to_unload(loaded, 500) == tuple(loaded)


NEED = fit(file_bytes=4 * GIB, available_ram_bytes=2 * GIB, host_is_running=True)
KILLED = HostDeath(exit_code=None, signal_name="SIGKILL")
COUNTED = HostDeath(exit_code=None, signal_name="SIGKILL", memory_kills=0)


@pytest.mark.parametrize(
    ("error", "death", "kind", "words"),
    [
        (
            ModelRefused("big:1 does not load: std::bad_alloc"),
            None,
            OutOfMemory,
            "there is not enough memory for big:1: it needs about 8.01 GiB of RAM, and 2.00 GiB are free"
            " (big:1 does not load: std::bad_alloc)",
        ),
        (
            KilledForMemory("the engine's process was killed by the system for want of memory"),
            None,
            KilledForMemory,
            "there was not enough memory for big:1: it needs about 8.01 GiB of RAM, and 2.00 GiB are free"
            " (the engine's process was killed by the system for want of memory)",
        ),
        (
            EngineDied("the engine's process was killed"),
            KILLED,
            KilledForMemory,
            "there was very likely not enough memory for big:1: it needs about 8.01 GiB of RAM, and 2.00 GiB"
            " are free (the engine's process was killed)",
        ),
        (EngineDied("killed"), COUNTED, EngineDied, "killed"),
        (ModelRefused("no tokenizer"), None, ModelRefused, "no tokenizer"),
    ],
)
def test_a_load_that_failed_for_memory_says_what_it_needed(
    error: EngineError, death: HostDeath | None, kind: type[EngineError], words: str
) -> None:
    told = explained_load(error, "big:1", NEED, death, "unload other:1")

    assert (type(told), told.message) == (kind, words)


def test_where_the_machine_has_enough_the_limit_of_the_process_is_named() -> None:
    need = fit(file_bytes=GIB, available_ram_bytes=9 * GIB)

    told = explained_load(ModelRefused("bad_alloc"), "big:1", need, None, "unload other:1")

    assert told.remedy == (
        "raise what the engine's process may take (ulimit -v, its control group), or unload other:1"
    )


def test_an_answer_keeps_its_readings_and_says_what_the_conversation_needed() -> None:
    error = GenerationFailed("bad_alloc", outcome=Outcome.OUT_OF_MEMORY, end_ns=5, response_id="r")

    told = explained_answer(error, "big:1", NEED, "have a shorter conversation")

    assert isinstance(told, GenerationFailed)
    assert (told.outcome, told.end_ns, told.response_id) == (Outcome.OUT_OF_MEMORY, 5, "r")
    # 2 × 4 GiB / 20,000 × 4,096 tokens, for the model itself is in memory
    assert told.message == (
        "there is not enough memory to answer with big:1 in a conversation of 4,096 tokens: it needs about"
        " 1.64 GiB of RAM, and 2.00 GiB are free (bad_alloc)"
    )

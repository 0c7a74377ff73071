"""What every store of benchmarks promises, asked of each of them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from foundry_tui.domain.bench import (
    BenchPlan,
    GoodputLimits,
    MemoryRescue,
    ModelRun,
    Order,
    Phase,
    PlannedPrompt,
    PrecisionRule,
    RequestRun,
    ResourceReading,
    Run,
    RunLimits,
    RunStatus,
    RunSummary,
)
from foundry_tui.domain.bench_conditions import EnergyReading, EnergyScope, RequestConditions, SharedEnergy
from foundry_tui.domain.chat import Outcome, PhaseTimeouts
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.resources import PowerSource, Throttle
from foundry_tui.ports.storage import RunStore
from foundry_tui.storage import Database, StoredRuns
from tests.support.memory_runs import MemoryRuns
from tests.support.resource_readings import some_readings
from tests.support.runs import a_request, a_run, a_trace
from tests.support.traces import random_trace

ODD = "null \x00, a lone \ud83d and \ude00, both \ud83d\ude00, \x1b[31m, \u2028 '; DROP TABLE run; -- % _ [b]"
BARE = Run(
    id="b0",
    name="",
    plan=BenchPlan(models=("m",), prompts=(PlannedPrompt(id="p", text="t"),)),
    status=RunStatus.RUNNING,
    started_unix_ms=0,
)
FULL = Run(
    id="f0",
    name=f" name  {ODD}",
    plan=BenchPlan(
        models=("alpha", f"beta {ODD}"),
        prompts=(
            PlannedPrompt(id="p1", text=ODD),
            PlannedPrompt(id=ODD, text=" t\n", system=ODD, aspects=(ODD, "a")),
        ),
        name=f"plan {ODD}",
        rounds=7,
        warmup=0,
        max_tokens=2**31,
        temperature=None,
        seed=2**63,
        concurrency=8,
        order=Order.BLOCKED,
        is_deterministic=True,
        has_probes=False,
        has_cold_start=True,
        unloads=False,
        precision=PrecisionRule(half_width_share=0.1, max_rounds=9, max_s=1e-3),
        stops_repetition=False,
        rescue=MemoryRescue.ALL,
        limits=RunLimits(max_s=1 / 3, min_free_disk_bytes=2**62, max_temperature_c=85.5),
        goodput=GoodputLimits(name=ODD, ttft_s=1 / 7, per_token_s=None),
        timeouts=PhaseTimeouts(connect_s=0.1, headers_s=0.2, first_token_s=1 / 3, between_s=4.0, total_s=5e5),
    ),
    status=RunStatus.FAILED,
    started_unix_ms=1_700_000_000_000,
    ended_unix_ms=1_700_000_000_999,
    environment=(("os", "Linux"), (ODD, ODD), ("os", "twice"), ("", "")),
    path="endpoint",
    reason=ODD,
    models=(
        ModelRun(
            model="alpha",
            model_id=f"alpha-cpu:1 {ODD}",
            outcome=Outcome.OUT_OF_MEMORY,
            reason=ODD,
            load_ns=2**62,
            rss_before_bytes=0,
            rss_loaded_bytes=2**40,
            rss_after_bytes=1,
            uss_before_bytes=0,
            uss_loaded_bytes=2**41,
            uss_after_bytes=2,
            vram_before_bytes=3,
            vram_loaded_bytes=2**42,
            vram_after_bytes=4,
            facts=(("device", "cpu"), (ODD, ODD)),
            warnings=("first", ODD, ""),
        ),
        ModelRun(model=f"beta {ODD}"),
    ),
    tags=("B", "a", "a ", ODD),
    note=f"\nnote {ODD}\n",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """One store as two processes have it."""

    mine: RunStore
    theirs: RunStore


@pytest.fixture(params=["memory", "database"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Stores, None]:
    if request.param == "memory":
        memory = MemoryRuns()
        yield Stores(mine=memory, theirs=memory)
        return
    mine, theirs = Database(tmp_path / "foundry-tui.db"), Database(tmp_path / "foundry-tui.db")
    yield Stores(mine=StoredRuns(mine), theirs=StoredRuns(theirs))
    await mine.aclose()
    await theirs.aclose()


@pytest.fixture
def store(stores: Stores) -> RunStore:
    return stores.mine


async def summary(store: RunStore) -> RunSummary:
    """Of the only run."""
    (only,) = await store.runs()
    return only


async def numbers(store: RunStore, run_id: str = "a1", *, after: int = 0) -> list[int]:
    return [request.number for request in await store.requests(run_id, after=after)]


async def test_a_new_store_is_empty(store: RunStore) -> None:
    assert await store.runs() == ()
    assert await store.run_ids("") == ()
    assert await store.run("a1") is None
    assert await store.requests("a1") == ()


@pytest.mark.parametrize("run", [FULL, BARE, a_run()], ids=["full", "bare", "usual"])
async def test_a_run_comes_back_exactly_as_it_was_created(store: RunStore, run: Run) -> None:
    await store.create_run(run)

    assert await store.run(run.id) == run
    assert await store.requests(run.id) == ()


async def test_every_status_is_kept(store: RunStore) -> None:
    for place, status in enumerate(RunStatus):
        await store.create_run(replace(a_run(status.value, started_unix_ms=place), status=status))

    assert [one.status for one in await store.runs()] == list(reversed(RunStatus))


async def test_a_run_of_the_same_id_is_refused_and_the_first_one_stays(store: RunStore) -> None:
    await store.create_run(a_run())
    await store.add_request("a1", a_request())

    with pytest.raises(BadInput, match="already"):
        await store.create_run(replace(BARE, id="a1"))

    assert await store.run("a1") == a_run()
    assert await numbers(store) == [1]


async def test_a_run_with_a_model_twice_is_refused(store: RunStore) -> None:
    with pytest.raises(BadInput, match="alpha"):
        await store.create_run(
            a_run(models=(ModelRun(model="alpha"), ModelRun(model="alpha", reason="again")))
        )

    assert await store.runs() == ()


async def test_a_model_takes_the_place_of_the_one_of_its_name(store: RunStore) -> None:
    await store.create_run(FULL)

    await store.put_model(FULL.id, ModelRun(model="alpha", outcome=Outcome.COMPLETED))

    run = await store.run(FULL.id)
    assert run == replace(FULL, models=(ModelRun(model="alpha", outcome=Outcome.COMPLETED), FULL.models[1]))


async def test_models_that_are_new_come_last_in_order_however_they_ended(store: RunStore) -> None:
    await store.create_run(a_run())
    new = tuple(ModelRun(model=f"new {outcome}", outcome=outcome) for outcome in Outcome)

    for model in new:
        await store.put_model("a1", model)

    assert await store.run("a1") == replace(a_run(), models=(*a_run().models, *new))


async def test_requests_come_back_exactly_as_they_were_added(store: RunStore) -> None:
    made = tuple(replace(a_request(seed), trace=random_trace(seed)) for seed in range(1, 201))
    await store.create_run(a_run())

    for request in made:
        await store.add_request("a1", request)

    assert await store.requests("a1") == made


async def test_every_field_of_a_request_is_kept(store: RunStore) -> None:
    full = RequestRun(
        number=2**40,
        model=f"alpha {ODD}",
        model_id=ODD,
        prompt_id=f"p {ODD}",
        round=9,
        phase=Phase.CERTIFICATE,
        at_unix_ms=1_700_000_000_123,
        trace=a_trace(ODD),
        peak_rss_bytes=2**62,
        peak_vram_bytes=0,
        energy_j=0.1 + 0.2,
        conditions=RequestConditions(
            energy=(
                EnergyReading(
                    scope=EnergyScope.GPU, window_s=1 / 3, counter_j=0.1 + 0.2, integrated_j=None, idle_w=0.0
                ),
                EnergyReading(
                    scope=EnergyScope.PACKAGE, window_s=1e-9, counter_j=None, integrated_j=1e9, idle_w=None
                ),
            ),
            no_energy=ODD,
            throttles=(Throttle.HEAT_HARDWARE, Throttle.OTHER),
            gpu_clock_mhz=1 / 7,
            gpu_clock_max_mhz=1980.0,
            cpu_clock_mhz=0.0,
            power_source=PowerSource.BATTERY,
            governor=ODD,
            foreign_cpu_share=0.125,
            shared_energy=(
                SharedEnergy(scope=EnergyScope.GPU, counter_begin_j=0.1, counter_end_j=0.1 + 0.2, idle_w=0.0),
                SharedEnergy(scope=EnergyScope.PACKAGE, power_begin_j=0.0, power_end_j=1 / 3),
            ),
            foreign_gpu_share=1 / 3,
            foreign_gpu=7,
            foreign_vram_bytes=2**62,
            foreign_unknown=ODD,
        ),
    )
    await store.create_run(a_run())

    await store.add_request("a1", full)

    (kept,) = await store.requests("a1")
    assert kept == full
    assert kept.text_sha256 == full.text_sha256


async def test_requests_of_every_phase_are_kept_and_counted(store: RunStore) -> None:
    await store.create_run(a_run())

    for number, phase in enumerate(Phase, start=1):
        await store.add_request("a1", replace(a_request(number), phase=phase))

    assert [request.phase for request in await store.requests("a1")] == list(Phase)
    assert (await summary(store)).requests == len(Phase)


async def test_requests_come_by_number_however_they_were_added(store: RunStore) -> None:
    await store.create_run(a_run())
    for number in (12, 3, 100, 1):
        await store.add_request("a1", a_request(number))

    assert await numbers(store) == [1, 3, 12, 100]
    assert await numbers(store, after=3) == [12, 100]
    assert await numbers(store, after=4) == [12, 100]
    assert await numbers(store, after=100) == []


async def test_a_number_is_taken_once_in_a_run_and_in_another_run_again(store: RunStore) -> None:
    await store.create_run(a_run())
    await store.create_run(a_run("a2"))
    await store.add_request("a1", a_request(1))

    with pytest.raises(BadInput, match="already"):
        await store.add_request("a1", a_request(1, text="another"))
    await store.add_request("a2", a_request(1, text="another"))

    assert await store.requests("a1") == (a_request(1),)
    assert await store.requests("a2") == (a_request(1, text="another"),)
    assert [one.requests for one in await store.runs()] == [1, 1]


@pytest.mark.parametrize("number", [0, -1])
async def test_numbers_begin_at_1(store: RunStore, number: int) -> None:
    await store.create_run(a_run())

    with pytest.raises(BadInput, match="number"):
        await store.add_request("a1", a_request(number))

    assert await numbers(store, after=-5) == []


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.put_model("gone", ModelRun(model="alpha")),
        lambda store: store.add_request("gone", a_request()),
        lambda store: store.end_run("gone", RunStatus.COMPLETED, at_unix_ms=1),
        lambda store: store.describe_run("gone", name="n", note="", tags=()),
        lambda store: store.add_resources("gone", some_readings(1)),
    ],
    ids=["put_model", "add_request", "end_run", "describe_run", "add_resources"],
)
async def test_a_write_to_a_run_that_is_gone_is_refused(
    store: RunStore, write: Callable[[RunStore], Awaitable[None]]
) -> None:
    await store.create_run(a_run())
    await store.create_run(a_run("gone"))
    await store.delete_run("gone")

    with pytest.raises(BadInput, match="not kept here any more"):
        await write(store)

    assert await store.run_ids("") == ("a1",)
    assert await store.run("a1") == a_run()


async def test_ending_twice_is_ending_once(store: RunStore) -> None:
    await store.create_run(a_run())

    for _ in range(2):
        await store.end_run("a1", RunStatus.INTERRUPTED, at_unix_ms=5, reason="too hot")

    ended = replace(a_run(), status=RunStatus.INTERRUPTED, ended_unix_ms=5, reason="too hot")
    assert await store.run("a1") == ended


async def test_a_run_that_ended_can_be_running_again(store: RunStore) -> None:
    await store.create_run(a_run())
    await store.end_run("a1", RunStatus.INTERRUPTED, at_unix_ms=5, reason="too hot")

    await store.end_run("a1", RunStatus.RUNNING, at_unix_ms=None)

    assert await store.run("a1") == a_run()
    assert (await summary(store)).ended_unix_ms is None


async def test_what_people_write_changes_nothing_else(store: RunStore) -> None:
    await store.create_run(FULL)
    await store.add_request(FULL.id, a_request())

    await store.describe_run(FULL.id, name=ODD, note="", tags=("z", ODD))

    assert await store.run(FULL.id) == replace(FULL, name=ODD, note="", tags=("z", ODD))
    assert await store.requests(FULL.id) == (a_request(),)
    assert (await summary(store)).tags == ("z", ODD)


async def test_a_summary_tells_what_the_run_and_its_plan_say(store: RunStore) -> None:
    await store.create_run(FULL)
    for number in (1, 2, 3):
        await store.add_request(FULL.id, a_request(number))

    assert await store.runs() == (
        RunSummary(
            id=FULL.id,
            name=FULL.name,
            status=RunStatus.FAILED,
            started_unix_ms=1_700_000_000_000,
            ended_unix_ms=1_700_000_000_999,
            models=FULL.plan.models,
            requests=3,
            planned=28,
            tags=FULL.tags,
        ),
    )


async def test_runs_come_newest_first_and_by_pages(store: RunStore) -> None:
    for run_id, started_unix_ms in (("b", 5), ("old", 1), ("c", 5), ("new", 9)):
        await store.create_run(a_run(run_id, started_unix_ms=started_unix_ms))

    async def page(limit: int, offset: int = 0) -> list[str]:
        return [one.id for one in await store.runs(limit=limit, offset=offset)]

    # Of two that began at once the one that was kept later is the newer one.
    assert await page(10) == ["new", "c", "b", "old"]
    assert await page(2) == ["new", "c"]
    assert await page(2, 1) == ["c", "b"]
    assert await page(2, 4) == []


async def test_runs_of_a_model_are_found_by_every_name_of_it(store: RunStore) -> None:
    facts = (("device", "cpu"), ("alias", "al%pha"))
    named = (
        ModelRun(model="al%pha", model_id="al%pha-cpu:1"),
        ModelRun(model="mine", model_id="al%pha-cpu:2", facts=facts),
        ModelRun(model="al%pha-cpu:2"),
        ModelRun(model="Al%pha", facts=(("alias", "AL%PHA"),)),
        ModelRun(model="alpha", model_id="al%pha-cpu"),
        ModelRun(model="al%pha-cpu:8b", model_id="al%pha-cpu:8b"),
    )
    for place, model in enumerate(named):
        run = a_run(f"r{place}", started_unix_ms=place, models=(model, ModelRun(model="other")))
        await store.create_run(run)

    assert await store.runs_of("al%pha") == ("r1", "r0")
    assert await store.runs_of("al%pha-cpu") == ("r4", "r1", "r0")
    assert await store.runs_of("al%pha-cpu:2") == ("r2", "r1")
    assert await store.runs_of("al%pha-cpu:8b") == ("r5",)
    assert await store.runs_of("other", limit=2) == ("r5", "r4")
    assert await store.runs_of("al%ph") == ()
    assert await store.runs_of("") == ()


async def test_a_run_with_two_variants_of_a_model_is_found_once(store: RunStore) -> None:
    models = tuple(ModelRun(model=name, facts=(("alias", "one"),)) for name in ("one-cpu:1", "one-gpu:1"))
    await store.create_run(a_run(models=models))
    await store.create_run(a_run("a2", started_unix_ms=1, models=models))

    assert await store.runs_of("one", limit=2) == ("a1", "a2")


async def test_requests_of_one_model_alone_can_be_had(store: RunStore) -> None:
    await store.create_run(a_run())
    for number in (1, 2, 3, 4):
        await store.add_request("a1", a_request(number, model="alpha" if number % 2 else "beta"))

    assert [one.number for one in await store.requests("a1", model="beta")] == [2, 4]
    assert [one.number for one in await store.requests("a1", after=2, model="alpha")] == [3]
    assert await store.requests("a1", model="gamma") == ()


async def test_ids_are_found_by_their_beginnings(store: RunStore) -> None:
    for run_id in ("ab12", "ab", "ab~", "abc", "AB3", "a%b", "a_b", "b"):
        await store.create_run(a_run(run_id))

    assert await store.run_ids("ab") == ("ab", "ab12", "abc", "ab~")
    assert await store.run_ids("ab1") == ("ab12",)
    assert await store.run_ids("a%") == ("a%b",)
    assert await store.run_ids("a_") == ("a_b",)
    assert await store.run_ids("ab12x") == ()


async def test_at_most_ten_ids_are_told(store: RunStore) -> None:
    for number in range(12):
        await store.create_run(a_run(f"x{number:02}"))

    assert await store.run_ids("x") == tuple(f"x{number:02}" for number in range(10))


async def test_an_imported_run_is_there_with_all_its_requests(store: RunStore) -> None:
    requests = tuple(replace(a_request(number), trace=random_trace(number)) for number in (7, 2, 9))

    await store.import_run(FULL, requests)

    assert await store.run(FULL.id) == FULL
    assert await store.requests(FULL.id) == (requests[1], requests[0], requests[2])
    assert (await summary(store)).requests == 3


@pytest.mark.parametrize(
    "requests",
    [(a_request(1), a_request(2), a_request(1)), (a_request(1), a_request(0))],
    ids=["twice", "below 1"],
)
async def test_of_a_run_that_cannot_be_imported_nothing_is_kept(
    store: RunStore, requests: tuple[RequestRun, ...]
) -> None:
    with pytest.raises(BadInput):
        await store.import_run(FULL, requests)

    assert await store.runs() == ()
    assert await store.requests(FULL.id) == ()


async def test_a_run_is_not_imported_over_one_of_its_id(store: RunStore) -> None:
    await store.import_run(a_run(), (a_request(1),))

    with pytest.raises(BadInput, match="already"):
        await store.import_run(replace(a_run(), name="another"), (a_request(2),))

    assert await store.run("a1") == a_run()
    assert await numbers(store) == [1]


async def test_what_is_deleted_is_gone_and_nothing_else_is(store: RunStore) -> None:
    await store.import_run(a_run("a1"), (a_request(1), a_request(2)))
    await store.import_run(a_run("a2"), (a_request(1),))

    await store.delete_run("a1")
    await store.delete_run("never there")

    assert await store.run("a1") is None
    assert await numbers(store, "a1") == []
    assert await store.run("a2") == a_run("a2")
    assert await numbers(store, "a2") == [1]


async def test_a_run_can_be_imported_again_after_it_was_deleted(store: RunStore) -> None:
    await store.import_run(a_run(), (a_request(1), a_request(2)))
    await store.delete_run("a1")

    await store.import_run(a_run(), (a_request(2),))

    assert await numbers(store) == [2]
    assert (await summary(store)).requests == 1


async def test_what_one_process_adds_another_reads_and_none_is_lost_or_uncounted(stores: Stores) -> None:
    await stores.mine.create_run(a_run())

    await asyncio.gather(
        *(stores.mine.add_request("a1", a_request(number)) for number in range(1, 21)),
        *(stores.theirs.add_request("a1", a_request(number)) for number in range(21, 41)),
    )

    assert await numbers(stores.mine) == list(range(1, 41))
    assert await numbers(stores.theirs) == list(range(1, 41))
    assert (await summary(stores.theirs)).requests == 40


async def test_of_two_processes_that_make_one_request_one_is_refused(stores: Stores) -> None:
    await stores.mine.create_run(a_run())

    ended = await asyncio.gather(
        stores.mine.add_request("a1", a_request(1)),
        stores.theirs.add_request("a1", a_request(1)),
        return_exceptions=True,
    )

    assert sorted(type(each).__name__ for each in ended) == ["BadInput", "NoneType"]
    assert (await summary(stores.mine)).requests == 1


async def test_readings_of_the_machine_come_back_exactly_as_they_were_added(store: RunStore) -> None:
    readings = some_readings(1500)
    await store.create_run(a_run())
    await store.create_run(a_run("a2"))

    for begin, end in ((0, 1), (1, 20), (20, 20), (20, 1500)):
        await store.add_resources("a1", readings[begin:end])

    assert await store.resources("a1") == readings
    assert await store.resources("a2") == ()
    assert await store.resources("never there") == ()


async def test_a_reading_of_which_nothing_is_known_and_the_largest_ones_are_kept(store: RunStore) -> None:
    odd = (
        ResourceReading(at_ns=2**62),
        ResourceReading(
            at_ns=0,
            rss_bytes=2**62,
            vram_bytes=0,
            cpu_share=0.1 + 0.2,
            available_bytes=2**63 - 1,
        ),
    )
    await store.create_run(a_run())

    await store.add_resources("a1", odd)

    assert await store.resources("a1") == odd


async def test_readings_of_a_later_life_come_behind_those_of_the_earlier_one(store: RunStore) -> None:
    earlier, later = some_readings(3, begin_ns=9_000_000_000), some_readings(3, begin_ns=5)  # another boot
    await store.create_run(a_run())

    await store.add_resources("a1", earlier)
    await store.end_run("a1", RunStatus.INTERRUPTED, at_unix_ms=5)
    await store.end_run("a1", RunStatus.RUNNING, at_unix_ms=None)
    await store.add_resources("a1", later)

    assert await store.resources("a1") == (*earlier, *later)


async def test_readings_are_imported_with_their_run_and_deleted_with_it(store: RunStore) -> None:
    await store.import_run(a_run("a1"), (a_request(),), some_readings(1300))
    await store.import_run(a_run("a2"), (), some_readings(2))

    before = await store.resources("a1")
    await store.delete_run("a1")
    await store.import_run(a_run("a1"), (a_request(),))

    assert before == some_readings(1300)
    assert await store.resources("a1") == ()
    assert await store.resources("a2") == some_readings(2)

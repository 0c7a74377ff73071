"""One key races the variants of a model: who runs stands on the plan page, one more key begins it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from foundry_tui.domain.bench import Order, RunStatus
from foundry_tui.domain.models import Device
from foundry_tui.services.bench.order import MemoryOrder
from foundry_tui.services.bench.race import Race, race_of
from foundry_tui.tui.screens.bench.draft import Switch
from foundry_tui.tui.screens.bench.plan import BenchPlanScreen
from foundry_tui.tui.screens.bench.race import RacePlan, draft_of_race, lone_words
from foundry_tui.tui.screens.bench.screen import BenchScreen
from foundry_tui.tui.screens.download_offer import DownloadOfferScreen
from foundry_tui.tui.screens.overlay import DetailScreen
from tests.support.benches import plan
from tests.support.hostile import CORPUS, harm_in
from tests.support.paced import CPU_VARIANT, GPU_VARIANT, PacedScript, built_for
from tests.support.scales import Scales
from tests.tui.benched import QWEN, SMOLLM, benched, variant
from tests.tui.harness import NARROW, WIDE, Driven, driven
from tests.tui.overlay_host import opened

CPU, GPU = built_for(CPU_VARIANT, Device.CPU), built_for(GPU_VARIANT, Device.GPU)
ABSENT = built_for("phi-generic-gpu:1", Device.GPU, is_cached=False, size_bytes=1_000_000_000)
NPU = built_for("phi-qnn-npu:1", Device.NPU, is_cached=False, unavailable="no NPU was found")


@asynccontextmanager
async def catalog(
    *models: object, size: tuple[int, int] = WIDE, scales: Scales | None = None
) -> AsyncGenerator[Driven, None]:
    """The app with these models, the cursor on the first of them."""
    engine = PacedScript(models, times={CPU_VARIANT: 3})  # type: ignore[arg-type]  # variants
    async with driven(engine, size=size, memory=None if scales is None else scales.sources()) as user:
        await user.up()
        await user.until(lambda: user.catalog.table.has_focus)
        assert user.catalog.table.move_cursor_to(CPU_VARIANT)
        yield user


def page(user: Driven) -> BenchPlanScreen:
    assert isinstance(user.app.screen, BenchPlanScreen)
    return user.app.screen


async def on_page(user: Driven) -> None:
    await user.until(lambda: isinstance(user.app.screen, BenchPlanScreen))
    await user.until(lambda: user.shows("json") and user.shows("timed ="))


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_one_key_fills_the_plan_and_one_more_begins_it(size: tuple[int, int]) -> None:
    async with catalog(CPU, GPU, size=size) as user:
        await user.pilot.press("b")
        await on_page(user)
        assert user.shows("Race the variants of phi")
        assert user.shows("16 timed = 2 models × 2 prompts × 4 rounds")

        await user.pilot.press("enter")
        await user.until(lambda: isinstance(user.app.screen, BenchScreen))
        state = await user.services.bench.finished()

        assert state.run.status is RunStatus.COMPLETED
        assert state.run.plan.models == (CPU_VARIANT, GPU_VARIANT)
        assert state.run.plan.order is Order.INTERLEAVED
        assert state.run.name == "race phi"


async def test_what_cannot_run_is_named_with_its_reason_and_what_is_missing_is_offered() -> None:
    async with catalog(CPU, GPU, ABSENT, NPU) as user:
        await user.pilot.press("b")
        await on_page(user)
        told = " ".join(" ".join(user.lines()).split())
        assert "Not in it: phi-generic-gpu:1 (not downloaded), phi-qnn-npu:1 (no NPU was found)" in told

        await user.pilot.press("o")

        await user.until(lambda: isinstance(user.app.screen, DownloadOfferScreen))
        assert user.shows("phi-generic-gpu:1")


async def test_with_nothing_missing_nothing_is_offered() -> None:
    async with catalog(CPU, GPU) as user:
        await user.pilot.press("b")
        await on_page(user)

        await user.pilot.press("o")
        await user.pilot.pause()  # a turn for what must not come

        assert isinstance(user.app.screen, BenchPlanScreen)


async def test_variants_that_do_not_fit_together_are_measured_one_after_the_other_and_that_is_said() -> None:
    scales = Scales(used_bytes=13 << 30)
    second = built_for("phi-openvino-cpu:1", Device.CPU)
    async with catalog(CPU, second, scales=scales) as user:
        await user.pilot.press("b")
        await on_page(user)

        assert user.shows("one after the other")
        assert user.shows("[x] m")


async def test_a_race_leaves_what_one_plans_otherwise_as_it_was() -> None:
    async with catalog(CPU, GPU) as user:
        await user.pilot.press("b")
        await on_page(user)
        await user.pilot.press("escape")
        await user.until(lambda: user.app.screen is user.workspace)

        await user.pilot.press("4", "n")
        await user.until(lambda: user.shows("Plan a benchmark"))

        assert "race phi" not in "".join(user.lines())


async def test_without_another_variant_there_is_no_race_and_that_is_told() -> None:
    async with catalog(CPU, NPU) as user:
        await user.pilot.press("b")

        await user.until(lambda: "no two variants of phi can run here" in user.words_told)
        assert "phi-qnn-npu:1 (no NPU was found)" in user.words_told
        assert user.app.screen is user.workspace


async def test_the_page_and_the_details_say_how_fast_a_model_is_expected_to_be() -> None:
    async with catalog(CPU, GPU) as user:
        await user.pilot.press("b")
        await on_page(user)
        await user.until(lambda: user.shows("predicted decode n/a: nothing was measured on this machine yet"))
        await user.pilot.press("enter")
        await user.until(lambda: isinstance(user.app.screen, BenchScreen))
        await user.services.bench.finished()
        await user.pilot.press("escape")
        await user.until(lambda: user.app.screen is user.workspace)

        await user.pilot.press("b")
        await on_page(user)
        await user.until(
            lambda: user.shows("predicted decode 33.3 tok/s [33.3, 33.3], as measured of this variant here")
        )
        await user.until(lambda: user.shows("predicted load ~1.88 GiB of RAM, worked out from its size"))
        await user.pilot.press("escape", "i")

        await user.until(lambda: isinstance(user.app.screen, DetailScreen))
        assert user.shows("predicted 33.3 tok/s")


async def test_the_measured_stands_beside_the_predicted_when_it_has_ended() -> None:
    async with catalog(CPU, GPU) as user:
        await user.services.bench.begin(plan(models=(CPU_VARIANT, GPU_VARIANT)))
        await user.services.bench.finished()

        await user.pilot.press("b")
        await on_page(user)
        await user.pilot.press("enter")
        await user.until(lambda: isinstance(user.app.screen, BenchScreen))
        await user.services.bench.finished()

        await user.until(
            lambda: user.shows("decode 33.3 tok/s, predicted 33.3 tok/s [33.3, 33.3]: right to 1 %")
        )
        # The scripted engine reports the processor's provider for all: no GPU was at work.
        await user.until(lambda: user.shows("on the processor decodes 3.0x [3.0, 3.0] as fast as CPU"))


# --- the draft


def race(*models: object) -> Race:
    found = race_of(models, "phi")  # type: ignore[arg-type]  # variants
    assert found is not None
    return found


def test_the_draft_takes_all_runners_and_the_first_two_prompts() -> None:
    draft = draft_of_race(race(GPU, CPU), MemoryOrder(order=Order.INTERLEAVED), ("a", "b", "c"))

    assert (draft.models, draft.prompt_ids) == ((CPU_VARIANT, GPU_VARIANT), ("a", "b"))
    assert (draft.texts()["rounds"], draft.texts()["name"]) == ("4", "race phi")
    assert draft.switches == frozenset()


def test_with_one_prompt_there_are_more_rounds_and_what_does_not_fit_is_blocked() -> None:
    draft = draft_of_race(race(CPU, GPU), MemoryOrder(order=Order.BLOCKED, why="memory"), ("a",))

    assert draft.texts()["rounds"] == "6"
    assert draft.switches == {Switch.BLOCKED}


async def test_missing_variants_are_offered_one_after_the_other() -> None:
    offered: list[str] = []
    missing = RacePlan(
        title="Race",
        notes=("Not in it",),
        missing=(variant("one-gpu:1"), variant("two-gpu:1")),
        offer=lambda model: offered.append(model.id),
    )
    async with benched() as page_of:
        screen = BenchPlanScreen(
            models=page_of.models,
            prompts=lambda _: page_of.prompts,
            draft=replace(page_of.draft, models=(QWEN, SMOLLM)),
            store=page_of.runs,
            begin=page_of.bench.begin,
            keep=lambda _: None,
            race=missing,
        )
        async with opened(screen, size=NARROW) as user:
            await user.until(lambda: user.shows("json"))

            await user.pilot.press("o", "o", "o")

    assert offered == ["one-gpu:1", "two-gpu:1", "one-gpu:1"]


def test_hostile_aliases_are_harmless_on_the_page_and_in_what_is_told() -> None:
    for payload in CORPUS[::20]:
        alias = payload.text or "x"
        hostile = [
            replace(one, alias=alias, id=f"{one.id}{alias}") for one in (CPU, replace(NPU, unavailable=alias))
        ]
        found = race_of(hostile, alias)
        assert found is not None

        draft = draft_of_race(found, MemoryOrder(order=Order.INTERLEAVED), ())

        assert harm_in(lone_words(found)) == set()
        assert harm_in(draft.texts()["name"]) == set()

"""The benchmark's pages in each of their states, at the sizes that matter.

``pytest --snapshot-update`` writes what is shown now; look at each file that it changes.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from foundry_tui.domain.bench import Phase, PrecisionRule, RunStatus
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.errors import EngineUnavailable
from foundry_tui.services.bench.state import BenchState, Step
from foundry_tui.tui.screens.bench.draft import BenchDraft
from tests.support.timed import request, trace
from tests.tui.benched import QWEN, SMOLLM, answers, benched, ended, in_flight, running, still
from tests.tui.frames import FrameExtension
from tests.tui.harness import HUGE
from tests.tui.overlay_host import NARROW, WIDE, Opened, opened

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE, HUGE], ids=["80x24", "120x40", "200x60"])
BIG = "模型-七-" + "very-long-name-" * 8 + "cuda-gpu:12"
MEASURED = (*answers(QWEN, 9), *answers(SMOLLM, 4, gap_ms=12, first=2))
RIBBON = (*[20.0] * 30, 700.0, *[22.0] * 20)


def failing() -> BenchState:
    """One that works, one that could not be loaded, one that fails now and then, one that was left out."""
    models = (QWEN, SMOLLM, BIG, "left-cpu:1")
    broken = [
        request(101, trace(outcome=Outcome.TIMEOUT, has_text=False), model=BIG, round_=1),
        request(102, trace([10.0] * 9), model=BIG, round_=1),
    ]
    state = running(*answers(QWEN, 12), *broken, models=models, rounds=6, skipped=frozenset({"left-cpu:1"}))
    whole, lost, odd, left = state.run.models
    lost = replace(
        lost,
        outcome=Outcome.OUT_OF_MEMORY,
        reason="Allocation of 9.3 GiB failed [red]\x1b[31m",
        model_id=None,
    )
    odd = replace(odd, warnings=("probe: the answer was one word over and over: 'the'",))
    run = replace(state.run, models=(replace(whole, outcome=Outcome.COMPLETED), lost, odd, left))
    return replace(state, run=run, model=BIG)


STATES = {
    "empty": None,
    "loading": running(step=Step.LOADING, model=SMOLLM, eta_s=None),
    "warm-up": running(under_way=(in_flight(QWEN, [], phase=Phase.WARMUP),), eta_s=None),
    "measuring": running(*MEASURED, under_way=(in_flight(QWEN, RIBBON),)),
    "at-once": running(
        *MEASURED,
        under_way=tuple(in_flight(QWEN, RIBBON) for _ in range(4)),
        precision=PrecisionRule(),
        pauses=True,
    ),
    "paused": running(*MEASURED, step=Step.PAUSED, pauses=True),
    "failing": failing(),
    "too-hot": running(
        *MEASURED,
        step=Step.PAUSED,
        hold="CPU has 91 °C: waits for 80 °C",
        notes=("how much is left on the disk cannot be read here: the limit of it does not hold",),
    ),
    "complete": ended(running(*MEASURED)),
    "stopped": replace(
        ended(running(*MEASURED), RunStatus.INTERRUPTED),
        problem=EngineUnavailable("the engine is gone and does not come back", remedy="Ctrl+R restarts it"),
    ),
}


@pytest.fixture
def frames(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(FrameExtension)


async def late(user: Opened[None]) -> None:
    """Wait until the screen knows how late it is, which takes a quarter of a second."""
    await user.until(lambda: user.shows("is 0 ms late"))


@SIZES
@pytest.mark.parametrize("state", STATES.values(), ids=STATES.keys())
async def test_the_page(frames: SnapshotAssertion, size: tuple[int, int], state: BenchState | None) -> None:
    async with benched(state) as page, opened(page.screen(), size=size) as user:
        if state is not None and state.step is Step.ENDED:
            await user.until(lambda: user.shows("1 min after it began"))  # counted in a thread
        if state is not None and state.under_way:
            await late(user)

        assert await still(user) == frames


@SIZES
@pytest.mark.parametrize("keys", [["w"], ["w", "w"], ["w", "w", "w"], ["m"], ["o"]], ids="-".join)
async def test_what_is_drawn(frames: SnapshotAssertion, size: tuple[int, int], keys: Sequence[str]) -> None:
    async with benched(STATES["measuring"]) as page, opened(page.screen(), size=size) as user:
        await late(user)
        await user.pilot.press(*keys)

        assert await still(user) == frames


@SIZES
async def test_the_page_with_a_dozen_models(frames: SnapshotAssertion, size: tuple[int, int]) -> None:
    models = [f"model-{place}-instruct-generic-cpu:{place}" for place in range(12)]
    made = [one for place, model in enumerate(models) for one in answers(model, place + 1, gap_ms=10 + place)]
    state = running(*made, models=models, under_way=(in_flight(models[3], RIBBON),))
    async with benched(state) as page, opened(page.screen(), size=size) as user:
        await late(user)
        await user.pilot.press(*["down"] * 7)

        assert await still(user) == frames


@SIZES
async def test_two_models_compared(frames: SnapshotAssertion, size: tuple[int, int]) -> None:
    made = (*answers(QWEN, 12), *answers(SMOLLM, 12, gap_ms=12, first=2))
    async with benched(ended(running(*made))) as page, opened(page.screen(), size=size) as user:
        await user.pilot.press("space", "down", "space", "c")
        await user.until(lambda: user.shows("Each pair is the same prompt"))

        assert await still(user) == frames


@pytest.mark.parametrize("place", [1, 2, 3])
async def test_a_model_that_did_not_go_well(frames: SnapshotAssertion, place: int) -> None:
    async with benched(failing()) as page, opened(page.screen(), size=NARROW) as user:
        await user.pilot.press(*["down"] * place)

        assert await still(user) == frames


async def test_the_page_without_blocks(frames: SnapshotAssertion) -> None:
    state = STATES["measuring"]
    async with benched(state) as page, opened(page.screen(is_plain=True), size=NARROW) as user:
        await late(user)

        assert await still(user) == frames


@SIZES
@pytest.mark.parametrize(
    ("keys", "words"),
    [(["enter"], "13  rag"), (["enter", "down", "enter", "n"], "Numbers")],
    ids=["requests", "request"],
)
async def test_what_is_behind_a_row(
    frames: SnapshotAssertion, size: tuple[int, int], keys: Sequence[str], words: str
) -> None:
    async with benched(STATES["complete"]) as page, opened(page.screen(), size=size) as user:
        for key in keys:
            await user.pilot.press(key)
            await user.pilot.pause()  # what it opens comes up
        await user.until(lambda: user.shows(words) or user.shows(words.replace("rag", "timed")))

        assert await still(user) == frames


@SIZES
@pytest.mark.parametrize("keys", [[], ["space", "down", "space", "d"]], ids=["untouched", "filled"])
async def test_the_plan(frames: SnapshotAssertion, size: tuple[int, int], keys: Sequence[str]) -> None:
    async with benched() as page, opened(page.plan(), size=size) as user:
        await user.until(lambda: user.shows("json") and user.shows("predicted load"))
        await user.pilot.press(*keys)
        if keys:
            await user.until(lambda: user.shows("Takes unknown"))

        assert await still(user) == frames


async def test_the_plan_with_a_problem(frames: SnapshotAssertion) -> None:
    async with benched() as page:
        page.draft = BenchDraft(models=("gone-cpu:1",), fields=(("rounds", "none"),))
        async with opened(page.plan(), size=NARROW) as user:
            await user.until(lambda: user.shows("json"))
            await user.pilot.press("space", "b")
            await user.until(lambda: user.shows("Rounds: a whole number"))

            assert await still(user) == frames

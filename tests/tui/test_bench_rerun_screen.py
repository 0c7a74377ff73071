"""The key of the benchmark page that measures marked rounds again, over the whole app."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from foundry_tui.domain.bench import BenchPlan, Phase, RequestRun, RunStatus
from foundry_tui.domain.bench_reruns import Rerun, RoundAgain
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.tui.screens.bench.requests import RequestsScreen
from foundry_tui.tui.screens.bench.screen import BenchScreen
from tests.support.memory_runs import MemoryRuns
from tests.support.services import PROMPTS
from tests.support.slowing import SlowingScript
from tests.tui.benched import QWEN, answers, benched, ended, in_flight, running
from tests.tui.harness import NARROW, SHELF, Driven, driven
from tests.tui.overlay_host import opened

PLAN = BenchPlan(models=(SCRIPTED_MODEL_ID,), prompts=PROMPTS[:2], rounds=10, warmup=0)
TIMED = 20


@asynccontextmanager
async def measured(pace: float) -> AsyncGenerator[Driven, None]:
    """The page over a run of ten rounds whose last five took ``pace`` times as long, and nothing after."""
    engine = SlowingScript(
        [prompt.text for prompt in PLAN.prompts],
        lambda number: pace if 10 < number <= TIMED else 1.0,
        models=SHELF,
    )
    async with driven(engine, size=NARROW) as user:
        await user.up()
        await user.services.bench.begin(PLAN)
        await user.services.bench.finished()
        await user.pilot.press("alt+4")
        await user.until(lambda: user.shows(f"Complete · {TIMED} timed requests"))
        yield user


async def kept(user: Driven) -> tuple[RequestRun, ...]:
    store = user.services.bench.store
    assert isinstance(store, MemoryRuns)
    (run,) = store.kept.values()
    assert run.status is RunStatus.COMPLETED
    return await store.requests(run.id)


async def test_one_key_measures_the_marked_rounds_again_and_nothing_else_and_both_are_kept() -> None:
    async with measured(1 / 0.7) as user:
        before = await kept(user)
        await user.until(lambda: user.shows("f measures rounds 6 to 10 again (slower"))

        await user.pilot.press("f")
        await user.until(lambda: user.shows("30 timed requests, 10 of them measured again"))

        requests = await kept(user)
        new = [one for one in requests[len(before) :] if one.phase is Phase.TIMED]
        assert requests[: len(before)] == before
        assert sorted((one.prompt_id, one.round) for one in new) == sorted(
            (prompt.id, number) for prompt in PLAN.prompts for number in range(6, 11)
        )
        await user.until(lambda: user.shows("rounds 6 to 10"))
        assert user.shows("20/20 done")


async def test_after_it_the_page_shows_what_stands_and_the_list_marks_the_rest() -> None:
    async with measured(1 / 0.7) as user:
        await user.until(lambda: user.shows("f measures"))
        await user.pilot.press("f")
        await user.until(lambda: user.shows("10 of them measured again"))
        assert user.shows("100.000 ±")

        await user.pilot.press("v")
        await user.until(lambda: isinstance(user.app.screen, RequestsScreen))
        await user.until(lambda: user.shows("30 timed, 10 of them measured again"))
        await user.pilot.press("end")

        await user.until(lambda: user.shows("again"))
        await user.pilot.press("home", "pagedown")
        await user.until(lambda: user.shows("replaced"))


async def test_the_palette_has_it_too() -> None:
    async with measured(1 / 0.7) as user:
        await user.until(lambda: user.shows("f measures"))

        await user.pilot.press("ctrl+p")
        await user.until(lambda: user.shows("Search for commands"))
        await user.pilot.press(*"measure again")
        await user.until(lambda: user.shows("Here: Measure again"))
        await user.pilot.press("down", "enter")

        await user.until(lambda: user.shows("10 of them measured again"))


async def test_without_a_marked_round_there_is_no_such_key() -> None:
    async with measured(1.0) as user:
        await user.until(lambda: user.shows("20 of 20 timed requests made"))
        before = await kept(user)

        await user.pilot.press("f")
        await user.pilot.pause()  # a turn for what the key could have begun

        assert isinstance(user.app.screen, BenchScreen)
        assert user.app.screen.check_action("measure_again", ()) is False
        assert await kept(user) == before


async def test_a_model_that_is_another_one_now_is_told_and_nothing_changes() -> None:
    async with measured(1 / 0.7) as user:
        store = user.services.bench.store
        assert isinstance(store, MemoryRuns)
        (run,) = store.kept.values()
        changed = replace(run, environment=(("engine", "managed"),))
        store.kept[run.id] = changed
        await user.until(lambda: user.shows("f measures"))

        await user.pilot.press("f")
        await user.until(lambda: any("engine scripted, was managed" in one.message for one in user.told))

        assert store.kept[run.id] == changed


async def test_while_rounds_are_measured_again_the_row_of_a_model_that_is_done_says_what_it_does() -> None:
    state = running(*answers(QWEN, 12), under_way=(in_flight(QWEN, [20.0] * 5),))
    rerun = Rerun(
        attempt=2,
        started_unix_ms=0,
        rounds=(RoundAgain(model=QWEN, round=2, reasons=("throttled",)),),
    )
    again = replace(ended(state).run, status=RunStatus.RUNNING, reruns=(rerun,))
    async with benched(replace(state, run=again)) as page, opened(page.screen(), size=NARROW) as user:
        await user.until(lambda: user.shows("Measuring marked rounds again"))

        row = next(line for line in user.lines() if "12/12" in line)
        assert "12/12 …" in row
        assert sum("done" in line for line in user.lines()) == 1

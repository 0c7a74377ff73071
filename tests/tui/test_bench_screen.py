"""The benchmark page over the whole app, with runs that a test holds and lets go."""

from dataclasses import replace

import pytest

from foundry_tui.domain.bench import Run, RunStatus
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.services.bench.state import BenchState, Step
from foundry_tui.tui.screens.bench import BenchScreen
from foundry_tui.tui.screens.bench_plan import BenchPlanScreen
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.widgets.gap_ribbon import GapRibbon
from tests.support.memory_runs import MemoryRuns
from tests.support.supervised import SupervisedScript
from tests.tui.benched import QWEN, SMOLLM, answers, benched, ended, in_flight, running
from tests.tui.harness import MEDIUM, NARROW, SHELF, Driven, driven
from tests.tui.overlay_host import opened

SMALL = SHELF[1].id
BEFORE = 4
"""Requests to a model before its first timed one: the probe, two of the calibration, a warm-up."""


def state_of(user: Driven) -> BenchState:
    state = user.services.bench.state.value
    assert state is not None
    return state


def runs_of(user: Driven) -> MemoryRuns:
    store = user.services.bench.store
    assert isinstance(store, MemoryRuns)
    return store


async def planned(user: Driven, *models: str) -> None:
    """Mark the models in the catalog and open the page of the plan."""
    await user.up()
    for model in models:
        user.catalog.table.move_cursor_to(model)
        await user.pilot.press("space")
    await user.pilot.press("alt+4", "n")
    await user.until(lambda: user.shows("Ada Lovelace") or user.shows("json"))


async def test_f7_opens_the_page_and_its_empty_state_names_the_next_keys() -> None:
    async with driven(size=NARROW) as user:
        await user.up()

        await user.pilot.press("alt+4")
        await user.until(lambda: isinstance(user.app.screen, BenchScreen))

        await user.until(lambda: user.shows("n plans one"))
        assert user.shows("r lists the runs")


async def test_a_run_goes_from_the_marks_in_the_catalog_to_its_end() -> None:
    async with driven(size=NARROW) as user:
        await planned(user, MEDIUM, SMALL)

        await user.until(lambda: user.shows("12 timed = 2 models × 2 prompts × 3 rounds · 8 before"))
        await user.pilot.press("b")
        await user.until(lambda: user.shows("Complete · 12 timed requests"))

        assert user.shows("6/6 done")
        assert user.shows("foundry-tui report")
        (run,) = runs_of(user).kept.values()
        assert (run.status, run.plan.models) == (RunStatus.COMPLETED, (MEDIUM, SMALL))


async def test_without_marks_the_active_model_is_taken() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID, size=NARROW) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.pilot.press("alt+4")
        await user.until(lambda: user.shows("n plans one"))
        await user.pilot.press("n")

        await user.until(lambda: user.shows("6 timed = 1 model × 2 prompts"))
        await user.until(lambda: user.shows(f"✓  {SCRIPTED_MODEL_ID}"))

        assert isinstance(user.app.screen, BenchPlanScreen)


async def test_leaving_the_page_leaves_the_run_and_coming_back_shows_it() -> None:
    script = ScriptedConfig(gap_ms=2)
    async with driven(SupervisedScript(script, models=SHELF)) as user:
        await planned(user, SMALL)
        await user.pilot.press("b")
        await user.until(lambda: user.services.bench.is_running and bool(state_of(user).requests))

        await user.pilot.press("escape")
        await user.until(lambda: user.app.screen is user.workspace)
        was_running = user.services.bench.is_running
        await user.pilot.press("alt+4")
        await user.until(lambda: user.shows("Complete · 6 timed requests"))

        assert was_running


async def test_pause_holds_the_run_and_goes_on_again() -> None:
    script = ScriptedConfig(gap_ms=5)
    async with driven(SupervisedScript(script, models=SHELF)) as user:
        await planned(user, SMALL)
        await user.pilot.press("b")
        await user.until(lambda: user.services.bench.is_running and bool(state_of(user).requests))

        await user.pilot.press("p")
        await user.until(lambda: user.shows("Paused: p goes on"))
        made = len(state_of(user).requests)
        await user.pilot.pause()  # a turn in which nothing more may be asked
        still_made = len(state_of(user).requests)
        await user.pilot.press("p")
        await user.until(lambda: user.shows("Complete"))

        assert made == still_made < BEFORE + 6
        assert not state_of(user).pauses


async def test_a_skipped_model_is_left_out_after_a_question() -> None:
    async with driven(SupervisedScript(ScriptedConfig(gap_ms=5), models=SHELF)) as user:
        await planned(user, MEDIUM, SMALL)
        await user.pilot.press("b")
        await user.until(lambda: user.services.bench.is_running and bool(state_of(user).requests))

        await user.pilot.press("end", "s")
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen))
        await user.pilot.press("shift+tab", "enter")
        await user.until(lambda: user.shows("Complete"))

        assert state_of(user).model_run(SMALL).outcome is Outcome.SKIPPED
        assert state_of(user).model_run(MEDIUM).outcome is Outcome.COMPLETED


async def test_stopping_after_this_request_leaves_the_rest_to_be_resumed_from_the_list() -> None:
    async with driven(SupervisedScript(ScriptedConfig(gap_ms=5), models=SHELF)) as user:
        await planned(user, SMALL)
        await user.pilot.press("b")
        await user.until(lambda: user.services.bench.is_running and bool(state_of(user).requests))

        await user.pilot.press("a")
        await user.until(lambda: user.shows("Stopped before its end: r resumes it"))
        made = len(state_of(user).requests)
        await user.pilot.press("r")
        await user.until(lambda: user.shows("interrupted"))
        await user.pilot.press("r")
        await user.until(lambda: user.shows("Complete · 6 timed requests"))

        assert made < BEFORE + 6
        numbers = [request.number for request in state_of(user).requests]
        assert len(numbers) == len(set(numbers))


async def test_stopping_now_asks_and_the_harmless_answer_has_the_focus() -> None:
    async with driven(models_script()) as user:
        await planned(user, SMALL)
        await user.pilot.press("b")
        await user.until(lambda: bool(user.services.bench.is_running and state_of(user).under_way))

        await user.pilot.press("x")
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen))
        await user.pilot.press("enter")
        await user.until(lambda: isinstance(user.app.screen, BenchScreen))
        was_running = user.services.bench.is_running
        await user.pilot.press("x")
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen))
        await user.pilot.press("shift+tab", "enter")
        await user.until(lambda: user.shows("Stopped before its end"))

        assert was_running
        assert not user.services.bench.is_running


async def test_quitting_while_a_run_goes_on_asks_first() -> None:
    async with driven(models_script()) as user:
        await planned(user, SMALL)
        await user.pilot.press("b")
        await user.until(lambda: bool(user.services.bench.is_running and state_of(user).under_way))

        await user.pilot.press("ctrl+q")
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen))

        assert user.shows("A benchmark runs")
        assert not user.leaving.is_set()


def models_script() -> SupervisedScript:
    """Answers that never end by themselves."""
    return SupervisedScript(ScriptedConfig(hold=True), models=SHELF)


async def test_the_request_in_flight_grows_while_nobody_tells_of_it() -> None:
    later = in_flight(QWEN, [20.0] * 5 + [900.0] * 4).trace.chunks[6:]
    state = running(under_way=(one := in_flight(QWEN, [20.0] * 5),))
    async with benched(state) as page, opened(page.screen(), size=NARROW) as user:
        await user.until(lambda: user.shows("gaps: median 20.0 ms"))

        # More often than anything is drawn while the page comes up.
        for count, chunk in enumerate(later, start=1):
            one.trace.observe(chunk)
            await user.until(lambda count=count: user.shows(f"(n={5 + count})"))  # type: ignore[misc]

        assert user.shows("4 stalls")


async def test_when_the_request_ends_its_record_stays_in_sight() -> None:
    (made,) = answers(QWEN, 1)
    one = replace(in_flight(QWEN, [20.0]), prompt_id=made.prompt_id, round=made.round)
    state = running(under_way=(one,))
    async with benched(state) as page, opened(page.screen(), size=NARROW) as user:
        await user.until(lambda: user.shows("n=1"))

        page.bench.state.publish(replace(state, under_way=(), requests=(made,)))
        await user.until(lambda: user.shows("(n=20)"))

        assert not user.screen.query_one(GapRibbon).is_live
        assert user.shows("no request in flight")


async def test_a_screen_that_is_late_says_so_and_draws_less() -> None:
    now_s = 0.0

    def clock_s() -> float:
        nonlocal now_s
        now_s += 0.3
        return now_s

    state = running(under_way=(in_flight(QWEN, [20.0]),))
    async with benched(state) as page, opened(page.screen(clock_s=clock_s)) as user:
        await user.until(lambda: user.shows("this screen is 50 ms late and draws half as often"))

        assert user.screen.query_one(GapRibbon).is_live


async def test_the_state_of_a_run_that_an_error_ended_says_what_to_do() -> None:
    problem = StorageProblem("the disk is full", remedy="free some space, then resume the run")
    state = replace(ended(running(*answers(QWEN, 2)), RunStatus.INTERRUPTED), problem=problem)
    async with benched(state) as page, opened(page.screen()) as user:
        await user.until(lambda: user.shows("the disk is full"))

        assert user.shows("free some space, then resume the run")


async def test_a_kept_run_is_shown_from_the_list() -> None:
    state = ended(running(*answers(QWEN, 9), *answers(SMOLLM, 4, first=2)))
    async with benched() as page, opened(page.screen()) as user:
        await page.runs.import_run(state.run, state.requests)
        await user.pilot.press("r")
        await user.until(lambda: user.shows("completed"))

        await user.pilot.press("enter")
        await user.until(lambda: user.shows("Complete · 13 timed requests"))

        assert user.shows("9/12 done")
        assert user.shows("token gaps")


async def test_a_complete_run_cannot_be_resumed_and_one_whose_process_died_can() -> None:
    state = ended(running(*answers(QWEN, 2)))
    async with benched() as page, opened(page.screen()) as user:
        await page.runs.import_run(state.run, state.requests)
        await page.runs.import_run(_died(state.run), ())
        await user.pilot.press("r")
        await user.until(lambda: user.shows("not ended"))

        user_rows = [line for line in user.lines() if "completed" in line]
        await user.pilot.press("down", "r")
        await user.until(lambda: any("this run is complete" in words for words in user.told))

        assert len(user_rows) == 1


def _died(run: Run) -> Run:
    return replace(run, id="dead" * 8, status=RunStatus.RUNNING, ended_unix_ms=None, started_unix_ms=2**41)


async def test_a_list_that_cannot_be_read_says_why() -> None:
    async with benched() as page, opened(page.screen()) as user:
        page.runs.unreadable = StorageProblem("the runs cannot be read", remedy="free some space")

        await user.pilot.press("r")
        await user.until(lambda: user.shows("the runs cannot be read"))

        assert user.shows("free some space")


async def test_what_cannot_be_done_now_has_no_key() -> None:
    async with benched(ended(running(*answers(QWEN, 2)))) as page, opened(page.screen()) as user:
        await user.pilot.press("x", "p", "a", "s")
        await user.until(lambda: user.shows("New run"))
        at_the_end = user.app.screen

        page.bench.state.publish(running(*answers(QWEN, 2), step=Step.ASKING))
        await user.until(lambda: user.shows("Stop now"))
        await user.pilot.press("n")

        assert at_the_end is user.screen
        assert not isinstance(user.app.screen, BenchPlanScreen)


async def test_a_run_is_exported_to_a_new_file(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("out")
    monkeypatch.chdir(folder)
    async with benched(ended(running(*answers(QWEN, 6)))) as page, opened(page.screen()) as user:
        await user.pilot.press("e")
        await user.until(lambda: user.shows("benchmark_report.md"))
        await user.pilot.press("enter")
        await user.until(lambda: any("The run was written to" in words for words in user.told))

        assert (folder / "benchmark_report.md").read_text(encoding="utf-8").startswith("# Benchmark")

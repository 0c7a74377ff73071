"""The benchmark page over the whole app, with runs that a test holds and lets go."""

from dataclasses import replace

import pytest

from foundry_tui.domain.bench import ResourceReading, Run, RunStatus
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.services.bench.state import BenchState, Step
from foundry_tui.tui.screens.bench.compare import BenchCompareScreen
from foundry_tui.tui.screens.bench.plan import BenchPlanScreen
from foundry_tui.tui.screens.bench.runs import RunsScreen
from foundry_tui.tui.screens.bench.screen import BenchScreen
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.widgets.gap_ribbon import GapRibbon
from foundry_tui.tui.widgets.resource_strip import ResourceStrip
from foundry_tui.tui.widgets.row_table import RowTable
from tests.support.memory_runs import MemoryRuns
from tests.support.supervised import SupervisedScript
from tests.tui.benched import MIB, QWEN, SMOLLM, answers, benched, ended, in_flight, running, still
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


async def test_alt_4_opens_the_page_and_its_empty_state_names_the_next_keys() -> None:
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


async def test_a_screen_in_time_says_how_late_it_is_too() -> None:
    state = running(under_way=(in_flight(QWEN, [20.0]),))
    async with benched(state) as page, opened(page.screen()) as user:
        await user.until(lambda: user.shows("this screen is 0 ms late"))

        assert not user.shows("half as often")


async def test_f1_tells_what_the_page_shows_and_its_keys() -> None:
    async with driven(size=NARROW) as user:
        await user.up()
        await user.pilot.press("alt+4")
        await user.until(lambda: isinstance(user.app.screen, BenchScreen))

        await user.pilot.press("f1")
        await user.until(lambda: user.shows("Each row is a model with its median"))
        await user.pilot.press("end")
        await user.until(lambda: user.shows("New run") or user.shows("Requests"))
        await user.pilot.press("escape")

        await user.until(lambda: isinstance(user.app.screen, BenchScreen))


async def test_w_walks_through_what_is_drawn_and_m_through_the_measures() -> None:
    state = running(*answers(QWEN, 9), under_way=(in_flight(QWEN, [20.0] * 5),))
    async with benched(state) as page, opened(page.screen(), size=NARROW) as user:
        titles = ["latency, s · ┃ median"]
        await user.until(lambda: user.shows(titles[-1]))
        for title in (
            "each from its least to its greatest",
            "time before each token, ms",
            "the engine over the run",
        ):
            await user.pilot.press("w")
            titles.append(title)
            await user.until(lambda: user.shows(titles[-1]))
        await user.pilot.press("w")
        await user.until(lambda: user.shows(titles[0]))
        for title in ("TTFT, ms · ┃", "decode rate, tok/s · ┃", "latency, s · ┃"):
            await user.pilot.press("m")
            titles.append(title)
            await user.until(lambda: user.shows(titles[-1]))

        assert user.shows("n=9")


async def test_where_there_is_room_the_resources_stand_below_and_have_no_view_of_their_own() -> None:
    state = running(*answers(QWEN, 9))
    async with benched(state) as page, opened(page.screen()) as user:
        await user.until(lambda: user.shows("the engine over the run"))

        await user.pilot.press("w", "w", "w")
        await user.until(lambda: user.shows("┃ median"))

        assert user.shows("the engine over the run")


async def test_a_click_on_the_line_of_a_model_goes_to_its_row() -> None:
    state = running(*answers(QWEN, 9), *answers(SMOLLM, 9, first=2))
    async with benched(state) as page, opened(page.screen(), size=NARROW) as user:
        await user.until(lambda: user.shows("┃ median"))

        await user.pilot.click("#bench-canvas", offset=(30, 2))

        await user.until(lambda: user.shows(f"{SMOLLM} · CPU"))


async def test_o_stops_the_painting_and_brings_it_back_as_it_is_by_then() -> None:
    state = running(*answers(QWEN, 3), under_way=(in_flight(QWEN, [20.0] * 5),))
    async with benched(state) as page, opened(page.screen(), size=NARROW) as user:
        await user.until(lambda: user.shows("3 of 24 timed"))

        await user.pilot.press("o")
        await user.until(lambda: user.shows("Nothing is painted: o paints again · the benchmark of 2 models"))
        before = await still(user)
        page.bench.state.publish(replace(state, requests=tuple(answers(QWEN, 8))))
        meanwhile = await still(user)
        await user.pilot.press("o")
        await user.until(lambda: user.shows("8 of 24 timed"))

        assert meanwhile == before
        assert not user.shows("Nothing is painted")
        assert user.screen.query_one(RowTable).has_focus


async def test_while_nothing_is_painted_the_keys_of_the_run_still_work() -> None:
    async with driven(SupervisedScript(ScriptedConfig(gap_ms=5), models=SHELF)) as user:
        await planned(user, SMALL)
        await user.pilot.press("b")
        await user.until(lambda: user.services.bench.is_running and bool(state_of(user).requests))

        await user.pilot.press("o", "p")
        await user.until(lambda: user.shows("the benchmark is paused: p goes on"))
        await user.pilot.press("p")
        await user.until(lambda: user.shows("the benchmark of 1 model goes on"))

        assert not state_of(user).pauses


async def test_the_end_of_the_run_is_painted_in_any_case() -> None:
    state = running(*answers(QWEN, 3), under_way=(in_flight(QWEN, [20.0] * 5),))
    async with benched(state) as page, opened(page.screen(), size=NARROW) as user:
        await user.pilot.press("o")
        await user.until(lambda: user.shows("Nothing is painted"))

        page.bench.state.publish(ended(state))

        await user.until(lambda: user.shows("Complete · 3 timed requests"))


async def test_while_nothing_is_painted_the_strip_below_stands_still_too() -> None:
    async with driven(models_script()) as user:
        await planned(user, SMALL)
        await user.pilot.press("b")
        await user.until(lambda: bool(user.services.bench.is_running and state_of(user).under_way))
        strip = user.workspace.query_one(ResourceStrip)

        await user.pilot.press("o")
        await user.until(lambda: user.shows("Nothing is painted"))
        strip.parts = ()
        user.workspace.show_resources()
        meanwhile = strip.parts
        await user.pilot.press("o")
        user.workspace.show_resources()

        assert meanwhile == ()
        assert strip.parts


async def test_what_another_screen_hides_is_not_painted_and_is_up_to_date_afterwards() -> None:
    state = running(*answers(QWEN, 3), under_way=(in_flight(QWEN, [20.0] * 5),))
    async with benched(state) as page, opened(page.screen(), size=NARROW) as user:
        await user.until(lambda: user.shows("3 of 24 timed"))
        table = user.screen.query_one(RowTable)

        await user.pilot.press("r")
        await user.until(lambda: isinstance(user.app.screen, RunsScreen))
        before = table.rows
        page.bench.state.publish(replace(state, requests=tuple(answers(QWEN, 8))))
        await user.pilot.resize_terminal(90, 30)  # which would draw it anew
        await still(user)
        meanwhile = table.rows
        await user.pilot.press("escape")
        await user.until(lambda: user.shows("8 of 24 timed"))

        assert meanwhile is before


async def test_the_state_of_a_run_that_an_error_ended_says_what_to_do() -> None:
    problem = StorageProblem("the disk is full", remedy="free some space, then resume the run")
    state = replace(ended(running(*answers(QWEN, 2)), RunStatus.INTERRUPTED), problem=problem)
    async with benched(state) as page, opened(page.screen()) as user:
        await user.until(lambda: user.shows("the disk is full"))

        assert user.shows("free some space, then resume the run")


async def test_a_kept_run_is_shown_from_the_list() -> None:
    state = ended(running(*answers(QWEN, 9), *answers(SMOLLM, 4, first=2)))
    read = ResourceReading(at_ns=10**9, rss_bytes=600 * MIB)
    async with benched() as page, opened(page.screen()) as user:
        await page.runs.import_run(state.run, state.requests, (read,))
        await user.pilot.press("r")
        await user.until(lambda: user.shows("completed"))

        await user.pilot.press("enter")
        await user.until(lambda: user.shows("Complete · 13 timed requests"))
        await user.until(lambda: user.shows("max 600 MiB"))

        assert user.shows("9/12 done")
        assert user.shows("token gaps")


async def test_when_it_has_ended_a_summary_stands_on_top() -> None:
    state = ended(running(*answers(QWEN, 12), *answers(SMOLLM, 12, first=2)))
    async with benched(state) as page, opened(page.screen()) as user:
        await user.until(lambda: user.shows("completed 1 min after it began"))

        assert user.shows("24 of 24 timed requests made")
        assert user.shows("has the shortest median latency")


async def test_where_there_is_little_room_the_summary_says_how_much_it_leaves_out() -> None:
    state = ended(running(*answers(QWEN, 12), *answers(SMOLLM, 12, first=2)))
    state = replace(state, notes=("no temperature can be read here",) * 3)
    async with benched(state) as page, opened(page.screen(), size=NARROW) as user:
        await user.until(lambda: user.shows("lines more in the report: e writes it"))

        assert user.shows("completed 1 min after it began; 24 of 24 timed requests made")


async def test_what_one_should_know_of_a_run_stands_on_top_while_it_goes_on() -> None:
    state = running(notes=("no temperature can be read here: the limit of it does not hold\x1b[31m",))
    async with benched(state) as page, opened(page.screen(), size=NARROW) as user:
        await user.until(lambda: user.shows("the limit of it does not hold␛[31m"))

        page.bench.state.publish(running())
        await user.until(lambda: not user.shows("does not hold"))

        assert user.shows("0 of 24 timed")


async def test_marked_models_of_a_run_that_has_ended_are_compared_in_sentences() -> None:
    models = (QWEN, SMOLLM, "third-cpu:1")
    made = (*answers(QWEN, 12), *answers(SMOLLM, 12, gap_ms=60.0, first=2))
    async with benched(ended(running(*made, models=models))) as page, opened(page.screen()) as user:
        await user.pilot.press("space", "down", "space", "c")
        await user.until(lambda: isinstance(user.app.screen, BenchCompareScreen))
        await user.until(lambda: user.shows("smollm2-360m-cpu:1 with qwen2.5-0.5b-cpu:4"))

        assert user.shows("smollm2-360m-cpu:1 is slower than qwen2.5-0.5b-cpu:4 by")
        assert not user.shows("third")


async def test_without_marks_all_are_compared_and_who_has_no_reading_is_named() -> None:
    state = ended(running(*answers(QWEN, 12), models=(QWEN, "third-cpu:1")))
    async with benched(state) as page, opened(page.screen()) as user:
        await user.pilot.press("c")

        await user.until(lambda: user.shows("third-cpu:1 has no request that counts"))


async def test_a_run_of_one_model_has_nothing_to_compare() -> None:
    state = ended(running(*answers(QWEN, 12), models=(QWEN,)))
    async with benched(state) as page, opened(page.screen()) as user:
        await user.pilot.press("c")

        await user.until(lambda: any("nothing to compare it with" in words for words in user.told))


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
        await user.until(lambda: user.shows("x Stop"))
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

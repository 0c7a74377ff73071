"""Choosing among measured models, by keys: limits, reasons, shares, weights, the chart and the record."""

from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from foundry_tui.domain.bench import BenchPlan, PlannedPrompt
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.metrics.candidate import Dimension
from foundry_tui.metrics.selection import Limits
from foundry_tui.tui.screens.bench.runs import RunsScreen
from foundry_tui.tui.screens.choose.screen import ChooseScreen
from foundry_tui.tui.screens.paths import PathScreen
from foundry_tui.tui.screens.tagging import LineScreen
from tests.support.hostile import CORPUS, Payload, harm_in
from tests.support.supervised import SupervisedScript
from tests.tui.benched import benched
from tests.tui.choosing import BETA, GIB, MODELS, Kept, kept
from tests.tui.harness import HUGE, SHELF, driven
from tests.tui.overlay_host import NARROW, WIDE, Opened, opened

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE, HUGE], ids=["80x24", "120x40", "200x60"])


def screen_of(user: Opened[None]) -> ChooseScreen:
    assert isinstance(user.screen, ChooseScreen)
    return user.screen


async def reckoned(user: Opened[None], limits: Limits) -> None:
    """Wait until what is shown is judged by these limits."""

    def is_shown() -> bool:
        found = screen_of(user).found
        return found is not None and found.limits == limits and not user.shows("Drawing")

    await user.until(is_shown)


async def typed(user: Opened[None], line: str) -> None:
    """Type ``line`` in place of what stands there, and press Enter."""
    await user.pilot.press("l")
    field = user.screen.query_one("#choose-limits", Input)
    await user.until(lambda: field.has_focus)
    field.value = line
    await user.pilot.press("enter")


def cells(user: Opened[None], row: int) -> dict[str, str]:
    """What stands in a row of the table, by column."""
    table = screen_of(user).table
    return {column.key: cell for column, cell in zip(table.columns, table.rows[row].cells, strict=True)}


@SIZES
async def test_each_candidate_has_a_row_with_the_six_dimensions(size: tuple[int, int]) -> None:
    place = await kept()
    async with opened(place.screen(), size=size) as user:
        await user.until(lambda: user.shows("5 of 5 models fit"))

        assert all(
            user.shows(label) for label in ("LATENCY", "tok/s", "Memory", "Quality", "Disk", "License")
        )
        beta = cells(user, 1)
        assert beta["latency"].startswith("366 ms")
        assert beta["memory"] == "512 MiB"
        assert beta["quality"].startswith("2.38")
        assert cells(user, 4)["quality"] == "n/a"
        # An interval and a number of readings stand there where there is room for them.
        assert ("[337 ms, 394 ms]" in beta["latency"]) is (size != NARROW)
        assert ("n=16" in beta["latency"]) is (size == HUGE)


@SIZES
async def test_limits_are_typed_and_failing_cells_say_why(size: tuple[int, int]) -> None:
    place = await kept()
    async with opened(place.screen(), size=size) as user:
        await reckoned(user, Limits())

        await typed(user, "latency<=3s quality>=3.8")
        await reckoned(user, Limits(max_latency_s=3.0, min_quality=3.8))

        assert user.shows("2 of 5 models fit · 2 do not · 1 not known: n/a neither passes nor fails")
        assert cells(user, 1)["quality"].startswith("!2.38")
        assert cells(user, 4)["quality"] == "?n/a"
        assert screen_of(user).table.rows[1].problems == {5}
        await user.pilot.press("down")
        await user.until(lambda: user.shows(f"{BETA} does not fit: quality 2.375 is under 3.8"))
        await user.pilot.press("down", "down", "down")
        await user.until(lambda: user.shows("is not known to fit: quality: not scored"))


async def test_a_limit_that_cannot_be_meant_is_named_and_the_others_stay() -> None:
    place = await kept()
    async with opened(place.screen(), size=NARROW) as user:
        await reckoned(user, Limits())
        await typed(user, "latency<=3s")
        await reckoned(user, Limits(max_latency_s=3.0))

        await typed(user, "latency<=soon")

        await user.until(lambda: user.shows("latency<=soon has no time such as 2s or 500ms"))
        assert screen_of(user).line.has_focus
        assert screen_of(user).escape()
        assert screen_of(user).line.value == "latency<=3s"
        await user.until(lambda: screen_of(user).table.has_focus)
        assert not screen_of(user).escape()


async def test_a_limit_is_taken_from_a_row_and_taken_away_again() -> None:
    place = await kept()
    async with opened(place.screen(), size=NARROW) as user:
        await reckoned(user, Limits())

        await user.pilot.press("right", "right", "down", "down", "t")
        await reckoned(user, Limits(max_memory_bytes=2 * GIB))
        assert screen_of(user).line.value == "memory<=2gib"
        assert user.shows("2 of 5 models fit")

        await user.pilot.press("x")
        await reckoned(user, Limits())
        assert screen_of(user).line.value == ""

        await user.pilot.press("down", "down", "t")
        await user.until(lambda: any("memory is n/a here" in words for words in user.told))


@SIZES
async def test_the_pareto_list_has_its_shares_and_weights_stand_beside_it(size: tuple[int, int]) -> None:
    place = await kept(MODELS[:3])
    async with opened(place.screen(), size=size) as user:
        await user.until(lambda: user.shows("A: on the Pareto front; of 1,000 resamples"))
        assert not user.shows("by the weights")

        await user.pilot.press("g")
        await user.until(lambda: user.shows("by the weights latency=1, throughput=1"))
        await user.pilot.press("g")
        await user.until(lambda: not user.shows("by the weights"))
        await typed(user, "weights:quality=3")
        await user.until(lambda: user.shows("by the weights quality=3"))
        found = screen_of(user).found
        assert found is not None
        assert found.weights == ((Dimension.QUALITY, 3.0),)
        await user.pilot.press("g")
        await user.until(lambda: not user.shows("by the weights"))


async def test_the_chart_has_a_bubble_for_each_that_is_scored() -> None:
    place = await kept()
    async with opened(place.screen(), size=NARROW) as user:
        await user.until(lambda: user.shows("Pareto list"))

        await user.pilot.press("w")

        await user.until(lambda: user.shows("Quality against latency") and not user.shows("Pareto list"))
        # 5 and 7 GiB are large, 2 GiB are in the middle, 512 MiB are small.
        assert all(user.shows(bubble) for bubble in ("(  A  )", "(B)", "( C )", "(  D  )"))
        assert user.shows("not scored: E")
        assert user.shows("0.5 s")
        await user.pilot.press("w")
        await user.until(lambda: user.shows("Pareto list"))


async def test_without_a_score_the_chart_says_what_to_do() -> None:
    place = await kept([replace(model, values=()) for model in MODELS[:2]])
    async with opened(place.screen(), size=WIDE) as user:
        await user.until(lambda: user.shows("Nothing can be drawn"))

        assert user.shows("not scored: A, B")
        assert user.shows("No answer is scored, so quality is n/a")


async def test_without_a_run_the_next_step_is_named() -> None:
    async with opened(Kept().screen(), size=NARROW) as user:
        await user.until(lambda: user.shows("There is no run to choose from"))

        assert user.shows("n plans a run")
        await user.pilot.press("t", "g", "d", "x")
        assert user.app.screen is user.screen


async def test_one_model_only_leads_to_other_runs() -> None:
    place = await kept(MODELS[:1])
    async with opened(place.screen(), size=WIDE) as user:
        await user.until(lambda: user.shows("One model only"))

        assert user.shows("1 of 1 model fit")


@pytest.mark.parametrize("what", ["runs", "scores"])
async def test_a_store_that_cannot_be_read_is_told_with_its_remedy(what: str) -> None:
    place = await kept()
    problem = StorageProblem("the database is locked", remedy="end the other program")
    if what == "runs":
        place.runs.unreadable = problem
    else:
        place.scores.problem = problem
    async with opened(place.screen(), size=NARROW) as user:
        await user.until(lambda: user.shows("the database is locked"))

        assert user.shows("end the other program")
        assert user.shows("Nothing could be read")


async def test_the_models_of_several_runs_are_put_together() -> None:
    place = await kept(MODELS[:1])
    await place.add("beef" * 8, [replace(MODELS[0], gap_ms=45)])
    async with opened(place.screen("f00d" * 8, "beef" * 8, "gone"), size=WIDE) as user:
        await user.until(lambda: user.shows("Choose a model of 2 runs"))
        await reckoned(user, Limits())

        assert user.shows(f"{MODELS[0].name} in f00df00d")
        assert [cells(user, row)["model"][-4:] for row in (0, 1)] == ["f00d", "beef"]


async def test_the_record_is_written_by_one_key_and_never_over_another(tmp_path: Path) -> None:
    place = await kept(MODELS[:3])
    target = tmp_path / "why.md"
    async with opened(place.screen(), size=WIDE) as user:
        await reckoned(user, Limits())
        await typed(user, "quality>=3.5")
        await reckoned(user, Limits(min_quality=3.5))

        await user.pilot.press("d")
        await user.until(lambda: isinstance(user.app.screen, LineScreen))
        user.app.screen.query_one(Input).value = "Which one *answers* mail?"
        await user.pilot.press("enter")
        await user.until(lambda: isinstance(user.app.screen, PathScreen))
        user.app.screen.query_one(Input).value = str(target)
        await user.pilot.press("enter")
        await user.until(lambda: any("decision record was written" in words for words in user.told))

        text = target.read_text(encoding="utf-8")
        assert "Which one \\*answers\\* mail?" in text
        assert "- quality at least 3.5" in text
        assert "## Run f00df00d" in text

        await user.pilot.press("d")
        await user.until(lambda: isinstance(user.app.screen, LineScreen))
        await user.pilot.press("enter")
        await user.until(lambda: isinstance(user.app.screen, PathScreen))
        user.app.screen.query_one(Input).value = str(target)
        await user.pilot.press("enter")
        await user.until(lambda: user.shows("exists"))
        assert target.read_text(encoding="utf-8") == text


async def test_runs_are_marked_in_their_list_and_chosen_among() -> None:
    async with benched() as page:
        place = Kept(runs=page.runs)
        await place.add("f00d" * 8, MODELS[:1])
        await place.add("beef" * 8, MODELS[1:2])
        async with opened(RunsScreen(page.bench, choose=page.choices.append), size=NARROW) as user:
            await user.until(lambda: user.shows("f00df00d"))

            await user.pilot.press("d")
            await user.pilot.press("space", "down", "space")
            await user.until(lambda: user.shows("✓ f00df00d") and user.shows("✓ beefbeef"))
            await user.pilot.press("d", "space", "d")

    first, both, one = page.choices
    assert len(first) == 1
    assert (set(both), len(one)) == ({"f00d" * 8, "beef" * 8}, 1)


@pytest.mark.parametrize("payload", CORPUS[::40], ids=lambda payload: str(payload.name))
async def test_hostile_names_and_licences_are_harmless(payload: Payload) -> None:
    text = payload.text or "x"
    models = [replace(MODELS[0], name=f"a{text}", license=text), replace(MODELS[1], name=f"b{text}")]
    place = await kept(models)
    async with opened(place.screen(), size=NARROW) as user:
        await user.until(lambda: user.shows("2 of 2 models fit"))
        await user.pilot.press("left", "t", "down", "w")
        await user.until(lambda: not user.shows("Drawing"))

        assert set().union(*map(harm_in, user.lines())) == set()


async def test_it_opens_from_anywhere_and_from_the_benchmark_but_not_while_one_runs() -> None:
    engine = SupervisedScript(ScriptedConfig(gap_ms=5, pieces=("one\n",) * 30), models=SHELF[:1])
    planned = BenchPlan(
        models=(SCRIPTED_MODEL_ID,), prompts=(PlannedPrompt(id="p", text="why?"),), rounds=6, warmup=0
    )
    async with driven(engine, size=NARROW) as user:
        await user.up()
        await user.services.bench.begin(planned)
        await user.pilot.press("alt+7")
        await user.until(lambda: "a benchmark is under way" in user.words_told)
        await user.services.bench.finished()

        await user.pilot.press("alt+7")
        await user.until(lambda: user.shows("1 of 1 model fit") and user.shows("Choose a model of the run"))
        await user.pilot.press("escape", "alt+4")
        await user.until(lambda: user.shows("Decide"))
        await user.pilot.press("d")
        await user.until(lambda: user.shows("1 of 1 model fit"))

"""The checklist on the screen: one line each, what failed and why, stopped by Esc, kept when it is closed."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from foundry_tui.domain.errors import BadInput
from foundry_tui.tui.screens.validation import Checked, RunState, ValidationScreen
from tests.support.supervised import SupervisedScript
from tests.tui.engine_screens import opened, validation_screen
from tests.tui.harness import MEDIUM, NARROW, SHELF, Driven, driven

SMALL, LARGE, BROKEN = "small-instruct-generic-cpu:1", "large-instruct-qnn-npu:3", "synthetic-broken"
SECOND_NS = 1_000_000_000
HOSTILE = "m\x1b[2J\x9b31m[@click=app.leave]x[/]\u202e"


def lines(screen: ValidationScreen) -> dict[str, Sequence[str]]:
    return {row.key: row.cells[1:] for row in screen.table.rows}


def naming(*names: str) -> Callable[[], Sequence[str]]:
    return lambda: names


async def show(user: Driven, screen: ValidationScreen) -> ValidationScreen:
    await user.up()
    await opened(user, screen)
    return screen


async def test_each_target_has_one_line_and_it_runs_by_itself() -> None:
    async with driven() as user:
        screen = await show(user, validation_screen(user, naming("small", BROKEN, "nosuch", "large")))
        await user.until(lambda: user.shows("1 of 4 passed"))

        assert lines(screen) == {
            "small": ("ok", "ok", "ok 10.0 ms", "ok 0.0 ms"),
            BROKEN: ("ok", "ok", "NO", "n/a"),
            "nosuch": ("NO", "n/a", "n/a", "n/a"),
            "large": ("ok", "NO", "n/a", "n/a"),
        }


async def test_the_line_under_the_cursor_says_why_it_failed_and_what_to_do() -> None:
    async with driven(size=NARROW) as user:
        await show(user, validation_screen(user, naming(BROKEN)))
        await user.until(lambda: user.shows("0 of 1 passed"))

        assert user.shows("does not load: scripted")
        assert user.shows("→ choose the other one")


async def test_what_was_not_in_memory_before_is_not_there_afterwards() -> None:
    async with driven() as user:
        await user.up()
        await user.client.load(MEDIUM)
        await show(user, validation_screen(user, naming(SMALL, MEDIUM)))
        await user.until(lambda: user.shows("2 of 2 passed"))

        assert user.is_loaded(MEDIUM)
        assert not user.is_loaded(SMALL)


async def test_while_it_runs_it_shows_which_one_and_how_far() -> None:
    engine = SupervisedScript(models=SHELF)
    engine.loading = asyncio.Event()
    now = [0]
    async with driven(engine) as user:
        screen = await show(
            user, validation_screen(user, naming("small", "medium"), clock_ns=lambda: now[0] * SECOND_NS)
        )
        await user.until(lambda: "small" in lines(screen))
        now[0] = 12
        await user.until(lambda: user.shows("1 of 2 · small · 12 s · Esc stops"))
        meanwhile = lines(screen)
        engine.loading.set()
        await user.until(lambda: user.shows("2 of 2 passed"))

        assert meanwhile["small"] == ("…", "", "loading …", "")
        assert meanwhile["medium"] == ("", "", "", "")


async def test_escape_stops_it_and_what_was_found_stays() -> None:
    engine = SupervisedScript(models=SHELF)
    checked = Checked()
    async with driven(engine) as user:
        screen = await show(user, validation_screen(user, naming("nosuch", "small"), checked=checked))
        await user.until(lambda: checked.state is RunState.DONE)
        engine.loading = asyncio.Event()
        await user.pilot.press("r")
        await user.until(lambda: "nosuch" in checked.results and "small" not in checked.results)
        await user.pilot.press("escape")
        await user.until(lambda: checked.state is RunState.STOPPED)
        await user.until(lambda: user.shows("Stopped after 1 of 2: 0 of 1 passed"))

        assert user.app.screen is screen
        assert lines(screen)["nosuch"] == ("NO", "n/a", "n/a", "n/a")
        assert user.lease.holders == ()


async def test_closed_while_it_runs_it_stops_and_the_engine_is_free() -> None:
    engine = SupervisedScript(models=SHELF)
    engine.loading = asyncio.Event()
    checked = Checked()
    async with driven(engine) as user:
        screen = await show(user, validation_screen(user, naming("small"), checked=checked))
        await user.until(lambda: bool(user.lease.holders))
        screen.dismiss(None)
        await user.until(lambda: checked.state is RunState.STOPPED)
        await user.until(lambda: user.app.screen is user.workspace)

        assert user.lease.holders == ()


async def test_the_result_is_there_when_it_is_opened_again_and_nothing_runs_by_itself_then() -> None:
    checked = Checked()
    now = [0]
    async with driven() as user:

        def again() -> ValidationScreen:
            return validation_screen(
                user, naming("small"), checked=checked, clock_ns=lambda: now[0] * SECOND_NS
            )

        await show(user, again())
        await user.until(lambda: user.shows("1 of 1 passed"))
        asked = len(user.engine.seen)
        await user.pilot.press("escape")
        await user.until(lambda: user.app.screen is user.workspace)
        now[0] = 600
        await show(user, again())
        await user.until(lambda: user.shows("1 of 1 passed, 10 min ago"))

        assert len(user.engine.seen) == asked


async def test_running_again_reads_the_targets_anew() -> None:
    named = ["nosuch"]
    async with driven() as user:
        screen = await show(user, validation_screen(user, lambda: list(named)))
        await user.until(lambda: user.shows("0 of 1 passed"))
        named[:] = ["small"]
        await user.pilot.press("r")
        await user.until(lambda: user.shows("1 of 1 passed"))

        assert list(lines(screen)) == ["small"]


async def test_targets_that_cannot_be_read_are_named_with_the_remedy() -> None:
    def broken() -> Sequence[str]:
        raise BadInput("models.json, line 3: not JSON", remedy="correct that line")

    async with driven() as user:
        await show(user, validation_screen(user, broken))
        await user.until(lambda: user.shows("models.json, line 3: not JSON"))

        assert user.shows("→ correct that line")
        assert user.shows("r tries again")


async def test_without_targets_it_says_where_they_come_from() -> None:
    async with driven() as user:
        await show(user, validation_screen(user, naming()))
        await user.until(lambda: user.shows("No models are named"))

        assert user.shows("Targets come from models.json")


async def test_a_measurement_is_not_disturbed() -> None:
    async with driven() as user:
        await user.up()
        with user.lease.hold("a benchmark", exclusive=True):
            await show(user, validation_screen(user, naming("small")))
            await user.until(lambda: user.shows("in use: a benchmark"))

        assert user.shows("Ended early after 0 of 1")


@pytest.mark.parametrize("size", [NARROW, (200, 60)], ids=["narrow", "huge"])
async def test_hostile_names_are_shown_and_do_nothing(size: tuple[int, int]) -> None:
    async with driven(size=size) as user:
        screen = await show(user, validation_screen(user, naming(HOSTILE)))
        await user.until(lambda: user.shows("0 of 1 passed"))

        assert all(line.isprintable() for line in user.lines())
        assert user.shows("[@click=app.leave]x[/]")
        assert HOSTILE in lines(screen)

"""The filter field of the catalog: what it says, offers and never hides by mistake."""

import asyncio
from dataclasses import replace

from textual.widgets import Input

from foundry_tui.domain.models import Registration
from tests.support.supervised import SupervisedScript
from tests.tui.harness import MEDIUM, NARROW, SHELF, Driven, driven

SMALL = "small-instruct-generic-cpu:1"
LARGE = "large-instruct-qnn-npu:3"


def listed(user: Driven) -> list[str]:
    return [row.key for row in user.catalog.table.rows]


async def in_the_filter(user: Driven) -> Input:
    await user.up()
    await user.until(lambda: user.catalog.table.has_focus)
    await user.pilot.press("slash")
    return user.catalog.query_one(Input)


async def test_the_filter_has_a_language() -> None:
    async with driven() as user:
        field = await in_the_filter(user)

        field.value = "size<6gb -cpu publisher:lab"
        await user.until(lambda: user.shows("1 of 5"))

        assert listed(user) == [MEDIUM]


async def test_what_is_half_typed_hides_nothing_and_is_told_in_the_line() -> None:
    async with driven(size=NARROW) as user:
        field = await in_the_filter(user)

        field.value = "instruct size<"
        await user.until(lambda: user.shows("“size<”: a number is missing, try size<2gb"))
        halfway = listed(user)
        await user.pilot.press("1", "g", "b")
        await user.until(lambda: user.shows("1 of 5"))

        assert halfway == [MEDIUM, SMALL, LARGE]
        assert listed(user) == [SMALL]


async def test_several_problems_are_told_as_one_and_how_many_more() -> None:
    async with driven(size=NARROW) as user:
        field = await in_the_filter(user)

        field.value = "device: license:"

        await user.until(lambda: user.shows("try device:cpu,gpu,npu (and 1 more)"))


async def test_a_problem_is_told_harmlessly() -> None:
    async with driven(size=NARROW) as user:
        field = await in_the_filter(user)

        field.value = "device:\x1b]0;pwned\x07"

        await user.until(lambda: user.shows("“device:␛]0;pwned␇”: ␛]0;pwned␇ is no device"))


async def test_what_is_typed_and_what_it_finds_are_there_at_the_same_moment() -> None:
    async with driven() as user:
        field = await in_the_filter(user)

        field.value = "gpu"

        assert listed(user) == [MEDIUM]


async def test_right_takes_what_is_offered() -> None:
    async with driven() as user:
        field = await in_the_filter(user)

        await user.pilot.press(*"lice")
        await user.until(lambda: user.shows("license:"))
        await user.pilot.press("right", "a")
        await user.until(lambda: user.shows("license:apache-2.0"))
        await user.pilot.press("right")

        assert field.value == "license:apache-2.0"
        assert listed(user) == [SMALL]


async def test_down_goes_to_the_rows_and_keeps_the_filter() -> None:
    async with driven() as user:
        field = await in_the_filter(user)

        await user.pilot.press(*"gpu", "down")
        await user.until(lambda: user.catalog.table.has_focus)

        assert field.value == "gpu"
        assert user.catalog.table.cursor_key == MEDIUM


async def test_a_filter_finds_what_comes_later_too() -> None:
    async with driven() as user:
        field = await in_the_filter(user)
        field.value = "id:mine"
        await user.engine.register(Registration(path="/models/mine", model_id="mine:1"))

        await user.client.refresh()

        await user.until(lambda: listed(user) == ["mine:1"])


async def test_a_flag_follows_what_happens_to_a_model() -> None:
    async with driven() as user:
        field = await in_the_filter(user)
        field.value = "loaded"
        assert listed(user) == []

        await user.client.load(MEDIUM)

        await user.until(lambda: listed(user) == [MEDIUM])


async def test_while_a_model_loads_its_row_counts_and_no_rows_are_made_anew() -> None:
    async with driven(size=NARROW) as user:  # where no other pane shows it
        user.engine.loading = asyncio.Event()
        await user.up()
        rows = user.catalog.table.rows

        loading = asyncio.ensure_future(user.client.load(MEDIUM))
        await user.until(lambda: user.shows("loading"))
        first = next(line for line in user.lines() if "loading" in line)
        await user.until(lambda: user.shows("loading") and first not in user.lines())

        assert user.catalog.table.rows is rows
        user.engine.loading.set()
        await loading


async def test_twenty_thousand_variants_are_filtered_and_sorted_as_five_are() -> None:
    many = [replace(SHELF[2], id=f"many-{number:05}:1", size_bytes=number) for number in range(20_000)]
    async with driven(SupervisedScript(models=many)) as user:
        field = await in_the_filter(user)
        await user.until(lambda: len(user.catalog.table.rows) == 20_002)

        field.value = "many-1 size>0"
        filtered = len(user.catalog.table.rows)
        await user.pilot.press("escape", "s", "S")

        assert filtered == 10_000
        assert user.catalog.table.rows[2].key == "many-19999:1"


async def test_no_match_and_no_mark_name_the_next_key() -> None:
    async with driven() as user:
        field = await in_the_filter(user)

        field.value = "nothing"
        await user.until(lambda: user.shows("Esc clears the filter."))
        field.value = "marked"

        await user.until(lambda: user.shows("Nothing is marked yet."))
        assert user.shows("Space marks")

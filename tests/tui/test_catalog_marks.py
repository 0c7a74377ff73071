"""Marking variants in the catalog and putting them side by side."""

from dataclasses import replace

from textual.widgets import DataTable, Input

from foundry_tui.tui.screens.compare import CompareScreen
from tests.support.supervised import SupervisedScript
from tests.tui.harness import HUGE, MEDIUM, NARROW, SHELF, WIDE, Driven, driven

SMALL = "small-instruct-generic-cpu:1"
LARGE = "large-instruct-qnn-npu:3"


def listed(user: Driven) -> list[str]:
    return [row.key for row in user.catalog.table.rows]


def glyphs(user: Driven) -> list[str]:
    """The ids of the rows that carry the mark."""
    return [row.key for row in user.catalog.table.rows if row.cells[0] == "*"]


async def mark(user: Driven, *model_ids: str) -> None:
    await user.up()
    await user.until(lambda: user.catalog.table.has_focus)
    for model_id in model_ids:
        assert user.catalog.table.move_cursor_to(model_id)
        await user.pilot.press("space")


async def comparing(user: Driven) -> None:
    await user.pilot.press("c")
    await user.until(lambda: isinstance(user.app.screen, CompareScreen) and user.shows("Longest answer"))


async def test_space_marks_in_order_and_takes_the_mark_away() -> None:
    async with driven() as user:
        await mark(user, LARGE, MEDIUM, SMALL)
        await user.until(lambda: user.shows("3 marked"))
        three, with_glyph = user.catalog.marked, glyphs(user)
        await mark(user, MEDIUM)
        await user.until(lambda: user.shows("2 marked"))

        assert three == (LARGE, MEDIUM, SMALL)
        assert with_glyph == [MEDIUM, SMALL, LARGE]
        assert user.catalog.marked == (LARGE, SMALL)


async def test_marks_stay_through_filters_sorts_and_refreshes() -> None:
    async with driven() as user:
        await mark(user, LARGE, MEDIUM)

        await user.pilot.press("slash", *"gpu", "enter")
        filtered = glyphs(user)
        await user.pilot.press("escape", "s", "r")
        await user.until(lambda: not user.client.jobs.value)

        assert filtered == [MEDIUM]
        assert sorted(glyphs(user)) == [LARGE, MEDIUM]
        assert user.catalog.marked == (LARGE, MEDIUM)


async def test_a_marked_model_that_is_gone_is_not_counted_and_comes_back_marked() -> None:
    engine = SupervisedScript(models=SHELF)
    async with driven(engine) as user:
        await mark(user, LARGE, MEDIUM)
        snapshot = user.client.catalog.value

        user.client.catalog.publish(
            replace(snapshot, models=tuple(model for model in snapshot.models if model.id != LARGE))
        )
        await user.until(lambda: user.shows("1 marked"))
        without = user.catalog.marked
        user.client.catalog.publish(snapshot)
        await user.until(lambda: user.shows("2 marked"))

        assert without == (MEDIUM,)
        assert user.catalog.marked == (LARGE, MEDIUM)


async def test_x_takes_all_marks_away_and_says_so_where_there_are_none() -> None:
    async with driven() as user:
        await mark(user, LARGE, MEDIUM)

        await user.pilot.press("x")
        assert user.catalog.marked == ()
        assert glyphs(user) == []
        await user.until(lambda: not user.shows("marked"))
        await user.pilot.press("x")

        await user.until(lambda: "nothing is marked" in user.words_told)


async def test_the_filter_can_ask_for_the_marked_ones() -> None:
    async with driven() as user:
        await mark(user, LARGE, MEDIUM)

        user.catalog.query_one(Input).value = "marked"
        await user.until(lambda: listed(user) == [MEDIUM, LARGE])
        await mark(user, MEDIUM)

        assert listed(user) == [LARGE]


async def test_a_mark_is_no_order() -> None:
    async with driven() as user:
        await mark(user, LARGE)
        await user.pilot.press("s")
        before = user.catalog.view

        await user.pilot.click(user.catalog.table, offset=(1, 0))

        assert user.catalog.view == before


async def test_with_less_than_two_marks_c_says_what_to_do() -> None:
    async with driven() as user:
        await mark(user, LARGE)

        await user.pilot.press("c")
        await user.until(lambda: bool(user.told))

        assert "one variant is marked: mark two or more with space" in user.words_told
        assert user.app.screen is user.workspace


async def test_c_shows_the_marked_side_by_side_and_escape_goes_back() -> None:
    async with driven(size=HUGE) as user:
        await mark(user, LARGE, MEDIUM)

        await comparing(user)
        shown = user.lines()
        await user.pilot.press("escape")

        heading = next(line for line in shown if LARGE in line and MEDIUM in line)
        assert heading.index(LARGE) < heading.index(MEDIUM)
        size = next(line for line in shown if "Size" in line and "GiB" in line and "≠" in line)
        assert size.index("8.38 GiB") < size.index("4.66 GiB")
        assert any("Publisher" in line and "Some Lab" in line and "≠" not in line for line in shown)
        assert user.app.screen is user.workspace
        assert user.catalog.table.has_focus


async def test_in_a_narrow_terminal_the_variants_scroll_beside_their_labels() -> None:
    async with driven(size=NARROW) as user:
        await mark(user, SMALL, MEDIUM, LARGE)
        await comparing(user)
        assert user.shows("763 MiB")
        assert not user.shows("8.38 GiB")

        await user.pilot.press("right")
        await user.until(lambda: user.shows("8.38 GiB"))

        assert user.shows("≠ Size")
        assert not user.shows("763 MiB")


async def test_a_comparison_fits_itself_to_another_width() -> None:
    async with driven(size=NARROW) as user:
        await mark(user, SMALL, MEDIUM, LARGE)
        await comparing(user)

        await user.pilot.resize_terminal(*HUGE)

        # Not folded any more, and side by side.
        await user.until(lambda: any(SMALL in line and MEDIUM in line for line in user.lines()))


async def test_hostile_texts_are_compared_harmlessly() -> None:
    evil = [
        replace(SHELF[0], id=f"evil-{n}:1", license=f"[red]\x1b]8;;http://a\x07 {n}", publisher="x" * 100_000)
        for n in range(2)
    ]
    async with driven(SupervisedScript(models=evil), size=WIDE) as user:
        await mark(user, "evil-0:1", "evil-1:1")

        await comparing(user)

        assert user.shows("[red]␛]8;;http://a␇ 0")
        table = user.app.screen.query_one(DataTable)
        assert table.virtual_size.height < 100

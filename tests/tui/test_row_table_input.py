"""A table of many rows under the keyboard and the mouse."""

import pytest

from foundry_tui.tui.widgets.row_table import RowTable
from tests.tui.tables import Harness, numbered


async def test_arrows_pages_and_ends_move_the_cursor_and_keep_it_in_sight() -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)) as pilot:  # nine rows under the header
        app.table.set_rows(numbered(range(100)))
        visited: list[str | None] = []
        for key in ("down", "down", "up", "pagedown", "pageup", "up", "end", "down", "home", "up"):
            await pilot.press(key)
            visited.append(app.table.cursor_key)
            assert sum(line.startswith("▌") for line in app.screen_lines()[1:]) == 1

        assert visited == ["k1", "k2", "k1", "k10", "k1", "k0", "k99", "k99", "k0", "k0"]


async def test_each_cursor_move_is_posted_once() -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(numbered(range(2)))
        await pilot.press("down", "down", "home")
        await pilot.pause()

        assert app.posted == [("highlighted", "k0"), ("highlighted", "k1"), ("highlighted", "k0")]


async def test_enter_activates_the_row_under_the_cursor() -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(numbered(range(5)))
        await pilot.press("down", "enter")
        await pilot.pause()

        assert app.posted[-1] == ("activated", "k1")


async def test_a_click_moves_the_cursor_on_the_scrolled_page() -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(numbered(range(100)))
        await pilot.pause()
        app.table.scroll_to(y=50, animate=False)
        await pilot.click(RowTable, offset=(5, 3))

        assert app.table.cursor_key == "k52"
        assert ("activated", "k52") not in app.posted


async def test_a_double_click_activates_its_row_once() -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(numbered(range(5)))
        await pilot.click(RowTable, offset=(5, 3), times=3)
        await pilot.pause()

        assert app.posted[1:] == [("highlighted", "k2"), ("activated", "k2")]


@pytest.mark.parametrize("later", [[2, 0, 1, 3, 4], [0, 1, 3, 4]])
async def test_a_second_click_that_hits_another_row_than_the_first_activates_nothing(
    later: list[int],
) -> None:
    class Restless(Harness):
        def on_row_table_row_highlighted(self, event: RowTable.RowHighlighted) -> None:
            super().on_row_table_row_highlighted(event)
            if event.key == "k2":
                self.table.set_rows(numbered(later))

    app = Restless()

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(numbered(range(5)))
        await pilot.click(RowTable, offset=(5, 3), times=2)
        await pilot.pause()

        assert app.table.cursor_row == app.table.rows[2]
        assert "activated" not in dict(app.posted)


async def test_a_click_below_the_last_row_changes_nothing() -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(numbered(range(3)))
        await pilot.click(RowTable, offset=(5, 8), times=2)
        await pilot.pause()

        assert app.posted == [("highlighted", "k0")]


@pytest.mark.parametrize("label", ["Model", "Device", "Tokens/s"])
async def test_a_click_on_a_label_posts_its_column(label: str) -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(numbered(range(100)))
        await pilot.press("end")
        app.posted.clear()
        await pilot.click(RowTable, offset=(app.screen_lines()[0].index(label), 0))
        await pilot.pause()

        keys = {"Model": "name", "Device": "device", "Tokens/s": "rate"}
        assert app.posted == [("header", keys[label])]

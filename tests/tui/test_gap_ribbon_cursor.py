"""The cursor on the ribbon of gaps, and what stays in sight."""

import pytest
from textual.binding import Binding

from foundry_tui.tui.widgets.gap_ribbon import GapRibbon
from tests.tui.ribbons import EVERY_CLASS, N1, RibbonApp, chunks_after, recorded, resized, rows, settled


async def test_keys_move_the_cursor_and_every_move_is_told() -> None:
    app = RibbonApp()

    async with app.run_test() as pilot:
        app.ribbon.show_trace(recorded(chunks_after([10] * 29)))
        app.ribbon.focus()
        keys = ("left", "left", "right", "right", "shift+left", "ctrl+left", "ctrl+left", "left")
        await pilot.press(*keys, "shift+right", "ctrl+right", "end", "home", "enter")
        await pilot.pause()

        assert app.moves == [29, 28, 29, 19, 9, 0, 10, 20, 29, 0, None]
        assert app.ribbon.cursor is None


async def test_n_goes_from_stall_to_stall_and_around() -> None:
    app = RibbonApp()

    async with app.run_test() as pilot:
        app.ribbon.show_trace(recorded(chunks_after([10, 400, 10, 10, 10, 500, 10])))
        app.ribbon.focus()
        await pilot.press("n", "n", "n", "N", "N")
        await pilot.pause()

        assert app.moves == [2, 6, 2, 6, 2]


async def test_without_stalls_n_leaves_the_cursor_where_it_is() -> None:
    app = RibbonApp()

    async with app.run_test() as pilot:
        app.ribbon.show_trace(recorded(chunks_after([10, 10])))
        app.ribbon.focus()
        app.ribbon.move_cursor(1)
        await pilot.press("n", "N")

        assert app.ribbon.cursor == 1


async def test_a_click_puts_the_cursor_on_the_cell_that_was_hit() -> None:
    app = RibbonApp()

    async with app.run_test(size=(60, 24)) as pilot:
        app.ribbon.show_trace(recorded(chunks_after([10] * 99)))
        await pilot.click(app.ribbon, offset=(1, 0))
        assert app.ribbon.cursor == 42  # 58 cells between the edges
        await pilot.click(app.ribbon, offset=(58, 0))
        assert app.ribbon.cursor == 99
        await pilot.click(app.ribbon, offset=(0, 0))
        await pilot.click(app.ribbon, offset=(3, 1))
        assert app.ribbon.cursor == 99

        app.ribbon.show_trace(recorded(chunks_after([10] * 9)))
        await pilot.click(app.ribbon, offset=(3, 0))
        assert app.ribbon.cursor == 3
        await pilot.click(app.ribbon, offset=(30, 0))
        assert app.ribbon.cursor == 3


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark"])
async def test_the_cursor_is_seen_on_every_sign(theme: str) -> None:
    app = RibbonApp()

    async with app.run_test() as pilot:
        app.theme = theme
        await pilot.pause()  # a new theme reaches the widgets with the next turn
        app.ribbon.show_trace(recorded(chunks_after([*EVERY_CLASS, 340, 340, 340, 340, 340, 340, 0])))
        for index in range(16):
            app.ribbon.move_cursor(None)
            without = app.ribbon.render_line(0)
            app.ribbon.move_cursor(index)
            under = app.ribbon.render_line(0).crop(index, index + 1)

            assert under != without.crop(index, index + 1)
            assert under.text != "█"  # it would cover the ground that marks the cursor


async def test_a_long_ribbon_says_on_which_side_there_is_more() -> None:
    app = RibbonApp()

    async with app.run_test(size=(20, 24)) as pilot:
        app.ribbon.show_trace(recorded(chunks_after([10] * 19)))
        exactly = rows(app.ribbon)[0]
        app.ribbon.show_trace(recorded(chunks_after([10] * 49)))
        app.ribbon.focus()
        newest = rows(app.ribbon)[0]
        app.ribbon.move_cursor(25)
        middle = rows(app.ribbon)[0]
        await pilot.press("home")
        oldest = rows(app.ribbon)[0]

    assert exactly == "T" + "▃" * 19
    assert newest == "‹" + "▃" * 18
    assert middle == "‹" + "▃" * 18 + "›"
    assert oldest == "T".rjust(2) + "▃" * 17 + "›"


async def test_the_newest_chunks_stay_in_sight_while_it_streams_unless_there_is_a_cursor() -> None:
    app = RibbonApp()
    chunks = chunks_after([10] * 100 + [3] * 100)

    async with app.run_test(size=(40, 24)) as pilot:
        app.ribbon.begin()
        for chunk in chunks[:101]:
            app.ribbon.observe(chunk)
        await settled(app, pilot)
        app.ribbon.move_cursor(90)
        for chunk in chunks[101:150]:
            app.ribbon.observe(chunk)
        await settled(app, pilot)
        with_cursor = rows(app.ribbon)[0]
        app.ribbon.move_cursor(None)
        for chunk in chunks[150:]:
            app.ribbon.observe(chunk)
        await settled(app, pilot)

        assert with_cursor == "‹" + "▃" * 38 + "›"
        assert rows(app.ribbon)[0] == "‹" + "▁" * 38


async def test_the_cursor_stays_through_the_end_of_the_stream_and_goes_with_another_answer() -> None:
    app = RibbonApp()
    chunks = chunks_after(N1)
    trace = recorded(chunks)

    async with app.run_test() as pilot:
        app.ribbon.begin("a")
        for chunk in chunks:
            app.ribbon.observe(chunk)
        app.ribbon.move_cursor(3)
        app.ribbon.finish(trace)
        app.ribbon.show_trace(trace, "b")
        assert app.ribbon.cursor == 3

        app.ribbon.show_trace(recorded(chunks_after([10])))
        await pilot.pause()

        assert app.moves == [3, None]


async def test_a_resize_keeps_the_cursor_in_sight() -> None:
    app = RibbonApp()

    async with app.run_test(size=(100, 24)) as pilot:
        app.ribbon.show_trace(recorded(chunks_after([*[10] * 24, 0, *[10] * 4])))
        app.ribbon.move_cursor(24)
        await resized(app, pilot, 12)

        assert "·" in rows(app.ribbon)[0]


def test_every_key_can_be_remapped_by_its_name_and_escape_is_left_to_others() -> None:
    bindings = [binding for binding in GapRibbon.BINDINGS if isinstance(binding, Binding)]

    assert all((binding.id or "").startswith("ribbon.") and binding.description for binding in bindings)
    assert len({binding.id for binding in bindings}) == len(GapRibbon.BINDINGS)
    assert not any("escape" in binding.key for binding in bindings)

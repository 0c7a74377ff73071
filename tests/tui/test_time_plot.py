"""The plot over time, by what stands on its rows."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from foundry_tui.tui.widgets.time_plot import Plot, PlotLane, PlotLine, PlotMarks, TimePlot
from foundry_tui.tui.widgets.time_plot_signs import BRAILLE, PLAIN, lane_cells, line_rows

HOSTILE = "\x1b]8;;http://evil\x07[bold]RAM[/]\x9b31m\u202e\x00"


class PlotApp(App[None]):
    """One plot."""

    def compose(self) -> ComposeResult:
        yield TimePlot()


def plot_of(
    cells: int,
    *,
    lines: int = 2,
    across: int = 2,
    span_s: float = 60.0,
    name: str = "RAM",
    seams: tuple[int, ...] = (),
) -> Plot:
    line = PlotLine(name=name, now="1.00 GiB", most="2.00 GiB", values=[1.0] * (cells * across))
    counts = [1, *[0] * (cells - 1)]
    lane = PlotLane(
        words="9 requests", begins=counts, ends=counts[::-1], failures=[0] * cells, is_busy=[True] * cells
    )
    return Plot(span_s=span_s, lines=[line] * lines, lane=lane, seams=seams, seam_words="resumed")


def rows_of(pilot: Pilot[None]) -> list[str]:
    plot = pilot.app.query_one(TimePlot)
    return [plot.render_line(y).text for y in range(plot.size.height)]


def drawn(
    values: Sequence[float | None], rows: int = 1, *, top: float = 4.0, plain: bool = True
) -> list[str]:
    return line_rows(values, rows=rows, top=top, signs=PLAIN if plain else BRAILLE)


def test_a_line_runs_from_nought_at_the_bottom_to_its_largest_at_the_top() -> None:
    assert drawn([0.0, 2.0, 4.0]) == ["_-'"]
    assert drawn([0.0, 1.0, 2.0, 3.0], top=3.0, plain=False) == ["⡠⠊"]


def test_neighbours_far_apart_are_joined_over_all_rows_between() -> None:
    assert drawn([0.0, 4.0, 4.0, 0.0], rows=3) == [
        " |-_",
        " | |",
        "_| |",
    ]


def test_nothing_is_drawn_for_what_is_not_known_nor_across_it() -> None:
    assert drawn([4.0, None, 0.0]) == ["' _"]
    assert drawn([None] * 4, plain=False) == ["  "]


def test_dots_have_two_values_in_a_cell() -> None:
    assert drawn([0.0, 0.0, 4.0, 4.0], plain=False) == ["⣀⠏"]


def test_the_lane_tells_begin_end_and_failure_by_signs() -> None:
    lane = lane_cells(
        begins=[1, 0, 0, 1, 2, 0, 0],
        ends=[0, 0, 1, 1, 0, 1, 0],
        failures=[0, 0, 0, 0, 0, 1, 0],
        is_busy=[True, True, True, True, True, True, False],
        signs=PLAIN,
    )

    assert lane == "[-]##! "


@pytest.mark.parametrize(
    ("width", "height"), [(80, 24), (120, 40), (40, 8), (80, 5), (22, 6), (10, 3), (1, 1)]
)
@pytest.mark.parametrize("plain", [False, True])
async def test_it_fills_its_size_and_no_row_is_longer(width: int, height: int, plain: bool) -> None:
    app = PlotApp()
    async with app.run_test(size=(width, height)) as pilot:
        widget = app.query_one(TimePlot)
        widget.plain = plain
        widget.show(lambda cells: plot_of(cells, lines=4, across=widget.across), lines=4)
        await pilot.pause()
        rows = rows_of(pilot)

        assert len(rows) == height
        assert {cell_len(row) for row in rows} == {width}
        assert not plain or all(row.isascii() for row in rows)


async def test_each_line_has_its_present_and_its_largest_value_and_all_have_one_axis() -> None:
    app = PlotApp()
    async with app.run_test(size=(80, 12)) as pilot:
        app.query_one(TimePlot).show(plot_of, lines=2)
        await pilot.pause()
        rows = rows_of(pilot)

        assert [row[:21] for row in rows[:2]] == ["RAM     now 1.00 GiB ", "        max 2.00 GiB "]
        assert rows[5].startswith("RAM     now 1.00 GiB ")
        assert rows[10].startswith("9 requests           [")
        assert rows[10].rstrip().endswith("]")
        assert rows[11].startswith("time, min:s          ╵0:00")
        assert "╵0:30" in rows[11]
        column = rows[11].index("╵0:30") - 21
        assert abs(column - (80 - 21) / 2) <= 1


async def test_with_a_row_for_each_both_values_stand_in_it() -> None:
    app = PlotApp()
    async with app.run_test(size=(80, 4)) as pilot:
        app.query_one(TimePlot).show(plot_of, lines=2)
        await pilot.pause()

        assert rows_of(pilot)[0].startswith("RAM 1.00 max 2.00 GiB")


async def test_a_later_life_is_marked_where_it_begins_and_in_words() -> None:
    app = PlotApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.query_one(TimePlot).show(lambda cells: plot_of(cells, seams=(25,)), lines=2)
        await pilot.pause()
        axis = rows_of(pilot)[-1]

        assert axis[21 + 25] == "≈"
        assert axis.startswith("min:s, ≈ resumed")


async def test_long_runs_have_hours() -> None:
    app = PlotApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.query_one(TimePlot).show(lambda cells: plot_of(cells, span_s=4 * 3600), lines=2)
        await pilot.pause()
        axis = rows_of(pilot)[-1]

        assert axis.startswith("time, h:min")
        assert "╵3:00" in axis


async def test_hostile_words_do_nothing() -> None:
    app = PlotApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.query_one(TimePlot).show(lambda cells: plot_of(cells, name=HOSTILE), lines=2)
        await pilot.pause()
        text = "\n".join(rows_of(pilot))

        assert not {"\x1b", "\x07", "\x9b", "\u202e", "\x00"} & set(text)
        assert {cell_len(row) for row in rows_of(pilot)} == {80}


async def test_it_is_drawn_anew_for_another_width() -> None:
    app = PlotApp()
    asked: list[int] = []

    def make(cells: int) -> Plot:
        asked.append(cells)
        return plot_of(cells)

    async with app.run_test(size=(80, 10)) as pilot:
        app.query_one(TimePlot).show(make, lines=2)
        await pilot.pause()
        await pilot.resize_terminal(100, 10)
        while app.query_one(TimePlot).size.width != 100:  # a resize waits a moment for those that follow
            await pilot.pause()
        rows = rows_of(pilot)

        assert list(dict.fromkeys(asked)) == [80 - 21, 100 - 21]
        assert {cell_len(row) for row in rows} == {100}


async def test_it_is_made_once_for_a_painting_of_all_rows() -> None:
    app = PlotApp()
    asked: list[int] = []

    def make(cells: int) -> Plot:
        asked.append(cells)
        return plot_of(cells)

    async with app.run_test(size=(80, 24)) as pilot:
        app.query_one(TimePlot).show(make, lines=2)
        await pilot.pause()
        rows_of(pilot)

        assert len(asked) == 1


async def test_a_line_may_reach_to_more_than_its_largest() -> None:
    app = PlotApp()
    async with app.run_test(size=(60, 8)) as pilot:
        plot = app.query_one(TimePlot)
        plot.plain = True
        plot.show(lambda cells: replace(plot_of(cells, across=1, lines=1), lines=[_half(cells)]), lines=1)
        await pilot.pause()

        # Half of what there is stands in the middle of six rows, not on the topmost.
        assert [row.strip() != "" for row in (row[21:] for row in rows_of(pilot)[:6])] == [
            *(False, False, False, True, False, False)
        ]


def _half(cells: int) -> PlotLine:
    return PlotLine(name="CPU", now="50 %", most="50 %", values=[0.5] * cells, top=1.0)


async def test_marks_and_notes_stand_between_lines_and_lane_and_where_it_is_low_notes_go_first() -> None:
    app = PlotApp()
    async with app.run_test(size=(60, 8)) as pilot:
        plot = app.query_one(TimePlot)

        def make(cells: int) -> Plot:
            marks = PlotMarks(words="events", cells="E".ljust(cells), troubles=frozenset({0}))
            return replace(plot_of(cells), marks=marks, notes=["VRAM: n/a, no driver"])

        plot.show(make, lines=2, more=2)
        await pilot.pause()
        rows = rows_of(pilot)

        assert [row.split()[0] for row in rows[-4:]] == ["VRAM:", "events", "9", "time,"]
        assert "E" in rows[-3]

        for height, is_told in ((5, True), (4, False)):
            await pilot.resize_terminal(60, height)
            while plot.size.height != height:
                await pilot.pause()  # a resize waits for those that follow at once
            assert any("events" in row for row in rows_of(pilot)) is is_told
            assert not any("VRAM" in row for row in rows_of(pilot))


async def test_time_can_be_counted_back_from_now_and_a_moment_be_looked_at() -> None:
    app = PlotApp()
    async with app.run_test(size=(81, 8)) as pilot:
        plot = app.query_one(TimePlot)
        plot.plain = True
        plot.show(lambda cells: replace(plot_of(cells, across=1), ago_s=0.0, cursor=30), lines=2)
        await pilot.pause()

        axis = rows_of(pilot)[-1]
        assert axis.startswith("time ago, min:s")
        assert axis.rstrip().endswith("now")
        assert axis.index("^") == 21 + 30
        assert "'-0:50" in axis

"""A table of many rows: where its cursor is, and that it reads only what it shows."""

from collections.abc import Iterator

import pytest
from textual.geometry import Region

from foundry_tui.tui.widgets.row_table import Column, LazyRows, Row, RowTable
from tests.tui.tables import COLUMNS, Harness, numbered, resize, row


class CountedCells(tuple[str, ...]):
    """Cells that tell how often a row of them was read."""

    reads = 0

    def __iter__(self) -> Iterator[str]:
        CountedCells.reads += 1
        return super().__iter__()


async def test_the_first_rows_put_the_cursor_on_the_first_of_them() -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(numbered(range(3)))
        await pilot.pause()

        assert app.table.cursor_key == "k0"
        assert app.table.cursor_row == app.table.rows[0]
        assert app.posted == [("highlighted", "k0")]


async def test_the_cursor_keeps_its_key_when_the_rows_come_in_another_order() -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(numbered(range(30)))
        app.table.move_cursor_to("k3")
        await pilot.pause()
        app.posted.clear()

        app.table.set_rows(numbered(range(29, -1, -1)))
        await pilot.pause()

        assert app.table.cursor_key == "k3"
        assert app.posted == []
        assert sum(line.startswith("▌model-3 ") for line in app.screen_lines()) == 1


async def test_the_cursor_keeps_its_place_when_its_key_is_gone() -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(numbered(range(5)))
        app.table.move_cursor_to("k4")
        app.table.set_rows(numbered([0, 1, 2]))
        await pilot.pause()

        assert app.table.cursor_key == "k2"
        assert app.posted[-1] == ("highlighted", "k2")


async def test_no_rows_leave_no_cursor_and_say_so() -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(numbered(range(5)))
        app.table.set_rows([])
        await pilot.press("down", "enter")

        assert app.table.cursor_key is None
        assert app.table.cursor_row is None
        assert app.posted == [("highlighted", "k0"), ("highlighted", None)]


async def test_the_scroll_position_stays_over_new_rows() -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(numbered(range(100)))
        await pilot.pause()
        app.table.scroll_to(y=40, animate=False)

        app.table.set_rows(numbered(range(1, 100)))
        await pilot.pause()

        assert app.screen_lines()[1].startswith(" model-41 ")


async def test_fewer_rows_pull_the_scroll_position_back() -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(numbered(range(100)))
        await pilot.pause()
        app.table.scroll_to(y=80, animate=False)
        app.table.set_rows(numbered(range(20)))
        await pilot.pause()

        assert app.screen_lines()[1].startswith(" model-11 ")
        assert app.screen_lines()[9].startswith(" model-19 ")


async def test_of_twenty_thousand_rows_only_those_on_the_screen_are_read() -> None:
    app = Harness()
    rows = [Row(key=str(n), cells=CountedCells((f"model-{n}", "cpu", "1"))) for n in range(20_000)]

    async with app.run_test(size=(60, 10)) as pilot:
        CountedCells.reads = 0
        app.table.set_rows(rows)
        await pilot.pause()
        assert CountedCells.reads == 9

        await pilot.press("end")
        await pilot.pause()

        assert CountedCells.reads <= 9 + 9 + 1  # the last page, and the first row without its cursor


async def test_of_twenty_thousand_lazy_rows_only_those_on_the_screen_are_made() -> None:
    app = Harness()
    made: list[int] = []

    def make(place: int) -> Row:
        made.append(place)
        return row(f"model-{place}", "cpu", "1")

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(LazyRows([f"model-{n}" for n in range(20_000)], make))
        await pilot.pause()
        assert set(made) == set(range(9))

        app.table.move_cursor_to("model-19999")
        await pilot.pause()

        assert set(made) == {*range(9), *range(19_991, 20_000)}
        assert app.screen_lines()[9].startswith("▌model-19999 ")


async def test_lazy_rows_that_are_set_again_say_what_they_say_now() -> None:
    app = Harness()
    words = "before"
    rows = LazyRows(["a", "b"], lambda place: Row(key="ab"[place], cells=(f"{words} {place}", "cpu", "1")))

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(rows)
        await pilot.press("down")
        words = "after"
        app.table.set_rows(rows)
        await pilot.pause()

        assert app.table.rows is rows
        assert [line[1:8].strip() for line in app.screen_lines()[1:3]] == ["after 0", "after 1"]
        assert app.table.cursor_key == "b"


async def test_the_cursor_keeps_its_key_or_place_among_lazy_rows() -> None:
    app = Harness()

    def lazy(*keys: str) -> LazyRows:
        return LazyRows(keys, lambda place: row(keys[place], "cpu", "1"))

    async with app.run_test(size=(60, 10)):
        app.table.set_rows(lazy("a", "b", "c"))
        app.table.move_cursor_to("b")
        app.table.set_rows(lazy("b", "c"))
        kept = app.table.cursor_key
        app.table.set_rows(lazy("x", "y"))

        assert kept == "b"
        assert app.table.cursor_key == "x"
        assert app.table.cursor_row == row("x", "cpu", "1")
        assert not app.table.move_cursor_to("b")


def test_lazy_rows_are_a_sequence() -> None:
    rows = LazyRows(["a", "b", "c"], lambda place: row("abc"[place], "cpu", "1"))

    assert [one.key for one in rows] == ["a", "b", "c"]
    assert [one.key for one in rows[1:]] == ["b", "c"]
    assert rows[-1].key == "c"
    with pytest.raises(IndexError):
        rows[3]


async def test_other_columns_come_with_the_rows_that_have_their_cells() -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(numbered(range(3)))
        await pilot.press("down")
        others = [Row(key=f"k{n}", cells=("gpu", f"model-{n}")) for n in range(3)]
        app.table.set_columns([COLUMNS[1], COLUMNS[0]], others)
        await pilot.pause()

        assert app.table.columns == (COLUMNS[1], COLUMNS[0])
        assert app.screen_lines()[0].split() == ["Device", "Model"]
        assert app.screen_lines()[2].split() == ["▌gpu", "model-1"]


async def test_the_same_rows_are_laid_out_anew_under_other_columns() -> None:
    app = Harness()
    rows = numbered(range(3))

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(rows)
        await pilot.pause()
        before = app.screen_lines()[1]
        app.table.set_columns([COLUMNS[0], COLUMNS[1], Column(key="other", label="Other", width=20)], rows)
        await pilot.pause()

        assert app.screen_lines()[1].split() == before.split()
        assert app.screen_lines()[1].index("0.5") == app.screen_lines()[0].index("Other")


async def test_a_row_is_laid_out_once_while_nothing_about_it_changes() -> None:
    app = Harness()
    rows = [Row(key=str(n), cells=CountedCells((f"model-{n}", "cpu", "1"))) for n in range(5)]

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(rows)
        await pilot.pause()
        CountedCells.reads = 0

        app.table.set_rows(list(rows))
        await pilot.pause()

        assert CountedCells.reads == 0


async def test_a_resize_keeps_the_cursor_in_sight() -> None:
    app = Harness()

    async with app.run_test(size=(60, 20)) as pilot:
        app.table.set_rows(numbered(range(100)))
        app.table.move_cursor_to("k15")
        await resize(pilot, app, 60, 8)

        assert sum(line.startswith("▌model-15 ") for line in app.screen_lines()) == 1


async def test_a_row_with_cells_missing_is_refused() -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)):
        app.table.set_rows([row("only")])

        with pytest.raises(ValueError, match="'only' has 1 cells for 3 columns"):
            app.screen_lines()
        app.table.set_rows([])


async def test_the_empty_text_is_wrapped_plain_and_leaves_with_the_first_row() -> None:
    app = Harness(empty_text="No model [b]matches[/b].\n\nPress \x1b Escape to clear the filter.")

    async with app.run_test(size=(24, 10)) as pilot:
        await pilot.pause()
        assert [line.strip() for line in app.screen_lines()[1:7]] == [
            "No model",
            "[b]matches[/b].",
            "",
            "Press ␛ Escape to",
            "clear the filter.",
            "",
        ]

        app.table.set_rows(numbered([0]))
        await pilot.pause()

        assert [line.strip()[:8] for line in app.screen_lines()[1:3]] == ["▌model-0", ""]


async def test_another_empty_text_replaces_the_first_and_scrolls_where_it_is_long() -> None:
    app = Harness(empty_text="Loading")

    async with app.run_test(size=(24, 5)) as pilot:
        app.table.empty_text = "one\ntwo\nthree\nfour\nfive\nsix"
        await pilot.pause()
        assert [line.strip() for line in app.screen_lines()[1:]] == ["one", "two", "three", "four"]

        await pilot.press("end")

        assert [line.strip() for line in app.screen_lines()[1:]] == ["three", "four", "five", "six"]


def test_a_column_and_a_table_refuse_nonsense() -> None:
    with pytest.raises(ValueError, match="at least one cell wide"):
        Column(key="a", label="A", width=0)
    with pytest.raises(ValueError, match="no key twice"):
        RowTable([COLUMNS[0], COLUMNS[0]])


async def test_a_cell_that_is_a_problem_alone_stands_out_and_the_others_stay_as_they_are() -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)) as pilot:
        cells = ("模型-0", "!cpu", "0.5")
        app.table.set_rows([Row(key="k", cells=cells, problems=frozenset({1})), Row(key="l", cells=cells)])
        await pilot.pause()
        width, height = app.table.outer_size
        _, odd, plain = app.table.render_lines(Region(0, 0, width, height))[:3]

        assert odd.text[1:] == plain.text[1:]
        marked = {segment.text.strip(): segment.style for segment in odd}
        problem = app.table.get_component_rich_style("row-table--problem").color
        assert marked["!cpu"] is not None
        assert marked["!cpu"].color == problem
        others = [style.color for text, style in marked.items() if style is not None and text in cells[::2]]
        assert problem not in others
        assert len(others) == 2

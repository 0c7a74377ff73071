"""The virtual table, by keyboard, mouse and what stands on the screen."""

import random
import unicodedata
from collections.abc import Iterator, Sequence

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot

from foundry_tui.tui.widgets.row_table import Align, Column, Emphasis, LazyRows, Row, RowTable
from foundry_tui.tui.widgets.table_parts import cut_within

COLUMNS = (
    Column(key="name", label="Model", width=10, weight=1, priority=9),
    Column(key="device", label="Device", width=8, priority=1),
    Column(key="rate", label="Tokens/s", width=9, align=Align.RIGHT, priority=5),
)


class Harness(App[None]):
    """One table and what it posted."""

    def __init__(self, columns: Sequence[Column] = COLUMNS, empty_text: str = "") -> None:
        super().__init__()
        self.table = RowTable(columns, empty_text=empty_text)
        self.posted: list[tuple[str, str | None]] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_row_table_row_highlighted(self, event: RowTable.RowHighlighted) -> None:
        self._note("highlighted", event.key, event)

    def on_row_table_row_activated(self, event: RowTable.RowActivated) -> None:
        self._note("activated", event.key, event)

    def on_row_table_header_pressed(self, event: RowTable.HeaderPressed) -> None:
        self._note("header", event.column_key, event)

    def _note(self, what: str, key: str | None, event: Message) -> None:
        assert event.control is self.table
        self.posted.append((what, key))

    def screen_lines(self) -> list[str]:
        width, height = self.table.outer_size
        return [strip.text for strip in self.table.render_lines(Region(0, 0, width, height))]


class CountedCells(tuple[str, ...]):
    """Cells that tell how often a row of them was read."""

    reads = 0

    def __iter__(self) -> Iterator[str]:
        CountedCells.reads += 1
        return super().__iter__()


async def resize(pilot: Pilot[None], app: Harness, width: int, height: int) -> None:
    await pilot.resize_terminal(width, height)
    while app.table.outer_size != (width, height):
        await pilot.pause()  # the table hears of its size only after the screen has laid itself out
    await pilot.pause()  # and then handles its own resize event


def numbered(keys: Sequence[int]) -> list[Row]:
    return [Row(key=f"k{n}", cells=(f"model-{n}", "cpu", f"{n}.5")) for n in keys]


def row(*cells: str) -> Row:
    return Row(key=cells[0], cells=cells)


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


async def test_the_header_stays_while_the_rows_scroll() -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(numbered(range(100)))
        before = app.screen_lines()[0]
        await pilot.press("end")
        await pilot.pause()

        assert before.split() == ["Model", "Device", "Tokens/s"]
        assert app.screen_lines()[0] == before
        assert app.screen_lines()[9].startswith("▌model-99 ")


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


async def test_the_sort_mark_stands_in_its_header_only() -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_sort_mark("rate", descending=True)
        await pilot.pause()
        assert app.screen_lines()[0].split() == ["Model", "Device", "Tokens/s▼"]

        app.table.set_sort_mark("device")
        await pilot.pause()
        assert app.screen_lines()[0].split() == ["Model", "Device▲", "Tokens/s"]

        app.table.set_sort_mark(None)
        await pilot.pause()
        assert app.screen_lines()[0].split() == ["Model", "Device", "Tokens/s"]


async def test_a_sort_mark_outlives_a_label_that_is_too_long() -> None:
    app = Harness([Column(key="rate", label="Throughput", width=8)])

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_sort_mark("rate", descending=True)
        await pilot.pause()

        assert app.screen_lines()[0].strip() == "Throug…▼"


@pytest.mark.parametrize(
    ("width", "labels"),
    [
        (33, ["Model", "Device", "Tokens/s"]),  # marker, 10 + 2 + 8 + 2 + 9, scrollbar
        (32, ["Model", "Tokens/s"]),
        (22, ["Model"]),
        (8, ["Model"]),
    ],
)
async def test_columns_of_low_priority_go_where_the_table_is_narrow(width: int, labels: list[str]) -> None:
    app = Harness()

    async with app.run_test(size=(width, 10)) as pilot:
        app.table.set_rows(numbered(range(3)))
        await pilot.pause()

        assert app.screen_lines()[0].split() == labels
        assert {cell_len(line) for line in app.screen_lines()} == {width}


async def test_dropped_columns_come_back_when_the_table_grows() -> None:
    app = Harness()

    async with app.run_test(size=(25, 10)) as pilot:
        app.table.set_rows(numbered(range(3)))
        await pilot.pause()
        assert app.screen_lines()[1].split() == ["▌model-0", "0.5"]

        await resize(pilot, app, 60, 10)

        assert app.screen_lines()[1].split() == ["▌model-0", "cpu", "0.5"]


async def test_spare_width_goes_to_the_columns_by_weight() -> None:
    app = Harness(
        [
            Column(key="a", label="A", width=2, weight=2),
            Column(key="b", label="B", width=2),
            Column(key="c", label="C", width=2, weight=1),
            Column(key="d", label="D", width=2),
        ]
    )

    async with app.run_test(size=(30, 5)):  # 28 beside marker and scrollbar, 14 of them spare: 9 and 5
        header = app.screen_lines()[0]

        assert [header.index(label) for label in "ABCD"] == [1, 14, 18, 27]


async def test_a_resize_keeps_the_cursor_in_sight() -> None:
    app = Harness()

    async with app.run_test(size=(60, 20)) as pilot:
        app.table.set_rows(numbered(range(100)))
        app.table.move_cursor_to("k15")
        await resize(pilot, app, 60, 8)

        assert sum(line.startswith("▌model-15 ") for line in app.screen_lines()) == 1


async def test_wide_and_joined_characters_leave_the_columns_in_line() -> None:
    names = (
        "plain",
        "日本語モデル",
        "日本語の長い名前",
        "👩\u200d🚀 crew",
        "❤\ufe0f",
        "e\u0301tude",
        "ends\u200d",
        "👍\U0001f3fd toned",
    )
    app = Harness()

    async with app.run_test(size=(34, 10)) as pilot:
        app.table.set_rows([row(name, "gpu", "12.5") for name in names])
        await pilot.pause()
        lines = app.screen_lines()[1 : 1 + len(names)]

        assert [cell_len(line.partition("gpu")[0]) for line in lines] == [14] * len(names)
        assert [cell_len(line.partition("12.5")[0] + "12.5") for line in lines] == [33] * len(names)
        assert "日本語の長…" in lines[2]
        assert lines[-1].startswith(" 👍 toned ")  # some terminals draw the tone beside it


async def test_a_row_that_runs_on_takes_the_room_of_the_empty_cells_to_its_right() -> None:
    app = Harness()
    words = "a title of twenty-one"

    async with app.run_test(size=(34, 10)) as pilot:
        app.table.set_rows(
            [
                Row(key="a", cells=(words, "", ""), runs_on=True),
                Row(key="b", cells=(words, "gpu", ""), runs_on=True),
                Row(key="c", cells=(words, "", "")),
            ]
        )
        await pilot.pause()

        assert app.screen_lines()[1:4] == [
            f"▌{words:33}",
            f" {'a title of…':13}gpu{'':17}",
            f" {'a title of…':33}",
        ]


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [
        ("/srv/abc/settings.toml", 22, "/srv/abc/settings.toml"),
        ("/srv/abc/settings.toml", 16, "/srv/…tings.toml"),
        ("日本語の名前/設定", 10, "日…前/設定"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_what_is_too_long_is_cut_in_its_middle(text: str, width: int, cut: str) -> None:
    assert cut_within(text, width) == cut


async def test_any_text_leaves_every_line_as_wide_as_the_table() -> None:
    seed = 7
    alphabet = "ab 日🚀👩\u200d\ufe0f\u0301\u0e33\u3164🇩\u202e\x1b[]\u200b\t\n\u2067한ᄀ"
    choose = random.Random(seed)
    texts = ["".join(choose.choices(alphabet, k=choose.randrange(40))) for _ in range(300)]
    app = Harness()

    async with app.run_test(size=(33, 110)) as pilot:
        app.table.set_rows(
            [Row(key=str(n), cells=(texts[n], texts[n + 100], texts[n + 200])) for n in range(100)]
        )
        await pilot.pause()

        assert {cell_len(line) for line in app.screen_lines()} == {33}


async def test_hostile_cells_are_shown_and_harmless() -> None:
    app = Harness([Column(key="name", label="\x1b[31mName[/]", width=60), COLUMNS[1]])
    cells = ("[red]x[/red] [link=http://a]\x1b[2J \u202eevil\u2066 http://a\nb\x07", "\x9b31m\r\n\u200b")

    async with app.run_test(size=(80, 10)) as pilot:
        app.table.set_rows([Row(key="k", cells=cells)])
        await pilot.pause()
        strips = app.table.render_lines(Region(0, 0, 80, 10))
        shown = "".join(strip.text for strip in strips)

        assert "[red]x[/red] [link=http://a]␛[2J \ufffdevil\ufffd http://a b␇" in shown
        assert "␛[31mName[/]" in shown
        assert {unicodedata.category(character) for character in shown}.isdisjoint({"Cc", "Cf", "Cs"})
        assert not any(segment.style and segment.style.link for strip in strips for segment in strip)


async def test_a_cell_of_a_million_characters_is_cut() -> None:
    app = Harness()

    async with app.run_test(size=(33, 10)) as pilot:
        app.table.set_rows([row("x" * 1_000_000, "cpu", "1")])
        await pilot.pause()

        assert app.screen_lines()[1].split() == ["▌xxxxxxxxx…", "cpu", "1"]


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


async def test_the_cursor_is_dimmer_without_focus() -> None:
    app = Harness()

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(numbered(range(3)))
        await pilot.pause()
        app.table.focus()
        await pilot.pause()
        (focused,) = app.table.render_lines(Region(0, 1, 59, 1))
        app.screen.set_focus(None)
        await pilot.pause()
        (blurred,) = app.table.render_lines(Region(0, 1, 59, 1))

        assert focused.text == blurred.text
        assert focused.text.startswith("▌")
        assert [bool(segment.style and segment.style.bold) for segment in focused] == [True, True]
        assert [bool(segment.style and segment.style.bold) for segment in blurred] == [False, False]


async def test_each_emphasis_has_a_look_of_its_own_in_every_theme() -> None:
    app = Harness()
    rows = [Row(key=mark, cells=("same", "cpu", "1"), emphasis=mark) for mark in Emphasis]

    async with app.run_test(size=(60, 10)) as pilot:
        app.table.set_rows(rows)
        seen = set()
        for theme in ("textual-dark", "textual-light"):
            app.theme = theme
            await pilot.pause()
            for line in app.table.render_lines(Region(0, 2, 60, 3)):
                seen.add(str(list(line)[-3].style))

        assert len(seen) == 6


def test_a_column_and_a_table_refuse_nonsense() -> None:
    with pytest.raises(ValueError, match="at least one cell wide"):
        Column(key="a", label="A", width=0)
    with pytest.raises(ValueError, match="no key twice"):
        RowTable([COLUMNS[0], COLUMNS[0]])

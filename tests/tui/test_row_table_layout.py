"""The columns of a table, and whatever text stands in its cells."""

import random
import unicodedata

import pytest
from rich.cells import cell_len
from textual.geometry import Region

from foundry_tui.tui.widgets.row_table import Column, Emphasis, Row
from foundry_tui.tui.widgets.table_parts import cut_within
from tests.tui.tables import COLUMNS, Harness, numbered, resize, row


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

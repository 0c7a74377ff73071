"""The ribbon of gaps: what each of its signs and words says."""

import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from foundry_tui.domain.chat import ChunkKind, ChunkReceived
from foundry_tui.domain.trace import TraceBuilder
from foundry_tui.tui.widgets.gap_ribbon import GapRibbon
from tests.tui.ribbons import EVERY_CLASS, MS, N1, RibbonApp, chunks_after, recorded, resized, rows

HOSTILE = "\x1b\n]8;;http://evil\x07[bold]x[/]\x9b31m\u202eab\u200d\x00"


def segments(ribbon: GapRibbon) -> list[Segment]:
    return [segment for y in range(2) for segment in ribbon.render_line(y)]


async def test_before_anything_came_it_says_what_will_be_here_and_what_its_signs_mean() -> None:
    app = RibbonApp()

    async with app.run_test(size=(100, 24)):
        assert rows(app.ribbon) == (
            "the time between tokens shows here",
            "▁<5 ▂<10 ▃<20 ▄<40 ▅<80 ▆<160 ▇<320 █≥320 ms  ╳ stall  · same read  T first  ⣤ reasoning",
        )


async def test_each_class_of_gaps_has_a_height_and_a_colour_of_its_own() -> None:
    app = RibbonApp()

    async with app.run_test():
        app.ribbon.show_trace(recorded(chunks_after([*EVERY_CLASS, 340, 340, 340, 340, 340, 340])))

        assert rows(app.ribbon)[0] == "T▁▂▃▄▅▆▇▇██████"
        cells = list(app.ribbon.render_line(0))[1:9]
        assert len({segment.style.color for segment in cells if segment.style}) == 8


async def test_reasoning_is_told_from_the_answer_by_its_cells() -> None:
    app = RibbonApp()
    thoughts = chunks_after([3, 30, 60], kind=ChunkKind.REASONING)
    answer = ChunkReceived(at_ns=thoughts[-1].at_ns + 3 * MS, text="so", read=9)

    async with app.run_test():
        app.ribbon.show_trace(recorded([*thoughts, answer]))
        app.ribbon.move_cursor(1)

        assert rows(app.ribbon) == (
            "T⡀⣤⣦▁",
            'chunk 2 of 5 · +3.0 ms · reasoning · 203 ms after sent · "word"',
        )


async def test_chunks_that_shared_a_read_are_dots_and_named_as_such() -> None:
    app = RibbonApp()

    async with app.run_test(size=(100, 24)):
        app.ribbon.show_trace(recorded(chunks_after([0, 20, 0, 0, 30])))
        assert rows(app.ribbon)[0] == "T·▄··▄"
        assert rows(app.ribbon)[1].startswith(
            "chunk gaps: median 25.0 ms · max 30.0 ms (n=2) · no stalls · 3 of 6 shared a read"
        )

        app.ribbon.move_cursor(4)

        assert rows(app.ribbon)[1] == 'chunk 5 of 6 · same read as 4 · 220 ms after sent · "word"'


async def test_an_answer_in_one_read_has_no_gaps_to_speak_of() -> None:
    app = RibbonApp()

    async with app.run_test():
        app.ribbon.show_trace(recorded(chunks_after([0, 0])))

        assert rows(app.ribbon)[0] == "T··"
        assert rows(app.ribbon)[1].startswith("chunk gaps n/a: all 3 chunks came in one read")


async def test_one_chunk_has_no_gaps_but_a_wait() -> None:
    app = RibbonApp()

    async with app.run_test():
        app.ribbon.show_trace(recorded(chunks_after([], first_ms=1234)))
        assert rows(app.ribbon)[0] == "T"
        assert rows(app.ribbon)[1].startswith("1 chunk: no gaps")

        app.ribbon.move_cursor(0)

        assert rows(app.ribbon)[1] == 'chunk 1 of 1 · first after 1.23 s · "word"'


async def test_an_answer_without_chunks_says_so_and_has_no_place_for_a_cursor() -> None:
    app = RibbonApp()

    async with app.run_test() as pilot:
        app.ribbon.begin()
        assert rows(app.ribbon)[0] == "waiting for the first chunk"
        app.ribbon.finish(recorded([]))
        app.ribbon.focus()
        await pilot.press("left", "home", "end", "n", "N", "enter")

        assert rows(app.ribbon)[0] == "no chunks"
        assert app.ribbon.cursor is None
        with pytest.raises(IndexError):
            app.ribbon.move_cursor(0)


async def test_what_was_not_read_is_not_available() -> None:
    app = RibbonApp()
    builder = TraceBuilder()
    for chunk in chunks_after([10]):
        builder.observe(chunk)

    async with app.run_test():
        app.ribbon.show_trace(builder.cancelled())
        app.ribbon.move_cursor(0)
        assert rows(app.ribbon)[1] == 'chunk 1 of 2 · first after n/a · "word"'

        app.ribbon.move_cursor(1)

        assert rows(app.ribbon)[1] == 'chunk 2 of 2 · +10.0 ms · n/a after sent · "word"'


async def test_the_words_grow_shorter_where_it_is_narrow() -> None:
    app = RibbonApp()
    trace = recorded(chunks_after([10, 10, 0, 412, 10], text="some long text of a chunk"), completion=6)

    async with app.run_test(size=(120, 24)) as pilot:
        app.ribbon.show_trace(trace, "phi")
        wide = rows(app.ribbon)[1]
        await resized(app, pilot, 80)
        medium = rows(app.ribbon)[1]
        await resized(app, pilot, 56)
        narrow = rows(app.ribbon)[1]
        app.ribbon.move_cursor(4)
        narrow_cursor = rows(app.ribbon)[1]
        await resized(app, pilot, 12)
        tiny = rows(app.ribbon)[1]

    assert re.split(" {3,}", wide) == [
        "phi · token gaps: median 10.0 ms · max 412 ms (n=4) · 1 stall (412 ms) · 1 of 6 shared a read"
    ]
    assert medium == "phi · token gaps med 10.0 ms · max 412 ms (n=4) · 1 stall 412 ms · 1/6 shared"
    assert narrow == "token gaps med 10.0 ms · max 412 ms (n=4)"
    assert narrow_cursor == '5/6 · +412.0 ms · stall · at 632 ms · "some␣long␣text␣o…'
    assert tiny == "5/6 · +412.…"


async def test_a_p95_stands_in_the_place_of_the_longest_gap_where_it_may_be_told() -> None:
    app = RibbonApp()
    chunks = chunks_after(range(1, 60))

    async with app.run_test(size=(120, 24)):
        app.ribbon.show_trace(recorded(chunks))
        assert rows(app.ribbon)[1].startswith("chunk gaps: median 30.0 ms · p95 56.1 ms (n=59) · no stalls")

        late = replace(recorded(chunks), delay_p99_ns=6 * MS)
        app.ribbon.show_trace(late)

        words = "chunk gaps: median 30.0 ms · max 59.0 ms (n=59) · no stalls · own delay 6.0 ms (p99)"
        assert rows(app.ribbon)[1].startswith(words)


async def test_the_legend_stands_where_the_words_leave_room_for_it() -> None:
    app = RibbonApp()

    async with app.run_test(size=(120, 24)):
        app.ribbon.show_trace(recorded(chunks_after([10, 10])))

        assert rows(app.ribbon)[1].endswith("▁<5 ▂<10 ▃<20 ▄<40 ▅<80 ▆<160 ▇<320 █≥320 ms  ╳ stall")
        assert app.ribbon.render_line(1).cell_length == 120


@pytest.mark.parametrize("plain", [False, True])
async def test_hostile_text_and_titles_are_shown_and_not_obeyed(plain: bool) -> None:
    app = RibbonApp()

    async with app.run_test(size=(160, 24)):
        app.ribbon.plain = plain
        app.ribbon.show_trace(recorded(chunks_after([10], text=HOSTILE)), HOSTILE)
        shown = "".join(rows(app.ribbon))
        app.ribbon.move_cursor(1)
        shown += "".join(rows(app.ribbon))

        assert shown.count("]8;;http://") == 2  # in the title and in the text
        assert not re.search("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]", shown)
        assert all(segment.style is None or segment.style.link is None for segment in segments(app.ribbon))


async def test_white_space_of_a_chunk_can_be_seen_and_its_width_is_kept_to() -> None:
    app = RibbonApp()

    async with app.run_test(size=(60, 24)):
        app.ribbon.show_trace(recorded(chunks_after([10], text=" a\r\n\tb")))
        app.ribbon.move_cursor(0)
        assert rows(app.ribbon)[1].endswith('"␣a⏎⇥b"')

        app.ribbon.show_trace(recorded(chunks_after([10], text="漢字" * 500)))
        app.ribbon.move_cursor(0)

        assert 58 <= cell_len(rows(app.ribbon)[1]) <= 60


async def test_plain_signs_are_ascii_without_colour_and_tell_the_same() -> None:
    app = RibbonApp()
    answer = chunks_after([*EVERY_CLASS, 0, 300, 340, 1000], text="é …\n漢")
    thought = ChunkReceived(at_ns=answer[-1].at_ns + 30 * MS, text="x", kind=ChunkKind.REASONING, read=99)

    async with app.run_test(size=(120, 24)) as pilot:
        app.ribbon.show_trace(recorded([*answer, thought]), "modèle · x")
        app.ribbon.focus()
        await pilot.press("p")
        ribbon, words = rows(app.ribbon)
        assert ribbon == "T01234566.!!!d"
        app.ribbon.move_cursor(2)
        with_cursor = rows(app.ribbon)[1]

        assert (ribbon + words + with_cursor).isascii()
        assert words.startswith("mod\\xe8le | x | chunk gaps")
        assert with_cursor == 'chunk 3 of 14 | +5.0 ms | 208 ms after sent | "\\xe9 \\u2026\\n\\u6f22"'
        styles = {segment.style.without_color for segment in segments(app.ribbon) if segment.style}
        colors = {
            (segment.style.color, segment.style.bgcolor) for segment in segments(app.ribbon) if segment.style
        }
        assert len(colors) == 1
        assert any(style.reverse for style in styles)

        await pilot.press("p")
        assert not rows(app.ribbon)[0].isascii()


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
async def test_where_colours_were_declined_or_cannot_be_drawn_it_is_plain_by_itself(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    app = RibbonApp()

    async with app.run_test():
        app.ribbon.show_trace(recorded(chunks_after(N1)))

        assert rows(app.ribbon)[0] == "T22!2"


async def test_every_class_can_be_seen_on_every_theme_and_by_brightness_alone() -> None:
    app = RibbonApp()
    names = [f"gap-ribbon--class-{grade}" for grade in range(8)]
    names += ["gap-ribbon--stall"]

    async with app.run_test() as pilot:
        for theme in BUILTIN_THEMES.values():
            if theme.name.startswith("ansi"):
                continue  # its ground is the terminal's own
            app.theme = theme.name
            await pilot.pause()  # a new theme reaches the widgets with the next turn
            ground = app.ribbon.styles.background
            inks = []
            for name in names:
                color = app.ribbon.get_component_rich_style(name).color
                assert color is not None
                inks.append(Color.from_rich_color(color))

            contrasts = [contrast(ink, ground) for ink in inks]

            assert min(contrasts) >= 3, theme.name
            assert contrasts[:8] == sorted(contrasts[:8]), theme.name


def contrast(one: Color, other: Color) -> float:
    """The ratio that WCAG defines, 1 to 21."""

    def luminance(color: Color) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color.normalized]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, brighter = sorted((luminance(one), luminance(other)))
    return (brighter + 0.05) / (darker + 0.05)

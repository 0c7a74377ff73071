"""The gap ribbon, by what stands on its two rows; times are in ms, the request was sent at 1000."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.color import Color
from textual.pilot import Pilot
from textual.strip import Strip
from textual.theme import BUILTIN_THEMES

from foundry_tui.domain.chat import (
    ChunkKind,
    ChunkReceived,
    ClockRead,
    GenerationFinished,
    Moment,
    Outcome,
    TokenUsage,
)
from foundry_tui.domain.trace import GenerationTrace, TraceBuilder
from foundry_tui.tui.widgets.gap_ribbon import GapRibbon

MS = 1_000_000
SENT_NS = 1000 * MS
N1 = (10, 10, 400, 10)
EVERY_CLASS = (3, 5, 10, 20, 40, 80, 160, 240)
HOSTILE = "\x1b\n]8;;http://evil\x07[bold]x[/]\x9b31m\u202eab\u200d\x00"


class CountedRibbon(GapRibbon):
    """Counts how often its first row was asked for."""

    drawings = 0

    def render_line(self, y: int) -> Strip:
        self.drawings += y == 0
        return super().render_line(y)


class CountedChunk(ChunkReceived):
    """Tells how many chunks were asked what they are."""

    asked = 0

    def __getattribute__(self, name: str) -> object:
        if name == "kind":
            CountedChunk.asked += 1
        return super().__getattribute__(name)


class RibbonApp(App[None]):
    """One ribbon and what it posted."""

    def __init__(self) -> None:
        super().__init__()
        self.animation_level = "none"
        self.ribbon = CountedRibbon()
        self.moves: list[int | None] = []

    def compose(self) -> ComposeResult:
        yield self.ribbon

    def on_gap_ribbon_cursor_moved(self, event: GapRibbon.CursorMoved) -> None:
        assert event.control is self.ribbon
        self.moves.append(event.index)


def chunks_after(
    gaps_ms: Sequence[float],
    *,
    first_ms: float = 200,
    text: str = "word",
    kind: ChunkKind = ChunkKind.CONTENT,
) -> list[ChunkReceived]:
    """A first chunk and one more after each gap; a gap of 0 is a shared read."""
    at_ms, read = 1000 + first_ms, 1
    chunks = [ChunkReceived(at_ns=round(at_ms * MS), text=text, kind=kind, read=read)]
    for gap_ms in gaps_ms:
        at_ms += gap_ms
        read += bool(gap_ms)
        chunks.append(ChunkReceived(at_ns=round(at_ms * MS), text=text, kind=kind, read=read))
    return chunks


def recorded(chunks: Sequence[ChunkReceived], *, completion: int | None = None) -> GenerationTrace:
    builder = TraceBuilder()
    builder.observe(ClockRead(moment=Moment.SENT, at_ns=SENT_NS))
    for chunk in chunks:
        builder.observe(chunk)
    builder.observe(finished(completion))
    return builder.finish()


def finished(completion: int | None = None) -> GenerationFinished:
    return GenerationFinished(
        outcome=Outcome.COMPLETED,
        finish_reason="stop",
        end_ns=10**15,
        usage=None if completion is None else TokenUsage(completion_tokens=completion),
    )


def rows(ribbon: GapRibbon) -> tuple[str, str]:
    first, second = (ribbon.render_line(y).text.rstrip() for y in range(2))
    return first, second


def segments(ribbon: GapRibbon) -> list[Segment]:
    return [segment for y in range(2) for segment in ribbon.render_line(y)]


async def settled(app: RibbonApp, pilot: Pilot[None]) -> None:
    await pilot.pause()
    while not app.ribbon.is_idle:
        await pilot.pause()


async def resized(app: RibbonApp, pilot: Pilot[None], width: int) -> None:
    await pilot.resize_terminal(width, 24)
    while app.ribbon.outer_size.width != width:
        await pilot.pause()
    await pilot.pause()  # the widget hears of its size after it has got it


async def test_before_anything_came_it_says_what_will_be_here_and_what_its_signs_mean() -> None:
    app = RibbonApp()

    async with app.run_test(size=(100, 24)):
        assert rows(app.ribbon) == (
            "the time between tokens shows here",
            "▁<5 ▂<10 ▃<20 ▄<40 ▅<80 ▆<160 ▇<320 █≥320 ms  ╳ stall  · same read  T first  ⣤ reasoning",
        )


async def test_one_long_gap_is_one_stall_while_it_streams_and_in_the_record() -> None:
    app = RibbonApp()
    chunks = chunks_after(N1)

    async with app.run_test() as pilot:
        app.ribbon.begin()
        app.ribbon.observe(ClockRead(moment=Moment.SENT, at_ns=SENT_NS))
        for chunk in chunks:
            app.ribbon.observe(chunk)
        await settled(app, pilot)
        live = rows(app.ribbon)

        app.ribbon.clear()
        app.ribbon.show_trace(recorded(chunks))

        assert live[0] == "T▃▃╳▃"
        assert rows(app.ribbon) == live
        app.ribbon.focus()
        await pilot.press("n")
        assert rows(app.ribbon)[1] == 'chunk 4 of 5 · +400.0 ms · stall · 620 ms after sent · "word"'


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_streamed_the_record_draws_the_cells_that_were_drawn_live(seed: int) -> None:
    luck = random.Random(seed)
    gaps = [luck.choice([0, luck.lognormvariate(3, 1.5)]) for _ in range(300)]
    kind = luck.choice(list(ChunkKind))
    chunks = chunks_after(gaps, kind=kind)
    app = RibbonApp()

    async with app.run_test() as pilot:
        app.ribbon.begin()
        app.ribbon.observe(ClockRead(moment=Moment.SENT, at_ns=SENT_NS))
        for number, chunk in enumerate(chunks):
            app.ribbon.observe(chunk)
            if number % 100 == 50:
                await settled(app, pilot)
        app.ribbon.observe(finished(300))
        await settled(app, pilot)
        live = rows(app.ribbon)
        app.ribbon.finish(recorded(chunks, completion=300))
        at_the_end = rows(app.ribbon)
        app.ribbon.show_trace(recorded(chunks, completion=300))

        assert live == at_the_end == rows(app.ribbon)


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


async def test_what_comes_late_is_dropped() -> None:
    app = RibbonApp()
    chunks = chunks_after(N1)

    async with app.run_test():
        app.ribbon.observe(chunks[0])
        assert rows(app.ribbon)[0] == "the time between tokens shows here"
        app.ribbon.begin()
        app.ribbon.observe(chunks[0])
        app.ribbon.finish(recorded(chunks[:1]))
        app.ribbon.observe(chunks[1])

        assert not app.ribbon.is_live
        assert rows(app.ribbon)[0] == "T"


async def test_a_fast_stream_is_drawn_seldom_and_then_the_timer_rests() -> None:
    app = RibbonApp()
    chunks = chunks_after([0.2] * 5000)

    async with app.run_test() as pilot:
        app.ribbon.begin()
        await settled(app, pilot)
        app.ribbon.drawings = 0
        for chunk in chunks:
            app.ribbon.observe(chunk)
        assert not app.ribbon.is_idle
        await settled(app, pilot)

        assert app.ribbon.drawings == 1
        assert app.ribbon.is_idle


async def test_two_drawings_of_a_stream_are_a_tenth_of_a_second_apart() -> None:
    app = RibbonApp()

    async with app.run_test() as pilot:
        app.ribbon.begin()
        began_s = perf_counter()
        for chunk in chunks_after([10, 10]):
            app.ribbon.observe(chunk)
            await settled(app, pilot)

        # Three drawings, so two rests; a busy machine makes them longer and never shorter.
        assert perf_counter() - began_s > 0.18


async def test_what_came_before_the_screen_is_shown_with_it() -> None:
    app = RibbonApp()
    app.ribbon.begin()
    for chunk in chunks_after(N1):
        app.ribbon.observe(chunk)

    async with app.run_test() as pilot:
        await settled(app, pilot)

        assert rows(app.ribbon)[0] == "T▃▃╳▃"


async def test_of_a_hundred_thousand_chunks_only_those_in_sight_are_looked_at() -> None:
    app = RibbonApp()
    chunks = [CountedChunk(at_ns=SENT_NS + n * MS, text="x", read=n) for n in range(100_000)]

    async with app.run_test(size=(80, 24)) as pilot:
        app.ribbon.show_trace(recorded(chunks))
        CountedChunk.asked = 0
        rows(app.ribbon)
        assert CountedChunk.asked == 78

        app.ribbon.focus()
        CountedChunk.asked = 0
        await pilot.press("home")

        assert app.ribbon.cursor == 0
        assert CountedChunk.asked <= 4 * 80  # a few drawings


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


def test_every_key_can_be_remapped_by_its_name_and_escape_is_left_to_others() -> None:
    bindings = [binding for binding in GapRibbon.BINDINGS if isinstance(binding, Binding)]

    assert all((binding.id or "").startswith("ribbon.") and binding.description for binding in bindings)
    assert len({binding.id for binding in bindings}) == len(GapRibbon.BINDINGS)
    assert not any("escape" in binding.key for binding in bindings)

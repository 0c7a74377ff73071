"""What a transcript draws, when, and what that costs."""

import asyncio
import random

import pytest
from rich.style import Style

from foundry_tui.tui.widgets.markdown_blocks import BlockKind
from foundry_tui.tui.widgets.transcript import MessageKind, Transcript
from foundry_tui.tui.widgets.transcript_layout import Layout
from foundry_tui.tui.widgets.transcript_messages import Message, Role
from foundry_tui.tui.widgets.transcript_painter import Painter
from foundry_tui.tui.widgets.transcript_styles import COMPONENT_CLASSES
from foundry_tui.tui.widgets.transcript_sums import Sums
from tests.tui.transcripts import TranscriptApp, rows_on_screen, settled

CODE = "```python\ndef f():\n    return 'text'  # why\n```"


def color_of(transcript: Transcript, word: str) -> str | None:
    """The colour in which a word stands on the screen."""
    for y in range(transcript.scrollable_content_region.height):
        for segment in transcript.render_line(y):
            if segment.text.strip() == word and segment.style is not None and segment.style.color is not None:
                return segment.style.color.name
    return None


def shade(transcript: Transcript, name: str) -> str:
    color = transcript.get_component_rich_style(f"transcript--{name}", partial=True).color
    assert color is not None
    return color.name


async def test_code_is_shown_plain_at_once_and_gets_its_colours_later_on_the_same_rows() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.add_message("m", CODE, kind=MessageKind.ASSISTANT)
        plain = rows_on_screen(app.transcript)
        assert plain[1:3] == [" def f():", "     return 'text'  # why"]
        assert color_of(app.transcript, "def") is None
        assert not app.transcript.is_idle
        await settled(app, pilot)

        assert rows_on_screen(app.transcript) == plain
        assert color_of(app.transcript, "def") == shade(app.transcript, "code-keyword")
        assert color_of(app.transcript, "'text'") == shade(app.transcript, "code-string")


async def test_the_reader_is_not_moved_by_colours() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.add_message("m", f"{CODE}\n\nwords\n\n" * 30, kind=MessageKind.ASSISTANT)
        await settled(app, pilot)
        app.transcript.scroll_to(y=33, animate=False)
        before = rows_on_screen(app.transcript)
        await settled(app, pilot)

        assert color_of(app.transcript, "def") == shade(app.transcript, "code-keyword")
        assert rows_on_screen(app.transcript) == before
        assert app.transcript.scroll_offset.y == 33


async def test_colours_are_kept_over_another_width_and_another_theme() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.add_message("m", CODE, kind=MessageKind.ASSISTANT)
        await settled(app, pilot)
        app.theme = "textual-light"
        await pilot.resize_terminal(50, 12)
        await pilot.pause()  # the widget hears of its size after it has got it
        app.transcript.flush()

        assert color_of(app.transcript, "def") == shade(app.transcript, "code-keyword")


async def test_code_that_streams_is_coloured_once_its_fence_is_closed() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        key = app.transcript.begin_answer("m")
        app.transcript.append(key, CODE.removesuffix("```"))
        await settled(app, pilot)
        assert color_of(app.transcript, "def") is None

        app.transcript.append(key, "```\n")
        await settled(app, pilot)
        assert color_of(app.transcript, "def") == shade(app.transcript, "code-keyword")


async def test_leaving_while_code_is_looked_at_leaves_nothing_behind() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)):
        app.transcript.add_message(
            "m", ("```cpp\n" + "int x = 1;\n" * 390 + "```\n\n") * 9, kind=MessageKind.ASSISTANT
        )
        app.transcript.scroll_home(animate=False)

    async with asyncio.timeout(5):
        await asyncio.get_running_loop().shutdown_default_executor()


async def test_every_look_that_a_transcript_names_is_there() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)):
        names = {name for name in COMPONENT_CLASSES if name not in ("transcript--user", "transcript--answer")}
        base = app.transcript.rich_style

        bare = [name for name in names if app.transcript.get_component_rich_style(name) == base]
        assert bare == []


async def test_rows_that_are_far_away_are_dropped_and_drawn_again_when_one_comes_back() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        for n in range(60):
            text = "\n\n".join(f"m{n:02}p{part:02}" for part in range(20))
            app.transcript.add_message(f"heading{n}", text, kind=MessageKind.ASSISTANT)
        await settled(app, pilot)
        before = app.transcript.drawings
        height = app.transcript.virtual_size.height
        app.transcript.scroll_home(animate=False)
        await settled(app, pilot)

        assert rows_on_screen(app.transcript)[:2] == ["heading0", "m00p00"]
        assert 0 < app.transcript.drawings - before < 20
        assert app.transcript.virtual_size.height == height


def test_a_layout_keeps_rows_of_a_few_screens_only() -> None:
    painter = Painter()
    layout = Layout(painter)
    painter.adopt(80, {name.partition("--")[2]: Style() for name in COMPONENT_CLASSES})
    for index in range(100):
        message = Message(index, index, "heading", (Role.USER_HEADING, Role.USER), BlockKind.PLAIN)
        layout.add(message)
        message.text.take("\n".join(f"row{n}" for n in range(100)))
        message.feed(None)
        layout.measure(message)

    layout.draw_within(0, layout.height)
    parts = [part for message in layout.messages for part in message.parts()]
    kept = sum(
        part.drawing.height for part in parts if part.drawing is not None and part.drawing.rows is not None
    )

    assert layout.height == 100 * 101 + 99
    assert all(part.drawing is not None and part.drawing.text for part in parts)
    assert 1_000 < kept <= 1_500


async def test_a_flush_costs_no_more_below_many_messages() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        with app.transcript.arranged_once():
            for n in range(300):
                app.transcript.add_message(f"m{n}", "words\n\n- a\n- b", kind=MessageKind.ASSISTANT)
        await settled(app, pilot)
        key = app.transcript.begin_answer("m")
        app.transcript.append(key, "text")
        app.transcript.flush()
        before = app.transcript.drawings
        app.transcript.append(key, " more")
        app.transcript.flush()

        assert app.transcript.drawings - before == 1


@pytest.mark.parametrize("kind", list(MessageKind))
async def test_a_huge_text_is_taken_in_slices_and_is_all_there_in_the_end(kind: MessageKind) -> None:
    app = TranscriptApp()
    line = "words of a line of text that goes on until it is wrapped, and so on"
    text = "\n\n".join([line] * 4_000)

    async with app.run_test(size=(80, 24)) as pilot:
        key = app.transcript.add_message("m", text, kind=kind)
        assert app.transcript.drawings < 400
        assert app.transcript.source_of(key) == text
        while app.transcript.virtual_size.height < 8_000:
            await pilot.pause()  # a turn of the loop: the text goes in between them
        app.transcript.search("of a line")
        while app.transcript.search_state.total < 4_000:
            await pilot.pause()  # likewise

        assert rows_on_screen(app.transcript)[-1].endswith(line[-10:])


async def test_to_take_in_a_huge_text_does_not_hold_everything_up() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(80, 24)):
        app.transcript.add_message("m", "a\n\n" * 300_000, kind=MessageKind.ASSISTANT)
        at_once = app.transcript.virtual_size.height
        app.transcript.clear()

        assert 24 < at_once < 300_000


async def test_an_answer_that_ended_before_all_of_it_was_taken_in_ends_as_any_other() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        key = app.transcript.begin_answer("m")
        app.transcript.append_reasoning(key, "thought\n" * 20_000)
        app.transcript.append(key, "words\n\n" * 40_000 + "the end")
        app.transcript.finish_answer(key)
        app.transcript.append(key, "late")
        app.transcript.flush()
        await pilot.pause()  # paints once

        assert app.transcript.is_reasoning_folded(key)
        assert rows_on_screen(app.transcript)[-1] == "the end"


def test_running_sums_are_what_adding_up_gives() -> None:
    chance = random.Random(5)
    sums = Sums()
    numbers: list[int] = []
    for _ in range(2_000):
        what = chance.random()
        number = chance.randint(0, 4)
        if what < 0.5 or not numbers:
            sums.append(number)
            numbers.append(number)
        elif what < 0.9:
            index = chance.randrange(len(numbers))
            sums.set(index, number)
            numbers[index] = number
        elif what < 0.95:
            length = chance.randint(len(numbers) // 2, len(numbers))
            sums.truncate(length)
            del numbers[length:]
        else:
            sums.reset(reversed(numbers))
            numbers.reverse()

        index = chance.randint(0, len(numbers))
        assert len(sums) == len(numbers)
        assert sums.total == sum(numbers)
        assert sums.before(index) == sum(numbers[:index])
        if sums.total:
            value = chance.randrange(sums.total)
            found = sums.find(value)
            assert sum(numbers[:found]) <= value < sum(numbers[: found + 1])

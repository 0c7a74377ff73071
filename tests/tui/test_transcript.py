import subprocess
import sys
from collections.abc import Iterator

import pytest
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import Selection

from foundry_tui.tui.widgets.transcript import MessageKind, Transcript

DOCUMENT = """# Title

Some *plain* words with `code`.

- one
- two

| name | value |
|------|-------|
| a    | 1     |

```python
def f(x):
    return x  # same
```
"""


MARGIN = 1


class TranscriptApp(App[None]):
    CSS = "Vertical { height: 1fr; }"

    def __init__(self, hint: str = "") -> None:
        super().__init__()
        self.animation_level = "none"
        self.transcript = Transcript(empty_hint=hint)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield self.transcript


async def settled(app: TranscriptApp, pilot: Pilot[None]) -> None:
    await pilot.pause()
    while not app.transcript.is_idle:
        await pilot.pause()


async def resized(app: TranscriptApp, pilot: Pilot[None], width: int) -> None:
    await pilot.resize_terminal(width, 12)
    while app.transcript.outer_size.width != width:
        await pilot.pause()
    await pilot.pause()  # the widget hears of its size after it has got it


def rows_on_screen(transcript: Transcript) -> list[str]:
    """The text of the rows, without the margin, which is empty where the reader did not go anywhere."""
    rows = [transcript.render_line(y).text for y in range(transcript.scrollable_content_region.height)]
    assert transcript.cursor_key is not None or all(row[:1] == " " for row in rows)
    return [row[MARGIN:].rstrip() for row in rows]


def segments_on_screen(transcript: Transcript) -> Iterator[Segment]:
    for y in range(transcript.scrollable_content_region.height):
        yield from transcript.render_line(y)


def numbered(count: int) -> str:
    return "\n\n".join(
        f"paragraph{n:03} " + " ".join(f"w{n:03}x{m:02}" for m in range(20)) for n in range(count)
    )


async def test_streamed_text_appears_without_being_asked_for() -> None:
    app = TranscriptApp()

    async with app.run_test() as pilot:
        key = app.transcript.begin_answer("model-a")
        app.transcript.append(key, "Hel")
        app.transcript.append(key, "lo")
        assert app.transcript.plain_text == "model-a"
        await settled(app, pilot)

        assert rows_on_screen(app.transcript)[:2] == ["model-a", "Hello"]


async def test_no_timer_runs_once_everything_is_drawn() -> None:
    app = TranscriptApp()

    async with app.run_test() as pilot:
        key = app.transcript.begin_answer("m")
        app.transcript.append(key, "text")
        assert not app.transcript.is_idle
        await settled(app, pilot)

        assert app.transcript.is_idle


async def test_text_that_came_before_the_screen_is_shown_with_it() -> None:
    app = TranscriptApp()
    key = app.transcript.begin_answer("m")
    app.transcript.append(key, "early")

    async with app.run_test() as pilot:
        await settled(app, pilot)

        assert app.transcript.plain_text == "m\nearly"


async def test_what_arrives_while_the_widget_is_hidden_is_there_when_it_is_shown() -> None:
    app = TranscriptApp()

    async with app.run_test() as pilot:
        key = app.transcript.begin_answer("m")
        app.transcript.display = False
        await pilot.pause()
        app.transcript.append(key, "unseen")
        await settled(app, pilot)
        app.transcript.display = True
        await settled(app, pilot)

        assert rows_on_screen(app.transcript)[1] == "unseen"


async def test_markdown_of_an_answer_is_shown_as_its_blocks() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 30)):
        app.transcript.add_message("m", DOCUMENT, kind=MessageKind.ASSISTANT)

        # How far a cell is indented differs between the versions of Rich.
        rows = [" ".join(row.strip(" ─━").split()) for row in rows_on_screen(app.transcript)[:14]]
        assert rows == [
            "m",
            "Title",
            "",
            "Some plain words with code.",
            "",
            "• one",
            "• two",
            "",
            "name value",
            "",
            "a 1",
            "",
            "def f(x):",
            "return x # same",
        ]


async def test_streaming_ends_with_what_a_finished_message_shows() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 40)):
        app.transcript.add_message("m", DOCUMENT, kind=MessageKind.ASSISTANT)
        at_once = app.transcript.plain_text
        app.transcript.clear()
        key = app.transcript.begin_answer("m")
        for start in range(0, len(DOCUMENT), 5):
            app.transcript.append(key, DOCUMENT[start : start + 5])
            app.transcript.flush()
        app.transcript.finish_answer(key)

        assert app.transcript.plain_text == at_once
        assert app.transcript.source_of(key) == DOCUMENT


async def test_the_text_of_a_user_is_never_markdown() -> None:
    app = TranscriptApp()

    async with app.run_test():
        app.transcript.add_message("You", "# *not* a heading\n\n- x", kind=MessageKind.USER)

        assert app.transcript.plain_text == "You\n# *not* a heading\n\n- x"


async def test_a_flush_draws_the_open_block_only() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 30)):
        key = app.transcript.begin_answer("m")
        app.transcript.append(key, DOCUMENT + "\nlast")
        app.transcript.flush()
        before = app.transcript.drawings
        for _ in range(10):
            app.transcript.append(key, " word")
            app.transcript.flush()

        assert app.transcript.drawings - before == 10


async def test_the_view_follows_the_end_until_the_reader_scrolls_up_and_again_from_the_end_key() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.focus()
        key = app.transcript.begin_answer("m")
        app.transcript.append(key, numbered(20))
        app.transcript.flush()
        await settled(app, pilot)
        assert app.transcript.scroll_y == app.transcript.max_scroll_y > 0

        await pilot.press("pageup")
        await settled(app, pilot)
        stayed_at = app.transcript.scroll_y
        before = rows_on_screen(app.transcript)
        app.transcript.append(key, "\n\n" + numbered(20))
        app.transcript.flush()
        assert app.transcript.scroll_y == stayed_at < app.transcript.max_scroll_y
        assert rows_on_screen(app.transcript) == before

        await pilot.press("end")
        app.transcript.append(key, "\n\nvery last")
        app.transcript.flush()
        assert app.transcript.scroll_y == app.transcript.max_scroll_y
        assert "very last" in rows_on_screen(app.transcript)[-1]


async def test_a_flush_does_not_stop_a_reader_who_has_just_set_out() -> None:
    app = TranscriptApp()
    app.animation_level = "full"

    async with app.run_test(size=(60, 12)) as pilot:
        key = app.transcript.begin_answer("m")
        app.transcript.append(key, numbered(20))
        await settled(app, pilot)
        app.transcript.action_page_up()
        app.transcript.append(key, "more")
        app.transcript.flush()
        await pilot.wait_for_animation()

        assert not app.transcript.follows
        assert app.transcript.scroll_y < app.transcript.max_scroll_y


async def test_a_scroll_through_rows_that_are_not_drawn_yet_arrives() -> None:
    app = TranscriptApp()
    app.animation_level = "full"

    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.add_message("m", numbered(400), kind=MessageKind.ASSISTANT)
        await pilot.pause()  # there must be a scroll bar to scroll by
        app.transcript.scroll_home(speed=100_000)
        await pilot.wait_for_animation()
        await settled(app, pilot)

        assert rows_on_screen(app.transcript)[0] == "m"
        assert "paragraph000" in rows_on_screen(app.transcript)[1]


async def test_an_animated_scroll_to_an_end_that_is_not_drawn_yet_arrives() -> None:
    app = TranscriptApp()
    app.animation_level = "full"

    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.add_message("m", numbered(400), kind=MessageKind.ASSISTANT)
        await pilot.pause()  # there must be a scroll bar to scroll by
        app.transcript.scroll_to(y=0, animate=False)
        await resized(app, pilot, 50)
        app.transcript.scroll_end(duration=0.000_001, immediate=True)
        app.animator()  # its last step, before a flush can take its place
        await settled(app, pilot)

        assert app.transcript.follows
        assert "w399x19" in rows_on_screen(app.transcript)[-1]


@pytest.mark.parametrize("width", [40, 97])
async def test_a_resize_wraps_anew_and_keeps_the_reading_position(width: int) -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.add_message("m", numbered(60), kind=MessageKind.ASSISTANT)
        await settled(app, pilot)
        app.transcript.scroll_to(y=102, animate=False)
        first_word = rows_on_screen(app.transcript)[0].split()[0]

        await resized(app, pilot, width)
        await settled(app, pilot)

        assert first_word in rows_on_screen(app.transcript)[0]
        assert max(map(len, app.transcript.plain_text.split("\n"))) > width - 15
        assert max(map(len, app.transcript.plain_text.split("\n"))) <= width


async def test_resizing_to_and_fro_does_not_drift() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.add_message("m", numbered(60), kind=MessageKind.ASSISTANT)
        await settled(app, pilot)
        app.transcript.scroll_to(y=101, animate=False)
        await settled(app, pilot)
        before = rows_on_screen(app.transcript)
        for width in (41, 77, 35, 60):
            await resized(app, pilot, width)
            await settled(app, pilot)

        assert rows_on_screen(app.transcript) == before


async def test_a_resize_draws_first_what_is_in_view() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.add_message("m", numbered(2_000), kind=MessageKind.ASSISTANT)
        assert app.transcript.plain_text
        before = app.transcript.drawings
        await resized(app, pilot, 50)

        assert app.transcript.drawings - before < 1_000
        assert "w1999x19" in rows_on_screen(app.transcript)[-1]


async def test_a_mouse_selection_returns_the_text_shown() -> None:
    app = TranscriptApp()

    async with app.run_test() as pilot:
        app.transcript.add_message("You", "first row\nsecond 日本 row\nthird", kind=MessageKind.USER)
        await pilot.pause()  # the rows must be on the screen to be hit
        await pilot.mouse_down(app.transcript, offset=(6 + MARGIN, 1))
        await pilot.hover(app.transcript, offset=(9 + MARGIN, 2))
        await pilot.mouse_up(app.transcript, offset=(9 + MARGIN, 2))

        assert app.screen.get_selected_text() == "row\nsecond 日本"


async def test_a_selection_is_lit() -> None:
    app = TranscriptApp()

    async with app.run_test():
        app.transcript.add_message("You", "some words", kind=MessageKind.USER)
        app.screen.selections = {app.transcript: Selection(Offset(5, 1), Offset(10, 1))}
        lit = app.screen.get_component_rich_style("screen--selection").bgcolor

        row = app.transcript.render_line(1)
        assert [s.text for s in row if s.style is not None and s.style.bgcolor == lit] == ["words"]


async def test_everything_can_be_selected() -> None:
    app = TranscriptApp()

    async with app.run_test():
        app.transcript.add_message("You", "one\ntwo", kind=MessageKind.USER)
        app.transcript.text_select_all()

        assert app.screen.get_selected_text() == "You\none\ntwo"


HOSTILE = (
    "\x1b[31mred\x1b]8;;http://evil\x07 [bold]no[/bold] [@click=app.quit]x[/] \u202eevil\u2066 "
    "&#x202e;&#13;&zwj; "
    "[text](https://a.example/x) ![alt](http://img.example/y.png) <https://auto.example> </kbd> "
    "vector<int> [l](javascript:alert(1)) &#27;[0m"
)


@pytest.mark.parametrize("kind", list(MessageKind))
async def test_hostile_text_is_shown_and_does_nothing(kind: MessageKind) -> None:
    app = TranscriptApp(hint="\x1b[31m[bold]hint")

    async with app.run_test(size=(100, 40)) as pilot:
        assert not any("\x1b" in segment.text for segment in segments_on_screen(app.transcript))
        key = app.transcript.add_message("\x1b[1m[bold]who\n\x07", HOSTILE, kind=kind)
        app.transcript.set_footer(key, "\x1b[2Kfooter\u202e")
        answer = app.transcript.begin_answer("\x9bm")
        app.transcript.append_reasoning(answer, HOSTILE)
        app.transcript.append(answer, HOSTILE)
        await settled(app, pilot)

        for segment in segments_on_screen(app.transcript):
            assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in segment.text)
            assert not any(c in "\u202e\u2066\u200d" for c in segment.text)
            assert segment.style is not None
            assert segment.style.link is None
            assert set(segment.style.meta) <= {"offset"}
        assert "[bold]no[/bold]" in app.transcript.plain_text
        assert "vector<int>" in app.transcript.plain_text
        assert "␛[1m[bold]who ␇" in app.transcript.plain_text


async def test_links_and_images_are_text_with_their_address() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(100, 24)):
        app.transcript.add_message(
            "m", "[a *b*](https://x.example) ![alt](y.png) <https://z.example>", kind=MessageKind.ASSISTANT
        )

        assert (
            app.transcript.plain_text == "m\na b (https://x.example) [image: alt] (y.png) https://z.example"
        )


async def test_what_looks_like_html_is_shown() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(100, 24)):
        text = "<div>\n\nuse vector<int> and <br> &lt;x&gt;\n\n[ref]: http://x.example"
        app.transcript.add_message("m", text, kind=MessageKind.ASSISTANT)

        assert app.transcript.plain_text == (
            "m\n<div>\n\nuse vector<int> and <br> <x>\n\n[ref]: http://x.example"
        )


async def test_a_long_word_in_a_table_is_folded_not_cut() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(30, 24)):
        text = "| name | value |\n|---|---|\n| " + "y" * 40 + " | " + "z" * 40 + " |"
        app.transcript.add_message("m", text, kind=MessageKind.ASSISTANT)

        assert app.transcript.plain_text.count("y") == 40
        assert app.transcript.plain_text.count("z") == 40


@pytest.mark.parametrize("kind", list(MessageKind))
async def test_a_line_of_a_megabyte_is_wrapped(kind: MessageKind) -> None:
    app = TranscriptApp()

    async with app.run_test(size=(82 + MARGIN, 24)) as pilot:
        app.transcript.add_message("m", "x" * 1_000_000, kind=kind)
        await pilot.pause()  # paints once

        assert rows_on_screen(app.transcript)[-2] == "x" * 80
        assert app.transcript.plain_text.count("x") == 1_000_000


async def test_a_streamed_line_of_a_megabyte_costs_each_flush_a_piece_of_it() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(82, 24)):
        key = app.transcript.begin_answer("m")
        app.transcript.append(key, "y" * 1_000_000)
        app.transcript.flush()
        before = app.transcript.drawings
        app.transcript.append(key, "y" * 10)
        app.transcript.flush()

        assert app.transcript.drawings - before == 1
        assert rows_on_screen(app.transcript)[-1].startswith("y")


async def test_an_open_fence_keeps_everything_shown_and_plain() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 24)):
        key = app.transcript.begin_answer("m")
        app.transcript.append(key, "Look:\n```python\ndef f():\n\n    return '# no'\n")
        app.transcript.flush()
        code = [s for s in app.transcript.render_line(3) if "def" in s.text]

        assert app.transcript.plain_text == "m\nLook:\n\n def f():\n\n     return '# no'"
        assert code[0].text.startswith(" def f():") or code[0].text == "def f():"
        app.transcript.append(key, "```\nafter")
        app.transcript.flush()
        assert app.transcript.plain_text.endswith("     return '# no'\n\nafter")


async def test_a_finished_fence_is_highlighted_and_a_huge_one_is_not() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 24)) as pilot:
        app.transcript.add_message("m", "```python\nreturn 'text'\n```", kind=MessageKind.ASSISTANT)
        await settled(app, pilot)
        small = [segment.text.strip() for segment in app.transcript.render_line(1)]
        app.transcript.clear()
        huge = "```python\n" + "return 'text'\n" * 1_000 + "```"
        app.transcript.add_message("m", huge, kind=MessageKind.ASSISTANT)
        app.transcript.scroll_home(animate=False)
        await settled(app, pilot)

        assert "return" in small
        assert [s.text.rstrip() for s in app.transcript.render_line(2)][1] == "return 'text'"


async def test_a_fence_of_an_unknown_or_no_language_is_plain() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 24)):
        for language in ("", "nonsense"):
            text = f"```{language}\n#!/bin/sh\n```"
            app.transcript.add_message("m", text, kind=MessageKind.ASSISTANT)

        assert app.transcript.plain_text == "m\n #!/bin/sh\n\nm\n #!/bin/sh"


async def test_a_line_end_cut_in_two_chunks_is_one_line_end() -> None:
    app = TranscriptApp()

    async with app.run_test():
        key = app.transcript.begin_answer("m")
        for chunk in ("one\r", "\ntwo\r", "\n\r", "\nthree"):
            app.transcript.append(key, chunk)
            app.transcript.flush()

        assert app.transcript.plain_text == "m\none\ntwo\n\nthree"
        assert app.transcript.source_of(key) == "one\r\ntwo\r\n\r\nthree"


async def test_reasoning_stands_plain_above_the_answer() -> None:
    app = TranscriptApp()

    async with app.run_test():
        key = app.transcript.begin_answer("m")
        app.transcript.append_reasoning(key, "*hm")
        app.transcript.append(key, "*yes*")
        app.transcript.append_reasoning(key, "*")
        app.transcript.flush()

        assert app.transcript.plain_text == "m\n▾ thought for 1 row · t folds\n*hm*\n\nyes"
        assert app.transcript.source_of(key) == "*yes*"


async def test_heading_and_footer_change_in_place_while_text_streams() -> None:
    app = TranscriptApp()

    async with app.run_test():
        key = app.transcript.begin_answer("loading")
        app.transcript.append(key, "a")
        app.transcript.set_footer(key, "1 tok/s")
        app.transcript.set_heading(key, "model-a")
        app.transcript.append(key, "b")
        app.transcript.flush()
        app.transcript.set_footer(key, "2 tok/s")
        app.transcript.add_message("", "switched", kind=MessageKind.NOTICE)
        assert app.transcript.plain_text == "model-a\nab\n2 tok/s\n\nswitched"

        app.transcript.set_footer(key, "")
        assert app.transcript.plain_text == "model-a\nab\n\nswitched"


async def test_a_problem_in_the_footer_looks_like_one() -> None:
    app = TranscriptApp()

    async with app.run_test():
        key = app.transcript.add_message("m", "text", kind=MessageKind.ASSISTANT)
        app.transcript.set_footer(key, "failed", problem=True)
        problem = app.transcript.get_component_rich_style("transcript--problem")

        (_, segment, *_) = app.transcript.render_line(2)
        assert segment.text == "failed"
        assert segment.style is not None
        assert segment.style.color == problem.color


async def test_what_arrives_for_a_cleared_answer_is_dropped() -> None:
    app = TranscriptApp()

    async with app.run_test():
        key = app.transcript.begin_answer("m")
        app.transcript.clear()
        app.transcript.append(key, "late")
        app.transcript.set_footer(key, "late")
        app.transcript.finish_answer(key)

        assert app.transcript.plain_text == ""
        with pytest.raises(KeyError):
            app.transcript.append(key + 1, "never begun")


async def test_the_hint_stands_in_the_middle_until_there_is_a_message() -> None:
    app = TranscriptApp(hint="Ask")

    async with app.run_test(size=(21, 9)):
        assert rows_on_screen(app.transcript)[4].strip() == "Ask"
        app.transcript.empty_hint = "Pick a model"
        assert rows_on_screen(app.transcript)[4].strip() == "Pick a model"
        app.transcript.add_message("You", "hi", kind=MessageKind.USER)
        assert "Pick a model" not in "".join(rows_on_screen(app.transcript))


async def test_another_theme_draws_everything_in_its_colours() -> None:
    app = TranscriptApp()

    async with app.run_test() as pilot:
        app.transcript.add_message("m", "# Title", kind=MessageKind.ASSISTANT)
        before = [s.style.color for s in app.transcript.render_line(1) if s.style is not None]
        app.theme = "textual-light"
        await settled(app, pilot)

        after = [s.style.color for s in app.transcript.render_line(1) if s.style is not None]
        assert after[MARGIN] != before[MARGIN]


@pytest.mark.parametrize("width", [3, 6, 11, 14, 20])
async def test_no_row_is_wider_than_a_narrow_screen(width: int) -> None:
    app = TranscriptApp()
    text = "> > > - 1. deep\n\n| a | b | c | d | e |\n|-|-|-|-|-|\n|1|2|3|4|5|\n\n" + DOCUMENT + "日本語"

    async with app.run_test(size=(width, 20)):
        app.transcript.add_message("heading", text, kind=MessageKind.ASSISTANT)
        cells = app.transcript.scrollable_content_region.width

        assert all(app.transcript.render_line(y).cell_length == cells for y in range(20))
        assert set("12345") <= set(app.transcript.plain_text)


async def test_what_is_nested_too_deep_for_the_parser_is_shown_as_it_is() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(200, 24)):
        text = "".join("  " * depth + f"- level{depth:02}\n" for depth in range(30))
        app.transcript.add_message("m", text, kind=MessageKind.ASSISTANT)

        assert "level29" in app.transcript.plain_text


def test_importing_the_widget_imports_neither_pygments_nor_a_markdown_parser() -> None:
    code = (
        "import sys, foundry_tui.tui.widgets.transcript\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('pygments', 'markdown_it')])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"

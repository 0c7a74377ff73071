"""Text that is hostile, huge or too wide, in a transcript."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from rich.segment import Segment

from foundry_tui.tui.widgets.transcript import MessageKind, Transcript
from tests.tui.transcripts import DOCUMENT, MARGIN, TranscriptApp, settled, unmarked_rows


def segments_on_screen(transcript: Transcript) -> Iterator[Segment]:
    for y in range(transcript.scrollable_content_region.height):
        yield from transcript.render_line(y)


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

        assert unmarked_rows(app.transcript)[-2] == "x" * 80
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
        assert unmarked_rows(app.transcript)[-1].startswith("y")


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

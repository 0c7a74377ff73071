"""A transcript keeps the reader where they are; what they select is what is shown."""

import pytest
from textual.geometry import Offset
from textual.selection import Selection

from foundry_tui.tui.widgets.transcript import MessageKind
from tests.tui.transcripts import MARGIN, TranscriptApp, resized, settled, unmarked_rows


def numbered(count: int) -> str:
    return "\n\n".join(
        f"paragraph{n:03} " + " ".join(f"w{n:03}x{m:02}" for m in range(20)) for n in range(count)
    )


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
        before = unmarked_rows(app.transcript)
        app.transcript.append(key, "\n\n" + numbered(20))
        app.transcript.flush()
        assert app.transcript.scroll_y == stayed_at < app.transcript.max_scroll_y
        assert unmarked_rows(app.transcript) == before

        await pilot.press("end")
        app.transcript.append(key, "\n\nvery last")
        app.transcript.flush()
        assert app.transcript.scroll_y == app.transcript.max_scroll_y
        assert "very last" in unmarked_rows(app.transcript)[-1]


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

        assert unmarked_rows(app.transcript)[0] == "m"
        assert "paragraph000" in unmarked_rows(app.transcript)[1]


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
        assert "w399x19" in unmarked_rows(app.transcript)[-1]


@pytest.mark.parametrize("width", [40, 97])
async def test_a_resize_wraps_anew_and_keeps_the_reading_position(width: int) -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.add_message("m", numbered(60), kind=MessageKind.ASSISTANT)
        await settled(app, pilot)
        app.transcript.scroll_to(y=102, animate=False)
        first_word = unmarked_rows(app.transcript)[0].split()[0]

        await resized(app, pilot, width)
        await settled(app, pilot)

        assert first_word in unmarked_rows(app.transcript)[0]
        assert max(map(len, app.transcript.plain_text.split("\n"))) > width - 15
        assert max(map(len, app.transcript.plain_text.split("\n"))) <= width


async def test_resizing_to_and_fro_does_not_drift() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.add_message("m", numbered(60), kind=MessageKind.ASSISTANT)
        await settled(app, pilot)
        app.transcript.scroll_to(y=101, animate=False)
        await settled(app, pilot)
        before = unmarked_rows(app.transcript)
        for width in (41, 77, 35, 60):
            await resized(app, pilot, width)
            await settled(app, pilot)

        assert unmarked_rows(app.transcript) == before


async def test_a_resize_draws_first_what_is_in_view() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.add_message("m", numbered(2_000), kind=MessageKind.ASSISTANT)
        assert app.transcript.plain_text
        before = app.transcript.drawings
        await resized(app, pilot, 50)

        assert app.transcript.drawings - before < 1_000
        assert "w1999x19" in unmarked_rows(app.transcript)[-1]


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

"""Going through a transcript: from message to message, by hand, along links; what is taken out of it."""

import pytest
from textual import events

from foundry_tui.tui.widgets.transcript import MessageKind, Transcript
from tests.tui.transcripts import (
    MARGIN,
    TranscriptApp,
    conversation,
    lines,
    marks_on_screen,
    rows_on_screen,
    settled,
)


async def test_going_back_puts_each_heading_at_the_top_and_marks_its_message() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        app.transcript.focus()
        keys = list(conversation(app.transcript))
        await settled(app, pilot)
        await pilot.press("[", "[")

        assert app.transcript.cursor_key == keys[2]
        assert rows_on_screen(app.transcript)[0] == "heading2"
        assert marks_on_screen(app.transcript) == "▌" * 11 + " "
        assert not app.transcript.follows


async def test_going_on_from_the_last_message_leads_to_the_end_and_follows() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        app.transcript.focus()
        keys = list(conversation(app.transcript))
        app.transcript.move_to(keys[2])
        await pilot.press("]", "]")
        await settled(app, pilot)

        assert app.transcript.cursor_key is None
        assert app.transcript.follows
        assert [message.key for message in app.posted if isinstance(message, Transcript.CursorMoved)] == [
            keys[2],
            keys[3],
            None,
        ]


async def test_a_reader_in_the_middle_goes_to_the_neighbours_of_what_they_see() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        keys = list(conversation(app.transcript))
        await settled(app, pilot)
        app.transcript.scroll_to(y=16, animate=False)  # within the second message
        app.transcript.action_previous_message()
        assert app.transcript.cursor_key == keys[1]

        app.transcript.scroll_to(y=16, animate=False)
        app.transcript.action_next_message()
        assert app.transcript.cursor_key == keys[2]


@pytest.mark.parametrize("step", ["previous_message", "next_message", "previous_code", "next_code"])
async def test_a_reader_whose_conversation_has_just_become_shorter_goes_on_from_its_end(step: str) -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        keys = list(conversation(app.transcript))
        await settled(app, pilot)
        app.transcript.set_follow(False)
        with app.transcript.arranged_once():
            app.transcript.action_fold_all()
            await app.transcript.run_action(step)
        await settled(app, pilot)

        assert app.transcript.cursor_key in (*keys, None)


@pytest.mark.parametrize("key", ["up", "pagedown", "home", "end"])
async def test_scrolling_by_hand_takes_the_cursor_away(key: str) -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        app.transcript.focus()
        keys = list(conversation(app.transcript))
        await settled(app, pilot)
        app.transcript.move_to(keys[1])
        await pilot.press(key)

        assert app.transcript.cursor_key is None
        assert marks_on_screen(app.transcript).strip() == ""


async def test_what_grows_below_does_not_move_a_message_that_is_read() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        list(conversation(app.transcript))
        answer = app.transcript.begin_answer("model")
        await settled(app, pilot)
        app.transcript.action_previous_message()
        before = rows_on_screen(app.transcript)
        for _ in range(3):
            app.transcript.append(answer, lines("more", 20))
            app.transcript.flush()

        assert app.transcript.cursor_key == answer
        assert rows_on_screen(app.transcript)[:11] == before[:11]


async def test_scrolling_down_at_the_end_follows_again() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        app.transcript.focus()
        list(conversation(app.transcript))
        await settled(app, pilot)
        app.transcript.action_previous_message()  # it is short: the view stays at the end
        followed = [app.transcript.follows]
        await pilot.press("down")
        followed.append(app.transcript.follows)

        assert followed == [False, True]
        assert app.transcript.cursor_key is None


async def test_to_scroll_to_the_end_of_what_fits_into_the_view_follows_it() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        key = app.transcript.add_message("You", "short", kind=MessageKind.USER)
        app.transcript.move_to(key)
        app.transcript.scroll_end(animate=False)
        answer = app.transcript.begin_answer("model")
        app.transcript.append(answer, lines("row", 40).replace("\n", "\n\n"))
        await settled(app, pilot)

        assert rows_on_screen(app.transcript)[-1] == "row39"


async def test_a_click_puts_the_cursor_on_a_message_without_scrolling() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        keys = list(conversation(app.transcript))
        await settled(app, pilot)
        before = rows_on_screen(app.transcript)
        await pilot.click(app.transcript, offset=(5, 5))

        assert app.transcript.cursor_key == keys[3]
        assert rows_on_screen(app.transcript) == before


async def test_a_drag_selects_and_leaves_the_cursor_alone() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        list(conversation(app.transcript))
        await settled(app, pilot)
        # As the terminal reports it: the pilot's own presses are no clicks where they end.
        for kind, x, y in ((events.MouseDown, 0, 5), (events.MouseMove, 3, 6), (events.MouseUp, 3, 6)):
            app.post_message(kind(None, x, y, 0, 0, 1, False, False, False, x, y))
            await pilot.pause()  # one after the other

        assert app.screen.get_selected_text() == "m3r03\nm3r"
        assert app.transcript.cursor_key is None


LINKED = "See [the *docs*](https://docs.example/a) or https://bare.example/b. And `code`, [bad](file:///etc/passwd)"


@pytest.mark.parametrize(
    ("word", "url"),
    [
        ("See", []),
        ("the", ["https://docs.example/a"]),
        ("docs.example", ["https://docs.example/a"]),
        ("bare", ["https://bare.example/b"]),
        ("b.", ["https://bare.example/b"]),
        (". And", []),
        ("bad", []),
        ("passwd", []),
    ],
)
async def test_a_click_on_a_link_or_on_an_address_leads_there(word: str, url: list[str]) -> None:
    app = TranscriptApp()

    async with app.run_test(size=(140, 12)) as pilot:
        app.transcript.add_message("m", LINKED, kind=MessageKind.ASSISTANT)
        await settled(app, pilot)
        cell = rows_on_screen(app.transcript)[1].index(word) + MARGIN
        await pilot.click(app.transcript, offset=(cell, 1))

        assert app.pressed == url


async def test_an_address_that_is_wrapped_is_pressed_as_a_whole() -> None:
    app = TranscriptApp()
    url = "https://example.org/" + "long/" * 20

    async with app.run_test(size=(40, 12)) as pilot:
        app.transcript.add_message("You", f"日本 {url} end", kind=MessageKind.USER)
        await settled(app, pilot)
        assert (
            rows_on_screen(app.transcript)[3].startswith("ng/")
            or "long/" in rows_on_screen(app.transcript)[3]
        )
        await pilot.click(app.transcript, offset=(10, 3))

        assert app.pressed == [url]


async def test_messages_are_removed_from_one_on_and_their_keys_are_void() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        keys = list(conversation(app.transcript))
        answer = app.transcript.begin_answer("model")
        app.transcript.append(answer, "pending")
        app.transcript.move_to(keys[2])
        app.transcript.remove_from(keys[1])
        app.transcript.append(answer, "late")
        await settled(app, pilot)

        assert app.transcript.keys == (keys[0],)
        assert app.transcript.cursor_key is None
        assert app.transcript.plain_text == "heading0\n" + lines("m0r", 10)
        assert app.transcript.follows
        assert app.transcript.add_message("You", "new", kind=MessageKind.USER) > answer


async def test_a_note_stands_after_the_heading_and_does_not_outlive_it() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)):
        key = app.transcript.add_message("model-a", "text", kind=MessageKind.ASSISTANT)
        app.transcript.set_note(key, "2/3\x1b[31m")
        app.transcript.set_heading(key, "model-b")
        assert app.transcript.plain_text == "model-b  2/3␛[31m\ntext"

        app.transcript.set_note(key, "")
        assert app.transcript.plain_text == "model-b\ntext"


async def test_many_messages_are_drawn_once_and_only_where_one_looks() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)):
        with app.transcript.arranged_once():
            list(conversation(app.transcript, count=100))
            assert app.transcript.drawings == 0

        assert rows_on_screen(app.transcript)[-1] == "m99r09"
        assert app.transcript.drawings < 10


async def test_the_slash_asks_for_something_to_look_for() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        app.transcript.focus()
        await pilot.press("slash")
        await pilot.pause()  # the message bubbles

        assert [type(message) for message in app.posted] == [Transcript.SearchWanted]

"""Messages and thoughts of a transcript, folded and unfolded."""

import pytest
from textual.geometry import Offset
from textual.selection import Selection

from foundry_tui.tui.widgets.transcript import MessageKind
from tests.tui.transcripts import TranscriptApp, conversation, lines, marks_on_screen, rows_on_screen, settled


async def test_a_folded_message_shows_its_heading_two_rows_how_many_more_and_its_footer() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        key = app.transcript.add_message("You", lines("row", 20), kind=MessageKind.USER)
        app.transcript.set_footer(key, "the footer")
        app.transcript.set_folded(key, True)
        await settled(app, pilot)

        assert app.transcript.is_folded(key)
        assert app.transcript.plain_text == ("You\nrow00\nrow01\n▸ 18 more rows · Space unfolds\nthe footer")


async def test_a_message_of_three_rows_is_shown_whole_even_if_it_is_folded() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)):
        key = app.transcript.add_message("You", "one\ntwo\nthree", kind=MessageKind.USER)
        app.transcript.set_folded(key, True)

        assert app.transcript.plain_text == "You\none\ntwo\nthree"


async def test_space_folds_and_unfolds_the_message_at_the_cursor() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        app.transcript.focus()
        keys = list(conversation(app.transcript))
        app.transcript.move_to(keys[1])
        await pilot.press("space")
        assert [app.transcript.is_folded(key) for key in keys] == [False, True, False, False]
        assert rows_on_screen(app.transcript)[:6] == [
            "heading1",
            "m1r00",
            "m1r01",
            "▸ 8 more rows · Space unfolds",
            "",
            "heading2",
        ]

        await pilot.press("space")
        assert not app.transcript.is_folded(keys[1])
        assert rows_on_screen(app.transcript)[10] == "m1r09"


async def test_space_without_a_cursor_is_for_the_last_answer() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)):
        answer = app.transcript.add_message("m", lines("a", 20), kind=MessageKind.ASSISTANT)
        note = app.transcript.add_message("Note", lines("n", 20), kind=MessageKind.NOTICE)
        app.transcript.action_toggle_fold()

        assert app.transcript.is_folded(answer)
        assert not app.transcript.is_folded(note)


async def test_a_click_on_the_row_of_a_fold_unfolds_it_and_keeps_what_is_above() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        key = app.transcript.add_message("You", lines("row", 30), kind=MessageKind.USER)
        app.transcript.set_folded(key, True)
        await settled(app, pilot)
        await pilot.click(app.transcript, offset=(5, 3))

        assert not app.transcript.is_folded(key)
        assert rows_on_screen(app.transcript)[:5] == ["You", "row00", "row01", "row02", "row03"]


async def test_all_long_messages_are_folded_and_unfolded_together() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        app.transcript.focus()
        keys = [*conversation(app.transcript)]
        keys.append(app.transcript.add_message("You", "short", kind=MessageKind.USER))
        await pilot.press("Z")
        assert [app.transcript.is_folded(key) for key in keys] == [True, True, True, True, False]

        await pilot.press("Z")
        assert not any(app.transcript.is_folded(key) for key in keys)


async def test_an_answer_that_streams_can_be_folded_and_its_count_grows() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        key = app.transcript.begin_answer("m")
        app.transcript.append(key, "\n\n".join(f"p{n}" for n in range(5)))
        app.transcript.flush()
        app.transcript.set_folded(key, True)
        await settled(app, pilot)
        assert app.transcript.plain_text == "m\np0\n\n▸ 7 more rows · Space unfolds"

        app.transcript.append(key, "\n\np5")
        await settled(app, pilot)
        assert app.transcript.plain_text == "m\np0\n\n▸ 9 more rows · Space unfolds"


async def test_long_reasoning_folds_itself_once_the_answer_is_there() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        key = app.transcript.begin_answer("m")
        app.transcript.append_reasoning(key, lines("thought", 7))
        app.transcript.append(key, "the answer")
        app.transcript.flush()
        assert "thought06" in app.transcript.plain_text

        app.transcript.finish_answer(key)
        await settled(app, pilot)
        assert app.transcript.plain_text == "m\n▸ thought for 7 rows · Space unfolds\n\nthe answer"

        app.transcript.set_folded(key, False)
        assert "thought06\n\nthe answer" in app.transcript.plain_text


@pytest.mark.parametrize(("rows", "answer"), [(6, "the answer"), (20, "")])
async def test_short_reasoning_and_reasoning_without_an_answer_stay(rows: int, answer: str) -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)):
        key = app.transcript.begin_answer("m")
        app.transcript.append_reasoning(key, lines("thought", rows))
        app.transcript.append(key, answer)
        app.transcript.finish_answer(key)

        assert not app.transcript.is_reasoning_folded(key)
        assert "▸" not in app.transcript.plain_text


async def test_reasoning_is_folded_apart_from_its_answer() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        app.transcript.focus()
        key = app.transcript.begin_answer("m")
        app.transcript.append_reasoning(key, lines("thought", 3))
        app.transcript.append(key, "the answer")
        app.transcript.finish_answer(key)
        await settled(app, pilot)
        await pilot.press("t")
        assert app.transcript.plain_text == "m\n▸ thought for 3 rows · Space unfolds\n\nthe answer"
        assert not app.transcript.is_folded(key)

        await pilot.press("t")
        assert app.transcript.plain_text == (
            "m\n▾ thought for 3 rows · t folds\nthought00\nthought01\nthought02\n\nthe answer"
        )


async def test_a_click_on_the_heading_of_the_thoughts_folds_them_and_another_unfolds() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        key = app.transcript.begin_answer("m")
        app.transcript.append_reasoning(key, lines("thought", 3))
        app.transcript.append(key, "the answer")
        app.transcript.finish_answer(key)
        await settled(app, pilot)
        assert rows_on_screen(app.transcript)[1].startswith("▾ thought for 3 rows")

        await pilot.click(app.transcript, offset=(5, 1))
        assert rows_on_screen(app.transcript)[:4] == [
            "m",
            "▸ thought for 3 rows · Space unfolds",
            "",
            "the answer",
        ]

        await pilot.click(app.transcript, offset=(5, 1))
        assert rows_on_screen(app.transcript)[1].startswith("▾ thought for 3 rows")


async def test_a_bar_beside_the_thoughts_ends_where_they_end_also_at_the_cursor() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 8)) as pilot:
        key = app.transcript.begin_answer("m")
        app.transcript.append_reasoning(key, "one\n\ntwo")
        app.transcript.append(key, "the answer")
        app.transcript.finish_answer(key)
        await settled(app, pilot)
        assert marks_on_screen(app.transcript) == "  │││   "

        app.transcript.move_to(key)
        assert marks_on_screen(app.transcript) == "▌▌┃┃┃▌▌ "


async def test_the_heading_of_the_thoughts_says_that_they_go_on_until_the_answer_begins() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)):
        key = app.transcript.begin_answer("m")
        app.transcript.append_reasoning(key, lines("thought", 2))
        app.transcript.flush()
        assert app.transcript.plain_text == "m\n▾ thinking … · t folds\nthought00\nthought01"

        app.transcript.append(key, "the")
        app.transcript.flush()
        assert app.transcript.plain_text == "m\n▾ thought for 2 rows · t folds\nthought00\nthought01\n\nthe"


async def test_the_heading_of_thoughts_that_grow_is_not_drawn_again_with_them() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        key = app.transcript.begin_answer("m")
        app.transcript.append_reasoning(key, "thought")
        await settled(app, pilot)
        drawn = app.transcript.drawings

        app.transcript.append_reasoning(key, " more")
        app.transcript.flush()

        assert app.transcript.drawings == drawn + 1  # only the thoughts


async def test_a_selection_over_the_thoughts_takes_them_without_their_heading() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        key = app.transcript.begin_answer("m")
        app.transcript.append_reasoning(key, "thought")
        app.transcript.append(key, "the answer")
        app.transcript.finish_answer(key)
        await settled(app, pilot)
        app.transcript.text_select_all()

        assert app.screen.get_selected_text() == "m\nthought\n\nthe answer"


async def test_reasoning_that_folds_itself_does_not_move_the_row_that_is_read() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        key = app.transcript.begin_answer("m")
        app.transcript.append_reasoning(key, lines("thought", 30))
        app.transcript.append(key, "\n\n".join(f"p{n:02}" for n in range(30)))
        await settled(app, pilot)
        app.transcript.scroll_to(y=42, animate=False)
        before = rows_on_screen(app.transcript)
        app.transcript.finish_answer(key)
        await settled(app, pilot)

        assert app.transcript.is_reasoning_folded(key)
        assert rows_on_screen(app.transcript) == before


async def test_a_reader_within_what_is_folded_comes_to_the_row_that_stands_for_it() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        list(conversation(app.transcript, count=2))
        key = app.transcript.add_message("You", lines("row", 40), kind=MessageKind.USER)
        list(conversation(app.transcript, count=2))
        await settled(app, pilot)
        app.transcript.scroll_to(y=50, animate=False)
        app.transcript.set_folded(key, True)

        assert rows_on_screen(app.transcript)[0] == "▸ 38 more rows · Space unfolds"


async def test_a_resize_keeps_the_reading_position_among_folds() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        for n in range(6):
            words = " ".join(f"m{n}w{word:03}" for word in range(200))
            key = app.transcript.add_message(f"heading{n}", words, kind=MessageKind.USER)
            app.transcript.set_folded(key, n % 2 == 0)
        await settled(app, pilot)
        app.transcript.scroll_to(y=12, animate=False)
        first_word = rows_on_screen(app.transcript)[0].split()[0]
        for width in (37, 80):
            await pilot.resize_terminal(width, 12)
            await settled(app, pilot)

            assert first_word in rows_on_screen(app.transcript)[0]


async def test_a_selection_over_a_fold_takes_what_it_hides_and_no_marks() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 30)) as pilot:
        key = app.transcript.begin_answer("m")
        app.transcript.append_reasoning(key, lines("thought", 10))
        app.transcript.append(key, "```\n" + lines("row", 12) + "\n```")
        app.transcript.finish_answer(key)
        app.transcript.set_reasoning_folded(key, True)
        app.transcript.set_footer(key, "footer")
        app.transcript.move_to(key)
        await settled(app, pilot)
        app.transcript.action_toggle_fold()  # unfolds the reasoning
        app.transcript.action_toggle_fold()
        app.transcript.text_select_all()

        assert "▸" in app.transcript.plain_text
        assert (
            app.screen.get_selected_text() == "m\n" + "\n".join(f" row{n:02}" for n in range(12)) + "\nfooter"
        )


async def test_folding_lets_go_of_a_selection_below_and_keeps_one_above() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 60)) as pilot:
        keys = list(conversation(app.transcript))
        await settled(app, pilot)
        app.screen.selections = {app.transcript: Selection(Offset(0, 1), Offset(5, 1))}
        app.transcript.set_folded(keys[1], True)
        assert app.screen.get_selected_text() == "m0r00"

        app.screen.selections = {app.transcript: Selection(Offset(0, 18), Offset(5, 18))}
        app.transcript.set_folded(keys[1], False)
        assert app.screen.get_selected_text() is None


async def test_keys_can_be_changed_and_the_row_of_a_fold_names_the_one_that_holds() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        app.set_keymap({"transcript.fold": "f8"})
        key = app.transcript.add_message("You", lines("row", 20), kind=MessageKind.USER)
        app.transcript.move_to(key)
        app.transcript.focus()
        await pilot.press("f8")

        assert "▸ 18 more rows · F8 unfolds" in app.transcript.plain_text

"""Going through a transcript: from message to message, folds, code blocks, copies and links."""

from collections.abc import Iterator

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.geometry import Offset
from textual.message import Message
from textual.pilot import Pilot
from textual.selection import Selection

from foundry_tui.tui.widgets.transcript import MessageKind, Transcript

MARGIN = 1


class TranscriptApp(App[None]):
    CSS = "Vertical { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.animation_level = "none"
        self.transcript = Transcript()
        self.posted: list[Message] = []

    def compose(self) -> ComposeResult:
        with Vertical():
            yield self.transcript

    def on_transcript_cursor_moved(self, message: Transcript.CursorMoved) -> None:
        self.posted.append(message)

    def on_transcript_copy_wanted(self, message: Transcript.CopyWanted) -> None:
        self.posted.append(message)

    def on_transcript_link_pressed(self, message: Transcript.LinkPressed) -> None:
        self.posted.append(message)

    def on_transcript_search_wanted(self, message: Transcript.SearchWanted) -> None:
        self.posted.append(message)

    @property
    def copied(self) -> tuple[str, str]:
        """The last copy that was asked for."""
        copies = [message for message in self.posted if isinstance(message, Transcript.CopyWanted)]
        return copies[-1].text, copies[-1].what

    @property
    def pressed(self) -> list[str]:
        return [message.url for message in self.posted if isinstance(message, Transcript.LinkPressed)]


async def settled(app: TranscriptApp, pilot: Pilot[None]) -> None:
    await pilot.pause()
    while not app.transcript.is_idle:
        await pilot.pause()


def rows_on_screen(transcript: Transcript) -> list[str]:
    rows = range(transcript.scrollable_content_region.height)
    return [transcript.render_line(y).text[MARGIN:].rstrip() for y in rows]


def marks_on_screen(transcript: Transcript) -> str:
    rows = range(transcript.scrollable_content_region.height)
    return "".join(transcript.render_line(y).text[:MARGIN] for y in rows)


def lines(word: str, count: int) -> str:
    return "\n".join(f"{word}{n:02}" for n in range(count))


def conversation(transcript: Transcript, count: int = 4) -> Iterator[int]:
    """Messages of ten rows and a heading."""
    for n in range(count):
        yield transcript.add_message(f"heading{n}", lines(f"m{n}r", 10), kind=MessageKind.USER)


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


CODE = """First:

```python
def first():
    return 1
```

- item
  ```
  second
  ```

last words
"""


async def test_code_blocks_are_gone_through_in_a_circle_and_marked() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 30)) as pilot:
        app.transcript.focus()
        first = app.transcript.add_message("m", CODE, kind=MessageKind.ASSISTANT)
        second = app.transcript.add_message("m", "```\nthird\n```", kind=MessageKind.ASSISTANT)
        seen: list[tuple[int | None, list[str]]] = []
        for _ in range(4):
            await pilot.press("}")
            rows = zip(marks_on_screen(app.transcript), rows_on_screen(app.transcript), strict=True)
            marked = [row.strip() for mark, row in rows if mark == "█"]
            seen.append((app.transcript.cursor_key, marked))

        assert seen == [
            (first, ["def first():", "return 1"]),
            (first, ["second"]),
            (second, ["third"]),
            (first, ["def first():", "return 1"]),
        ]
        await pilot.press("{")
        assert app.transcript.cursor_key == second


async def test_going_to_a_code_block_unfolds_its_message_and_scrolls_there() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)):
        key = app.transcript.add_message(
            "m", lines("row", 40).replace("\n", "\n\n") + "\n\n" + CODE, kind=MessageKind.ASSISTANT
        )
        app.transcript.set_folded(key, True)
        app.transcript.action_next_code()

        assert not app.transcript.is_folded(key)
        assert " def first():" in rows_on_screen(app.transcript)


async def test_a_code_block_that_is_cut_off_is_brought_into_view_as_a_whole() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        text = f"{lines('row', 8)}\n```\n{lines('code', 8)}\n```\n\n{lines('row', 40)}"
        app.transcript.add_message("m", text, kind=MessageKind.ASSISTANT)
        await settled(app, pilot)
        app.transcript.scroll_home(animate=False)
        app.transcript.action_next_code()

        assert rows_on_screen(app.transcript)[1:9] == [f" code{n:02}" for n in range(8)]


async def test_without_any_code_block_there_is_nowhere_to_go() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)):
        app.transcript.add_message("m", "only words", kind=MessageKind.ASSISTANT)
        app.transcript.action_next_code()
        app.transcript.action_copy_code()

        assert app.transcript.cursor_key is None
        assert not app.posted


async def test_the_message_at_the_cursor_is_copied_as_it_came_else_the_last_answer() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        app.transcript.focus()
        question = app.transcript.add_message("You", "a *question*", kind=MessageKind.USER)
        app.transcript.add_message("m", "an **answer**\r\n", kind=MessageKind.ASSISTANT)
        app.transcript.add_message("Note", "a remark", kind=MessageKind.NOTICE)
        await pilot.press("c")
        await pilot.pause()  # the message bubbles
        assert app.copied == ("an **answer**\r\n", "Answer")

        app.transcript.move_to(question)
        await pilot.press("c")
        await pilot.pause()
        assert app.copied == ("a *question*", "Prompt")


async def test_the_code_block_at_the_cursor_is_copied_without_its_fence() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 30)) as pilot:
        app.transcript.focus()
        app.transcript.add_message("m", CODE, kind=MessageKind.ASSISTANT)
        await pilot.press("}", "b")
        await pilot.pause()

        assert app.copied == ("def first():\n    return 1", "Code block")


async def test_without_a_cursor_the_last_code_block_in_view_is_copied() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        app.transcript.focus()
        app.transcript.add_message("m", CODE, kind=MessageKind.ASSISTANT)
        app.transcript.add_message("m", lines("row", 40), kind=MessageKind.ASSISTANT)
        await settled(app, pilot)
        app.transcript.scroll_home(animate=False)
        await pilot.press("b")
        await pilot.pause()

        assert app.copied[0] == "second"


async def test_a_fence_that_is_drawn_in_pieces_is_one_code_block() -> None:
    app = TranscriptApp()
    code = "\n".join(f"x = {n}" for n in range(2_000))

    async with app.run_test(size=(40, 12)) as pilot:
        app.transcript.add_message("m", f"```python\n{code}\n```\n\nafter", kind=MessageKind.ASSISTANT)
        app.transcript.action_next_code()
        await settled(app, pilot)
        app.transcript.action_copy_code()
        await pilot.pause()

        assert app.copied[0] == code
        assert set(marks_on_screen(app.transcript)[2:]) == {"█"}


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


async def test_keys_can_be_changed_and_the_row_of_a_fold_names_the_one_that_holds() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        app.set_keymap({"transcript.fold": "f8"})
        key = app.transcript.add_message("You", lines("row", 20), kind=MessageKind.USER)
        app.transcript.move_to(key)
        app.transcript.focus()
        await pilot.press("f8")

        assert "▸ 18 more rows · F8 unfolds" in app.transcript.plain_text


async def test_the_slash_asks_for_something_to_look_for() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(40, 12)) as pilot:
        app.transcript.focus()
        await pilot.press("slash")
        await pilot.pause()  # the message bubbles

        assert [type(message) for message in app.posted] == [Transcript.SearchWanted]

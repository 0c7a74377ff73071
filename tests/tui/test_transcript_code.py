"""Code blocks of a transcript, gone to and copied, and messages copied."""

from foundry_tui.tui.widgets.transcript import MessageKind
from tests.tui.transcripts import TranscriptApp, lines, marks_on_screen, rows_on_screen, settled

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

"""A transcript while text streams into it: what is shown, and when."""

import pytest

from foundry_tui.tui.widgets.transcript import MessageKind
from tests.tui.transcripts import DOCUMENT, MARGIN, TranscriptApp, settled, unmarked_rows


async def test_streamed_text_appears_without_being_asked_for() -> None:
    app = TranscriptApp()

    async with app.run_test() as pilot:
        key = app.transcript.begin_answer("model-a")
        app.transcript.append(key, "Hel")
        app.transcript.append(key, "lo")
        assert app.transcript.plain_text == "model-a"
        await settled(app, pilot)

        assert unmarked_rows(app.transcript)[:2] == ["model-a", "Hello"]


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

        assert unmarked_rows(app.transcript)[1] == "unseen"


async def test_markdown_of_an_answer_is_shown_as_its_blocks() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 30)):
        app.transcript.add_message("m", DOCUMENT, kind=MessageKind.ASSISTANT)

        # How far a cell is indented differs between the versions of Rich.
        rows = [" ".join(row.strip(" ─━").split()) for row in unmarked_rows(app.transcript)[:14]]
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
        assert unmarked_rows(app.transcript)[4].strip() == "Ask"
        app.transcript.empty_hint = "Pick a model"
        assert unmarked_rows(app.transcript)[4].strip() == "Pick a model"
        app.transcript.add_message("You", "hi", kind=MessageKind.USER)
        assert "Pick a model" not in "".join(unmarked_rows(app.transcript))


async def test_another_theme_draws_everything_in_its_colours() -> None:
    app = TranscriptApp()

    async with app.run_test() as pilot:
        app.transcript.add_message("m", "# Title", kind=MessageKind.ASSISTANT)
        before = [s.style.color for s in app.transcript.render_line(1) if s.style is not None]
        app.theme = "textual-light"
        await settled(app, pilot)

        after = [s.style.color for s in app.transcript.render_line(1) if s.style is not None]
        assert after[MARGIN] != before[MARGIN]

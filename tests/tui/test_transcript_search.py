"""Looking for a text in a transcript."""

import math
import random
import re
from collections import Counter
from collections.abc import Sequence

import pytest
from rich.style import Style

from foundry_tui.tui.widgets.markdown_blocks import BlockKind
from foundry_tui.tui.widgets.transcript import MessageKind, SearchState, Transcript
from foundry_tui.tui.widgets.transcript_messages import Message, Part, Role
from foundry_tui.tui.widgets.transcript_painter import Painter
from foundry_tui.tui.widgets.transcript_search import Search
from foundry_tui.tui.widgets.transcript_styles import COMPONENT_CLASSES
from tests.tui.transcripts import MARGIN, TranscriptApp, looked_through, rows_on_screen, settled


def lit_on_screen(transcript: Transcript, name: str = "match") -> list[str]:
    """What is lit as matches, row by row, runs of one row joined."""
    color = transcript.get_component_rich_style(f"transcript--{name}", partial=True).bgcolor
    assert color is not None
    rows = range(transcript.scrollable_content_region.height)
    lit = [
        "".join(s.text for s in transcript.render_line(y) if s.style is not None and s.style.bgcolor == color)
        for y in rows
    ]
    return [text for text in lit if text]


def row_of_current(transcript: Transcript) -> str:
    """The row that the margin marks as that of the current match."""
    rows = range(transcript.scrollable_content_region.height)
    marked = [transcript.render_line(y).text.rstrip() for y in rows]
    (row,) = [row for row in marked if row.startswith("▸")]
    return row[MARGIN:]


def plain_painter(width: int) -> Painter:
    painter = Painter()
    painter.adopt(width, {name.partition("--")[2]: Style() for name in COMPONENT_CLASSES})
    return painter


def parts_of(text: str, kind: BlockKind) -> list[Part]:
    """The parts of an answer that has ended, from top to bottom; not drawn."""
    message = Message(0, 0, "m", (Role.ANSWER_HEADING, Role.ANSWER), kind)
    message.text.take(text)
    message.is_ending = True
    message.feed(None)
    return list(message.parts())


def lit_letters(search: Search, parts: Sequence[Part]) -> Counter[str]:
    """How often each letter is lit in all rows together."""
    letters: Counter[str] = Counter()
    for part in parts:
        assert part.drawing is not None
        for number, text in enumerate(part.drawing.row_texts()):
            for lit in search.lit(part, number):
                letters.update(text[lit.start : lit.end].replace(" ", ""))
    return letters


def filler(count: int) -> str:
    return "\n\n".join(f"filler{n:02}" for n in range(count))


async def test_all_matches_are_counted_and_lit_whatever_their_case() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 20)) as pilot:
        app.transcript.add_message("Model Latency", "the LATENCY of it", kind=MessageKind.USER)
        key = app.transcript.add_message("m", "# Latency\n\n- la*ten*cy", kind=MessageKind.ASSISTANT)
        app.transcript.set_footer(key, "latency 3 ms")
        app.transcript.search("latency")
        await settled(app, pilot)

        assert app.transcript.search_state == SearchState(text="latency", current=None, total=5)
        assert lit_on_screen(app.transcript) == ["Latency", "LATENCY", "Latency", "latency", "latency"]
        assert app.states[-1] == app.transcript.search_state


async def test_the_current_match_looks_different_and_is_marked_in_the_margin() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 20)) as pilot:
        app.transcript.add_message("You", "one word\ntwo words", kind=MessageKind.USER)
        app.transcript.search("word")
        app.transcript.search_next()
        await settled(app, pilot)
        assert lit_on_screen(app.transcript, "match-current") == ["word"]
        assert row_of_current(app.transcript) == "one word"

        app.transcript.search_next()
        assert row_of_current(app.transcript) == "two words"
        assert app.transcript.search_state.current == 1


async def test_stepping_goes_around_both_ends() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 20)):
        app.transcript.add_message("You", "a hit\nno\na hit hit", kind=MessageKind.USER)
        app.transcript.search("hit")
        currents = []
        for _ in range(4):
            app.transcript.search_next()
            currents.append(app.transcript.search_state.current)
        for _ in range(2):
            app.transcript.search_previous()
            currents.append(app.transcript.search_state.current)

        assert currents == [0, 1, 2, 0, 2, 1]


async def test_the_first_step_begins_at_what_is_in_view() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        text = "\n".join(f"hit{n:02}" for n in range(60))
        app.transcript.add_message("You", text, kind=MessageKind.USER)
        await settled(app, pilot)
        app.transcript.scroll_to(y=21, animate=False)
        app.transcript.search("hit")
        app.transcript.search_next()
        assert row_of_current(app.transcript) == "hit20"

        app.transcript.search("hi")
        app.transcript.search_previous()
        assert row_of_current(app.transcript) == "hit31"


async def test_a_match_far_away_is_scrolled_to_and_its_message_gets_the_cursor() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        first = app.transcript.add_message("You", "a needle", kind=MessageKind.USER)
        app.transcript.add_message("m", filler(100), kind=MessageKind.ASSISTANT)
        app.transcript.search("needle")
        app.transcript.search_next()
        await settled(app, pilot)

        assert row_of_current(app.transcript) == "a needle"
        assert app.transcript.cursor_key == first
        assert not app.transcript.follows


async def test_what_a_fold_hides_is_found_and_unfolded_when_it_is_gone_to() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        key = app.transcript.begin_answer("m")
        app.transcript.append_reasoning(key, "\n".join(f"thought{n}" for n in range(20)))
        app.transcript.append(key, filler(30) + " needle")
        app.transcript.finish_answer(key)
        app.transcript.set_folded(key, True)
        app.transcript.set_reasoning_folded(key, True)
        await settled(app, pilot)
        app.transcript.search("needle")
        app.transcript.search_next()
        assert not app.transcript.is_folded(key)
        assert app.transcript.is_reasoning_folded(key)
        assert row_of_current(app.transcript) == "filler29 needle"

        app.transcript.search("thought7")
        app.transcript.search_next()
        assert not app.transcript.is_reasoning_folded(key)
        assert row_of_current(app.transcript) == "thought7"


async def test_a_match_that_is_wrapped_is_lit_on_both_rows_of_the_screen() -> None:
    app = TranscriptApp()
    words = " ".join(f"word{n:02}" for n in range(20))

    async with app.run_test(size=(24, 20)) as pilot:
        app.transcript.add_message("You", words, kind=MessageKind.USER)
        await settled(app, pilot)
        app.transcript.search("word02 word03")
        await looked_through(app, pilot)

        assert rows_on_screen(app.transcript)[1:3] == ["word00 word01 word02", "word03 word04 word05"]
        assert lit_on_screen(app.transcript) == ["word02", "word03"]


@pytest.mark.parametrize("width", [13, 17, 24, 40, 71])
def test_a_match_is_found_and_lit_wherever_its_line_is_wrapped(width: int) -> None:
    words = " ".join(f"word{n:02}" for n in range(40))
    text = f"{words}\n\n> - {words}\n\n1. {words}\n\n| a | b |\n|---|---|\n| {words} | {words} |\n"
    painter = plain_painter(width)
    parts = parts_of(text, BlockKind.MARKDOWN)
    for part in parts:
        painter.draw(part)
    search = Search()

    found = {}
    for n in range(39):
        search.begin(f"word{n:02} word{n + 1:02}", parts)
        search.read_on(math.inf)
        found[n] = (search.state.total, lit_letters(search, parts))

    assert found == {n: (5, Counter(f"word{n:02}word{n + 1:02}" * 5)) for n in range(39)}


async def test_a_word_that_is_cut_is_found() -> None:
    app = TranscriptApp()
    word = "".join(chr(ord("a") + n % 26) for n in range(60))

    async with app.run_test(size=(30, 20)) as pilot:
        app.transcript.add_message("m", f"`{word}`\n\n```\n{word}\n```\n", kind=MessageKind.ASSISTANT)
        app.transcript.search("xyzabc")
        await settled(app, pilot)

        assert app.transcript.search_state.total == 4
        assert "".join(lit_on_screen(app.transcript)) == "xyzabc" * 4


async def test_a_match_over_the_seam_of_two_pieces_of_one_line_is_found() -> None:
    app = TranscriptApp()
    words = " ".join(f"w{n:05}" for n in range(5_000))

    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.add_message("m", words, kind=MessageKind.ASSISTANT)
        app.transcript.search("w")
        await settled(app, pilot)
        assert app.transcript.search_state.total == 5_000
        # A piece has 585 words.
        for n in (583, 584, 585, 1_169, 1_754, 2_339):
            app.transcript.search(f"w{n:05} w{n + 1:05}")
            await looked_through(app, pilot)
            assert app.transcript.search_state.total == 1
            app.transcript.search_next()
            assert lit_on_screen(app.transcript, "match-current")


@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_match_over_the_seam_is_found_whichever_half_is_drawn_first(is_reversed: bool) -> None:
    painter = plain_painter(60)
    parts = parts_of(" ".join(f"w{n:05}" for n in range(2_000)), BlockKind.PLAIN)
    search = Search()

    search.begin("w00584 w00585", ())
    for part in reversed(parts) if is_reversed else parts:
        painter.draw(part)
        search.update(part)

    assert search.state.total == 1


def test_a_search_comes_to_its_end_on_a_machine_that_never_has_time_for_it() -> None:
    painter = plain_painter(60)
    parts = parts_of(" ".join(f"w{n:05}" for n in range(2_000)), BlockKind.PLAIN)
    for part in parts:
        painter.draw(part)
    search = Search()

    search.begin("w0", parts)
    for _ in parts:
        search.read_on(-math.inf)

    assert (search.state.total, search.has_unread) == (2_000, False)


async def test_matches_of_what_streams_are_counted_with_the_flush_that_shows_them() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)):
        key = app.transcript.begin_answer("m")
        app.transcript.search("token")
        app.transcript.append(key, "a token and half a tok")
        app.transcript.flush()
        assert app.transcript.search_state.total == 1

        app.transcript.append(key, "en, and more **to**ken")
        app.transcript.flush()
        assert app.transcript.search_state.total == 3


async def test_the_count_stays_right_while_text_streams_in_chunks_and_is_wrapped_anew() -> None:
    app = TranscriptApp()
    chance = random.Random(4)
    words = ["alpha", "beta", "alphabet", "\n\n- ", "\n\n", " ", "**alpha**", "`alpha`"]
    text = " ".join(chance.choice(words) for _ in range(400))

    async with app.run_test(size=(40, 12)) as pilot:
        key = app.transcript.begin_answer("m")
        app.transcript.search("alpha")
        for start in range(0, len(text), 37):
            app.transcript.append(key, text[start : start + 37])
            app.transcript.flush()
        app.transcript.finish_answer(key)
        await settled(app, pilot)
        assert app.transcript.search_state.total == len(re.findall("alpha", text))

        await pilot.resize_terminal(66, 12)
        await settled(app, pilot)
        assert app.transcript.search_state.total == len(re.findall("alpha", text))


async def test_the_current_match_stays_the_same_while_others_come_and_go_around_it() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        first = app.transcript.add_message("hit", "hit", kind=MessageKind.USER)
        app.transcript.add_message("You", "the hit", kind=MessageKind.USER)
        answer = app.transcript.add_message("hit", "hit", kind=MessageKind.ASSISTANT)
        app.transcript.search("hit")
        for _ in range(3):
            app.transcript.search_next()
        assert app.transcript.search_state == SearchState(text="hit", current=2, total=5)

        app.transcript.set_heading(first, "other")
        app.transcript.set_footer(first, "hit hit")
        app.transcript.remove_from(answer)
        await settled(app, pilot)
        assert app.transcript.search_state == SearchState(text="hit", current=3, total=4)
        assert row_of_current(app.transcript) == "the hit"


async def test_a_removed_message_takes_its_matches_along() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)):
        app.transcript.add_message("You", "hit", kind=MessageKind.USER)
        key = app.transcript.add_message("You", "hit hit", kind=MessageKind.USER)
        app.transcript.search("hit")
        app.transcript.search_previous()
        app.transcript.remove_from(key)
        assert app.transcript.search_state == SearchState(text="hit", current=None, total=1)

        app.transcript.clear()
        assert app.transcript.search_state == SearchState(text="hit", current=None, total=0)
        app.transcript.search_next()
        assert app.transcript.search_state.current is None


async def test_nothing_is_lit_or_marked_once_the_search_is_over() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.focus()
        app.transcript.add_message("You", "hit", kind=MessageKind.USER)
        app.transcript.search("hit")
        await pilot.press("n")
        app.transcript.clear_search()
        await settled(app, pilot)

        assert app.transcript.search_state == SearchState(text="", current=None, total=0)
        assert lit_on_screen(app.transcript) == []
        assert lit_on_screen(app.transcript, "match-current") == []
        assert app.states[-1] == app.transcript.search_state


@pytest.mark.parametrize("text", [".*", "a(b", "[x]", "\\d", "a+b"])
async def test_signs_of_patterns_are_looked_for_as_they_are(text: str) -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)):
        app.transcript.add_message("You", f"see {text} here 1 aab", kind=MessageKind.USER)
        app.transcript.search(text)

        assert app.transcript.search_state.total == 1


async def test_white_space_alone_is_nothing_to_look_for() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)):
        app.transcript.add_message("You", "some words", kind=MessageKind.USER)
        app.transcript.search("  ")

        assert app.transcript.search_state == SearchState(text="", current=None, total=0)


async def test_matches_in_text_that_was_never_drawn_are_found_in_the_end() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        with app.transcript.arranged_once():
            for n in range(60):
                app.transcript.add_message(f"m{n}", filler(10) + " needle", kind=MessageKind.ASSISTANT)
        app.transcript.search("needle")
        assert app.transcript.search_state.total < 60
        await settled(app, pilot)

        assert app.transcript.search_state.total == 60


async def test_a_flush_looks_through_what_changed_only() -> None:
    app = TranscriptApp()

    async with app.run_test(size=(60, 12)) as pilot:
        for n in range(50):
            app.transcript.add_message(f"m{n}", filler(10), kind=MessageKind.ASSISTANT)
        key = app.transcript.begin_answer("m")
        app.transcript.search("filler")
        await settled(app, pilot)
        before = app.transcript.drawings
        for _ in range(10):
            app.transcript.append(key, " filler")
            app.transcript.flush()

        assert app.transcript.search_state.total == 510
        assert app.transcript.drawings - before == 10

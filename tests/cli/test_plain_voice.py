"""How plain mode writes: in phrases, in whole lines, and nothing that a terminal obeys."""

import asyncio
import io
from collections.abc import Sequence

import pytest

from foundry_tui.cli.plain_input import Lines
from foundry_tui.cli.plain_voice import Busy, Phrases, Voice
from foundry_tui.domain.text import clean_text
from tests.cli.plain_sitting import Keyboard, Paper


class Writes(io.StringIO):
    """Keeps each write apart."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def write(self, text: str, /) -> int:
        self.pieces.append(text)
        return super().write(text)


def streamed(pieces: Sequence[str], *, whole: bool = True) -> list[str]:
    """What is written for an answer that comes in ``pieces``."""
    output = Writes()
    phrases = Phrases(Voice(output, prompts=False), whole=whole)
    for piece in pieces:
        phrases.take(piece)
    phrases.end()
    return output.pieces


@pytest.mark.parametrize(
    ("pieces", "written"),
    [
        (["One", " two. Th", "ree"], ["One two. ", "Three", "\n"]),
        (["a\nb", "\n"], ["a\n", "b\n"]),
        (['He said "no." Then', "."], ['He said "no." ', "Then.", "\n"]),
        (["1. Paris is 3.5 ", "long! x"], ["1. Paris is 3.5 long! ", "x", "\n"]),
        (["完。了", "吗"], ["完。", "了吗", "\n"]),
        (["a\r", "\nb"], ["a\n", "b", "\n"]),
        ([], []),
    ],
)
def test_an_answer_is_written_at_the_ends_of_lines_and_sentences(
    pieces: list[str], written: list[str]
) -> None:
    assert streamed(pieces) == written


def test_a_sentence_without_an_end_is_not_waited_for_for_ever() -> None:
    written = streamed(["word " * 100, "x" * 500])

    assert written[0] == "word " * 100
    assert written[1] == "x" * 500


def test_without_phrases_each_piece_is_written_as_it_comes() -> None:
    assert streamed(["On", "e. T", "wo\r", "\n"], whole=False) == ["On", "e. T", "wo", "\n"]


@pytest.mark.parametrize("whole", [True, False])
def test_marks_in_pieces_build_no_tower_and_controls_in_pieces_no_sequence(whole: bool) -> None:
    pieces = ["a", *["\u0301"] * 40, "b\x1b", "[31m", "\x9b", "\u202e", "\r", "\n", "\r", "c"]

    written = "".join(streamed(pieces, whole=whole))

    assert written == clean_text("".join(pieces)) + "\n"
    assert "\u0301" * 6 not in written


def test_a_line_said_in_mid_answer_stands_on_its_own() -> None:
    output = io.StringIO()
    voice = Voice(output, prompts=True)

    voice.go_on("So far")
    voice.say("Something else.")
    voice.go_on("and more")
    voice.end_line()

    assert output.getvalue() == "So far\nSomething else.\nand more\n"


def test_a_line_said_at_the_prompt_brings_the_prompt_back() -> None:
    output = io.StringIO()
    voice = Voice(output, prompts=True)

    voice.prompt()
    voice.say("News.")
    voice.line_was_read()
    voice.say("Answer.")

    assert output.getvalue() == "> \nNews.\n> Answer.\n"


async def test_busy_words_come_ever_less_often_and_end_with_the_block() -> None:
    output = Paper(is_terminal=False)
    loop = asyncio.get_running_loop()

    with Busy(Voice(output, prompts=False), "Loading", first_s=0.001) as busy:
        begun_s = loop.time()
        async for _ in output.length.watch():
            if output.getvalue().count("\n") == 4:
                break
        took_s = loop.time() - begun_s
        busy.now("Waiting")
    told = output.getvalue()
    await asyncio.sleep(0)

    assert took_s >= 0.001 + 0.002 + 0.004 + 0.008
    assert all(line.startswith("Loading, ") and line.endswith(" so far.") for line in told.splitlines())
    assert output.getvalue() == told


async def test_lines_come_without_their_ends_and_none_is_the_end() -> None:
    lines = Lines(io.StringIO("one\r\n\ntwo"))

    assert [await lines.next() for _ in range(5)] == ["one", "", "two", None, None]
    assert not lines.is_terminal


async def test_a_line_that_nobody_waited_for_any_more_goes_to_the_next_who_asks() -> None:
    keyboard = Keyboard()
    lines = Lines(keyboard)
    waiting = asyncio.ensure_future(lines.next())
    await asyncio.sleep(0)  # it begins to wait

    waiting.cancel()
    await asyncio.wait([waiting])
    keyboard.type("late")

    assert await lines.next() == "late"

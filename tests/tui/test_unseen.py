"""The screen that nobody sees, drawn while the self-test measures."""

import asyncio
import io
import sys

import pytest

from foundry_tui.domain.chat import ChunkReceived, ClockRead, GenerationFinished, Moment, Outcome
from foundry_tui.tui.unseen import unseen_drawing

MS = 1_000_000
WAIT_S = 10


class Screen:
    """What was written, and whether a word was among it yet."""

    def __init__(self, word: str) -> None:
        self._word = word
        self.is_seen = asyncio.Event()
        self.writes = 0

    def write(self, data: str) -> None:
        self.writes += 1
        if self._word in data:
            self.is_seen.set()


async def test_what_is_shown_is_made_into_what_a_terminal_understands() -> None:
    screen = Screen("ephemeral")

    async with asyncio.timeout(WAIT_S), unseen_drawing(screen.write) as drawing:
        drawing.show(ClockRead(moment=Moment.CALL, at_ns=0))
        drawing.show(ClockRead(moment=Moment.SENT, at_ns=MS))
        drawing.show(ChunkReceived(at_ns=2 * MS, text="ephemeral", read=1))
        await screen.is_seen.wait()

        assert drawing.frames == screen.writes


async def test_one_answer_follows_the_other() -> None:
    screen = Screen("second")

    async with asyncio.timeout(WAIT_S), unseen_drawing(screen.write) as drawing:
        for text in ("first", "second"):
            drawing.show(ClockRead(moment=Moment.CALL, at_ns=0))
            drawing.show(ChunkReceived(at_ns=2 * MS, text=text, read=1))
            drawing.show(GenerationFinished(outcome=Outcome.COMPLETED, finish_reason="stop", end_ns=3 * MS))
        await screen.is_seen.wait()


async def test_the_real_terminal_gets_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(sys, "__stdout__", terminal)
    monkeypatch.setattr(sys, "__stderr__", terminal)
    screen = Screen("word")

    async with asyncio.timeout(WAIT_S), unseen_drawing(screen.write) as drawing:
        drawing.show(ClockRead(moment=Moment.CALL, at_ns=0))
        drawing.show(ChunkReceived(at_ns=2 * MS, text="word", read=1))
        await screen.is_seen.wait()

    assert terminal.getvalue() == ""


async def test_an_error_inside_ends_the_screen_too() -> None:
    with pytest.raises(ZeroDivisionError):
        async with asyncio.timeout(WAIT_S), unseen_drawing():
            raise ZeroDivisionError

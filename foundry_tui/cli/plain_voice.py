"""What plain mode writes: lines that are complete in themselves, and nothing that a terminal obeys."""

import asyncio
import re
from contextlib import suppress
from time import perf_counter_ns
from types import TracebackType
from typing import Self, TextIO

from foundry_tui.cli.plain_words import duration_words
from foundry_tui.domain.text import clean_text

__all__ = ["Busy", "Phrases", "Voice"]

_PROMPT = "> "
# A sentence that gets longer than this is not waited for.
_PHRASE_CHARACTERS = 400
# The end of a line or of a sentence; the number before a list's entry ends none.
_END = re.compile(r".*(?:\n|(?:(?<!\d)\.|[!?…])[\"')\]*_”’»]*\s|[。！？])", re.DOTALL)
# More than a base with all the marks that cleaning leaves on it.
_TAIL_CHARACTERS = 16
_LONGEST_PAUSE_S = 30.0


class Voice:
    """Writes to a text stream, cleaning whatever it is given.

    Args:
        output: Its encoding must not refuse characters.
        prompts: Whether a prompt shows that a line is awaited.
    """

    def __init__(self, output: TextIO, *, prompts: bool) -> None:
        self._output = output
        self._prompts = prompts
        self._is_at_prompt = False
        self._is_mid_line = False
        self._tail = ""

    def say(self, text: str) -> None:
        """Write ``text`` as lines of their own; a prompt that stands open is written again below them."""
        was_at_prompt = self._is_at_prompt
        self.end_line()
        self._write(clean_text(text) + "\n")
        if was_at_prompt:
            self.prompt()

    def prompt(self) -> None:
        """Show that a line is awaited."""
        self.end_line()
        if self._prompts:
            self._write(_PROMPT)
            self._is_at_prompt = True

    def line_was_read(self) -> None:
        """The user has ended the line that the prompt stands on."""
        self._is_at_prompt = False

    def key_was_echoed(self) -> None:
        """The terminal itself has written something, as it does for Ctrl+C."""
        self._is_mid_line = self._is_mid_line or self._prompts

    def go_on(self, text: str) -> None:
        """Write part of an answer, which goes on where the part before it ended."""
        if self._is_at_prompt:
            self.end_line()
        # Marks count from their base, which may have come with the part before.
        shown = clean_text(self._tail + text)[len(self._tail) :]
        if shown:
            self._tail = (self._tail + shown)[-_TAIL_CHARACTERS:]
            self._write(shown)
            self._is_mid_line = not shown.endswith("\n")

    def end_line(self) -> None:
        """Let what is written next stand on a line of its own."""
        if self._is_mid_line or self._is_at_prompt:
            self._write("\n")
        self._is_mid_line = self._is_at_prompt = False
        self._tail = ""

    def _write(self, text: str) -> None:
        self._output.write(text)
        self._output.flush()


class Phrases:
    """An answer as it streams, written a phrase at a time, or piece by piece if ``whole`` is False."""

    def __init__(self, voice: Voice, *, whole: bool) -> None:
        self._voice = voice
        self._whole = whole
        self._held = ""

    def take(self, text: str) -> bool:
        """Add a piece; whether anything was written."""
        self._held += text
        end = self._end() if self._whole else len(self._held)
        if self._held[:end].endswith("\r"):
            end -= 1  # the line feed that belongs to it may follow
        return self._let_out(end)

    def end(self) -> None:
        """Write what is left, and end its line."""
        self._let_out(len(self._held))
        self._voice.end_line()

    def _end(self) -> int:
        match = _END.match(self._held)
        if match is not None:
            return match.end()
        if len(self._held) <= _PHRASE_CHARACTERS:
            return 0
        return self._held.rfind(" ") + 1 or len(self._held)

    def _let_out(self, end: int) -> bool:
        text, self._held = self._held[:end], self._held[end:]
        if text:
            self._voice.go_on(text)
        return bool(text)


class Busy:
    """Says now and then, ever less often, what takes its time, for the length of a ``with`` block."""

    def __init__(self, voice: Voice, words: str, *, first_s: float) -> None:
        self._voice = voice
        self._words = words
        self._first_s = first_s
        self._timer: asyncio.TimerHandle | None = None
        self._begun_ns = 0

    @property
    def words(self) -> str:
        """What takes its time."""
        return self._words

    def now(self, words: str) -> None:
        """Something else has begun."""
        self._words = words
        self._begin()

    def note(self, words: str) -> None:
        """What is under way is so far by now; said when it is due."""
        self._words = words

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _begin(self) -> None:
        self._begun_ns = perf_counter_ns()
        self._wait(self._first_s)

    def _wait(self, pause_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(pause_s, self._tell, pause_s)

    def _tell(self, pause_s: float) -> None:
        elapsed = duration_words((perf_counter_ns() - self._begun_ns) / 1e9)
        with suppress(BrokenPipeError):  # whoever writes next is told
            self._voice.say(f"{self._words}, {elapsed} so far.")
        self._wait(min(2 * pause_s, _LONGEST_PAUSE_S))

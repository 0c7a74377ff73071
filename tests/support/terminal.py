"""A program in a real pseudo-terminal, and what a terminal would show of it."""

import subprocess
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager

import pyte

from tests.support.recorder import SOON_S, Recorder, running, set_size

__all__ = ["SOON_S", "Terminal", "terminal"]


class Terminal(Recorder):
    """Draws what the program writes and answers none of its queries."""

    def __init__(self, process: "subprocess.Popen[bytes]", master: int, size: tuple[int, int]) -> None:
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        super().__init__(process, master)

    @property
    def text(self) -> str:
        """The screen as it stands, line by line."""
        with self._changed:
            return self._text()

    def resize(self, columns: int, lines: int) -> None:
        """Change the size, of which the kernel tells the program."""
        with self._changed:
            self._screen.resize(lines, columns)
        set_size(self._master, (columns, lines))

    def shows(self, *texts: str) -> str:
        """Wait until all of ``texts`` stand on the screen at once, and return that screen.

        Raises:
            AssertionError: They never did; says what was on the screen at the end.
        """
        return self.shows_what(lambda screen: all(text in screen for text in texts), " with ".join(texts))

    def shows_what(self, holds: Callable[[str], bool], wanted: str) -> str:
        """Wait for a screen of which something holds, and return it.

        Raises:
            AssertionError: There was none; says what was on the screen at the end.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._has_ended or holds(self._text()), SOON_S)
            screen = self._text()
        assert holds(screen), f"no {wanted} came:\n{screen}"
        return screen

    def _text(self) -> str:
        return "\n".join(self._screen.display)

    def _take(self, data: bytes) -> None:
        self._stream.feed(data)


@contextmanager
def terminal(
    command: Sequence[str], *, environment: Mapping[str, str], size: tuple[int, int] = (120, 40)
) -> Generator[Terminal, None, None]:
    """Run ``command`` in a terminal that is drawn, for the length of the block."""
    with running(
        command,
        environment=environment,
        size=size,
        make=lambda process, master: Terminal(process, master, size),
    ) as opened:
        yield opened

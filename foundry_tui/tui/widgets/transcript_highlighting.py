"""Colours for code, found beside the event loop and put in once they are there."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterable, Sequence

from foundry_tui.tui.widgets.markdown_code import Shades
from foundry_tui.tui.widgets.transcript_messages import Part

__all__ = ["Highlighting"]


class Highlighting:
    """The parts that were drawn with plain code, until their colours are known.

    Colours change no width: a part that is drawn again with them has the same rows as before.
    """

    def __init__(self) -> None:
        self._wanted: dict[Part, None] = {}
        self._is_working = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left to do."""
        return not self._wanted and not self._is_working

    def want(self, parts: Iterable[Part]) -> bool:
        """Ask for the colours of ``parts``; True if somebody has to begin to read ``lit``."""
        self._wanted.update(dict.fromkeys(parts))
        if self._is_working or not self._wanted:
            return False
        self._is_working = True
        return True

    def forget(self, parts: Iterable[Part]) -> None:
        """``parts`` are gone."""
        for part in parts:
            self._wanted.pop(part, None)

    async def lit(self) -> AsyncGenerator[Part, None]:
        """Find the colours of all parts that are wanted, and give out each part that has got its own.

        Leaving it early lets the thread end with the next word of the code.
        """
        given_up = threading.Event()
        try:
            while self._wanted:
                part = next(reversed(self._wanted))  # what came into view last
                del self._wanted[part]
                source, drawing = part.source, part.drawing
                # Out of view again: it is asked for once more when somebody scrolls back.
                if drawing is None or drawing.rows is None:
                    continue
                shades = await asyncio.to_thread(_shades, drawing.unlit, given_up)
                if part.source is source:
                    part.shades = {**(part.shades or {}), **shades}
                    yield part
        finally:
            given_up.set()
            self._is_working = False


def _shades(codes: Sequence[tuple[str, str]], given_up: threading.Event) -> dict[tuple[str, str], Shades]:
    # Pygments has no place before the first frame, nor on the event loop.
    from foundry_tui.tui.widgets.markdown_shades import shades_of

    return {(language, code): shades_of(language, code, given_up) for language, code in codes}

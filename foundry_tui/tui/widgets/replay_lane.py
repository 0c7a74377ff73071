"""The way of a recorded answer from its begin to its end, with its halts, and where the player is."""

from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from foundry_tui.metrics.replay import Replay

__all__ = ["ReplayLane"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signs:
    """One cell each; ``play`` and ``rest`` say what a click on them does not: what goes on now."""

    play: str
    rest: str
    wait: str
    text: str
    stall: str
    halt: str
    cursor: str


_GRAPHIC = _Signs(play="▶", rest="‖", wait="┄", text="━", stall="╳", halt="╌", cursor="●")
_PLAIN = _Signs(play=">", rest="=", wait=".", text="-", stall="!", halt="~", cursor="O")
_SIGN_CELLS = 2
"""The sign for playing and the space behind it."""


class ReplayLane(Widget):
    """One row: whether it plays, then the time line, dots before the first text, a cross where a halt begins.

    A click or a drag on it asks for that moment, one on the sign at its left to play or to rest.

    Attributes:
        at_ns: Where the player is.
        is_playing: Whether it moves.
        plain: ASCII and no colour.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"replay-lane--{name}" for name in ("sign", "past", "future", "stall", "cursor")
    }
    DEFAULT_CSS = """
    ReplayLane {
        height: 1;
        background: $surface;
        color: $foreground;
        & > .replay-lane--sign { color: $text-accent; text-style: bold; }
        & > .replay-lane--past { color: $text-primary; }
        & > .replay-lane--future { color: $text-muted; }
        & > .replay-lane--stall { color: $text-error; text-style: bold; }
        & > .replay-lane--cursor { color: $text-accent; text-style: bold; }
    }
    """

    at_ns: reactive[int] = reactive(0)
    is_playing: reactive[bool] = reactive(False)
    plain: reactive[bool] = reactive(False)

    @dataclass
    class Sought(Message):
        """The user pointed at a moment."""

        lane: "ReplayLane"
        at_ns: int

    @dataclass
    class Toggled(Message):
        """The user asked it to play, or to rest."""

        lane: "ReplayLane"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._replay: Replay | None = None
        self._is_dragged = False

    def show(self, replay: Replay) -> None:
        """Draw the way of this one, from its begin."""
        self._replay = replay
        self.at_ns = 0
        self.refresh()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Play or rest; or go to what is under the mouse, and follow it."""
        if event.button != 1:
            return
        event.stop()
        if event.x < _SIGN_CELLS:
            self.post_message(self.Toggled(self))
            return
        self._is_dragged = True
        self.capture_mouse()
        self._seek(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Go where it is drawn."""
        if self._is_dragged:
            event.stop()
            self._seek(event.x)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Stay there."""
        if self._is_dragged:
            event.stop()
            self._is_dragged = False
            self.release_mouse()

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        signs = _PLAIN if self.plain else _GRAPHIC
        parts = [(signs.play if self.is_playing else signs.rest, "sign"), (" ", "future")]
        parts += self._line(signs, max(0, width - _SIGN_CELLS))
        runs = groupby(parts, lambda part: part[1])
        segments = [Segment("".join(text for text, _ in run), self._style(name)) for name, run in runs]
        return Strip(segments).crop_extend(0, width, self.rich_style)

    def _line(self, signs: _Signs, cells: int) -> list[tuple[str, str]]:
        replay = self._replay
        if replay is None or not cells:
            return []
        at = self._cell(self.at_ns, cells)
        first_ns = replay.length_ns if replay.first_ns is None else replay.first_ns
        first = self._cell(first_ns, cells) if first_ns else 0
        line = [
            (signs.wait if cell < first else signs.text, "past" if cell < at else "future")
            for cell in range(cells)
        ]
        for stall in replay.stalls:
            begin, end = self._cell(stall.begin_ns, cells), self._cell(stall.end_ns, cells)
            line[begin : end + 1] = [(signs.stall, "stall"), *[(signs.halt, "stall")] * (end - begin)]
        line[at] = (signs.cursor, "cursor")
        return line

    def _cell(self, at_ns: int, cells: int) -> int:
        length_ns = 0 if self._replay is None else self._replay.length_ns
        return min(cells - 1, at_ns * (cells - 1) // length_ns) if length_ns else 0

    def _seek(self, x: int) -> None:
        if self._replay is None:
            return
        last = max(1, self.content_size.width - _SIGN_CELLS - 1)
        share = max(0.0, min(1.0, (x - _SIGN_CELLS) / last))
        self.post_message(self.Sought(self, self._replay.share_ns(share)))

    def _style(self, name: str) -> Style:
        return self.rich_style if self.plain else self.get_component_rich_style(f"replay-lane--{name}")

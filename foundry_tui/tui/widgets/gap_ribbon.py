"""The rhythm of an answer: one cell per chunk, as high and as bright as the wait before it was long."""

import os
from dataclasses import dataclass
from itertools import groupby
from time import perf_counter
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from foundry_tui.domain.chat import ChatEvent
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.gaps import GapTrack
from foundry_tui.tui.widgets.gap_ribbon_words import (
    GRAPHIC,
    PLAIN,
    Alphabet,
    Parts,
    chunk_words,
    legends,
    summary_words,
    titled,
)

__all__ = ["GapRibbon"]

_HINT = "the time between tokens shows here"
_WAITING = "waiting for the first chunk"
_DRAW_GAP_S = 0.1
# Cells kept in sight on both sides of a cursor that was moved by a key.
_MARGIN = 8
_LEGEND_GAP = 3
# A full block would leave nothing of the cursor's own colour to be seen.
_UNDER_CURSOR = {"█": "▇"}
# Rising contrast on either ground, and luminance alone tells the classes apart; blue is quick, yellow slow.
_ON_DARK = ("#6f9ae0", "#7fa3cf", "#8fadc0", "#a2b8ae", "#b9c39a", "#d2cf82", "#eadb66", "#ffe945")
_ON_LIGHT = ("#2f6fc0", "#1f6a9c", "#1c627a", "#24595c", "#354f3d", "#454421", "#43360a", "#2e1f00")
# What the ground is like is the terminal's secret in these themes: only its own ink is sure to be seen.
_ON_UNKNOWN = ("ansi_default",) * 8


def _scale_css(ground: str, colors: tuple[str, ...]) -> str:
    return "\n".join(
        f"GapRibbon:{ground} > .gap-ribbon--class-{grade} {{ color: {color}; }}"
        for grade, color in enumerate(colors)
    )


class GapRibbon(Widget, can_focus=True):
    """Shows the gaps of one answer, while it streams or from its record; the same cells either way.

    The first row is the ribbon: ``T`` for the first chunk, then the height of each gap's class, made of dots
    before reasoning, with marks for a stall and for a chunk that came in one socket read with the one before.
    The second row says the same in words: of the chunk under the cursor, or of all.

    Without a cursor the newest chunks are in sight.  With one, the view stays where it is.

    Attributes:
        plain: ASCII and no colour; set by itself for NO_COLOR and on a dumb terminal.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"gap-ribbon--class-{grade}" for grade in range(len(_ON_DARK))),
        *(
            f"gap-ribbon--{name}"
            for name in ("cursor", "edge", "first", "hint", "legend", "same-read", "stall", "words")
        ),
    }
    DEFAULT_CSS = f"""
    GapRibbon {{
        height: 2;
        background: $surface;
        color: $foreground;
        & > .gap-ribbon--first {{ color: $text-accent; text-style: bold; }}
        & > .gap-ribbon--stall {{ color: $text-error; text-style: bold; }}
        & > .gap-ribbon--same-read {{ color: $text-muted; }}
        & > .gap-ribbon--edge {{ color: $text-muted; }}
        & > .gap-ribbon--hint {{ color: $text-muted; }}
        & > .gap-ribbon--legend {{ color: $text-muted; }}
        & > .gap-ribbon--cursor {{
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
        }}
        &:focus {{ background-tint: $foreground 5%; }}
        &:focus > .gap-ribbon--cursor {{
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: bold;
        }}
    }}
    {_scale_css("dark", _ON_DARK)}
    {_scale_css("light", _ON_LIGHT)}
    {_scale_css("ansi", _ON_UNKNOWN)}
    GapRibbon:ansi > .gap-ribbon--cursor {{
        color: ansi_default;
        background: ansi_default;
        text-style: reverse;
    }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move_by(-1)", "Chunk before", show=False, id="ribbon.left"),
        Binding("right", "move_by(1)", "Chunk after", show=False, id="ribbon.right"),
        Binding("shift+left,ctrl+left", "move_by(-10)", "Ten before", show=False, id="ribbon.left_ten"),
        Binding("shift+right,ctrl+right", "move_by(10)", "Ten after", show=False, id="ribbon.right_ten"),
        Binding("home", "move_first", "First chunk", show=False, id="ribbon.first"),
        Binding("end", "move_last", "Last chunk", show=False, id="ribbon.last"),
        Binding("n", "next_stall", "Next stall", id="ribbon.next_stall"),
        Binding("N", "previous_stall", "Stall before", show=False, id="ribbon.previous_stall"),
        Binding("enter", "toggle_cursor", "Cursor on/off", id="ribbon.cursor"),
        Binding("p", "toggle_plain", "Plain signs", show=False, id="ribbon.plain"),
    ]

    plain: reactive[bool] = reactive(False)

    @dataclass
    class CursorMoved(Message):
        """The cursor came to stand on another chunk.

        Attributes:
            index: Its place among the chunks of the answer; None where there is no cursor any more.
        """

        ribbon: "GapRibbon"
        index: int | None

        @property
        def control(self) -> "GapRibbon":
            """The ribbon, for ``@on`` with a selector."""
            return self.ribbon

    def __init__(
        self,
        *,
        empty_hint: str = _HINT,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._empty_hint = empty_hint
        self._title = ""
        self._track: GapTrack | None = None
        self._trace: GenerationTrace | None = None
        self._is_live = False
        self._cursor: int | None = None
        self._first = 0
        self._timer: Timer | None = None
        self._next_draw_s = 0.0

    @property
    def cursor(self) -> int | None:
        """Place of the chunk under the cursor; None while all are looked at."""
        return self._cursor

    @property
    def is_live(self) -> bool:
        """Whether events are taken: from ``begin`` to whatever is shown next."""
        return self._is_live

    @property
    def is_idle(self) -> bool:
        """Whether everything that arrived is drawn and no timer runs."""
        return self._timer is None

    def show_trace(self, trace: GenerationTrace | None, title: str = "") -> None:
        """Show a recorded answer, with ``title`` before its words; None shows the hint again.

        The trace that is shown already keeps its cursor.
        """
        if trace is None or trace is not self._trace:
            self._show(None if trace is None else GapTrack.of(trace), title)
        self._trace = trace
        self._title = title
        self.refresh()

    def begin(self, title: str = "") -> None:
        """Show an answer that is about to stream."""
        self._show(GapTrack(), title)
        self._is_live = True

    def observe(self, event: ChatEvent) -> None:
        """Take one event of the answer that was begun.  Only keeps it: the drawing follows within 100 ms.

        What comes when nothing was begun, or late, is dropped: a stream may end after the wish to see it.
        """
        if self._is_live and self._track is not None:
            self._track.observe(event)
            self._wake()

    def finish(self, trace: GenerationTrace) -> None:
        """Show the record of the answer that streamed; title and cursor stay."""
        cursor = self._cursor
        self._track = GapTrack.of(trace)
        self._trace = trace
        self._is_live = False
        self.move_cursor(cursor if cursor is not None and cursor < len(trace.chunks) else None)
        self.refresh()

    def clear(self) -> None:
        """Show the hint."""
        self.show_trace(None)

    def move_cursor(self, index: int | None) -> None:
        """Put the cursor on chunk ``index`` and show it; None takes it away and shows the newest chunks.

        Raises:
            IndexError: There is no such chunk.
        """
        if index is not None and not 0 <= index < self._count:
            raise IndexError(index)
        self._place_cursor(index, margin=_MARGIN)

    def action_move_by(self, chunks: int) -> None:
        """Move the cursor; without one, put it on the newest chunk."""
        if self._count:
            last = self._count - 1
            at = last if self._cursor is None else self._cursor + chunks
            self.move_cursor(max(0, min(at, last)))

    def action_move_first(self) -> None:
        """Go to the first chunk."""
        if self._count:
            self.move_cursor(0)

    def action_move_last(self) -> None:
        """Go to the newest chunk."""
        if self._count:
            self.move_cursor(self._count - 1)

    def action_next_stall(self) -> None:
        """Go to the next stall, from the last one to the first."""
        if self._track is not None:
            found = self._track.next_stall(-1 if self._cursor is None else self._cursor)
            self._go_to_stall(self._track.next_stall(-1) if found is None else found)

    def action_previous_stall(self) -> None:
        """Go to the stall before, from the first one to the last."""
        if self._track is not None:
            found = self._track.previous_stall(self._count if self._cursor is None else self._cursor)
            self._go_to_stall(self._track.previous_stall(self._count) if found is None else found)

    def action_toggle_cursor(self) -> None:
        """Take the cursor away, or put it on the newest chunk."""
        if self._cursor is None:
            self.action_move_last()
        else:
            self.move_cursor(None)

    def action_toggle_plain(self) -> None:
        """Change between the two alphabets."""
        self.plain = not self.plain

    def on_mount(self) -> None:
        """Do without signs and colours where they were declined or cannot be drawn."""
        if self.app.no_color or os.environ.get("TERM") == "dumb":
            self.plain = True

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._reveal(_MARGIN)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the cell that was hit."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y != 0 or event.button != 1:
            return
        event.stop()
        first, room = self._window
        column = offset.x - self._edge
        if 0 <= column < room and first + column < self._count:
            self._place_cursor(first + column, margin=0)  # what is under the mouse stays there

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        track = self._track
        parts: Parts
        if track is None or not track.chunks:
            parts = self._empty_row(y, track, width)
        elif y == 0:
            parts = self._ribbon_row(track)
        else:
            parts = self._words_row(track, width)
        styles = {name: self._style(name) for _, name in parts}
        runs = groupby(parts, lambda part: part[1])
        segments = [Segment("".join(text for text, _ in run), styles[name]) for name, run in runs]
        return Strip(segments).crop_extend(0, width, self.rich_style)

    @property
    def _alphabet(self) -> Alphabet:
        return PLAIN if self.plain else GRAPHIC

    @property
    def _count(self) -> int:
        return 0 if self._track is None else len(self._track.chunks)

    @property
    def _edge(self) -> int:
        """Cells on either side that are kept to say that there is more."""
        return 0 if self._count <= self.content_size.width else 1

    @property
    def _window(self) -> tuple[int, int]:
        """The first chunk in sight, and for how many there is room."""
        room = max(1, self.content_size.width - 2 * self._edge)
        newest = max(0, self._count - room)
        return (newest if self._cursor is None else min(self._first, newest)), room

    def _show(self, track: GapTrack | None, title: str) -> None:
        self._is_live = False
        self._trace = None
        self._track = track
        self._title = title
        self.move_cursor(None)
        self.refresh()

    def _go_to_stall(self, index: int | None) -> None:
        if index is None:
            self.app.bell()
        else:
            self.move_cursor(index)

    def _place_cursor(self, index: int | None, *, margin: int) -> None:
        if self._cursor is None:
            self._first = self._window[0]
        if index != self._cursor:
            self._cursor = index
            self.post_message(self.CursorMoved(self, index))
            self.refresh()
        self._reveal(margin)

    def _reveal(self, margin: int) -> None:
        if self._cursor is None:
            return
        _, room = self._window
        margin = min(margin, (room - 1) // 2)
        first = max(self._cursor - room + 1 + margin, min(self._first, self._cursor - margin))
        self._first = max(0, min(first, self._count - room))

    def _wake(self) -> None:
        if self._timer is None and self.is_running:
            delay_s = max(0.001, self._next_draw_s - perf_counter())
            self._timer = self.set_timer(delay_s, self._draw)

    def _draw(self) -> None:
        self._timer = None
        self._next_draw_s = perf_counter() + _DRAW_GAP_S
        self.refresh()

    def _style(self, name: str) -> Style:
        if self.plain:
            return self.rich_style + Style(reverse=name == "cursor")
        return self.get_component_rich_style(f"gap-ribbon--{name}")

    def _ribbon_row(self, track: GapTrack) -> Parts:
        first, room = self._window
        stop = min(first + room, self._count)
        alphabet = self._alphabet
        cells = [alphabet.cell(track, index) for index in range(first, stop)]
        if self._cursor is not None and first <= self._cursor < stop:
            glyph, _ = cells[self._cursor - first]
            cells[self._cursor - first] = (_UNDER_CURSOR.get(glyph, glyph), "cursor")
        if not self._edge:
            return cells
        left = alphabet.more_left if first else " "
        right = alphabet.more_right if stop < self._count else " "
        return [(left, "edge"), *cells, (right, "edge")]

    def _words_row(self, track: GapTrack, width: int) -> Parts:
        alphabet = self._alphabet
        if self._cursor is not None:
            return [(chunk_words(track, self._cursor, alphabet=alphabet, width=width), "words")]
        wordings = summary_words(track.summary())
        # A title is worth the full words, but not a number.
        with_title = [titled(self._title, words) for words in wordings[:2]]
        choice = [alphabet.worded(words) for words in (*with_title, *wordings)]
        words = next((words for words in choice if cell_len(words) <= width), choice[-1])
        words = alphabet.cut(words, width)
        legend = self._legend(width - cell_len(words) - _LEGEND_GAP)
        space = width - cell_len(words) - _width(legend)
        return [(words, "words"), (" " * space, "words"), *legend]

    def _empty_row(self, y: int, track: GapTrack | None, width: int) -> Parts:
        if y > 0:
            return self._legend(width)
        if track is None:
            words = self._empty_hint
        else:
            words = _WAITING if self._is_live else summary_words(track.summary())[0]
        alphabet = self._alphabet
        return [(alphabet.cut(alphabet.worded(titled(self._title, words)), width), "hint")]

    def _legend(self, room: int) -> Parts:
        """The fullest legend that ``room`` cells can hold; perhaps none."""
        return next((legend for legend in legends(self._alphabet) if _width(legend) <= room), [])


def _width(parts: Parts) -> int:
    return sum(cell_len(text) for text, _ in parts)

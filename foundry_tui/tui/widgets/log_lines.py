"""A log on the screen: one row a line, the newest at the end; a line that is opened shows whole."""

import time
from bisect import bisect_left
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from foundry_tui.domain.text import clean_line, clean_text
from foundry_tui.services.logbook import ENGINE, LogLine
from foundry_tui.tui.widgets.folding import fold, shown

__all__ = ["LogLines", "line_in_words"]

_MARKER = "▌"
_SOURCE_CELLS = 9
# No screen shows more of a line that is not open; a longer one must not cost its length at each paint.
_CHARACTERS_READ = 1_000
_LEAST_TEXT_CELLS = 24
_STRIPS_KEPT = 512


def line_in_words(line: LogLine) -> str:
    """A line for a file or the clipboard, whole and harmless; what has several lines is set in."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(line.at_unix))
    head = f"{_bound(line)}{moment} {line.level.word:<7} {clean_line(line.source)}: "
    return head + clean_text(line.text).replace("\n", "\n    ")


class LogLines(ScrollView, can_focus=True):
    """Shows lines, renders those in sight, and stays at the end until the user looks back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move_by(-1)", "Line up", show=False, id="log.up"),
        Binding("down", "move_by(1)", "Line down", show=False, id="log.down"),
        Binding("pageup", "move_pages(-1)", "Page up", show=False, id="log.page_up"),
        Binding("pagedown", "move_pages(1)", "Page down", show=False, id="log.page_down"),
        Binding("home", "move_first", "First line", show=False, id="log.first"),
        Binding("end", "move_last", "Last line, and follow", show=False, id="log.last"),
        Binding("enter,space", "open", "Whole line", id="log.open", key_display="⏎"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log-lines--time",
        "log-lines--source",
        "log-lines--debug",
        "log-lines--info",
        "log-lines--warning",
        "log-lines--error",
        "log-lines--cursor",
        "log-lines--marker",
        "log-lines--empty",
    }
    DEFAULT_CSS = """
    LogLines {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        background: $surface;
        color: $foreground;
    }
    LogLines > .log-lines--time { color: $foreground-muted; }
    LogLines > .log-lines--source { color: $foreground-muted; }
    LogLines > .log-lines--debug { color: $foreground-muted; }
    LogLines > .log-lines--info { color: $text-secondary; }
    LogLines > .log-lines--warning { color: $text-warning; text-style: bold; }
    LogLines > .log-lines--error { color: $text-error; text-style: bold; }
    LogLines > .log-lines--cursor { background: $boost; }
    LogLines:focus > .log-lines--cursor { background: $primary-muted; }
    LogLines > .log-lines--marker { color: $primary; }
    LogLines > .log-lines--empty { color: $foreground-muted; }
    """

    follows: reactive[bool] = reactive(True)
    """Whether the view stays at the end as lines come."""

    def __init__(self, *, empty_text: str = "", id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._empty_text = empty_text
        self._lines: tuple[LogLine, ...] = ()
        self._cursor = 0
        # By identity, since a program may say the same twice; in the order of the lines.
        self._opened: dict[int, LogLine] = {}
        self._spans: list[tuple[int, list[str]]] = []
        self._laid_out_for: Size | None = None
        self._height_in_sight = 0
        self._is_arranging = False
        self._strips: LRUCache[tuple[object, ...], Strip] = LRUCache(_STRIPS_KEPT)

    @property
    def lines(self) -> tuple[LogLine, ...]:
        """What is shown, oldest first."""
        return self._lines

    @property
    def cursor_line(self) -> LogLine | None:
        """The line under the cursor; None where there are none."""
        return self._lines[self._cursor] if self._lines else None

    @property
    def empty_text(self) -> str:
        """What stands where there are no lines."""
        return self._empty_text

    @empty_text.setter
    def empty_text(self, text: str) -> None:
        self._empty_text = text
        self.refresh()

    def set_lines(self, lines: Sequence[LogLine]) -> None:
        """Show ``lines``, in the order of their time; a line is known again by being the same object.

        Cursor and opened lines stay; so does the reader's place, unless they follow the end.
        """
        cursor, top = self.cursor_line, self._top()
        self._lines = tuple(lines)
        self._opened = {
            key: line for key, line in self._opened.items() if self._index_of(line, or_next=False) is not None
        }
        last = max(0, len(self._lines) - 1)
        if self.follows or cursor is None:
            self._cursor = last
        else:
            index = self._index_of(cursor)
            self._cursor = last if index is None else index
        self._arrange(top)

    def action_move_by(self, lines: int) -> None:
        """Move the cursor down, up if negative; from the last line on, new ones are followed."""
        if self._lines and not self._scroll_within(lines):
            self._place_cursor(max(0, min(self._cursor + lines, len(self._lines) - 1)))

    def action_move_pages(self, pages: int) -> None:
        """Move the cursor by as many rows as are in sight."""
        rows = pages * max(1, self.scrollable_content_region.height - 1)
        if not self._lines or self._scroll_within(rows):
            return
        row = self._row_of(self._cursor) + rows
        index, _ = self._at(max(0, min(row, self._height() - 1)))
        # A line that is taller than the page would otherwise be landed on again.
        index += pages if index == self._cursor else 0
        self._place_cursor(max(0, min(index, len(self._lines) - 1)))

    def action_move_first(self) -> None:
        """Go to the oldest line."""
        if self._lines:
            self._place_cursor(0)

    def action_move_last(self) -> None:
        """Go to the newest line and follow."""
        if self._lines:
            self._place_cursor(len(self._lines) - 1)

    def action_open(self) -> None:
        """Show the line under the cursor whole, or in one row again."""
        if (line := self.cursor_line) is None:
            return
        top = self._top()
        if self._opened.pop(id(line), None) is None:
            self._opened[id(line)] = line
            self.follows = False  # what is read now must not be scrolled away
        self._arrange(top)
        self._place_cursor(self._cursor)

    def on_click(self, event: events.Click) -> None:
        """Move the cursor; the second click of two opens the line."""
        offset = event.get_content_offset(self)
        if offset is None or event.button != 1 or not self._lines:
            return
        event.stop()
        row = offset.y + self.scroll_offset.y
        if row < self._height():
            self._place_cursor(self._at(row)[0])
            if event.chain == 2:
                self.action_open()

    def on_resize(self) -> None:
        """Fold the opened lines anew; a cursor that was in sight stays there."""
        row, top = self._row_of(self._cursor), self.scroll_offset.y
        was_in_sight = top <= row < top + self._height_in_sight
        self._arrange(self._top())
        if was_in_sight and self._lines and not self.follows:
            self._reveal_cursor()

    def watch_scroll_target_y(self, target: float) -> None:
        """Follow the end if the reader goes there, and no longer once they leave it."""
        if not self._is_arranging and self._laid_out_for == self.outer_size:
            self.follows = target >= self.max_scroll_y

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if not self._lines:
            return self._empty_line(y, width)
        row = y + self.scroll_offset.y
        if row >= self._height():
            return Strip.blank(width, self.rich_style)
        index, inner = self._at(row)
        line = self._lines[index]
        opened = next((rows for place, rows in self._spans if place == index), None)
        base, marker = self.rich_style, None
        if index == self._cursor:
            cursor = self.get_component_rich_style("log-lines--cursor")
            base += Style.from_color(bgcolor=cursor.bgcolor)
            marker = self._ink("marker")
        inks = (self._ink("time"), self._ink(line.level.word), self._ink("source"))
        # All that shapes a strip is in its key, so no change of width, theme or focus has to clear the cache.
        key = (line, inner, opened is None, width, base, marker, inks)
        if (strip := self._strips.get(key)) is None:
            segments = [Segment(_MARKER, base + marker) if marker else Segment(" ", base)]
            for part, ink in zip(_head(line, width), inks, strict=True):
                segments.append(Segment(" " * cell_len(part) if inner else part, base + ink))
            text = _brief(line, _text_cells(line, width)) if opened is None else opened[inner]
            segments.append(Segment(text, base))
            strip = self._strips[key] = Strip(segments).crop_extend(0, width, base)
        return strip

    def _empty_line(self, y: int, width: int) -> Strip:
        rows = fold(shown(self._empty_text), max(2, width - 2))
        style = self.rich_style
        text = f" {rows[y]}" if y < len(rows) else ""
        return Strip([Segment(set_cell_size(text, width), style + self._ink("empty"))], width)

    def _ink(self, name: str) -> Style:
        """Colour and emphasis of a component, for a row that has a background of its own."""
        style = self.get_component_rich_style(f"log-lines--{name}")
        return Style(color=style.color, bold=style.bold, italic=style.italic, underline=style.underline)

    def _scroll_within(self, rows: int) -> bool:
        """Read on in a line that is taller than what is in sight of it; False if that has its end there."""
        first = self._row_of(self._cursor)
        last = first + self._rows_of(self._cursor) - 1
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if not (first < top <= last if rows < 0 else first <= top + height - 1 < last):
            return False
        self._scroll_to_row(max(top + rows, first) if rows < 0 else min(top + rows, last - height + 1))
        return True

    def _place_cursor(self, index: int) -> None:
        self._cursor = index
        self.follows = index == len(self._lines) - 1 and not self._is_open(index)
        self._reveal_cursor()
        self.refresh()

    def _reveal_cursor(self) -> None:
        """Show the line under the cursor, its first row at least."""
        first, rows = self._row_of(self._cursor), self._rows_of(self._cursor)
        height = self.scrollable_content_region.height
        top = self.scroll_offset.y
        if first < top or rows >= height:
            top = first
        elif first + rows > top + height:
            top = first + rows - height
        self._scroll_to_row(top)

    def _arrange(self, top: tuple[LogLine, int] | None) -> None:
        """Stack the rows anew and put the reader back to the row of ``top``, or to the end."""
        size = self.scrollable_content_region.size
        if not size:
            return
        self._spans = sorted(
            (index, fold(shown(line.text.strip("\r\n")), _text_cells(line, size.width)))
            for line in self._opened.values()
            if (index := self._index_of(line, or_next=False)) is not None
        )
        self._laid_out_for, self._height_in_sight = self.outer_size, size.height
        self._is_arranging = True
        try:
            self.virtual_size = Size(size.width, self._height())
        finally:
            self._is_arranging = False
        if self.follows or top is None:
            self._scroll_to_row(self._height())
        else:
            line, inner = top
            index = self._index_of(line)
            self._scroll_to_row(self._height() if index is None else self._row_of(index) + inner)
        self.refresh()

    def _scroll_to_row(self, row: int) -> None:
        self._is_arranging = True
        try:
            # Forced: the scrollbar of lines that have just come is not there yet.
            self.scroll_to(y=max(0, min(row, self.max_scroll_y)), animate=False, force=True)
        finally:
            self._is_arranging = False

    def _top(self) -> tuple[LogLine, int] | None:
        """The line in the first row, and which of its rows that is."""
        row = self.scroll_offset.y
        if not self._lines or row >= self._height():
            return None
        index, inner = self._at(row)
        return self._lines[index], inner

    def _index_of(self, line: LogLine, *, or_next: bool = True) -> int | None:
        """The place of ``line``; where it has gone, that of the next one; None if there is neither."""
        first = bisect_left(self._lines, line.at_unix, key=lambda other: other.at_unix)
        index = first
        while index < len(self._lines) and self._lines[index].at_unix == line.at_unix:
            if self._lines[index] is line:
                return index
            index += 1
        return first if or_next and first < len(self._lines) else None

    def _is_open(self, index: int) -> bool:
        return id(self._lines[index]) in self._opened

    def _rows_of(self, index: int) -> int:
        return next((len(rows) for opened, rows in self._spans if opened == index), 1)

    def _row_of(self, index: int) -> int:
        return index + sum(len(rows) - 1 for opened, rows in self._spans if opened < index)

    def _height(self) -> int:
        return self._row_of(len(self._lines))

    def _at(self, row: int) -> tuple[int, int]:
        """The line that ``row`` belongs to, and which of its rows it is."""
        more = 0
        for opened, rows in self._spans:
            if row < opened + more:
                break
            if row < opened + more + len(rows):
                return opened, row - opened - more
            more += len(rows) - 1
        return row - more, 0


def _bound(line: LogLine) -> str:
    # The engine's process writes no times: the line was there by then.
    return "≤" if line.source == ENGINE else ""


def _head(line: LogLine, width: int) -> tuple[str, str, str]:
    """Time, level and source, each with the gap behind it; where it is narrow, less of them."""
    moment = time.strftime("%H:%M:%S", time.localtime(line.at_unix))
    source = set_cell_size(clean_line(line.source, _SOURCE_CELLS), _SOURCE_CELLS) + " "
    when, word = f"{_bound(line):1}{moment} ", f"{line.level.word:<8}"
    for head in ((when, word, source), (when, word, "")):
        if width - 1 - _cells(head) >= _LEAST_TEXT_CELLS:
            return head
    return "", word, ""


def _cells(head: tuple[str, str, str]) -> int:
    return sum(map(cell_len, head))


def _text_cells(line: LogLine, width: int) -> int:
    return max(2, width - 1 - _cells(_head(line, width)))


def _brief(line: LogLine, cells: int) -> str:
    text = clean_line(shown(line.text[:_CHARACTERS_READ]))
    if cell_len(text) <= cells and len(line.text) <= _CHARACTERS_READ:
        return text
    return set_cell_size(text, cells - 1).rstrip() + "…"

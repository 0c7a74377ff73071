"""A table that renders only the rows on the screen, so that its cost does not grow with its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from foundry_tui.domain.text import clean_line, clean_text

__all__ = ["Align", "Column", "Emphasis", "Row", "RowTable"]

_MARKER = "▌"
_ASCENDING = "▲"
_DESCENDING = "▼"
_GAP = 2
_HEADER_HEIGHT = 1
# No screen shows more of one cell; a longer one must not cost its length at each paint.
_CHARACTERS_READ = 1_000
_STRIPS_KEPT = 512
# Joiners and variation selectors change the width of their neighbours, and terminals disagree about it:
# one such emoji would push the columns beside it out of line.
_WIDTH_CHANGERS = str.maketrans(dict.fromkeys("\u200d\ufe0e\ufe0f", ""))


class Align(StrEnum):
    """The side of its column that a text stands on."""

    LEFT = "left"
    RIGHT = "right"


class Emphasis(StrEnum):
    """How much a row asks to be looked at; colour only, so a cell must say the same in words."""

    NORMAL = "normal"
    DIM = "dim"
    GOOD = "good"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table.

    Attributes:
        width: Least width in cells, without the gap beside it.
        weight: Share of the spare width, against the other weights; 0 keeps ``width``.
        priority: Where the table is too narrow, the lowest priority goes first, among equals the rightmost.
    """

    key: str
    label: str
    width: int
    weight: int = 0
    align: Align = Align.LEFT
    priority: int = 0

    def __post_init__(self) -> None:
        if self.width < 1 or self.weight < 0:
            raise ValueError("a column is at least one cell wide and has no negative weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table.

    Attributes:
        key: What the row stands for; unique in its table.
        cells: One text per column, in the order of the columns, as it came: the table makes it harmless.
    """

    key: str
    cells: tuple[str, ...]
    emphasis: Emphasis = Emphasis.NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """A column that found room: its place in ``Row.cells``, its first cell and its width."""

    index: int
    column: Column
    left: int
    width: int


@dataclass
class _FromTable(Message):
    """What a table posts."""

    table: "RowTable"

    @property
    def control(self) -> "RowTable":
        """The table, for ``@on`` with a selector."""
        return self.table


class RowTable(ScrollView, can_focus=True):
    """Rows under a header that stays, with a cursor that keeps to its row's key.

    Sorting, filtering and wording are its pane's business.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"row-table--{emphasis}" for emphasis in Emphasis),
        *("row-table--cursor", "row-table--empty", "row-table--header", "row-table--marker"),
    }
    DEFAULT_CSS = """
    RowTable {
        background: $surface;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        & > .row-table--header { color: $text-muted; background: $panel; text-style: bold; }
        & > .row-table--dim { color: $text-muted; }
        & > .row-table--good { color: $text-success; }
        & > .row-table--problem { color: $text-error; }
        & > .row-table--empty { color: $text-muted; }
        & > .row-table--cursor { background: $primary 15%; }
        & > .row-table--marker { color: $text-muted; }
        &:focus > .row-table--cursor { background: $primary 40%; text-style: bold; }
        &:focus > .row-table--marker { color: $accent; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move_by(-1)", "Row up", show=False),
        Binding("down", "move_by(1)", "Row down", show=False),
        Binding("pageup", "move_pages(-1)", "Page up", show=False),
        Binding("pagedown", "move_pages(1)", "Page down", show=False),
        Binding("home", "move_first", "First row", show=False),
        Binding("end", "move_last", "Last row", show=False),
        Binding("enter", "activate", "Open row", show=False),
    ]

    @dataclass
    class RowHighlighted(_FromTable):
        """The cursor came to stand on another key; None where the last row has gone."""

        key: str | None

    @dataclass
    class RowActivated(_FromTable):
        """The user asked for a row, by Enter or a double click."""

        key: str

    @dataclass
    class HeaderPressed(_FromTable):
        """The user clicked a column's label; its pane may sort by it and set the mark."""

        column_key: str

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty_text: str = "",
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        """Make a table without rows.

        Args:
            columns: From left to right, at least one, each with a key of its own.
            empty_text: Shown, wrapped, where there are no rows.
            id: The widget's id.
            classes: The widget's classes.
        """
        super().__init__(id=id, classes=classes)
        if not columns or len({column.key for column in columns}) < len(columns):
            raise ValueError("a table has at least one column, and no key twice")
        self._columns = tuple(columns)
        self._empty_text = empty_text
        self._empty_lines: list[str] = []
        self._rows: tuple[Row, ...] = ()
        self._cursor: int | None = None
        self._clicked_key: str | None = None
        self._sort_mark: tuple[str, str] | None = None
        self._width = 0
        self._placed: list[_Placed] = []
        self._strips: LRUCache[tuple[Row, int, Style, Style | None], Strip] = LRUCache(_STRIPS_KEPT)

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows, from the top."""
        return self._rows

    @property
    def cursor_row(self) -> Row | None:
        """The row under the cursor; None where there are no rows."""
        return None if self._cursor is None else self._rows[self._cursor]

    @property
    def cursor_key(self) -> str | None:
        """The key under the cursor; None where there are no rows."""
        return None if self._cursor is None else self._rows[self._cursor].key

    @property
    def empty_text(self) -> str:
        """What stands in the body where there are no rows."""
        return self._empty_text

    @empty_text.setter
    def empty_text(self, text: str) -> None:
        self._empty_text = text
        self._fit_virtual_size()
        self.refresh()

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Replace all rows; the cursor stays on its key, or else on its place.

        The scroll position stays too, unless that would take a cursor that was in sight out of it.
        """
        old_key, old_cursor = self.cursor_key, self._cursor
        was_in_sight = self._cursor_is_in_sight()
        self._rows = tuple(rows)
        self._cursor = self._index_of(old_key, near=old_cursor or 0)
        if self._cursor is None and self._rows:
            self._cursor = min(old_cursor or 0, len(self._rows) - 1)
        self._fit_virtual_size()
        if was_in_sight or old_cursor is None:
            self._reveal_cursor()
        if self.cursor_key != old_key:
            self.post_message(self.RowHighlighted(self, self.cursor_key))
        self.refresh()

    def move_cursor_to(self, key: str) -> bool:
        """Put the cursor on the row of ``key`` and show it; False where there is no such row."""
        index = self._index_of(key, near=self._cursor or 0)
        if index is not None:
            self._place_cursor(index)
        return index is not None

    def set_sort_mark(self, column_key: str | None, *, descending: bool = False) -> None:
        """Show in the header which column the rows are sorted by; None takes the mark away."""
        glyph = _DESCENDING if descending else _ASCENDING
        self._sort_mark = None if column_key is None else (column_key, glyph)
        self.refresh()

    def action_move_by(self, rows: int) -> None:
        """Move the cursor down by ``rows``, up if negative; without rows, scroll the empty text."""
        if self._cursor is None:
            self.scroll_to(y=self.scroll_offset.y + rows, animate=False)
        else:
            self._place_cursor(max(0, min(self._cursor + rows, len(self._rows) - 1)))

    def action_move_pages(self, pages: int) -> None:
        """Move the cursor down by as many rows as are in sight."""
        self.action_move_by(pages * max(1, self._rows_in_sight()))

    def action_move_first(self) -> None:
        """Move the cursor to the first row."""
        self.action_move_by(-self.virtual_size.height)

    def action_move_last(self) -> None:
        """Move the cursor to the last row."""
        self.action_move_by(self.virtual_size.height)

    def action_activate(self) -> None:
        """Ask for the row under the cursor."""
        if (key := self.cursor_key) is not None:
            self.post_message(self.RowActivated(self, key))

    def on_click(self, event: events.Click) -> None:
        """Press a header label, or move the cursor; the second click of two opens the row."""
        offset = event.get_content_offset(self)
        if offset is None or event.button != 1:
            return
        event.stop()
        if offset.y < _HEADER_HEIGHT:
            for placed in self._placed:
                if placed.left <= offset.x < placed.left + placed.width:
                    self.post_message(self.HeaderPressed(self, placed.column.key))
            return
        index = offset.y - _HEADER_HEIGHT + self.scroll_offset.y
        if index >= len(self._rows):
            return
        self._place_cursor(index)
        # New rows may come between two clicks: only the row that the first one hit is opened.
        if event.chain == 2 and self._clicked_key == self.cursor_key:
            self.action_activate()
        self._clicked_key = self.cursor_key

    def on_resize(self) -> None:
        """Share the new width among the columns and keep the cursor in sight."""
        self._fit_width()
        self._fit_virtual_size()
        self._reveal_cursor()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines in ``crop``; a scrollbar may have changed the width without a resize."""
        self._fit_width()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """The header for line 0, else the row or the line of the empty text that scrolled there."""
        if y < _HEADER_HEIGHT:
            return self._text_strip(self._header_text(), "row-table--header")
        index = y - _HEADER_HEIGHT + self.scroll_offset.y
        if index < len(self._rows):
            return self._row_strip(index)
        line = "" if self._rows or index >= len(self._empty_lines) else self._empty_lines[index]
        return self._text_strip(" " + line, "row-table--empty")

    def _text_strip(self, text: str, component: str) -> Strip:
        style = self.get_component_rich_style(component)
        return Strip([Segment(set_cell_size(text, self._width), style)], self._width)

    def _row_strip(self, index: int) -> Strip:
        row = self._rows[index]
        style = self.get_component_rich_style(f"row-table--{row.emphasis}")
        marker_style: Style | None = None
        if index == self._cursor:
            cursor = self.get_component_rich_style("row-table--cursor")
            style += Style.from_color(bgcolor=cursor.bgcolor) + cursor.without_color
            marker_style = style + Style.from_color(self.get_component_rich_style("row-table--marker").color)
        # All that shapes a strip is in its key, so no change of width, theme or focus has to clear the cache.
        cache_key = (row, self._width, style, marker_style)
        if (strip := self._strips.get(cache_key)) is None:
            cells = [_plain(text) for text in row.cells]
            if len(cells) != len(self._columns):
                raise ValueError(f"row {row.key!r} has {len(cells)} cells for {len(self._columns)} columns")
            body = self._line(cells)
            marker = Segment(" " if marker_style is None else _MARKER, marker_style or style)
            strip = self._strips[cache_key] = Strip([marker, Segment(body[1:], style)], self._width)
        return strip

    def _header_text(self) -> str:
        labels = [_plain(column.label) for column in self._columns]
        for placed in self._placed:
            if self._sort_mark is not None and self._sort_mark[0] == placed.column.key:
                labels[placed.index] = _cut(labels[placed.index], placed.width - 1) + self._sort_mark[1]
        return self._line(labels)

    def _line(self, cells: Sequence[str]) -> str:
        """One text per column, set into the columns that found room; its first cell is the marker's."""
        fitted = [_fit(cells[placed.index], placed.width, placed.column.align) for placed in self._placed]
        return set_cell_size(" " + (" " * _GAP).join(fitted), self._width)

    def _index_of(self, key: str | None, *, near: int) -> int | None:
        if near < len(self._rows) and self._rows[near].key == key:
            return near
        return next((index for index, row in enumerate(self._rows) if row.key == key), None)

    def _place_cursor(self, index: int) -> None:
        if self._cursor is not None and index != self._cursor:
            self.refresh_lines(self._cursor + _HEADER_HEIGHT)
            self.refresh_lines(index + _HEADER_HEIGHT)
            self._cursor = index
            self.post_message(self.RowHighlighted(self, self.cursor_key))
        self._reveal_cursor()

    def _rows_in_sight(self) -> int:
        return max(0, self.scrollable_content_region.height - _HEADER_HEIGHT)

    def _cursor_is_in_sight(self) -> bool:
        top = self.scroll_offset.y
        return self._cursor is not None and top <= self._cursor < top + self._rows_in_sight()

    def _reveal_cursor(self) -> None:
        in_sight = self._rows_in_sight()
        if self._cursor is None or not in_sight or self._cursor_is_in_sight():
            return
        above = self._cursor < self.scroll_offset.y
        # Forced: the scrollbar of rows that have just come is not there yet.
        self.scroll_to(y=self._cursor if above else self._cursor - in_sight + 1, animate=False, force=True)

    def _fit_width(self) -> None:
        width = self.scrollable_content_region.width
        if width != self._width:
            self._width = width
            self._placed = _place_columns(self._columns, width)

    def _fit_virtual_size(self) -> None:
        if not self._rows and self._width:
            lines = [clean_line(line) for line in clean_text(self._empty_text).split("\n")]
            wrapped = (Text(line).wrap(self.app.console, max(1, self._width - 2)) for line in lines)
            self._empty_lines = [line.plain.rstrip() for group in wrapped for line in group]
        height = _HEADER_HEIGHT + (len(self._rows) or len(self._empty_lines))
        self.virtual_size = Size(sum(column.width + _GAP for column in self._columns), height)


def _place_columns(columns: Sequence[Column], width: int) -> list[_Placed]:
    """The columns that fit into ``width`` cells, the first of which is the marker's."""
    shown = list(enumerate(columns))

    def spare() -> int:
        return width - 1 - sum(column.width for _, column in shown) - _GAP * (len(shown) - 1)

    while spare() < 0 and len(shown) > 1:
        shown.remove(min(shown, key=lambda entry: (entry[1].priority, -entry[0])))
    total_weight = sum(column.weight for _, column in shown)
    # Shares are cut between running sums, so that rounding leaves no cell over.
    sums = [sum(column.weight for _, column in shown[:n]) for n in range(len(shown) + 1)]
    cuts = [max(0, spare()) * weight // max(1, total_weight) for weight in sums]
    placed: list[_Placed] = []
    left = 1
    for (index, column), (start, end) in zip(shown, pairwise(cuts), strict=True):
        # Even the only column left may be wider than the table.
        own = min(column.width + end - start, max(0, width - left))
        placed.append(_Placed(index=index, column=column, left=left, width=own))
        left += own + _GAP
    return placed


def _plain(text: str) -> str:
    return clean_line(text[:_CHARACTERS_READ]).translate(_WIDTH_CHANGERS)


def _cut(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def _fit(text: str, width: int, align: Align) -> str:
    text = _cut(text, width)
    padding = " " * (width - cell_len(text))
    return padding + text if align is Align.RIGHT else text + padding

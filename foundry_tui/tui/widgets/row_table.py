"""A table that renders only the rows on the screen, so that its cost does not grow with its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import set_cell_size
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
from foundry_tui.tui.widgets.table_parts import (
    GAP,
    Align,
    Column,
    Emphasis,
    LazyRows,
    Placed,
    Row,
    checked,
    cut,
    fit,
    place,
    plain,
)

__all__ = ["Align", "Column", "Emphasis", "LazyRows", "Row", "RowTable"]

_MARKER = "▌"
_ASCENDING = "▲"
_DESCENDING = "▼"
_HEADER_HEIGHT = 1
_STRIPS_KEPT = 512


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
        Binding("up", "move_by(-1)", "Row up", show=False, id="table.up"),
        Binding("down", "move_by(1)", "Row down", show=False, id="table.down"),
        Binding("pageup", "move_pages(-1)", "Page up", show=False, id="table.page_up"),
        Binding("pagedown", "move_pages(1)", "Page down", show=False, id="table.page_down"),
        Binding("home", "move_first", "First row", show=False, id="table.first"),
        Binding("end", "move_last", "Last row", show=False, id="table.last"),
        Binding("enter", "activate", "Open row", show=False, id="table.open"),
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
        self._columns = checked(columns)
        self._empty_text = empty_text
        self._empty_lines: list[str] = []
        self._rows: Sequence[Row] = ()
        self._cursor: int | None = None
        self._clicked_key: str | None = None
        self._sort_mark: tuple[str, str] | None = None
        self._width = 0
        self._placed: list[Placed] = []
        self._strips: LRUCache[tuple[Row, int, Style, Style | None, Style | None], Strip] = LRUCache(
            _STRIPS_KEPT
        )

    @property
    def rows(self) -> Sequence[Row]:
        """All rows, from the top; lazy ones are made as they are read."""
        return self._rows

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns, from the left, whether or not they find room."""
        return self._columns

    @property
    def cursor_row(self) -> Row | None:
        """The row under the cursor; None where there are no rows."""
        return None if self._cursor is None else self._rows[self._cursor]

    @property
    def cursor_key(self) -> str | None:
        """The key under the cursor; None where there are no rows."""
        return None if self._cursor is None else self._key_at(self._cursor)

    @property
    def empty_text(self) -> str:
        """What stands in the body where there are no rows."""
        return self._empty_text

    @empty_text.setter
    def empty_text(self, text: str) -> None:
        if text == self._empty_text:
            return
        self._empty_text = text
        self._fit_virtual_size()
        self.refresh()

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Replace all rows; the cursor stays on its key, or else on its place.

        The scroll position stays too, unless that would take a cursor that was in sight out of it.  Lazy rows
        stay lazy; the ones that are set already are only painted anew.
        """
        if rows is self._rows:
            self.refresh()
            return
        old_key, old_cursor = self.cursor_key, self._cursor
        was_in_sight = self._cursor_is_in_sight()
        self._rows = rows if isinstance(rows, LazyRows) else tuple(rows)
        self._cursor = self._index_of(old_key, near=old_cursor or 0)
        if self._cursor is None and self._rows:
            self._cursor = min(old_cursor or 0, len(self._rows) - 1)
        self._fit_virtual_size()
        if was_in_sight or old_cursor is None:
            self._reveal_cursor()
        if self.cursor_key != old_key:
            self.post_message(self.RowHighlighted(self, self.cursor_key))
        self.refresh()

    def set_columns(self, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """Show other columns, and rows that have their cells."""
        self._columns = checked(columns)
        self._strips.clear()
        self._place()
        self._fit_virtual_size()
        self.set_rows(rows)

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
        odd_style = style + self._problem_ink() if row.problems else None
        cache_key = (row, self._width, style, marker_style, odd_style)
        if (strip := self._strips.get(cache_key)) is None:
            cells = [plain(text) for text in row.cells]
            if len(cells) != len(self._columns):
                raise ValueError(f"row {row.key!r} has {len(cells)} cells for {len(self._columns)} columns")
            body = self._line(cells, runs_on=row.runs_on)
            marker = Segment(" " if marker_style is None else _MARKER, marker_style or style)
            whole = Segment(body[1:], style)
            parts = [whole] if odd_style is None else self._parts(whole, row.problems, odd_style)
            strip = self._strips[cache_key] = Strip([marker, *parts], self._width)
        return strip

    def _problem_ink(self) -> Style:
        color = self.get_component_rich_style(f"row-table--{Emphasis.PROBLEM}").color
        return Style(color=color, bold=True)

    def _parts(self, whole: Segment, places: frozenset[int], odd_style: Style) -> list[Segment]:
        """``whole``, the body without the marker, with the cells of ``places`` in a style of their own."""
        cuts = [edge - 1 for one in self._placed for edge in (one.left, one.left + one.width)]
        odd = {one.left - 1 for one in self._placed if one.index in places}
        begins = [0, *cuts]
        strips = Strip([whole]).divide([*cuts, self._width - 1])
        return [
            Segment(segment.text, odd_style if begin in odd else segment.style)
            for begin, strip in zip(begins, strips, strict=False)
            for segment in strip
            if segment.text
        ]

    def _header_text(self) -> str:
        labels = [plain(column.label) for column in self._columns]
        for placed in self._placed:
            if self._sort_mark is not None and self._sort_mark[0] == placed.column.key:
                labels[placed.index] = cut(labels[placed.index], placed.width - 1) + self._sort_mark[1]
        return self._line(labels)

    def _line(self, cells: Sequence[str], *, runs_on: bool = False) -> str:
        """One text per column, set into the columns that found room; its first cell is the marker's."""
        fitted: list[str] = []
        room = 0  # of empty cells to the right, with the gap before each
        for placed in reversed(self._placed):
            if runs_on and not cells[placed.index] and placed is not self._placed[0]:
                room += GAP + placed.width
                continue
            fitted.append(fit(cells[placed.index], placed.width + room, placed.column.align))
            room = 0
        fitted.reverse()
        return set_cell_size(" " + (" " * GAP).join(fitted), self._width)

    def _index_of(self, key: str | None, *, near: int) -> int | None:
        if near < len(self._rows) and self._key_at(near) == key:
            return near
        if not isinstance(self._rows, LazyRows):
            return next((index for index, row in enumerate(self._rows) if row.key == key), None)
        try:
            return None if key is None else self._rows.keys.index(key)
        except ValueError:
            return None

    def _key_at(self, index: int) -> str:
        return self._rows.keys[index] if isinstance(self._rows, LazyRows) else self._rows[index].key

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
            self._place()

    def _place(self) -> None:
        self._placed = place(self._columns, self._width)

    def _fit_virtual_size(self) -> None:
        if not self._rows and self._width:
            lines = [clean_line(line) for line in clean_text(self._empty_text).split("\n")]
            wrapped = (Text(line).wrap(self.app.console, max(1, self._width - 2)) for line in lines)
            self._empty_lines = [line.plain.rstrip() for group in wrapped for line in group]
        height = _HEADER_HEIGHT + (len(self._rows) or len(self._empty_lines))
        self.virtual_size = Size(sum(column.width + GAP for column in self._columns), height)

"""Which columns a table has, and in which order."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from foundry_tui.tui.notices import tell
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.row_table import Column, Emphasis, Row, RowTable

__all__ = ["ColumnsScreen"]

_HELP = "Space shows or hides · Shift+↑ ↓ or K J moves\nd defaults · Enter applies · Esc leaves it as it was"


class ColumnsScreen(Overlay[tuple[str, ...]]):
    """Lists all columns; its result is the keys of those to show, from the left."""

    DEFAULT_CSS = """
    ColumnsScreen > #columns-box {
        width: 56;
        max-width: 95%;
        height: 22;
        max-height: 95%;
        border: round $primary;
        background: $surface;
        padding: 0 1;
    }
    ColumnsScreen #columns-help { height: auto; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "show_or_hide", "Show / hide", id="columns.toggle"),
        Binding("shift+up,K", "move(-1)", "Move up", id="columns.up"),
        Binding("shift+down,J", "move(1)", "Move down", id="columns.down"),
        Binding("d", "defaults", "Defaults", id="columns.defaults"),
        # Before the table takes it: a double click opens a row, Enter ends the choice.
        Binding("enter", "apply", "Apply", priority=True, id="columns.apply"),
    ]

    def __init__(
        self, columns: Sequence[Column], shown: Sequence[str], defaults: Sequence[str], *, kept: str
    ) -> None:
        """Offer ``columns``.

        Args:
            columns: All there are.
            shown: Keys of those that are shown now, from the left.
            defaults: The same where nobody chose.
            kept: Key of the one that cannot go.
        """
        super().__init__()
        self._labels = {column.key: column.label for column in columns}
        self._defaults = defaults
        self._kept = kept
        self._order: list[str] = []
        self._shown: set[str] = set()
        self._take(shown)

    @property
    def table(self) -> RowTable:
        """The list."""
        return self.query_one(RowTable)

    def compose(self) -> ComposeResult:
        with Vertical(id="columns-box") as box:
            box.border_title = "Columns"
            yield RowTable(
                [
                    Column(key="shown", label="✓", width=1, priority=2),
                    Column(key="label", label="Column", width=14, weight=1, priority=1),
                    Column(key="words", label="", width=14),
                ]
            )
            yield Static(_HELP, id="columns-help", markup=False)

    def on_mount(self) -> None:
        """Begin in the list."""
        self._redraw()
        self.table.focus()

    def action_show_or_hide(self) -> None:
        """Show the column under the cursor, or hide it."""
        key = self.table.cursor_key
        if key is None:
            return
        if key == self._kept:
            tell(self, f"{self._labels[key]} stays: without it nobody knows what a row stands for")
            return
        self._shown ^= {key}
        self._redraw()

    def action_move(self, places: int) -> None:
        """Move the column under the cursor down by ``places``, up if negative."""
        if (key := self.table.cursor_key) is None:
            return
        place = self._order.index(key)
        self._order.insert(max(0, place + places), self._order.pop(place))
        self._redraw()
        self.table.move_cursor_to(key)

    def action_defaults(self) -> None:
        """Choose what is shown where nobody chose."""
        self._take(self._defaults)
        self._redraw()

    def action_apply(self) -> None:
        """Close with the choice."""
        self.dismiss(tuple(key for key in self._order if key in self._shown))

    @on(RowTable.RowActivated)
    def _double_clicked(self, message: RowTable.RowActivated) -> None:
        message.stop()
        self.action_show_or_hide()

    def _take(self, shown: Iterable[str]) -> None:
        chosen = [key for key in shown if key in self._labels]
        self._shown = {*chosen, self._kept}
        self._order = list(dict.fromkeys([*chosen, *self._labels]))

    def _redraw(self) -> None:
        self.table.set_rows([self._row(key) for key in self._order])

    def _row(self, key: str) -> Row:
        is_shown = key in self._shown
        words = "always shown" if key == self._kept else "" if is_shown else "hidden"
        return Row(
            key=key,
            cells=("✓" if is_shown else "", self._labels[key], words),
            emphasis=Emphasis.NORMAL if is_shown else Emphasis.DIM,
        )

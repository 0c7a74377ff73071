"""A table of three columns and nothing else, and rows for it."""

from collections.abc import Sequence

from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot

from foundry_tui.tui.widgets.row_table import Align, Column, Row, RowTable

__all__ = ["COLUMNS", "Harness", "numbered", "resize", "row"]

COLUMNS = (
    Column(key="name", label="Model", width=10, weight=1, priority=9),
    Column(key="device", label="Device", width=8, priority=1),
    Column(key="rate", label="Tokens/s", width=9, align=Align.RIGHT, priority=5),
)


class Harness(App[None]):
    """One table and what it posted."""

    def __init__(self, columns: Sequence[Column] = COLUMNS, empty_text: str = "") -> None:
        super().__init__()
        self.table = RowTable(columns, empty_text=empty_text)
        self.posted: list[tuple[str, str | None]] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_row_table_row_highlighted(self, event: RowTable.RowHighlighted) -> None:
        self._note("highlighted", event.key, event)

    def on_row_table_row_activated(self, event: RowTable.RowActivated) -> None:
        self._note("activated", event.key, event)

    def on_row_table_header_pressed(self, event: RowTable.HeaderPressed) -> None:
        self._note("header", event.column_key, event)

    def _note(self, what: str, key: str | None, event: Message) -> None:
        assert event.control is self.table
        self.posted.append((what, key))

    def screen_lines(self) -> list[str]:
        width, height = self.table.outer_size
        return [strip.text for strip in self.table.render_lines(Region(0, 0, width, height))]


async def resize(pilot: Pilot[None], app: Harness, width: int, height: int) -> None:
    """So many cells, laid out."""
    await pilot.resize_terminal(width, height)
    while app.table.outer_size != (width, height):
        await pilot.pause()  # the table hears of its size only after the screen has laid itself out
    await pilot.pause()  # and then handles its own resize event


def numbered(keys: Sequence[int]) -> list[Row]:
    """A row for each key."""
    return [Row(key=f"k{n}", cells=(f"model-{n}", "cpu", f"{n}.5")) for n in keys]


def row(*cells: str) -> Row:
    """A row whose key is its first cell."""
    return Row(key=cells[0], cells=cells)

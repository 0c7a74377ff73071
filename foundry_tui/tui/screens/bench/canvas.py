"""Paints a drawing in cells below a line with its title."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from foundry_tui.tui.screens.bench.ink import Ink, Line

__all__ = ["BenchCanvas"]


class BenchCanvas(Widget):
    """Shows lines as they are handed over, and says whose line was pressed.

    Attributes:
        is_plain: Whether it does without colours.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"bench-canvas--{ink}" for ink in Ink}
    DEFAULT_CSS = """
    BenchCanvas {
        height: 1fr;
        border-top: solid $panel;
        border-title-color: $text-muted;
        background: $surface;
        color: $foreground;
        & > .bench-canvas--name { color: $foreground; }
        & > .bench-canvas--chosen { color: $text-accent; text-style: bold; }
        & > .bench-canvas--note { color: $text-muted; }
        & > .bench-canvas--grid { color: $text-muted; text-style: none; }
        & > .bench-canvas--point { color: $text-warning; }
        & > .bench-canvas--whisker { color: $text-muted; }
        & > .bench-canvas--box { color: $text-primary; }
        & > .bench-canvas--interval { color: $text-primary; text-style: bold; }
        & > .bench-canvas--median { color: $text-accent; text-style: bold; }
        & > .bench-canvas--bar { color: $text-primary; }
        & > .bench-canvas--stall { color: $text-error; text-style: bold; }
    }
    """

    @dataclass
    class Pressed(Message):
        """A line was pressed that belongs to a model.

        Attributes:
            key: The model's name in the plan.
        """

        key: str

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.is_plain = False
        self._wanted = 1
        self._title = ""
        self._lines: Sequence[Line] = ()
        self._keys: Sequence[str | None] = ()

    def want(self, rows: int) -> None:
        """Be so high where the height is its own to choose."""
        if rows != self._wanted:
            self._wanted = rows
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as were wanted."""
        return self._wanted

    def show(self, title: str, lines: Sequence[Line], keys: Sequence[str | None] = ()) -> None:
        """Show these lines from the top; what is shown already is not painted anew.

        Args:
            title: Clean words.
            lines: From the top.
            keys: Whose each line is.
        """
        if title != self._title:
            self._title = title
            self.border_title = Content(f" {title} ")
        self._keys = keys
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Say whose line it is."""
        offset = event.get_content_offset(self)
        if offset is None or event.button != 1 or offset.y >= len(self._keys):
            return
        if (key := self._keys[offset.y]) is not None:
            event.stop()
            self.post_message(self.Pressed(key))

    def render_line(self, y: int) -> Strip:
        """The line that stands there."""
        width, ground = self.content_size.width, self.rich_style
        if y >= len(self._lines):
            return Strip.blank(width, ground)
        segments = [
            Segment(text, ground if self.is_plain else self.get_component_rich_style(f"bench-canvas--{ink}"))
            for text, ink in self._lines[y]
        ]
        return Strip(segments).crop_extend(0, width, ground)

"""Facts and long texts to be read by scrolling; only the rows in sight are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from rich.cells import set_cell_size
from rich.segment import Segment
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from foundry_tui.tui.widgets.folding import fold, shown

__all__ = ["Paragraph", "Sheet", "Tone"]

_LEAST_TEXT_CELLS = 20


class Tone(StrEnum):
    """How a paragraph stands out; colour only, so its text must say the same."""

    NORMAL = "normal"
    MUTED = "muted"
    GOOD = "good"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Some text, beside its label.

    Attributes:
        text: As it came, lines and all: the sheet makes it harmless.
        label: Of our own; None gives the text the whole width.
    """

    text: str
    label: str | None = None
    tone: Tone = Tone.NORMAL


class Sheet(ScrollView, can_focus=True):
    """Shows paragraphs one below the other; arrows, pages, Home and End scroll."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {*(f"sheet--{tone}" for tone in Tone), "sheet--label"}
    DEFAULT_CSS = """
    Sheet {
        height: 1fr;
        background: $surface;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        & > .sheet--label { color: $text-muted; }
        & > .sheet--muted { color: $text-muted; }
        & > .sheet--good { color: $text-success; }
        & > .sheet--warning { color: $text-warning; text-style: bold; }
        & > .sheet--problem { color: $text-error; text-style: bold; }
    }
    """

    def __init__(self, *, label_cells: int = 10, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """Make an empty one; ``label_cells`` is the width of the labels, the gap behind them included."""
        super().__init__(id=id)
        self._label_cells = label_cells
        self._paragraphs: tuple[Paragraph, ...] = ()
        self._rows: list[tuple[str, str, Tone]] = []
        self._width = 0

    @property
    def paragraphs(self) -> tuple[Paragraph, ...]:
        """What is shown, from the top."""
        return self._paragraphs

    def set_paragraphs(self, paragraphs: Sequence[Paragraph]) -> None:
        """Replace all; one stays where one was reading."""
        self._paragraphs = tuple(paragraphs)
        self._lay_out()

    def on_resize(self) -> None:
        """Fold the texts into the new width."""
        self._fit_width()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines in ``crop``; a scrollbar may have changed the width without a resize."""
        self._fit_width()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """The row that scrolled there."""
        index = y + self.scroll_offset.y
        if index >= len(self._rows):
            return Strip.blank(self._width, self.rich_style)
        label, text, tone = self._rows[index]
        style = self.get_component_rich_style(f"sheet--{tone}")
        label_style = self.get_component_rich_style("sheet--label")
        room = max(0, self._width - len(label))
        segments = [Segment(label, label_style), Segment(set_cell_size(text, room), style)]
        return Strip(segments, len(label) + room).crop(0, self._width)

    def _fit_width(self) -> None:
        width = self.scrollable_content_region.width
        if width != self._width:
            self._width = width
            self._lay_out()

    def _lay_out(self) -> None:
        self._rows = [row for paragraph in self._paragraphs for row in self._folded(paragraph)]
        self.virtual_size = Size(self._width, len(self._rows))
        self.refresh()

    def _folded(self, paragraph: Paragraph) -> list[tuple[str, str, Tone]]:
        indent = 0 if paragraph.label is None else self._label_cells
        texts = fold(shown(paragraph.text), max(_LEAST_TEXT_CELLS, self._width - indent))
        labels = [(paragraph.label or "")[: indent - 1].ljust(indent) if indent else ""]
        labels += [" " * indent] * (len(texts) - 1)
        return [(label, text, paragraph.tone) for label, text in zip(labels, texts, strict=True)]

"""The rows of a transcript: how its parts are drawn, on which row each begins, and where the reader is."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from foundry_tui.tui.widgets.folding import fold, shown
from foundry_tui.tui.widgets.markdown_blocks import BlockKind
from foundry_tui.tui.widgets.transcript_messages import Part

if TYPE_CHECKING:
    from foundry_tui.tui.widgets.markdown_render import MarkdownRenderer

__all__ = ["Layout", "Painter", "Place", "highlighted"]

# Below this no structure is legible, and a wide character must fit in any case.
_LEAST_MARKDOWN_WIDTH = 12
_LEAST_WIDTH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A row, named by what stands on it, so that it is found again wherever it moves.

    Attributes:
        row: Within the part, its gap counted.
        edition: The drawing in which ``row`` was counted; None if the part was not drawn.
        ink: Characters of the part above the row, spaces left out: finds it in another drawing.
    """

    part: Part
    row: int
    edition: int | None
    ink: int


class Painter:
    """Draws parts for one width in one set of styles, which together are an edition.

    Attributes:
        width: Cells of a row; at least 2.
        edition: Grows with each change of width or styles.
        drawings: How often a part was drawn.
    """

    def __init__(self) -> None:
        self.width = _LEAST_WIDTH
        self.edition = 0
        self.drawings = 0
        self._palette: Mapping[str, Style] = {}
        self._markdown: MarkdownRenderer | None = None

    def adopt(self, width: int, palette: Mapping[str, Style]) -> bool:
        """Draw for ``width`` in ``palette`` from now on; False if that is what it did before."""
        if width == self.width and palette == self._palette:
            return False
        if palette != self._palette:
            self._palette = dict(palette)
            self._markdown = None
        self.width = max(_LEAST_WIDTH, width)
        self.edition += 1
        return True

    def draw(self, part: Part) -> None:
        """Bring the rows of ``part`` up to date."""
        self.drawings += 1
        text = shown(part.source)
        rows = self._markdown_rows(text, part.is_final) if part.kind is BlockKind.MARKDOWN else None
        part.rows = self._plain_rows(text, part) if rows is None else rows
        part.drawn_for = self.edition
        part.drawn_width = self.width

    def _markdown_rows(self, text: str, is_final: bool) -> list[list[Segment]] | None:
        if self.width < _LEAST_MARKDOWN_WIDTH:
            return None
        if self._markdown is None:
            # Pygments and the Markdown parser have no place before the first frame.
            from foundry_tui.tui.widgets.markdown_render import MarkdownRenderer

            self._markdown = MarkdownRenderer(self._palette)
        try:
            return self._markdown.render(text, self.width, is_final=is_final)
        except Exception:  # noqa: BLE001 - hostile text met a fault in a parser; it is still fit to read
            return None

    def _plain_rows(self, text: str, part: Part) -> list[list[Segment]]:
        is_code = part.kind is BlockKind.CODE
        style = self._palette["code-block" if is_code else part.role]
        body = text.removesuffix("\n")
        if not body.strip() and not (is_code and body):
            return []
        rows = fold(body, self.width)
        if is_code:
            rows = [row + " " * (self.width - cell_len(row)) for row in rows]
        return [[Segment(row, style)] for row in rows]


class Layout:
    """All parts from top to bottom, and the row on which each begins."""

    def __init__(self, painter: Painter) -> None:
        self.parts: list[Part] = []
        self._painter = painter
        self._starts: list[int] = [0]

    @property
    def height(self) -> int:
        """Rows of all parts."""
        return self._starts[-1]

    @property
    def stale(self) -> list[Part]:
        """Parts that must be drawn again before their rows are right."""
        edition = self._painter.edition
        return [part for part in self.parts if part.drawn_for != edition]

    def arrange(self, parts: list[Part]) -> None:
        """Stack ``parts`` anew."""
        width = self._painter.width
        self.parts = parts
        self._starts = [0, *accumulate(part.height(width) for part in parts)]

    def draw_from(self, place: Place | None, height: int) -> None:
        """Draw the parts that fill ``height`` rows from ``place`` on, or up to the end, and stack anew."""
        first = len(self.parts) - 1
        missing = height
        if place is not None and place.part in self.parts:
            first = self.parts.index(place.part)
            missing += place.row
        for part in (*self.parts[first:], *reversed(self.parts[: max(0, first)])):
            if missing <= 0:
                break
            if part.drawn_for != self._painter.edition:
                self._painter.draw(part)
            missing -= part.height(self._painter.width)
        self.arrange(self.parts)

    def strip(self, row: int) -> Strip | None:
        """What stands on ``row``; None for a gap, and where nothing does."""
        if not 0 <= row < self.height:
            return None
        part, inner = self._at(row)
        return Strip(part.rows[inner - part.gap]) if part.gap <= inner < part.gap + len(part.rows) else None

    def place_at(self, row: int) -> Place | None:
        """The place of ``row``; None if there is none."""
        if not 0 <= row < self.height:
            return None
        part, inner = self._at(row)
        ink = sum(_ink(segments) for segments in part.rows[: max(0, inner - part.gap)])
        return Place(part=part, row=inner, edition=part.drawn_for, ink=ink)

    def row_of(self, place: Place) -> int | None:
        """The row of ``place`` now; None if its part is gone."""
        part = place.part
        if part not in self.parts:
            return None
        start = self._starts[self.parts.index(part)]
        if part.drawn_for == place.edition or place.row < part.gap:
            return start + place.row
        ink = 0
        for n, segments in enumerate(part.rows):
            ink += _ink(segments)
            if ink > place.ink:
                return start + part.gap + n
        return start

    def is_stale_within(self, row: int, height: int) -> bool:
        """Whether the ``height`` rows from ``row`` on show a part that must be drawn again."""
        first = bisect_right(self._starts, row) - 1
        last = bisect_right(self._starts, row + height - 1)
        return any(part.drawn_for != self._painter.edition for part in self.parts[max(0, first) : last])

    def _at(self, row: int) -> tuple[Part, int]:
        index = bisect_right(self._starts, row) - 1
        return self.parts[index], row - self._starts[index]


def highlighted(strip: Strip, start: int, end: int, style: Style) -> Strip:
    """``strip`` with the characters from ``start`` to before ``end``, -1 being the last, in ``style``."""
    text = strip.text
    end = len(text) if end == -1 else min(end, len(text))
    first = cell_len(text[:start])
    last = first + cell_len(text[start:end])
    before, within, after = (strip.crop(0, first), strip.crop(first, last), strip.crop(last))
    lit = Strip([Segment(t, (s or Style.null()) + style) for t, s, _ in within], within.cell_length)
    return Strip.join([before, lit, after])


def _ink(row: Sequence[Segment]) -> int:
    return sum(len(segment.text) - segment.text.count(" ") for segment in row)

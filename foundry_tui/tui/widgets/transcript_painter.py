"""Draws the parts of a transcript."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from foundry_tui.tui.widgets.folding import shown
from foundry_tui.tui.widgets.markdown_blocks import BlockKind
from foundry_tui.tui.widgets.transcript_messages import Part
from foundry_tui.tui.widgets.transcript_rows import Drawing, Run, Sketch, with_addresses, wrapped

if TYPE_CHECKING:
    from foundry_tui.tui.widgets.markdown_render import MarkdownRenderer

__all__ = ["Painter"]

# Below this no structure is legible, and a wide character must fit in any case.
_LEAST_MARKDOWN_WIDTH = 12
_LEAST_WIDTH = 2
_TAB_CELLS = 4
_NOTE_GAP = "  "


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
        width = max(_LEAST_WIDTH, width)
        if width == self.width and palette == self._palette:
            return False
        if palette != self._palette:
            self._palette = dict(palette)
            self._markdown = None
        self.width = width
        self.edition += 1
        return True

    def draw(self, part: Part) -> None:
        """Bring the rows of ``part`` up to date."""
        self.drawings += 1
        text = shown(part.source)
        drawing = self._markdown_drawing(text, part) if part.kind is BlockKind.MARKDOWN else None
        part.drawing = self._plain_drawing(text, part) if drawing is None else drawing
        part.drawn_for = self.edition
        part.drawn_width = self.width

    def _markdown_drawing(self, text: str, part: Part) -> Drawing | None:
        if self.width < _LEAST_MARKDOWN_WIDTH:
            return None
        if self._markdown is None:
            # The Markdown parser has no place before the first frame.
            from foundry_tui.tui.widgets.markdown_render import MarkdownRenderer

            self._markdown = MarkdownRenderer(self._palette)
        try:
            return self._markdown.draw(text, self.width, part.shades or {})
        except Exception:  # noqa: BLE001 - hostile text met a fault in a parser; it is still fit to read
            return None

    def _plain_drawing(self, text: str, part: Part) -> Drawing:
        is_code = part.kind is BlockKind.CODE
        style = self._palette["code-block" if is_code else part.role]
        sketch = Sketch()
        body = text.removesuffix("\n")
        if body.strip() or part.note or (is_code and body):
            for line in body.split("\n"):
                runs = list(with_addresses(line.expandtabs(_TAB_CELLS), style, self._palette["url"]))
                if part.note:
                    runs.append(Run(_NOTE_GAP * bool(runs) + part.note, self._palette["note"]))
                self._put(sketch, runs, style if is_code else None)
        if is_code:
            sketch.codes.append((0, len(sketch.rows)))
        return sketch.finished()

    def _put(self, sketch: Sketch, line: list[Run], background: Style | None) -> None:
        for runs, joint in wrapped(line, self.width):
            after: list[Segment] = []
            if background is not None:
                cells = sum([cell_len(run.text) for run in runs])
                after.append(Segment(" " * (self.width - cells), background))
            sketch.put(runs, joint, (), after)

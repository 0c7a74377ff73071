"""The rows of a transcript as they are painted, selected and copied."""

from collections.abc import Iterator

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from foundry_tui.tui.widgets.folding import fold, shown
from foundry_tui.tui.widgets.transcript_cursor import Cursor
from foundry_tui.tui.widgets.transcript_folds import BandKind, fold_words, thought_words, thoughts_words
from foundry_tui.tui.widgets.transcript_layout import Layout, Spot
from foundry_tui.tui.widgets.transcript_messages import Role
from foundry_tui.tui.widgets.transcript_painter import Painter
from foundry_tui.tui.widgets.transcript_search import Search
from foundry_tui.tui.widgets.transcript_strips import Strips, char_at, laid_over, with_offsets

__all__ = ["TranscriptCanvas"]

# A screen that is narrower has no cell to spare for marks.
_LEAST_WIDTH_WITH_MARGIN = 12


class TranscriptCanvas(ScrollView, can_focus=True):
    """Paints what its layout has, with a margin for marks, and hands out what of it is selected."""

    ALLOW_SELECT = True

    def __init__(
        self,
        *,
        empty_hint: str = "",
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._empty_hint = empty_hint
        self._painter = Painter()
        self._layout = Layout(self._painter)
        self._cursor = Cursor(self._layout, self._layout.draw_unseen)
        self._search = Search()
        self._strips = Strips()
        self._fold_key = "Space"
        self._thought_key = "t"

    @property
    def empty_hint(self) -> str:
        """What stands in the middle while there are no messages."""
        return self._empty_hint

    @empty_hint.setter
    def empty_hint(self, text: str) -> None:
        self._empty_hint = text
        self.refresh()

    @property
    def _margin(self) -> int:
        """Cells left of the text, for marks."""
        return _margin_of(self.scrollable_content_region.width)

    def render_line(self, y: int) -> Strip:
        """The row that is at ``y`` of the view, with what a selection by mouse asks it for."""
        strip = self._painted(y, self.rich_style, self.scrollable_content_region.width)
        row = self.scroll_offset.y + y
        return with_offsets(strip, self._margin, row) if row < self._layout.height else strip

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows in ``crop``.

        The way over Textual's cache of lines makes new strips of all rows with each flush, for a border and
        other looks that a transcript has only if somebody gives it one.
        """
        if any(self.styles.gutter) or self.opacity != 1:
            return super().render_lines(crop)
        style = self.rich_style
        width = self.scrollable_content_region.width
        filters = self.get_line_filters()
        _, background = self.background_colors
        strips: list[Strip] = []
        for y in crop.line_range:
            strip = self._painted(y, style, width)
            for line_filter in filters:
                strip = strip.apply_filter(line_filter, background)
            # The crop may reach over the place that is kept free for a scroll bar.
            strips.append(strip.crop_extend(*crop.column_span, style))
        return strips

    def _painted(self, y: int, style: Style, width: int) -> Strip:
        row = self.scroll_offset.y + y
        if not self._layout.messages:
            return self._hint_line(y, width).apply_style(style).crop_extend(0, width, style)
        if row >= self._layout.height:
            return Strip.blank(width, style)
        spot = self._layout.spot(row)
        margin = _margin_of(width)
        lit = [] if spot.part is None else self._search.lit(spot.part, spot.row)
        mark = self._mark(spot, has_match=any(match.is_current for match in lit)) if margin else None
        if _is_about_rows(spot):
            words = Segment(self._spot_text(spot), self.get_component_rich_style("transcript--fold"))
            strip = self._strips.strip(words, [words], mark, width, style)
        else:
            segments = self._layout.segments(spot)
            key = (spot.part.drawing, spot.row) if segments and spot.part is not None else None
            strip = self._strips.strip(key, segments, mark, width, style)
        for start, end, is_current in lit:
            name = f"transcript--match{'-current' * is_current}"
            look = self.get_component_rich_style(name, partial=True)
            strip = laid_over(strip, start + margin, end + margin, look)
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(row)) is not None:
            start, end = span[0] + margin, span[1] if span[1] < 0 else span[1] + margin
            strip = laid_over(strip, start, end, self.screen.get_component_rich_style("screen--selection"))
        return strip

    def _mark(self, spot: Spot, *, has_match: bool) -> Segment:
        """What stands in the margin."""
        is_read = spot.message is self._cursor.message and spot.band.kind is not BandKind.ABOVE
        if has_match:
            glyph, name = "▸", "mark-match"
        elif spot.part is not None and self._cursor.holds(spot.part, spot.row):
            glyph, name = "█", "mark-code"
        elif spot.part is not None and spot.part.role is Role.REASONING:
            # As far as the thoughts go, told without colour too.
            glyph, name = ("┃", "mark") if is_read else ("│", "mark-thought")
        else:
            glyph, name = "▌" if is_read else " ", "mark"
        return Segment(glyph, self.get_component_rich_style(f"transcript--{name}", partial=True))

    def _spot_text(self, spot: Spot) -> str:
        match spot.band.kind:
            case BandKind.FOLD:
                return fold_words(spot.band.hidden, self._fold_key)
            case BandKind.THOUGHT:
                return thought_words(spot.band.hidden, self._fold_key)
            case BandKind.THOUGHTS:
                return thoughts_words(spot.message, self._thought_key)
            case _:
                return self._layout.text(spot)

    def _hint_line(self, y: int, width: int) -> Strip:
        rows = fold(shown(self._empty_hint), max(2, width - 4))
        n = y - (self.scrollable_content_region.height - len(rows)) // 2
        if not 0 <= n < len(rows):
            return Strip.blank(0)
        text = " " * ((width - cell_len(rows[n])) // 2) + rows[n]
        return Strip([Segment(text, self.get_component_rich_style("transcript--hint"))])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        start, end = selection
        if start is None or end is None:
            self._draw_all()
        first = start.y if start is not None else 0
        last = min(end.y if end is not None else self._layout.height, self._layout.height - 1)
        texts: list[str] = []
        for row in range(first, last + 1):
            spot = self._layout.spot(row)
            if _is_about_rows(spot):
                # What a fold hides is taken along, as editors do; thoughts are no part of the answer.
                is_within = (start is None or row > first) and (end is None or row < end.y)
                texts.extend(self._hidden_texts(spot) if is_within else ())
                continue
            text = self._layout.text(spot)
            stop = end.x if end is not None and row == end.y else None
            begin = start.x if start is not None and row == start.y else 0
            texts.append(text[begin:stop])
        return "\n".join(texts), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def _hidden_texts(self, spot: Spot) -> Iterator[str]:
        for part in spot.message.text.parts:
            if part in self._layout.stale:
                self._layout.draw_unseen(part)
        yield from self._layout.hidden_texts(spot)

    def _draw_all(self) -> None:
        """Called before somebody reads all rows."""

    def _deselect(self, row: int) -> None:
        """Let go of a selection that reaches beyond ``row``, below which the rows will be others."""
        selection = self.text_selection if self.is_attached else None
        if selection is not None and (selection.end is None or selection.end.y >= row):
            others = self.screen.selections.items()
            self.screen.selections = {widget: taken for widget, taken in others if widget is not self}

    def _char_at(self, row: int, cell: int) -> int:
        """Which character of ``row`` a click on ``cell`` of the view hits."""
        return char_at(self._spot_text(self._layout.spot(row)), cell - self._margin)


def _is_about_rows(spot: Spot) -> bool:
    """Whether a row says something of others: of those it stands in place of, or above."""
    return bool(spot.band.hidden) or spot.band.kind is BandKind.THOUGHTS


def _margin_of(width: int) -> int:
    return int(width >= _LEAST_WIDTH_WITH_MARGIN)

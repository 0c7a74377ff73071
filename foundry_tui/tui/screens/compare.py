"""Variants side by side, with a mark where they differ."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import DataTable

from foundry_tui.domain.models import LoadReport, ModelVariant
from foundry_tui.reports.models import Compared, comparison
from foundry_tui.tui.presenters import detail_facts, fact_words
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.folding import fold, shown

__all__ = ["CompareScreen"]

_DIFFERS = "≠"
_NARROWEST, _WIDEST = 22, 44
_PADDING = 1
_SCROLLBAR = 2
# No fact is worth more of the screen; the details of one model show it in full.
_CHARACTERS_SHOWN = 200


class CompareScreen(Overlay[None]):
    """A column for each variant; where there is no room for all, they scroll beside the labels."""

    DEFAULT_CSS = """
    CompareScreen > #compare-box {
        width: 95%;
        max-width: 180;
        height: auto;
        max-height: 95%;
        border: round $primary;
        background: $surface;
        padding: 0 1;
    }
    CompareScreen DataTable { height: auto; max-height: 100%; background: $surface; }
    """

    def __init__(self, models: Sequence[ModelVariant], reports: Mapping[str, LoadReport]) -> None:
        """Compare ``models``, two at least, in that order."""
        super().__init__()
        self._ids = [model.id for model in models]
        self._facts = comparison([detail_facts(model, reports.get(model.id)) for model in models])

    def compose(self) -> ComposeResult:
        with Vertical(id="compare-box") as box:
            box.border_title = f"Compare {len(self._ids)} variants"
            box.border_subtitle = f"{_DIFFERS} differs · ← → more · Esc closes"
            yield _SideBySide(self._ids, self._facts)

    def on_mount(self) -> None:
        """Begin where one can scroll."""
        self.query_one(_SideBySide).focus()


class _SideBySide(DataTable[Text]):
    """Facts as rows; the labels and the ids stay in sight."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "scroll_variants(-1)", "Variant to the left", show=False, id="compare.left"),
        Binding("right", "scroll_variants(1)", "Variant to the right", show=False, id="compare.right"),
    ]

    def __init__(self, ids: Sequence[str], facts: Sequence[Compared]) -> None:
        super().__init__(cursor_type="row", fixed_columns=1, cell_padding=_PADDING)
        self._ids = ids
        self._facts = facts
        self._filled_width = 0
        self._step = 1

    def on_resize(self) -> None:
        """Share the width among the variants, as long as each keeps a readable column."""
        # The outer width: a scrollbar that comes or goes is no reason to share anew.
        if (width := self.outer_size.width) != self._filled_width:
            self._filled_width = width
            self._fill(width)

    def action_scroll_variants(self, variants: int) -> None:
        """Scroll by whole columns."""
        column = round(self.scroll_x / self._step) + variants
        self.scroll_to(x=max(0, column) * self._step, animate=False)

    def _fill(self, width: int) -> None:
        row = self.cursor_row
        label_width = 2 + max(len(fact.label) for fact in self._facts)
        spare = width - _SCROLLBAR - label_width - 2 * _PADDING
        own = max(_NARROWEST, min(_WIDEST, spare // len(self._ids) - 2 * _PADDING))
        self._step = own + 2 * _PADDING
        headings = [_folded(model_id, own) for model_id in self._ids]
        self.clear(columns=True)
        self.header_height = max(map(len, headings))
        self.add_column(Text(""), width=label_width)
        for lines in headings:
            self.add_column(Text("\n".join(lines)), width=own)
        for fact in self._facts:
            cells = [_folded(value, own) for value in map(fact_words, fact.facts)]
            style = "bold" if fact.differs else ""
            label = Text(f"{_DIFFERS if fact.differs else ' '} {fact.label}", style=style)
            texts = [Text("\n".join(lines), style=style) for lines in cells]
            self.add_row(label, *texts, height=max(map(len, cells)))
        self.move_cursor(row=row)


def _folded(text: str, width: int) -> list[str]:
    return fold(shown(" ".join(text[:_CHARACTERS_SHOWN].split())), width)

"""Variants side by side, with a mark where they differ."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import DataTable

from foundry_tui.domain.models import CatalogKind, LoadReport, ModelVariant
from foundry_tui.domain.quantities import bytes_in_words, count_in_words, seconds_in_words
from foundry_tui.tui.presenters import state_of
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.folding import fold, shown

__all__ = ["CompareScreen", "Compared", "compared"]

_Reports: TypeAlias = Mapping[str, LoadReport]
_DIFFERS = "≠"
_NARROWEST, _WIDEST = 22, 44
_PADDING = 1
_SCROLLBAR = 2
# No fact is worth more of the screen; the details of one model show it in full.
_CHARACTERS_SHOWN = 200
_SOURCES = {
    CatalogKind.PUBLIC: "public catalog",
    CatalogKind.LOCAL: "your own folder",
    CatalogKind.ENDPOINT: "endpoint",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One fact about all the variants.

    Attributes:
        values: In words, in the order of the variants; what is not known reads n/a.
    """

    label: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether they are not all the same."""
        return len(set(self.values)) > 1


def _said(text: str | None) -> str:
    return text or "n/a"


def _load_time(model: ModelVariant, reports: _Reports) -> str:
    report = reports.get(model.id)
    if report is None or report.was_loaded:
        return "n/a"
    return seconds_in_words(report.load_ns / 1e9)


_FACTS: tuple[tuple[str, Callable[[ModelVariant], str]], ...] = (
    ("Device", lambda model: _said(model.device)),
    ("Size", lambda model: bytes_in_words(model.size_bytes)),
    ("On disk", lambda model: bytes_in_words(model.disk_bytes)),
    ("Context", lambda model: count_in_words(model.context_tokens)),
    ("Longest answer", lambda model: count_in_words(model.max_output_tokens)),
    ("Licence", lambda model: _said(model.license)),
    ("Quantization", lambda model: _said(model.quantization)),
    ("Provider", lambda model: _said(model.execution_provider)),
    ("Task", lambda model: _said(model.task)),
    ("Can", lambda model: ", ".join(model.capabilities) or "n/a"),
    ("Publisher", lambda model: _said(model.publisher)),
    ("From", lambda model: _SOURCES[model.catalog]),
    ("State", lambda model: state_of(model, ())),
)


def compared(models: Sequence[ModelVariant], reports: _Reports) -> list[Compared]:
    """What there is to compare, in the order in which one asks; a problem only where there is one."""
    facts = [Compared(label=label, values=tuple(map(read, models))) for label, read in _FACTS]
    facts.append(Compared(label="Last load", values=tuple(_load_time(model, reports) for model in models)))
    if any(model.problem for model in models):
        facts.append(Compared(label="Problem", values=tuple(model.problem or "none" for model in models)))
    return facts


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

    def __init__(self, models: Sequence[ModelVariant], reports: _Reports) -> None:
        """Compare ``models``, two at least, in that order."""
        super().__init__()
        self._models = models
        self._reports = reports

    def compose(self) -> ComposeResult:
        with Vertical(id="compare-box") as box:
            box.border_title = f"Compare {len(self._models)} variants"
            box.border_subtitle = f"{_DIFFERS} differs · ← → more · Esc closes"
            yield _SideBySide([model.id for model in self._models], compared(self._models, self._reports))

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
            cells = [_folded(value, own) for value in fact.values]
            style = "bold" if fact.differs else ""
            label = Text(f"{_DIFFERS if fact.differs else ' '} {fact.label}", style=style)
            texts = [Text("\n".join(lines), style=style) for lines in cells]
            self.add_row(label, *texts, height=max(map(len, cells)))
        self.move_cursor(row=row)


def _folded(text: str, width: int) -> list[str]:
    return fold(shown(" ".join(text[:_CHARACTERS_SHOWN].split())), width)

"""What an answer is judged by, a row each: a criterion with its five scores, an aspect with its letter."""

from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from foundry_tui.domain.scoring import HIGHEST, LOWEST, Criterion
from foundry_tui.tui.widgets.folding import shown_line
from foundry_tui.tui.widgets.table_parts import cut

__all__ = ["AspectRow", "CriterionRow"]

_SCORE_CELLS = 4
_NAME_CELLS = 28
_NARROW_NAME_CELLS = 20
_NARROW = 70
_MARK = "▌ "
_GAP = 2


class CriterionRow(Widget):
    """Name, the five scores with the given one in brackets, and what it or both ends mean."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    CriterionRow { height: 1; color: $foreground; }
    CriterionRow.-current { text-style: bold; color: $text-primary; }
    """

    @dataclass
    class Given(Message):
        """A score was clicked."""

        criterion: str
        value: int

    def __init__(self, criterion: Criterion) -> None:
        super().__init__()
        self.criterion = criterion
        self._value: int | None = None
        self._is_current = False

    def show(self, value: int | None, *, is_current: bool) -> None:
        """Show that score, or that there is none yet, and whether keys are about this row."""
        if (value, is_current) != (self._value, self._is_current):
            self._value, self._is_current = value, is_current
            self.set_class(is_current, "-current")
            self.refresh()

    def render(self) -> Content:
        """One line."""
        name = set_cell_size(cut(shown_line(self.criterion.name), self._name_cells), self._name_cells)
        scores = "".join(
            f"[{score}] ".rjust(_SCORE_CELLS) if score == self._value else f" {score}  "
            for score in range(LOWEST, HIGHEST + 1)
        )
        start = f"{_MARK if self._is_current else '  '}{name}{' ' * _GAP}{scores}"
        room = self.size.width - cell_len(start)
        return Content(start + cut(shown_line(self._meaning), max(0, room)))

    def on_click(self, event: events.Click) -> None:
        """Give the score that was clicked."""
        place = event.x - len(_MARK) - self._name_cells - _GAP
        value = LOWEST + place // _SCORE_CELLS
        if place >= 0 and value <= HIGHEST:
            self.post_message(self.Given(self.criterion.id, value))

    @property
    def _name_cells(self) -> int:
        return _NAME_CELLS if self.size.width >= _NARROW else _NARROW_NAME_CELLS

    @property
    def _meaning(self) -> str:
        if self._value == LOWEST:
            return self.criterion.low
        if self._value == HIGHEST:
            return self.criterion.high
        return f"1 {self.criterion.low} · 5 {self.criterion.high}" if self._is_current else ""


class AspectRow(Widget):
    """Its letter, whether the answer has it, and what it is."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    AspectRow { height: 1; color: $foreground; }
    AspectRow.-ticked { color: $text-success; }
    """

    @dataclass
    class Ticked(Message):
        """It was clicked."""

        aspect: str

    def __init__(self, letter: str, aspect: str) -> None:
        super().__init__()
        self.letter = letter
        self.aspect = aspect
        self._is_ticked = False

    def show(self, *, is_ticked: bool) -> None:
        """Show whether the answer has it."""
        if is_ticked != self._is_ticked:
            self._is_ticked = is_ticked
            self.set_class(is_ticked, "-ticked")
            self.refresh()

    def render(self) -> Content:
        """One line."""
        start = f"  {self.letter or ' '} {'[x]' if self._is_ticked else '[ ]'} "
        return Content(start + cut(shown_line(self.aspect), max(0, self.size.width - len(start))))

    def on_click(self) -> None:
        """Tick it, or not."""
        self.post_message(self.Ticked(self.aspect))

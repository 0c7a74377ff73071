"""Jump mode: a letter stands on every place that can have the focus; pressing it goes there."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.geometry import Region, Size
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Label

__all__ = ["JumpScreen", "Target", "targets_of"]

# The home row first: the most used places are under the fingers.
_LETTERS = "asdfghjklqwertyuiopzxcvbnm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A place and the letter that leads there.

    Attributes:
        region: Where it is on the screen.
    """

    letter: str
    widget: Widget
    region: Region


def targets_of(widgets: Sequence[Widget]) -> tuple[Target, ...]:
    """A letter for each of ``widgets`` that is on the screen, in their order."""
    seen = [widget for widget in widgets if widget.region and widget.can_focus]
    return tuple(
        Target(letter=letter, widget=widget, region=widget.region)
        for letter, widget in zip(_LETTERS, seen, strict=False)
    )


class JumpScreen(ModalScreen[Widget | None]):
    """Shows the letters over the workspace; the next key decides, and any other key leaves."""

    DEFAULT_CSS = """
    JumpScreen { background: transparent; layers: letters; }
    JumpScreen > Label {
        layer: letters; position: absolute; width: 3; height: 1; padding: 0 1;
        background: $accent; color: $background; text-style: bold;
    }
    """

    def __init__(self, targets: Sequence[Target]) -> None:
        super().__init__()
        self._targets = {target.letter: target for target in targets}
        self._placed_for: Size | None = None

    def compose(self) -> ComposeResult:
        for target in self._targets.values():
            label = Label(target.letter, markup=False)
            label.styles.offset = target.region.offset  # where it lies on the screen is no question of style
            yield label

    def on_key(self, event: events.Key) -> None:
        """Go, or leave."""
        event.stop()
        target = self._targets.get(event.character or "")
        self._leave_for(None if target is None else target.widget)

    def on_resize(self, event: events.Resize) -> None:
        """Leave: other places have come, and the letters stand where none is."""
        if self._placed_for not in (None, event.size):
            self._leave_for(None)
        self._placed_for = event.size

    def on_click(self, event: events.Click) -> None:
        """Leave."""
        event.stop()
        self._leave_for(None)

    def _leave_for(self, widget: Widget | None) -> None:
        if self.is_current:  # of two quick keys the second finds it closed
            self.dismiss(widget)

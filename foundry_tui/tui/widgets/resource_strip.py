"""One line about the machine and the engine, in shorter words and then in fewer where it is narrow."""

from rich.cells import cell_len
from textual.reactive import reactive
from textual.widgets import Static

__all__ = ["ResourceStrip"]

_GAP = "  ·  "


class ResourceStrip(Static):
    """Shows ``engine`` at the right and what fits of ``parts``, each in full and in short, at the left."""

    parts: reactive[tuple[tuple[str, str], ...]] = reactive(())
    engine: reactive[str] = reactive("")

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, markup=False)

    def watch_parts(self) -> None:
        """Draw the new readings."""
        self._draw()

    def watch_engine(self) -> None:
        """Draw the new state."""
        self._draw()

    def on_resize(self) -> None:
        """Choose anew what fits."""
        self._draw()

    def _draw(self) -> None:
        width = self.content_region.width
        room = width - cell_len(self.engine) - 2
        left = _GAP.join(full for full, _ in self.parts)
        short = [brief for _, brief in self.parts]
        while cell_len(left) > room and short:
            left = _GAP.join(short)
            short.pop()
        space = max(1, width - cell_len(left) - cell_len(self.engine))
        # One line high whatever it says: to arrange the whole screen anew each second would be felt.
        self.update(f"{left}{' ' * space}{self.engine}", layout=False)

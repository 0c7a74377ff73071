"""One line about the machine and the engine; the least wanted parts go first when it is narrow."""

from rich.cells import cell_len
from textual.reactive import reactive
from textual.widgets import Static

__all__ = ["ResourceStrip"]

_GAP = "  ·  "


class ResourceStrip(Static):
    """Shows ``engine`` at the right and as many ``parts`` at the left as fit."""

    parts: reactive[tuple[str, ...]] = reactive(())
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
        parts = list(self.parts)
        while parts and cell_len(_GAP.join(parts)) > room:
            parts.pop()
        left = _GAP.join(parts)
        space = max(1, width - cell_len(left) - cell_len(self.engine))
        self.update(f"{left}{' ' * space}{self.engine}")

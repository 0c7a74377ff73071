"""The first frame: the workspace's outlines, painted before anything slow is imported."""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Static

__all__ = ["PANES", "OpeningScreen"]

PANES = (("catalog", "1 Catalog"), ("cache", "2 Cache"), ("chat", "3 Chat"))


class OpeningScreen(Screen[None]):
    """Stands where the workspace will, in the same places, and keeps what is typed meanwhile."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - declared without ClassVar by the base class
        (0, "-narrow"),
        (100, "-wide"),
    ]
    AUTO_FOCUS: ClassVar[str | None] = ""

    def __init__(self, current: str) -> None:
        super().__init__()
        self._current = current
        self.typed: list[events.Key | events.Paste] = []

    def compose(self) -> ComposeResult:
        yield Static(" opening …", id="strip", markup=False)
        yield Static(id="tabs", markup=False)
        with Horizontal(id="panes"):
            with Vertical(id="left", classes="" if self._current == "chat" else "-current"):
                yield self._outline("catalog")
                yield self._outline("cache")
            yield self._outline("chat")
        yield Static(id="foot", markup=False)

    def _outline(self, name: str) -> Static:
        pane = Static(id=name, classes="pane", markup=False)
        pane.border_title = dict(PANES)[name]
        pane.set_class(name == self._current, "-current")
        return pane

    def on_key(self, event: events.Key) -> None:
        """Keep the key for the workspace."""
        event.stop()
        self.typed.append(events.Key(event.key, event.character))

    def on_paste(self, event: events.Paste) -> None:
        """Keep the paste for the workspace."""
        event.stop()
        self.typed.append(events.Paste(event.text))

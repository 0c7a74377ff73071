"""The least Textual app there is: one line of text.  What ``startup.py`` compares with."""

from textual.app import App, ComposeResult
from textual.widgets import Static

__all__ = ["PAINTED", "MinimalApp"]

PAINTED = "Painted"


class MinimalApp(App[None]):
    """Shows one word; Ctrl+Q, Textual's own key, ends it."""

    def compose(self) -> ComposeResult:
        yield Static(PAINTED)


if __name__ == "__main__":
    MinimalApp().run()

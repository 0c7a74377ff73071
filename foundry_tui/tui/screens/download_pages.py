"""What opens over the queue of downloads: everything known of one, and how one is to be cancelled."""

from collections.abc import Sequence
from enum import StrEnum

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Label

from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.reports.facts import Fact
from foundry_tui.tui.presenters import fact_words
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet

__all__ = ["CancelDownloadScreen", "CancelWish", "DownloadDetailScreen"]

_LABEL_CELLS = 22


class CancelWish(StrEnum):
    """What becomes of the bytes that are here."""

    KEEP = "keep"
    REMOVE = "remove"


class CancelDownloadScreen(Overlay[CancelWish]):
    """Asks what becomes of what is here; without a result the download goes on."""

    DEFAULT_CSS = """
    CancelDownloadScreen Button { min-width: 9; }
    """

    def __init__(self, name: str, here_bytes: int) -> None:
        """Ask about the download of ``name``, harmless and short, of which so much is here."""
        super().__init__()
        self._name = name
        self._here = bytes_in_words(here_bytes)

    def compose(self) -> ComposeResult:
        with Vertical(classes="box small"):
            here = f"{self._here} of it are here; a retry goes on from them."
            yield Label(f"Cancel this download?\n{self._name}\n{here}", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Cancel, keep", id="keep", variant="warning")
                yield Button("Cancel, remove", id="remove", variant="error")
                yield Button("Go on", id="stay", variant="primary")

    def on_mount(self) -> None:
        """The harmless answer has the focus."""
        self.query_one("#stay", Button).focus()

    @on(Button.Pressed)
    def _answer(self, message: Button.Pressed) -> None:
        message.stop()
        wishes = {"keep": CancelWish.KEEP, "remove": CancelWish.REMOVE}
        self.dismiss(wishes.get(message.button.id or ""))


class DownloadDetailScreen(Overlay[None]):
    """Everything known of one download, whole."""

    DEFAULT_CSS = """
    DownloadDetailScreen > #download-detail-box {
        width: 90%;
        max-width: 100;
        height: 20;
        max-height: 90%;
        border: round $primary;
        background: $surface;
        padding: 0 1;
    }
    """

    def __init__(self, facts: Sequence[Fact]) -> None:
        super().__init__()
        self._facts = facts

    def compose(self) -> ComposeResult:
        with Vertical(id="download-detail-box") as box:
            box.border_title = "Download"
            box.border_subtitle = "Esc closes"
            yield Sheet(label_cells=_LABEL_CELLS)

    def on_mount(self) -> None:
        """Begin where one reads."""
        sheet = self.query_one(Sheet)
        sheet.set_paragraphs([Paragraph(label=fact.label, text=fact_words(fact)) for fact in self._facts])
        sheet.focus()

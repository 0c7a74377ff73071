"""Before a server downloads a model for itself: where it comes to, how much it is, and its licence."""

from textual.app import ComposeResult
from textual.containers import Vertical

from foundry_tui.domain.engine import EngineInfo
from foundry_tui.domain.models import ModelVariant
from foundry_tui.reports.fetching import NOT_KNOWN_THERE, place_words, server_words
from foundry_tui.services.downloads.licenses import Licenses
from foundry_tui.tui.screens.offer import OfferScreen
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone

__all__ = ["FetchOfferScreen"]


class FetchOfferScreen(OfferScreen[bool]):
    """Closes with True if the model is wanted under its licence.

    Args:
        model: What is offered.
        server: Who would download it.
        licenses: Knows what was agreed to, and is told.
    """

    DEFAULT_CSS = """
    FetchOfferScreen > #fetch-offer-box { max-height: 30; }
    FetchOfferScreen .offer-row { margin-top: 1; }
    """

    def __init__(self, model: ModelVariant, *, server: EngineInfo, licenses: Licenses) -> None:
        super().__init__(model, licenses=licenses)
        self._server = server

    def compose(self) -> ComposeResult:
        with Vertical(id="fetch-offer-box", classes="offer-box") as box:
            box.border_title = "Download onto the server"
            box.border_subtitle = "↑ ↓ scroll · r looks again · Esc leaves"
            yield Sheet(id="fetch-offer-sheet")
            yield from self.buttons()

    async def take(self) -> None:
        self.dismiss(True)

    def about(self, *, is_known: bool) -> list[Paragraph]:
        return [
            Paragraph(label="Server", text=server_words(self._server)),
            Paragraph(label="Download", text=place_words(self.model)),
            Paragraph(label="", text=NOT_KNOWN_THERE, tone=Tone.MUTED),
        ]

"""Before a server downloads a model for itself: where it comes to, how much it is, and its licence."""

import asyncio
from collections.abc import Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button

from foundry_tui.domain.engine import EngineInfo
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.text import clean_line, clean_text
from foundry_tui.reports.fetching import NOT_KNOWN_THERE, license_words, place_words, server_words
from foundry_tui.services.setup import LicensePolicy
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone

__all__ = ["FetchOfferScreen"]


class FetchOfferScreen(Overlay[bool]):
    """Closes with True if the model is wanted under its licence.

    Args:
        model: What is offered.
        server: Who would download it.
        policy: The licences that are denied, by the newest settings; blocks.
    """

    DEFAULT_CSS = """
    FetchOfferScreen > #fetch-offer-box {
        width: 100%;
        max-width: 110;
        height: 100%;
        max-height: 30;
        border: round $primary;
        background: $surface;
        padding: 0 1;
    }
    FetchOfferScreen .offer-row { height: 1; margin-top: 1; }
    FetchOfferScreen Button { margin-right: 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "download", "Download", id="offer.download"),
        Binding("a", "accept", "Accept the licence and download", id="offer.accept"),
    ]

    def __init__(
        self, model: ModelVariant, *, server: EngineInfo, policy: Callable[[], LicensePolicy]
    ) -> None:
        super().__init__()
        self._model = model
        self._server = server
        self._policy = policy
        self._rule: str | None = None
        self._text = ""

    @property
    def sheet(self) -> Sheet:
        """What there is to read; it has the focus at first."""
        return self.query_one(Sheet)

    def compose(self) -> ComposeResult:
        with Vertical(id="fetch-offer-box") as box:
            box.border_title = "Download onto the server"
            box.border_subtitle = "↑ ↓ scroll · Esc leaves"
            yield Sheet(id="fetch-offer-sheet")
            with Horizontal(classes="offer-row"):
                yield Button(
                    "a  Accept the licence and download", id="offer-accept", variant="primary", compact=True
                )
                yield Button("Leave", id="offer-leave", compact=True)

    def on_mount(self) -> None:
        """Begin where one reads."""
        self.sheet.focus()
        self._show()
        self._look()

    def action_download(self) -> None:
        """Say with which key the licence is accepted: what began with d must not end with it unread."""
        tell(self, "Read the licence first: a accepts it and downloads", is_warning=True)

    @work(exclusive=True, group="accept")
    async def action_accept(self) -> None:
        """Have it downloaded, unless the settings deny its licence."""
        await self._ask_policy()
        if self._rule is None:
            self.dismiss(True)
        else:
            tell(
                self,
                f"Not downloaded: its licence is {license_words(self._model, self._rule)}",
                is_warning=True,
            )

    @on(Button.Pressed)
    def _pressed(self, message: Button.Pressed) -> None:
        message.stop()
        if message.button.id == "offer-accept":
            self.action_accept()
        else:
            self.dismiss(None)

    @work(group="look")
    async def _look(self) -> None:
        # A hostile catalog's text may be long; to clean it is not the loop's work.
        self._text = await asyncio.to_thread(clean_text, self._model.license_text or "")
        await self._ask_policy()

    async def _ask_policy(self) -> None:
        try:
            policy = await asyncio.to_thread(self._policy)
        except FoundryTuiError as error:
            complain(self, error)  # what the settings said before still holds
        else:
            self._rule = policy.denying(self._model.license)
        self._show()

    def _show(self) -> None:
        if not self.is_open:
            return
        self.query_one("#offer-accept", Button).display = self._rule is None
        self.sheet.set_paragraphs(self._paragraphs())

    def _paragraphs(self) -> list[Paragraph]:
        model = self._model
        about = " · ".join(part for part in (model.display_name, model.publisher, model.task) if part)
        said = [Paragraph(label="Model", text=clean_line(model.id))]
        if about:
            said.append(Paragraph(label="", text=clean_line(about), tone=Tone.MUTED))
        return [
            *said,
            Paragraph(label="Server", text=server_words(self._server)),
            Paragraph(label="Download", text=place_words(model)),
            Paragraph(label="", text=NOT_KNOWN_THERE, tone=Tone.MUTED),
            Paragraph(
                label="Licence",
                text=license_words(model, self._rule),
                tone=Tone.WARNING if self._rule is None else Tone.PROBLEM,
            ),
            Paragraph(
                text=f"\n{self._text.strip(chr(10)) or 'The catalog has no text of it.'}",
                tone=Tone.NORMAL if self._text else Tone.MUTED,
            ),
        ]

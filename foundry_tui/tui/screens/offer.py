"""What both offers have: the model and its licence are read first, and agreed to once for each text."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar, TypeVar, assert_never

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button

from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.text import clean_line, clean_text
from foundry_tui.reports.download_offer import license_agreed, license_asked, license_denied
from foundry_tui.reports.errors import error_words
from foundry_tui.services.downloads.licenses import Licenses, LicenseVerdict, Verdict
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone

__all__ = ["OfferScreen", "OfferedLicense"]

T = TypeVar("T")

_TONES = {Verdict.ALLOWED: Tone.NORMAL, Verdict.ASK: Tone.WARNING, Verdict.DENIED: Tone.PROBLEM}


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedLicense:
    """A licence as it is shown, and what it leaves to do.

    Attributes:
        text: All of it, harmless; "" if the catalog has none.
    """

    verdict: LicenseVerdict
    text: str

    @property
    def is_asked(self) -> bool:
        """Whether it must be agreed to first."""
        return self.verdict.verdict is Verdict.ASK

    @property
    def refusal(self) -> str | None:
        """Why nothing may be downloaded under it; None if it may."""
        is_denied = self.verdict.verdict is Verdict.DENIED
        return f"Not downloaded: its licence is {self.words}" if is_denied else None

    @property
    def words(self) -> str:
        """Its name, and whether it was agreed to."""
        found = self.verdict
        match found.verdict:
            case Verdict.ALLOWED:
                return license_agreed(found.name, found.rule)
            case Verdict.ASK:
                return license_asked(found.name)
            case Verdict.DENIED:
                return license_denied(found.name, found.rule)
            case _:
                assert_never(found.verdict)

    def paragraphs(self) -> list[Paragraph]:
        """Its name, and its text to the end."""
        text = self.text.strip("\n") or "The catalog has no text of it."
        return [
            Paragraph(label="Licence", text=self.words, tone=_TONES[self.verdict.verdict]),
            Paragraph(text=f"\n{text}", tone=Tone.NORMAL if self.text else Tone.MUTED),
        ]


class OfferScreen(Overlay[T]):
    """Has a model taken by ``d`` where its licence was agreed to before, else by ``a``, which agrees.

    Whoever inherits from it says what else there is to read, what else speaks against it, and what is done.

    Args:
        model: What is offered.
        licenses: Knows what was agreed to, and is told.

    Attributes:
        LOOKING: What is shown until all is known.
    """

    LOOKING: ClassVar[str] = "Looking at the licence …"
    DEFAULT_CSS = """
    OfferScreen > .offer-box {
        width: 100%;
        max-width: 110;
        height: 100%;
        border: round $primary;
        background: $surface;
        padding: 0 1;
    }
    OfferScreen .offer-row { height: 1; }
    OfferScreen Button { margin-right: 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "download", "Download", id="offer.download"),
        Binding("a", "accept", "Accept the licence and download", id="offer.accept"),
        Binding("r", "again", "Look again", show=False, id="offer.again"),
    ]

    def __init__(self, model: ModelVariant, *, licenses: Licenses) -> None:
        super().__init__()
        self.model = model
        self._licenses = licenses
        self._license: OfferedLicense | None = None
        self._problem: FoundryTuiError | None = None
        self._is_acting = False

    @property
    def sheet(self) -> Sheet:
        """What there is to read; it has the focus at first."""
        return self.query_one(Sheet)

    def buttons(self) -> ComposeResult:
        """The last row: what can be done by mouse too."""
        with Horizontal(classes="offer-row"):
            yield Button("d  Download", id="offer-download", variant="primary", compact=True)
            yield Button(
                "a  Accept the licence and download", id="offer-accept", variant="primary", compact=True
            )
            yield Button("Leave", id="offer-leave", compact=True)

    async def look_up(self) -> None:
        """Find out what else there is to know; again after what did not work.

        Raises:
            FoundryTuiError: It cannot be known; shown in its place.
        """

    def about(self, *, is_known: bool) -> list[Paragraph]:
        """What is said between the model and its licence; ``is_known`` once ``look_up`` has succeeded."""
        raise NotImplementedError

    def objection(self) -> str | None:
        """What speaks against it besides the licence; None if nothing does."""
        return None

    async def is_sure(self) -> bool:
        """Whether the user wants it even so."""
        return True

    async def take(self) -> None:
        """Do what is wanted, and close.

        Raises:
            FoundryTuiError: It did not work; told, and this stays open.
        """
        raise NotImplementedError

    def on_mount(self) -> None:
        """Begin where one reads."""
        self.sheet.focus()
        self.redraw()
        self._look()

    def action_download(self) -> None:
        """Have it, if its licence was agreed to before."""
        self._act(self._download)

    def action_accept(self) -> None:
        """Agree to the licence, which is remembered, and have it."""
        self._act(self._accept)

    def action_again(self) -> None:
        """Look anew: something may have changed."""
        self._look()

    def redraw(self) -> None:
        """Show what is known by now."""
        if not self.is_open:
            return
        is_asked = self._license is not None and self._license.is_asked
        is_refused = self._license is None or self._refusal(self._license) is not None
        for name, is_shown in (("download", not is_asked), ("accept", is_asked)):
            self.query_one(f"#offer-{name}", Button).display = is_shown and not is_refused
        self.sheet.set_paragraphs(self._paragraphs())

    @on(Button.Pressed, "#offer-download")
    def _download_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        self.action_download()

    @on(Button.Pressed, "#offer-accept")
    def _accept_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        self.action_accept()

    @on(Button.Pressed, "#offer-leave")
    def _leave_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        self.dismiss(None)

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        try:
            await self.look_up()
            verdict = await self._licenses.verdict(self.model)
        except FoundryTuiError as error:
            self._license, self._problem = None, error
        else:
            # A hostile catalog's text may be long; to clean it is not the loop's work.
            text = await asyncio.to_thread(clean_text, verdict.text or "")
            self._license, self._problem = OfferedLicense(verdict=verdict, text=text), None
        self.redraw()

    @work(group="act")
    async def _act(self, do: Callable[[OfferedLicense], Awaitable[None]]) -> None:
        if self._is_acting:
            return  # a second press, before the first has closed this
        self._is_acting = True
        try:
            if self._license is None:
                tell(self, "Still looking" if self._problem is None else "r looks again", is_warning=True)
            elif (reason := self._refusal(self._license)) is not None:
                tell(self, reason, is_warning=True)
            else:
                await do(self._license)
        except FoundryTuiError as error:
            complain(self, error)
            self._look()  # what was found may not hold any more
        finally:
            self._is_acting = False

    def _refusal(self, found: OfferedLicense) -> str | None:
        return found.refusal or self.objection()

    async def _download(self, found: OfferedLicense) -> None:
        if found.is_asked:
            tell(self, "Read the licence first: a accepts it and downloads", is_warning=True)
        elif await self.is_sure():
            await self.take()

    async def _accept(self, found: OfferedLicense) -> None:
        if await self.is_sure():
            if found.is_asked:
                await self._licenses.accept(self.model)
            await self.take()

    def _paragraphs(self) -> list[Paragraph]:
        model, found = self.model, self._license
        about = " · ".join(part for part in (model.display_name, model.publisher, model.task) if part)
        said = [Paragraph(label="Model", text=clean_line(model.id))]
        if about:
            said.append(Paragraph(label="", text=clean_line(about), tone=Tone.MUTED))
        if self._problem is not None:
            said.append(Paragraph(label="Problem", text=error_words(self._problem), tone=Tone.PROBLEM))
        elif found is None:
            said.append(Paragraph(label="", text=self.LOOKING, tone=Tone.MUTED))
        said += self.about(is_known=found is not None)
        return said if found is None else [*said, *found.paragraphs()]

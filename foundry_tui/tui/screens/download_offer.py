"""Before a download: what it is, whether disk and memory suffice, and the licence that one agrees to."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar, assert_never

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button

from foundry_tui.domain.downloads import Download
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.text import clean_line, clean_text
from foundry_tui.metrics.fit import Fit, FitVerdict
from foundry_tui.reports.download_offer import (
    fit_lines,
    fit_words,
    license_agreed,
    license_asked,
    license_denied,
    machine_words,
    removable_lines,
    room_facts,
    room_words,
)
from foundry_tui.reports.downloads import moment_in_words, state_words
from foundry_tui.reports.errors import error_words
from foundry_tui.services.downloads.facade import Downloads, Preflight
from foundry_tui.services.downloads.licenses import Licenses, LicenseVerdict, Verdict
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.presenters import fact_words
from foundry_tui.tui.screens.overlay import ConfirmScreen, Overlay
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone

__all__ = ["DownloadOfferScreen"]

_MEMORY_TONES = {
    FitVerdict.FITS: Tone.GOOD,
    FitVerdict.TIGHT: Tone.WARNING,
    FitVerdict.DOES_NOT_FIT: Tone.WARNING,
    FitVerdict.UNKNOWN: Tone.NORMAL,
}
_LICENSE_TONES = {Verdict.ALLOWED: Tone.NORMAL, Verdict.ASK: Tone.WARNING, Verdict.DENIED: Tone.PROBLEM}
_NAME_CHARACTERS = 56


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was found out about the wish.

    Attributes:
        text: The licence, harmless.
    """

    room: Preflight
    license: LicenseVerdict
    text: str


class DownloadOfferScreen(Overlay[Download]):
    """Closes with the entry that was added to the queue; without one if the user left.

    Args:
        model: What is offered.
        downloads: Takes the wish.
        licenses: Knows what was agreed to, and is told.
        need: The memory that it will need, next to what there is.
        unix_ms: The time of day.
    """

    DEFAULT_CSS = """
    DownloadOfferScreen > #offer-box {
        width: 100%;
        max-width: 110;
        height: 100%;
        max-height: 38;
        border: round $primary;
        background: $surface;
        padding: 0 1;
    }
    DownloadOfferScreen .offer-row { height: 1; }
    DownloadOfferScreen #offer-options { margin-top: 1; }
    DownloadOfferScreen Button { margin-right: 2; }
    DownloadOfferScreen #offer-options Button { background: $surface; color: $foreground; }
    DownloadOfferScreen #offer-options Button:focus { background: $primary 40%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "download", "Download", id="offer.download"),
        Binding("a", "accept", "Accept the licence and download", id="offer.accept"),
        Binding("n", "at_night", "At the quiet hour", id="offer.quiet"),
        Binding("o", "outlive", "Go on when the app is quit", id="offer.outlive"),
        Binding("m", "arithmetic", "Show or hide the arithmetic", show=False, id="offer.arithmetic"),
        Binding("r", "again", "Look again", show=False, id="offer.again"),
    ]

    def __init__(
        self,
        model: ModelVariant,
        *,
        downloads: Downloads,
        licenses: Licenses,
        need: Fit,
        unix_ms: Callable[[], int],
    ) -> None:
        super().__init__()
        self._model = model
        self._downloads = downloads
        self._licenses = licenses
        self._need = need
        self._unix_ms = unix_ms
        self._found: _Found | None = None
        self._problem: FoundryTuiError | None = None
        self._is_later = False
        self._outlives_app = False
        self._shows_arithmetic = True
        self._is_acting = False

    @property
    def sheet(self) -> Sheet:
        """What there is to read; it has the focus at first."""
        return self.query_one(Sheet)

    def compose(self) -> ComposeResult:
        with Vertical(id="offer-box") as box:
            box.border_title = "Download"
            box.border_subtitle = "↑ ↓ scroll · m arithmetic · r looks again · Esc leaves"
            yield Sheet(id="offer-sheet")
            with Horizontal(id="offer-options", classes="offer-row"):
                yield Button("", id="offer-quiet", compact=True)
                yield Button("", id="offer-outlive", compact=True)
            with Horizontal(classes="offer-row"):
                yield Button("d  Download", id="offer-download", variant="primary", compact=True)
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
        """Put it into the queue, if its licence was agreed to before."""
        self._act(self._download)

    def action_accept(self) -> None:
        """Agree to the licence, which is remembered, and put it into the queue."""
        self._act(self._accept)

    def action_at_night(self) -> None:
        """Let it wait for the quiet hour, or not."""
        self._is_later = not self._is_later
        self._show_options()

    def action_outlive(self) -> None:
        """Let it go on when the app is quit, or not."""
        self._outlives_app = not self._outlives_app
        self._show_options()

    def action_arithmetic(self) -> None:
        """Show or hide how the need for memory is worked out."""
        self._shows_arithmetic = not self._shows_arithmetic
        self._show()

    def action_again(self) -> None:
        """Look anew: there may be room by now."""
        self._look()

    @on(Button.Pressed)
    def _pressed(self, message: Button.Pressed) -> None:
        message.stop()
        match message.button.id:
            case "offer-download":
                self.action_download()
            case "offer-accept":
                self.action_accept()
            case "offer-quiet":
                self.action_at_night()
            case "offer-outlive":
                self.action_outlive()
            case _:
                self.dismiss(None)

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        try:
            room = await self._downloads.preflight(self._model)
            verdict = await self._licenses.verdict(self._model)
        except FoundryTuiError as error:
            self._found, self._problem = None, error
        else:
            # A hostile catalog's text may be long; to clean it is not the loop's work.
            text = await asyncio.to_thread(clean_text, verdict.text or "")
            self._found, self._problem = _Found(room=room, license=verdict, text=text), None
        self._show()

    @work(group="act")
    async def _act(self, do: Callable[[_Found], Awaitable[None]]) -> None:
        if self._is_acting:
            return  # a second press, before the first has closed this
        self._is_acting = True
        try:
            if self._found is None:
                tell(self, "Still looking" if self._problem is None else "r looks again", is_warning=True)
            elif (reason := self._refusal(self._found)) is not None:
                tell(self, reason, is_warning=True)
            else:
                await do(self._found)
        except FoundryTuiError as error:
            complain(self, error)
            self._look()  # what was found may not hold any more
        finally:
            self._is_acting = False

    def _refusal(self, found: _Found) -> str | None:
        """Why it cannot be downloaded; None if it can."""
        if found.license.verdict is Verdict.DENIED:
            return f"Not downloaded: its licence is {self._license_words(found.license)}"
        if not found.room.is_enough:
            return f"Not downloaded: {room_words(found.room)}"
        return None

    async def _download(self, found: _Found) -> None:
        if found.license.verdict is Verdict.ASK:
            tell(self, "Read the licence first: a accepts it and downloads", is_warning=True)
        elif await self._is_sure():
            await self._add()

    async def _accept(self, found: _Found) -> None:
        if await self._is_sure():
            if found.license.verdict is Verdict.ASK:
                await self._licenses.accept(self._model)
            await self._add()

    async def _is_sure(self) -> bool:
        """Whether the user wants it even where this machine cannot run it."""
        if self._model.unavailable is None:
            return True
        # A line each, for no line of the question is wrapped.
        question = (
            f"This machine cannot run\n{clean_line(self._model.id, _NAME_CHARACTERS)}:\n"
            f"{clean_line(self._model.unavailable, _NAME_CHARACTERS)}.\nDownload it all the same?"
        )
        is_sure = await self.app.push_screen_wait(ConfirmScreen(question, "Download"))
        return is_sure is True

    async def _add(self) -> None:
        entry = await self._downloads.add(
            self._model,
            not_before_unix_ms=self._downloads.next_quiet_unix_ms() if self._is_later else None,
            outlives_app=self._outlives_app,
        )
        self.dismiss(entry)

    def _show(self) -> None:
        found = self._found
        is_asked = found is not None and found.license.verdict is Verdict.ASK
        is_refused = found is None or self._refusal(found) is not None
        for name, is_shown in (("download", not is_asked), ("accept", is_asked)):
            self.query_one(f"#offer-{name}", Button).display = is_shown and not is_refused
        self._show_options()
        self.sheet.set_paragraphs(self._paragraphs())

    def _paragraphs(self) -> list[Paragraph]:
        model, found = self._model, self._found
        about = " · ".join(part for part in (model.display_name, model.publisher, model.task) if part)
        said = [Paragraph(label="Model", text=clean_line(model.id))]
        if about:
            said.append(Paragraph(label="", text=clean_line(about), tone=Tone.MUTED))
        if (entry := self._downloads.queue.value.of(model.id)) is not None:
            said.append(Paragraph(label="Queue", text=state_words(entry, None, self._unix_ms())))
        if self._problem is not None:
            said.append(Paragraph(label="Problem", text=error_words(self._problem), tone=Tone.PROBLEM))
        elif found is None:
            said.append(Paragraph(label="", text="Looking at the disk and the licence …", tone=Tone.MUTED))
        else:
            said += self._about_room(found.room)
        said.append(
            Paragraph(
                label="Runs on",
                text=machine_words(model),
                tone=Tone.NORMAL if model.unavailable is None else Tone.WARNING,
            )
        )
        said += self._about_memory()
        if found is not None:
            said += self._about_license(found)
        return said

    def _about_room(self, room: Preflight) -> list[Paragraph]:
        *numbers, verdict = room_facts(room)
        said = [Paragraph(label=fact.label, text=fact_words(fact)) for fact in numbers]
        tone = Tone.GOOD if room.is_enough else Tone.PROBLEM
        said.append(Paragraph(label=verdict.label, text=fact_words(verdict), tone=tone))
        if not room.is_enough:
            lines = removable_lines(room.removable)
            words = (
                "What could be removed from the cache:" if lines else "Nothing in the cache can be removed."
            )
            said.append(Paragraph(label="", text="\n".join([words, *lines])))
        return said

    def _about_memory(self) -> list[Paragraph]:
        said = [Paragraph(label="Memory", text=fit_words(self._need), tone=_MEMORY_TONES[self._need.verdict])]
        if self._shows_arithmetic and (lines := fit_lines(self._need)):
            said.append(Paragraph(label="", text="\n".join(lines), tone=Tone.MUTED))
        return said

    def _about_license(self, found: _Found) -> list[Paragraph]:
        text = found.text.strip("\n") or "The catalog has no text of it."
        return [
            Paragraph(
                label="Licence",
                text=self._license_words(found.license),
                tone=_LICENSE_TONES[found.license.verdict],
            ),
            Paragraph(text=f"\n{text}", tone=Tone.NORMAL if found.text else Tone.MUTED),
        ]

    def _license_words(self, verdict: LicenseVerdict) -> str:
        match verdict.verdict:
            case Verdict.ALLOWED:
                return license_agreed(verdict.name, verdict.rule)
            case Verdict.ASK:
                return license_asked(verdict.name)
            case Verdict.DENIED:
                return license_denied(verdict.name, verdict.rule)
            case _:
                assert_never(verdict.verdict)

    def _show_options(self) -> None:
        quiet = moment_in_words(self._downloads.next_quiet_unix_ms(), self._unix_ms())
        for name, is_chosen, words in (
            ("quiet", self._is_later, f"n  starts at {quiet}"),
            ("outlive", self._outlives_app, "o  goes on when the app is quit"),
        ):
            sign = "x" if is_chosen else " "
            self.query_one(f"#offer-{name}", Button).label = Content(f"[{sign}] {words}")

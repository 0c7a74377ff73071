"""Before a download: what it is, whether disk and memory suffice, and the licence that one agrees to."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button

from foundry_tui.domain.downloads import Download
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.fit import Fit, FitVerdict
from foundry_tui.reports.download_offer import machine_words, removable_lines, room_facts, room_words
from foundry_tui.reports.downloads import moment_in_words, state_words
from foundry_tui.reports.fit import fit_lines, fit_words
from foundry_tui.services.downloads.facade import Downloads, Preflight
from foundry_tui.services.downloads.licenses import Licenses
from foundry_tui.tui.presenters import fact_words
from foundry_tui.tui.screens.offer import OfferScreen
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone

__all__ = ["DownloadOfferScreen"]

_MEMORY_TONES = {
    FitVerdict.FITS: Tone.GOOD,
    FitVerdict.TIGHT: Tone.WARNING,
    FitVerdict.DOES_NOT_FIT: Tone.WARNING,
    FitVerdict.UNKNOWN: Tone.NORMAL,
}
_NAME_CHARACTERS = 56


class DownloadOfferScreen(OfferScreen[Download]):
    """Closes with the entry that was added to the queue; without one if the user left.

    Args:
        model: What is offered.
        downloads: Takes the wish.
        licenses: Knows what was agreed to, and is told.
        need: The memory that it will need, next to what there is.
        unix_ms: The time of day.
    """

    LOOKING = "Looking at the disk and the licence …"
    DEFAULT_CSS = """
    DownloadOfferScreen > #offer-box { max-height: 38; }
    DownloadOfferScreen #offer-options { margin-top: 1; }
    DownloadOfferScreen #offer-options Button { background: $surface; color: $foreground; }
    DownloadOfferScreen #offer-options Button:focus { background: $primary 40%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "at_night", "At the quiet hour", id="offer.quiet"),
        Binding("o", "outlive", "Go on when the app is quit", id="offer.outlive"),
        Binding("m", "arithmetic", "Show or hide the arithmetic", show=False, id="offer.arithmetic"),
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
        super().__init__(model, licenses=licenses)
        self._downloads = downloads
        self._need = need
        self._unix_ms = unix_ms
        self._room: Preflight | None = None
        self._is_later = False
        self._outlives_app = False
        self._shows_arithmetic = True

    def compose(self) -> ComposeResult:
        with Vertical(id="offer-box", classes="offer-box") as box:
            box.border_title = "Download"
            box.border_subtitle = "↑ ↓ scroll · m arithmetic · r looks again · Esc leaves"
            yield Sheet(id="offer-sheet")
            with Horizontal(id="offer-options", classes="offer-row"):
                yield Button("", id="offer-quiet", compact=True)
                yield Button("", id="offer-outlive", compact=True)
            yield from self.buttons()

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
        self.redraw()

    @on(Button.Pressed, "#offer-quiet")
    def _quiet_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        self.action_at_night()

    @on(Button.Pressed, "#offer-outlive")
    def _outlive_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        self.action_outlive()

    async def look_up(self) -> None:
        self._room = await self._downloads.preflight(self.model)

    def objection(self) -> str | None:
        room = self._room
        return None if room is None or room.is_enough else f"Not downloaded: {room_words(room)}"

    async def is_sure(self) -> bool:
        if self.model.unavailable is None:
            return True
        # A line each, for no line of the question is wrapped.
        question = (
            f"This machine cannot run\n{clean_line(self.model.id, _NAME_CHARACTERS)}:\n"
            f"{clean_line(self.model.unavailable, _NAME_CHARACTERS)}.\nDownload it all the same?"
        )
        is_sure = await self.app.push_screen_wait(ConfirmScreen(question, "Download"))
        return is_sure is True

    async def take(self) -> None:
        entry = await self._downloads.add(
            self.model,
            not_before_unix_ms=self._downloads.next_quiet_unix_ms() if self._is_later else None,
            outlives_app=self._outlives_app,
        )
        self.dismiss(entry)

    def redraw(self) -> None:
        super().redraw()
        if self.is_open:
            self._show_options()

    def about(self, *, is_known: bool) -> list[Paragraph]:
        model = self.model
        said: list[Paragraph] = []
        if (entry := self._downloads.queue.value.of(model.id)) is not None:
            said.append(Paragraph(label="Queue", text=state_words(entry, None, self._unix_ms())))
        if is_known and self._room is not None:
            said += self._about_room(self._room)
        said.append(
            Paragraph(
                label="Runs on",
                text=machine_words(model),
                tone=Tone.NORMAL if model.unavailable is None else Tone.WARNING,
            )
        )
        return [*said, *self._about_memory()]

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

    def _show_options(self) -> None:
        quiet = moment_in_words(self._downloads.next_quiet_unix_ms(), self._unix_ms())
        for name, is_chosen, words in (
            ("quiet", self._is_later, f"n  starts at {quiet}"),
            ("outlive", self._outlives_app, "o  goes on when the app is quit"),
        ):
            sign = "x" if is_chosen else " "
            self.query_one(f"#offer-{name}", Button).label = Content(f"[{sign}] {words}")

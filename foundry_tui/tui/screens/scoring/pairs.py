"""Comparing two answers to one prompt."""

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from foundry_tui.services.scoring.blind import Cover
from foundry_tui.services.scoring.pairing import PairSession
from foundry_tui.tui.screens.scoring.judging import Judging, title_words
from foundry_tui.tui.screens.scoring.keys import PREFERENCES
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone

__all__ = ["SAID", "PairsScreen"]

SAID = {"left": "A is better", "right": "B is better", "tie": "neither is better", "skipped": "skipped"}
"""What was preferred, in words."""


class PairsScreen(Judging):
    """The prompt, and two answers side by side.

    Args:
        session: Whose pairs.
        cover: Lies over the names of the run's models.
    """

    HELP = (
        "a prefers the left answer, b the right one, = neither. The next pair comes by itself; u takes the "
        "last key back. Which model is on which side is drawn by lot, and some pairs come twice with the "
        "sides changed."
    )
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-wide")]  # noqa: RUF012 - as the base class declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        *PREFERENCES,
        Binding("tab", "other", "Other answer", key_display="tab", id="scoring.other"),
    ]
    DEFAULT_CSS = """
    PairsScreen #pair-prompt { height: auto; max-height: 25%; color: $text-muted; }
    PairsScreen #pair-answers { height: 1fr; }
    PairsScreen.-narrow #pair-answers { layout: vertical; }
    PairsScreen .pair-answer {
        width: 1fr; height: 1fr; border: round $surface-lighten-2; border-title-color: $text; padding: 0 1;
    }
    PairsScreen .pair-answer:focus-within { border: round $primary; }
    PairsScreen .pair-answer.-preferred { border: round $success; }
    """

    def __init__(self, session: PairSession, cover: Cover) -> None:
        super().__init__(session, cover, session.rubric)
        self._session = session

    def compose(self) -> ComposeResult:
        with Vertical(classes="full") as box:
            box.border_title = Content(title_words("Compare answers", self._session.annotator))
            box.border_subtitle = "every key is kept at once · Esc leaves, to go on later"
            yield Sheet(id="pair-prompt")
            with Horizontal(id="pair-answers"):
                for side, letter in (("left", "A"), ("right", "B")):
                    with Vertical(id=f"pair-{side}", classes="pair-answer") as answer:
                        answer.border_title = letter
                        yield Sheet(id=f"pair-{side}-sheet")
            yield Static(classes="scoring-state", markup=False)
        yield KeyFooter()

    async def on_mount(self) -> None:
        """Begin where it was left."""
        self.query_one("#pair-left-sheet", Sheet).focus()
        await self.show_item()

    async def show_item(self) -> None:
        """Show both answers from their beginning."""
        item = self._session.item
        texts = {
            "#pair-prompt": Paragraph(text=self.covered(item.left.prompt), tone=Tone.MUTED),
            "#pair-left-sheet": Paragraph(text=self.covered(item.left.answer)),
            "#pair-right-sheet": Paragraph(text=self.covered(item.right.answer)),
        }
        for name, paragraph in texts.items():
            sheet = self.query_one(name, Sheet)
            sheet.set_paragraphs([paragraph])
            sheet.scroll_to(y=0, animate=False)
        self.show_standing()

    def show_standing(self) -> None:
        """Show which one was preferred."""
        preferred = self._session.preferred
        for side in ("left", "right"):
            self.query_one(f"#pair-{side}").set_class(preferred == side, "-preferred")
        self.show_state(*([] if preferred is None else [SAID[preferred]]))

    async def skip(self) -> None:
        await self._session.skip()

    async def action_prefer(self, which: str) -> None:
        """Say which one is better, and go on."""
        say: dict[str, Callable[[], Awaitable[None]]] = {
            "left": self._session.prefer_left,
            "right": self._session.prefer_right,
            "tie": self._session.tie,
        }
        was_done = self._session.standing is not None
        if not await self.said(say[which]):
            return
        if was_done:
            self.show_standing()
        else:
            await self.go_on()

    def action_other(self) -> None:
        """Scroll the other answer from now on."""
        left, right = (self.query_one(f"#pair-{side}-sheet", Sheet) for side in ("left", "right"))
        (right if left.has_focus else left).focus()

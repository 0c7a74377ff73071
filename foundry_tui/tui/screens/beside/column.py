"""One of the answers that stand side by side."""

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from foundry_tui.tui.widgets.sheet import Paragraph, Sheet

__all__ = ["AnswerColumn"]


class AnswerColumn(Vertical):
    """A title, the text as it comes, and a state below it; the text is followed until one scrolls.

    Args:
        place: From the left, from 0.
    """

    DEFAULT_CSS = """
    AnswerColumn {
        width: 1fr; height: 1fr; border: round $surface-lighten-2; padding: 0 1;
        border-title-color: $text; border-subtitle-color: $text-muted;
    }
    AnswerColumn:focus-within { border: round $primary; }
    AnswerColumn.-preferred { border: round $success; }
    AnswerColumn .beside-state { height: auto; max-height: 5; color: $text-muted; }
    AnswerColumn.-problem .beside-state { color: $text-error; }
    """

    @dataclass
    class Focused(Message):
        """Keys are about this answer from now on."""

        place: int

    def __init__(self, place: int) -> None:
        super().__init__(id=f"beside-column-{place}")
        self.place = place
        self._text = ""
        self._words = ""
        self._is_growing = False

    @property
    def sheet(self) -> Sheet:
        """The text, which has the focus."""
        return self.query_one(Sheet)

    def compose(self) -> ComposeResult:
        yield Sheet()
        yield Static(classes="beside-state", markup=False)

    def on_descendant_focus(self) -> None:
        """Tell whoever has the keys."""
        self.post_message(self.Focused(self.place))

    def show_text(self, text: str, *, is_growing: bool) -> None:
        """Show that much of the answer; at its end it is read from the beginning."""
        sheet = self.sheet
        is_at_end = sheet.scroll_offset.y >= sheet.max_scroll_y
        if text != self._text:
            self._text = text
            sheet.set_paragraphs([Paragraph(text=text)])
        if is_at_end and is_growing:
            sheet.scroll_end(animate=False, immediate=True)
        elif is_at_end and self._is_growing:
            sheet.scroll_to(y=0, animate=False, immediate=True)
        self._is_growing = is_growing

    def show_state(
        self, title: str, words: str, scores: str, *, is_problem: bool, is_preferred: bool
    ) -> None:
        """Say whose it is, how far it is, and what it was given."""
        self.border_title = Content(title)
        self.border_subtitle = Content(scores)
        self.set_class(is_problem, "-problem")
        self.set_class(is_preferred, "-preferred")
        if words != self._words:
            self._words = words
            self.query_one(".beside-state", Static).update(words)

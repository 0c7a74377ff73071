"""The field in which a prompt is written: Enter sends, two other keys make a new line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from foundry_tui.domain.text import clean_text
from foundry_tui.tui.widgets.fields import TextField

__all__ = ["PromptInput"]

# More than anybody reads in a field of a few lines, and wrapping it at each key press would be felt.
_LARGE_PASTE = 8_000


class PromptInput(TextField):
    """A text area that grows to a few lines and remembers what was sent.

    Up on the first line and Down on the last one go through earlier inputs; what was being written comes
    back.
    """

    HELP = (
        "Write here. Enter sends; Ctrl+J or Shift+Enter makes a new line. Up on the first line brings back"
        " what was sent before. A large paste becomes an attachment."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send", id="prompt.send"),
        # Many terminals cannot tell Shift+Enter from Enter, hence the second key.
        Binding(
            "shift+enter,ctrl+j", "new_line", "New line", key_display="^j", show=False, id="prompt.new_line"
        ),
        Binding("ctrl+up", "recall(-1)", "Earlier input", show=False, id="prompt.earlier"),
        Binding("ctrl+down", "recall(1)", "Later input", show=False, id="prompt.later"),
    ]

    @dataclass
    class Sent(Message):
        """The user wants this text sent; the field is empty again."""

        text: str

    @dataclass
    class LargePaste(Message):
        """Too much for the field was pasted; it was not inserted."""

        text: str

    @dataclass
    class EmptyBackspace(Message):
        """Backspace was pressed with nothing to delete."""

    @dataclass
    class HistoryWanted(Message):
        """The user goes back for the first time: the earlier inputs are to be set, then ``step`` done."""

        step: int

    def __init__(self, *, placeholder: str = "", id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(placeholder=placeholder, id=id, compact=True, highlight_cursor_line=False)
        self.cursor_blink = False  # a blink costs most of what the idle app takes
        self._inputs: list[str] = []
        self._has_asked = False
        self._at: int | None = None
        self._unsent = ""

    def set_history(self, inputs: Sequence[str]) -> None:
        """What was sent in earlier sessions too, oldest first."""
        self._inputs = [text for text in inputs if text not in self._inputs] + self._inputs
        self._at = None

    def put(self, text: str) -> None:
        """Replace what is written, with the cursor at its end; what could act becomes visible."""
        self.text = clean_text(text)
        self.move_cursor(self.document.end)

    def action_send(self) -> None:
        """Send what is written, if it is more than blanks."""
        text = self.text
        if text.strip():
            self.clear()
            self._remember(text)
            self.post_message(self.Sent(text))

    def action_new_line(self) -> None:
        """Break the line at the cursor."""
        self.insert("\n")

    def action_recall(self, step: int) -> None:
        """Go ``step`` inputs on in the history; past its end is what was being written."""
        if not self._has_asked:
            self._has_asked = True
            self.post_message(self.HistoryWanted(step))
            return
        count = len(self._inputs)
        at = count if self._at is None else self._at
        if at == count:
            self._unsent = self.text
        wanted = max(0, min(at + step, count))
        if wanted != at:
            self._at = None if wanted == count else wanted
            self.put(self._unsent if wanted == count else self._inputs[wanted])

    def action_cursor_up(self, select: bool = False) -> None:
        """Up; from the first line on into the history."""
        if not select and self.cursor_at_first_line and (self._inputs or not self._has_asked):
            self.action_recall(-1)
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Down; from the last line back out of the history."""
        if not select and self.cursor_at_last_line and self._at is not None:
            self.action_recall(1)
        else:
            super().action_cursor_down(select)

    def _remember(self, text: str) -> None:
        if text in self._inputs:
            self._inputs.remove(text)
        self._inputs.append(text)
        self._at, self._unsent = None, ""

    async def _on_key(self, event: events.Key) -> None:
        # The text area would take these for itself before any binding sees them.
        if not event.is_printable and event.key in self._keys_of("send"):
            event.prevent_default().stop()
            self.action_send()
            return
        if event.key == "backspace" and not self.text:
            self.post_message(self.EmptyBackspace())
        await super()._on_key(event)

    def _keys_of(self, action: str) -> set[str]:
        """The keys that lead to ``action`` now, however they were remapped."""
        return {
            key
            for key, active in self.screen.active_bindings.items()
            if active.node is self and active.binding.action == action
        }

    async def _on_paste(self, event: events.Paste) -> None:
        if len(event.text) > _LARGE_PASTE:
            event.prevent_default().stop()
            self.post_message(self.LargePaste(clean_text(event.text)))
            return
        await super()._on_paste(event)

"""The field in which a prompt is written: Enter sends, two other keys make a new line."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from foundry_tui.tui.widgets.fields import TextField

__all__ = ["PromptInput"]


class PromptInput(TextField):
    """A text area that grows to a few lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send"),
        # Many terminals cannot tell Shift+Enter from Enter, hence the second key.
        Binding("shift+enter,ctrl+j", "new_line", "New line", key_display="^j", show=False),
    ]

    @dataclass
    class Sent(Message):
        """The user wants this text sent; the field is empty again."""

        text: str

    def action_send(self) -> None:
        """Send what is written, if it is more than blanks."""
        text = self.text
        if text.strip():
            self.clear()
            self.post_message(self.Sent(text))

    def action_new_line(self) -> None:
        """Break the line at the cursor."""
        self.insert("\n")

    async def _on_key(self, event: events.Key) -> None:
        # The text area would take Enter for itself before any binding sees it.
        if event.key == "enter":
            event.prevent_default().stop()
            self.action_send()
            return
        await super()._on_key(event)

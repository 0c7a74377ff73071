"""Fields to write in; what is pasted into them is made harmless first."""

from textual import events
from textual.widgets import Input, TextArea

from foundry_tui.domain.text import clean_line, clean_text

__all__ = ["LineField", "TextField"]


class TextField(TextArea):
    """A text area that shows a pasted control as the picture of itself."""

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default().stop()
        if not self.read_only:
            result = self.replace(clean_text(event.text), *self.selection)
            self.move_cursor(result.end_location)


class LineField(Input):
    """An input of one line that shows a pasted control as the picture of itself."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        # Textual asks for the sign by its Unicode name, which for "slash" is another: it would be no text.
        return key == "slash" or super().check_consume_key(key, character)

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default().stop()
        if event.text:
            self.replace(clean_line(event.text), *self.selection)

"""The line in which one searches the transcript."""

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from foundry_tui.tui.widgets.fields import LineField

__all__ = ["FindBar"]


class FindBar(Horizontal):
    """A field and how many places it found; hidden while nobody searches."""

    HELP = "Search in the conversation. Enter goes to the next place, Shift+Tab or Up to the one before."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "step(1)", "Next match", show=False, id="find.next"),
        Binding("up", "step(-1)", "Previous match", show=False, id="find.previous"),
    ]
    DEFAULT_CSS = """
    FindBar { height: 1; display: none; background: $panel; }
    FindBar.-open { display: block; }
    FindBar > LineField { width: 1fr; background: $panel; }
    FindBar > #find-count { width: auto; color: $text-muted; padding: 0 1; }
    """

    @dataclass
    class Wanted(Message):
        """The user looks for another text; "" for none."""

        text: str

    @dataclass
    class Stepped(Message):
        """The user wants the next match (1) or the one before (-1)."""

        step: int

    def compose(self) -> ComposeResult:
        yield LineField(placeholder="find in this conversation", id="find-text", compact=True)
        yield Label("", id="find-count", markup=False)

    @property
    def is_open(self) -> bool:
        """Whether the user searches."""
        return self.has_class("-open")

    def open(self) -> None:
        """Show the field and put the cursor into it."""
        self.add_class("-open")
        field = self.query_one("#find-text", Input)
        field.focus()
        if field.value:
            field.action_select_all()
            self.post_message(self.Wanted(field.value))

    def close(self) -> bool:
        """Hide the field; False if it was hidden.  The text stays for the next time."""
        if not self.is_open:
            return False
        self.remove_class("-open")
        self.post_message(self.Wanted(""))
        return True

    def show_count(self, current: int | None, total: int) -> None:
        """Say which match is the current one, counted from 0 or None for none, and how many there are."""
        found = "no match" if not total else "1 match" if total == 1 else f"{total} matches"
        words = found if current is None else f"{current + 1} of {total}"
        is_asked = bool(self.query_one("#find-text", Input).value)
        self.query_one("#find-count", Label).update(words if is_asked else "")

    def action_step(self, step: int) -> None:
        """Ask for another match."""
        self.post_message(self.Stepped(step))

    @on(Input.Changed)
    def _changed(self, message: Input.Changed) -> None:
        message.stop()
        if self.is_open:
            self.post_message(self.Wanted(message.value))

    @on(Input.Submitted)
    def _entered(self, message: Input.Submitted) -> None:
        message.stop()
        self.post_message(self.Stepped(1))

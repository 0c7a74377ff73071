"""Where one setting is written: one line, or several for prose, and what is wrong with it."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input, Label, Static, TextArea

from foundry_tui.domain.text import clean_line
from foundry_tui.tui.widgets.fields import LineField, TextField

__all__ = ["SettingField"]


class _ProseField(TextField):
    """Several lines; Enter is for being done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+enter,ctrl+j", "new_line", "New line", key_display="^j", id="settings.new_line"),
    ]

    @dataclass
    class Done(Message):
        """The user is done with it."""

    def action_new_line(self) -> None:
        """Break the line at the cursor."""
        self.insert("\n")

    async def _on_key(self, event: events.Key) -> None:
        # The text area would take Enter for itself before any binding sees it.
        if event.key == "enter":
            event.prevent_default().stop()
            self.post_message(self.Done())
            return
        await super()._on_key(event)


class SettingField(Vertical):
    """Hidden until something is edited."""

    DEFAULT_CSS = """
    SettingField { height: auto; display: none; }
    SettingField.-line, SettingField.-prose { display: block; }
    SettingField Label { color: $accent; text-style: bold; }
    SettingField LineField, SettingField _ProseField { display: none; background: $panel; }
    SettingField LineField { height: 1; }
    SettingField _ProseField { height: 4; }
    SettingField.-line LineField, SettingField.-prose _ProseField { display: block; }
    SettingField .problem { color: $text-error; height: auto; max-height: 2; }
    """

    @dataclass
    class Typed(Message):
        """The text became another."""

        text: str

    @dataclass
    class Entered(Message):
        """The user is done with it."""

        text: str

    @property
    def is_open(self) -> bool:
        """Whether something is being edited."""
        return self.has_class("-line") or self.has_class("-prose")

    @property
    def text(self) -> str:
        """What is written."""
        if self.has_class("-prose"):
            return self.query_one(_ProseField).text
        return self.query_one(LineField).value

    def compose(self) -> ComposeResult:
        yield Label(markup=False)
        yield LineField(compact=True, select_on_focus=False)
        yield _ProseField(compact=True)
        yield Static(classes="problem", markup=False)

    def open(self, label: str, text: str, *, placeholder: str, is_prose: bool) -> None:
        """Edit ``text`` from its end."""
        self.query_one(Label).update(label)
        self.set_class(is_prose, "-prose")
        self.set_class(not is_prose, "-line")
        self.show_problem(None)
        if is_prose:
            prose = self.query_one(_ProseField)
            prose.text = text
            prose.move_cursor(prose.document.end)
            prose.focus()
        else:
            line = self.query_one(LineField)
            line.placeholder = placeholder
            line.value = text
            line.cursor_position = len(text)
            line.focus()

    def close(self) -> None:
        """Put it away."""
        self.remove_class("-line", "-prose")

    def show_problem(self, problem: str | None) -> None:
        """Say why this cannot be saved; None takes it back."""
        self.query_one(".problem", Static).update("" if problem is None else f"✗ {clean_line(problem)}")

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _typed(self, message: Message) -> None:
        message.stop()
        if self.is_open:
            self.post_message(self.Typed(self.text))

    @on(Input.Submitted)
    @on(_ProseField.Done)
    def _entered(self, message: Message) -> None:
        message.stop()
        self.post_message(self.Entered(self.text))

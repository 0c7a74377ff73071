"""Where a prompt is put together: the field, and the files that go with it."""

from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.quantities import bytes_in_words, count_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.services.attachments import with_attachments
from foundry_tui.services.files import TextFile, read_text
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.widgets.prompt_input import PromptInput

__all__ = ["Composer"]


class Composer(Vertical):
    """Holds what is written and attached until it is sent, and gives it back if it cannot be."""

    DEFAULT_CSS = """
    Composer { height: auto; }
    Composer > #attached { height: auto; max-height: 3; display: none; color: $text-accent; padding: 0 1; }
    Composer > #attached.-any { display: block; }
    """

    @dataclass
    class Submitted(Message):
        """The user wants this sent.

        Attributes:
            written: What stands in the field, for the history and for giving it back.
            text: The same with all attachments below it.
        """

        written: str
        text: str

    @dataclass
    class Changed(Message):
        """What would be sent has become something else."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._files: list[TextFile] = []

    def compose(self) -> ComposeResult:
        yield Static(id="attached", markup=False)
        yield PromptInput(placeholder="Pick a model first", id="prompt")

    @property
    def prompt(self) -> PromptInput:
        """The field."""
        return self.query_one(PromptInput)

    @property
    def text(self) -> str:
        """What would be sent; "" while nothing is written."""
        written = self.prompt.text
        return with_attachments(written, self._files) if written.strip() or self._files else ""

    def attach(self, file: TextFile) -> None:
        """Send ``file`` along with the next prompt."""
        self._files.append(file)
        self._show()

    def clear_attachments(self) -> None:
        """Send none along."""
        self._files.clear()
        self._show()

    def give_back(self, message: "Composer.Submitted") -> None:
        """Put what was sent back; nothing written is lost."""
        if not self.prompt.text:
            self.prompt.put(message.written)

    @work(group="attach")
    async def attach_path(self, path: str) -> None:
        """Read a file and attach it, or say why not."""
        try:
            self.attach(await read_text(path))
        except BadInput as error:
            complain(self, error)
        self.prompt.focus()

    @on(PromptInput.Sent)
    def _sent(self, message: PromptInput.Sent) -> None:
        message.stop()
        self.post_message(self.Submitted(message.text, with_attachments(message.text, self._files)))

    @on(PromptInput.Changed)
    def _changed(self, message: PromptInput.Changed) -> None:
        message.stop()
        self.post_message(self.Changed())

    @on(PromptInput.LargePaste)
    def _pasted(self, message: PromptInput.LargePaste) -> None:
        message.stop()
        pastes = sum(1 for file in self._files if file.name.startswith("pasted text")) + 1
        self.attach(TextFile(name=f"pasted text {pastes}", text=message.text))
        tell(self, "The paste is attached: it goes along with what you write. Backspace takes it away.")

    @on(PromptInput.EmptyBackspace)
    def _take_back(self, message: PromptInput.EmptyBackspace) -> None:
        message.stop()
        if self._files:
            self._files.pop()
            self._show()

    def _show(self) -> None:
        parts = [
            f"{clean_line(file.name, 40)} ({bytes_in_words(len(file.text.encode(errors='replace')))},"
            f" {count_in_words(file.text.count(chr(10)) + 1)} lines)"
            for file in self._files
        ]
        line = self.query_one("#attached", Static)
        line.update(f"attached: {' · '.join(parts)} — Backspace in the empty field takes the last one away")
        line.set_class(bool(parts), "-any")
        self.post_message(self.Changed())

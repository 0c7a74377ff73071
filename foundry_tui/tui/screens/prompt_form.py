"""What a saved prompt is written with, and what its gaps are filled with."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Input, Label, Static

from foundry_tui.domain.conversations import SavedPrompt, new_id
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.domain.text import clean_line, clean_text
from foundry_tui.reports.errors import error_words
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.screens.tagging import TagsField, tags_in_words
from foundry_tui.tui.widgets.fields import LineField, TextField

__all__ = ["GapsScreen", "PromptForm", "Written"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What stands in the form, whether or not it can be saved.

    Attributes:
        prompt: The one that is being changed; None for a new one.
        tags: As they were written.
    """

    prompt: SavedPrompt | None = None
    name: str = ""
    tags: str = ""
    text: str = ""

    @classmethod
    def of(cls, prompt: SavedPrompt) -> "Written":
        """The form for changing ``prompt``, before anything was changed."""
        return cls(
            prompt=prompt,
            name=clean_line(prompt.name),
            tags=clean_line(tags_in_words(prompt.tags)),
            text=clean_text(prompt.text),
        )


class PromptForm(Overlay[SavedPrompt]):
    """Name, tags and text; closes with the prompt once it is saved.

    Args:
        written: What the form begins with.
        known_tags: Offered for completion.
        save: Writes it down; what it refuses is told in the form, where nothing is lost.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", priority=True, id="prompts.save")
    ]
    DEFAULT_CSS = """
    PromptForm .box { height: 90%; }
    PromptForm TextField { height: 1fr; min-height: 3; }
    PromptForm #prompt-hint { height: auto; color: $text-muted; }
    """

    def __init__(
        self,
        written: Written,
        known_tags: Sequence[str],
        save: Callable[[SavedPrompt], Awaitable[None]],
    ) -> None:
        super().__init__()
        self._first = written
        self._save = save
        # Kept, for they are asked for what stands in them after the form has been left.
        self._name_field = LineField(written.name, id="prompt-name", compact=True, select_on_focus=False)
        self._tags_field = TagsField((), known_tags, id="prompt-tags")
        self._tags_field.value = written.tags
        self._text_field = TextField(written.text, id="prompt-text", compact=True)

    @property
    def written(self) -> Written:
        """What stands in it now."""
        return Written(
            prompt=self._first.prompt,
            name=self._name_field.value,
            tags=self._tags_field.value,
            text=self._text_field.text,
        )

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = "New prompt" if self._first.prompt is None else "Prompt"
            box.border_subtitle = "Ctrl+S saves, Esc leaves"
            yield Label("Name")
            yield self._name_field
            yield Label("Tags")
            yield self._tags_field
            yield Label("Text; {{name}} is a gap that is asked for when the prompt is used", id="prompt-hint")
            yield self._text_field
            yield Static("", id="prompt-problem", classes="problem", markup=False)

    def on_mount(self) -> None:
        """Begin with the name, or with the text of one that has its name."""
        (self._text_field if self._first.name else self._name_field).focus()

    def action_save(self) -> None:
        """Save it, or say why it cannot be saved."""
        written = self.written
        if not written.name.strip():
            self._refuse("give it a name", self._name_field)
        elif not written.text.strip():
            self._refuse("write a text", self._text_field)
        else:
            self._write(self._prompt(written))

    @on(Input.Submitted)
    def _next(self, message: Input.Submitted) -> None:
        message.stop()
        self.focus_next()

    @on(TagsField.Suggested)
    def _suggested(self, message: TagsField.Suggested) -> None:
        message.stop()

    @work(exclusive=True, group="save")
    async def _write(self, prompt: SavedPrompt) -> None:
        try:
            await self._save(prompt)
        except (BadInput, StorageProblem) as error:
            self._refuse(error_words(error), self._name_field)
        else:
            self.dismiss(prompt)

    def _prompt(self, written: Written) -> SavedPrompt:
        before = written.prompt
        name, text, tags = clean_line(written.name), written.text, self._tags_field.tags
        if before is None:
            return SavedPrompt(id=new_id(), name=name, text=text, tags=tags)
        # Shown clean, but kept as it came where nobody changed it.
        shown = Written.of(before)
        return replace(
            before,
            name=before.name if written.name == shown.name else name,
            text=before.text if text == shown.text else text,
            tags=before.tags if written.tags == shown.tags else tags,
        )

    def _refuse(self, words: str, field: LineField | TextField) -> None:
        self.query_one("#prompt-problem", Static).update(words)
        field.focus()


class GapField(TextField):
    """A field for what fills a gap: Enter goes on, two other keys make a new line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go_on", "Next", id="gaps.next"),
        Binding(
            "shift+enter,ctrl+j", "new_line", "New line", key_display="^j", show=False, id="gaps.new_line"
        ),
    ]

    @dataclass
    class Filled(Message):
        """The user is done with this field."""

    def action_go_on(self) -> None:
        """Go on to what comes next."""
        self.post_message(self.Filled())

    def action_new_line(self) -> None:
        """Break the line at the cursor."""
        self.insert("\n")

    async def _on_key(self, event: events.Key) -> None:
        # The text area would take Enter for itself before any binding sees it.
        if event.key == "enter":
            event.prevent_default().stop()
            self.action_go_on()
            return
        await super()._on_key(event)


class GapsScreen(Overlay[Mapping[str, str]]):
    """Asks what the gaps of a prompt are filled with; closes with values by name, none for as it stands."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "insert", "Insert", priority=True, id="gaps.insert"),
        Binding("ctrl+t", "as_it_stands", "As it stands", priority=True, id="gaps.as_it_stands"),
    ]
    DEFAULT_CSS = """
    GapsScreen GapField { height: auto; min-height: 1; max-height: 6; }
    """

    def __init__(self, title: str, names: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self._names = tuple(names)

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="box", can_focus=False) as box:
            box.border_title = Content(clean_line(self._title, 60))
            box.border_subtitle = "Enter goes on, Ctrl+J makes a new line, Esc leaves"
            for name in self._names:
                yield Label(clean_line(name), markup=False)
                yield GapField(compact=True, highlight_cursor_line=False)
            with Horizontal(classes="buttons"):
                yield Button("Insert", id="insert", variant="primary")
                yield Button("As it stands", id="as-it-stands")

    def on_mount(self) -> None:
        """Begin with the first gap."""
        self.query(GapField).first().focus()

    def action_insert(self) -> None:
        """Close with what was written; an empty field fills its gap with nothing."""
        fields = self.query(GapField)
        self.dismiss({name: field.text for name, field in zip(self._names, fields, strict=True)})

    def action_as_it_stands(self) -> None:
        """Close with nothing to fill in: the braces were meant."""
        self.dismiss({})

    @on(GapField.Filled)
    def _go_on(self, message: GapField.Filled) -> None:
        message.stop()
        if self.focused is self.query(GapField).last():
            self.action_insert()
        else:
            self.focus_next()

    @on(Button.Pressed)
    def _pressed(self, message: Button.Pressed) -> None:
        message.stop()
        if message.button.id == "insert":
            self.action_insert()
        else:
            self.action_as_it_stands()

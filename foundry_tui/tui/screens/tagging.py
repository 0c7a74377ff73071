"""Small overlays that ask for one line: a title, tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input, Label, Static

from foundry_tui.domain.text import clean_line
from foundry_tui.reports.conversation import tags_from
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.fields import LineField

__all__ = ["LineScreen", "TagsField", "TagsScreen", "tags_in_words"]

_TAGS_SHOWN = 40


def tags_in_words(tags: Sequence[str]) -> str:
    """As a field has them, so that ``tags_from`` gives the same again."""
    return ", ".join(tags) + ("," if len(tags) == 1 and " " in tags[0] else "")


class LineScreen(Overlay[str]):
    """Closes with a line of words; with a blank one only where it may be empty."""

    def __init__(self, title: str, label: str, value: str = "", *, may_be_empty: bool = False) -> None:
        super().__init__()
        self._may_be_empty = may_be_empty
        self._title = title
        self._label = label
        self._value = clean_line(value)

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = self._title
            box.border_subtitle = "Enter accepts, Esc leaves as it was"
            yield Label(self._label, markup=False)
            yield LineField(self._value, id="line", compact=True)

    def on_mount(self) -> None:
        """Begin at the end, or by replacing all: the text is selected."""
        self.query_one("#line", Input).focus()

    @on(Input.Submitted)
    def _accept(self, message: Input.Submitted) -> None:
        message.stop()
        line = clean_line(message.value)
        if line or self._may_be_empty:
            self.dismiss(line)


class TagsField(LineField):
    """A field for tags; Tab completes the one that is being written, from those that are known."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "complete", "Complete", id="tags.complete")]

    @dataclass
    class Suggested(Message):
        """Other tags could be meant than before.

        Attributes:
            tags: Known ones that begin as what is being written, without those written already.
        """

        tags: tuple[str, ...]

    def __init__(self, tags: Sequence[str], known: Sequence[str], *, id: str) -> None:  # noqa: A002 - Textual's name
        self._known = tuple(known)
        super().__init__(clean_line(tags_in_words(tags)), id=id, compact=True, select_on_focus=False)

    @property
    def tags(self) -> tuple[str, ...]:
        """What is written."""
        return tags_from(self.value)

    def watch_value(self, value: str) -> None:
        """Tell what could be meant now."""
        self.post_message(self.Suggested(self._suggested(value)))

    def action_complete(self) -> None:
        """Write the first of the tags that could be meant; without one go to the next field."""
        suggested = self._suggested(self.value)
        if not suggested:
            self.screen.focus_next()
            return
        self.value = f"{self._before(self.value)}{suggested[0]}, "
        self.cursor_position = len(self.value)

    def _before(self, value: str) -> str:
        """What stands before the tag that is being written, its separator included."""
        ends = "," if "," in value else ", "
        at = max(value.rfind(end) for end in ends) + 1
        before = value[:at]
        # A comma after all of them, for the one that is added may hold a blank.
        before = before if "," in before or not before.strip() else ", ".join(before.split()) + ","
        return before if not before or before.endswith(" ") else f"{before} "

    def _suggested(self, value: str) -> tuple[str, ...]:
        ends = "," if "," in value else ", "
        written = value[max(value.rfind(end) for end in ends) + 1 :].strip(" #").casefold()
        taken = {tag.casefold() for tag in tags_from(value)} - {written}
        return tuple(
            tag for tag in self._known if tag.casefold().startswith(written) and tag.casefold() not in taken
        )


class TagsScreen(Overlay[tuple[str, ...]]):
    """Closes with the tags, in alphabetical order.

    Args:
        title: What is tagged.
        tags: Those it has.
        known: Every tag in use, with the number of what has it.
    """

    DEFAULT_CSS = """
    TagsScreen #tags-known { height: auto; max-height: 6; color: $text-muted; }
    """

    def __init__(self, title: str, tags: Sequence[str], known: Sequence[tuple[str, int]]) -> None:
        super().__init__()
        self._title = title
        self._tags = tuple(tags)
        self._counts = dict(known)

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = "Tags"
            box.border_subtitle = "Enter accepts, Tab completes, Esc leaves as it was"
            yield Label(clean_line(self._title, 200), markup=False)
            yield TagsField(self._tags, tuple(self._counts), id="tags")
            yield Static(id="tags-known", markup=False)

    def on_mount(self) -> None:
        """Begin behind the tags that there are."""
        field = self.query_one(TagsField)
        field.focus()
        if field.value and not field.value.endswith(","):
            field.value += ", "
        field.cursor_position = len(field.value)

    @on(TagsField.Suggested)
    def _suggest(self, message: TagsField.Suggested) -> None:
        message.stop()
        shown = [f"{clean_line(tag, 60)} ({self._counts[tag]})" for tag in message.tags[:_TAGS_SHOWN]]
        words = "   ".join(shown) or (
            "a new tag" if self._counts else "no tags yet: write words, parted by commas"
        )
        self.query_one("#tags-known", Static).update(words)

    @on(Input.Submitted)
    def _accept(self, message: Input.Submitted) -> None:
        message.stop()
        as_kept = {clean_line(tag): tag for tag in (*self._counts, *self._tags)}
        self.dismiss(tuple(as_kept.get(tag, tag) for tag in self.query_one(TagsField).tags))

"""The conversation on the screen: one line-API widget, so that its cost does not grow with its length."""

from enum import StrEnum
from time import perf_counter
from typing import ClassVar

from foundry_tui.domain.text import clean_line
from foundry_tui.tui.widgets.markdown_blocks import BlockKind
from foundry_tui.tui.widgets.transcript_folds import is_long_thought
from foundry_tui.tui.widgets.transcript_messages import Message, Role
from foundry_tui.tui.widgets.transcript_reader import TranscriptReader
from foundry_tui.tui.widgets.transcript_search import SearchState
from foundry_tui.tui.widgets.transcript_styles import COMPONENT_CLASSES, DEFAULT_CSS

__all__ = ["MessageKind", "SearchState", "Transcript"]

# What a message of a megabyte may spend at once; the rest of it follows in slices.
_FIRST_FEED_S = 0.004
# Cells of a row, as long as there is no screen to ask.
_USUAL_WIDTH = 80


class MessageKind(StrEnum):
    """Who speaks."""

    USER = "user"
    ASSISTANT = "assistant"
    NOTICE = "notice"
    PROBLEM = "problem"


# Roles of the heading and of the text.
_ROLES = {
    MessageKind.USER: (Role.USER_HEADING, Role.USER),
    MessageKind.ASSISTANT: (Role.ANSWER_HEADING, Role.ANSWER),
    MessageKind.NOTICE: (Role.NOTICE, Role.NOTICE),
    MessageKind.PROBLEM: (Role.PROBLEM, Role.PROBLEM),
}


class Transcript(TranscriptReader):
    """Shows messages, among them answers that grow, and leads a reader through them.

    Text is hostile: none of it reaches the screen as markup, as a link or as a control.  A key stays valid
    until its message is removed; what arrives for it afterwards is dropped, for a stream may end later than
    the wish to see it.
    """

    # Here and not in what this derives from: the rules name this class.
    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENT_CLASSES
    DEFAULT_CSS = DEFAULT_CSS

    def source_of(self, key: int) -> str:
        """The text of a message exactly as it came, without heading, reasoning and footer; "" if removed."""
        message = self._message(key)
        return "" if message is None else message.text.whole

    def add_message(self, heading: str, text: str, *, kind: MessageKind) -> int:
        """Show a finished message at the end and return its key."""
        message = self._begin(heading, kind)
        message.text.take(text)
        self._end(message)
        return message.key

    def begin_answer(self, heading: str) -> int:
        """Show the heading of an answer that will grow; return the key for the calls that make it grow."""
        message = self._begin(heading, MessageKind.ASSISTANT)
        self._arrange()
        return message.key

    def append(self, key: int, text: str) -> None:
        """Take a chunk of an answer.  Only keeps it: it is drawn with the next flush."""
        if (message := self._growing(key)) is not None:
            message.text.take(text)
            self._await_flush(message)

    def append_reasoning(self, key: int, text: str) -> None:
        """Take a chunk of what the model thinks before it answers; stands apart, above the answer."""
        if (message := self._growing(key)) is not None:
            message.reasoning.take(text)
            self._await_flush(message)

    def finish_answer(self, key: int) -> None:
        """Draw the rest of an answer, for good.  Finishing it again changes nothing."""
        if (message := self._growing(key)) is not None:
            self._end(message)

    def set_heading(self, key: int, heading: str) -> None:
        """Replace the heading line of a message."""
        if (message := self._message(key)) is not None:
            message.heading.write(clean_line(heading))
            self._show_changes(message)

    def set_note(self, key: int, text: str) -> None:
        """Replace what stands after the heading of a message; "" removes it."""
        if (message := self._message(key)) is not None:
            part = message.heading.parts[0]
            if part.note != (note := clean_line(text)):
                message.heading.write(part.source, note=note)
                self._show_changes(message)

    def set_footer(self, key: int, text: str, *, problem: bool = False) -> None:
        """Replace what stands below a message; "" removes it."""
        if (message := self._message(key)) is not None:
            message.footer.write(text, role=Role.PROBLEM if problem else Role.FOOTER)
            self._show_changes(message)

    def clear(self) -> None:
        """Remove all messages; their keys are void."""
        self._remove(0)
        self.set_follow(True)

    def remove_from(self, key: int) -> None:
        """Remove a message and all after it; their keys are void."""
        if (message := self._message(key)) is not None:
            self._remove(message.index)
            self._arrange()

    def _begin(self, heading: str, kind: MessageKind) -> Message:
        text_kind = BlockKind.MARKDOWN if kind is MessageKind.ASSISTANT else BlockKind.PLAIN
        index = len(self._messages)
        message = Message(self._next_key, index, clean_line(heading), _ROLES[kind], text_kind)
        self._next_key += 1
        self._messages[message.key] = message
        self._layout.add(message)
        return message

    def _end(self, message: Message) -> None:
        message.is_ending = True
        self._pending[message] = None
        self._feed([message], until_s=perf_counter() + _FIRST_FEED_S)
        self._arrange()

    def _ended(self, message: Message) -> None:
        if message.hides_reasoning is None and message.text.heights.total:
            width = _USUAL_WIDTH if self._laid_out_for is None else self._painter.width
            message.hides_reasoning = is_long_thought(message, width)
            if message.hides_reasoning:
                self._deselect(self._layout.start_of(message))
                self._layout.measure(message)

    def _growing(self, key: int) -> Message | None:
        message = self._message(key)
        return message if message is not None and message.is_open and not message.is_ending else None

    def _await_flush(self, message: Message) -> None:
        self._pending[message] = None
        self._wake()

    def _show_changes(self, message: Message) -> None:
        self._layout.measure(message)
        self._arrange()

    def _remove(self, count: int) -> None:
        """Keep the first ``count`` messages."""
        if count < len(self._messages):
            self._deselect(self._layout.start_of(self._layout.messages[count]))
        parts = self._layout.truncate(count)
        self._search.forget(parts)
        self._highlighting.forget(parts)
        self._messages = {message.key: message for message in self._layout.messages}
        self._pending = {message: None for message in self._pending if self._layout.holds(message)}
        if self._place is not None and not self._layout.holds(self._place.message):
            self._follows, self._place = True, None
        if self._cursor.message is not None and not self._layout.holds(self._cursor.message):
            self._put_cursor(None)
        self._tell_search()

"""Reading a transcript: going from message to message, folding, searching, copying, following links."""

from dataclasses import dataclass
from time import perf_counter
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message as Posted

from foundry_tui.tui.widgets.transcript_cursor import CodeBlock, code_source
from foundry_tui.tui.widgets.transcript_folds import BandKind, hides_anything, is_long
from foundry_tui.tui.widgets.transcript_messages import Message, Role
from foundry_tui.tui.widgets.transcript_search import SearchState
from foundry_tui.tui.widgets.transcript_view import TranscriptView

__all__ = ["TranscriptReader"]

# What a search may spend at once; it goes on in slices.
_FIRST_SEARCH_S = 0.004
_WORDS = {Role.USER: "Prompt", Role.ANSWER: "Answer", Role.NOTICE: "Note", Role.PROBLEM: "Problem"}


class TranscriptReader(TranscriptView):
    """A view with a cursor, folds and a search."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("[", "previous_message", "Previous message", show=False, id="transcript.previous_message"),
        Binding("]", "next_message", "Next message", show=False, id="transcript.next_message"),
        Binding("{", "previous_code", "Previous code block", show=False, id="transcript.previous_code"),
        Binding("}", "next_code", "Next code block", show=False, id="transcript.next_code"),
        Binding("space", "toggle_fold", "Fold", id="transcript.fold"),
        Binding("Z", "fold_all", "Fold all", show=False, id="transcript.fold_all"),
        Binding("t", "toggle_reasoning", "Fold thoughts", show=False, id="transcript.fold_reasoning"),
        Binding("c", "copy_message", "Copy", id="transcript.copy_message"),
        Binding("b", "copy_code", "Copy code", show=False, id="transcript.copy_code"),
        Binding("slash", "search", "Search", id="transcript.search"),
        Binding("n", "next_match", "Next match", show=False, id="transcript.next_match"),
        Binding("N", "previous_match", "Previous match", show=False, id="transcript.previous_match"),
    ]

    @dataclass
    class CursorMoved(Posted, namespace="transcript"):
        """The reader went to another message; None at the end, and where they scrolled by hand."""

        key: int | None

    @dataclass
    class CopyWanted(Posted, namespace="transcript"):
        """The reader wants ``text``, as it came, on the clipboard; ``what`` begins a sentence about it."""

        text: str
        what: str

    @dataclass
    class LinkPressed(Posted, namespace="transcript"):
        """The reader clicked a link that leads to a web address."""

        url: str

    @dataclass
    class SearchWanted(Posted, namespace="transcript"):
        """The reader wants to look for something."""

    @dataclass
    class SearchChanged(Posted, namespace="transcript"):
        """Another text is looked for, or another match is the current one, or there are more or fewer."""

        state: SearchState

    def __init__(
        self,
        *,
        empty_hint: str = "",
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        super().__init__(empty_hint=empty_hint, name=name, id=id, classes=classes)
        self._messages: dict[int, Message] = {}
        self._next_key = 0
        self._told_cursor: int | None = None
        self._told_search = self.search_state
        self._pressed_at: Offset | None = None

    @property
    def keys(self) -> tuple[int, ...]:
        """The keys of the messages, from top to bottom."""
        return tuple(self._messages)

    @property
    def cursor_key(self) -> int | None:
        """The message that the reader went to; None at the end, and where they scrolled by hand."""
        return self._cursor.key

    @property
    def search_state(self) -> SearchState:
        """What is looked for and found."""
        return self._search.state

    def is_folded(self, key: int) -> bool:
        """Whether only the beginning of a message is wanted; a short one is shown whole all the same."""
        message = self._message(key)
        return message is not None and message.is_folded

    def set_folded(self, key: int, folded: bool) -> None:
        """Show only the beginning of a message, or all of it and of its reasoning."""
        if (message := self._message(key)) is not None:
            message.is_folded = folded
            if not folded:
                message.hides_reasoning = False
            self._refold([message])

    def is_reasoning_folded(self, key: int) -> bool:
        """Whether the reasoning of a message is one row."""
        message = self._message(key)
        return message is not None and bool(message.hides_reasoning)

    def set_reasoning_folded(self, key: int, folded: bool) -> None:
        """Show the reasoning of a message as one row, or all of it."""
        if (message := self._message(key)) is not None:
            message.hides_reasoning = folded
            self._refold([message])

    def move_to(self, key: int) -> None:
        """Bring the heading of a message to the top and put the cursor on the message."""
        if (message := self._message(key)) is not None:
            self._read(message)

    def search(self, text: str) -> None:
        """Look for ``text`` in all that is or could be shown, whatever the case of its letters."""
        parts = [part for message in self._layout.messages for part in message.parts()]
        self._search.begin(text, parts)
        self._search.read_on(perf_counter() + _FIRST_SEARCH_S)
        self._tell_search()
        self.refresh()
        self._wake()

    def clear_search(self) -> None:
        """Look for nothing any more."""
        self.search("")

    def search_next(self) -> None:
        """Go to the next match, after the last one to the first; what hides it is unfolded."""
        self._step_search(1)

    def search_previous(self) -> None:
        """Go to the match before, before the first one to the last; what hides it is unfolded."""
        self._step_search(-1)

    def action_previous_message(self) -> None:
        """Go to the message before."""
        if (message := self._cursor.neighbour(-1, self._reading_row())) is not None:
            self._read(message)

    def action_next_message(self) -> None:
        """Go to the next message, from the last one to the end."""
        if (message := self._cursor.neighbour(1, self._reading_row())) is not None:
            self._read(message)
        else:
            self.set_follow(True)

    def action_previous_code(self) -> None:
        """Go to the code block before, before the first one to the last."""
        self._read_code(self._cursor.neighbour_code(-1, self._reading_row()))

    def action_next_code(self) -> None:
        """Go to the next code block, after the last one to the first."""
        self._read_code(self._cursor.neighbour_code(1, self._reading_row()))

    def action_toggle_fold(self) -> None:
        """Unfold what is folded of the message at the cursor, else of the last answer; fold it otherwise."""
        if (message := self._message_in_hand()) is not None:
            self._hold_unless_open(message)
            self.set_folded(message.key, not hides_anything(message))

    def action_toggle_reasoning(self) -> None:
        """Fold or unfold the reasoning of the message at the cursor, else of the last answer."""
        message = self._message_in_hand()
        if message is not None and message.reasoning.parts:
            self._hold_unless_open(message)
            self.set_reasoning_folded(message.key, not message.hides_reasoning)

    def action_fold_all(self) -> None:
        """Fold all long messages, or unfold all if they are folded already."""
        long = [message for message in self._layout.messages if is_long(message)]
        folds = any(not message.is_folded for message in long)
        changed = long if folds else [message for message in self._layout.messages if message.is_folded]
        for message in changed:
            message.is_folded = folds
        self._refold(changed)

    def action_copy_message(self) -> None:
        """Ask for a copy of the message at the cursor, else of the last answer."""
        if (message := self._message_in_hand()) is not None:
            self.post_message(self.CopyWanted(message.text.whole, _WORDS[message.role]))

    def action_copy_code(self) -> None:
        """Ask for a copy of the code block at the cursor, else of the last one in view or in the answer."""
        if (block := self._code_in_hand()) is not None:
            self.post_message(self.CopyWanted(code_source(block), "Code block"))

    def action_search(self) -> None:
        """Ask for something to look for."""
        self.post_message(self.SearchWanted())

    def action_next_match(self) -> None:
        """Go to the next match."""
        self.search_next()

    def action_previous_match(self) -> None:
        """Go to the match before."""
        self.search_previous()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Remember where a click begins: one that ends elsewhere selects text."""
        self._pressed_at = event.screen_offset

    def on_click(self, event: events.Click) -> None:
        """Follow a link, fold or unfold where a row offers it, or go to this message without scrolling."""
        offset = event.get_content_offset(self)
        if offset is None or event.button != 1 or event.screen_offset != self._pressed_at:
            return
        row = self.scroll_offset.y + offset.y
        if row >= self._layout.height:
            return
        spot = self._layout.spot(row)
        if spot.band.hidden:
            self.set_follow(False)
            if spot.band.kind is BandKind.FOLD:
                self.set_folded(spot.message.key, False)
            else:
                self.set_reasoning_folded(spot.message.key, False)
            return
        if spot.band.kind is BandKind.THOUGHTS:
            self.set_reasoning_folded(spot.message.key, True)
            return
        if spot.part is not None and spot.part.drawing is not None and spot.row >= 0:
            url = spot.part.drawing.url_at(spot.row, self._char_at(row, offset.x))
            if url is not None:
                self.post_message(self.LinkPressed(url))
                return
        self.set_follow(False)
        self._put_cursor(spot.message)

    def _message(self, key: int) -> Message | None:
        if not 0 <= key < self._next_key:
            raise KeyError(key)
        return self._messages.get(key)

    def on_focus(self) -> None:
        """Learn which keys fold."""
        self._learn_key()

    def _learn_key(self) -> None:
        """Have the rows of folds name the key that holds now, if this widget's bindings are in force."""
        if not self.is_attached:
            return
        bindings = {active.binding.id: active.binding for active in self.screen.active_bindings.values()}
        if (fold := bindings.get("transcript.fold")) is not None:
            self._fold_key = self.app.get_key_display(fold).capitalize()
        if (fold_reasoning := bindings.get("transcript.fold_reasoning")) is not None:
            self._thought_key = self.app.get_key_display(fold_reasoning)

    def _refold(self, messages: list[Message]) -> None:
        if not messages:
            return
        self._learn_key()
        self._deselect(self._layout.start_of(messages[0]))
        for message in messages:
            self._layout.measure(message)
        self._arrange()

    def _hold_unless_open(self, message: Message) -> None:
        """Keep the view from running after the end of what unfolds, unless it grows there anyway."""
        if not message.is_open and hides_anything(message):
            self.set_follow(False)

    def _message_in_hand(self) -> Message | None:
        """The message at the cursor, else the last answer."""
        if self._cursor.message is not None:
            return self._cursor.message
        answers = (message for message in reversed(self._layout.messages) if message.role is Role.ANSWER)
        return next(answers, None)

    def _code_in_hand(self) -> CodeBlock | None:
        """The code block at the cursor, else the last one in view, else the last of the message in hand."""
        if self._cursor.code is not None:
            return self._cursor.code
        if self._cursor.message is not None:
            return self._cursor.last_code(self._cursor.message)
        top = self.scroll_offset.y
        height = self.scrollable_content_region.height
        if (block := self._cursor.last_within(top, height)) is not None:
            return block
        message = self._message_in_hand()
        return None if message is None else self._cursor.last_code(message)

    def _reading_row(self) -> int | None:
        """Where the view begins; None at the end.  What has just shrunk may be scrolled beyond its end."""
        if self._follows or not self._layout.height:
            return None
        return min(self.scroll_offset.y, self._layout.height - 1)

    def _read(self, message: Message) -> None:
        """Go to ``message``: its heading at the top."""
        self._cursor.put(message)
        self._go_to(self._layout.start_of(message))
        self._put_cursor(message)

    def _read_code(self, block: CodeBlock | None) -> None:
        """Go to a code block: a row above it at the top, unless it is in view as a whole."""
        if block is None:
            return
        if block.message.is_folded:
            self.set_folded(block.message.key, False)
        rows = self._cursor.rows_of(block)
        if rows is not None and not self._is_in_view(*rows):
            self._go_to(rows[0] - 1)
        else:
            self.set_follow(False)
        self._put_cursor(block.message, block)

    def _is_in_view(self, row: int, count: int) -> bool:
        top = self.scroll_offset.y
        return top <= row and row + count <= top + self.scrollable_content_region.height

    def _put_cursor(self, message: Message | None, code: CodeBlock | None = None) -> None:
        self._cursor.put(message, code)
        self.refresh()
        if self.cursor_key != self._told_cursor:
            self._told_cursor = self.cursor_key
            self.post_message(self.CursorMoved(self.cursor_key))

    def _left_by_hand(self) -> None:
        self._put_cursor(None)

    def _step_search(self, direction: int) -> None:
        part, row = None, 0
        if self._layout.height:
            height = self.scrollable_content_region.height
            edge = self.scroll_offset.y if direction > 0 else self.scroll_offset.y + height - 1
            spot = self._layout.spot(max(0, min(edge, self._layout.height - 1)))
            part, row = spot.part or next(spot.message.parts()), spot.row
        match = self._search.step(direction, part, row)
        if match is not None:
            message = match.part.section.message
            if self._layout.row_of(match.part, self._search.row_of(match)) is None:
                self._unfold_for(match.part.section is message.reasoning, message)
            at = self._layout.row_of(match.part, self._search.row_of(match))
            if at is not None and not self._is_in_view(at, 1):
                self._go_to(at - self.scrollable_content_region.height // 3)
            else:
                self.set_follow(False)
            self._put_cursor(message)
        self._tell_search()

    def _unfold_for(self, is_reasoning: bool, message: Message) -> None:
        message.is_folded = False
        if is_reasoning:
            message.hides_reasoning = False
        self.set_follow(False)
        self._refold([message])

    def _tell_search(self) -> None:
        if (state := self.search_state) != self._told_search:
            self._told_search = state
            self.post_message(self.SearchChanged(state))

"""The conversation on the screen: one line-API widget, so that its cost does not grow with its length."""

from collections.abc import Iterator
from enum import StrEnum
from time import perf_counter
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.actions import SkipAction
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer

from foundry_tui.domain.text import clean_line
from foundry_tui.tui.widgets.folding import fold, shown
from foundry_tui.tui.widgets.markdown_blocks import BlockKind
from foundry_tui.tui.widgets.transcript_layout import Layout, Painter, Place, highlighted
from foundry_tui.tui.widgets.transcript_messages import Flow, Message, Part, Role
from foundry_tui.tui.widgets.transcript_styles import COMPONENT_CLASSES, DEFAULT_CSS, read_palette

__all__ = ["MessageKind", "Transcript"]

# The rest between two flushes, as a multiple of what the last one cost.
_REST = 3
# What one flush may spend on rows that are out of sight.
_UNSEEN_BUDGET_S = 0.008


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


class Transcript(ScrollView, can_focus=True):
    """Shows messages, among them answers that grow.

    Text is hostile: none of it reaches the screen as markup, as a link or as a control.  A key stays valid
    until ``clear``; what arrives for it afterwards is dropped, for a stream may end later than the wish to
    see it.

    Attributes:
        flush_gap_s: Least time between two drawings of what streams; longer over a slow line or while a
            benchmark runs.
    """

    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENT_CLASSES
    DEFAULT_CSS = DEFAULT_CSS

    def __init__(
        self,
        *,
        empty_hint: str = "",
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.flush_gap_s = 0.04
        self._empty_hint = empty_hint
        self._messages: dict[int, Message] = {}
        self._next_key = 0
        self._painter = Painter()
        self._layout = Layout(self._painter)
        self._laid_out_for: Size | None = None
        self._palette: dict[str, Style] = {}
        self._follows = True
        self._is_arranging = False
        self._place: Place | None = None
        self._timer: Timer | None = None
        self._next_flush_s = 0.0

    @property
    def empty_hint(self) -> str:
        """What stands in the middle while there are no messages."""
        return self._empty_hint

    @empty_hint.setter
    def empty_hint(self, text: str) -> None:
        self._empty_hint = text
        self.refresh()

    @property
    def follows(self) -> bool:
        """Whether the view stays at the end as text arrives."""
        return self._follows

    @property
    def is_idle(self) -> bool:
        """Whether everything that arrived is drawn and no timer runs."""
        return self._timer is None

    @property
    def drawings(self) -> int:
        """How often a block was drawn since the widget was made."""
        return self._painter.drawings

    @property
    def plain_text(self) -> str:
        """All rows as text, without the hint; what arrived but was not flushed is missing."""
        return "\n".join(self._row_texts(0, None))

    def source_of(self, key: int) -> str:
        """The text of a message exactly as it came, without heading, reasoning and footer; "" if cleared."""
        if (message := self._message(key)) is None:
            return ""
        return message.text.source + "".join(message.pending)

    def add_message(self, heading: str, text: str, *, kind: MessageKind) -> int:
        """Show a finished message at the end and return its key."""
        key, message = self._begin(heading, kind)
        message.text.feed(text)
        message.text.close()
        self._arrange()
        return key

    def begin_answer(self, heading: str) -> int:
        """Show the heading of an answer that will grow; return the key for the calls that make it grow."""
        key, message = self._begin(heading, MessageKind.ASSISTANT)
        message.is_open = True
        self._arrange()
        return key

    def append(self, key: int, text: str) -> None:
        """Take a chunk of an answer.  Only keeps it: it is drawn with the next flush."""
        if (message := self._message(key)) is not None and message.is_open:
            message.pending.append(text)
            self._wake()

    def append_reasoning(self, key: int, text: str) -> None:
        """Take a chunk of what the model thinks before it answers; stands apart, above the answer."""
        if (message := self._message(key)) is not None and message.is_open:
            message.pending_reasoning.append(text)
            self._wake()

    def set_heading(self, key: int, heading: str) -> None:
        """Replace the heading line of a message."""
        if (message := self._message(key)) is not None:
            message.heading.replace(clean_line(heading))
            self._arrange()

    def set_footer(self, key: int, text: str, *, problem: bool = False) -> None:
        """Replace what stands below a message; "" removes it."""
        if (message := self._message(key)) is not None:
            message.footer.replace(text, Role.PROBLEM if problem else Role.FOOTER)
            self._arrange()

    def finish_answer(self, key: int) -> None:
        """Draw the rest of an answer, for good.  Finishing it again changes nothing."""
        if (message := self._message(key)) is not None and message.is_open:
            message.drain()
            message.reasoning.close()
            message.text.close()
            message.is_open = False
            self._arrange()

    def flush(self) -> None:
        """Show now what has arrived."""
        for message in self._messages.values():
            message.drain()
        self._arrange()

    def clear(self) -> None:
        """Remove all messages; their keys are void."""
        self._messages.clear()
        self._place = None
        self._follows = True
        self._deselect()
        self._arrange()

    def _begin(self, heading: str, kind: MessageKind) -> tuple[int, Message]:
        heading_role, role = _ROLES[kind]
        text_kind = BlockKind.MARKDOWN if kind is MessageKind.ASSISTANT else BlockKind.PLAIN
        message = Message(
            heading=Part(role=heading_role, source=clean_line(heading)),
            reasoning=Flow(Role.REASONING, BlockKind.PLAIN),
            text=Flow(role, text_kind),
            footer=Part(role=Role.FOOTER, source=""),
            gap=int(bool(self._messages)),
        )
        key = self._next_key
        self._next_key += 1
        self._messages[key] = message
        return key, message

    def _message(self, key: int) -> Message | None:
        if not 0 <= key < self._next_key:
            raise KeyError(key)
        return self._messages.get(key)

    def _wake(self) -> None:
        if self._timer is None and self.is_running:
            delay_s = max(0.001, self._next_flush_s - perf_counter())
            self._timer = self.set_timer(delay_s, self._tick)

    def _tick(self) -> None:
        began_s = perf_counter()
        drained = [message.drain() for message in self._messages.values()]
        if any(drained) or not self._palette:
            self._arrange()
        self._draw_unseen(until_s=began_s + _UNSEEN_BUDGET_S)
        ended_s = perf_counter()
        self._next_flush_s = ended_s + max(self.flush_gap_s, _REST * (ended_s - began_s))
        self._timer = None  # not before: what is arranged above must not wake the next flush too early
        if self._layout.stale:
            self._wake()

    def _draw_unseen(self, *, until_s: float) -> None:
        stale = self._layout.stale
        if not stale or self._laid_out_for is None:
            return
        for part in stale:
            self._painter.draw(part)
            if perf_counter() >= until_s:
                break
        self._arrange()

    def _arrange(self) -> None:
        """Draw what is in view, stack all rows and keep the reader where they are."""
        width, height = self.scrollable_content_region.size
        if not width or not height:
            return
        if not self._palette:
            self._palette = read_palette(self)
        if self._painter.adopt(width, self._palette):
            self._deselect()
        self._laid_out_for = self.outer_size
        place = None if self._follows else self._place
        self._is_arranging = True
        try:
            self._layout.arrange([part for message in self._messages.values() for part in message.parts()])
            self._layout.draw_from(place, height)
            self.virtual_size = Size(width, self._layout.height)
            row = None if place is None else self._layout.row_of(place)
            top = self.max_scroll_y if row is None else min(row, self.max_scroll_y)
            # A reader on the way somewhere is let go on: to put the rows right now would stop them.
            is_under_way = self.app.animator.is_being_animated(self, "scroll_y") and not self._follows
            if top != self.scroll_offset.y and not is_under_way:
                self.scroll_to(y=top, animate=False, force=True)
        finally:
            self._is_arranging = False
        self.refresh()
        if self._layout.stale:
            self._wake()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._palette = {}
        self._wake()

    def on_mount(self) -> None:
        """Show what arrived before there was a screen."""
        self._wake()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap what is in view at once and the rest in slices."""
        self._arrange()

    def watch_scroll_target_y(self, target: float) -> None:
        """Follow the end if the reader goes there, as soon as they set out: it runs away from them."""
        if not self._is_moved_by_layout:
            self._follows = target >= self.max_scroll_y
            self._place = self._layout.place_at(self.scroll_offset.y)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._is_moved_by_layout:
            top = self.scroll_offset.y
            self._place = self._layout.place_at(top)
            if self._layout.is_stale_within(top, self.scrollable_content_region.height):
                # Later: to scroll from within a step of the scroll's own animation breaks the animator.
                self.call_later(self._arrange)

    @property
    def _is_moved_by_layout(self) -> bool:
        # A resize may cut the offset before the rows are wrapped anew: that is no wish of the reader.
        return self._is_arranging or self._laid_out_for != self.outer_size

    def action_scroll_end(self) -> None:
        """Go to the end at once and stay there."""
        if not self.allow_vertical_scroll:
            raise SkipAction
        self._follows = True
        self._arrange()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        style = self.rich_style
        if not self._messages:
            return self._hint_line(y, width).apply_style(style).crop_extend(0, width, style)
        row = self.scroll_offset.y + y
        strip = (self._layout.strip(row) or Strip.blank(0)).apply_style(style)
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(row)) is not None:
            strip = highlighted(strip, *span, self.screen.get_component_rich_style("screen--selection"))
        return strip.crop_extend(0, width, style).apply_offsets(0, row)

    def _hint_line(self, y: int, width: int) -> Strip:
        rows = fold(shown(self._empty_hint), max(2, width - 4))
        n = y - (self.scrollable_content_region.height - len(rows)) // 2
        if not 0 <= n < len(rows):
            return Strip.blank(0)
        text = " " * ((width - cell_len(rows[n])) // 2) + rows[n]
        return Strip([Segment(text, self.get_component_rich_style("transcript--hint"))])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        start, end = selection
        first = start.y if start is not None else 0
        last = end.y if end is not None else None
        rows = list(self._row_texts(first, None if last is None else last + 1))
        if rows and last is not None and end is not None and last < self._layout.height:
            rows[-1] = rows[-1][: end.x]
        if rows and start is not None:
            rows[0] = rows[0][start.x :]
        return "\n".join(rows), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def _row_texts(self, start: int, stop: int | None) -> Iterator[str]:
        if self._layout.stale:
            for part in self._layout.stale:
                self._painter.draw(part)
            self._arrange()
        for row in range(start, self._layout.height if stop is None else min(stop, self._layout.height)):
            strip = self._layout.strip(row)
            yield "" if strip is None else strip.text.rstrip()

    def _deselect(self) -> None:
        if self.is_attached and self in self.screen.selections:
            kept = {widget: taken for widget, taken in self.screen.selections.items() if widget is not self}
            self.screen.selections = kept

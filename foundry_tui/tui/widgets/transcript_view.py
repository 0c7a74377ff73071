"""The rows of a transcript on the screen: drawn where one looks, in slices, without moving the reader."""

from collections.abc import Generator
from contextlib import aclosing, contextmanager
from itertools import islice
from time import perf_counter

from rich.style import Style
from textual import events, work
from textual.actions import SkipAction
from textual.geometry import Size
from textual.timer import Timer
from textual.types import AnimationLevel, CallbackType, EasingFunction
from textual.widget import Widget

from foundry_tui.tui.widgets.transcript_canvas import TranscriptCanvas
from foundry_tui.tui.widgets.transcript_highlighting import Highlighting
from foundry_tui.tui.widgets.transcript_layout import Place
from foundry_tui.tui.widgets.transcript_messages import Message
from foundry_tui.tui.widgets.transcript_styles import read_palette

__all__ = ["TranscriptView"]

# The rest between two flushes, as a multiple of what the last one cost, and the longest one: nobody should
# wait for text because of an import or a collection of garbage.
_REST = 3
_LONGEST_REST_S = 0.1
# What one turn may spend on taking in text, and on rows that are out of sight, and the rest between two of
# the latter.
_FEED_BUDGET_S = 0.004
_UNSEEN_BUDGET_S = 0.004
_UNSEEN_REST_S = 0.010
_UNSEEN_AT_MOST = 256


class TranscriptView(TranscriptCanvas):
    """Shows the messages of a layout and keeps the reader where they are while those grow.

    Attributes:
        flush_gap_s: Least time between two drawings of what streams; longer over a slow line or while a
            benchmark runs.
    """

    def __init__(
        self,
        *,
        empty_hint: str = "",
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        super().__init__(empty_hint=empty_hint, name=name, id=id, classes=classes)
        self.flush_gap_s = 0.04
        self._pending: dict[Message, None] = {}  # what has text that is not in its parts yet
        self._highlighting = Highlighting()
        self._laid_out_for: Size | None = None
        self._palette: dict[str, Style] = {}
        self._follows = True
        self._place: Place | None = None
        self._is_arranging = False
        self._is_held = False
        self._is_behind = False  # something asked for an arrangement that was not made yet
        self._timer: Timer | None = None
        self._next_flush_s = 0.0

    @property
    def follows(self) -> bool:
        """Whether the view stays at the end as text arrives."""
        return self._follows

    @property
    def is_idle(self) -> bool:
        """Whether everything that arrived is drawn, looked through and coloured, and no timer runs."""
        return self._timer is None and self._highlighting.is_idle

    @property
    def drawings(self) -> int:
        """How often a block was drawn since the widget was made."""
        return self._painter.drawings

    @property
    def plain_text(self) -> str:
        """All rows as text, without the hint; what arrived but was not flushed is missing."""
        self._draw_all()
        return "\n".join(self._spot_text(self._layout.spot(row)) for row in range(self._layout.height))

    def set_follow(self, follows: bool) -> None:
        """Stay at the end from now on, or stay at what is in view."""
        self._follows = follows
        self._place = None if follows else self._layout.place_at(self.scroll_offset.y)
        self._arrange()
        if follows:
            self._left_by_hand()

    @contextmanager
    def arranged_once(self) -> Generator[None, None, None]:
        """Put off all drawing to the end of the block: many messages cost little more than the last ones."""
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
            self._arrange()

    def flush(self) -> None:
        """Show now what has arrived."""
        self._feed(list(self._pending), until_s=None)
        self._arrange()

    def _ended(self, message: Message) -> None:
        """Called once all of ``message`` is in its parts."""

    def _feed(self, messages: list[Message], *, until_s: float | None) -> None:
        for message in messages:
            has_ended = message.feed(until_s)
            self._layout.measure(message)
            if has_ended:
                self._ended(message)
            if not message.has_pending:
                self._pending.pop(message, None)

    def _wake(self) -> None:
        if self._timer is not None or not self.is_running:
            return
        delays_s: list[float] = []
        if self._pending or self._is_behind:
            delays_s.append(self._next_flush_s - perf_counter())
        if self._has_unseen:
            delays_s.append(_UNSEEN_REST_S)
        if delays_s:
            self._timer = self.set_timer(max(0.001, min(delays_s)), self._tick)

    @property
    def _has_unseen(self) -> bool:
        return self._laid_out_for is not None and bool(self._layout.stale or self._search.has_unread)

    def _tick(self) -> None:
        began_s = perf_counter()
        if (self._pending or self._is_behind) and began_s >= self._next_flush_s - 0.001:
            self._feed(list(self._pending), until_s=began_s + _FEED_BUDGET_S)
            self._is_behind = False
            self._arrange()
            ended_s = perf_counter()
            rest_s = min(_REST * (ended_s - began_s), _LONGEST_REST_S)
            self._next_flush_s = ended_s + max(self.flush_gap_s, rest_s)
        elif self._has_unseen:
            self._work_unseen(until_s=began_s + _UNSEEN_BUDGET_S)
        self._timer = None  # not before: what is arranged above must not wake the next flush too early
        self._wake()

    def _work_unseen(self, *, until_s: float) -> None:
        height = self._layout.height
        for part in list(islice(self._layout.stale, _UNSEEN_AT_MOST)):
            self._layout.draw_unseen(part)
            if perf_counter() >= until_s:
                break
        self._note_drawn()
        self._search.read_on(until_s)
        self._tell_search()
        if height != self._layout.height:
            self._settle()

    def _arrange(self) -> None:
        """Draw what is in view, and keep the reader where they are."""
        width, height = self.scrollable_content_region.size
        if not width or not height or self._is_held:
            return
        if not self._palette:
            self._palette = read_palette(self)
        if self._painter.adopt(width - self._margin, self._palette):
            self._layout.measure_all()
            self._deselect(0)
        self._laid_out_for = self.outer_size
        self._settle()
        self.refresh()
        self._wake()

    def _settle(self) -> None:
        """Draw what is in view by now, and put the view where the reader was before rows above it changed."""
        width, height = self.scrollable_content_region.size
        self._is_arranging = True
        try:
            while self._layout.draw_within(self._top(height), height):
                pass
            self._extend(Size(width, self._layout.height))
            top = self._top(height)
            # A reader on the way somewhere is let go on: to put the rows right now would stop them.
            is_under_way = self.app.animator.is_being_animated(self, "scroll_y") and not self._follows
            if top != self.scroll_offset.y and not is_under_way:
                self.scroll_to(y=top, animate=False, force=True)
        finally:
            self._is_arranging = False
        self._note_drawn()

    def _extend(self, size: Size) -> None:
        """Let the rows be so many."""
        if not self.show_vertical_scrollbar or size.height <= self.scrollable_content_region.height:
            self.virtual_size = size
        elif size != self.virtual_size:
            # Only the scroll bar's own looks change: to arrange and to paint the whole screen for that would
            # double the cost of a flush.
            self.set_reactive(Widget.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = size.height

    def _top(self, height: int) -> int:
        """The row at which the view belongs."""
        last = max(0, self._layout.height - height)
        row = None if self._follows or self._place is None else self._layout.row_at(self._place)
        return last if row is None else min(row, last)

    def _note_drawn(self) -> None:
        """Look through what was drawn, and ask for its colours."""
        for part in self._layout.drawn:
            self._search.update(part)
        self._layout.drawn.clear()
        self._tell_search()
        if self.is_running and self._highlighting.want(self._layout.unlit):
            self._light()
        self._layout.unlit.clear()

    def _tell_search(self) -> None:
        """Called when there may be other matches than before."""

    @work(group="highlighting")
    async def _light(self) -> None:
        async with aclosing(self._highlighting.lit()) as lit:
            async for part in lit:
                # Where nobody looks, the next drawing finds the colours.
                if (
                    part.drawing is not None
                    and part.drawing.rows is not None
                    and part not in self._layout.stale
                ):
                    self._layout.draw(part)
                    self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._palette = {}
        self._is_behind = True
        self._wake()

    def on_mount(self) -> None:
        """Show what arrived before there was a screen."""
        self._is_behind = True
        self._wake()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap what is in view at once and the rest in slices."""
        self._arrange()

    def watch_scroll_target_y(self, target: float) -> None:
        """Follow the end if the reader goes there, as soon as they set out: it runs away from them."""
        if not self._is_moved_by_layout:
            self._follows = target >= self.max_scroll_y
            self._place = self._layout.place_at(self.scroll_offset.y)
            self._left_by_hand()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._is_moved_by_layout:
            top, height = self.scroll_offset.y, self.scrollable_content_region.height
            self._place = self._layout.place_at(top)
            if self._layout.is_stale_within(top, height):
                # Later: to scroll from within a step of the scroll's own animation breaks the animator.
                self.call_later(self._arrange)
            else:
                self._layout.draw_within(top, height)
                self._note_drawn()

    @property
    def _is_moved_by_layout(self) -> bool:
        # A resize may cut the offset before the rows are wrapped anew: that is no wish of the reader.
        return self._is_arranging or self._laid_out_for != self.outer_size

    def _left_by_hand(self) -> None:
        """Called when the reader leaves the message they went to, by scrolling or to the end."""

    def _go_to(self, row: int) -> None:
        """Have the view begin at ``row``, if there is enough below it, and stay there."""
        self._is_arranging = True
        self.app.animator.force_stop_animation(self, "scroll_y")
        self._is_arranging = False
        self._follows = False
        self._place = self._layout.place_at(max(0, min(row, self._layout.height - 1)))
        self._arrange()
        # Where the end came first, what grows there must not move the view on to the row.
        self._place = self._layout.place_at(self.scroll_offset.y)

    def scroll_end(
        self,
        *,
        animate: bool = True,
        speed: float | None = None,
        duration: float | None = None,
        easing: EasingFunction | str | None = None,
        force: bool = False,
        on_complete: CallbackType | None = None,
        level: AnimationLevel = "basic",
        immediate: bool = False,
        x_axis: bool = True,
        y_axis: bool = True,
    ) -> None:
        """Go to the end and stay there, even where the view is at the end but does not follow it."""
        if y_axis and not animate:
            self.set_follow(True)
        super().scroll_end(
            animate=animate,
            speed=speed,
            duration=duration,
            easing=easing,
            force=force,
            on_complete=on_complete,
            level=level,
            immediate=immediate,
            x_axis=x_axis,
            y_axis=y_axis,
        )

    def action_scroll_end(self) -> None:
        """Go to the end at once and stay there."""
        if self._follows and not self.allow_vertical_scroll:
            raise SkipAction
        self.set_follow(True)

    def action_scroll_down(self) -> None:
        """Scroll a row down; at the end, follow it."""
        if not self._go_on():
            super().action_scroll_down()

    def action_page_down(self) -> None:
        """Scroll a page down; at the end, follow it."""
        if not self._go_on():
            super().action_page_down()

    def on_mouse_scroll_down(self) -> None:
        """At the end, follow it."""
        self._go_on()

    def _go_on(self) -> bool:
        is_at_end = (
            not self._follows and self.allow_vertical_scroll and self.scroll_offset.y >= self.max_scroll_y
        )
        if is_at_end:
            self.set_follow(True)
        return is_at_end

    def _draw_all(self) -> None:
        self._feed([message for message in self._pending if message.is_ending], until_s=None)
        while self._layout.stale and self._laid_out_for is not None:
            self._layout.draw_unseen(next(iter(self._layout.stale)))
        self._arrange()

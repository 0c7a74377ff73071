"""A recorded request played again: the text as it came, the rhythm of its chunks, memory at each moment."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from foundry_tui.domain.bench import Phase, PlannedPrompt, RequestRun, ResourceReading
from foundry_tui.domain.chat import ClockRead, Moment
from foundry_tui.metrics.replay import Playback, Replay, ReplayMoment, ReplayPhase
from foundry_tui.reports.replay import (
    chunk_words,
    clock_words,
    phase_words,
    rate_words,
    request_words,
    resource_words,
)
from foundry_tui.tui.paint_budget import PaintBudget
from foundry_tui.tui.screens.bench.replay_text import paragraphs_until
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.gap_ribbon import GapRibbon
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.replay_lane import ReplayLane
from foundry_tui.tui.widgets.sheet import Sheet

__all__ = ["ReplayScreen", "first_to_play"]

_LABEL_CELLS = 11
_QUICK_SHARE = 0.4
"""Of the budget's time between two drawings, while nothing is measured that drawing could disturb."""
_PART = 0.05


def first_to_play(requests: Sequence[RequestRun]) -> int:
    """Place of the first timed request; 0 where there is none."""
    return next((n for n, one in enumerate(requests) if one.phase is Phase.TIMED), 0)


class ReplayScreen(Overlay[None]):
    """Plays one request after the other at the pace of its record, faster, slower, or by hand.

    It draws a few times a second, only while it plays, and less while something is measured.

    Args:
        requests: Of one run, in order; at least one.
        place: Which of them is played first.
        prompts: Of the plan, for what was asked.
        resources: What was read of the machine over the run.
        goes_on: Whether the next one follows by itself.
        is_plain: Whether it does without colours and blocks.
        is_measuring: Whether a benchmark runs, which drawing could disturb.
        clock_s: A monotonic clock.
    """

    DEFAULT_CSS = """
    ReplayScreen .replay-line { height: 1; text-overflow: ellipsis; text-wrap: nowrap; }
    ReplayScreen #replay-clock { text-style: bold; }
    ReplayScreen #replay-memory { color: $text-muted; }
    ReplayScreen #replay-sheet { height: 1fr; border-top: solid $panel; }
    """
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "play", "Play/pause", key_display="Space", id="replay.play"),
        Binding("left", "to_chunk(-1)", "Chunk before", show=False, id="replay.previous_chunk"),
        Binding("right", "to_chunk(1)", "Chunk after", show=False, id="replay.next_chunk"),
        Binding(
            "left_square_bracket,shift+left",
            "to_stall(-1)",
            "Stall before",
            show=False,
            id="replay.previous_stall",
        ),
        Binding("right_square_bracket,shift+right", "to_stall(1)", "Next stall", id="replay.next_stall"),
        Binding("comma", "by_part(-1)", "5 % back", show=False, id="replay.part_back"),
        Binding("full_stop", "by_part(1)", "5 % on", show=False, id="replay.part_on"),
        Binding("home", "to_end(-1)", "Begin", show=False, id="replay.begin"),
        Binding("end", "to_end(1)", "End", show=False, id="replay.end"),
        Binding("plus,equals_sign", "faster", "Faster", key_display="+", id="replay.faster"),
        Binding("minus", "slower", "Slower", key_display="-", id="replay.slower"),
        Binding("n", "to_request(1)", "Next request", id="replay.next_request"),
        Binding("N", "to_request(-1)", "Request before", show=False, id="replay.previous_request"),
        Binding("c", "go_on", "One/all", id="replay.go_on"),
        Binding("up", "scroll(-1)", "Text up", show=False, id="replay.up"),
        Binding("down", "scroll(1)", "Text down", show=False, id="replay.down"),
        Binding("pageup", "scroll_page(-1)", "Text page up", show=False, id="replay.page_up"),
        Binding("pagedown", "scroll_page(1)", "Text page down", show=False, id="replay.page_down"),
    ]

    def __init__(
        self,
        requests: Sequence[RequestRun],
        place: int = 0,
        *,
        prompts: Sequence[PlannedPrompt] = (),
        resources: Sequence[ResourceReading] = (),
        goes_on: bool = False,
        is_plain: bool = False,
        is_measuring: Callable[[], bool] = lambda: False,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._requests = tuple(requests)
        self._prompts = {prompt.id: prompt for prompt in prompts}
        self._resources = resources
        self._goes_on = goes_on
        self._is_plain = is_plain
        self._is_measuring = is_measuring
        self._clock_s = clock_s
        self._budget = PaintBudget()
        self._place = place
        self._replay = Replay(self._requests[place].trace, resources)
        self._playback = Playback(length_ns=self._replay.length_ns)
        self._fed = -1
        self._has_ended = False
        self._goes_to_end = False
        self._words: dict[str, str] = {}

    @property
    def request(self) -> RequestRun:
        """The one that is played."""
        return self._requests[self._place]

    @property
    def moment(self) -> ReplayMoment:
        """Where it is now."""
        return self._replay.moment(self._playback.position_ns(self._clock_s()))

    @property
    def is_playing(self) -> bool:
        """Whether it moves by itself."""
        return self._playback.plays(self._clock_s())

    @property
    def speed(self) -> float:
        """How many times as fast as it was."""
        return self._playback.speed

    @property
    def period_s(self) -> float:
        """Seconds between two drawings while it plays."""
        return self._budget.period_s * (1.0 if self._is_measuring() else _QUICK_SHARE)

    @property
    def ribbon(self) -> GapRibbon:
        """The chunks so far; all of them at the end."""
        return self.query_one(GapRibbon)

    @property
    def lane(self) -> ReplayLane:
        """The way from the begin to the end."""
        return self.query_one(ReplayLane)

    @property
    def sheet(self) -> Sheet:
        """The text so far."""
        return self.query_one(Sheet)

    def compose(self) -> ComposeResult:
        with Vertical(id="replay-box", classes="full") as box:
            box.border_subtitle = "← → chunk · [ ] stall · , . 5 % · Home End · Esc goes back"
            yield Static(id="replay-clock", classes="replay-line", markup=False)
            yield Static(id="replay-chunk", classes="replay-line", markup=False)
            yield Static(id="replay-memory", classes="replay-line", markup=False)
            yield ReplayLane(id="replay-lane")
            ribbon, sheet = GapRibbon(id="replay-ribbon"), Sheet(label_cells=_LABEL_CELLS, id="replay-sheet")
            ribbon.can_focus = sheet.can_focus = False  # their own keys would stand in the way
            yield ribbon
            yield sheet
        yield KeyFooter()

    def on_mount(self) -> None:
        """Play at once."""
        ribbon = self.ribbon
        ribbon.plain = ribbon.plain or self._is_plain
        self.lane.plain = ribbon.plain
        self._show_request()
        self.action_play()

    # --- what can be asked of it

    def action_play(self) -> None:
        """Play, from the end from the begin again; or rest."""
        now_s = self._clock_s()
        if self._playback.plays(now_s):
            self._playback = self._playback.paused(now_s)
            self._draw()
        elif self._replay.length_ns:
            self._playback = self._playback.played(now_s)
            self._play()
        else:
            self._draw()

    def action_to_chunk(self, step: int) -> None:
        """Rest where the next chunk came, or the one before."""
        at_ns = self.moment.at_ns
        replay = self._replay
        self._rest_at(replay.next_chunk_ns(at_ns) if step > 0 else replay.previous_chunk_ns(at_ns))

    def action_to_stall(self, step: int) -> None:
        """Go where the next halt begins, or the one before; it goes on playing if it did."""
        at_ns = self.moment.at_ns
        replay = self._replay
        self._go_to(replay.next_stall_ns(at_ns) if step > 0 else replay.previous_stall_ns(at_ns))

    def action_by_part(self, step: int) -> None:
        """Go on, or back, by a twentieth of the whole."""
        self._go_to(self.moment.at_ns + step * max(1, self._replay.share_ns(_PART)))

    def action_to_end(self, step: int) -> None:
        """Go to the end and rest, or to the begin."""
        if step > 0:
            self._rest_at(self._replay.length_ns)
        else:
            self._go_to(0)

    def action_faster(self) -> None:
        """Play at the next higher speed."""
        self._playback = self._playback.faster(self._clock_s())
        self._draw()

    def action_slower(self) -> None:
        """Play at the next lower speed."""
        self._playback = self._playback.slower(self._clock_s())
        self._draw()

    def action_to_request(self, step: int) -> None:
        """Play the next request of the run, or the one before."""
        if not 0 <= self._place + step < len(self._requests):
            self.app.bell()
            return
        self._place += step
        self._replay = Replay(self.request.trace, self._resources)
        self._playback = Playback(length_ns=self._replay.length_ns, speed=self._playback.speed)
        self._show_request()
        self.action_play()

    def action_go_on(self) -> None:
        """Let the next request follow by itself, or not."""
        self._goes_on = not self._goes_on
        self._draw()

    def action_scroll(self, lines: int) -> None:
        """Scroll the text; what is played follows its end again once one has come back there."""
        self._goes_to_end = False
        self.sheet.scroll_relative(y=lines, animate=False, immediate=True)

    def action_scroll_page(self, pages: int) -> None:
        """The same by pages."""
        self.action_scroll(pages * max(1, self.sheet.size.height - 1))

    @on(ReplayLane.Sought)
    def _sought(self, message: ReplayLane.Sought) -> None:
        message.stop()
        self._go_to(message.at_ns)

    @on(ReplayLane.Toggled)
    def _toggled(self, message: ReplayLane.Toggled) -> None:
        message.stop()
        self.action_play()

    @on(GapRibbon.CursorMoved)
    def _pointed(self, message: GapRibbon.CursorMoved) -> None:
        """Rest at the chunk that was clicked."""
        message.stop()
        if message.index is not None and message.index < len(self._replay.chunks):
            self._rest_at(self._replay.position_ns(message.index))

    # --- how it moves

    def _go_to(self, at_ns: int | None) -> None:
        """Go on there, or rest there if it did; None rings."""
        if at_ns is None:
            self.app.bell()
            return
        self._playback = self._playback.moved(at_ns, self._clock_s())
        self._draw()

    def _rest_at(self, at_ns: int | None) -> None:
        self._playback = self._playback.paused(self._clock_s())
        self._go_to(at_ns)

    @work(exclusive=True, group="play")
    async def _play(self) -> None:
        while self.is_playing:
            self._draw()
            asked_s, began_s = self.period_s, time.monotonic()
            await asyncio.sleep(asked_s)
            self._budget.slept(asked_s, time.monotonic() - began_s)
        has_come_to_its_end = self._playback.since_s is not None
        self._draw()
        if self._goes_on and has_come_to_its_end and self._place + 1 < len(self._requests):
            self.call_later(self.action_to_request, 1)

    # --- what is shown

    def _show_request(self) -> None:
        title = request_words(self.request)
        self.query_one("#replay-box").border_title = Content(f"Replay of {title}")
        self.lane.show(self._replay)
        self._fed = -1
        self.sheet.scroll_home(animate=False)

    def _draw(self) -> None:
        if not self.is_open:
            return
        moment, replay = self.moment, self._replay
        is_playing = self.is_playing
        has_ended = moment.phase is ReplayPhase.ENDED
        is_same = self._fed == moment.count and self._has_ended == has_ended
        of_all = f"{self._place + 1} of {len(self._requests)}{', goes on' if self._goes_on else ''}"
        clock = clock_words(replay, moment, self.speed)
        clock += f"{'' if is_playing or has_ended else ', paused'} · {phase_words(replay, moment)}"
        self._put("replay-clock", f"{clock} · {of_all}")
        self._put("replay-chunk", f"{chunk_words(replay, moment)} · {rate_words(replay, moment)}")
        self._put("replay-memory", resource_words(moment.resources))
        self.lane.at_ns = moment.at_ns
        self.lane.is_playing = is_playing
        if not has_ended:
            self._feed_ribbon(moment.count, is_playing=is_playing)
        elif not is_same:
            with self.ribbon.prevent(GapRibbon.CursorMoved):
                self.ribbon.show_trace(replay.trace)
        if not is_same:
            self._show_text(moment)
        self._fed, self._has_ended = moment.count, has_ended

    def _feed_ribbon(self, count: int, *, is_playing: bool) -> None:
        """Show the first ``count`` chunks, as they were shown when they came."""
        ribbon, trace, fed = self.ribbon, self._replay.trace, self._fed
        with ribbon.prevent(GapRibbon.CursorMoved):  # only a click of the user's is one to follow
            if fed < 0 or self._has_ended or count < fed:
                ribbon.begin()
                if trace.sent_ns is not None:
                    ribbon.observe(ClockRead(moment=Moment.SENT, at_ns=trace.sent_ns))
                fed = 0
            for chunk in trace.chunks[fed:count]:
                ribbon.observe(chunk)
            ribbon.move_cursor(count - 1 if count and not is_playing else None)

    def _show_text(self, moment: ReplayMoment) -> None:
        sheet = self.sheet
        follows = sheet.scroll_y >= sheet.max_scroll_y
        prompt = self._prompts.get(self.request.prompt_id)
        sheet.set_paragraphs(paragraphs_until(self._replay, moment, prompt))
        if follows and moment.count:
            self._goes_to_end = True
            self.call_after_refresh(self._scroll_to_end)

    def _scroll_to_end(self) -> None:
        """Follow the text, now that its new height is known; who has scrolled meanwhile is left there."""
        if self._goes_to_end and self.is_open:
            self.sheet.scroll_end(animate=False, force=True, immediate=True)

    def _put(self, name: str, words: str) -> None:
        """Write a line, if it is another one."""
        if self._words.get(name) != words:
            self._words[name] = words
            self.query_one(f"#{name}", Static).update(words, layout=False)

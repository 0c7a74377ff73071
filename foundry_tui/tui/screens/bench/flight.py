"""The request in flight: a line of words, and the rhythm of its chunks."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.domain.chat import ChatEvent, ClockRead, Moment
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.gaps import GapTrack
from foundry_tui.services.bench.state import BenchState, Step, UnderWay
from foundry_tui.tui.screens.bench.rows import idle_words, under_way_words
from foundry_tui.tui.widgets.gap_ribbon import GapRibbon

__all__ = ["BenchFlight"]

_HINT = "the time between tokens of the request in flight shows here"
# Far more than are ever under way at once: where the record of a request that has just ended is looked for.
_NEWEST = 128


class BenchFlight(Vertical):
    """Follows one request from its beginning to its record, then the next one."""

    DEFAULT_CSS = """
    BenchFlight { height: auto; }
    BenchFlight #bench-under-way {
        height: 2; border-top: solid $panel; text-overflow: ellipsis; text-wrap: nowrap;
    }
    BenchFlight.-problem #bench-under-way {
        height: auto; max-height: 6; text-wrap: wrap; color: $text-error;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._followed: UnderWay | None = None
        self._fed = 0
        self._has_fed_sent = False
        self._words = ""
        self._track: GapTrack | None = None
        self._shown: GenerationTrace | None = None

    @property
    def ribbon(self) -> GapRibbon:
        """The rhythm."""
        return self.query_one(GapRibbon)

    @property
    def track(self) -> GapTrack | None:
        """The same for who draws it otherwise; None before the first chunk."""
        return self._track

    def compose(self) -> ComposeResult:
        yield Static(id="bench-under-way", markup=False)
        yield GapRibbon(empty_hint=_HINT, id="bench-ribbon")

    def on_mount(self) -> None:
        """Its keys would stand in the way of those of the run."""
        self.ribbon.can_focus = False

    def show(self, state: BenchState | None, chosen: str | None) -> None:
        """Show how far it is; when the run has ended, the last request to the chosen model."""
        one = state.under_way[0] if state is not None and state.under_way else None
        if one is not self._followed:
            self._let_go(state)
            self._followed, self._fed, self._has_fed_sent = one, 0, False
            if one is not None:
                self.ribbon.begin(one.model)
                self._track = GapTrack()
        if one is None:
            if state is not None and state.step is Step.ENDED:
                self._show_last(state, chosen)
            self._say(state, "" if state is None else idle_words(state))
            return
        sent_ns = one.trace.moment_ns(Moment.SENT)
        if sent_ns is not None and not self._has_fed_sent:
            self._has_fed_sent = True
            self._observe(ClockRead(moment=Moment.SENT, at_ns=sent_ns))
        chunks = one.trace.chunks
        for index in range(self._fed, len(chunks)):
            self._observe(chunks[index])
        self._fed = len(chunks)
        others = 0 if state is None else len(state.under_way) - 1
        self._say(state, under_way_words(one, others, sent_ns))

    def _observe(self, event: ChatEvent) -> None:
        self.ribbon.observe(event)
        if self._track is not None:
            self._track.observe(event)

    def _let_go(self, state: BenchState | None) -> None:
        """Show the record of the request that was followed, now that there is one."""
        gone = self._followed
        if gone is None or state is None:
            return
        key = (gone.model, gone.prompt_id, gone.round, gone.phase)
        for request in reversed(state.requests[-_NEWEST:]):
            if (request.model, request.prompt_id, request.round, request.phase) == key:
                self.ribbon.finish(request.trace)
                return

    def _show_last(self, state: BenchState, chosen: str | None) -> None:
        last = _last(state, chosen)
        trace = None if last is None else last.trace
        if trace is not self._shown:
            self._shown = trace
            self._track = None if trace is None else GapTrack.of(trace)
            self.ribbon.show_trace(trace, "" if last is None else last.model)

    def _say(self, state: BenchState | None, words: str) -> None:
        """Write the line, if it is another one."""
        is_problem = state is not None and state.problem is not None
        self.set_class(is_problem, "-problem")
        if words != self._words:
            self._words = words
            self.query_one("#bench-under-way", Static).update(words, layout=is_problem)


def _last(state: BenchState, chosen: str | None) -> RequestRun | None:
    """The last timed request to that model, else the last of all."""
    for request in reversed(state.requests):
        if request.model == chosen and request.phase is Phase.TIMED and request.trace.chunks:
            return request
    return state.requests[-1] if state.requests else None

"""The requests of one model of a run, and each of them with its text and the rhythm of its chunks."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from foundry_tui.domain.bench import Phase, PlannedPrompt, RequestRun, ResourceReading
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.quantities import UNKNOWN, bytes_in_words, seconds_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.attempts import standing
from foundry_tui.metrics.measures import Measure, read
from foundry_tui.metrics.outliers import Cause, Outlier, outliers
from foundry_tui.reports.answer import describe
from foundry_tui.services.bench.service import Benchmarks
from foundry_tui.services.bench.state import BenchState
from foundry_tui.tui.notices import complain
from foundry_tui.tui.screens.bench.replay import ReplayScreen
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.gap_ribbon import GapRibbon
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import RowTable
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone
from foundry_tui.tui.widgets.table_parts import Align, Column, Emphasis, LazyRows, Row

__all__ = ["RequestScreen", "RequestsScreen"]

_COLUMNS = (
    Column(key="number", label="#", width=4, align=Align.RIGHT, priority=9),
    Column(key="phase", label="Phase", width=11, priority=2),
    Column(key="prompt", label="Prompt", width=10, weight=2, priority=5),
    Column(key="round", label="Round", width=5, align=Align.RIGHT, priority=3),
    Column(key="status", label="Status", width=12, priority=8),
    Column(key="ttft", label="TTFT ms", width=7, align=Align.RIGHT, priority=4),
    Column(key="rate", label="tok/s", width=7, align=Align.RIGHT, priority=6),
    Column(key="latency", label="Latency s", width=9, align=Align.RIGHT, priority=7),
    Column(key="note", label="Stands out by", width=13, weight=3, priority=7),
)
_LOOK_S = 1.0
_CAUSES = {
    Cause.FIRST: "first request",
    Cause.STALL: "a stall",
    Cause.FOREIGN_DELAY: "busy machine",
    Cause.LONGER_OUTPUT: "longer answer",
    Cause.SHORTER_OUTPUT: "shorter",
    Cause.UNKNOWN: "cause unknown",
}
_LABEL_CELLS = 11
_LARGE = 1000
"""From here on decimals say nothing, and there is no room for them."""


class _Table(RowTable):
    """Its Enter is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,v", "activate", "Show", key_display="⏎", id="requests.open")
    ]


class RequestsScreen(Overlay[None]):
    """Lists what a model was asked, and marks what stands out.

    Args:
        model: Its name in the plan.
        state: The run as it is by now; None when another one is shown.
        bench: Has what was read of the machine meanwhile; None where that is not to be shown.
        is_plain: Whether ribbons do without colours and blocks.
    """

    DEFAULT_CSS = """
    RequestsScreen #requests-state {
        height: 1; color: $text-muted; text-overflow: ellipsis; text-wrap: nowrap;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "play", "Play", id="requests.play"),
        Binding("o", "next_outlier", "Next outlier", id="requests.next_outlier"),
    ]

    def __init__(
        self,
        model: str,
        state: Callable[[], BenchState | None],
        *,
        bench: Benchmarks | None = None,
        is_plain: bool = False,
    ) -> None:
        super().__init__()
        self._model = model
        self._state = state
        self._bench = bench
        self._is_plain = is_plain
        self._requests: tuple[RequestRun, ...] = ()
        self._outliers: dict[int, Outlier] = {}
        self._prompts: tuple[PlannedPrompt, ...] = ()
        self._taken = -1

    @property
    def table(self) -> RowTable:
        """The list, what has the focus."""
        return self.query_one(RowTable)

    def compose(self) -> ComposeResult:
        with Vertical(id="requests-box", classes="full") as box:
            box.border_title = Content(clean_line(f"Requests to {self._model}", 60))
            box.border_subtitle = "Enter shows one · p plays it · Esc goes back"
            yield _Table(_COLUMNS, empty_text="Nothing was asked of it yet.", id="requests-table")
            yield Static(id="requests-state", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """List them, and those that come."""
        self.table.focus()
        self._look()
        self.set_interval(_LOOK_S, self._look)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what there is something for."""
        if action == "next_outlier":
            return bool(self._outliers)
        return action != "play" or bool(self._requests)

    def action_play(self) -> None:
        """Play the request under the cursor as it was, and those around it by key."""
        key = self.table.cursor_key
        if key is not None:
            self._play(int(key))

    def action_next_outlier(self) -> None:
        """Go to the next request that stands out, from the last one to the first."""
        here = int(self.table.cursor_key or 0)
        found = next((number for number in self._outliers if number > here), next(iter(self._outliers)))
        self.table.move_cursor_to(str(found))

    @work(exclusive=True, group="play")
    async def _play(self, number: int) -> None:
        state, requests = self._state(), self._requests
        place = next((n for n, one in enumerate(requests) if one.number == number), None)
        if state is None or place is None:
            return
        bench = self._bench
        resources: Sequence[ResourceReading] = ()
        if bench is not None:
            try:
                resources = await bench.store.resources(state.run.id)
            except FoundryTuiError as error:
                complain(self, error)  # the answer itself is here, and can be played without
        if isinstance(self.app.screen, ReplayScreen):
            return  # a second key was quicker than the disk
        screen = ReplayScreen(
            requests,
            place,
            prompts=self._prompts,
            resources=resources,
            is_plain=self._is_plain,
            is_measuring=lambda: bench is not None and bench.is_running,
        )
        self.app.push_screen(screen)

    @on(RowTable.RowActivated)
    def _open(self, message: RowTable.RowActivated) -> None:
        message.stop()
        request = next((one for one in self._requests if str(one.number) == message.key), None)
        if request is not None:
            prompt = next((one for one in self._prompts if one.id == request.prompt_id), None)
            outlier = self._outliers.get(request.number)
            screen = RequestScreen(request, prompt, outlier, play=self._play, is_plain=self._is_plain)
            self.app.push_screen(screen)

    @on(RowTable.RowHighlighted)
    def _moved(self, message: RowTable.RowHighlighted) -> None:
        message.stop()
        self._show_state()

    def _look(self) -> None:
        state = self._state()
        if not self.is_open or state is None or len(state.requests) == self._taken:
            return
        self._taken = len(state.requests)
        had = (bool(self._requests), bool(self._outliers))
        self._requests = tuple(one for one in state.requests if one.model == self._model)
        self._prompts = state.run.plan.prompts
        stands = standing(self._requests)
        self._outliers = {one.number: one for one in outliers(stands)}
        requests, found = self._requests, self._outliers
        standing_numbers = {one.number for one in stands}
        keys = [str(one.number) for one in requests]

        def row(place: int) -> Row:
            number = requests[place].number
            return _row(requests[place], found.get(number), stands=number in standing_numbers)

        rows = LazyRows(keys, row)
        self.table.set_rows(rows)
        if had != (bool(requests), bool(found)):
            self.refresh_bindings()
        self._show_state()

    def _show_state(self) -> None:
        request = next((one for one in self._requests if str(one.number) == self.table.cursor_key), None)
        words = f"{len(self._requests)} requests"
        timed = sum(one.phase is Phase.TIMED for one in self._requests)
        words += f", {timed} timed"
        again = sum(one.attempt > 1 for one in self._requests if one.phase is Phase.TIMED)
        words += f", {again} of them measured again" if again else ""
        words += f" · {len(self._outliers)} stand out" if self._outliers else ""
        if request is not None and request.trace.error:
            words = clean_line(request.trace.error)
        elif request is not None and (outlier := self._outliers.get(request.number)) is not None:
            words = _outlier_words(outlier)
        self.query_one("#requests-state", Static).update(words, layout=False)


class RequestScreen(Overlay[None]):
    """One request: the ribbon with a cursor, its numbers, what was asked and what was answered.

    Args:
        request: As it is kept.
        prompt: Of the plan; None for one that is not in it.
        outlier: Where it stands out.
        play: Plays the request of that number.
        is_plain: Whether the ribbon does without colours and blocks.
    """

    DEFAULT_CSS = """
    RequestScreen #request-sheet { height: 1fr; border-top: solid $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "play", "Play", key_display="Space", id="request.play"),
        Binding("down", "scroll(1)", "Text down", show=False, id="request.down"),
        Binding("up", "scroll(-1)", "Text up", show=False, id="request.up"),
    ]

    def __init__(
        self,
        request: RequestRun,
        prompt: PlannedPrompt | None,
        outlier: Outlier | None,
        *,
        play: Callable[[int], object],
        is_plain: bool = False,
    ) -> None:
        super().__init__()
        self._play = play
        self._request = request
        self._prompt = prompt
        self._outlier = outlier
        self._is_plain = is_plain

    def compose(self) -> ComposeResult:
        with Vertical(id="request-box", classes="full") as box:
            box.border_title = Content(
                clean_line(f"Request {self._request.number} to {self._request.model}", 60)
            )
            box.border_subtitle = "← → walk · n next stall · ↑ ↓ text · Esc goes back"
            yield GapRibbon(empty_hint="no chunk came", id="request-ribbon")
            yield Sheet(label_cells=_LABEL_CELLS, id="request-sheet")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Begin at the ribbon."""
        ribbon = self.query_one(GapRibbon)
        ribbon.plain = ribbon.plain or self._is_plain
        ribbon.show_trace(self._request.trace)
        self.query_one(Sheet).set_paragraphs(_paragraphs(self._request, self._prompt, self._outlier))
        ribbon.focus()

    def action_play(self) -> None:
        """Play it as it was."""
        self._play(self._request.number)

    def action_scroll(self, lines: int) -> None:
        """Scroll the text while the ribbon has the focus."""
        self.query_one(Sheet).scroll_relative(y=lines, animate=False)


def _row(request: RequestRun, outlier: Outlier | None, *, stands: bool) -> Row:
    trace = request.trace
    is_failed = not trace.outcome.is_timed
    emphasis = Emphasis.PROBLEM if is_failed or outlier is not None else Emphasis.NORMAL
    if (request.phase is not Phase.TIMED and not is_failed) or not stands:
        emphasis = Emphasis.DIM
    return Row(
        key=str(request.number),
        cells=(
            str(request.number),
            request.phase.value,
            request.prompt_id,
            str(request.round),
            trace.outcome.words if is_failed or request.phase is Phase.TIMED else request.phase.value,
            _cell(request, Measure.TTFT, 1000, 0),
            _cell(request, Measure.DECODE_RATE, 1, 1),
            _cell(request, Measure.LATENCY, 1, 3),
            _note(request, outlier, stands=stands),
        ),
        emphasis=emphasis,
    )


def _note(request: RequestRun, outlier: Outlier | None, *, stands: bool) -> str:
    if not stands:
        return "replaced" if request.trace.outcome.is_timed else "not counted"
    if outlier is not None:
        return _CAUSES[outlier.cause]
    return "again" if request.attempt > 1 and request.phase is Phase.TIMED else ""


def _cell(request: RequestRun, measure: Measure, scale: float, digits: int) -> str:
    reading = read(request.trace, measure)
    if reading is None:
        return UNKNOWN
    value = reading.value * scale
    words = f"{value:.{digits}f}" if value < _LARGE else f"{value:,.0f}"
    return f"{'~' if reading.is_estimate else ''}{words}"


def _outlier_words(outlier: Outlier) -> str:
    usual, value = seconds_in_words(outlier.usual), seconds_in_words(outlier.value)
    cause = _CAUSES[outlier.cause]
    return f"stands out: {value} where {usual} is usual of its prompt; most likely: {cause}"


def _paragraphs(
    request: RequestRun, prompt: PlannedPrompt | None, outlier: Outlier | None
) -> Sequence[Paragraph]:
    trace = request.trace
    what = f"{request.phase.value}, prompt {request.prompt_id}, round {request.round}"
    what += f", attempt {request.attempt}" if request.attempt > 1 else ""
    said = [Paragraph(label="Request", text=f"{what} · {request.model_id}")]
    if trace.error:
        said.append(
            Paragraph(label="Failed", text=f"{trace.outcome.words}: {trace.error}", tone=Tone.PROBLEM)
        )
    if outlier is not None:
        said.append(Paragraph(label="Outlier", text=_outlier_words(outlier), tone=Tone.WARNING))
    said.append(Paragraph(label="Numbers", text=describe(trace)))
    vram = bytes_in_words(request.peak_vram_bytes)
    said.append(Paragraph(label="Memory", text=f"peak {bytes_in_words(request.peak_rss_bytes)}, VRAM {vram}"))
    if prompt is not None:
        said.append(Paragraph(label="Asked", text=prompt.text, tone=Tone.MUTED))
        if prompt.system:
            said.append(Paragraph(label="System", text=prompt.system, tone=Tone.MUTED))
    if trace.reasoning:
        said.append(Paragraph(label="Reasoning", text=trace.reasoning, tone=Tone.MUTED))
    if trace.text:
        said.append(Paragraph(label="Answered", text=trace.text))
    else:
        said.append(Paragraph(label="Answered", text="nothing", tone=Tone.MUTED))
    return said

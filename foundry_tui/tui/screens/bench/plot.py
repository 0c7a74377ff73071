"""Memory, processor and rate of a benchmark over time, with its requests on the same axis."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from foundry_tui.domain.bench import ResourceReading
from foundry_tui.domain.chat import Moment
from foundry_tui.domain.quantities import UNKNOWN, bytes_in_words, count_in_words
from foundry_tui.metrics.time_line import Answering, TimeColumns, TimeLine
from foundry_tui.services.bench.state import BenchState, Step
from foundry_tui.tui.widgets.time_plot import Plot, PlotLane, PlotLine, TimePlot

__all__ = ["BenchPlot"]

_NO_RUN = "Memory, processor and rate over time show here while a benchmark runs."
_TITLE = "Memory, processor and rate, each from 0 to its largest"
_NO_READING = "Nothing was read of the machine or of any request so far."


class BenchPlot(Vertical):
    """Shows what the engine took and gave over a run; words where there is nothing to show.

    It takes the height that it is given: seven rows are enough for all, twelve are better.
    """

    DEFAULT_CSS = """
    BenchPlot { height: 1fr; border-top: solid $panel; border-title-color: $text-muted; }
    BenchPlot > #bench-plot-words { display: none; height: 1fr; color: $text-muted; }
    BenchPlot.-empty > #bench-plot-words { display: block; }
    BenchPlot.-empty > TimePlot { display: none; }
    """

    def __init__(self, *, is_plain: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="-empty")
        self.border_title = _TITLE
        self._is_plain = is_plain
        self._line = TimeLine()
        self._state: BenchState | None = None
        self._resources: Sequence[ResourceReading] = ()
        self._is_catching_up = False

    @property
    def is_complete(self) -> bool:
        """Whether all that was handed over is drawn: a long run is taken a part at a time."""
        return not self._is_catching_up

    def compose(self) -> ComposeResult:
        yield Static(_NO_RUN, id="bench-plot-words", markup=False)
        yield TimePlot()

    def on_mount(self) -> None:
        """Draw without dots where that is wished, and what was handed over meanwhile."""
        plot = self.query_one(TimePlot)
        plot.plain = plot.plain or self._is_plain
        self._draw()

    def show(self, state: BenchState | None, resources: Sequence[ResourceReading]) -> None:
        """Draw this run, or what is new of it; None for words.

        Args:
            state: Of the run.
            resources: What was read over it: while a run is shown, the same list that only grows, or another
                one for another run or life.
        """
        if self._is_another(state, resources):
            self._line = TimeLine()
        self._state, self._resources = state, resources
        if not self._is_catching_up:
            self._catch_up()

    def _is_another(self, state: BenchState | None, resources: Sequence[ResourceReading]) -> bool:
        if state is None or self._state is None or state.run.id != self._state.run.id:
            return True
        is_shorter = len(state.requests) < len(self._state.requests)
        return (
            resources is not self._resources or is_shorter or (self._line.is_of_requests and bool(resources))
        )

    def _catch_up(self) -> None:
        state = self._state
        requests = () if state is None else state.requests
        self._is_catching_up = self._line.take(self._resources, requests) and self.is_attached
        if self._is_catching_up:
            # The screen answers keys in between.
            self.set_timer(0.001, self._catch_up)
        self._draw()

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        state, is_empty = self._state, self._line.is_empty
        self.set_class(is_empty, "-empty")
        if is_empty:
            self.query_one("#bench-plot-words", Static).update(_NO_RUN if state is None else _NO_READING)
        self.query_one(TimePlot).show(None if is_empty else self._plot, lines=_count(self._line))

    def _plot(self, cells: int) -> Plot:
        state, line, across = self._state, self._line, self.query_one(TimePlot).across
        is_whole = state is None or state.step is Step.ENDED
        answering = [] if state is None or is_whole else _answering(state)
        columns = line.columns(cells * across, answering=answering, is_whole=is_whole)
        made = 0 if state is None else len(state.requests)
        words = f"{count_in_words(made)} request{'s' * (made != 1)}"
        return Plot(
            span_s=columns.span_s,
            lines=_lines(line, columns, is_ended=is_whole),
            lane=PlotLane(
                words=f"{words}, {count_in_words(line.unplaced)} not here" if line.unplaced else words,
                begins=_joined(columns.begins, across),
                ends=_joined(columns.ends, across),
                failures=_joined(columns.failures, across),
                is_busy=[count > 0 for count in _joined(columns.is_busy, across)],
            ),
            seams=[seam // across for seam in columns.seams],
            seam_words="resumed",
        )


def _count(line: TimeLine) -> int:
    return 3 if line.most_vram_bytes is None else 4


def _lines(line: TimeLine, columns: TimeColumns, *, is_ended: bool) -> list[PlotLine]:
    """``_count`` of them: GPU memory only where some was seen, the others also to say that nothing was."""
    last, when = line.last, "last" if is_ended else "now"
    lines = [
        PlotLine(
            name="RAM",
            when=when,
            now=bytes_in_words(None if last is None else last.rss_bytes),
            most=bytes_in_words(line.most_rss_bytes),
            values=columns.rss_bytes,
        )
    ]
    if line.most_vram_bytes is not None:
        lines.append(
            PlotLine(
                name="VRAM",
                when=when,
                now=bytes_in_words(None if last is None else last.vram_bytes),
                most=bytes_in_words(line.most_vram_bytes),
                values=columns.vram_bytes,
            )
        )
    lines += [
        PlotLine(
            name="CPU",
            when=when,
            now=_cores(columns.cpu_share_now),
            most=_cores(columns.most_cpu_share),
            values=columns.cpu_share,
        ),
        PlotLine(
            name="tokens/s" if columns.counts_tokens else "chunks/s",
            now="" if is_ended else _rate(columns.rate_per_s_now),
            most=_rate(columns.most_rate_per_s),
            values=columns.rate_per_s,
        ),
    ]
    return lines


def _answering(state: BenchState) -> list[Answering]:
    found: list[Answering] = []
    for one in state.under_way:
        called_ns = one.trace.moment_ns(Moment.CALL)
        begun_ns = one.trace.moment_ns(Moment.SENT) if called_ns is None else called_ns
        found.append(Answering(begun_ns=begun_ns, chunks=one.trace.chunks))
    return found


def _joined(counts: Sequence[int], across: int) -> list[int]:
    return [sum(counts[place : place + across]) for place in range(0, len(counts), across)]


def _cores(share: float | None) -> str:
    return UNKNOWN if share is None else f"{share:.1f} core{'s' * (f'{share:.1f}' != '1.0')}"


def _rate(per_s: float | None) -> str:
    if per_s is None:
        return UNKNOWN
    return f"{per_s:,.0f}" if per_s >= 99.95 else f"{per_s:.1f}"

"""What is drawn below a benchmark's table: how readings spread, how tokens came, what it took over time."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from textual.app import ComposeResult
from textual.containers import Container

from foundry_tui.domain.bench import ResourceReading
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.gaps import GapTrack
from foundry_tui.metrics.measures import Measure
from foundry_tui.services.bench.state import BenchState, Step
from foundry_tui.tui.screens.bench.boxes import Drawing, Group, Shape, drawing_of
from foundry_tui.tui.screens.bench.canvas import BenchCanvas
from foundry_tui.tui.screens.bench.names import short_names
from foundry_tui.tui.screens.bench.plot import BenchPlot
from foundry_tui.tui.screens.bench.tally import SHOWN, RunTally
from foundry_tui.tui.screens.bench.timing import timing_of

__all__ = ["BenchViews", "View"]

T = TypeVar("T")
_BROAD = 150
_LEAST_ROWS = 7
_ROWS_FOR_BOTH = 16
_TIMING_ROWS = 8
_PLOT_S = 1.0
_SCALES = {
    Measure.TTFT: ("TTFT, ms", 1000.0),
    Measure.LATENCY: ("latency, s", 1.0),
    Measure.DECODE_RATE: ("decode rate, tok/s", 1.0),
}
_BOX_WORDS = "{median} median ( ) its 95 % {box} middle half {beyond} beyond"
_FEW_WORDS = " {point} one, below n=5"
_SIGNS = {"median": "┃", "box": "▒", "beyond": "∘", "point": "●"}
_PLAIN_SIGNS = {"median": "M", "box": "=", "beyond": "o", "point": "*"}


class View(StrEnum):
    """What is drawn."""

    BOXES = "boxes"
    HISTOGRAMS = "histograms"
    TIMING = "timing"
    RESOURCES = "resources"
    """Memory, processor and rate over the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What was shown last."""

    state: BenchState
    tally: RunTally
    track: GapTrack | None
    chosen: str | None
    resources: Sequence[ResourceReading]


class BenchViews(Container):
    """One drawing, and the resources below or beside it where there is room for both.

    What is drawn is made anew only when what it is made of has changed, and what is not seen is not made.

    Attributes:
        is_plain: Whether it does without colours and blocks.
        view: What is drawn.
        measure: What the boxes and bars are of.
    """

    DEFAULT_CSS = """
    BenchViews { height: 1fr; min-height: 2; layout: vertical; }
    BenchViews > #bench-plot { display: none; border-top: solid $panel; border-title-color: $text-muted; }
    BenchViews.-both > #bench-plot, BenchViews.-resources > #bench-plot { display: block; }
    BenchViews.-resources > BenchCanvas { display: none; }
    BenchViews.-both > BenchCanvas { display: block; height: auto; max-height: 60%; }
    BenchViews.-both.-beside { layout: horizontal; }
    BenchViews.-both.-beside > * { width: 1fr; height: 1fr; max-height: 100%; }
    BenchViews.-both.-beside > #bench-plot { margin-left: 2; }
    """

    def __init__(self, *, is_plain: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.is_plain = is_plain
        self.view = View.BOXES
        self.measure = Measure.LATENCY
        self._made_of: object = None
        self._given: _Given | None = None
        self._is_plotted = False
        self._plot_again_s = 0.0
        self._names: tuple[str, dict[str, str]] = ("", {})

    @property
    def canvas(self) -> BenchCanvas:
        """Where it is painted."""
        return self.query_one(BenchCanvas)

    def compose(self) -> ComposeResult:
        yield BenchCanvas(id="bench-canvas")
        plot = BenchPlot(is_plain=self.is_plain, id="bench-plot")
        plot.border_title = " the engine over the run "
        yield plot

    @property
    def plot(self) -> BenchPlot:
        """Memory, processor and rate."""
        return self.query_one(BenchPlot)

    @property
    def has_both(self) -> bool:
        """Whether the resources have room beside whatever else is drawn."""
        return self.has_class("-both")

    def next_view(self) -> None:
        """Draw something else at the next ``show``."""
        self.view = _next(
            [view for view in View if view is not View.RESOURCES or not self.has_both], self.view
        )
        self._arrange()

    def on_resize(self) -> None:
        """Decide what there is room for."""
        size = self.size
        is_high = size.height >= _ROWS_FOR_BOTH
        is_beside = not is_high and size.width >= _BROAD and size.height >= _LEAST_ROWS
        self.set_class(is_high or is_beside, "-both")
        self.set_class(is_beside, "-beside")
        self._arrange()
        self.call_after_refresh(self._show_again)

    def _arrange(self) -> None:
        if self.view is View.RESOURCES and self.has_both:
            self.view = View.BOXES
        self.set_class(self.view is View.RESOURCES, "-resources")
        self._is_plotted = False

    def next_measure(self) -> None:
        """Draw another measure at the next ``show``; where none is drawn, go back to the boxes."""
        if self.view in (View.TIMING, View.RESOURCES):
            self.view = View.BOXES
            self._arrange()
        else:
            self.measure = _next(SHOWN, self.measure)

    def show(
        self,
        state: BenchState,
        tally: RunTally,
        *,
        track: GapTrack | None,
        chosen: str | None,
        resources: Sequence[ResourceReading],
    ) -> None:
        """Draw what is known by now.

        Args:
            state: The run that is shown.
            tally: Its readings.
            track: The answer under way, or the last one.
            chosen: The model under the cursor.
            resources: What was read of the machine over the run.
        """
        self._given = _Given(state=state, tally=tally, track=track, chosen=chosen, resources=resources)
        self.canvas.want(self._rows(len(state.run.models)))
        if self.view is View.RESOURCES or self.has_both:
            self._show_plot(state, resources)
        if self.view is View.RESOURCES:
            return
        size = self.canvas.content_size
        counts = tuple(tally.of(model.model).taken for model in state.run.models)
        chunks = None if track is None else len(track.chunks)
        of = (id(track), chunks) if self.view is View.TIMING else (self.measure, chosen, counts)
        made_of = (state.run.id, self.view, self.is_plain, size, of)
        if made_of == self._made_of:
            return
        self._made_of = made_of
        self.canvas.is_plain = self.is_plain
        if self.view is View.TIMING:
            self._show_timing(track)
        else:
            self._show_spread(state, tally, chosen)

    def _show_again(self) -> None:
        """The same in another size."""
        if (given := self._given) is not None and self.is_attached:
            self.show(
                given.state,
                given.tally,
                track=given.track,
                chosen=given.chosen,
                resources=given.resources,
            )

    def _show_plot(self, state: BenchState, resources: Sequence[ResourceReading]) -> None:
        """Once a second while it asks, which is often enough for memory and is most of what is painted."""
        now_s, is_asking = time.perf_counter(), state.step is Step.ASKING
        if is_asking and self._is_plotted and now_s < self._plot_again_s:
            return
        self._is_plotted, self._plot_again_s = is_asking, now_s + _PLOT_S
        self.plot.show(state, resources)

    def _rows(self, models: int) -> int:
        """What the drawing needs to be read well."""
        if self.view is View.TIMING:
            return _TIMING_ROWS
        return models * (2 if self.view is View.HISTOGRAMS else 1) + 1

    def _show_timing(self, track: GapTrack | None) -> None:
        size = self.canvas.content_size
        title = "time before each token, ms"
        if track is None:
            self.canvas.show(f"{title}: no answer yet", ())
            return
        timing = timing_of(track, width=size.width, height=size.height, is_plain=self.is_plain)
        title += f" · longest of each {timing.for_each}" if timing.for_each > 1 else ""
        self.canvas.show(f"{title} · log scale", timing.lines)

    def _show_spread(self, state: BenchState, tally: RunTally, chosen: str | None) -> None:
        size = self.canvas.content_size
        words, scale = _SCALES[self.measure]
        names = self._short_names(state)
        groups = [
            Group(
                key=model.model,
                name=names[model.model],
                values=[value * scale for value in tally.of(model.model).readings[self.measure]],
                is_estimate=self.measure in tally.of(model.model).estimated,
            )
            for model in state.run.models
        ]
        shape = Shape.HISTOGRAM if self.view is View.HISTOGRAMS else Shape.BOX
        drawing = drawing_of(
            groups, shape=shape, width=size.width, height=size.height, chosen=chosen, is_plain=self.is_plain
        )
        self.canvas.show(self._title(words, shape, drawing), drawing.lines, drawing.keys)

    def _title(self, words: str, shape: Shape, drawing: Drawing) -> str:
        """As much of what the signs mean as there is room for."""
        signs = _PLAIN_SIGNS if self.is_plain else _SIGNS
        parts = [words]
        if drawing.axis is not None and drawing.axis.is_log:
            parts.append("log scale")
        if drawing.hidden:
            parts.append(f"{drawing.hidden} more: ↑ ↓")
        if shape is Shape.BOX:
            parts.append(_BOX_WORDS.format(**signs) + _FEW_WORDS.format(**signs))
        else:
            parts.append("each from its least to its greatest")
        title = " · ".join(parts)
        room = self.size.width - 4
        if len(title) > room and shape is Shape.BOX:
            title = " · ".join([*parts[:-1], _BOX_WORDS.format(**signs)])
        return title if len(title) <= room else " · ".join(parts[:-1])

    def _short_names(self, state: BenchState) -> dict[str, str]:
        if self._names[0] != state.run.id:
            models = [model.model for model in state.run.models]
            short = short_names([clean_line(model) for model in models])
            self._names = (state.run.id, dict(zip(models, short, strict=True)))
        return self._names[1]


def _next(order: Sequence[T], one: T) -> T:
    return order[(order.index(one) + 1) % len(order)]

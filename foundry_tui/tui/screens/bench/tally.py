"""The readings of a run under way, model by model; each request is taken once, however often one asks."""

from dataclasses import dataclass, field

from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.domain.chat import Outcome
from foundry_tui.metrics.latency import has_hidden_tokens
from foundry_tui.metrics.measures import Measure, is_counted, read
from foundry_tui.metrics.spread import Spread, spread
from foundry_tui.services.bench.state import BenchState

__all__ = ["SHOWN", "ModelTally", "RunTally"]

SHOWN = (Measure.TTFT, Measure.DECODE_RATE, Measure.LATENCY)
"""What the page shows of each model."""

_NS_PER_S = 1_000_000_000


@dataclass(slots=True)
class ModelTally:
    """What is known of one model so far.

    Attributes:
        done: Timed requests that were made; a cancelled one is made again and does not count.
        failed: Those of them that enter no statistic.
        highest_round: Of its timed requests; 0 before the first.
        readings: By measure, in the order of the requests.
        estimated: Measures in which a value rests on an estimate.
        hidden: Answers with tokens that were never shown, which have no decode rate.
        span_s: From sent to end, of all timed requests together; likewise ``spans``, their number.
        peak_rss_bytes: Of any of its requests; likewise ``peak_vram_bytes``.
    """

    done: int = 0
    failed: int = 0
    highest_round: int = 0
    readings: dict[Measure, list[float]] = field(
        default_factory=lambda: {measure: list[float]() for measure in SHOWN}
    )
    estimated: set[Measure] = field(default_factory=set[Measure])
    hidden: int = 0
    span_s: float = 0.0
    spans: int = 0
    peak_rss_bytes: int | None = None
    peak_vram_bytes: int | None = None
    _spreads: dict[Measure, Spread | None] = field(default_factory=dict[Measure, Spread | None])

    def take(self, request: RequestRun) -> None:
        """Add one request of the model, of whatever phase."""
        self.peak_rss_bytes = _higher(self.peak_rss_bytes, request.peak_rss_bytes)
        self.peak_vram_bytes = _higher(self.peak_vram_bytes, request.peak_vram_bytes)
        trace = request.trace
        if request.phase is not Phase.TIMED or trace.outcome is Outcome.CANCELLED:
            return
        self.done += 1
        self.highest_round = max(self.highest_round, request.round)
        if trace.sent_ns is not None and trace.end_ns is not None:
            self.span_s += (trace.end_ns - trace.sent_ns) / _NS_PER_S
            self.spans += 1
        if not is_counted(request):
            self.failed += 1
            return
        self._spreads.clear()
        self.hidden += has_hidden_tokens(trace)
        for measure in SHOWN:
            reading = read(trace, measure)
            if reading is not None:
                self.readings[measure].append(reading.value)
                if reading.is_estimate:
                    self.estimated.add(measure)

    def spread(self, measure: Measure) -> Spread | None:
        """Of all readings so far; None without any."""
        if measure not in self._spreads:
            self._spreads[measure] = spread(self.readings[measure])
        return self._spreads[measure]


class RunTally:
    """All models of the run that is shown."""

    def __init__(self) -> None:
        self._run_id: str | None = None
        self._taken = 0
        self._models: dict[str, ModelTally] = {}

    def take(self, state: BenchState) -> None:
        """Take what is new; another run begins anew."""
        if state.run.id != self._run_id or len(state.requests) < self._taken:
            self._run_id, self._taken, self._models = state.run.id, 0, {}
        for request in state.requests[self._taken :]:
            self.of(request.model).take(request)
        self._taken = len(state.requests)

    def of(self, model: str) -> ModelTally:
        """What is known of ``model`` so far."""
        return self._models.setdefault(model, ModelTally())


def _higher(one: int | None, other: int | None) -> int | None:
    return max((value for value in (one, other) if value is not None), default=None)

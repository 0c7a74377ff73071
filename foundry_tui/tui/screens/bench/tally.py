"""The readings of a run under way, model by model; each request is taken once, however often one asks."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeAlias

from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.domain.chat import Outcome
from foundry_tui.metrics.attempts import standing
from foundry_tui.metrics.hidden import HiddenAnswers, HiddenSplit, hidden_answers, hidden_split
from foundry_tui.metrics.measures import Measure, is_counted, read
from foundry_tui.metrics.spread import Spread, spread
from foundry_tui.services.bench.state import BenchState

__all__ = ["SHOWN", "ModelTally", "RunTally"]

SHOWN = (Measure.TTFT, Measure.DECODE_RATE, Measure.LATENCY)
"""What the page shows of each model."""

_NS_PER_S = 1_000_000_000


_Peaks: TypeAlias = tuple[int | None, int | None]
"""Of the resident memory and of the GPU's, in bytes."""

_NO_PEAKS = (None, None)


@dataclass(slots=True)
class ModelTally:
    """What is known of one model so far, of rounds that were measured again only what stands.

    Attributes:
        taken: Changes with each request that is taken.
        done: Timed requests that were made; a cancelled one is made again and does not count.
        failed: Those of them that enter no statistic.
        highest_round: Of its timed requests; 0 before the first.
        readings: By measure, in the order of the requests.
        hidden: The phases of each answer with tokens that were never shown, which has no decode rate.
        span_s: From sent to end, of all timed requests together; likewise ``spans``, their number.
    """

    taken: int = 0
    done: int = 0
    failed: int = 0
    highest_round: int = 0
    readings: dict[Measure, list[float]] = field(
        default_factory=lambda: {measure: list[float]() for measure in SHOWN}
    )
    hidden: list[HiddenSplit] = field(default_factory=list[HiddenSplit])
    span_s: float = 0.0
    spans: int = 0
    _estimated: Counter[Measure] = field(default_factory=Counter[Measure])
    _spreads: dict[Measure, Spread | None] = field(default_factory=dict[Measure, Spread | None])
    _slots: dict[tuple[str, int], tuple[RequestRun, ...]] = field(
        default_factory=dict[tuple[str, int], tuple[RequestRun, ...]]
    )
    _others: list[RequestRun] = field(default_factory=list[RequestRun])
    _peaks: _Peaks | None = _NO_PEAKS

    @property
    def estimated(self) -> Collection[Measure]:
        """Measures in which a value rests on an estimate."""
        return [measure for measure, count in self._estimated.items() if count]

    @property
    def peak_rss_bytes(self) -> int | None:
        """Of any of its requests that stands."""
        return self._known_peaks()[0]

    @property
    def peak_vram_bytes(self) -> int | None:
        """Likewise."""
        return self._known_peaks()[1]

    def take(self, request: RequestRun) -> None:
        """Add one request of the model, of whatever phase; of a slot that was measured before what stands."""
        self.taken += 1
        if request.phase is not Phase.TIMED:
            self._others.append(request)
            self._take_peaks(request)
            return
        before = self._slots.get((request.prompt_id, request.round), ())
        stands = standing((*before, request))
        self._slots[request.prompt_id, request.round] = stands
        for one in before:
            if one not in stands:
                self._count(one, -1)
        if request in stands:
            self._take_peaks(request)
            self._count(request, 1)
        if len(stands) <= len(before):
            self._peaks = None  # one of them may have gone; many may go before anyone asks

    def _known_peaks(self) -> _Peaks:
        if self._peaks is None:
            self._peaks = _NO_PEAKS
            for request in chain(self._others, *self._slots.values()):
                self._take_peaks(request)
        return self._peaks

    def _take_peaks(self, request: RequestRun) -> None:
        if self._peaks is not None:
            rss, vram = self._peaks
            self._peaks = _higher(rss, request.peak_rss_bytes), _higher(vram, request.peak_vram_bytes)

    def _count(self, request: RequestRun, times: int) -> None:
        """Count a timed one, or with −1 take back what was counted of it."""
        trace = request.trace
        if trace.outcome is Outcome.CANCELLED:
            return
        self.done += times
        self.highest_round = max(self.highest_round, request.round)
        if trace.sent_ns is not None and trace.end_ns is not None:
            self.span_s += times * (trace.end_ns - trace.sent_ns) / _NS_PER_S
            self.spans += times
        if not is_counted(request):
            self.failed += times
            return
        self._spreads.clear()
        split = hidden_split(trace)
        if split is not None:
            (self.hidden.append if times > 0 else self.hidden.remove)(split)
        for measure in SHOWN:
            reading = read(trace, measure)
            if reading is None:
                continue
            self._estimated[measure] += times * reading.is_estimate
            readings = self.readings[measure]
            (readings.append if times > 0 else readings.remove)(reading.value)

    def hidden_answers(self) -> HiddenAnswers | None:
        """Of all answers with hidden tokens so far; None without any."""
        return hidden_answers(self.hidden)

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

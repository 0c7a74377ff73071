"""What the requests of one model come to.

Only timed requests that completed or were cut at ``max_tokens`` enter a statistic, pooled over prompts and
rounds; rates are spreads of per-request rates.  What did not enter is counted, by why.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.intervals import Interval, wilson_interval
from foundry_tui.metrics.latency import has_hidden_tokens, ttft_s
from foundry_tui.metrics.measures import Measure, is_counted, is_tried, read
from foundry_tui.metrics.pooled_gaps import PooledGaps, pooled_gaps
from foundry_tui.metrics.spread import Spread, spread
from foundry_tui.metrics.tokens import TokenSource, output_tokens

__all__ = ["ModelSummary", "first_request_penalty_s", "model_summary"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary:
    """The requests of one model in a few numbers; None where undefined.

    Attributes:
        rounds_ok: Requests that entered: timed, and completed or truncated.  A spread's n is less where its
            measure was undefined for some of them.
        tried: Timed requests that the model had a chance to answer: all but the cancelled and skipped ones.
        success_rate: ``rounds_ok/tried``, from 0 to 1; None without one.
        success_interval: 95 %, by Wilson.
        outcomes: Of all timed requests, how many ended how; in the order of ``Outcome``, none of 0.
        other_phases: Requests that are left out for not being timed, by phase; likewise.
        ttft_s: In seconds, as are ``answer_wait_s`` and ``latency_s``.
        decode_tokens_per_s: The headline.  Of answers with hidden tokens it is undefined, never inflated.
        legacy_tokens_per_s: The workshop's figure, (P + C)/latency; only to compare with old results.
        prompt_tokens: P of each request, as far as it was reported.
        completion_tokens: Likewise C.
        token_sources: Who counted the output tokens, most trusted first, with the number of answers; more
            than one means that the rates mix them.
        estimated: Measures in which at least one value rests on an estimate, and which so carry a ``~``.
        hidden: Answers with tokens that were never shown, which have no decode rate.
        gaps: Of all answers in one pool; None where no answer has two chunks.
    """

    rounds_ok: int
    tried: int
    success_rate: float | None
    success_interval: Interval | None
    outcomes: tuple[tuple[Outcome, int], ...]
    other_phases: tuple[tuple[Phase, int], ...]
    ttft_s: Spread | None
    answer_wait_s: Spread | None
    latency_s: Spread | None
    decode_tokens_per_s: Spread | None
    end_to_end_tokens_per_s: Spread | None
    characters_per_s: Spread | None
    legacy_tokens_per_s: Spread | None
    prompt_tokens: Spread | None
    completion_tokens: Spread | None
    token_sources: tuple[tuple[TokenSource, int], ...]
    estimated: frozenset[Measure]
    hidden: int
    gaps: PooledGaps | None

    @property
    def left_out(self) -> tuple[tuple[Outcome, int], ...]:
        """Timed requests that did not enter, by how they ended."""
        return tuple((outcome, count) for outcome, count in self.outcomes if not outcome.is_timed)

    def spread_of(self, measure: Measure) -> Spread | None:
        """Of one of the three measures that are shown first: TTFT, decode rate and latency."""
        return {
            Measure.TTFT: self.ttft_s,
            Measure.DECODE_RATE: self.decode_tokens_per_s,
            Measure.LATENCY: self.latency_s,
        }[measure]


def model_summary(requests: Sequence[RequestRun]) -> ModelSummary:
    """The summary of all requests of one model in a run, of whatever phase, in any order.

    Raises:
        ValueError: They are of more than one model.
    """
    if len({request.model for request in requests}) > 1:
        raise ValueError("a summary is of one model")
    traces = [request.trace for request in requests if is_counted(request)]
    usages = [trace.usage for trace in traces if trace.usage is not None]
    tried = sum(map(is_tried, requests))
    outcomes: Counter[Outcome] = Counter(
        request.trace.outcome for request in requests if request.phase is Phase.TIMED
    )
    phases: Counter[Phase] = Counter(
        request.phase for request in requests if request.phase is not Phase.TIMED
    )
    spreads, estimated = _spreads(traces)
    counts = [counted for counted in map(output_tokens, traces) if counted is not None]
    sources = Counter(counted.source for counted in counts)
    return ModelSummary(
        rounds_ok=len(traces),
        tried=tried,
        success_rate=len(traces) / tried if tried else None,
        success_interval=wilson_interval(len(traces), tried),
        outcomes=tuple((outcome, outcomes[outcome]) for outcome in Outcome if outcome in outcomes),
        other_phases=tuple((phase, phases[phase]) for phase in Phase if phase in phases),
        ttft_s=spreads[Measure.TTFT],
        answer_wait_s=spreads[Measure.ANSWER_WAIT],
        latency_s=spreads[Measure.LATENCY],
        decode_tokens_per_s=spreads[Measure.DECODE_RATE],
        end_to_end_tokens_per_s=spreads[Measure.END_TO_END_RATE],
        characters_per_s=spreads[Measure.CHARACTERS_RATE],
        legacy_tokens_per_s=spreads[Measure.LEGACY_RATE],
        prompt_tokens=spread([use.prompt_tokens for use in usages if use.prompt_tokens is not None]),
        completion_tokens=spread([one.count for one in counts if not one.is_estimate]),
        token_sources=tuple((source, sources[source]) for source in TokenSource if source in sources),
        estimated=estimated,
        hidden=sum(map(has_hidden_tokens, traces)),
        gaps=pooled_gaps(traces),
    )


def first_request_penalty_s(first: RequestRun, warm: Sequence[RequestRun]) -> float | None:
    """What a first request takes longer, in seconds: its TTFT − the median TTFT of the warm ones that count.

    It assumes prompts of like length.  None where either is undefined.
    """
    first_s = ttft_s(first.trace)
    waits = [ttft_s(request.trace) for request in warm if request is not first and is_counted(request)]
    known = [wait for wait in waits if wait is not None]
    return None if first_s is None or not known else first_s - median(known)


def _spreads(traces: Sequence[GenerationTrace]) -> tuple[dict[Measure, Spread | None], frozenset[Measure]]:
    """The spread of each measure, and which of them rest on estimates."""
    spreads: dict[Measure, Spread | None] = {}
    estimated: set[Measure] = set()
    for measure in Measure:
        readings = [reading for trace in traces if (reading := read(trace, measure)) is not None]
        spreads[measure] = spread([reading.value for reading in readings])
        if any(reading.is_estimate for reading in readings):
            estimated.add(measure)
    return spreads, frozenset(estimated)

"""Whether the median latency is known well enough, or more rounds are wanted."""

from bisect import insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from foundry_tui.domain.bench import PrecisionRule, RequestRun
from foundry_tui.metrics.latency import latency_s
from foundry_tui.metrics.measures import is_counted
from foundry_tui.metrics.percentiles import percentile
from foundry_tui.metrics.spread import MEDIAN_INTERVAL_COUNT, median_interval

__all__ = ["Latencies", "Precision", "precision"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """How well the median latency of one model is known.

    Attributes:
        half_width_share: Half of the 95 % interval of the median, as a share of the median; of several
            prompts that of the one known worst.  None while a prompt has fewer than 6 latencies.
        is_reached: Whether it is within the rule.
        more_rounds: The least that is missing for an interval at all; 0 where there is one.
    """

    half_width_share: float | None
    is_reached: bool
    more_rounds: int


def precision(requests: Sequence[RequestRun], rule: PrecisionRule) -> Precision:
    """How well the median latency of one model's timed requests is known, prompt by prompt.

    By prompt, because prompts differ in how long their answers are: in a pool of them the middle may fall
    into a gap between two, which no number of rounds makes narrower.  The interval is that of
    ``median_interval``.  Looking after each round, and stopping when it is narrow, makes it a little less
    sure than 95 %.
    """
    latencies = Latencies()
    for request in requests:
        latencies.take(request)
    return latencies.precision(rule)


class Latencies:
    """The latencies of one model, in order for each prompt: a look after each round need not sort them."""

    def __init__(self) -> None:
        self._ordered: defaultdict[str, list[float]] = defaultdict(list)

    def take(self, request: RequestRun) -> None:
        """Take a request; one that does not count is left out."""
        value = latency_s(request.trace) if is_counted(request) else None
        if value is not None:
            insort(self._ordered[request.prompt_id], value)

    def precision(self, rule: PrecisionRule) -> Precision:
        """See the function of that name."""
        fewest = min(map(len, self._ordered.values()), default=0)
        if fewest < MEDIAN_INTERVAL_COUNT:
            missing = MEDIAN_INTERVAL_COUNT - fewest
            return Precision(half_width_share=None, is_reached=False, more_rounds=missing)
        shares = [_half_width_share(ordered) for ordered in self._ordered.values()]
        worst = max((share for share in shares if share is not None), default=None)
        is_known = worst is not None and None not in shares
        return Precision(
            half_width_share=worst if is_known else None,
            is_reached=is_known and worst is not None and worst <= rule.half_width_share,
            more_rounds=0,
        )


def _half_width_share(ordered: Sequence[float]) -> float | None:
    interval, middle = median_interval(ordered), percentile(ordered, 0.5)
    return interval.half_width / middle if interval is not None and middle > 0 else None

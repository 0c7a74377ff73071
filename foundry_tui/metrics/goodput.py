"""How many answers came fast enough for what they are for, and how much comes out of the whole system."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from foundry_tui.domain.bench import GoodputLimits, RequestRun
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.clock_lives import clock_lives
from foundry_tui.metrics.intervals import Interval, wilson_interval
from foundry_tui.metrics.latency import decode_rate, ttft_s
from foundry_tui.metrics.measures import is_counted, is_tried
from foundry_tui.metrics.tokens import output_tokens

__all__ = ["LIMITS", "Goodput", "Throughput", "goodput", "throughput"]

_NS_PER_S = 1_000_000_000


LIMITS: Final = {
    limits.name: limits
    for limits in (
        GoodputLimits(name="chat", ttft_s=2.0, per_token_s=0.2),
        GoodputLimits(name="summarise", ttft_s=2.0, per_token_s=0.1),
        GoodputLimits(name="batch", ttft_s=None, per_token_s=None),
    )
}
"""The limits of MLPerf Inference, data center, as its load generator has them (``mlperf.conf``).

``chat`` is Llama2-70B, Server: 200 ms for a token is about 240 words a minute, as fast as people read.
``summarise`` is Llama3.1-8B on CNN/DailyMail, Server: 100 ms, for a text that is skimmed.  ``batch`` is the
scenario Offline, which has none: every answer that ends well is a good one.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goodput:
    """How many requests kept within limits.

    Attributes:
        good: Ended well, and within the limits.
        judged: Timed requests that were tried, a failed one being no good one, less the unknown ones.
        unknown: Ended well, and not above a limit, but one of the limits is on something undefined here, such
            as the time for each token of an answer in one chunk.
        share: ``good/judged``; None where there is none.
        share_interval: 95 %, by Wilson.
        requests_per_s: Good ones in each second of the window; None where that is undefined.
    """

    limits: GoodputLimits
    good: int
    judged: int
    unknown: int
    share: float | None
    share_interval: Interval | None
    requests_per_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """What a system gave in a window, all its requests together.

    Attributes:
        tokens: ΣC of the answers that count; None without one, or where a count is not known.
        is_estimate: Whether a count in it was estimated.
        window_s: From the first request sent to the end of the last answer; of a run that was resumed after
            the machine was started anew, the sum over its lives, and of one with rounds that were measured
            again, over the stretches that stand.
        busy_s: The part of the window in which at least one of these requests was under way.
        tokens_per_s: ``tokens/window_s``, the definition.  Of one model in an interleaved run the window
            holds the others' time, too.
        tokens_per_busy_s: ``tokens/busy_s``, for that case.
        under_way: The mean number of requests under way while busy: what the concurrency came to.
    """

    tokens: int | None
    is_estimate: bool
    window_s: float
    busy_s: float
    tokens_per_s: float | None
    tokens_per_busy_s: float | None
    under_way: float


def goodput(requests: Sequence[RequestRun], limits: GoodputLimits) -> Goodput:
    """How many of the timed requests kept within ``limits``, and how many of these a second."""
    verdicts = [_is_good(request, limits) for request in requests if is_tried(request)]
    good, unknown = verdicts.count(True), verdicts.count(None)
    judged = len(verdicts) - unknown
    window_s = _window_s(_spans(requests))
    return Goodput(
        limits=limits,
        good=good,
        judged=judged,
        unknown=unknown,
        share=good / judged if judged else None,
        share_interval=wilson_interval(good, judged),
        requests_per_s=good / window_s if window_s and judged else None,
    )


def throughput(requests: Sequence[RequestRun]) -> Throughput | None:
    """Output tokens per second of the whole window, of all timed requests together, at their concurrency.

    Tokens are those of answers that ended well; the time of failed ones is in the window, too, and so is a
    pause.  None where nothing was sent, or no time went by.
    """
    spans = _spans(requests)
    window_s, busy_s = _window_s(spans), _busy_s(spans)
    if not window_s or not busy_s:
        return None
    counts = [output_tokens(request.trace) for request in requests if is_counted(request)]
    known = [counted for counted in counts if counted is not None]
    tokens = sum(counted.count for counted in known) if known and len(known) == len(counts) else None
    return Throughput(
        tokens=tokens,
        is_estimate=any(counted.is_estimate for counted in known),
        window_s=window_s,
        busy_s=busy_s,
        tokens_per_s=None if tokens is None else tokens / window_s,
        tokens_per_busy_s=None if tokens is None else tokens / busy_s,
        under_way=sum(end - begin for life in spans for begin, end in life) / _NS_PER_S / busy_s,
    )


def _is_good(request: RequestRun, limits: GoodputLimits) -> bool | None:
    """Whether the request ended well within the limits; None where that cannot be told."""
    if not is_counted(request):
        return False
    verdicts = [
        None if value is None else value <= limit
        for value, limit in (
            (ttft_s(request.trace), limits.ttft_s),
            (_per_token_s(request.trace), limits.per_token_s),
        )
        if limit is not None
    ]
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _per_token_s(trace: GenerationTrace) -> float | None:
    rate = decode_rate(trace)
    return None if rate is None else 1 / rate.tokens_per_s


def _spans(requests: Sequence[RequestRun]) -> list[list[tuple[int, int]]]:
    """From sending to the last thing that was seen of each request that was tried, in ns, by time of sending.

    Apart for each life of the clock, for two clocks have nothing in common, and for each stretch between
    rounds that were measured again: the hole that these leave is no pause of the machine.
    """
    tried = [request for request in requests if is_tried(request)]
    lives = clock_lives(tried)
    if any(request.attempt > 1 for request in tried):
        lives = [stretch for life in lives for stretch in _stretches(life)]
    return [sorted(_span(request.trace) for request in life) for life in lives]


def _stretches(life: Sequence[RequestRun]) -> list[list[RequestRun]]:
    """``life`` in parts of one attempt each, without a round that is left out in between."""
    parts: list[list[RequestRun]] = []
    last: tuple[int, int] | None = None
    for request in sorted(life, key=lambda one: (one.attempt, one.number)):
        here = request.attempt, request.round
        if last is None or here[0] != last[0] or here[1] > last[1] + 1:
            parts.append([])
        parts[-1].append(request)
        last = here[0], max(here[1], last[1] if last is not None and last[0] == here[0] else 0)
    return parts


def _span(trace: GenerationTrace) -> tuple[int, int]:
    assert trace.sent_ns is not None
    last = trace.chunks[-1].at_ns if trace.chunks else trace.end_ns
    return trace.sent_ns, trace.sent_ns if last is None else last


def _window_s(spans: Sequence[Sequence[tuple[int, int]]]) -> float | None:
    if not spans:
        return None
    return sum(max(end for _, end in life) - life[0][0] for life in spans) / _NS_PER_S


def _busy_s(spans: Sequence[Sequence[tuple[int, int]]]) -> float | None:
    return sum(map(_busy_ns, spans)) / _NS_PER_S if spans else None


def _busy_ns(life: Sequence[tuple[int, int]]) -> int:
    busy_ns, until_ns = 0, life[0][0]
    for begin, end in life:
        busy_ns += max(0, end - max(begin, until_ns))
        until_ns = max(end, until_ns)
    return busy_ns

"""What can be measured of one request, by name: its value, its unit and which direction is the faster one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.latency import (
    Rate,
    answer_wait_s,
    decode_rate,
    end_to_end_rate,
    is_coarse,
    latency_s,
    ttft_s,
)
from foundry_tui.metrics.tokens import output_tokens

__all__ = ["Measure", "Reading", "characters_rate", "is_counted", "is_tried", "legacy_rate", "read"]

_NS_PER_S = 1_000_000_000
# Ended by whoever measured, or never asked: they say nothing about the model.
_NOT_TRIED = frozenset({Outcome.CANCELLED, Outcome.SKIPPED})


class Measure(StrEnum):
    """One number of a request; its name carries the unit, as in the results format."""

    TTFT = "ttft_s"
    ANSWER_WAIT = "answer_wait_s"
    """To the first text of the answer itself, reasoning left out."""
    LATENCY = "latency_s"
    DECODE_RATE = "decode_tokens_per_s"
    END_TO_END_RATE = "end_to_end_tokens_per_s"
    CHARACTERS_RATE = "characters_per_s"
    LEGACY_RATE = "legacy_tokens_per_s"
    """The workshop's figure, which counts the prompt as output; only to compare with old results."""

    @property
    def is_time(self) -> bool:
        """Whether it is a time, of which less is faster; else it is a rate."""
        return self in (Measure.TTFT, Measure.ANSWER_WAIT, Measure.LATENCY)


@dataclass(frozen=True, slots=True)
class Reading:
    """A value in the unit of its measure.

    Attributes:
        is_estimate: Whether a count in it was estimated, and it must carry a ``~``.
    """

    value: float
    is_estimate: bool = False


def is_counted(request: RequestRun) -> bool:
    """Whether the readings of ``request`` enter a statistic: timed, and completed or truncated."""
    return request.phase is Phase.TIMED and request.trace.outcome.is_timed


def is_tried(request: RequestRun) -> bool:
    """Whether ``request`` is timed and the model had a chance to answer it: not cancelled, not skipped."""
    return request.phase is Phase.TIMED and request.trace.outcome not in _NOT_TRIED


def read(trace: GenerationTrace, measure: Measure) -> Reading | None:
    """What ``measure`` is of one request, by its one definition; None where it is undefined."""
    match measure:
        case Measure.TTFT:
            return _exact(ttft_s(trace))
        case Measure.ANSWER_WAIT:
            return _exact(answer_wait_s(trace))
        case Measure.LATENCY:
            return _exact(latency_s(trace))
        case Measure.DECODE_RATE:
            # Read in a few big pieces, the time from first to last is as much the reader's as the model's.
            return _counted(decode_rate(trace), is_estimate=is_coarse(trace.chunks))
        case Measure.END_TO_END_RATE:
            return _counted(end_to_end_rate(trace))
        case Measure.CHARACTERS_RATE:
            return _exact(characters_rate(trace))
        case Measure.LEGACY_RATE:
            return _exact(legacy_rate(trace))
        case _:
            assert_never(measure)


def characters_rate(trace: GenerationTrace) -> float | None:
    """Characters per second once text flows, of all that was shown: for models whose tokenizers differ.

    (characters − those that had arrived at t1)/(tn − t1), over the span of the decode rate.  A character is a
    code point.  None below two chunks, and with no time between the first and the last.
    """
    if len(trace.chunks) < 2:
        return None
    first_ns = trace.chunks[0].at_ns
    elapsed_ns = trace.chunks[-1].at_ns - first_ns
    if elapsed_ns <= 0:
        return None
    later = sum(len(chunk.text) for chunk in trace.chunks if chunk.at_ns > first_ns)
    return later * _NS_PER_S / elapsed_ns


def legacy_rate(trace: GenerationTrace) -> float | None:
    """The workshop's tokens/s, (P + C)/(tn − t0): prompt tokens are counted as if they were output.

    None unless the engine reported both counts.
    """
    span_s = latency_s(trace)
    prompt = None if trace.usage is None else trace.usage.prompt_tokens
    counted = output_tokens(trace)
    if prompt is None or counted is None or counted.is_estimate or not span_s:
        return None
    return (prompt + counted.count) / span_s


def _exact(value: float | None) -> Reading | None:
    return None if value is None else Reading(value)


def _counted(rate: Rate | None, *, is_estimate: bool = False) -> Reading | None:
    return None if rate is None else Reading(rate.tokens_per_s, rate.is_estimate or is_estimate)

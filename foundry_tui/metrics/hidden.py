"""Answers whose token count holds tokens that nobody saw: two honest speeds in place of an inflated one."""

from collections.abc import Sequence
from dataclasses import dataclass

from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.latency import has_hidden_tokens
from foundry_tui.metrics.spread import Spread, spread

__all__ = ["HiddenAnswers", "HiddenSplit", "hidden_answers", "hidden_split"]

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenSplit:
    """One answer with hidden tokens, by its phases.

    Attributes:
        before_s: tr − t0: until the first event with a choice; prefill, where that event waits for it.  None
            where it was not read.
        thinking_s: t1 − tr: until the first visible text; the prefill is in it where the role came early, or
            was not read.
        visible_tokens_per_s: (V − c1)/(tn − t1), V the tokens that were shown; None below two chunks, and
            with no time between the first and the last.
        is_estimate: Whether V is the number of chunks, because the engine does not tell how many were hidden.
        overall_tokens_per_s: C/(tn − tr), hidden tokens and the time that they took both in it.
    """

    before_s: float | None
    thinking_s: float
    visible_tokens_per_s: float | None
    is_estimate: bool
    overall_tokens_per_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenAnswers:
    """All answers of one model with hidden tokens; None where a quantity is undefined for each of them.

    Attributes:
        answers: How many there are, at least one.
        thinking_s: Of each, as are the next two.
        is_estimate: Whether a visible rate among them rests on the number of chunks.
    """

    answers: int
    thinking_s: Spread | None
    visible_tokens_per_s: Spread | None
    overall_tokens_per_s: Spread | None
    is_estimate: bool


def hidden_answers(splits: Sequence[HiddenSplit]) -> HiddenAnswers | None:
    """The answers with hidden tokens of one model, together; None without any."""
    if not splits:
        return None
    visible = [one.visible_tokens_per_s for one in splits]
    overall = [one.overall_tokens_per_s for one in splits]
    return HiddenAnswers(
        answers=len(splits),
        thinking_s=spread([one.thinking_s for one in splits]),
        visible_tokens_per_s=spread([rate for rate in visible if rate is not None]),
        overall_tokens_per_s=spread([rate for rate in overall if rate is not None]),
        is_estimate=any(one.is_estimate for one in splits),
    )


def hidden_split(trace: GenerationTrace) -> HiddenSplit | None:
    """The phases of an answer with hidden tokens; None of any other, whose decode rate is the number.

    V = C − reasoning tokens where the engine reports these, else m, and c1 = V/m for each chunk that had
    arrived at t1.
    """
    usage = trace.usage
    if (
        usage is None
        or usage.completion_tokens is None
        or trace.sent_ns is None
        or not has_hidden_tokens(trace)
    ):
        return None
    chunks = trace.chunks
    first_ns, last_ns = chunks[0].at_ns, chunks[-1].at_ns
    begun_ns = trace.sent_ns if trace.role_ns is None else trace.role_ns
    told = usage.completion_tokens - usage.reasoning_tokens if usage.reasoning_tokens else 0
    visible = told if told > 0 else len(chunks)
    later = visible * sum(chunk.at_ns > first_ns for chunk in chunks) / len(chunks)
    return HiddenSplit(
        before_s=None if trace.role_ns is None else (trace.role_ns - trace.sent_ns) / _NS_PER_S,
        thinking_s=(first_ns - begun_ns) / _NS_PER_S,
        visible_tokens_per_s=later * _NS_PER_S / (last_ns - first_ns) if last_ns > first_ns else None,
        is_estimate=told <= 0,
        overall_tokens_per_s=(
            usage.completion_tokens * _NS_PER_S / (last_ns - begun_ns) if last_ns > begun_ns else None
        ),
    )

"""How fast a prompt is read, where the first event with a choice tells when it had been read."""

from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.latency import has_hidden_tokens, ttft_s

__all__ = ["NoPrefill", "PrefillCalibration", "calibrated", "prefill_rate"]

_NS_PER_S = 1_000_000_000
# A wait that grows by less may be the network's, or the measuring process's own.
_FLOOR_S = 0.005
# A prompt of twice the length at least: else what it takes longer is too little beside the noise.
_LEAST_LENGTH_RATIO = 2
# Of what the first text comes later, at least so much has to be seen in the role chunk.
_LEAST_SHARE = 0.5


class NoPrefill(StrEnum):
    """Why no prefill rate is told."""

    NOT_READ = "not-read"
    """The sending or the first event with a choice of one of the two requests was not read."""
    NO_COUNT = "no-count"
    """The engine did not report the tokens of the prompts."""
    ALIKE_PROMPTS = "alike-prompts"
    """The longer prompt is not twice as long as the shorter one."""
    ROLE_EARLY = "role-early"
    """The server sends the role without waiting for the prompt to be read."""
    TOO_FAST = "too-fast"
    """Neither wait grows by more than the clock's own error: the prompts are too short to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefillCalibration:
    """Whether the role chunk waits for prefill, and what follows.

    Attributes:
        tokens_per_s: (P2 − P1)/(w2 − w1), w the role chunk's wait tr − t0: what does not depend on the
            prompt, such as the network, falls out.  None where the role chunk does not wait, or nobody knows.
        fixed_s: w1 − P1/``tokens_per_s``: what a request waits besides; None likewise.  Below 0 where longer
            prompts take more for each token.
        reason: Why there is no rate; None where there is one.
    """

    tokens_per_s: float | None
    fixed_s: float | None
    reason: NoPrefill | None


def calibrated(short: GenerationTrace, long: GenerationTrace) -> PrefillCalibration:
    """What two requests, of a short and of a long prompt, tell about the role chunk.

    It waits for prefill where its wait grows with the prompt: by more than 5 ms (or twice the measuring
    process's own delay), and by at least half of what the first text comes later.  The latter is not asked of
    answers with hidden tokens, whose first text waits for more than the prompt.  How the requests ended does
    not matter.  Assumes nothing of the prompts is cached.
    """
    waits = _role_wait_s(short), _role_wait_s(long)
    tokens = _prompt_tokens(short), _prompt_tokens(long)
    if waits[0] is None or waits[1] is None:
        return _none(NoPrefill.NOT_READ)
    if not tokens[0] or not tokens[1]:
        return _none(NoPrefill.NO_COUNT)
    if tokens[1] < _LEAST_LENGTH_RATIO * tokens[0]:
        return _none(NoPrefill.ALIKE_PROMPTS)
    floor_s = max(_FLOOR_S, *(2 * (trace.delay_p99_ns or 0) / _NS_PER_S for trace in (short, long)))
    growth_s = waits[1] - waits[0]
    text_growth_s = _text_growth_s(short, long)
    if growth_s < floor_s:
        is_early = text_growth_s is not None and text_growth_s >= floor_s
        return _none(NoPrefill.ROLE_EARLY if is_early or _leads_text(long) else NoPrefill.TOO_FAST)
    if text_growth_s is not None and growth_s < _LEAST_SHARE * text_growth_s:
        return _none(NoPrefill.ROLE_EARLY)
    rate = (tokens[1] - tokens[0]) / growth_s
    return PrefillCalibration(tokens_per_s=rate, fixed_s=waits[0] - tokens[0] / rate, reason=None)


def prefill_rate(trace: GenerationTrace, calibration: PrefillCalibration) -> float | None:
    """Prompt tokens per second of one request, P/(tr − t0); None unless the role chunk waits for prefill."""
    wait_s, tokens = _role_wait_s(trace), _prompt_tokens(trace)
    if calibration.reason is not None or not wait_s or tokens is None:
        return None
    return tokens / wait_s


def _none(reason: NoPrefill) -> PrefillCalibration:
    return PrefillCalibration(tokens_per_s=None, fixed_s=None, reason=reason)


def _role_wait_s(trace: GenerationTrace) -> float | None:
    if trace.sent_ns is None or trace.role_ns is None:
        return None
    return (trace.role_ns - trace.sent_ns) / _NS_PER_S


def _prompt_tokens(trace: GenerationTrace) -> int | None:
    return None if trace.usage is None else trace.usage.prompt_tokens


def _text_growth_s(short: GenerationTrace, long: GenerationTrace) -> float | None:
    """How much later the first text came; None where it waited for more than the prompt, or never came."""
    first, second = ttft_s(short), ttft_s(long)
    if first is None or second is None or has_hidden_tokens(short) or has_hidden_tokens(long):
        return None
    return second - first


def _leads_text(trace: GenerationTrace) -> bool:
    """Whether the role chunk came in the first half of the wait for the first text."""
    wait_s, text_s = _role_wait_s(trace), ttft_s(trace)
    return wait_s is not None and text_s is not None and wait_s < text_s / 2

"""A comparison in one sentence that claims no more than was shown."""

import math
from typing import assert_never

from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.comparison import Comparison, Verdict
from foundry_tui.metrics.measures import Measure

__all__ = ["MEASURE_WORDS", "comparison_sentence"]

MEASURE_WORDS = {
    Measure.TTFT: "time to first token",
    Measure.ANSWER_WAIT: "time to the answer",
    Measure.LATENCY: "latency",
    Measure.DECODE_RATE: "decode rate",
    Measure.END_TO_END_RATE: "end-to-end rate",
    Measure.CHARACTERS_RATE: "characters a second",
    Measure.LEGACY_RATE: "the workshop's tokens/s",
}
"""What is measured, as it stands within a sentence."""


def comparison_sentence(result: Comparison, a: str, b: str) -> str:
    """What can be said of B, seen from A; ``a`` and ``b`` are their names, of anybody's making."""
    a, b, measure = clean_line(a), clean_line(b), MEASURE_WORDS[result.measure]
    match result.verdict:
        case Verdict.FASTER | Verdict.SLOWER:
            words = f"{b} is {result.verdict.value} than {a} by {_percents(result)} in {measure}"
            return f"{words} ({_pairs(result)}, p = {_p(result)})"
        case Verdict.NO_DIFFERENCE_SHOWN:
            return (
                f"no difference shown between {a} and {b} in {measure}:"
                f" {_percents(result)} ({_pairs(result)}, p = {_p(result)})"
            )
        case Verdict.TOO_FEW:
            rounds = math.ceil(result.more_pairs / max(1, result.prompts))
            return f"too few rounds to compare {b} with {a} in {measure}: {max(1, rounds)} more"
        case _:
            assert_never(result.verdict)


def _percents(result: Comparison) -> str:
    """By how much B's number differs from A's, with its interval: without a sign where the verdict has it."""
    if result.ratio is None:
        return "n/a"
    is_told = result.verdict in (Verdict.FASTER, Verdict.SLOWER)
    value = (result.ratio - 1) * 100
    about = "~" if result.is_estimate else ""
    shown = f"{about}{abs(value):.1f} %" if is_told else f"{about}{value:+.1f} %"
    if result.interval is None:
        return shown
    ends = sorted((result.interval.low - 1, result.interval.high - 1))
    if is_told:
        low, high = sorted(abs(end) * 100 for end in ends)
        return f"{shown} [{low:.1f}, {high:.1f}]"
    return f"{shown} [{ends[0] * 100:+.1f}, {ends[1] * 100:+.1f}]"


def _pairs(result: Comparison) -> str:
    return f"{result.pairs} pairs"


def _p(result: Comparison) -> str:
    if result.wilcoxon_p is None:
        return "n/a"
    return "< 0.001" if result.wilcoxon_p < 0.001 else f"{result.wilcoxon_p:.3f}"

"""A comparison in one sentence that claims no more than was shown."""

import math
from typing import assert_never

from foundry_tui.domain.bench import BenchPlan
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.certificate import AnsweredBefore, Unchanged, is_repeatable_plan
from foundry_tui.metrics.comparison import Comparison, Verdict
from foundry_tui.metrics.measures import Measure
from foundry_tui.reports.conversation_markdown import utc_moment

__all__ = ["MEASURE_WORDS", "answered_before_line", "comparison_sentence", "unchanged_sentence"]

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
    """What can be said of B, seen from A; ``a`` and ``b`` are their names, of anybody's making.

    Latencies of answers of other lengths are told as that: only rates compare then.
    """
    a, b, measure = clean_line(a), clean_line(b), MEASURE_WORDS[result.measure]
    match result.verdict:
        case Verdict.FASTER | Verdict.SLOWER:
            words = f"{b} is {result.verdict.value} than {a} by {_percents(result)} in {measure}"
            return f"{words} ({_pairs(result)}, {_p(result)}){_lengths(result, b)}"
        case Verdict.NO_DIFFERENCE_SHOWN:
            return (
                f"no difference shown between {a} and {b} in {measure}:"
                f" {_percents(result)} ({_pairs(result)}, {_p(result)}){_lengths(result, b)}"
            )
        case Verdict.TOO_FEW if result.pairs == 0:  # which more rounds need not change
            return f"nothing to compare {b} with {a} by in {measure}: no prompt and round has it of both"
        case Verdict.TOO_FEW:
            rounds = math.ceil(result.more_pairs / max(1, result.prompts))
            return f"too few rounds to compare {b} with {a} in {measure}: {max(1, rounds)} more"
        case _:
            assert_never(result.verdict)


def unchanged_sentence(found: Unchanged, plan: BenchPlan, name: str) -> str:
    """``37 of 40 answers of phi unchanged``, by their SHA-256; and whether they could have changed."""
    words = f"{found.unchanged} of {found.compared} answers of {clean_line(name)} unchanged"
    if found.left_out:
        words += f", {found.left_out} without a counterpart"
    if found.unchanged < found.compared and not is_repeatable_plan(plan):
        heat = (
            "the engine's own temperature"
            if plan.temperature is None
            else f"temperature {plan.temperature:g}"
        )
        words += f" (at {heat} without a seed, answers differ by chance)"
    return words


def answered_before_line(found: AnsweredBefore) -> str:
    """``phi: 37 of 40 answers unchanged since run 3f2a1b2c “nightly”, begun …``."""
    answers = found.answers
    name = f" “{clean_line(found.run_name)}”" if found.run_name else ""
    left_out = f"; {answers.left_out} without a counterpart" if answers.left_out else ""
    return (
        f"{clean_line(found.model)}: {answers.unchanged} of {answers.compared} answers unchanged since run"
        f" {clean_line(found.run_id[:8])}{name}, begun {utc_moment(found.started_unix_ms)}{left_out}"
    )


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


def _lengths(result: Comparison, b: str) -> str:
    if result.measure is not Measure.LATENCY or result.has_alike_lengths is not False:
        return ""
    return f"; the answers of {b} are {result.length_ratio:.2f} times as long, so only rates compare"


def _pairs(result: Comparison) -> str:
    return f"{result.pairs} pairs"


def _p(result: Comparison) -> str:
    if result.wilcoxon_p is None:
        return "p unknown"
    return "p < 0.001" if result.wilcoxon_p < 0.001 else f"p = {result.wilcoxon_p:.3f}"

"""Two honest speeds in place of an inflated one: of the text that was shown, and of all in its time."""

from foundry_tui.domain.quantities import rate_in_words, seconds_in_words
from foundry_tui.metrics.hidden import HiddenAnswers, HiddenSplit
from foundry_tui.metrics.spread import Spread

__all__ = ["answers_words", "split_words"]


def split_words(split: HiddenSplit) -> str:
    """Of one answer."""
    waited = "hidden tokens" if split.before_s is not None else "the prompt and hidden tokens"
    return _words(
        split.visible_tokens_per_s,
        split.thinking_s,
        split.overall_tokens_per_s,
        waited=waited,
        is_estimate=split.is_estimate,
    )


def answers_words(found: HiddenAnswers) -> str:
    """Of all such answers of a model: the median of each."""
    return _words(
        _median(found.visible_tokens_per_s),
        _median(found.thinking_s),
        _median(found.overall_tokens_per_s),
        waited="hidden tokens",
        is_estimate=found.is_estimate,
    )


def _words(
    shown: float | None, hidden_s: float | None, whole: float | None, *, waited: str, is_estimate: bool
) -> str:
    visible = rate_in_words(shown, is_estimate=is_estimate)
    return f"{visible} shown after {seconds_in_words(hidden_s)} of {waited}, {rate_in_words(whole)} with them"


def _median(values: Spread | None) -> float | None:
    return None if values is None else values.median

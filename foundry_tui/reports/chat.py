"""A conversation under way: what the next request takes, and what became of an answer."""

from foundry_tui.domain.conversations import Turn
from foundry_tui.domain.quantities import count_in_words
from foundry_tui.metrics.tokens import ContextUse
from foundry_tui.reports.answer import describe

__all__ = ["context_in_words", "describe_turn", "overlong_in_words"]


def context_in_words(use: ContextUse, max_tokens: int) -> str:
    """How much of the context a request takes; what it leaves where that may be too little for the answer."""
    words = f"~{count_in_words(use.prompt_tokens)}"
    if use.context_tokens is None or use.left_tokens is None:
        return f"{words} tokens"
    words = f"{words} of {count_in_words(use.context_tokens)} tokens"
    if not use.left_tokens:
        return f"{words}: too long for this model"
    if use.left_tokens < max_tokens:
        return f"{words}: {count_in_words(use.left_tokens)} left for the answer"
    return words


def overlong_in_words(use: ContextUse, *, anew: str, again: str) -> str:
    """Why a request was not sent; ``anew`` begins another conversation, ``again`` sends it all the same."""
    return (
        f"This would take about {count_in_words(use.prompt_tokens)} of the model's "
        f"{count_in_words(use.context_tokens)} tokens and be refused. Shorten it, or begin anew with {anew}; "
        f"{again} sends it all the same."
    )


def describe_turn(turn: Turn) -> str:
    """The numbers of an answer, on one line; of one that was never finished, why there are none."""
    if turn.trace is None:
        return "cut off: the app ended while this was being written"
    return describe(turn.trace)

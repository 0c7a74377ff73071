"""What went wrong, in words."""

from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.text import clean_text

__all__ = ["capitalised", "error_words"]


def error_words(error: FoundryTuiError) -> str:
    """What went wrong, and below it what to do about it."""
    words = clean_text(error.message)
    return words if error.remedy is None else f"{words}\n→ {clean_text(error.remedy)}"


def capitalised(words: str) -> str:
    """``words`` with a capital at their beginning, unless they begin with a name, such as a model's."""
    first = words.partition(" ")[0].rstrip(",;:.!?")
    return words[:1].upper() + words[1:] if first.isalpha() else words

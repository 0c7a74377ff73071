"""What went wrong, in words."""

from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.text import clean_text

__all__ = ["error_words"]


def error_words(error: FoundryTuiError) -> str:
    """What went wrong, and below it what to do about it."""
    words = clean_text(error.message)
    return words if error.remedy is None else f"{words}\n→ {clean_text(error.remedy)}"

"""Notices at the edge of the screen, harmless whoever worded them."""

from textual.widget import Widget

from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.text import clean_text
from foundry_tui.tui.presenters import error_words

__all__ = ["complain", "tell"]


def tell(place: Widget, text: str, *, is_warning: bool = False) -> None:
    """Say ``text`` for a few seconds."""
    place.notify(clean_text(text), severity="warning" if is_warning else "information", markup=False)


def complain(place: Widget, error: FoundryTuiError) -> None:
    """Say what went wrong and what to do about it, long enough to be read."""
    place.notify(error_words(error), title="It did not work", severity="error", timeout=15, markup=False)

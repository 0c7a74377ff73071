"""Notices at the edge of the screen, harmless whoever worded them; the log keeps them when they are gone."""

import logging

from textual.widget import Widget

from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.text import clean_line, clean_text
from foundry_tui.reports.errors import error_words

__all__ = ["complain", "tell"]

_LOG = logging.getLogger(__name__)


def tell(place: Widget, text: str, *, is_warning: bool = False) -> None:
    """Say ``text`` for a few seconds."""
    _LOG.log(logging.WARNING if is_warning else logging.INFO, "%s", clean_line(text))
    place.notify(clean_text(text), severity="warning" if is_warning else "information", markup=False)


def complain(place: Widget, error: FoundryTuiError) -> None:
    """Say what went wrong and what to do about it, long enough to be read."""
    words = error_words(error)
    _LOG.warning("%s", clean_line(words))
    place.notify(words, title="It did not work", severity="error", timeout=15, markup=False)

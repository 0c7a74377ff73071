"""Text and intervals as JSON can carry them without changing them."""

import json

from foundry_tui.metrics.intervals import Interval

__all__ = ["carried", "interval_list"]


def carried(text: str) -> str | list[str]:
    """``text``; one in which the halves of a surrogate pair came apart is a list of its parts.

    In one string JSON would join them to another character, and the readings would count one too many.
    """
    if text.isascii() or json.loads(json.dumps(text)) == text:
        return text
    parts = [""]
    for character in text:
        if "\udc00" <= character <= "\udfff" and "\ud800" <= parts[-1][-1:] <= "\udbff":
            parts.append("")
        parts[-1] += character
    return parts


def interval_list(interval: Interval | None) -> list[float] | None:
    """Both ends, the lower one first; None stays None."""
    return None if interval is None else [interval.low, interval.high]

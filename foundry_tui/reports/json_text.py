"""Text as JSON can carry it without changing it."""

import json

__all__ = ["carried"]


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

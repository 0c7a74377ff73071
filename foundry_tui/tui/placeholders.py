"""``{{name}}`` in a saved prompt: a gap that is filled when the prompt is used."""

import re
from collections.abc import Mapping

__all__ = ["fill", "placeholders"]

_GAP = re.compile(r"\{\{ *(\w(?:[\w -]{0,38}\w)?) *\}\}")


def placeholders(text: str) -> tuple[str, ...]:
    """The names of the gaps, each once, in the order in which they stand there."""
    return tuple(dict.fromkeys(_GAP.findall(text)))


def fill(text: str, values: Mapping[str, str]) -> str:
    """``text`` with its gaps filled; one without a value stays.  A gap in a value is text."""
    return _GAP.sub(lambda match: values.get(match[1], match[0]), text)

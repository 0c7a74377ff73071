"""Covering the names of models where answers are judged blind."""

import re
from collections.abc import Iterable

from foundry_tui.domain.bench import Run

__all__ = ["COVER", "Cover", "names_of"]

COVER = "▒▒▒▒"
_LEAST_CHARACTERS = 3
"""Shorter names are words of the language sooner than names."""
_VERSION = re.compile(r":\d+$")


def names_of(run: Run) -> frozenset[str]:
    """Whatever this run calls its models: as planned, as resolved, and both without a version."""
    names = {*run.plan.models, *(one.model_id for one in run.models if one.model_id is not None)}
    return frozenset(names | {_VERSION.sub("", name) for name in names})


class Cover:
    """Puts a cover over every name; what is shown of an answer then does not tell who wrote it by name.

    Only over whole names, whatever the case of their letters: an answer may still give itself away in words
    of its own, as a maker's name.
    """

    def __init__(self, names: Iterable[str]) -> None:
        kept = sorted({name for name in names if len(name) >= _LEAST_CHARACTERS}, key=len, reverse=True)
        either = "|".join(map(re.escape, kept))
        self._kept = tuple(name.casefold() for name in kept)
        self._names = re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.IGNORECASE) if kept else None

    def over(self, text: str) -> str:
        """``text`` with all names covered."""
        return text if self._names is None else self._names.sub(COVER, text)

    def over_growing(self, text: str) -> str:
        """The same of a text that goes on: an end that may become a name is held back until it is known."""
        folded = text.casefold()
        # Folding may change the length of other scripts; a little more or less is held back there.
        most = max((_begun(folded, name) for name in self._kept), default=0)
        return self.over(text[: len(text) - most] if most else text)


def _begun(text: str, name: str) -> int:
    """How many characters at the end of ``text`` are the beginning of ``name``, or all of it."""
    for count in range(min(len(name), len(text)), 0, -1):
        before = text[-count - 1 : -count]
        if text.endswith(name[:count]) and not (before.isalnum() or before == "_"):
            return count
    return 0

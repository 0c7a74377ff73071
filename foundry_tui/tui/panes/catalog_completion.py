"""What the catalog's filter field offers to write for the user."""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from textual.suggester import Suggester

from foundry_tui.domain.model_filter import FLAGS, KEYS, MEASURES, split_filter
from foundry_tui.domain.text import clean_line

__all__ = ["FilterSuggester", "completion"]

_LONGEST_VALUE = 60
# Where a value that is not quoted would end.
_ENDS = (" ", ",", '"')


class FilterSuggester(Suggester):
    """Completes keys and flags, and behind a key the values that occur."""

    def __init__(self, values: Callable[[str], Sequence[str]]) -> None:
        """Take what tells the values of a key, in lower case, the likeliest first."""
        # The values are another catalog's after the next refresh.
        super().__init__(use_cache=False, case_sensitive=True)
        self._values = values

    async def get_suggestion(self, value: str) -> str | None:
        return completion(value, self._values)


def completion(text: str, values: Callable[[str], Sequence[str]]) -> str | None:
    """``text`` with its last part completed; None where there is nothing to offer."""
    parts = split_filter(text)
    if not parts or parts[-1].at + len(parts[-1].text) < len(text):
        return None
    key, colon, written = parts[-1].body.casefold().partition(":")
    if not colon:
        rest = _rest_of_word(key)
    elif key in KEYS:
        rest = _rest_of_value(written.rpartition(",")[2], values(key))
    else:
        rest = None
    return text + rest if rest else None


def _rest_of_word(begun: str) -> str | None:
    keys = (f"{key}:" for key in KEYS)
    return _first_rest(begun, chain(keys, FLAGS, (f"{measure}<" for measure in MEASURES))) if begun else None


def _rest_of_value(begun: str, values: Iterable[str]) -> str | None:
    harmless = (value for value in values if len(value) <= _LONGEST_VALUE and clean_line(value) == value)
    if begun.startswith('"'):
        return _first_rest(begun, (f'"{value}"' for value in harmless if '"' not in value))
    return _first_rest(begun, (_until_end(value) for value in harmless))


def _until_end(value: str) -> str:
    for end in _ENDS:
        value = value.partition(end)[0]
    return value


def _first_rest(begun: str, whole: Iterable[str]) -> str | None:
    return next((one[len(begun) :] for one in whole if len(one) > len(begun) and one.startswith(begun)), None)

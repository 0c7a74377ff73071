"""JSON that somebody else wrote, read field by field; each fault is named by its place."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn, TypeVar

from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.text import clean_line

__all__ = ["JsonNode", "parse_json"]

E = TypeVar("E", bound=StrEnum)

# What SQLite and every other reader of such files holds.
_WHOLE_LIMIT = 2**63
# The last millisecond of the year 9999: no calendar goes further.
_LAST_UNIX_MS = 253_402_300_799_999
_ID_CHARACTERS = 200
_FOUND_CHARACTERS = 40
_PLACE_CHARACTERS = 120


class _Mapping(dict[str, object]):
    """A JSON object in which a key may have been repeated; plain ``json`` would drop all but the last."""

    repeated: str | None = None


@dataclass(frozen=True, slots=True)
class JsonNode:
    """A value and its place in the file.  Every reading method raises ``BadInput`` where it does not fit."""

    value: object
    name: str
    keys: tuple[str | int, ...] = ()

    @property
    def is_null(self) -> bool:
        """Whether nothing is known."""
        return self.value is None

    def problem(self, expected: str, found: str | None = None, *, remedy: str | None = None) -> BadInput:
        """The error that says what was expected at this place."""
        escaped = (str(key).replace("~", "~0").replace("/", "~1") for key in self.keys)
        place = clean_line("".join(f"/{key}" for key in escaped), _PLACE_CHARACTERS) or "the whole file"
        words = f"{clean_line(self.name)}: {place}: expected {expected}, found {found or _found(self.value)}"
        return BadInput(words, remedy=remedy or "correct the file, or export it again")

    def field(self, key: str) -> "JsonNode":
        """What this object has under ``key``."""
        if not isinstance(self.value, _Mapping):
            raise self.problem("an object")
        if self.value.repeated is not None:
            raise self.problem("each key once", f"{json.dumps(self.value.repeated)} again")
        inner = JsonNode(self.value.get(key), self.name, (*self.keys, key))
        if key not in self.value:
            raise inner.problem("this key", "nothing")
        return inner

    def items(self) -> "list[JsonNode]":
        """The entries of this list."""
        return [JsonNode(item, self.name, (*self.keys, index)) for index, item in enumerate(self._list())]

    def text(self) -> str:
        """A text; a list of texts stands for what they are together."""
        if isinstance(self.value, str):
            return self.value
        if isinstance(self.value, list):
            parts = [part for part in self.value if isinstance(part, str)]
            if len(parts) == len(self.value):
                return "".join(parts)
        raise self.problem("text in quotes")

    def text_or_none(self) -> str | None:
        """A text, or None for null."""
        return None if self.is_null else self.text()

    def choice(self, choices: Sequence[E]) -> E:
        """One of the words of ``choices``."""
        for choice in choices:
            if self.value == choice.value:
                return choice
        raise self.problem(f"one of {', '.join(choice.value for choice in choices)}")

    def whole(self, *, low: int | None = 0, high: int = _WHOLE_LIMIT - 1) -> int:
        """A whole number from ``low`` to ``high``; of 64 bits in any case."""
        least = -_WHOLE_LIMIT if low is None else low
        if isinstance(self.value, int) and not isinstance(self.value, bool) and least <= self.value <= high:
            return self.value
        if high < _WHOLE_LIMIT - 1:
            raise self.problem(f"a whole number from {least} to {high}")
        raise self.problem("a whole number of 64 bits" if low is None else f"a whole number from {low} up")

    def whole_or_none(self, *, low: int | None = 0) -> int | None:
        """A whole number, or None for null."""
        return None if self.is_null else self.whole(low=low)

    def wholes(self) -> list[int]:
        """A list of whole numbers from 0 up."""
        items = self._list()
        # By hand and not by node: an answer has thousands of them, five times.
        wholes = [item for item in items if type(item) is int and 0 <= item < _WHOLE_LIMIT]
        return wholes if len(wholes) == len(items) else [node.whole() for node in self.items()]

    def wholes_or_none(self) -> list[int | None]:
        """A list of whole numbers from 0 up, or nulls among them."""
        return [node.whole_or_none() for node in self.items()]

    def number_or_none(self, *, low: float, high: float) -> float | None:
        """A number from ``low`` to ``high``, or None for null."""
        if self.is_null:
            return None
        if (
            isinstance(self.value, int | float)
            and not isinstance(self.value, bool)
            and low <= self.value <= high
        ):
            return self.value
        raise self.problem(f"a number from {low:g} to {high:g}, or null")

    def unix_ms(self) -> int:
        """A moment in milliseconds since 1970."""
        return self.whole(low=0, high=_LAST_UNIX_MS)

    def identifier(self) -> str:
        """An id, which may hold anything that can be printed."""
        found = self.text()
        if not found.isprintable() or not 0 < len(found.strip()) == len(found) <= _ID_CHARACTERS:
            raise self.problem(f"an id of 1 to {_ID_CHARACTERS} printable characters")
        return found

    def check_as_many(self, first: str, others: Mapping[str, Sized]) -> None:
        """Refuse lists of this object, by their keys, that are not as long as ``first``."""
        count = len(self.field(first)._list())
        for key, found in others.items():
            if len(found) != count:
                raise self.field(key).problem(f"{count} entries, as many as {first} has")

    def check_schema(self, schema: str, *, remedy: str, remedy_of_version: str | None = None) -> None:
        """Refuse what is not ``schema``, such as ``foundry-tui/results@1``.

        Args:
            schema: Kind and version.
            remedy: For a file of another kind.
            remedy_of_version: For one whose version is none; None is the usual one.
        """
        found = self.text()
        if found == schema:
            return
        kind, _, version = found.partition("@")
        own_kind, _, own_version = schema.partition("@")
        if kind != own_kind:
            raise self.problem(f'"{schema}"', remedy=remedy)
        if version.isdecimal() and int(version[:9]) > int(own_version):
            raise self.problem(f'"{schema}"', remedy="a newer foundry-tui has written it: update this one")
        raise self.problem(f'"{schema}"', remedy=remedy_of_version)

    def _list(self) -> list[object]:
        if not isinstance(self.value, list):
            raise self.problem("a list")
        return self.value


def parse_json(text: str, name: str) -> JsonNode:
    """The whole of ``text``; ``name`` is the file's, for errors.

    Raises:
        BadInput: It is no JSON, or not of a sane size.
    """

    def to_mapping(pairs: list[tuple[str, object]]) -> _Mapping:
        mapping = _Mapping(pairs)
        if len(mapping) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            mapping.repeated = next(key for key, count in counts.items() if count > 1)
        return mapping

    def refuse(constant: str) -> NoReturn:
        raise whole.problem("numbers that JSON knows", constant)

    whole = JsonNode(None, name)
    try:
        content: object = json.loads(text, object_pairs_hook=to_mapping, parse_constant=refuse)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        found = json.dumps(text[error.pos]) if error.pos < len(text) else "the end of the file"
        raise whole.problem(f"valid JSON ({error.msg})", f"{found} at {place}") from error
    except RecursionError as error:
        raise whole.problem("JSON of a sane size", "too many brackets inside each other") from error
    except ValueError as error:
        raise whole.problem("JSON of a sane size", "too long a number") from error
    return JsonNode(content, name)


def _found(value: object) -> str:
    match value:
        case dict():
            return f"an object of {len(value)}"
        case list():
            return f"a list of {len(value)}"
        case str():
            return f'"{clean_line(value, _FOUND_CHARACTERS)}"'
        case bool() | None:
            return json.dumps(value)
        case int() if abs(value) >= 10**_FOUND_CHARACTERS:
            return "a number of many digits"
        case _:
            return clean_line(str(value), _FOUND_CHARACTERS)

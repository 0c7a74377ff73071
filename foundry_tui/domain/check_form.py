"""How a check is written: an object with a ``kind``, in ``prompts.json``, kept plans and results."""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import TypedDict, TypeVar, assert_never

from foundry_tui.domain.checks import (
    Check,
    Contains,
    ContainsNot,
    Extent,
    FollowsSchema,
    InLanguage,
    IsJson,
    Matches,
    Needs,
    NumberIs,
    Unit,
    Which,
)

__all__ = ["check_from", "check_object"]

E = TypeVar("E", bound=StrEnum)


class _Texts(TypedDict):
    texts: tuple[str, ...]
    ignores_case: bool
    whole_words: bool


def check_object(check: Check) -> dict[str, object]:
    """``check`` as it is written; what is as usual is left out."""
    match check:
        case Contains(texts=texts, needs=needs):
            return {
                "kind": "contains",
                "texts": list(texts),
                **({} if needs is Needs.ALL else {"needs": needs.value}),
                **_how(check),
            }
        case ContainsNot(texts=texts):
            return {"kind": "not_contains", "texts": list(texts), **_how(check)}
        case Matches(pattern=pattern, ignores_case=ignores_case):
            return {"kind": "regex", "pattern": pattern, **_if("ignore_case", ignores_case)}
        case IsJson(allows_fence=allows_fence):
            return {"kind": "json", **_if("allow_fence", allows_fence)}
        case FollowsSchema(schema=schema, allows_fence=allows_fence):
            fence = _if("allow_fence", allows_fence)
            return {"kind": "json_schema", "schema": json.loads(schema), **fence}
        case NumberIs(equals=equals, tolerance=tolerance, which=which):
            return {
                "kind": "number",
                "equals": equals,
                **({"tolerance": tolerance} if tolerance else {}),
                **({} if which is Which.ONLY else {"which": which.value}),
            }
        case Extent(unit=unit, low=low, high=high):
            ends = {"min": low, "max": high}
            return {"kind": unit.value, **{name: end for name, end in ends.items() if end is not None}}
        case InLanguage(language=language):
            return {"kind": "language", "is": language}
        case _:
            assert_never(check)


def check_from(written: Mapping[str, object]) -> Check:
    """The check that ``check_object`` wrote so, or whoever edits ``prompts.json``.

    Raises:
        ValueError: It is none; the message says what was expected of it.
    """
    entry = _Entry(dict(written))
    found = _check_of(entry)
    entry.require_nothing_left()
    return found


def _check_of(entry: "_Entry") -> Check:
    kind = entry.text("kind")
    match kind:
        case "contains":
            return Contains(needs=entry.choice("needs", Needs.ALL), **entry.texts())
        case "not_contains":
            return ContainsNot(**entry.texts())
        case "regex":
            return Matches(pattern=entry.text("pattern"), ignores_case=entry.truth("ignore_case"))
        case "json":
            return IsJson(allows_fence=entry.truth("allow_fence"))
        case "json_schema":
            schema = json.dumps(entry.mapping("schema"), ensure_ascii=False)
            return FollowsSchema(schema=schema, allows_fence=entry.truth("allow_fence"))
        case "number":
            return NumberIs(
                equals=entry.number("equals"),
                tolerance=entry.number("tolerance", 0),
                which=entry.choice("which", Which.ONLY),
            )
        case Unit.CHARACTERS | Unit.WORDS | Unit.SENTENCES:
            return Extent(unit=Unit(kind), low=entry.whole_or_none("min"), high=entry.whole_or_none("max"))
        case "language":
            return InLanguage(language=entry.text("is"))
        case _:
            raise ValueError("a kind of check that is known here")


def _how(check: Contains | ContainsNot) -> dict[str, object]:
    return _if("ignore_case", check.ignores_case) | _if("whole_words", check.whole_words)


def _if(name: str, truth: bool) -> dict[str, object]:
    return {name: True} if truth else {}


class _Entry:
    """What is written of one check; each key is taken once, and none may be left."""

    def __init__(self, left: dict[str, object]) -> None:
        self._left = left

    def text(self, key: str) -> str:
        found = self._left.pop(key, None)
        if not isinstance(found, str):
            raise ValueError(f"the key {key} with text in quotes")
        return found

    def texts(self) -> _Texts:
        found = self._left.pop("texts", None)
        if not isinstance(found, list | tuple) or not all(isinstance(text, str) for text in found):
            raise ValueError("the key texts with a list of texts")
        return {
            "texts": tuple(found),
            "ignores_case": self.truth("ignore_case"),
            "whole_words": self.truth("whole_words"),
        }

    def truth(self, key: str) -> bool:
        found = self._left.pop(key, False)
        if not isinstance(found, bool):
            raise ValueError(f"true or false for {key}")
        return found

    def choice(self, key: str, usual: E) -> E:
        found = self._left.pop(key, usual.value)
        for each in type(usual):
            if found == each.value:
                return each
        raise ValueError(f"one of {', '.join(type(usual))} for {key}")

    def number(self, key: str, usual: float | None = None) -> float:
        found = self._left.pop(key, usual)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise ValueError(f"the key {key} with a number")
        return found

    def whole_or_none(self, key: str) -> int | None:
        found = self._left.pop(key, None)
        if found is None or (isinstance(found, int) and not isinstance(found, bool)):
            return found
        raise ValueError(f"a whole number for {key}")

    def mapping(self, key: str) -> dict[str, object]:
        found = self._left.pop(key, None)
        if not isinstance(found, dict):
            raise ValueError(f"the key {key} with an object")
        return found

    def require_nothing_left(self) -> None:
        if self._left:
            raise ValueError(f"no key {next(iter(self._left))}")

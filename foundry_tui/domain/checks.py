"""Checks that a program can make of an answer: what each asks for.  They are made by ``metrics.checks``.

How they are written is in ``check_form``.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from foundry_tui.domain.json_shape import schema_problem

__all__ = [
    "LANGUAGES",
    "Check",
    "Contains",
    "ContainsNot",
    "Extent",
    "FollowsSchema",
    "InLanguage",
    "IsJson",
    "Matches",
    "Needs",
    "NumberIs",
    "Unit",
    "Which",
]

LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pt")
"""Languages that can be told from each other, by their codes in ISO 639-1."""


class Needs(StrEnum):
    """How many of several texts have to be there."""

    ALL = "all"
    ANY = "any"


class Which(StrEnum):
    """Which of the numbers in an answer is meant."""

    ONLY = "only"
    """There has to be exactly one."""
    LAST = "last"
    ANY = "any"


class Unit(StrEnum):
    """What the length of an answer is counted in."""

    CHARACTERS = "characters"
    WORDS = "words"
    SENTENCES = "sentences"

    @property
    def singular(self) -> str:
        """What one of them is called."""
        return self.value.removesuffix("s")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Texts:
    """Texts that are looked for.

    Attributes:
        ignores_case: Whether capitals make no difference.
        whole_words: Whether a text does not count inside of a longer word, as ``no`` in ``know``.
    """

    texts: tuple[str, ...]
    ignores_case: bool = False
    whole_words: bool = False

    def __post_init__(self) -> None:
        if not self.texts or any(not text.strip() for text in self.texts):
            raise ValueError("texts that are not blank, at least one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contains(_Texts):
    """The answer has the texts in it."""

    needs: Needs = Needs.ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainsNot(_Texts):
    """The answer has none of the texts in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """A regular expression of Python's is found somewhere in the answer."""

    pattern: str
    ignores_case: bool = False

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"a regular expression of Python's ({error})") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class IsJson:
    """The whole answer is one JSON value.

    Attributes:
        allows_fence: Whether it may stand in one code fence of Markdown, as it often does.
    """

    allows_fence: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowsSchema:
    """The whole answer is one JSON value that a JSON Schema, of the keywords we know, holds good.

    Attributes:
        schema: In one line of JSON, for a mapping could be changed.
        allows_fence: As of ``IsJson``.
    """

    schema: str
    allows_fence: bool = False

    def __post_init__(self) -> None:
        problem = schema_problem(json.loads(self.schema))
        if problem is not None:
            raise ValueError(problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberIs:
    """A number in the answer is ``equals``, give or take ``tolerance``."""

    equals: float
    tolerance: float = 0
    which: Which = Which.ONLY

    def __post_init__(self) -> None:
        if not -float("inf") < self.equals < float("inf") or not 0 <= self.tolerance < float("inf"):
            raise ValueError("a finite number, and a tolerance from 0 up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """The answer is from ``low`` to ``high`` long, both included; None sets no limit."""

    unit: Unit
    low: int | None = None
    high: int | None = None

    def __post_init__(self) -> None:
        if self.low is None and self.high is None:
            raise ValueError("min, max or both")
        if (self.low or 0) < 0 or (self.high is not None and self.high < (self.low or 0)):
            raise ValueError("a max that is not below min, and both from 0 up")


@dataclass(frozen=True, slots=True, kw_only=True)
class InLanguage:
    """The answer is in a language, one of ``LANGUAGES``."""

    language: str

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise ValueError(f"one of the languages {', '.join(LANGUAGES)}")


Check: TypeAlias = Contains | ContainsNot | Matches | IsJson | FollowsSchema | NumberIs | Extent | InLanguage

"""Scores that people give to answers: by what they judge, and what they gave."""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "HIGHEST",
    "LOWEST",
    "SHEET_COLUMNS",
    "AnswerMark",
    "AnswerNote",
    "Chosen",
    "Criterion",
    "MarkKind",
    "PairItem",
    "Preference",
    "Rubric",
    "Said",
    "Score",
    "SheetItem",
]

LOWEST = 1
HIGHEST = 5
SHEET_COLUMNS = ("item", "run", "rubric", "prompt_id", "prompt", "answer", "note")
"""Columns of a sheet that no criterion may be called by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One thing that answers are judged by, from 1 to 5.

    Attributes:
        id: Its column in a sheet, such as ``correctness``.
        name: For people to read.
        low: What a 1 means.
        high: What a 5 means.
    """

    id: str
    name: str
    low: str
    high: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """What all answers of a run are judged by; scores under two rubrics are never put together."""

    name: str
    criteria: tuple[Criterion, ...]

    def __post_init__(self) -> None:
        if len({one.id for one in self.criteria}) < len(self.criteria):
            raise ValueError("each criterion has an id of its own")

    @property
    def sha256(self) -> str:
        """Of what it says: its version."""
        said = [self.name, [[one.id, one.name, one.low, one.high] for one in self.criteria]]
        return hashlib.sha256(json.dumps(said, ensure_ascii=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What one person gave one answer by one criterion.

    Attributes:
        run_id: The run that the answer is of.
        number: The request in it.
        criterion: Its id in the rubric.
        annotator: The name of the person, as it was told.
        occasion: 1 for the first time that the person met the answer, 2 for the silent repeat.
        value: From 1 to 5.
        rubric_sha256: The version of the rubric it was given by.
        at_unix_ms: When.
    """

    run_id: str
    number: int
    criterion: str
    annotator: str
    occasion: int
    value: int
    rubric_sha256: str
    at_unix_ms: int

    def __post_init__(self) -> None:
        if not LOWEST <= self.value <= HIGHEST:
            raise ValueError("a score is from 1 to 5")
        if self.occasion not in (1, 2):
            raise ValueError("an answer is met once, or once more")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerNote:
    """What one person noted on one answer; the words stay as they came."""

    run_id: str
    number: int
    annotator: str
    text: str


class MarkKind(StrEnum):
    """What is said of an answer besides scores.

    ``FLAG``: to be talked about.  ``SKIP``: not to be asked for again.  ``ASPECT``: has what it should.
    """

    FLAG = "flag"
    SKIP = "skip"
    ASPECT = "aspect"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerMark:
    """One thing that one person ticked at one answer.

    Attributes:
        occasion: As of a score.
        aspect: Which one, of ``MarkKind.ASPECT``; else empty.
        at_unix_ms: When.
    """

    run_id: str
    number: int
    annotator: str
    occasion: int
    kind: MarkKind
    aspect: str = ""
    at_unix_ms: int


class Chosen(StrEnum):
    """Which of two answers somebody prefers."""

    FIRST = "first"
    SECOND = "second"
    TIE = "tie"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """Which of two answers to one prompt one person prefers.

    Attributes:
        first: The request with the lower number.
        second: The other one.
        occasion: 1 for the first time that the person met the two, 2 for the silent repeat.
        left: Which of them was shown on the left, by its number: people like one side more.
        at_unix_ms: When.
    """

    run_id: str
    first: int
    second: int
    annotator: str
    occasion: int
    left: int
    chosen: Chosen
    at_unix_ms: int

    def __post_init__(self) -> None:
        if not self.first < self.second:
            raise ValueError("the first of two answers has the lower number")
        if self.left not in (self.first, self.second):
            raise ValueError("one of the two answers is on the left")
        if self.occasion not in (1, 2):
            raise ValueError("two answers are met once, or once more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Whatever people said of answers."""

    scores: tuple[Score, ...] = ()
    notes: tuple[AnswerNote, ...] = ()
    marks: tuple[AnswerMark, ...] = ()
    preferences: tuple[Preference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetItem:
    """One answer as it is shown to whoever scores it: without the name of what made it.

    Attributes:
        key: Names it in a sheet, and tells nothing of the model.
        number: The request in the run; not shown.
        occasion: 2 for the silent repeat; not shown.
        prompt: What was asked.
        answer: The text of the answer, as it came.
    """

    key: str
    number: int
    occasion: int
    prompt_id: str
    prompt: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairItem:
    """Two answers to one prompt, side by side.

    Attributes:
        occasion: 2 for the silent repeat, with the sides changed; not shown.
    """

    left: SheetItem
    right: SheetItem
    occasion: int

"""What a second model gives to the answers of a run; never put among the scores of people."""

from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.domain.scoring import HIGHEST, LOWEST

__all__ = ["REPLY_CHARACTERS", "JudgePreference", "JudgeVersion", "Judgement", "Verdict"]

REPLY_CHARACTERS = 2_000
"""So much of what a judge said is kept with what was read from it."""


class Verdict(StrEnum):
    """Which of two answers a judge prefers, by the letters that it was shown them under."""

    A = "a"
    B = "b"
    TIE = "tie"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class JudgeVersion:
    """Who judged by what: only what is of one version may be put together.

    Attributes:
        judge: The exact variant of the model.
        rubric_sha256: The version of the rubric.
        prompt_sha256: That of what the judge is told, with temperature, seed and the room for a reply.
    """

    judge: str
    rubric_sha256: str
    prompt_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a judge gave one answer.

    Attributes:
        run_id: The run that the answer is of.
        number: The request in it.
        values: Of each criterion of the rubric from 1 to 5; None for a refusal: nothing that the judge said
            was in the form that it was asked for.
        attempts: How often the judge was asked, 1 or 2.
        reply: What it said last, cut to ``REPLY_CHARACTERS``.
        same_family: Whether the judge is, or may be kin to, a model of the run, which was allowed.
        at_unix_ms: When.
    """

    run_id: str
    number: int
    by: JudgeVersion
    values: tuple[tuple[str, int], ...] | None
    attempts: int
    reply: str
    same_family: bool
    at_unix_ms: int

    def __post_init__(self) -> None:
        if self.values is not None and not self.values:
            raise ValueError("what is not refused has a value for each criterion")
        if any(not LOWEST <= value <= HIGHEST for _, value in self.values or ()):
            raise ValueError("a score is from 1 to 5")
        _check(self.attempts, self.reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgePreference:
    """Which of two answers to one prompt a judge preferred, as they were shown in one order.

    Attributes:
        run_id: The run that both are of.
        first: The request whose answer was shown as A.
        second: That of B.
        verdict: None for a refusal; the rest is as of a ``Judgement``.
    """

    run_id: str
    first: int
    second: int
    by: JudgeVersion
    verdict: Verdict | None
    attempts: int
    reply: str
    same_family: bool
    at_unix_ms: int

    def __post_init__(self) -> None:
        if self.first == self.second:
            raise ValueError("an answer is not held against itself")
        _check(self.attempts, self.reply)


def _check(attempts: int, reply: str) -> None:
    if attempts < 1:
        raise ValueError("attempts are counted from 1 on")
    if len(reply) > REPLY_CHARACTERS:
        raise ValueError("of a reply its beginning is kept")

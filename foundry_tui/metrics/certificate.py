"""Whether a model answers the same question the same way, and whether temperature does anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.domain.bench import BenchPlan, RequestRun
from foundry_tui.metrics.measures import is_counted

__all__ = [
    "HOT_COUNT",
    "ZERO_COUNT",
    "AnsweredBefore",
    "Certificate",
    "Grade",
    "Unchanged",
    "answers_unchanged",
    "certificate",
    "is_repeatable_plan",
]

ZERO_COUNT = 3
"""How many answers at temperature 0 have to be alike to be called repeatable."""
HOT_COUNT = 2
"""How many at temperature 1 have to be the same again for temperature to be called without effect."""


class Grade(StrEnum):
    """How far a model's answers can be relied upon to be the same again."""

    D3 = "D3"
    """Repeatable at temperature 0, and temperature works."""
    D2 = "D2"
    """Repeatable, but temperature changes nothing."""
    D1 = "D1"
    """Repeatable only with a seed."""
    D0 = "D0"
    """Not repeatable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A grade and what it rests on: SHA-256 of the answers, in hexadecimal, in the order of asking.

    Attributes:
        grade: None where too few answers came to tell.
        zero: At temperature 0.
        hot: At temperature 1, without a seed.
        seeded: At temperature 1, with one and the same seed.
    """

    grade: Grade | None
    zero: tuple[str, ...]
    hot: tuple[str, ...]
    seeded: tuple[str, ...]


def certificate(zero: Sequence[str], hot: Sequence[str], seeded: Sequence[str] = ()) -> Certificate:
    """The grade of a model that gave these answers, told by their hashes, to one prompt.

    Only answers that came whole may be given.  Alike is what agrees in all of them: three at temperature 0,
    two with a seed.  Two that differ settle it, however few there are.  A model can be unlucky: an engine
    that is noisy seldom may pass.
    """
    return Certificate(
        grade=_grade(zero, hot, seeded), zero=tuple(zero), hot=tuple(hot), seeded=tuple(seeded)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """How many answers are the same in a later run.

    Attributes:
        unchanged: k of ``compared``.
        compared: Answers of the same prompt and round in both runs.
        left_out: Answers of either run that have no counterpart in the other.
    """

    unchanged: int
    compared: int
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredBefore:
    """What became of the answers of one model since an earlier run asked it the same.

    Attributes:
        model: Its name in the plan of the later run.
        run_id: Of the earlier run, as are the next two.
    """

    model: str
    run_id: str
    run_name: str
    started_unix_ms: int
    answers: Unchanged


def is_repeatable_plan(plan: BenchPlan) -> bool:
    """Whether answers are meant to be the same again: at temperature 0, or with a seed."""
    return plan.temperature == 0 or plan.seed is not None


def answers_unchanged(before: Sequence[RequestRun], after: Sequence[RequestRun]) -> Unchanged | None:
    """How many answers of one model are the same, by hash, in two runs; None where no two can be compared.

    Timed requests that ended well are compared, by prompt and round; of two of the same, the later one.
    """
    earlier, later = _answers(before), _answers(after)
    both = earlier.keys() & later.keys()
    if not both:
        return None
    return Unchanged(
        unchanged=sum(earlier[key] == later[key] for key in both),
        compared=len(both),
        left_out=len(earlier.keys() ^ later.keys()),
    )


def _answers(requests: Sequence[RequestRun]) -> dict[tuple[str, int], str]:
    return {
        (request.prompt_id, request.round): request.text_sha256
        for request in sorted(requests, key=lambda one: one.number)
        if is_counted(request)
    }


def _grade(zero: Sequence[str], hot: Sequence[str], seeded: Sequence[str]) -> Grade | None:
    if len(set(zero)) > 1:
        return Grade.D1 if len(seeded) > 1 and len(set(seeded)) == 1 else Grade.D0
    if len(zero) < ZERO_COUNT:
        return None
    if set(hot) - set(zero):
        return Grade.D3
    return Grade.D2 if len(hot) >= HOT_COUNT else None

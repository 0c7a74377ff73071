"""A score store that keeps nothing when the test ends."""

from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, field

from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.domain.scoring import AnswerMark, AnswerNote, Preference, Rubric, Said, Score

__all__ = ["MemoryScores"]


@dataclass
class MemoryScores:
    """What people said, by who said it of what; what came last stands.

    Attributes:
        runs: Those that are there; None for any.
        problem: Raised in place of reading and writing.
    """

    runs: Collection[str] | None = None
    problem: StorageProblem | None = None
    _said: dict[Hashable, Score | AnswerNote | AnswerMark | Preference] = field(default_factory=dict)
    _rubrics: dict[str, Rubric] = field(default_factory=dict)

    @classmethod
    def holding(cls, rubric: Rubric, scores: Iterable[Score]) -> "MemoryScores":
        """One in which these are kept already."""
        return cls(_said={_key(one): one for one in scores}, _rubrics={rubric.sha256: rubric})

    async def keep(self, rubric: Rubric, said: Said, *, gone: Said | None = None) -> None:
        self._complain()
        new, old = _all_of(said), _all_of(gone or Said())
        if self.runs is not None and not {one.run_id for one in (*new, *old)} <= {*self.runs}:
            raise BadInput("the run of these scores is not kept here (any more)", remedy="import it first")
        if said.scores:
            self._rubrics[rubric.sha256] = rubric
        for one in old:
            self._said.pop(_key(one), None)
        for one in new:
            self._said[_key(one)] = one

    async def scores(self, run_id: str) -> tuple[Score, ...]:
        self._complain()
        return tuple(one for one in self._said.values() if isinstance(one, Score) and one.run_id == run_id)

    async def notes(self, run_id: str) -> tuple[AnswerNote, ...]:
        self._complain()
        return tuple(
            one for one in self._said.values() if isinstance(one, AnswerNote) and one.run_id == run_id
        )

    async def marks(self, run_id: str) -> tuple[AnswerMark, ...]:
        self._complain()
        return tuple(
            one for one in self._said.values() if isinstance(one, AnswerMark) and one.run_id == run_id
        )

    async def preferences(self, run_id: str) -> tuple[Preference, ...]:
        self._complain()
        return tuple(
            one for one in self._said.values() if isinstance(one, Preference) and one.run_id == run_id
        )

    async def rubric(self, sha256: str) -> Rubric | None:
        self._complain()
        return self._rubrics.get(sha256)

    def _complain(self) -> None:
        if self.problem is not None:
            raise self.problem


def _all_of(said: Said) -> tuple[Score | AnswerNote | AnswerMark | Preference, ...]:
    return (*said.scores, *said.notes, *said.marks, *said.preferences)


def _key(one: Score | AnswerNote | AnswerMark | Preference) -> Hashable:
    who = (type(one), one.run_id, one.annotator)
    match one:
        case Score():
            return (*who, one.number, one.occasion, one.rubric_sha256, one.criterion)
        case AnswerNote():
            return (*who, one.number)
        case AnswerMark():
            return (*who, one.number, one.occasion, one.kind, one.aspect)
        case Preference():
            return (*who, one.first, one.second, one.occasion)

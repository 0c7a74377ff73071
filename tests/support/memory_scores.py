"""A score store that keeps nothing when the test ends."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from foundry_tui.domain.errors import StorageProblem
from foundry_tui.domain.scoring import AnswerNote, Rubric, Score

__all__ = ["MemoryScores"]


@dataclass
class MemoryScores:
    """Scores by run; what came last stands.

    Attributes:
        problem: Raised in place of reading.
    """

    kept: dict[tuple[str, int, str, str, int], Score] = field(default_factory=dict)
    rubrics: dict[str, Rubric] = field(default_factory=dict)
    said: list[AnswerNote] = field(default_factory=list)
    problem: StorageProblem | None = None

    async def keep(self, rubric: Rubric, scores: Sequence[Score], notes: Sequence[AnswerNote] = ()) -> None:
        self.rubrics[rubric.sha256] = rubric
        for one in scores:
            self.kept[one.run_id, one.number, one.criterion, one.annotator, one.occasion] = one
        self.said += notes

    async def scores(self, run_id: str) -> tuple[Score, ...]:
        if self.problem is not None:
            raise self.problem
        return tuple(one for one in self.kept.values() if one.run_id == run_id)

    async def notes(self, run_id: str) -> tuple[AnswerNote, ...]:
        return tuple(note for note in self.said if note.run_id == run_id)

    async def rubric(self, sha256: str) -> Rubric | None:
        return self.rubrics.get(sha256)

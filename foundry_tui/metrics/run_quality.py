"""What the scores of a whole run come to, model by model."""

from dataclasses import dataclass

from foundry_tui.domain.scoring import Rubric
from foundry_tui.metrics.quality import ModelQuality, TimeToGood

__all__ = ["RunQuality"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuality:
    """The scores of all models of a run, under the version of the rubric that was scored by last.

    Attributes:
        rubric: That version; None where nothing was scored.
        models: In the order of the plan, each with how long a good answer takes.
        unmatched: Scores of answers that stand no more, for they were measured again.
    """

    rubric: Rubric | None
    models: tuple[tuple[ModelQuality, TimeToGood], ...]
    unmatched: int

    @property
    def is_scored(self) -> bool:
        """Whether any answer of it has a score."""
        return any(quality.overall.answers or quality.partly for quality, _ in self.models)

    def of(self, model: str) -> tuple[ModelQuality, TimeToGood] | None:
        """That of one model, by its name in the plan; None for one that is not in it."""
        return next((pair for pair in self.models if pair[0].model == model), None)

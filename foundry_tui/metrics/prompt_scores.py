"""Scores by prompt, for whoever draws prompts anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["PromptScores", "scores_by_prompt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptScores:
    """What the answers to one prompt got over all criteria: ``total`` of ``answers`` values from 1 to 5."""

    prompt_id: str
    total: float
    answers: int


def scores_by_prompt(values: Mapping[str, Sequence[Fraction]]) -> tuple[PromptScores, ...]:
    """Of each prompt, in that order."""
    return tuple(
        PromptScores(prompt_id=prompt_id, total=float(sum(own)), answers=len(own))
        for prompt_id, own in values.items()
    )

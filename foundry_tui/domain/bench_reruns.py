"""Marked rounds of a run that are measured again, in the same run."""

from dataclasses import dataclass

__all__ = ["Rerun", "RoundAgain"]

_FIRST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundAgain:
    """One round of one model: all its prompts are asked again.

    Attributes:
        model: Its name in the plan.
        round: From 1 on.
        reasons: Why it was marked, as the results format names the marks, such as ``throttled``.
    """

    model: str
    round: int
    reasons: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.round < 1 or not self.reasons:
            raise ValueError("a round that is measured again has a number from 1 on, and a reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """One time that marked rounds were measured again.

    Attributes:
        attempt: What its requests carry: 2 the first time, one more with each; 1 is the run itself.
        started_unix_ms: When it was begun.
        rounds: Each once, at least one.
    """

    attempt: int
    started_unix_ms: int
    rounds: tuple[RoundAgain, ...]

    def __post_init__(self) -> None:
        if self.attempt < _FIRST:
            raise ValueError(f"what is measured again has attempts from {_FIRST} on")
        if not self.rounds or len({(one.model, one.round) for one in self.rounds}) < len(self.rounds):
            raise ValueError("rounds are measured again each once, and at least one")

    def rounds_of(self, model: str) -> tuple[RoundAgain, ...]:
        """Those of one model, by its name in the plan."""
        return tuple(one for one in self.rounds if one.model == model)

"""Judging the few answers to one question where they stand side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.scoring import Rubric
from foundry_tui.ports.storage import ScoreStore
from foundry_tui.services.scoring.pairing import PairSession
from foundry_tui.services.scoring.session import ScoringSession
from foundry_tui.services.scoring.walk import Walk

__all__ = ["SpotSession"]

_PAIR = 2


class SpotSession:
    """Scores of all answers, and the preference of one of two, each step kept at once.

    Args:
        scores: Of a run with one answer of each model, too few for any to come twice.
        pairs: Of the same run where it has exactly two answers; None where it has not.

    Attributes:
        rubric: What is judged by.
    """

    def __init__(self, scores: ScoringSession, pairs: PairSession | None) -> None:
        self._scores = scores
        self._pairs = pairs
        self._places = {item.number: place for place, item in enumerate(scores.items)}
        self._steps: list[Walk[Any, Any]] = []
        self.rubric = scores.rubric

    @classmethod
    async def open(
        cls,
        store: ScoreStore,
        run: Run,
        requests: Sequence[RequestRun],
        rubric: Rubric,
        annotator: str,
        *,
        shown: Sequence[int],
    ) -> "SpotSession":
        """Go on where this person stopped; ``shown`` are the requests from left to right.

        Raises:
            BadInput: No answer of the run can be scored.
            StorageProblem: What was said before cannot be read.
        """
        scores = await ScoringSession.open(store, run, requests, rubric, annotator)
        numbers = {item.number for item in scores.items}
        if len(numbers) != _PAIR:
            return cls(scores, None)
        left = next(number for number in shown if number in numbers)
        return cls(scores, await PairSession.open(store, run, requests, rubric, annotator, left=left))

    @property
    def is_pair(self) -> bool:
        """Whether one of two can be preferred."""
        return self._pairs is not None

    @property
    def preferred(self) -> str | None:
        """``left``, ``right`` or ``tie``; None while nothing was said."""
        return None if self._pairs is None else self._pairs.preferred

    @property
    def is_complete(self) -> bool:
        """Whether something was judged, and all of what was begun: scores, or the preference alone."""
        is_preferred = self._pairs is not None and self._pairs.is_complete
        has_begun = any(self.values(number) for number in self._places)
        return self._scores.is_complete or (is_preferred and not has_begun)

    def values(self, number: int) -> Mapping[str, int]:
        """The scores of the answer to that request, by criterion; empty where it has none."""
        place = self._places.get(number)
        return {} if place is None else self._scores.standing_at(place).values

    def has_all(self, number: int) -> bool:
        """Whether nothing is open of that answer; so of one that cannot be scored."""
        place = self._places.get(number)
        return place is None or self._scores.is_done(self._scores.standing_at(place))

    async def score(self, number: int, criterion: str, value: int) -> bool:
        """Give the answer that; False where it cannot be scored.

        Raises:
            FoundryTuiError: It could not be kept, so it was not given; likewise below.
        """
        place = self._places.get(number)
        if place is None:
            return False
        self._scores.go(place - self._scores.place)
        before = self._scores.standing
        await self._scores.score(criterion, value)
        if self._scores.standing != before:
            self._steps.append(self._scores)
        return True

    async def prefer(self, which: str) -> None:
        """Say that ``left`` or ``right`` is better, or ``tie``; nothing where there is no pair."""
        if (pairs := self._pairs) is None:
            return
        before = pairs.standing
        say = {"left": pairs.prefer_left, "right": pairs.prefer_right, "tie": pairs.tie}[which]
        await say()
        if pairs.standing != before:
            self._steps.append(pairs)

    async def undo(self) -> int | None:
        """Take the last step back.

        Returns:
            The request that it was about, the left one of a pair; None if there is no step.
        """
        if not self._steps:
            return None
        await self._steps[-1].undo()
        walk = self._steps.pop()
        return self._scores.item.number if walk is self._scores else self._left

    @property
    def _left(self) -> int | None:
        return None if self._pairs is None else self._pairs.item.left.number

"""Preferring one of two answers, pair by pair."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.scoring import Chosen, PairItem, Preference, Rubric, Said
from foundry_tui.ports.storage import ScoreStore
from foundry_tui.services.scoring.session import seed_of
from foundry_tui.services.scoring.sheet import pair_items
from foundry_tui.services.scoring.walk import Walk

__all__ = ["PairSession", "PairStanding"]

PairStanding: TypeAlias = Chosen | None
"""What one person prefers; None while nothing was said."""


class PairSession(Walk[PairItem, PairStanding]):
    """All pairs of answers of a run in one person's order, of which some come twice, with the sides changed.

    Args:
        store: Where each step is kept.
        run: Of which the answers are.
        rubric: What is looked at; a preference is one of the whole answer.
        annotator: Who judges.
        items: In the order of that person.
        standings: What is kept of each.
        unix_ms: The time of day.
        clock_s: A monotonic clock.
    """

    def __init__(
        self,
        store: ScoreStore,
        run: Run,
        rubric: Rubric,
        annotator: str,
        items: Sequence[PairItem],
        standings: Sequence[PairStanding],
        *,
        unix_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(items, standings, clock_s=clock_s)
        self._store = store
        self.run = run
        self.rubric = rubric
        self.annotator = annotator
        self._unix_ms = unix_ms

    @classmethod
    async def open(
        cls,
        store: ScoreStore,
        run: Run,
        requests: Sequence[RequestRun],
        rubric: Rubric,
        annotator: str,
        *,
        left: int | None = None,
        unix_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> "PairSession":
        """Go on where this person stopped.

        Args:
            store: See the class; likewise below.
            run: Of which the answers are.
            requests: Its requests.
            rubric: What is looked at.
            annotator: Who judges.
            left: The request whose answer stands on the left already; None draws the sides.
            unix_ms: The time of day.
            clock_s: A monotonic clock.

        Raises:
            BadInput: No prompt of the run has two answers.
            StorageProblem: What was said before cannot be read.
        """
        items = pair_items(run, requests, seed=seed_of(annotator))
        if not items:
            raise BadInput(
                f"no prompt of run {run.id} has two answers to compare",
                remedy="score them one at a time, or measure a second model with the same prompts",
            )
        items = tuple(_turned(item) if item.right.number == left else item for item in items)
        kept = {
            (one.first, one.second, one.occasion): one.chosen
            for one in await store.preferences(run.id)
            if one.annotator == annotator
        }
        standings = [kept.get((*_numbers(item), item.occasion)) for item in items]
        return cls(store, run, rubric, annotator, items, standings, unix_ms=unix_ms, clock_s=clock_s)

    @property
    def preferred(self) -> str | None:
        """``left``, ``right``, ``tie`` or ``skipped``, as it was said; None while nothing was."""
        if (chosen := self.standing) in (None, Chosen.TIE, Chosen.SKIPPED):
            return None if chosen is None else chosen.value
        is_left_first = self.item.left.number < self.item.right.number
        return "left" if (chosen is Chosen.FIRST) == is_left_first else "right"

    def is_done(self, standing: PairStanding) -> bool:
        """Whether anything was said."""
        return standing is not None

    async def prefer_left(self) -> None:
        """Say that the left one is better.

        Raises:
            FoundryTuiError: It could not be kept, so it was not said; likewise below.
        """
        await self._prefer(self.item.left.number)

    async def prefer_right(self) -> None:
        """Say that the right one is better."""
        await self._prefer(self.item.right.number)

    async def tie(self) -> None:
        """Say that neither is better."""
        await self.say(Chosen.TIE)

    async def skip(self) -> None:
        """Ask for the pair no more."""
        await self.say(Chosen.SKIPPED)

    async def _prefer(self, number: int) -> None:
        await self.say(Chosen.FIRST if number == _numbers(self.item)[0] else Chosen.SECOND)

    async def _keep(self, item: PairItem, before: PairStanding, after: PairStanding) -> None:
        if after is not None:
            await self._store.keep(self.rubric, Said(preferences=(self._preference(item, after),)))
        elif before is not None:
            gone = Said(preferences=(self._preference(item, before),))
            await self._store.keep(self.rubric, Said(), gone=gone)

    def _preference(self, item: PairItem, chosen: Chosen) -> Preference:
        first, second = _numbers(item)
        return Preference(
            run_id=self.run.id,
            first=first,
            second=second,
            annotator=self.annotator,
            occasion=item.occasion,
            left=item.left.number,
            chosen=chosen,
            at_unix_ms=self._unix_ms(),
        )


def _turned(item: PairItem) -> PairItem:
    return replace(item, left=item.right, right=item.left)


def _numbers(item: PairItem) -> tuple[int, int]:
    first, second = sorted((item.left.number, item.right.number))
    return first, second

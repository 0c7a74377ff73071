"""One person's way through what is to be judged: back and forth, each step kept at once."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Generic, TypeVar

__all__ = ["Progress", "Walk"]

ItemT = TypeVar("ItemT")
StandingT = TypeVar("StandingT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a person is.

    Attributes:
        done: Judged or skipped, of ``total``.
        each_s: What one takes, the median of this sitting; None before the first.
    """

    done: int
    total: int
    each_s: float | None

    @property
    def left_s(self) -> float | None:
        """What the rest takes at this speed; None before the first, and after the last."""
        rest = self.total - self.done
        return None if self.each_s is None or rest == 0 else rest * self.each_s


class Walk(ABC, Generic[ItemT, StandingT]):
    """Stands at one item; begins at the first that is open.

    Nothing is shown as said that is not kept: what cannot be kept raises, and all stays as it was.

    Args:
        items: In their order; one at least.
        standings: What this person said of each before.
        clock_s: A monotonic clock, for the speed.
    """

    def __init__(
        self,
        items: Sequence[ItemT],
        standings: Sequence[StandingT],
        *,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        if not items:
            raise ValueError("there is nothing to judge")
        self.items = tuple(items)
        self._standings = list(standings)
        self._clock_s = clock_s
        self._steps: list[tuple[int, StandingT]] = []
        self._took_s: list[float] = []
        is_open = (place for place, standing in enumerate(standings) if not self.is_done(standing))
        self._place = next(is_open, 0)
        self._shown_s = clock_s()

    @property
    def place(self) -> int:
        """Where it stands, from 0."""
        return self._place

    @property
    def item(self) -> ItemT:
        """What is judged now."""
        return self.items[self._place]

    @property
    def standing(self) -> StandingT:
        """What was said of it so far."""
        return self._standings[self._place]

    def standing_at(self, place: int) -> StandingT:
        """What was said of the item at ``place``, from 0."""
        return self._standings[place]

    @property
    def is_complete(self) -> bool:
        """Whether nothing is open any more."""
        return all(map(self.is_done, self._standings))

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return Progress(
            done=sum(map(self.is_done, self._standings)),
            total=len(self.items),
            each_s=median(self._took_s) if self._took_s else None,
        )

    @property
    def can_undo(self) -> bool:
        """Whether anything was said in this sitting."""
        return bool(self._steps)

    @abstractmethod
    def is_done(self, standing: StandingT) -> bool:
        """Whether nothing is open of an item of which that was said."""

    def go(self, by: int) -> bool:
        """Go so many items on, or back; whether there was anywhere to go."""
        to = min(max(self._place + by, 0), len(self.items) - 1)
        return self._stand(to)

    def to_next_open(self) -> bool:
        """Go to the next that is open, from the beginning again after the last; False if none is."""
        after = [*range(self._place + 1, len(self.items)), *range(self._place + 1)]
        for place in after:
            if not self.is_done(self._standings[place]):
                self._stand(place)
                return True
        return False

    async def say(self, standing: StandingT) -> None:
        """Say that of the item that it stands at.

        Raises:
            FoundryTuiError: It could not be kept, so it was not said.
        """
        before = self.standing
        if standing == before:
            return
        place = self._place
        await self._keep(self.items[place], before, standing)
        self._standings[place] = standing
        self._steps.append((place, before))
        if self.is_done(standing) and not self.is_done(before):
            self._took_s.append(self._clock_s() - self._shown_s)

    async def undo(self) -> bool:
        """Take the last step back and stand where it was made; False if there is none in this sitting.

        Raises:
            FoundryTuiError: It could not be kept, so nothing was taken back.
        """
        if not self._steps:
            return False
        place, before = self._steps[-1]
        after = self._standings[place]
        await self._keep(self.items[place], after, before)
        self._steps.pop()
        self._standings[place] = before
        if self.is_done(after) and not self.is_done(before) and self._took_s:
            self._took_s.pop()
        self._stand(place)
        return True

    @abstractmethod
    async def _keep(self, item: ItemT, before: StandingT, after: StandingT) -> None:
        """Make the store say ``after`` where it said ``before``."""

    def _stand(self, place: int) -> bool:
        if place == self._place:
            return False
        self._place = place
        self._shown_s = self._clock_s()
        return True

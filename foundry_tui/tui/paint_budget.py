"""How often a screen may draw while something is measured."""

from collections import deque

__all__ = ["PaintBudget"]

_PERIOD_S = 0.25
_LATE_S = 0.020
_KEPT = 8


class PaintBudget:
    """Four drawings a second, two while the screen's own event loop is late.

    The loop is late by what a sleep took longer than asked.  It counts as late while the worst of the last
    eight sleeps was more than 20 ms late, so that it does not change its mind at each drawing.
    """

    def __init__(self) -> None:
        self._late_s: deque[float] = deque(maxlen=_KEPT)

    @property
    def period_s(self) -> float:
        """Seconds between two drawings."""
        return _PERIOD_S * (2 if self.is_late else 1)

    @property
    def lag_s(self) -> float | None:
        """How late the loop was at its worst lately; None before the first sleep."""
        return max(self._late_s, default=None)

    @property
    def is_late(self) -> bool:
        """Whether that is more than a drawing may cost."""
        return self.lag_s is not None and self.lag_s > _LATE_S

    def slept(self, asked_s: float, took_s: float) -> None:
        """Take note of one sleep."""
        self._late_s.append(max(0.0, took_s - asked_s))

    def forget(self) -> None:
        """Begin anew: nothing was drawn for a while, and what was is of another time."""
        self._late_s.clear()

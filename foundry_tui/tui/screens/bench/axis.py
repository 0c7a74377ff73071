"""A scale in cells: where a value stands on it, and which round numbers are written below."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Axis", "axis_of", "number_words"]

_LOG_FROM = 20.0
"""Greatest over least from which on the scale is logarithmic: else all but one model share a cell."""
_CELLS_FOR_A_TICK = 9
_GROUPED = 1000
_STEPS = (1.0, 2.0, 5.0)
_ROUNDING = 1e-9
_ABOUT = 1 + _ROUNDING
_ALIKE = 0.05
"""Of readings that are all the same, so much of them is shown on either side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Values from ``low`` to ``high`` on ``cells`` cells.

    Attributes:
        low: Stands in the first cell; above 0 on a logarithmic scale.
        high: Stands in the last one; above ``low``.
        is_log: Whether equal ratios, not equal differences, are equally wide.
    """

    low: float
    high: float
    cells: int
    is_log: bool = False

    def cell(self, value: float) -> int:
        """The cell of ``value``, the first or last one for what is off the scale."""
        low, high = self._place(self.low), self._place(self.high)
        share = (self._place(max(value, self.low)) - low) / (high - low)
        return max(0, min(round(share * (self.cells - 1)), self.cells - 1))

    def ticks(self) -> list[tuple[int, str]]:
        """Cells of round values, from the left, each with the value in words."""
        values = self._decades() if self.is_log else self._steps()
        return [(self.cell(value), number_words(value)) for value in values]

    def _place(self, value: float) -> float:
        return math.log10(value) if self.is_log else value

    def _steps(self) -> list[float]:
        wanted = (self.high - self.low) / max(1, self.cells // _CELLS_FOR_A_TICK)
        power = 10.0 ** math.floor(math.log10(wanted))
        step = next((power * one for one in _STEPS if power * one >= wanted), power * 10)
        first, last = math.ceil(self.low / step - _ROUNDING), math.floor(self.high / step + _ROUNDING)
        return [number * step for number in range(first, last + 1)]

    def _decades(self) -> list[float]:
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        whole = [10.0**power for power in powers]
        finer = [value * one for value in whole for one in _STEPS]
        is_roomy = self.cells / math.log10(self.high / self.low) >= 3 * _CELLS_FOR_A_TICK
        wanted = finer if is_roomy else whole
        return [value for value in wanted if self.low <= value * _ABOUT and value <= self.high * _ABOUT]


def axis_of(groups: Iterable[Sequence[float]], cells: int) -> Axis | None:
    """The scale that holds all readings; None without any, and where there is no room.

    It is logarithmic where the greatest is more than 20 times the least, which then is above 0.
    """
    ends = [(min(group), max(group)) for group in groups if group]
    if not ends or cells < 2:
        return None
    low, high = min(end for end, _ in ends), max(end for _, end in ends)
    if not high > low:
        reach = abs(low) * _ALIKE or 1.0
        return Axis(low=low - reach, high=high + reach, cells=cells)
    return Axis(low=low, high=high, cells=cells, is_log=low > 0 and high / low > _LOG_FROM)


def number_words(value: float) -> str:
    """A round number as short as it can be said: ``0.05``, ``12``, ``1,500``."""
    if abs(value) >= _GROUPED:
        return f"{value:,.0f}"
    return f"{value:.6g}" if abs(value) >= _ROUNDING else "0"

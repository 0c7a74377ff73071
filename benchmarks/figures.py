"""What the benchmarks share: a spread of readings, a table, and the machine they were taken on."""

import math
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn

__all__ = [
    "Spread",
    "Verdict",
    "give_up",
    "interval_words",
    "judge",
    "machine",
    "median_interval",
    "percentile",
    "print_table",
]


class Verdict(StrEnum):
    """What the rounds say of a claim."""

    HOLDS = "holds"
    FAILS = "DOES NOT HOLD"
    UNDECIDED = "undecided: too noisy, or too few rounds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Median, least and greatest of some readings."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, readings: Sequence[float]) -> "Spread":
        """The spread of at least one reading."""
        return cls(median=statistics.median(readings), least=min(readings), greatest=max(readings))

    def cells(self, *, scale: float = 1.0, digits: int = 1) -> tuple[str, str, str]:
        """The three as text, each multiplied by ``scale``."""
        median, least, greatest = (
            f"{value * scale:.{digits}f}" for value in (self.median, self.least, self.greatest)
        )
        return median, least, greatest


def give_up(message: str) -> NoReturn:
    """End with exit code 2: something that the benchmark needs is absent."""
    print(message, file=sys.stderr)
    raise SystemExit(2)


def machine(*packages: str) -> str:
    """One line: system, cores, Python, and the versions of ``packages`` in this environment."""
    parts = [
        f"{platform.system()} {platform.machine()}",
        f"{os.cpu_count()} cores",
        f"Python {platform.python_version()}",
        *(f"{name} {_version(name)}" for name in packages),
    ]
    return ", ".join(parts)


def print_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they must be; the first to the left, numbers to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(heading, *rows, strict=True)]
    for row in (heading, *rows):
        first, *others = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        numbers = [cell.strip().rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        print("  ".join([first, *numbers]).rstrip())


def median_interval(readings: Sequence[float]) -> tuple[float, float] | None:
    """A 95 % interval for the median of what the readings are drawn from, by the sign test.

    From the k-th least to the k-th greatest, k the largest with 2 P(Binomial(n, 1/2) < k) <= 0.05.  Assumes
    independent readings and nothing of their distribution.  None below six: there is no such k.
    """
    count = len(readings)
    k, tail = 0, 0.0
    while k < count and 2 * (tail + math.comb(count, k) / 2**count) <= 0.05:
        tail += math.comb(count, k) / 2**count
        k += 1
    ordered = sorted(readings)
    return (ordered[k - 1], ordered[count - k]) if k else None


def percentile(readings: Sequence[float], share: float) -> float:
    """The reading below which ``share`` of them lie, between neighbours in proportion; of two at least."""
    return statistics.quantiles(readings, n=1000, method="inclusive")[round(share * 1000) - 1]


def interval_words(readings: Sequence[float], form: str, *, scale: float = 1.0, unit: str = "") -> str:
    """``median_interval`` as text, its ends times ``scale`` and formatted as ``form`` says; n/a for None."""
    interval = median_interval(readings)
    if interval is None:
        return "n/a"
    low, high = (f"{end * scale:{form}}" for end in interval)
    return f"{low} to {high}{unit}"


def judge(readings: Sequence[float], *, at_most: float) -> Verdict:
    """Whether the median is at most ``at_most``, as far as ``median_interval`` can tell."""
    interval = median_interval(readings)
    if interval is None or interval[0] <= at_most < interval[1]:
        return Verdict.UNDECIDED
    return Verdict.HOLDS if interval[1] <= at_most else Verdict.FAILS


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"

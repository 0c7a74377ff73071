"""Candidates as points of quality against latency, with the size of their memory: what every chart draws."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.metrics.candidate import Latency, Memory, Unknown
from foundry_tui.metrics.intervals import Interval
from foundry_tui.metrics.selection import Fit
from foundry_tui.reports.choice import Choice
from foundry_tui.reports.choice_tables import letters
from foundry_tui.reports.choice_words import namer

__all__ = ["MOST_SIZE", "ChoicePoint", "ChoicePoints", "choice_points", "left_out_lines", "size_of", "sizes"]

MOST_SIZE = 3
"""Bubbles have so many sizes, by area: 1/9, 4/9 and all of the largest memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicePoint:
    """One candidate of which quality and latency are known.

    Attributes:
        letter: What the table calls it.
        name: Harmless.
        memory_bytes: None where it is not known.
    """

    letter: str
    name: str
    latency_s: float
    latency_interval: Interval | None
    quality: float
    quality_interval: Interval | None
    memory_bytes: int | None
    fit: Fit
    is_on_front: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicePoints:
    """What can be drawn, and by reason the letters of what cannot."""

    drawn: tuple[ChoicePoint, ...]
    left_out: tuple[tuple[str, tuple[str, ...]], ...]


def choice_points(found: Choice) -> ChoicePoints:
    """The candidates of ``found``, in their order."""
    name = namer([judged.candidate for judged in found.judged])
    front = {id(candidate) for candidate in found.front}
    drawn: list[ChoicePoint] = []
    left_out: dict[str, list[str]] = {}
    for letter, judged in zip(letters(len(found.judged)), found.judged, strict=True):
        one = judged.candidate
        if isinstance(one.quality, Unknown):
            left_out.setdefault("not scored", []).append(letter)
        elif not isinstance(one.latency, Latency):
            left_out.setdefault("no latency", []).append(letter)
        else:
            waits = one.latency.e2e_s
            drawn.append(
                ChoicePoint(
                    letter=letter,
                    name=name(one),
                    latency_s=waits.value,
                    latency_interval=waits.interval,
                    quality=one.quality.value,
                    quality_interval=one.quality.interval,
                    memory_bytes=one.memory.total_bytes if isinstance(one.memory, Memory) else None,
                    fit=judged.fit,
                    is_on_front=id(one) in front,
                )
            )
    return ChoicePoints(
        drawn=tuple(drawn), left_out=tuple((why, tuple(each)) for why, each in left_out.items())
    )


def left_out_lines(points: ChoicePoints) -> list[str]:
    """``not scored: B, C``."""
    return [f"{why}: {', '.join(each)}" for why, each in points.left_out]


def size_of(memory_bytes: int | None, most_bytes: int) -> int:
    """From 1 to ``MOST_SIZE``, so that areas go with memory; 0 where it is not known."""
    if memory_bytes is None or most_bytes <= 0:
        return 0
    return max(1, math.ceil(MOST_SIZE * math.sqrt(memory_bytes / most_bytes) - 1e-9))


def sizes(memories: Sequence[int]) -> list[tuple[int, str]]:
    """Of each size that occurs among ``memories``, up to how much it stands for."""
    most = max(memories, default=0)
    occurring = sorted({size_of(each, most) for each in memories})
    return [
        (size, f"up to {bytes_in_words(round(most * (size / MOST_SIZE) ** 2))}") for size in occurring if size
    ]

"""What a drawing in cells is made of: lines of texts, each with what it stands for."""

from collections.abc import Iterable
from enum import StrEnum
from itertools import groupby
from typing import TypeAlias

__all__ = ["Ink", "Line", "joined"]


class Ink(StrEnum):
    """What a part of a line is, for its colour; the signs differ too."""

    NAME = "name"
    CHOSEN = "chosen"
    """The name of the model under the cursor."""
    NOTE = "note"
    GRID = "grid"
    POINT = "point"
    WHISKER = "whisker"
    BOX = "box"
    INTERVAL = "interval"
    MEDIAN = "median"
    BAR = "bar"
    STALL = "stall"
    SPACE = "space"


Line: TypeAlias = tuple[tuple[str, Ink], ...]
"""Texts from left to right."""


def joined(cells: Iterable[tuple[str, Ink]]) -> Line:
    """Cells as a line, neighbours of one ink in one text."""
    runs = groupby(cells, key=lambda cell: cell[1])
    return tuple(("".join(sign for sign, _ in run), ink) for ink, run in runs)

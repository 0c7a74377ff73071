"""What a table is made of: columns and their widths, rows and their cells, texts fitted into a cell."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import overload

from rich.cells import cell_len, set_cell_size

from foundry_tui.tui.widgets.folding import shown_line

__all__ = [
    "GAP",
    "Align",
    "Column",
    "Emphasis",
    "LazyRows",
    "Placed",
    "Row",
    "checked",
    "cut",
    "cut_within",
    "fit",
    "place",
    "plain",
]

GAP = 2
"""Cells between two columns."""
# No screen shows more of one cell; a longer one must not cost its length at each paint.
_CHARACTERS_READ = 1_000


class Align(StrEnum):
    """The side of its column that a text stands on."""

    LEFT = "left"
    RIGHT = "right"


class Emphasis(StrEnum):
    """How much a row asks to be looked at; colour only, so a cell must say the same in words."""

    NORMAL = "normal"
    DIM = "dim"
    GOOD = "good"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table.

    Attributes:
        width: Least width in cells, without the gap beside it.
        weight: Share of the spare width, against the other weights; 0 keeps ``width``.
        priority: Where the table is too narrow, the lowest priority goes first, among equals the rightmost.
    """

    key: str
    label: str
    width: int
    weight: int = 0
    align: Align = Align.LEFT
    priority: int = 0

    def __post_init__(self) -> None:
        if self.width < 1 or self.weight < 0:
            raise ValueError("a column is at least one cell wide and has no negative weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table.

    Attributes:
        key: What the row stands for; unique in its table.
        cells: One text per column, in the order of the columns, as it came: the table makes it harmless.
        runs_on: Its texts take the room of the empty cells to their right, as a heading does.
        problems: Places of the cells that alone stand out as a problem; their texts must say so, too.
    """

    key: str
    cells: tuple[str, ...]
    emphasis: Emphasis = Emphasis.NORMAL
    runs_on: bool = False
    problems: frozenset[int] = frozenset()


class LazyRows(Sequence[Row]):
    """Rows of which only the keys are there; each is made anew whenever it is looked at.

    So thousands cost what the screen shows of them, and a row may say something else at the next paint.
    """

    def __init__(self, keys: Sequence[str], make: Callable[[int], Row]) -> None:
        """Take the keys, and what makes the row of a place; it must have the key of that place."""
        self.keys = keys
        self._make = make

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        places = range(len(self.keys))
        if isinstance(index, slice):
            return [self._make(place) for place in places[index]]
        return self._make(places[index])


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A column that found room: its place in ``Row.cells``, its first cell and its width."""

    index: int
    column: Column
    left: int
    width: int


def checked(columns: Sequence[Column]) -> tuple[Column, ...]:
    """``columns``, if a table can have them.

    Raises:
        ValueError: There is none, or a key twice.
    """
    if not columns or len({column.key for column in columns}) < len(columns):
        raise ValueError("a table has at least one column, and no key twice")
    return tuple(columns)


def place(columns: Sequence[Column], width: int) -> list[Placed]:
    """The columns that fit into ``width`` cells, the first of which is the marker's."""
    shown = list(enumerate(columns))

    def spare() -> int:
        return width - 1 - sum(column.width for _, column in shown) - GAP * (len(shown) - 1)

    while spare() < 0 and len(shown) > 1:
        shown.remove(min(shown, key=lambda entry: (entry[1].priority, -entry[0])))
    total_weight = sum(column.weight for _, column in shown)
    # Shares are cut between running sums, so that rounding leaves no cell over.
    sums = [sum(column.weight for _, column in shown[:n]) for n in range(len(shown) + 1)]
    cuts = [max(0, spare()) * weight // max(1, total_weight) for weight in sums]
    placed: list[Placed] = []
    left = 1
    for (index, column), (start, end) in zip(shown, pairwise(cuts), strict=True):
        # Even the only column left may be wider than the table.
        own = min(column.width + end - start, max(0, width - left))
        placed.append(Placed(index=index, column=column, left=left, width=own))
        left += own + GAP
    return placed


def plain(text: str) -> str:
    """``text`` on one line, harmless, each character as wide as it counts."""
    return shown_line(text[:_CHARACTERS_READ])


def cut(text: str, width: int) -> str:
    """``text`` in at most ``width`` cells, with an ellipsis where something is missing."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def cut_within(text: str, width: int) -> str:
    """``text`` in at most ``width`` cells, with an ellipsis in its middle: both ends tell what it is."""
    if cell_len(text) <= width:
        return text
    if width < 1:
        return ""
    head = set_cell_size(text, (width - 1) // 3).rstrip()
    room = width - 1 - cell_len(head)
    start = len(text)
    while start and cell_len(text[start - 1 :]) <= room:
        start -= 1
    return f"{head}…{text[start:]}"


def fit(text: str, width: int, align: Align) -> str:
    """``text`` in exactly ``width`` cells."""
    text = cut(text, width)
    padding = " " * (width - cell_len(text))
    return padding + text if align is Align.RIGHT else text + padding

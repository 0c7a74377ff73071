"""Code: how its characters are coloured, and the rows it stands on.

Colours come from the outside, as ``Shades``, for finding them takes longer than one may stop the screen.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from foundry_tui.tui.widgets.transcript_rows import Run, Sketch, wrapped

__all__ = ["SHADES", "Shades", "code_lines", "draw_code", "expanded"]

_TAB_CELLS = 4
# What a character of code can be; a shade is a place in this tuple, its name the end of a component class.
SHADES = ("code-block", "code-comment", "code-keyword", "code-name", "code-number", "code-string")


class Shades:
    """Which shade the characters of a code have, kept small: codes stay for as long as their conversation."""

    __slots__ = ("_numbers",)

    def __init__(self, runs: Sequence[tuple[int, int]] = ()) -> None:
        """Take pairs of a length, in characters and below 65,536, and a shade, in the order of the text."""
        self._numbers = array("H", [number for run in runs for number in run])

    def __iter__(self) -> Iterator[tuple[int, int]]:
        numbers = iter(self._numbers)
        return zip(numbers, numbers, strict=True)


def expanded(code: str) -> str:
    """``code`` without the line feed at its end, tabs as spaces."""
    return "\n".join([line.expandtabs(_TAB_CELLS) for line in code.removesuffix("\n").split("\n")])


def code_lines(code: str, shades: Shades | None, palette: Mapping[str, Style]) -> list[list[Run]]:
    """The lines of ``code``, which is expanded; plain without ``shades``."""
    plain = palette["code-block"]
    if shades is None:
        return [[Run(line, plain)] for line in code.split("\n")]
    styles = [plain, *(plain + palette[name] for name in SHADES[1:])]
    lines: list[list[Run]] = [[]]
    at = 0
    for length, shade in shades:
        first, *others = code[at : at + length].split("\n")
        at += length
        lines[-1].append(Run(first, styles[shade]))
        lines.extend([Run(text, styles[shade])] for text in others)
    first, *others = code[at:].split("\n")
    lines[-1].append(Run(first, plain))
    lines.extend([Run(text, plain)] for text in others)
    return lines


def draw_code(
    sketch: Sketch,
    lines: Sequence[Sequence[Run]],
    width: int,
    style: Style,
    before: Callable[[], Sequence[Segment]],
) -> None:
    """Add the rows of a code block: ``width`` cells, of which the first and the last stay free.

    ``before`` gives what stands left of the next row.
    """
    first_row = len(sketch.rows)
    side = Segment(" ", style)
    for line in lines:
        for runs, joint in wrapped(line, width - 2):
            cells = sum([cell_len(run.text) for run in runs])
            sketch.put(runs, joint, [*before(), side], [Segment(" " * (width - 1 - cells), style)])
    sketch.codes.append((first_row, len(sketch.rows) - first_row))

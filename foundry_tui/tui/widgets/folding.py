"""Plain text made fit for rows of cells, in linear time, however long its lines and words are."""

import re

from rich.cells import cell_len, chop_cells

from foundry_tui.domain.text import clean_text

__all__ = ["fold", "shown"]

_TAB_CELLS = 4
# Joiners and variation selectors change the width of their neighbours, and terminals disagree about it: a
# word with one between all its letters would count as a single cell and run out of its row.
_WIDTH_CHANGERS = str.maketrans(dict.fromkeys("\u200d\ufe0e\ufe0f", ""))
_WORD = re.compile(r"\s*\S+|\s+")


def shown(text: str) -> str:
    """``text`` cleaned, and each character as wide as it counts."""
    return clean_text(text).translate(_WIDTH_CHANGERS)


def fold(text: str, width: int) -> list[str]:
    """Rows of at most ``width`` cells, cut between words where that is possible.

    ``text`` is clean; ``width`` is at least 2, the cells of a wide character.
    """
    rows: list[str] = []
    for line in text.split("\n"):
        expanded = line.expandtabs(_TAB_CELLS)
        if cell_len(expanded) <= width:
            rows.append(expanded.rstrip())
        else:
            rows.extend(_fold_line(expanded, width))
    return rows


def _fold_line(line: str, width: int) -> list[str]:
    rows: list[str] = []
    row = ""
    used = 0
    for word in _WORD.findall(line):
        cells = cell_len(word)
        if used + cells <= width:
            row += word
            used += cells
            continue
        if row.strip():
            rows.append(row.rstrip())
            row, used = "", 0
            word = word.lstrip()
            cells = cell_len(word)
        if cells > width:
            *full, word = chop_cells(word, width)
            rows.extend(piece.rstrip() for piece in full)
            cells = cell_len(word)
        row, used = word, cells
    if row.strip() or not rows:
        rows.append(row.rstrip())
    return rows

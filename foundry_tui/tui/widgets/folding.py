"""Plain text made fit for rows of cells, in linear time, however long its lines and words are."""

import re

from rich.cells import cell_len, chop_cells

from foundry_tui.domain.text import clean_line, clean_text

__all__ = ["breaks", "fold", "shown", "shown_line"]

_TAB_CELLS = 4
# Joiners, variation selectors and the tones of skin change the width of their neighbours, and terminals
# disagree about it: a word with one between all its letters would count as a single cell and run out of its
# row, and a terminal that does not join an emoji with its tone draws two.
_WIDTH_CHANGERS = str.maketrans(
    dict.fromkeys("\u200d\ufe0e\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff", "")
)
_WORD = re.compile(r"\s*\S+|\s+")
# Alphabets, punctuation, arrows and boxes of which every character takes one cell.
_NARROW = re.compile(
    "[\x20-\x7e\xa1-\xac\xae-\u02ff\u0370-\u0482\u048a-\u052f\u1e00-\u1fff\u2010-\u2027\u2030-\u205e\u2190-\u21ff\u2500-\u259f]*"
)


def shown(text: str) -> str:
    """``text`` cleaned, and each character as wide as it counts."""
    return clean_text(text).translate(_WIDTH_CHANGERS)


def shown_line(text: str) -> str:
    """``text`` cleaned and on one line, and each character as wide as it counts."""
    return clean_line(text).translate(_WIDTH_CHANGERS)


def fold(text: str, width: int) -> list[str]:
    """Rows of at most ``width`` cells, cut between words where that is possible.

    ``text`` is clean; ``width`` is at least 2, the cells of a wide character.
    """
    rows: list[str] = []
    for line in text.split("\n"):
        expanded = line.expandtabs(_TAB_CELLS)
        rows.extend(expanded[start:end] for start, end in breaks(expanded, width))
    return rows


def breaks(line: str, width: int) -> list[tuple[int, int]]:
    """Where the rows of ``line`` begin and end, as indices into it; at least one row.

    What lies between two rows is the white space at which the line was cut; if there is none, a word was cut.

    Args:
        line: Clean, without line feeds and tabs.
        width: At least 2.
    """
    length = len(line.rstrip())
    if line.isascii() or _NARROW.fullmatch(line):
        return [(0, length)] if length <= width else _breaks_of_narrow(line, length, width)
    return [(0, length)] if cell_len(line[:length]) <= width else _breaks_of_wide(line, width)


def _breaks_of_narrow(line: str, length: int, width: int) -> list[tuple[int, int]]:
    """``breaks`` where each character takes one cell: the work grows with the rows, not with the words."""
    rows: list[tuple[int, int]] = []
    start = 0
    while length - start > width:
        end = start + width
        cut = end if line[end].isspace() else line.rfind(" ", start, end)
        row_end = start + len(line[start : max(start, cut)].rstrip())
        if row_end <= start:  # one long word, or one that its indent has pushed over the edge
            rows.append((start, start + len(line[start:end].rstrip())))
            start = end
            continue
        rows.append((start, row_end))
        start = cut
        while line[start].isspace():
            start += 1
    rows.append((start, length))
    return rows


def _breaks_of_wide(line: str, width: int) -> list[tuple[int, int]]:
    rows: list[tuple[int, int]] = []
    start = end = 0  # of the row that is being filled
    used = 0

    def emit(until: int) -> None:
        rows.append((start, start + len(line[start:until].rstrip())))

    for match in _WORD.finditer(line):
        word, at = match[0], match.start()
        cells = cell_len(word)
        if used + cells <= width:
            used += cells
            end = match.end()
            continue
        if line[start:end].strip():
            emit(end)
            at += len(word) - len(word.lstrip())
            word = word.lstrip()
            cells = cell_len(word)
            start = at
        if cells > width:
            *full, rest = chop_cells(line[start:at] + word, width)
            for piece in full:
                emit(start + len(piece))
                start += len(piece)
            cells = cell_len(rest)
        end = match.end()
        used = cells
    if line[start:end].strip() or not rows:
        emit(end)
    return rows

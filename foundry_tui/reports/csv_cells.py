"""Cells of tables that a spreadsheet opens: somebody else's text is never a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

__all__ = ["csv_table"]

# What makes a spreadsheet take a text for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The table as text; what is undefined is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            text = value.replace("\0", "\u2400")
            return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
        case _:
            return value

"""From the checks that stand in a file to checks, with what no shape can say of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foundry_tui.config.documents import Document, file_problem, pointer
from foundry_tui.domain.check_form import check_from
from foundry_tui.domain.checks import Check

if TYPE_CHECKING:
    from foundry_tui.config.check_shapes import CheckEntry

__all__ = ["checks_at"]

_REMEDY = "`foundry-tui schema prompts` prints the format."


def checks_at(document: Document, entries: "Sequence[CheckEntry]", *keys: str | int) -> tuple[Check, ...]:
    """The checks of one prompt, which stand at ``keys`` of ``document``.

    Raises:
        BadInput: One of them cannot be made: its pattern or schema is none, or its limits exclude each other.
    """
    checks = []
    for index, entry in enumerate(entries):
        written = entry.model_dump(by_alias=True, exclude_unset=True)
        try:
            checks.append(check_from(written))
        except ValueError as error:
            place = pointer(*keys, index)
            raise file_problem(document.path, f"{place}: expected {error}", _REMEDY) from error
    return tuple(checks)

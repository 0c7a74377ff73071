"""A list of what is kept in the database, in which one thing is done at a time."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from textual import work

from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.tui.notices import complain
from foundry_tui.tui.screens.overlay import FilteredOverlay
from foundry_tui.tui.widgets.row_table import RowTable

__all__ = ["KeptOverlay"]

T = TypeVar("T")


class KeptOverlay(FilteredOverlay[T]):
    """Shows what is kept, and does what keys ask for with the entry under the cursor."""

    def __init__(self) -> None:
        super().__init__()
        self._is_acting = False

    @property
    def table(self) -> RowTable:
        """The list, what has the focus at first."""
        return self.query_one(RowTable)

    @work(group="act")
    async def act(self, do: Callable[[], Awaitable[None]]) -> None:
        """Do it, unless something is being done; what it is refused is told."""
        if self._is_acting:
            return  # a second press, before the question has come
        self._is_acting = True
        try:
            await do()
        except (BadInput, StorageProblem) as error:
            complain(self, error)
        finally:
            self._is_acting = False

"""What can stand in the catalog's columns, and what the list can be sorted by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from foundry_tui.domain.model_filter import download_or_disk_bytes
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.domain.quantities import bytes_in_words, count_in_words
from foundry_tui.tui.widgets.row_table import Align, Column

__all__ = [
    "ALWAYS_SHOWN",
    "CELLS",
    "CHOICE",
    "DEFAULT_VIEW",
    "MARK",
    "CatalogView",
    "columns_of",
    "known_view",
    "sorted_places",
]

_SortValue: TypeAlias = "str | int | None"
ALWAYS_SHOWN = "id"
"""The column without which nobody knows what a row stands for."""
MARK = Column(key="mark", label="*", width=1)
"""Stands before the others and is no matter of choice."""
CHOICE = (
    Column(key="id", label="Variant", width=22, weight=3),
    Column(key="state", label="State", width=11),
    Column(key="size", label="Size", width=9, align=Align.RIGHT),
    Column(key="device", label="Device", width=7),
    Column(key="context", label="Context", width=9, align=Align.RIGHT),
    Column(key="license", label="Licence", width=10, weight=1),
    Column(key="alias", label="Alias", width=14, weight=1),
    Column(key="publisher", label="Publisher", width=12, weight=1),
    Column(key="task", label="Task", width=16),
    Column(key="provider", label="Provider", width=22),
    Column(key="quantization", label="Quantization", width=12),
    Column(key="name", label="Name", width=16, weight=1),
    Column(key="disk", label="On disk", width=9, align=Align.RIGHT),
    Column(key="answer", label="Longest answer", width=14, align=Align.RIGHT),
    Column(key="source", label="From", width=10),
)
"""All columns that one can choose, in the order in which they are offered."""
_DEFAULT = tuple(column.key for column in CHOICE[:10])
_SOURCES = {CatalogKind.PUBLIC: "catalog", CatalogKind.LOCAL: "your own", CatalogKind.ENDPOINT: "endpoint"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogView:
    """How the user looks at the catalog.

    Attributes:
        columns: Keys, from the left; where there is no room for all, the rightmost go first.
        sort: The key of the column that it is sorted by; None is the catalog's own order.
        descending: Whether the greatest comes first; the unknown comes last in either case.
    """

    columns: tuple[str, ...]
    sort: str | None = None
    descending: bool = False


DEFAULT_VIEW = CatalogView(columns=_DEFAULT)


def known_view(view: CatalogView) -> CatalogView:
    """``view`` without what this version does not know, and with the column that is always shown."""
    known = {column.key for column in CHOICE}
    columns = tuple(dict.fromkeys(key for key in view.columns if key in known))
    if not columns:
        columns = _DEFAULT
    elif ALWAYS_SHOWN not in columns:
        columns = (ALWAYS_SHOWN, *columns)
    is_sorted = view.sort in known
    return CatalogView(
        columns=columns, sort=view.sort if is_sorted else None, descending=is_sorted and view.descending
    )


def columns_of(view: CatalogView) -> tuple[Column, ...]:
    """The columns of a known ``view``, that of the marks first."""
    by_key = {column.key: column for column in CHOICE}
    shown = [replace(by_key[key], priority=-place) for place, key in enumerate(view.columns)]
    kept = [replace(column, priority=2) if column.key == ALWAYS_SHOWN else column for column in shown]
    return (replace(MARK, priority=1), *kept)


def _said(text: str | None) -> str:
    return text or "n/a"


CELLS: dict[str, Callable[[ModelVariant], str]] = {
    "id": lambda model: model.id,
    "size": lambda model: bytes_in_words(download_or_disk_bytes(model)),
    "device": lambda model: _said(model.device),
    "context": lambda model: count_in_words(model.context_tokens),
    "license": lambda model: _said(model.license),
    "alias": lambda model: model.alias,
    "publisher": lambda model: _said(model.publisher),
    "task": lambda model: _said(model.task),
    "provider": lambda model: _said(model.execution_provider),
    "quantization": lambda model: _said(model.quantization),
    "name": lambda model: _said(model.display_name),
    "disk": lambda model: bytes_in_words(model.disk_bytes),
    "answer": lambda model: count_in_words(model.max_output_tokens),
    "source": lambda model: _SOURCES[model.catalog],
}
"""The text of each column that depends on the model alone; its state depends on the jobs too."""


def _folded(text: str | None) -> str | None:
    return None if text is None else text.casefold()


def _nearness(model: ModelVariant) -> int:
    if model.is_loaded:
        return 0
    return 1 if model.is_cached else 2 if model.is_cached is None else 3


_SORTS: dict[str, Callable[[ModelVariant], _SortValue]] = {
    "id": lambda model: _folded(model.id),
    "state": _nearness,
    "size": download_or_disk_bytes,
    "device": lambda model: model.device,
    "context": lambda model: model.context_tokens,
    "license": lambda model: _folded(model.license),
    "alias": lambda model: _folded(model.alias),
    "publisher": lambda model: _folded(model.publisher),
    "task": lambda model: _folded(model.task),
    "provider": lambda model: _folded(model.execution_provider),
    "quantization": lambda model: _folded(model.quantization),
    "name": lambda model: _folded(model.display_name),
    "disk": lambda model: model.disk_bytes,
    "answer": lambda model: model.max_output_tokens,
    "source": lambda model: _SOURCES[model.catalog],
}


def sorted_places(models: Sequence[ModelVariant], sort: str | None, *, descending: bool) -> Sequence[int]:
    """The places of ``models`` in order; those of which the value is not known are last either way."""
    if sort is None:
        return range(len(models))
    read = _SORTS[sort]
    values = [read(model) for model in models]
    known = [place for place, value in enumerate(values) if value is not None]
    unknown = [place for place, value in enumerate(values) if value is None]
    # By what the list has at each place: far cheaper than a key made for every model.
    known.sort(key=values.__getitem__, reverse=descending)  # type: ignore[arg-type]  # one column, one type
    return known + unknown

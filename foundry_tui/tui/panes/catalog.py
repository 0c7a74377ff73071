"""The catalog: every variant that is known, filtered as one types, sorted as one likes."""

import time
from collections.abc import Callable, Sequence
from typing import ClassVar, TypeAlias

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from foundry_tui.domain.errors import EngineError
from foundry_tui.domain.models import CatalogSnapshot, ModelVariant
from foundry_tui.domain.quantities import bytes_in_words, count_in_words
from foundry_tui.services.client import Job
from foundry_tui.tui.notices import complain
from foundry_tui.tui.panes.models import ModelsPane, emphasis_of
from foundry_tui.tui.presenters import catalog_line, state_of
from foundry_tui.tui.widgets.fields import LineField
from foundry_tui.tui.widgets.row_table import Align, Column, Row, RowTable

__all__ = ["CatalogPane"]

_SortKey: TypeAlias = tuple[bool, str | int]


def _words(value: str | None) -> _SortKey:
    return (value is None, (value or "").lower())


def _number(value: int | None) -> _SortKey:
    return (value is None, value or 0)


def _nearness(model: ModelVariant) -> _SortKey:
    return (False, 0 if model.is_loaded else 1 if model.is_cached else 2 if model.is_cached is None else 3)


# Unknown values go last in either direction.
_SORTS: dict[str, Callable[[ModelVariant], _SortKey]] = {
    "id": lambda model: _words(model.id),
    "alias": lambda model: _words(model.alias),
    "device": lambda model: _words(model.device),
    "provider": lambda model: _words(model.execution_provider),
    "size": lambda model: _number(_size_bytes(model)),
    "context": lambda model: _number(model.context_tokens),
    "task": lambda model: _words(model.task),
    "license": lambda model: _words(model.license),
    "publisher": lambda model: _words(model.publisher),
    "state": _nearness,
}


def _size_bytes(model: ModelVariant) -> int | None:
    return model.size_bytes if model.size_bytes is not None else model.disk_bytes


class CatalogPane(ModelsPane):
    """Lists variants; Enter talks to one, letters act on it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("s", "sort", "Sort"),
        Binding("S", "reverse", "Reverse", show=False),
        Binding("r", "refresh", "Refresh", show=False),
    ]
    COLUMNS = (
        Column(key="id", label="Variant", width=22, weight=3, priority=100),
        Column(key="state", label="State", width=11, priority=90),
        Column(key="size", label="Size", width=9, align=Align.RIGHT, priority=80),
        Column(key="device", label="Device", width=7, priority=70),
        Column(key="context", label="Context", width=9, align=Align.RIGHT, priority=60),
        Column(key="license", label="Licence", width=10, weight=1, priority=50),
        Column(key="alias", label="Alias", width=14, weight=1, priority=40),
        Column(key="publisher", label="Publisher", width=12, weight=1, priority=30),
        Column(key="task", label="Task", width=16, priority=20),
        Column(key="provider", label="Provider", width=22, priority=10),
    )

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]  # handed on as they are
        self._filter = ""
        self._sort: str | None = None
        self._descending = False

    def compose(self) -> ComposeResult:
        yield LineField(
            placeholder="/ filters: name, publisher, licence, device", id="catalog-filter", compact=True
        )
        yield from super().compose()

    def rows(self, snapshot: CatalogSnapshot, jobs: Sequence[Job]) -> list[Row]:
        models = [model for model in snapshot.models if self._is_wanted(model)]
        if self._sort is not None:
            key = _SORTS[self._sort]
            known = [model for model in models if not key(model)[0]]
            unknown = [model for model in models if key(model)[0]]
            models = sorted(known, key=key, reverse=self._descending) + unknown
        now_ns = time.perf_counter_ns()
        return [
            Row(
                key=model.id,
                cells=(
                    model.id,
                    state_of(model, jobs, now_ns),
                    bytes_in_words(_size_bytes(model)),
                    model.device.value if model.device else "n/a",
                    count_in_words(model.context_tokens),
                    model.license or "n/a",
                    model.alias,
                    model.publisher or "n/a",
                    model.task or "n/a",
                    model.execution_provider or "n/a",
                ),
                emphasis=emphasis_of(model),
            )
            for model in models
        ]

    def line(self, snapshot: CatalogSnapshot, shown: int, jobs: Sequence[Job]) -> str:
        return catalog_line(snapshot, shown, jobs, time.time())

    def empty_words(self, snapshot: CatalogSnapshot) -> str:
        if self._filter and snapshot.models:
            return f"No variant matches “{self._filter}”.\n\nEsc clears the filter."
        if snapshot.notice is not None and snapshot.notice.startswith("offline"):
            return (
                "No models yet, and the public catalog cannot be reached.\n\n"
                "Register a folder of your own:\n"
                "foundry-tui models register DIR --id my-model:1\n\n"
                "Or try the bundled one: foundry-tui demo\n\n"
                "Ctrl+R restarts the engine and asks the catalog again."
            )
        return "No models yet: the engine is starting, or has nothing to list.\n\nr asks again."

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one("#catalog-filter", LineField).focus()

    def leave_filter(self) -> bool:
        """Clear the filter and go back to the table; False if there is none to clear or leave."""
        field = self.query_one("#catalog-filter", Input)
        if not field.has_focus and not field.value:
            return False
        field.value = ""
        self.table.focus()
        return True

    def action_sort(self) -> None:
        """Sort by the next column."""
        keys: list[str | None] = [None, *(column.key for column in self.COLUMNS)]
        self._set_sort(keys[(keys.index(self._sort) + 1) % len(keys)], descending=False)

    def action_reverse(self) -> None:
        """Turn the order around."""
        self._set_sort(self._sort or "id", descending=not self._descending)

    def action_refresh(self) -> None:
        """Ask the engine, and the network if that is allowed."""
        self._refresh()

    @on(Input.Changed, "#catalog-filter")
    def _filtered(self, message: Input.Changed) -> None:
        message.stop()
        self._filter = message.value.strip().lower()
        self.redraw()

    @on(Input.Submitted, "#catalog-filter")
    def _to_table(self, message: Input.Submitted) -> None:
        message.stop()
        self.table.focus()

    @on(RowTable.HeaderPressed)
    def _sort_by(self, message: RowTable.HeaderPressed) -> None:
        message.stop()
        again = message.column_key == self._sort
        self._set_sort(message.column_key, descending=again and not self._descending)

    def _set_sort(self, key: str | None, *, descending: bool) -> None:
        self._sort, self._descending = key, descending
        self.table.set_sort_mark(key, descending=descending)
        self.redraw()

    def _is_wanted(self, model: ModelVariant) -> bool:
        if not self._filter:
            return True
        facts = (
            model.id,
            model.alias,
            model.display_name or "",
            model.publisher or "",
            model.license or "",
            model.device or "",
            model.task or "",
            model.execution_provider or "",
        )
        hay = "\n".join(facts).lower()
        return all(word in hay for word in self._filter.split())

    @work(exclusive=True, group="refresh")
    async def _refresh(self) -> None:
        try:
            await self._client.refresh()
        except EngineError as error:
            complain(self, error)

"""The catalog: every variant that is known, filtered as one types, sorted, marked and compared."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from foundry_tui.domain.errors import EngineError
from foundry_tui.domain.model_filter import ModelFilter, parse_filter
from foundry_tui.domain.models import CatalogSnapshot, ModelVariant
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.downloads import running_words, short_words
from foundry_tui.services.client import ClientService, Job, JobKind
from foundry_tui.services.downloads.facade import DownloadQueue, Downloads
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.panes.catalog_columns import (
    ALWAYS_SHOWN,
    CELLS,
    CHOICE,
    DEFAULT_VIEW,
    MARK,
    CatalogView,
    columns_of,
    known_view,
)
from foundry_tui.tui.panes.catalog_completion import FilterSuggester
from foundry_tui.tui.panes.catalog_index import CatalogIndex, Finding
from foundry_tui.tui.panes.models import ModelsPane, emphasis_of
from foundry_tui.tui.presenters import catalog_line, state_of
from foundry_tui.tui.widgets.fields import LineField
from foundry_tui.tui.widgets.row_table import Column, LazyRows, Row, RowTable

__all__ = ["CatalogPane", "CatalogView"]

# Longer than anybody types; each part of a filter is asked of thousands of models.
_FILTER_CHARACTERS = 400
_MARKED = MARK.label
_STATE_CELLS = 11


class CatalogPane(ModelsPane):
    """Lists variants; Enter talks to one, letters act on it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", id="catalog.filter"),
        Binding("space", "mark", "Mark", key_display="␣", id="catalog.mark"),
        Binding("c", "compare", "Compare", id="catalog.compare"),
        Binding("s", "sort", "Sort", show=False, id="catalog.sort"),
        Binding("S", "reverse", "Reverse", show=False, id="catalog.reverse"),
        Binding("o", "columns", "Columns", show=False, id="catalog.columns"),
        Binding("x", "clear_marks", "Clear marks", show=False, id="catalog.clear_marks"),
        Binding("r", "refresh", "Refresh", show=False, id="catalog.refresh"),
        Binding("down", "to_rows", "To the rows", show=False, id="catalog.to_rows"),
    ]

    @dataclass
    class ViewChanged(Message):
        """The user chose other columns or another order; the workspace may remember it."""

        view: CatalogView

    def __init__(
        self,
        client: ClientService,
        *,
        id: str,  # noqa: A002 - Textual's name
        downloads: Downloads | None = None,
    ) -> None:
        super().__init__(client, id=id)
        self._downloads = downloads
        self._queue = DownloadQueue()
        self._index = CatalogIndex(self._snapshot.models)
        self._finding = Finding()
        self._text = ""
        self._filter = ModelFilter()
        self._view = DEFAULT_VIEW
        self._marks: dict[str, None] = {}
        self._places: Sequence[int] = ()
        self._rows: LazyRows | None = None

    @property
    def columns(self) -> Sequence[Column]:
        return columns_of(self._view)

    @property
    def view(self) -> CatalogView:
        """Columns and order."""
        return self._view

    @view.setter
    def view(self, view: CatalogView) -> None:
        """Show it so; what this version does not know is ignored."""
        self._view = known_view(view)
        self._rows = None
        if self.query(RowTable):
            self.table.set_columns(self.columns, self.rows(self._snapshot, self._jobs))
            self._show_sort()
            self.redraw()

    @property
    def marked(self) -> tuple[str, ...]:
        """The ids of the marked variants that are listed now, in the order in which they were marked."""
        return tuple(model_id for model_id in self._marks if self._index.find(model_id) is not None)

    def compose(self) -> ComposeResult:
        yield LineField(
            placeholder="/ filters: phi -vision license:mit size<2gb cached",
            id="catalog-filter",
            compact=True,
            max_length=_FILTER_CHARACTERS,
            suggester=FilterSuggester(lambda key: self._index.values(key)),
        )
        yield from super().compose()

    def on_mount(self) -> None:
        """Follow the filter as it is typed, and show the order that was set before there was a table."""
        # Watched and not heard of by a message: what was found is painted in one frame with the key that was
        # typed, where a message would come too late for it and the next frame is up to 33 ms away.
        self.watch(self.query_one("#catalog-filter", Input), "value", self._narrow, init=False)
        self._show_sort()
        if self._downloads is not None:
            self._follow_downloads(self._downloads)

    async def take(self, snapshot: CatalogSnapshot) -> None:
        index = await asyncio.to_thread(CatalogIndex, snapshot.models, before=self._index, view=self._view)
        await super().take(snapshot)
        self._index = index

    def rows(self, snapshot: CatalogSnapshot, jobs: Sequence[Job]) -> Sequence[Row]:
        index = self._index
        places = self._finding.places(index, self._filter, self._view)
        if self._rows is None or places is not self._places:
            self._places = places
            keys = [index.ids[place] for place in places]
            columns = self.columns
            self._rows = LazyRows(keys, lambda number: self._row(index, places[number], columns))
        return self._rows

    def line(self, snapshot: CatalogSnapshot, shown: int, jobs: Sequence[Job]) -> str:
        if self._filter.problems:
            more = len(self._filter.problems) - 1
            return clean_line(self._filter.problems[0].words) + (f" (and {more} more)" if more else "")
        count, *rest = catalog_line(snapshot, shown, jobs, time.time()).split(" · ", 1)
        if self._marks:
            count += f" · {len(self.marked)} marked"
        if self._view.sort is not None:
            label = next(column.label for column in CHOICE if column.key == self._view.sort)
            count += f" · by {label.lower()}{', descending' if self._view.descending else ''}"
        return " · ".join([count, *rest])

    def empty_words(self, snapshot: CatalogSnapshot) -> str:
        if self._text and snapshot.models:
            if not self._marks and "marked" in self._text.casefold().split():
                return "Nothing is marked yet.\n\nEsc clears the filter, then Space marks a variant."
            return f"No variant matches “{self._text}”.\n\nEsc clears the filter."
        if snapshot.notice is not None and snapshot.notice.startswith("offline"):
            return (
                "No models yet, and the public catalog cannot be reached.\n\n"
                "Register a folder of your own:\n"
                "foundry-tui models register DIR --id my-model:1\n\n"
                "Or try the bundled one: foundry-tui demo\n\n"
                "Ctrl+R restarts the engine and asks the catalog again."
            )
        return "The engine has nothing to list.\n\nr asks again."

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one("#catalog-filter", LineField).focus()

    def action_to_rows(self) -> None:
        """Leave the filter as it is and go to what it found."""
        self.table.focus()

    def leave_filter(self) -> bool:
        """Clear the filter and go back to the table; False if there is none to clear or leave."""
        field = self.query_one("#catalog-filter", Input)
        if not field.has_focus and not field.value:
            return False
        field.value = ""
        self.table.focus()
        return True

    def action_mark(self) -> None:
        """Mark the variant under the cursor, or take its mark away."""
        if (key := self.table.cursor_key) is None:
            return
        if key in self._marks:
            del self._marks[key]
        else:
            self._marks[key] = None
        self._show_marks()

    def action_clear_marks(self) -> None:
        """Take all marks away."""
        if not self._marks:
            tell(self, "nothing is marked: space marks the variant under the cursor")
            return
        self._marks.clear()
        self._show_marks()

    def action_compare(self) -> None:
        """Put the marked variants side by side."""
        models = [model for key in self.marked if (model := self._index.find(key)) is not None]
        if len(models) < 2:
            words = "one variant is" if models else "no variant is"
            tell(self, f"{words} marked: mark two or more with space, then c compares them")
            return
        # Late, since few sessions compare and all have a first frame.
        from foundry_tui.tui.screens.compare import CompareScreen

        self.app.push_screen(CompareScreen(models, self._client.load_reports))

    def action_columns(self) -> None:
        """Choose the columns and their order."""
        from foundry_tui.tui.screens.columns import ColumnsScreen

        def take(columns: tuple[str, ...] | None) -> None:
            if columns is not None:
                self._change_view(replace(self._view, columns=columns))

        screen = ColumnsScreen(CHOICE, self._view.columns, DEFAULT_VIEW.columns, kept=ALWAYS_SHOWN)
        self.app.push_screen(screen, take)

    def action_sort(self) -> None:
        """Sort by the next column."""
        keys = (None, *self._view.columns)
        place = keys.index(self._view.sort) if self._view.sort in keys else 0
        self._change_view(replace(self._view, sort=keys[(place + 1) % len(keys)], descending=False))

    def action_reverse(self) -> None:
        """Turn the order around."""
        sort = self._view.sort or self._view.columns[0]
        self._change_view(replace(self._view, sort=sort, descending=not self._view.descending))

    def action_refresh(self) -> None:
        """Ask the engine, and the network if that is allowed."""
        self._refresh()

    @on(Input.Changed, "#catalog-filter")
    def _changed(self, message: Input.Changed) -> None:
        message.stop()

    @on(Input.Submitted, "#catalog-filter")
    def _to_table(self, message: Input.Submitted) -> None:
        message.stop()
        self.table.focus()

    @on(RowTable.HeaderPressed)
    def _sort_by(self, message: RowTable.HeaderPressed) -> None:
        message.stop()
        key = message.column_key
        if key != MARK.key:
            descending = key == self._view.sort and not self._view.descending
            self._change_view(replace(self._view, sort=key, descending=descending))

    def _row(self, index: CatalogIndex, place: int, columns: Sequence[Column]) -> Row:
        model = index.models[place]

        def cell(key: str) -> str:
            if key == "state":
                return self._download_words(model) or state_of(model, self._jobs, time.perf_counter_ns())
            if key == MARK.key:
                return _MARKED if model.id in self._marks else ""
            return CELLS[key](model)

        return Row(
            key=model.id,
            cells=tuple(cell(column.key) for column in columns),
            emphasis=emphasis_of(model),
        )

    def _download_words(self, model: ModelVariant) -> str | None:
        for job in self._jobs:
            if job.kind is JobKind.FETCH and job.model_id == model.id and job.transfer is not None:
                return running_words(job.transfer, cells=_STATE_CELLS)
        entry = self._queue.of(model.id)
        if entry is None:
            return None
        running = self._queue.running
        own = running if running is not None and running.download_id == entry.id else None
        return short_words(entry, own, time.time_ns() // 1_000_000, cells=_STATE_CELLS)

    def _narrow(self, text: str) -> None:
        self._text = text.strip()
        self._parse()
        self.redraw()

    def _parse(self) -> None:
        self._filter = parse_filter(self._text[:_FILTER_CHARACTERS], marked=self._marks)

    def _show_marks(self) -> None:
        self._parse()  # it may ask for the marked ones
        self.redraw()

    def _show_sort(self) -> None:
        self.table.set_sort_mark(self._view.sort, descending=self._view.descending)

    def _change_view(self, view: CatalogView) -> None:
        if view != self._view:
            self.view = view
            self.post_message(self.ViewChanged(self._view))

    @work(group="downloads")
    async def _follow_downloads(self, downloads: Downloads) -> None:
        async for queue in downloads.queue.watch():
            self._queue = queue
            self.redraw()

    @work(exclusive=True, group="refresh")
    async def _refresh(self) -> None:
        try:
            await self._client.refresh()
        except EngineError as error:
            complain(self, error)

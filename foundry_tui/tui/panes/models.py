"""What the catalog and the cache pane share: a table of models, and loading and unloading from it."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from foundry_tui.domain.engine import Capability, EngineDead, EngineIdle, EngineStarting
from foundry_tui.domain.errors import EngineError
from foundry_tui.domain.models import CatalogSnapshot, ModelVariant
from foundry_tui.reports.models import load_words
from foundry_tui.services.client import ClientService, Job
from foundry_tui.tui.load_guard import is_load_wanted
from foundry_tui.tui.messages import DownloadWanted, ModelActivated, ModelDetailWanted, RaceWanted
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.widgets.row_table import Column, Emphasis, Row, RowTable

__all__ = ["ModelsPane", "emphasis_of"]

# While something loads its row counts seconds; four times a second is as fast as anybody reads.
_JOB_REDRAW_S = 0.25


def emphasis_of(model: ModelVariant) -> Emphasis:
    """How a row of ``model`` stands out."""
    if model.problem is not None:
        return Emphasis.PROBLEM
    if model.is_loaded:
        return Emphasis.GOOD
    is_out_of_reach = model.is_cached is False or model.unavailable is not None
    return Emphasis.DIM if is_out_of_reach else Emphasis.NORMAL


class ModelsPane(Vertical):
    """A table of models that follows the catalog feed; subclasses choose rows and words."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "load", "Load", id="models.load"),
        Binding("u", "unload", "Unload", show=False, id="models.unload"),
        Binding("d", "download", "Download", id="models.download"),
        Binding("i", "detail", "Details", id="models.detail"),
        Binding("b", "race", "Race its variants on CPU, GPU, NPU", show=False, id="models.race"),
    ]
    COLUMNS: ClassVar[tuple[Column, ...]] = ()

    def __init__(self, client: ClientService, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="pane")
        self._client = client
        self._snapshot: CatalogSnapshot = client.catalog.value
        self._jobs: tuple[Job, ...] = ()

    @property
    def table(self) -> RowTable:
        """The table, what gets the focus."""
        return self.query_one(RowTable)

    @property
    def columns(self) -> Sequence[Column]:
        """What the cells of ``rows`` stand under."""
        return self.COLUMNS

    def compose(self) -> ComposeResult:
        yield RowTable(self.columns, id=f"{self.id}-table")
        yield Static(id=f"{self.id}-line", classes="pane-line", markup=False)

    def on_mount(self) -> None:
        """Follow the feeds."""
        self._redraw_timer = self.set_interval(_JOB_REDRAW_S, self.redraw, pause=True)
        self._follow_catalog()
        self._follow_jobs()

    @abstractmethod
    def rows(self, snapshot: CatalogSnapshot, jobs: Sequence[Job]) -> Sequence[Row]:
        """The rows to show, in order; the very same ones if only what they say may have changed."""
        ...

    @abstractmethod
    def line(self, snapshot: CatalogSnapshot, shown: int, jobs: Sequence[Job]) -> str:
        """The line under the table."""
        ...

    @abstractmethod
    def empty_words(self, snapshot: CatalogSnapshot) -> str:
        """What stands in a table without rows."""
        ...

    async def take(self, snapshot: CatalogSnapshot) -> None:
        """Make ``snapshot`` the one that is shown; whatever that takes long for is done in a thread."""
        self._snapshot = snapshot

    def redraw(self) -> None:
        """Show the newest state."""
        if len(self.query(f"#{self.id}-table, #{self.id}-line")) < 2:
            return  # the app is being left, and its parts go one by one
        rows = self.rows(self._snapshot, self._jobs)
        waiting = self._waiting_words()
        self.table.empty_text = waiting or self.empty_words(self._snapshot)
        self.table.set_rows(rows)
        line = self.line(self._snapshot, len(rows), self._jobs) if waiting is None else ""
        # One line high whatever it says, so nothing has to be laid out anew.
        self.query_one(f"#{self.id}-line", Static).update(line, layout=False)

    def _waiting_words(self) -> str | None:
        """Why there is nothing to list while no engine is up; None if there is something, or should be."""
        if self._snapshot.models or self._snapshot.notice is not None:
            return None
        match self._client.engine_state:
            case EngineDead():
                return "No models: the engine is down.\n\nCtrl+R restarts it."
            case EngineIdle() | EngineStarting():
                return "The engine is starting …"
            case _:
                return None

    def action_load(self) -> None:
        """Load the model under the cursor."""
        if (model := self._under_cursor()) is None:
            return
        if model.is_loaded:
            tell(self, f"{model.id} is loaded already")
        elif model.is_cached is False:
            tell(self, f"{model.id} is not on this machine: d offers to download it", is_warning=True)
        else:
            self._load(model)

    def action_unload(self) -> None:
        """Unload the model under the cursor."""
        model = self._under_cursor()
        if model is None:
            return
        if model.is_loaded:
            self._unload(model)
        else:
            tell(self, f"{model.id} is not loaded")

    def action_download(self) -> None:
        """Offer the model under the cursor for download."""
        if (model := self._under_cursor()) is None:
            return
        if model.is_cached:
            tell(self, f"{model.id} is here already")
        else:
            self.post_message(DownloadWanted(model.id))

    def action_detail(self) -> None:
        """Open everything known about the model under the cursor."""
        if (key := self.table.cursor_key) is not None:
            self.post_message(ModelDetailWanted(key))

    def action_race(self) -> None:
        """Plan a race of all variants of the alias of the model under the cursor."""
        if (key := self.table.cursor_key) is not None:
            self.post_message(RaceWanted(key))

    @on(RowTable.RowActivated)
    def _activate(self, message: RowTable.RowActivated) -> None:
        message.stop()
        model = self._client.catalog.value.find(message.key)
        if model is not None and model.is_cached is False:
            self.post_message(DownloadWanted(model.id))
        else:
            self.post_message(ModelActivated(message.key))

    @work(group="load")
    async def _load(self, model: ModelVariant) -> None:
        info = self._client.engine_info
        if info is not None and not info.can(Capability.LOAD):
            tell(self, f"a {info.kind.value} endpoint loads models by itself; just ask", is_warning=True)
            return
        try:
            if not await is_load_wanted(self, self._client, model):
                return
            report = await self._client.load(model.id)
        except EngineError as error:
            complain(self, error)
        else:
            tell(self, load_words(report))

    @work(group="unload")
    async def _unload(self, model: ModelVariant) -> None:
        try:
            await self._client.unload(model.id)
        except EngineError as error:
            complain(self, error)
        else:
            tell(self, f"{model.id} unloaded")

    @work(group="catalog")
    async def _follow_catalog(self) -> None:
        async for snapshot in self._client.catalog.watch():
            await self.take(snapshot)
            self.redraw()

    @work(group="jobs")
    async def _follow_jobs(self) -> None:
        async for jobs in self._client.jobs.watch():
            self._jobs = jobs
            if jobs:
                self._redraw_timer.resume()
            else:
                self._redraw_timer.pause()
            self.redraw()

    def _under_cursor(self) -> ModelVariant | None:
        key = self.table.cursor_key
        return None if key is None else self._client.catalog.value.find(key)
